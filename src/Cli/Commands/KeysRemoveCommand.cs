using System.CommandLine;

namespace Countersign.Cli.Commands;

internal static class KeysRemoveCommand
{
    public static Command Create(CommonOptions common)
    {
        var id = IdArgument.Create("ID", "The key's ID, as \"countersign keys list\" shows it.");
        var command = new DocumentedCommand(
            "remove",
            "Removes a public key of yours. Whoever holds its private half does not sign in with it any more.",
            "countersign keys remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            id,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetValue(id), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, Guid id, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.DeleteAsync($"me/keys/{id}", cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(json);
        else output.Line($"Removed {id}.");
        return ExitCode.Ok;
    }
}
