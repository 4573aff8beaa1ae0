using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

internal static class KeysListCommand
{
    public static Command Create(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists your public keys.", "countersign keys list", "countersign keys list --json") { paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, paging, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, Paging paging, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync($"me/keys?{paging.Query(parsed)}", ApiJson.Default.KeyPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } keys)
        {
            output.Note("You have no key here. Add one: countersign keys add ~/.ssh/id_ed25519.pub");
            return ExitCode.Ok;
        }

        output.Table(["ID", "LABEL", "TYPE", "FINGERPRINT", "ADDED"], keys.Select(key => new[]
        {
            key.Id ?? "",
            key.Label ?? "",
            key.Type ?? "",
            key.Fingerprint ?? "",
            output.Time(key.Added),
        }));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }
}
