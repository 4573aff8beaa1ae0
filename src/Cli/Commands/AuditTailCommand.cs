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
    private readonly AuditFilterOptions _filter = new();
    private readonly Paging _paging = new();
    private readonly CommonOptions _common;

    private AuditTailCommand(CommonOptions common) => _common = common;

    public static Command Create(CommonOptions common)
    {
        var tail = new AuditTailCommand(common);
        var command = new DocumentedCommand(
            "tail",
            "Shows the newest records, the newest last. With --json each is a line of JSON.",
            "countersign audit tail --limit 20",
            "countersign audit tail --follow --kind session",
            "countersign audit tail --outcome refused --from 2026-11-21T00:00Z --json | jq .subject")
        {
            tail._follow,
            tail._paging.Limit,
        };
        foreach (var option in tail._filter.All) command.Add(option);
        command.SetAction(tail.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var output = _common.OutputFor(parsed);
        if (!(await _common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        var filter = _filter.Query(parsed);
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
