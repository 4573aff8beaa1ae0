using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Ends a session that runs: one's own, or another's with the permission for it.</summary>
internal static class EndCommand
{
    public static Command Create(CommonOptions common)
    {
        var session = IdArgument.Create("SESSION", "Its ID, as \"countersign sessions\" shows it.");
        var reason = new Option<string?>("--reason") { Description = "What the technician is told.", HelpName = "TEXT" };
        var command = new DocumentedCommand(
            "end",
            "Ends a running session.",
            "countersign end 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68",
            "countersign end 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --reason \"maintenance starts\"")
        {
            session,
            reason,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetValue(session), parsed.GetValue(reason), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, Guid session, string? reason, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var answer = await client.PostAsync($"sessions/{session}/end", new EndSessionRequest(reason), ApiJson.Default.EndSessionRequest, cancellation);
        if (!answer.TryGet(out var json, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(json);
        else output.Line($"Session {session} is ended.");
        return ExitCode.Ok;
    }
}
