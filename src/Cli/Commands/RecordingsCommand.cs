using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The recordings that one may play, and their removal.</summary>
internal static class RecordingsCommand
{
    public static Command Create(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand(
            "recordings",
            "Lists the recordings that you may play, newest first.",
            "countersign recordings",
            "countersign recordings --json | jq -r '.items[].session'",
            "countersign recordings delete 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            paging.Limit,
            paging.Cursor,
            CreateDelete(common),
        };
        command.SetAction((parsed, cancellation) => ListAsync(common, parsed, paging, cancellation));
        return command;
    }

    private static DocumentedCommand CreateDelete(CommonOptions common)
    {
        var session = IdArgument.Create("ID", "The session's ID.");
        var command = new DocumentedCommand(
            "delete",
            "Deletes a recording, for good; the log keeps what it says of it. Never of a session that you took part in.",
            "countersign recordings delete 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            session,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var id = parsed.GetValue(session);
            if (!(await client.DeleteAsync($"recordings/{id}", cancellation)).TryGet(out var json, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(json);
            else output.Line($"The recording of session {id} is deleted.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<int> ListAsync(CommonOptions common, ParseResult parsed, Paging paging, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await client.GetAsync($"recordings?{paging.Query(parsed)}", ApiJson.Default.RecordingPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } recordings)
        {
            output.Note("There is no recording that you may play.");
            return ExitCode.Ok;
        }

        output.Table(["ID", "WHO", "DEVICE", "ACCOUNT", "WHAT", "STARTED", "LENGTH", "SIZE", "STATE"], recordings.Select(one => (string[])
        [
            one.Session ?? "",
            one.Login ?? "",
            one.DeviceName ?? "",
            one.Account ?? "",
            string.IsNullOrEmpty(one.Command) ? Output.Words(one.Kind) : $"{Output.Words(one.Kind)}: {one.Command}",
            output.Time(one.Started),
            Length(one.Length),
            one.Size is { } size ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, size / 1024)} KiB") : "",
            one.Missing == true ? "missing" : Output.Words(one.State),
        ]));
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }

    private static string Length(double? seconds) => seconds is >= 0 and < 1e9
        ? TimeSpan.FromSeconds(seconds.Value) is var length && length.TotalHours < 1
            ? length.ToString(@"m\:ss", CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{(int)length.TotalHours}:{length.Minutes:00}:{length.Seconds:00}")
        : "";
}
