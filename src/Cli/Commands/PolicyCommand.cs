using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>How policy came to be what it is, and the way back.</summary>
internal static class PolicyCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "policy",
        "The changes of policy: who changed what, and how to undo it.",
        "countersign policy changes",
        "countersign policy undo 42")
    {
        CreateChanges(common),
        CreateUndo(common),
    };

    private static DocumentedCommand CreateChanges(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand(
            "changes",
            "Lists the changes of policy, the newest first. For master administrators and auditors.",
            "countersign policy changes --limit 20",
            "countersign policy changes --json | jq -r '.items[0].id'")
        {
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            if (!(await client.GetAsync($"changes?{paging.Query(parsed)}", ApiJson.Default.PolicyChangePage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson)
            {
                output.Json(reply.Json);
                return ExitCode.Ok;
            }

            output.Table(["CHANGE", "AT", "WHO", "WHAT"], (reply.Value.Items ?? []).Select(change => new[]
            {
                change.Id?.ToString(CultureInfo.InvariantCulture) ?? "",
                output.Time(change.At),
                change.Login ?? "",
                change.Summary ?? "",
            }));
            Paging.NoteMore(output, reply.Value.Next);
            return ExitCode.Ok;
        });
        return command;
    }

    private static DocumentedCommand CreateUndo(CommonOptions common)
    {
        var number = new Argument<long>("CHANGE")
        {
            Description = "Its number, as \"countersign policy changes\" shows it.",
            CustomParser = result =>
            {
                if (long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0) return value;
                result.AddError($"\"{result.Tokens[0].Value}\" is not the number of a change.");
                return default;
            },
        };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "undo",
            "Puts everything back as it was before a change, unless it was changed since. Undoing is a change, too, and can be undone.",
            "countersign policy undo 42 --preview",
            "countersign policy undo 42")
        {
            number,
            edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            (_, _) => Task.FromResult<Answer<PolicyRequest>>(PolicyRequest.Post(string.Create(CultureInfo.InvariantCulture, $"changes/{parsed.GetValue(number)}/undo"), "") with { Answered = Show }),
            cancellation));
        return command;
    }

    private static void Show(Output output, string json)
    {
        var undone = PolicyEdit.Read(json, ApiJson.Default.UndoneChange);
        output.Line(undone?.Summary ?? "");
        foreach (var row in undone?.Left ?? []) output.Note($"Left as it is, since it was changed meanwhile: {Output.Words(row.Table)} {row.Id} {row.Part}".TrimEnd());
    }
}
