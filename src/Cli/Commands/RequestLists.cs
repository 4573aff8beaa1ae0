using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>Requests for approval: one's own, and those that wait for one.</summary>
internal static class RequestLists
{
    public static Command CreateRequests(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand(
            "requests",
            "Lists your own requests for approval, newest first: what has become of them, and who can approve those that wait.",
            "countersign requests",
            "countersign requests --json | jq '.items[] | select(.state == \"waiting\") | .number'")
        {
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, paging, "", "You have asked for no approval.", ShowOwn, cancellation));
        return command;
    }

    public static Command CreateApprovals(CommonOptions common)
    {
        var paging = new Paging();
        var follow = new Option<bool>("--follow", "-f") { Description = "Shows each on a line, and goes on with those that come, until it is stopped." };
        var command = new DocumentedCommand(
            "approvals",
            "Lists the requests that wait for your approval: who wants what, and why. A master administrator also sees those that nobody can approve.",
            "countersign approvals",
            "countersign approvals --follow",
            "countersign approvals --json | jq -r '.items[].number'")
        {
            follow,
            paging.Limit,
            paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => parsed.GetValue(follow)
            ? new ApprovalsFollowing(common, common.OutputFor(parsed)).RunAsync(parsed, cancellation)
            : RunAsync(common, parsed, paging, "for=me&", "No request waits for your approval.", ShowWaiting, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        CommonOptions common, ParseResult parsed, Paging paging, string filter, string none, Action<Output, IReadOnlyList<Request>> show, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var path = $"requests?{filter}{paging.Query(parsed)}";
        if (!(await client.GetAsync(path, ApiJson.Default.RequestPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        if (reply.Value.Items is not { Count: > 0 } requests)
        {
            output.Note(none);
            return ExitCode.Ok;
        }

        show(output, requests);
        Paging.NoteMore(output, reply.Value.Next);
        return ExitCode.Ok;
    }

    private static void ShowOwn(Output output, IReadOnlyList<Request> requests) => output.Table(
        ["NUMBER", "STATE", "DEVICE", "ACCOUNT", "WHAT", "WHEN", "ASKED", "BY", "APPROVERS"],
        requests.Select(request => new[]
        {
            Number(request),
            Output.Words(request.State),
            AheadText.Devices(request),
            request.Account ?? "",
            AheadText.What(request),
            AheadText.When(output, request),
            output.Time(request.Created),
            string.IsNullOrEmpty(request.Comment) ? request.ChangedBy?.Name ?? "" : $"{request.ChangedBy?.Name}: {request.Comment}",
            request.State == "waiting" ? Approvers(request) : "",
        }));

    private static void ShowWaiting(Output output, IReadOnlyList<Request> requests) => output.Table(
        ["NUMBER", "WHO", "DEVICE", "ACCOUNT", "WHAT", "WHEN", "FROM", "ASKED", "EXPIRES", "WAITS FOR", "REASON"],
        requests.Select(request => new[]
        {
            Number(request),
            request.Login ?? "",
            AheadText.Devices(request),
            request.Account ?? "",
            AheadText.What(request),
            AheadText.When(output, request),
            request.Source ?? "",
            output.Time(request.Created),
            output.Time(request.Expires),
            WaitsFor(request),
            request.Reason ?? "",
        }));

    /// <summary>What the reader has to do about it.</summary>
    public static string WaitsFor(Request request) => (request.MayApprove == true, request.MayMend == true) switch
    {
        (true, true) => "your approval, and you to appoint an approver",
        (_, true) => "you to appoint an approver",
        _ => "your approval",
    };

    private static string Number(Request request) => request.Number?.ToString(CultureInfo.InvariantCulture) ?? "";

    /// <summary>Of the steps that are open; a step that nobody can take says so.</summary>
    public static string Approvers(Request request) => string.Join("; ", (request.Steps ?? [])
        .Where(step => step.Open == true)
        .Select(step => step.Approvers is { Count: > 0 } approvers ? string.Join(" or ", approvers.Select(approver => approver.Name)) : "nobody now"));
}
