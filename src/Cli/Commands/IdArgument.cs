using System.CommandLine;

namespace Countersign.Cli.Commands;

/// <summary>An argument that is an ID as lists show it. It becomes a part of a path, so nothing else passes.</summary>
internal static class IdArgument
{
    public static Argument<Guid> Create(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            if (!Guid.TryParseExact(result.Tokens[0].Value, "D", out var id)) result.AddError($"\"{result.Tokens[0].Value}\" is not an ID. One looks like 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68; lists show them, with --json where a table does not.");
            return id;
        },
    };
}
