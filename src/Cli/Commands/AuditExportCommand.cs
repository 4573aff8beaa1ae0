using System.CommandLine;
using System.Globalization;
using Countersign.Audit;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;

namespace Countersign.Cli.Commands;

/// <summary>Takes the log away, or what a filter finds of it, with the proofs.</summary>
internal sealed class AuditExportCommand
{
    private readonly Argument<string> _file = new("FILE") { Description = "Where to; it must not be there yet." };
    private readonly AuditFilterOptions _filter = new();
    private readonly Option<bool> _csv = new("--csv") { Description = "For a spreadsheet, and without proofs." };
    private readonly Option<string?> _checkpoint = new("--checkpoint")
    {
        Description = "Checkpoints that were kept: a filtered export then proves that the log has grown out of the newest of them.",
        HelpName = "FILE",
    };

    private readonly CommonOptions _common;

    private AuditExportCommand(CommonOptions common) => _common = common;

    public static Command Create(CommonOptions common)
    {
        var export = new AuditExportCommand(common);
        var command = new DocumentedCommand(
            "export",
            "Writes the log with its proofs into a file, a line of JSON for each record. The export itself is its last record. With a filter: what it finds, each record with its own proof.",
            "countersign audit export log.jsonl",
            "countersign audit export sessions.jsonl --kind session --from 2026-11-01T00:00Z --checkpoint kept.jsonl",
            "countersign audit export log.csv --csv")
        {
            export._file,
            export._csv,
            export._checkpoint,
        };
        foreach (var option in export._filter.All) command.Add(option);
        command.SetAction(export.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var output = _common.OutputFor(parsed);
        var file = parsed.GetRequiredValue(_file);
        if (!NewFile.IsFree(file, out var failure)) return output.Fail(failure);
        if (!(await _common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        var filter = _filter.Query(parsed);
        var csv = parsed.GetValue(_csv);
        var since = "";
        if (parsed.GetValue(_checkpoint) is { } kept && filter.Length > 0 && !csv)
        {
            if (!(await NewestAsync(client, kept, cancellation)).TryGet(out var checkpoint, out failure)) return output.Fail(failure);
            since = string.Create(CultureInfo.InvariantCulture, $"&since={checkpoint.Size}");
        }

        var path = $"audit/export?format={(csv ? "csv" : "jsonl")}{filter}{since}";
        if (!(await NewFile.WriteAsync(file, stream => client.DownloadAsync(path, stream, cancellation))).TryGet(out var downloaded, out failure)) return output.Fail(failure);

        // Before the records: the heading, or the checkpoint, and of a filtered export what it is.
        var records = downloaded.Lines - (csv || filter.Length == 0 ? 1 : 2);
        if (csv) output.Line($"{file} is written.");
        else if (output.IsJson) output.Json(new(file, records), ApiJson.Default.Exported);
        else output.Line($"{records} records are in {file}.");
        return ExitCode.Ok;
    }

    /// <summary>The newest kept checkpoint of the caller's own organization.</summary>
    private static async Task<Answer<Checkpoint>> NewestAsync(ApiClient client, string file, CancellationToken cancellation)
    {
        if (!(await client.GetAsync("audit/checkpoint", ApiJson.Default.CheckpointOf, cancellation)).TryGet(out var now, out var failure)) return failure;
        try
        {
            Checkpoint? newest = null;
            foreach (var line in await File.ReadAllLinesAsync(file, cancellation))
            {
                if (line.Length == 0) continue;
                if (!ExportLines.TryReadCheckpoint(System.Text.Encoding.UTF8.GetBytes(line), out var checkpoint))
                    return new Failure(ExitCode.Usage, $"{file} holds something that is not a checkpoint.");
                if (checkpoint.Organization.ToString() == now.Value.Organization && checkpoint.Size >= (newest?.Size ?? 0)) newest = checkpoint;
            }

            return newest is null ? new Failure(ExitCode.Usage, $"{file} has no checkpoint of this organization.") : newest;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Failure(ExitCode.Usage, exception.Message);
        }
    }
}
