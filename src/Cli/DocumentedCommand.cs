using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Countersign.Cli;

/// <summary>A command whose help ends with examples that work.</summary>
internal sealed class DocumentedCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The help as it is made from the commands, and then the examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        // What a command takes by itself is nothing that can be given to a command below it.
        foreach (var argument in Above(parseResult.CommandResult.Command).SelectMany(above => above.Arguments)) argument.Hidden = true;
        help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not DocumentedCommand { Examples.Count: > 0 } command) return ExitCode.Ok;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in command.Examples)
            output.WriteLine("  " + example);
        output.WriteLine();
        return ExitCode.Ok;
    }

    private static IEnumerable<Command> Above(Command command) => command.Parents.OfType<Command>().SelectMany(above => Above(above).Prepend(above));
}
