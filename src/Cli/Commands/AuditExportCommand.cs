using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;

namespace Countersign.Cli.Commands;

/// <summary>Takes the whole log away, with its proofs. The file is there once it is complete, and readable by its owner only.</summary>
internal static class AuditExportCommand
{
    public static Command Create(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "Where to; it must not be there yet." };
        var command = new DocumentedCommand(
            "export",
            "Writes the whole log with its proofs into a file, a line of JSON for each record. The export itself is its last record.",
            "countersign audit export log.jsonl")
        {
            file,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetRequiredValue(file), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string file, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!NewFile.IsFree(file, out var failure)) return output.Fail(failure);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        if (!(await NewFile.WriteAsync(file, stream => client.DownloadAsync("audit/export", stream, cancellation))).TryGet(out var downloaded, out failure)) return output.Fail(failure);

        // The first line is the checkpoint.
        var records = downloaded.Lines - 1;
        if (output.IsJson) output.Json(new(file, records), ApiJson.Default.Exported);
        else output.Line($"{records} records are in {file}.");
        return ExitCode.Ok;
    }
}
