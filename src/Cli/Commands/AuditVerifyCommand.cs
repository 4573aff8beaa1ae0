using System.CommandLine;
using Countersign.Audit;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Proves an export. Asks no server: the server is what it doubts.</summary>
internal static class AuditVerifyCommand
{
    public static Command Create(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "What \"countersign audit export\" wrote." };
        var checkpoint = new Option<string>("--checkpoint")
        {
            Description = "Checkpoints that were kept where the server can't reach them, a line each: from \"countersign audit checkpoint\", or a copy of the server's checkpoints.jsonl.",
            HelpName = "FILE",
            Required = true,
        };
        var command = new DocumentedCommand(
            "verify",
            "Proves, without a server, that an export is complete and unedited, or names the first record that is not: then it ends with 1.",
            "countersign audit verify log.jsonl --checkpoint kept.jsonl")
        {
            file,
            checkpoint,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetRequiredValue(file), parsed.GetRequiredValue(checkpoint), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string file, string checkpoint, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        AuditVerdict verdict;
        try
        {
            await using var export = File.OpenRead(file);
            await using var kept = File.OpenRead(checkpoint);
            verdict = await AuditVerifier.VerifyAsync(export, kept, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return output.Fail(new(ExitCode.Usage, exception.Message));
        }

        if (output.IsJson)
        {
            var fault = verdict.Fault.ToString();
            output.Json(
                new(verdict.IsIntact, char.ToLowerInvariant(fault[0]) + fault[1..], verdict.Record, verdict.Proved, verdict.Erased, verdict.ErasedFields, verdict.Message), ApiJson.Default.Verified);
        }
        else if (verdict.IsIntact)
        {
            output.Line(verdict.Message);
        }

        if (verdict.IsIntact) return ExitCode.Ok;
        return output.IsJson ? ExitCode.Refused : output.Fail(new(ExitCode.Refused, verdict.Message, "Compare with an earlier export, and look who could change the server's data."));
    }
}
