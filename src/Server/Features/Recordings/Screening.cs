using System.Buffers;
using Countersign.Access;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform;
using Countersign.Sessions.Recording;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Countersign.Server.Features.Recordings;

/// <summary>What is shown, to whom, and what allows it.</summary>
/// <param name="Live">Who writes the recording, if the session runs.</param>
/// <param name="May">Asked again while it is shown.</param>
internal sealed record Show(SessionRecord Session, RecordingReader Reader, RecordingWriter? Live, RecordingForm Form, Func<SessionSight, bool> May);

/// <summary>
/// Sends recordings out: a frame at a time, as fast as the receiver takes them, and only while the one who receives it may. A receiver that is
/// slow holds up nobody: what runs is read from the file, as what has ended.
/// </summary>
internal sealed class Screening(PolicySource policy, TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <summary>At once, for one person: each costs a frame in memory, and a connection.</summary>
    public const int MostOfPerson = 16;

    /// <summary>What is left to say may take so long, then the connection is broken off.</summary>
    private static readonly TimeSpan Goodbye = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<PersonId, int> _seats = [];

    /// <summary>Null: the person has as many open as one may have. Given back by disposing it.</summary>
    public IDisposable? TakeSeat(PersonId person)
    {
        lock (_gate)
        {
            var taken = _seats.GetValueOrDefault(person);
            if (taken >= MostOfPerson) return null;
            _seats[person] = taken + 1;
            return new Seat(this, person);
        }
    }

    public async Task<Closing?> RunAsync(HttpContext context, CallersStanding standing, Show show)
    {
        // Who watches may pause, and a terminal that replays reads at the pace of what was typed.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        await using var watch = new StandingWatch(standing, policy, time, (caller, inForce) => show.May(new(caller, inForce)), context.RequestAborted);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, watch.Lost);
        Closing closing;
        string detail;
        try
        {
            (closing, detail) = await SendAsync(context.Response.Body, show, stop.Token);
        }
        catch (RecordingDamagedException damage)
        {
            (closing, detail) = (Closing.Damaged, damage.Message);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            (closing, detail) = lifetime.ApplicationStopping.IsCancellationRequested
                ? (Closing.Stopping, "the server is stopping")
                : (Closing.Revoked, "you may not see any more of it");
        }

        await CloseAsync(context, show, closing, detail);
        return closing;
    }

    private static async Task<(Closing, string)> SendAsync(Stream body, Show show, CancellationToken stop)
    {
        var (reader, live, row) = (show.Reader, show.Live, show.Session);
        using var along = live?.ReadAlong();
        var vouched = live is null ? row.RecordingSize : null;
        var lines = new ArrayBufferWriter<byte>();
        while (true)
        {
            // Taken before reading: what is written after the look at the file completes it.
            var progress = live?.Progress;
            var finished = live is null || live.Finished;
            var events = reader.Size >= vouched ? [] : await reader.ReadAsync(stop);
            foreach (var one in events) show.Form.Write(one, lines);
            if (events.Count == 0 && finished) break;
            if (events.Count == 0 && !await ComesAsync(progress!, stop)) show.Form.WriteBeat(lines);
            if (lines.WrittenCount == 0) continue;
            await body.WriteAsync(lines.WrittenMemory, stop);
            lines.ResetWrittenCount();
        }

        // The session's row and the audit log vouch for so many bytes and for their hash.
        if (vouched is not null && (reader.Size != vouched || Convert.ToHexStringLower(reader.Hash.Span) != row.RecordingHash))
            return (Closing.Damaged, "the file is not the one that the session's end was written down with: something is missing at its end, or it was put in its place");
        if (reader.Complete) return (Closing.Complete, "");
        return (Closing.Cut, live is null ? "the recording was cut here" : "the recording can't be written any more");
    }

    /// <summary>False: nothing has for so long that something should be said.</summary>
    private static async Task<bool> ComesAsync(Task progress, CancellationToken stop)
    {
        try
        {
            await progress.WaitAsync(Beat, stop);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task CloseAsync(HttpContext context, Show show, Closing closing, string detail)
    {
        var last = new ArrayBufferWriter<byte>();
        if (!show.Form.TryClose(closing, detail, show.Reader.Length, last))
        {
            context.Abort();
            return;
        }

        using var brief = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        if (closing is Closing.Revoked or Closing.Stopping) brief.CancelAfter(Goodbye);
        try
        {
            await context.Response.Body.WriteAsync(last.WrittenMemory, brief.Token);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            context.Abort();
        }
    }

    private sealed class Seat(Screening screening, PersonId person) : IDisposable
    {
        private int _given;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _given, 1) != 0) return;
            lock (screening._gate)
            {
                if (--screening._seats[person] == 0) screening._seats.Remove(person);
            }
        }
    }
}
