using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The recordings that one may play, and their removal.</summary>
internal static class RecordingsCommand
{
    private static readonly Listing<Recording> _list = new(
        ApiJson.Default.RecordingPage,
        "There is no recording that you may play.",
        ["ID", "WHO", "DEVICE", "ACCOUNT", "WHAT", "STARTED", "LENGTH", "SIZE", "STATE"],
        (one, output) =>
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
        ]);

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
        command.SetAction((parsed, cancellation) => _list.RunAsync(common, parsed, $"recordings?{paging.Query(parsed)}", cancellation));
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
        command.SetAction((parsed, cancellation) => Acting.RunAsync(
            common,
            parsed,
            (client, stop) => client.DeleteAsync($"recordings/{parsed.GetValue(session)}", stop),
            $"The recording of session {parsed.GetValue(session)} is deleted.",
            cancellation));
        return command;
    }

    private static string Length(double? seconds) => seconds is >= 0 and < 1e9
        ? TimeSpan.FromSeconds(seconds.Value) is var length && length.TotalHours < 1
            ? length.ToString(@"m\:ss", CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{(int)length.TotalHours}:{length.Minutes:00}:{length.Seconds:00}")
        : "";
}
