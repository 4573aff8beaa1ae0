using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>What one does with a request: approve, reject, cancel one's own, revoke.</summary>
internal static class DecideCommands
{
    public static Command CreateApprove(CommonOptions common)
    {
        var comment = new Option<string?>("--comment") { Description = "What the requester is told.", HelpName = "TEXT" };
        return Create(
            common, "approve", "Approves a request: every step of it that is yours to take.", comment, text => new DecisionRequest { Comment = text }, "approved",
            "countersign approve 42", "countersign approve 42 --comment \"until noon\"");
    }

    public static Command CreateReject(CommonOptions common) => Create(
        common, "reject", "Rejects a request. One rejection ends it.", Reason(), text => new DecisionRequest { Reason = text }, "rejected",
        "countersign reject 42 --reason \"not during the backup\"");

    public static Command CreateRevoke(CommonOptions common) => Create(
        common, "revoke", "Takes an approval back. Sessions that live on it end at once.", Reason(), text => new DecisionRequest { Reason = text }, "revoked",
        "countersign revoke 42 --reason \"the work is done\"");

    public static Command CreateCancel(CommonOptions common) => Create(
        common, "cancel", "Takes your own request back while it waits.", null, _ => null, "cancelled", "countersign cancel 42");

    private static Option<string?> Reason() => new("--reason") { Description = "What the requester is told.", HelpName = "TEXT" };

    private static DocumentedCommand Create(
        CommonOptions common, string verb, string description, Option<string?>? said, Func<string?, DecisionRequest?> body, string done, params string[] examples)
    {
        var number = new Argument<long>("NUMBER")
        {
            Description = "Its number, as \"countersign approvals\" and the waiting terminal show it.",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value.TrimStart('#');
                if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0) return value;
                result.AddError($"\"{result.Tokens[0].Value}\" is not the number of a request.");
                return default;
            },
        };
        var command = new DocumentedCommand(verb, description, examples) { number };
        if (said is not null) command.Options.Add(said);
        command.SetAction((parsed, cancellation) =>
            RunAsync(common, parsed, parsed.GetValue(number), verb, body(said is null ? null : parsed.GetValue(said)), done, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        CommonOptions common, ParseResult parsed, long number, string verb, DecisionRequest? body, string done, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var path = string.Create(CultureInfo.InvariantCulture, $"requests/{number}/{verb}");
        var answer = await client.PostAsync(path, body ?? new(), ApiJson.Default.DecisionRequest, ApiJson.Default.Request, cancellation);
        if (!answer.TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        // Approving may leave steps for others.
        output.Line(reply.Value.State == "waiting" ? $"Request #{number} has your approval, and waits for others'." : $"Request #{number} is {done}.");
        return ExitCode.Ok;
    }
}
