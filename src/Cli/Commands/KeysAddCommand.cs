using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Registers a public key of the caller's.</summary>
internal static class KeysAddCommand
{
    public static Command Create(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "The public key's file (the one that ends with .pub), or - for the standard input." };
        var label = new Option<string?>("--label") { Description = "What to call it; otherwise the comment in the file, otherwise its name.", HelpName = "TEXT" };
        var command = new DocumentedCommand(
            "add",
            "Registers a public key of yours.",
            "countersign keys add ~/.ssh/id_ed25519.pub",
            "countersign keys add --label laptop ~/.ssh/id_ed25519.pub",
            "ssh-add -L | head -n 1 | countersign keys add -")
        {
            file,
            label,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetRequiredValue(file), parsed.GetValue(label), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string file, string? label, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await PublicKeyFile.ReadAsync(common.Around, file, label, cancellation)).TryGet(out var added, out var failure)) return output.Fail(failure);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        var answer = await client.PostAsync("me/keys", added, ApiJson.Default.NewKey, ApiJson.Default.Key, cancellation);
        if (!answer.TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(reply.Json);
        else output.Line($"Added {added.Label}, {reply.Value.Fingerprint}.");
        return ExitCode.Ok;
    }
}
