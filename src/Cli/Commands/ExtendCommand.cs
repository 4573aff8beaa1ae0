using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Asks for more time for access that is approved.</summary>
internal static class ExtendCommand
{
    public static Command Create(CommonOptions common)
    {
        var number = DecideCommands.Number();
        var to = new Option<string?>("--until") { Description = $"Until when. {InstantText.Help}", HelpName = "TIME" };
        var more = new Option<string?>("--for") { Description = "Or how much longer, such as 30m or 2h.", HelpName = "DURATION" };
        var reason = new Option<string?>("--reason") { Description = "Why; the approvers read it.", HelpName = "TEXT" };
        var command = new DocumentedCommand(
            "extend",
            "Asks for more time for access that was approved ahead and is not over. Approved, the sessions that run go on.",
            "countersign extend 42 --for 1h --reason \"the restore takes longer\"",
            "countersign extend 42 --until 18:00")
        {
            number,
            to,
            more,
            reason,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            var (until, duration) = (parsed.GetValue(to), parsed.GetValue(more));
            if (until is null == duration is null) return output.Fail(new(ExitCode.Usage, "Say until when with --until, or how much longer with --for."));
            if (!InstantText.TryRead(until, common.Around.Time, out var instant)) return output.Fail(InstantText.NotOne("--until", until));
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var path = string.Create(CultureInfo.InvariantCulture, $"requests/{parsed.GetValue(number)}/extension");
            var asked = new AskForMoreTime(instant, duration, parsed.GetValue(reason) ?? "");
            if (!(await client.PostAsync(path, asked, ApiJson.Default.AskForMoreTime, ApiJson.Default.RequestPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson) output.Json(reply.Json);
            else foreach (var request in reply.Value.Items ?? []) output.Line(AheadText.Asked(output, request));
            return ExitCode.Ok;
        });
        return command;
    }
}
