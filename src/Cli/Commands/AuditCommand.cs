using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The audit log: to follow, to take away, and to prove without the server.</summary>
internal static class AuditCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "audit",
        "The audit log, for the owner and auditors: who did what, and the proof that nothing was changed since.",
        "countersign audit tail --follow",
        "countersign audit checkpoint | tee -a kept.jsonl",
        "countersign audit export log.jsonl",
        "countersign audit verify log.jsonl --checkpoint kept.jsonl")
    {
        AuditTailCommand.Create(common),
        AuditExportCommand.Create(common),
        AuditVerifyCommand.Create(common),
        AuditEraseCommand.Create(common),
        CreateCheckpoint(common),
    };

    private static DocumentedCommand CreateCheckpoint(CommonOptions common)
    {
        var command = new DocumentedCommand(
            "checkpoint",
            "Prints what the log is now, signed by the server: one line of JSON, to be kept where the server can't reach it.",
            "countersign audit checkpoint | tee -a kept.jsonl");
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await client.GetAsync("audit/checkpoint", ApiJson.Default.JsonElement, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            output.Json(reply.Json);
            return ExitCode.Ok;
        });
        return command;
    }
}
