using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>
/// The requests that wait for the caller, each once: those that wait already, and then those that come, as the server tells of them. A stream that breaks is taken up
/// again where it was; where something may have been missed, the list is read anew.
/// </summary>
internal sealed class ApprovalsFollowing(CommonOptions common, Output output)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Those that were shown and wait still.</summary>
    private readonly HashSet<long> _shown = [];
    private string? _position;
    private bool _connected;

    public async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        for (var pause = FirstPause; ; pause = pause < LongestPause / 2 ? pause * 2 : LongestPause)
        {
            var before = _position;
            var ended = await client.FollowAsync(_position, told => TakeAsync(client, told, cancellation), cancellation);
            if (!ended.TryGet(out _, out failure))
            {
                if (!_connected || failure.ExitCode != ExitCode.Unreachable) return output.Fail(failure);
                output.Note($"{failure.Message} Trying again.");
            }

            if (_position != before) pause = FirstPause;
            await Task.Delay(pause, common.Around.Time, cancellation);
        }
    }

    private async Task<Failure?> TakeAsync(ApiClient client, ServerEvent told, CancellationToken cancellation)
    {
        // Opened before the list is read: what comes between is told, and not shown twice.
        var first = !_connected;
        _connected = true;
        if (told.Position.Length > 0) _position = told.Position;
        if (told.Name == "reset" || (first && told.Name == "ready")) return await ListAsync(client, cancellation);
        if (told.Name != "request") return null;
        try
        {
            Show(JsonSerializer.Deserialize(told.Data, ApiJson.Default.JsonElement));
        }
        catch (JsonException)
        {
            return new(ExitCode.Refused, "The server tells of something that is not a request.", "A newer server may need a newer countersign.");
        }

        return null;
    }

    private async Task<Failure?> ListAsync(ApiClient client, CancellationToken cancellation)
    {
        for (var more = ""; ;)
        {
            if (!(await client.GetAsync($"requests?for=me&limit=100{more}", ApiJson.Default.RequestItems, cancellation)).TryGet(out var reply, out var failure)) return failure;
            foreach (var item in reply.Value.Items ?? []) Show(item);
            if (string.IsNullOrEmpty(reply.Value.Next)) return null;
            more = $"&cursor={Uri.EscapeDataString(reply.Value.Next)}";
        }
    }

    private void Show(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object || item.Deserialize(ApiJson.Default.Request) is not { Number: { } number } request) return;
        if (request is not { MayApprove: true } and not { MayMend: true })
        {
            _shown.Remove(number);
            return;
        }

        if (!_shown.Add(number)) return;
        if (output.IsJson) output.Json(item.GetRawText());
        else output.Line(Line(number, request));
    }

    private string Line(long number, Request request) => string.Join("  ", new[]
    {
        string.Create(CultureInfo.InvariantCulture, $"#{number}"),
        $"{request.Login} on {AheadText.Devices(request)} as {request.Account}",
        AheadText.What(request),
        AheadText.When(output, request),
        string.IsNullOrEmpty(request.Source) ? "" : $"from {request.Source}",
        request.Expires is null ? "" : $"expires {output.Time(request.Expires)}",
        $"waits for {RequestLists.WaitsFor(request)}",
        request.Reason,
    }.Where(part => !string.IsNullOrEmpty(part)));
}
