using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

internal static class WhoAmICommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "whoami",
            "Shows who is signed in, where, and what the token may do.",
            "countersign whoami",
            "countersign whoami --json");
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync("me", ApiJson.Default.Me, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        var me = reply.Value;
        output.Line($"{me.Person?.Login} ({me.Person?.Name}), {me.Person?.Kind}");
        output.Line($"Organization: {me.Organization?.Name}");
        output.Line($"Server: {client.Address}");
        if (me.SignIn is { } strength) output.Line($"Signed in with: {(strength == "twoFactor" ? "two factors" : "one factor")}");
        output.Line($"The token may: {string.Join(", ", me.Scopes ?? [])}");
        return ExitCode.Ok;
    }
}
