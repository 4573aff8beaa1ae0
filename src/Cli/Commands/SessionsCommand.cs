using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>Sessions that run, or that are over: one's own, and others' where one may watch them or look back.</summary>
internal static class SessionsCommand
{
    public static Command Create(CommonOptions common)
    {
        var ended = new Option<bool>("--ended") { Description = "Those that are over, with the reason." };
        var paging = new Paging();
        var command = new DocumentedCommand(
            "sessions",
            "Lists the sessions that run now, newest first: your own, and others' where you may see them.",
            "countersign sessions",
            "countersign sessions --ended --limit 20",
            "countersign sessions --json | jq -r '.items[].id'")
        {
            ended,
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetValue(ended), paging, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, bool ended, Paging paging, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var path = $"sessions?state={(ended ? "ended" : "live")}&{paging.Query(parsed)}";
        if (!(await client.GetAsync(path, ApiJson.Default.SessionPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } sessions)
        {
            output.Note(ended ? "No session that you may see has ended." : "No session that you may see is running.");
            return ExitCode.Ok;
        }

        string[] columns = ["ID", "WHO", "DEVICE", "ACCOUNT", "WHAT", "STARTED"];
        output.Table(ended ? [.. columns, "ENDED", "REASON"] : [.. columns, "ENDS", "FROM"], sessions.Select(session => (string[])
        [
            session.Id ?? "",
            session.Login ?? "",
            session.DeviceName ?? "",
            session.Account ?? "",
            string.IsNullOrEmpty(session.Command) ? Output.Words(session.Kind) : $"{Output.Words(session.Kind)}: {session.Command}",
            output.Time(session.Started),
            .. ended ? [output.Time(session.Ended), Reason(session)] : new[] { Ends(output, session), session.Source ?? "" },
        ]));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }

    private static string Ends(Output output, Session session) =>
        session.EndsAt is null ? "" : $"{output.Time(session.EndsAt)} ({(session.EndsBecause == "windowOver" ? "window" : Output.Words(session.EndsBecause))})";

    private static string Reason(Session session) =>
        string.IsNullOrEmpty(session.Detail) ? Output.Words(session.Reason) : $"{Output.Words(session.Reason)}: {session.Detail}";
}
