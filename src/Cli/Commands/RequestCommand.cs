using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Asks for access ahead of time.</summary>
internal sealed class RequestCommand
{
    private readonly CommonOptions _common;
    private readonly Argument<string[]> _devices = new("DEVICE") { Description = "Names of devices that are on request.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _group = new("--group") { Description = "In place of devices: a device group, with what it has at approval.", HelpName = "GROUP" };
    private readonly Option<string?> _role = new("--role") { Description = "One of the roles that may be asked for; not needed where there is one.", HelpName = "ROLE" };
    private readonly Option<string?> _account = new("--account") { Description = "The account at the devices, otherwise their default.", HelpName = "ACCOUNT" };
    private readonly Option<string?> _from = new("--from") { Description = $"When it begins, otherwise at once. {InstantText.Help}", HelpName = "TIME" };
    private readonly Option<string?> _to = new("--to") { Description = "When it ends.", HelpName = "TIME" };
    private readonly Option<string?> _for = new("--for") { Description = "In place of an end: how long, from the approval on, such as 90m, 8h or 2d.", HelpName = "DURATION" };
    private readonly Option<bool> _fromFirstUse = new("--from-first-use") { Description = "With --for: it counts from your first connection." };
    private readonly Option<string?> _latestStart = new("--latest-start") { Description = "With --from-first-use: it lapses if you have not connected by then.", HelpName = "TIME" };
    private readonly Option<string?> _reason = new("--reason") { Description = "Why; the approvers read it.", HelpName = "TEXT" };

    private RequestCommand(CommonOptions common) => _common = common;

    public static Command Create(CommonOptions common)
    {
        var one = new RequestCommand(common);
        var command = new DocumentedCommand(
            "request",
            "Asks for access ahead of time. Once approved you connect within that time as often as you like, and nobody has to be there.",
            "countersign request web1 --for 2h --reason \"OPS-12 upgrade\"",
            "countersign request web1 web2 --from \"2026-12-01 20:00\" --to \"2026-12-01 23:00\" --role \"Only device connection\"",
            "countersign request --group \"Clients\" --for 4h --from-first-use --latest-start 2026-12-05T18:00Z")
        {
            one._devices,
            one._group,
            one._role,
            one._account,
            one._from,
            one._to,
            one._for,
            one._fromFirstUse,
            one._latestStart,
            one._reason,
        };
        command.SetAction(one.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var output = _common.OutputFor(parsed);
        if (!Time(parsed).TryGet(out var time, out var failure)) return output.Fail(failure);
        var names = parsed.GetValue(_devices) ?? [];
        if (names.Length > 0 == parsed.GetValue(_group) is not null) return output.Fail(new(ExitCode.Usage, "Name devices, or a group with --group."));
        if (!(await _common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        if (!(await NamedThings.DevicesAsync(client, names, cancellation)).TryGet(out var devices, out failure)) return output.Fail(failure);
        var (group, role) = (parsed.GetValue(_group), parsed.GetValue(_role));
        if (group is not null && !(await NamedThings.GroupAsync(client, group, cancellation)).TryGet(out group, out failure)) return output.Fail(failure);
        if (role is not null && !(await NamedThings.RoleAsync(client, role, cancellation)).TryGet(out role, out failure)) return output.Fail(failure);
        var asked = new AskAhead(time, group is null ? devices : null, group, role, parsed.GetValue(_account), parsed.GetValue(_reason) ?? "");
        var answer = await client.PostAsync("requests", asked, ApiJson.Default.AskAhead, ApiJson.Default.RequestPage, cancellation);
        if (!answer.TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        foreach (var request in reply.Value.Items ?? []) output.Line(AheadText.Asked(output, request));
        return ExitCode.Ok;
    }

    private Answer<TimeAhead> Time(ParseResult parsed)
    {
        var (from, to, latest) = (parsed.GetValue(_from), parsed.GetValue(_to), parsed.GetValue(_latestStart));
        var time = _common.Around.Time;
        if (!InstantText.TryRead(from, time, out var begins)) return InstantText.NotOne("--from", from);
        if (!InstantText.TryRead(to, time, out var ends)) return InstantText.NotOne("--to", to);
        if (!InstantText.TryRead(latest, time, out var last)) return InstantText.NotOne("--latest-start", latest);
        var (duration, firstUse) = (parsed.GetValue(_for), parsed.GetValue(_fromFirstUse));
        if (duration is null == to is null) return new Failure(ExitCode.Usage, "Say until when with --to, or how long with --for.");
        if (duration is null)
        {
            return firstUse || latest is not null
                ? new Failure(ExitCode.Usage, "--from-first-use and --latest-start go with --for.")
                : new TimeAhead("fixed", begins, ends, null, null);
        }

        if (from is not null) return new Failure(ExitCode.Usage, "--from goes with --to.");
        return firstUse == latest is not null
            ? new TimeAhead(firstUse ? "fromFirstUse" : "fromApproval", null, null, duration, last)
            : new Failure(ExitCode.Usage, "--from-first-use and --latest-start go together.");
    }
}

/// <summary>What a request for access ahead is about, in words.</summary>
internal static class AheadText
{
    /// <summary>Empty: it is for an approval at connect time.</summary>
    public static string When(Shown.Output output, Request request) => request.Ahead?.Time switch
    {
        null => "",
        { Kind: "fixed" } time => $"{output.Time(time.From)} to {output.Time(time.To)}",
        { Kind: "fromFirstUse" } time => $"{time.Duration} from first use, before {output.Time(time.LatestStart)}",
        { } time => $"{time.Duration} from approval",
    };

    /// <summary>The role, or at connect time the permissions.</summary>
    public static string What(Request request) => request.Ahead?.Role?.Name ?? string.Join(", ", request.Permissions ?? []);

    public static string Devices(Request request) =>
        request.Ahead?.Devices is { Count: > 0 } devices ? string.Join(", ", devices.Select(device => device.Name ?? device.Id)) : request.DeviceName ?? "";

    public static string Asked(Shown.Output output, Request request)
    {
        var number = request.Number?.ToString(CultureInfo.InvariantCulture);
        var said = $"Request #{number}: {What(request)} on {Devices(request)} as {request.Account}, {When(output, request)}.";
        if (request.State != "waiting") return $"{said} It is {request.State}.";
        var approvers = RequestLists.Approvers(request);
        return approvers.Length > 0 ? $"{said} It can be approved by {approvers}." : said;
    }
}
