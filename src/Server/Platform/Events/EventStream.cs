using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Countersign.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Countersign.Server.Platform.Events;

/// <summary>The events that concern the caller, as they happen, in the form of the WHATWG's server-sent events.</summary>
internal static class EventStream
{
    private const int LongestPosition = 64;

    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        HttpContext context,
        Caller caller,
        EventHub hub,
        EventLimits limits,
        PolicySource policy,
        TimeProvider time,
        IOptions<JsonOptions> json,
        [FromHeader(Name = "Last-Event-ID")] string? lastEventId = null)
    {
        if (lastEventId is { Length: > LongestPosition }) return Problems.Invalid("Last-Event-ID", $"It has at most {LongestPosition} characters.");
        using var reader = hub.Subscribe(caller, lastEventId);
        if (reader is null) return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(10));
        context.Response.ContentType = "text/event-stream";

        // Proxies that gather answers before they pass them on would hold everything back.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(reader.Ended, context.RequestAborted);
        var writer = new Writer(context.Response.BodyWriter, hub, reader, () => Eyes(policy, caller, time, json.Value.SerializerOptions));
        try
        {
            await RunAsync(writer, reader, limits, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The reader has gone, is too slow, may not listen any more, or the server stops. What is in the pipe is not waited for.
            if (reader.Ended.IsCancellationRequested && writer.IsBehind) context.Abort();
        }

        return TypedResults.Empty;
    }

    private static async Task RunAsync(Writer writer, EventSubscription reader, EventLimits limits, CancellationToken ending)
    {
        await writer.BeginAsync(ending);
        Task<bool>? more = null;
        while (true)
        {
            more ??= reader.Events.WaitToReadAsync(ending).AsTask();
            try
            {
                // The machine's clock: a heartbeat is no matter of policy.
                if (!await more.WaitAsync(limits.Heartbeat, TimeProvider.System, ending)) return;
            }
            catch (TimeoutException)
            {
                await writer.BeatAsync(ending);
                continue;
            }

            more = null;
            while (reader.Events.TryRead(out var next))
            {
                if (!writer.Write(next)) return;
            }

            await writer.FlushAsync(ending);
        }
    }

    /// <summary>What the caller may see now; null: they take no part any more, or a sign-in rule has come since that they don't meet.</summary>
    private static EventReader? Eyes(PolicySource policy, Caller caller, TimeProvider time, JsonSerializerOptions json) =>
        policy.Current(caller.Organization) is { } inForce && inForce.Standing(caller.Person, caller.Source, caller.Strength) == DenialReason.None
            ? new(caller, new(inForce, caller, time.GetUtcNow()), json)
            : null;

    private sealed class Writer(PipeWriter pipe, EventHub hub, EventSubscription reader, Func<EventReader?> eyes)
    {
        private long _position = reader.From;

        /// <summary>The reader does not take what is sent.</summary>
        public bool IsBehind { get; private set; }

        public ValueTask BeginAsync(CancellationToken cancellation)
        {
            // The position first, so that a reader who never gets anything can come back to it.
            Text($"retry: 2000\nevent: {(reader.Missed is null ? "reset" : "ready")}\nid: {hub.Position(reader.Missed is { Count: > 0 } missed ? missed[0].Number - 1 : reader.From)}\ndata: {{}}\n\n");
            foreach (var one in reader.Missed ?? [])
            {
                if (!Write(one)) break;
            }

            _position = reader.From;
            return FlushAsync(cancellation);
        }

        /// <summary>False: nobody may read on.</summary>
        public bool Write(NumberedEvent next)
        {
            if (eyes() is not { } mine) return false;
            _position = next.Number;
            if (next.Happened.Show(mine) is not { } data) return true;
            Text($"event: {next.Happened.Name}\nid: {hub.Position(next.Number)}\ndata: ");
            pipe.Write(data);
            Text("\n\n");
            return true;
        }

        /// <summary>Without data it is no event, but it moves the position on past what the reader was not shown.</summary>
        public ValueTask BeatAsync(CancellationToken cancellation)
        {
            Text($"id: {hub.Position(_position)}\n\n");
            return FlushAsync(cancellation);
        }

        public async ValueTask FlushAsync(CancellationToken cancellation)
        {
            IsBehind = true;
            await pipe.FlushAsync(cancellation);
            IsBehind = false;
        }

        private void Text(string text) => Encoding.UTF8.GetBytes(text, pipe);
    }
}
