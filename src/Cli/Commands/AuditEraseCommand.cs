using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Erases personal fields of one person's records, for good. Without <c>--yes</c> it only counts.</summary>
internal static class AuditEraseCommand
{
    public static Command Create(CommonOptions common)
    {
        var person = IdArgument.Create("PERSON", "Whose records; the person must be disabled or removed.");
        var fields = new Option<string[]>("--field")
        {
            Description = "actor, actorLogin, source, subject, subjectId, or details.NAME. Give it once for each field.",
            HelpName = "FIELD",
            Required = true,
        };
        var reason = new Option<string>("--reason") { Description = "Stands in the log beside the erasure.", HelpName = "TEXT", Required = true };
        var sure = new Option<bool>("--yes") { Description = "Erase. It can't be undone." };
        var command = new DocumentedCommand(
            "erase",
            "Erases personal fields of a person's sealed records. The log proves all else as before, and tells that and why something was erased.",
            "countersign audit erase 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --field actorLogin --field source --reason \"asked for by the person\"",
            "countersign audit erase 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68 --field subject --reason \"retention\" --yes")
        {
            person,
            fields,
            reason,
            sure,
        };
        command.SetAction((parsed, cancellation) =>
            RunAsync(common, parsed, new(parsed.GetValue(person), parsed.GetRequiredValue(fields), parsed.GetRequiredValue(reason), !parsed.GetValue(sure)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, ErasureRequest request, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var answer = await client.PostAsync("audit/erase", request, ApiJson.Default.ErasureRequest, ApiJson.Default.Erasure, cancellation);
        if (!answer.TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(reply.Json);
        else if (request.Preview) output.Line($"{reply.Value.Records} records would lose {string.Join(", ", request.Fields)}. It can't be undone: add --yes to do it.");
        else output.Line($"{reply.Value.Records} records have lost {string.Join(", ", request.Fields)}.");
        return ExitCode.Ok;
    }
}
