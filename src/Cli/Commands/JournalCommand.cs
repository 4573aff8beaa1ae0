using System.CommandLine;
using System.Text.Json;
using Countersign.Audit;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>What happened in one session: to read, to take away, and to prove without the server.</summary>
internal static class JournalCommand
{
    private const string SessionHelp = "Its ID, as \"countersign sessions\" shows it.";

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "journal",
        "What happened in a session, for those who may look back at its device, and for auditors; and the proof that nothing was changed since.",
        "countersign journal show 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68",
        "countersign journal export 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 session.jsonl",
        "countersign journal verify session.jsonl --log log.jsonl --checkpoint kept.jsonl")
    {
        CreateShow(common),
        CreateExport(common),
        CreateVerify(common),
    };

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var session = IdArgument.Create("SESSION", SessionHelp);
        var paging = new Paging();
        var command = new DocumentedCommand(
            "show", "Shows the events of a session, oldest first.", "countersign journal show 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --limit 20")
        {
            session,
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            (client, stop) => client.GetAsync($"sessions/{parsed.GetValue(session)}/journal?{paging.Query(parsed)}", ApiJson.Default.JournalPage, stop),
            Show,
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateExport(CommonOptions common)
    {
        var session = IdArgument.Create("SESSION", SessionHelp);
        var file = new Argument<string>("FILE") { Description = "Where to; it must not be there yet." };
        var command = new DocumentedCommand(
            "export", "Writes the journal into a file, a line of JSON for each event.", "countersign journal export 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 session.jsonl")
        {
            session,
            file,
        };
        command.SetAction((parsed, cancellation) => ExportAsync(common, parsed, parsed.GetValue(session), parsed.GetRequiredValue(file), cancellation));
        return command;
    }

    private static DocumentedCommand CreateVerify(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "What \"countersign journal export\" wrote." };
        var log = File("--log", "An export of the audit log that has the session's end, whole or filtered.");
        var checkpoint = File("--checkpoint", "Checkpoints that were kept where the server can't reach them.");
        var command = new DocumentedCommand(
            "verify",
            "Proves, without a server, that a journal is what the audit log holds it to; else it ends with 1.",
            "countersign journal verify session.jsonl --log log.jsonl --checkpoint kept.jsonl")
        {
            file,
            log,
            checkpoint,
        };
        command.SetAction((parsed, cancellation) =>
            VerifyAsync(common, parsed, parsed.GetRequiredValue(file), parsed.GetRequiredValue(log), parsed.GetRequiredValue(checkpoint), cancellation));
        return command;
    }

    private static Option<string> File(string name, string description) => new(name) { Description = description, HelpName = "FILE", Required = true };

    private static void Show(JournalPage page, Output output)
    {
        foreach (var item in page.Items ?? []) output.Line(Line(output, item));
        Paging.NoteMore(output, page.Next);
        if (page.Damage is { } damage) output.Note($"There is no more: {damage}.");
    }

    private static string Line(Output output, JournalItem item)
    {
        if (item.Event is not { ValueKind: JsonValueKind.Object } told) return $"{item.Number}";
        var kind = Text(told, "event");
        var at = told.TryGetProperty("at", out var instant) && instant.ValueKind == JsonValueKind.String && instant.TryGetDateTimeOffset(out var time) ? time : (DateTimeOffset?)null;
        var rest = told.EnumerateObject()
            .Where(member => member.Name is not ("event" or "at" or "salt") && member.Value.ValueKind != JsonValueKind.Null)
            .Select(member => $"{member.Name}={(member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : member.Value.GetRawText())}");
        return string.Join("  ", [$"{item.Number}", output.Time(at), Output.Words(kind), .. rest]);
    }

    private static string? Text(JsonElement told, string name) => told.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static async Task<int> ExportAsync(CommonOptions common, ParseResult parsed, Guid session, string file, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!NewFile.IsFree(file, out var failure)) return output.Fail(failure);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        var answer = await NewFile.WriteAsync(file, stream => client.DownloadAsync($"sessions/{session}/journal/export", stream, cancellation));
        if (!answer.TryGet(out var downloaded, out failure)) return output.Fail(failure);

        // The first line says whose journal it is.
        var events = downloaded.Lines - 1;
        if (output.IsJson) output.Json(new(file, events), ApiJson.Default.Exported);
        else output.Line($"{events} events are in {file}.");
        return ExitCode.Ok;
    }

    private static async Task<int> VerifyAsync(CommonOptions common, ParseResult parsed, string file, string log, string checkpoint, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        JournalVerdict verdict;
        try
        {
            await using var journal = System.IO.File.OpenRead(file);
            await using var export = System.IO.File.OpenRead(log);
            await using var kept = System.IO.File.OpenRead(checkpoint);
            verdict = await JournalVerifier.VerifyAsync(journal, export, kept, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return output.Fail(new(ExitCode.Usage, exception.Message));
        }

        if (output.IsJson)
        {
            var fault = verdict.Fault.ToString();
            output.Json(new(verdict.IsIntact, char.ToLowerInvariant(fault[0]) + fault[1..], verdict.Proved, verdict.Message), ApiJson.Default.JournalVerified);
            return verdict.IsIntact ? ExitCode.Ok : ExitCode.Refused;
        }

        if (!verdict.IsIntact) return output.Fail(new(ExitCode.Refused, verdict.Message, "Compare with an earlier export, and look who could change the server's data."));
        output.Line(verdict.Message);
        return ExitCode.Ok;
    }
}
