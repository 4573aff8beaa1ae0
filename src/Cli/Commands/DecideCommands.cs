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
        var from = new Option<string?>("--from") { Description = $"Of access asked for ahead: not before. {InstantText.Help}", HelpName = "TIME" };
        var until = new Option<string?>("--until") { Description = "Of access asked for ahead: only until then.", HelpName = "TIME" };
        var duration = new Option<string?>("--for") { Description = "Of access asked for ahead with a duration: only so long, such as 30m.", HelpName = "DURATION" };
        var devices = new Option<string?>("--devices") { Description = "Of access asked for ahead: only these, with commas between.", HelpName = "NAMES" };
        var role = new Option<string?>("--role") { Description = "Of access asked for ahead: only this role, which gives less.", HelpName = "ROLE" };
        var number = Number();
        var command = new DocumentedCommand(
            "approve",
            "Approves a request: every step of it that is yours to take. Access asked for ahead can be approved in part.",
            "countersign approve 42", "countersign approve 42 --comment \"until noon\"", "countersign approve 42 --until 18:00 --devices web1,web2 --role \"Shell\"")
        {
            number,
            comment,
            from,
            until,
            duration,
            devices,
            role,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!InstantText.TryRead(parsed.GetValue(from), common.Around.Time, out var begins)) return output.Fail(InstantText.NotOne("--from", parsed.GetValue(from)));
            if (!InstantText.TryRead(parsed.GetValue(until), common.Around.Time, out var ends)) return output.Fail(InstantText.NotOne("--until", parsed.GetValue(until)));
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var only = parsed.GetValue(role);
            if (only is not null && !(await NamedThings.RoleAsync(client, only, cancellation)).TryGet(out only, out failure)) return output.Fail(failure);
            List<string>? some = null;
            if (parsed.GetValue(devices) is { } names && !(await OfRequestAsync(client, parsed.GetValue(number), names, cancellation)).TryGet(out some, out failure)) return output.Fail(failure);
            var less = new RequestLess(begins, ends, parsed.GetValue(duration), only, some);
            var body = new DecisionRequest { Comment = parsed.GetValue(comment), Only = less == new RequestLess(null, null, null, null, null) ? null : less };
            return await SendAsync(output, client, parsed.GetValue(number), "approve", body, "approved", cancellation);
        });
        return command;
    }

    /// <summary>The approver need not see the devices otherwise: their names are in the request.</summary>
    private static async Task<Answer<List<string>>> OfRequestAsync(ApiClient client, long number, string names, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"requests/{number}");
        if (!(await client.GetAsync(path, ApiJson.Default.Request, cancellation)).TryGet(out var reply, out var failure)) return failure;
        var ids = new List<string>();
        foreach (var name in names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if ((reply.Value.Ahead?.Devices ?? []).FirstOrDefault(device => device.Name == name || device.Id == name)?.Id is not { } id)
                return new Failure(ExitCode.NotFound, $"{name} is none of the devices of request #{number}.");
            ids.Add(id);
        }

        return ids;
    }

    public static Command CreateReject(CommonOptions common) => Create(
        common, "reject", "Rejects a request. One rejection ends it.", Reason(), text => new DecisionRequest { Reason = text }, "rejected",
        "countersign reject 42 --reason \"not during the backup\"");

    public static Command CreateRevoke(CommonOptions common) => Create(
        common, "revoke", "Takes an approval back. Sessions that live on it end at once.", Reason(), text => new DecisionRequest { Reason = text }, "revoked",
        "countersign revoke 42 --reason \"the work is done\"");

    public static Command CreateCancel(CommonOptions common) => Create(
        common, "cancel", "Takes your own request back while it waits.", null, _ => null, "cancelled", "countersign cancel 42");

    public static Argument<long> Number() => new("NUMBER")
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

    private static Option<string?> Reason() => new("--reason") { Description = "What the requester is told.", HelpName = "TEXT" };

    private static DocumentedCommand Create(
        CommonOptions common, string verb, string description, Option<string?>? said, Func<string?, DecisionRequest?> body, string done, params string[] examples)
    {
        var number = Number();
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
        return await SendAsync(output, client, number, verb, body, done, cancellation);
    }

    private static async Task<int> SendAsync(
        Shown.Output output, ApiClient client, long number, string verb, DecisionRequest? body, string done, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"requests/{number}/{verb}");
        var answer = await client.PostAsync(path, body ?? new(), ApiJson.Default.DecisionRequest, ApiJson.Default.Request, cancellation);
        if (!answer.TryGet(out var reply, out var failure)) return output.Fail(failure);
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
