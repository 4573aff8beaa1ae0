using System.CommandLine;

namespace Countersign.Cli.Commands;

/// <summary>What is wrong with a command line as a whole, and is told before anything is sent.</summary>
internal static class EditRules
{
    /// <summary>An edit that names nothing to change is a mistake.</summary>
    public static void ChangesSomething(this Command command, params Option[] options) => command.Validators.Add(result =>
    {
        if (!options.Any(option => result.GetResult(option) is { Implicit: false })) result.AddError("Nothing is named that is to change.");
    });

    /// <summary>They exclude each other.</summary>
    public static void AtMostOneOf(this Command command, params Option[] options) => command.Validators.Add(result =>
    {
        if (Given(result, options) > 1) result.AddError($"Only one of {Names(options)}.");
    });

    public static void OneOf(this Command command, params Option[] options) => command.Validators.Add(result =>
    {
        if (Given(result, options) != 1) result.AddError($"One of {Names(options)} has to be there, and only one.");
    });

    private static int Given(System.CommandLine.Parsing.CommandResult result, Option[] options) => options.Count(option => result.GetResult(option) is { Implicit: false });

    private static string Names(Option[] options) => string.Join(", ", options.Select(option => option.Name));
}
