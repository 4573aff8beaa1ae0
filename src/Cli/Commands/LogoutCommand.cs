using System.CommandLine;
using Countersign.Cli.Gate;

namespace Countersign.Cli.Commands;

/// <summary>
/// Revokes the token at the server and forgets it here. It is forgotten here even when the server can't be told. A token that was given, and is not the saved
/// one, is revoked alone: what is not revoked is not forgotten either.
/// </summary>
internal static class LogoutCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "logout",
            "Revokes the token and forgets it.",
            "countersign logout",
            "countersign logout --server https://gate.example.org");
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var revoked = await client.PostAsync("sign-out", cancellation);

        var store = common.Store();
        var isSaved = (await store.ReadAsync(cancellation)).TryGet(out var saved, out _) && saved.Find(client.Address)?.Token is { } token && client.Sends(token);
        if (isSaved)
        {
            new DoorIdentity(store, common.Around.Time).Forget(client.Address);
            if (await store.WriteAsync(saved!.Without(client.Address), cancellation) is { } unwritten) return output.Fail(unwritten);
        }

        if (!revoked.TryGet(out _, out failure))
        {
            // The server does not know the token any more: that is what was wanted.
            if (failure.ExitCode != ExitCode.NotSignedIn)
                return output.Fail(failure with { Advice = $"{(isSaved ? "The token is forgotten here, but stays" : "The token stays")} valid at the server until it expires or is revoked there." });
        }

        if (!output.IsJson) output.Line(isSaved ? $"Signed out of {client.Address}." : $"The token of {client.TokenFrom} is revoked at {client.Address}. A saved login stays as it is.");
        return ExitCode.Ok;
    }
}
