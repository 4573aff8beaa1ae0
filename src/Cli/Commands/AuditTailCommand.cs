using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>The newest records, the newest last, a line each; and then whatever comes.</summary>
internal sealed class AuditTailCommand
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    private readonly Option<bool> _follow = new("--follow", "-f") { Description = "Goes on with what comes, until it is stopped." };
    private readonly Option<Guid?> _person = Id("--person", "By or about this person.");
    private readonly Option<Guid?> _device = Id("--device", "About this device.");
    private readonly Option<string?> _kind = new("--kind") { Description = "Of this kind, such as session.began, or all that begin with it, such as session.", HelpName = "KIND" };
    private readonly Option<string?> _outcome = new("--outcome") { Description = "done, refused or failed.", HelpName = "OUTCOME" };
    private readonly Option<DateTimeOffset?> _from = new("--from") { Description = "Not earlier, such as 2026-11-21T12:00Z.", HelpName = "TIME" };
    private readonly Option<DateTimeOffset?> _to = new("--to") { Description = "Earlier than this.", HelpName = "TIME" };
    private readonly Paging _paging = new();
    private readonly CommonOptions _common;

    private AuditTailCommand(CommonOptions common) => _common = common;

    public static Command Create(CommonOptions common)
    {
        var tail = new AuditTailCommand(common);
        tail._outcome.AcceptOnlyFromAmong("done", "refused", "failed");
        var command = new DocumentedCommand(
            "tail",
            "Shows the newest records, the newest last. With --json each is a line of JSON.",
            "countersign audit tail --limit 20",
            "countersign audit tail --follow --kind session",
            "countersign audit tail --outcome refused --from 2026-11-21T00:00Z --json | jq .subject")
        {
            tail._follow,
            tail._person,
            tail._device,
            tail._kind,
            tail._outcome,
            tail._from,
            tail._to,
            tail._paging.Limit,
        };
        command.SetAction(tail.RunAsync);
        return command;
    }

    private static Option<Guid?> Id(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "ID",
        CustomParser = result =>
        {
            if (Guid.TryParseExact(result.Tokens[0].Value, "D", out var id)) return id;
            result.AddError($"\"{result.Tokens[0].Value}\" is not an ID.");
            return null;
        },
    };

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var output = _common.OutputFor(parsed);
        if (!(await _common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var filter = Filter(parsed);
        var limit = parsed.GetValue(_paging.Limit).ToString(CultureInfo.InvariantCulture);
        if (!(await client.GetAsync($"audit?limit={limit}{filter}", ApiJson.Default.AuditPage, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
        var last = Show(output, (reply.Value.Items ?? []).Reverse()) ?? 0;
        while (parsed.GetValue(_follow))
        {
            var path = $"audit?limit=1000&after={last.ToString(CultureInfo.InvariantCulture)}{filter}";
            if (!(await client.GetAsync(path, ApiJson.Default.AuditPage, cancellation)).TryGet(out reply, out failure)) return output.Fail(failure);
            last = Math.Max(last, Show(output, reply.Value.Items ?? []) ?? last);
            if (reply.Value.Next is null) await Task.Delay(_pause, _common.Around.Time, cancellation);
        }

        return ExitCode.Ok;
    }

    private string Filter(ParseResult parsed)
    {
        var given = new (string Name, string? Value)[]
        {
            ("person", parsed.GetValue(_person)?.ToString()),
            ("device", parsed.GetValue(_device)?.ToString()),
            ("kind", parsed.GetValue(_kind)),
            ("outcome", parsed.GetValue(_outcome)),
            ("from", parsed.GetValue(_from)?.ToString("O", CultureInfo.InvariantCulture)),
            ("to", parsed.GetValue(_to)?.ToString("O", CultureInfo.InvariantCulture)),
        };
        return string.Concat(given.Where(one => one.Value is not null).Select(one => $"&{one.Name}={Uri.EscapeDataString(one.Value!)}"));
    }

    /// <returns>The id of the last.</returns>
    private static long? Show(Output output, IEnumerable<JsonElement> items)
    {
        long? last = null;
        foreach (var item in items)
        {
            if (item.ValueKind != JsonValueKind.Object || item.Deserialize(ApiJson.Default.AuditItem) is not { } record) continue;
            last = record.Id ?? last;
            if (output.IsJson) output.Json(item.GetRawText());
            else output.Line(Line(output, record));
        }

        return last;
    }

    private static string Line(Output output, AuditItem record) => string.Join("  ", new[]
    {
        output.Time(record.At),
        record.Kind,
        Output.Words(record.Outcome),
        record.Actor?.Login,
        string.Join(' ', new[] { record.Channel, record.Source }.Where(part => !string.IsNullOrEmpty(part))),
        record.Subject,
        record.Details is { ValueKind: JsonValueKind.Object } details && details.EnumerateObject().Any() ? details.GetRawText() : null,
    }.Where(part => !string.IsNullOrEmpty(part)));
}
