using System.Text.Json;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Playing;

/// <summary>Shows a recording's events as they come from the server, in their own time or at once, and says how it came to its end.</summary>
internal sealed class Showing(CommonOptions common, Output output)
{
    /// <param name="path">Of the events.</param>
    /// <param name="pace">Makes the player; null: everything at once.</param>
    /// <param name="patience">How long nothing may come.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(ApiClient client, string path, Func<System.Threading.Channels.ChannelReader<char>?, Player>? pace, TimeSpan patience, CancellationToken cancellation)
    {
        var around = common.Around;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var interrupted = false;
        using var listening = around.OnInterrupt?.Invoke(() =>
        {
            interrupted = true;
            stop.Cancel();
        });
        await using var bytes = around.OpenOutput();
        var screen = new Screen(bytes, around.OutputIsTerminal && !output.IsJson);
        try
        {
            var answer = await client.FollowAsync(path, patience, async (body, token) => await ShowAsync(body, screen, pace, token), stop.Token);
            if (!answer.TryGet(out var end, out var failure)) return output.Fail(failure);
            return Tell(end);
        }
        catch (OperationCanceledException) when (interrupted)
        {
            return ExitCode.Interrupted;
        }
    }

    private async Task<RecordedLine> ShowAsync(Stream body, Screen screen, Func<System.Threading.Channels.ChannelReader<char>?, Player>? pace, CancellationToken cancellation)
    {
        var keys = screen.IsTerminal ? common.Around.ListenForKeys?.Invoke() : null;
        var player = pace?.Invoke(keys) ?? new Player(common.Around.Time, keys, speed: 1, TimeSpan.Zero, TimeSpan.Zero);
        try
        {
            await foreach (var line in RecordedLines.ReadAsync(body, cancellation))
            {
                if (line.Closed is not null) return line;
                if (line.Start is { } start) Introduce(start, screen);
                if (!await (pace is null ? player.GoesOnAsync(cancellation) : player.UntilAsync(At(line), cancellation))) return new(null, null, null, null, null, null, null, null, "left", null);
                if ((line.Output ?? line.Error ?? line.Notice) is { } data) await screen.ShowAsync(data, cancellation);
                if (line.End is { } end) _end = end;
            }
        }
        finally
        {
            await screen.LeaveAsync();
        }

        throw new HttpIOException(HttpRequestError.ResponseEnded, "the answer is cut off");
    }

    private RecordedEnd? _end;

    /// <exception cref="JsonException">It is no time.</exception>
    private static TimeSpan At(RecordedLine line) => line.At switch
    {
        null => TimeSpan.Zero,
        >= 0 and < 1e9 => TimeSpan.FromSeconds(line.At.Value),
        _ => throw new JsonException("a time is out of range"),
    };

    private void Introduce(RecordedStart start, Screen screen)
    {
        if (!screen.IsTerminal) return;
        var size = start is { Columns: { } columns, Rows: { } rows } ? $", {columns} × {rows} characters" : "";
        output.Note($"{start.Login} on {start.Device} as {start.Account}, {output.Time(start.At)}{size}");
    }

    private int Tell(RecordedLine end)
    {
        switch (end.Closed)
        {
            case "complete":
                if (_end is { } reason) output.Note($"The session ended: {Output.Words(reason.Reason)}{(string.IsNullOrEmpty(reason.Detail) ? "" : $", {reason.Detail}")}.");
                return ExitCode.Ok;
            case "left":
                return ExitCode.Ok;
            case "cut":
                output.Note($"This is all that there is: {end.Detail}.");
                return ExitCode.Ok;
            case "damaged":
                return output.Fail(new(ExitCode.Refused, $"The recording is damaged: {end.Detail}.", "What was shown before is as it was recorded."));
            default:
                return output.Fail(new(ExitCode.Refused, $"The server ended it: {end.Detail}."));
        }
    }
}
