using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Countersign.Ssh;

namespace Countersign.Sessions.Recording;

/// <summary>
/// Reads a recording frame by frame, also one that was cut and one that is still being written: a frame is given once it is there as a whole, and
/// asking again later goes on exactly behind the last one.
/// </summary>
/// <param name="file">Must be seekable. Not disposed here.</param>
/// <param name="wrapping">The key that the recording's own key is wrapped under. Not disposed here.</param>
public sealed class RecordingReader(Stream file, SessionId session, Secret wrapping) : IDisposable
{
    private readonly byte[] _frameHeader = new byte[RecordingFormat.FrameHeaderLength];
    private RecordingFormat.RecordingKeys? _keys;
    private byte[] _chain = [];
    private uint _sequence;
    private TimeSpan _last;
    private bool _damaged;

    /// <summary>Whether the event of the end has been read. If not, the recording was cut, or goes on.</summary>
    public bool Complete { get; private set; }

    /// <summary>How many bytes of the file have been read and found good.</summary>
    public long Size { get; private set; }

    /// <summary>From the beginning to the last event that has been read.</summary>
    public TimeSpan Length => _last;

    /// <summary>The hash over everything up to <see cref="Size"/>; empty before the header is there.</summary>
    public ReadOnlyMemory<byte> Hash => _chain;

    /// <summary>The next frame's events; empty: no whole frame is there, or not yet.</summary>
    /// <exception cref="RecordingDamagedException">The file was changed. What was given before is good; nothing more can be read.</exception>
    public async ValueTask<IReadOnlyList<RecordingEvent>> ReadAsync(CancellationToken cancellation)
    {
        if (_damaged) throw Damaged("the recording is damaged");
        if (_keys is null && !await ReadHeaderAsync(cancellation)) return [];
        file.Position = Size;
        var read = await file.ReadAtLeastAsync(_frameHeader, _frameHeader.Length, throwOnEndOfStream: false, cancellation);
        if (Complete && read > 0) throw Damaged("something was added after the end");
        if (read < _frameHeader.Length) return [];
        if (_keys!.OpenFrameHeader(_frameHeader, _sequence, _chain) is not { } length) throw Damaged("its head is not the one that belongs here");
        var frame = new byte[_frameHeader.Length + length];
        _frameHeader.CopyTo(frame, 0);
        if (await file.ReadAtLeastAsync(frame.AsMemory(_frameHeader.Length), length, throwOnEndOfStream: false, cancellation) < length) return [];
        var plain = _keys.Open(frame, _sequence, _chain) ?? throw Damaged("its content was changed");
        var events = new List<RecordingEvent>();
        if (!RecordingFormat.TryReadEvents(plain, events) || events.Count == 0) throw Damaged("it holds no events");
        Check(events);
        RecordingFormat.AdvanceChain(_chain, frame);
        Size += frame.Length;
        _sequence++;
        return events;
    }

    /// <summary>Every event, up to the last whole frame; of a recording that is still being written, up to its end, as it comes.</summary>
    /// <param name="live">Who writes it, if it is being written.</param>
    /// <exception cref="RecordingDamagedException">As <see cref="ReadAsync"/>.</exception>
    public async IAsyncEnumerable<RecordingEvent> ReadAllAsync(RecordingWriter? live, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            // Taken before reading: what is written after the look at the file completes it.
            var progress = live?.Progress;
            var finished = live is null || live.Finished;
            var events = await ReadAsync(cancellation);
            foreach (var one in events) yield return one;
            if (events.Count > 0) continue;
            if (finished) yield break;
            await progress!.WaitAsync(cancellation);
        }
    }

    public void Dispose() => _keys?.Dispose();

    private async ValueTask<bool> ReadHeaderAsync(CancellationToken cancellation)
    {
        var header = new byte[RecordingFormat.HeaderLength];
        file.Position = 0;
        if (await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation) < header.Length) return false;
        _keys = RecordingFormat.OpenHeader(RecordingFormat.Magic, header, session, wrapping);
        if (_keys is null)
        {
            _damaged = true;
            throw new RecordingDamagedException(null, "the recording's header was changed, or is not this session's, or was made under another key");
        }

        _chain = RecordingFormat.Chain(header);
        Size = header.Length;
        return true;
    }

    /// <summary>Only the writer can have made what gets here; a reader that relies on the order says so where it is broken.</summary>
    private void Check(List<RecordingEvent> events)
    {
        for (var index = 0; index < events.Count; index++)
        {
            var (kind, at, _) = events[index];
            var first = _sequence == 0 && index == 0;
            var last = index == events.Count - 1;
            if (at < _last || (kind == RecordingEventKind.Start) != first || (kind == RecordingEventKind.End && !last)) throw Damaged("its events are out of order");
            _last = at;
        }

        Complete = events[^1].Kind == RecordingEventKind.End;
    }

    private RecordingDamagedException Damaged(string what)
    {
        _damaged = true;
        return new(_sequence, $"frame {_sequence} of the recording is damaged: {what}");
    }
}

/// <summary>A recording that was changed, or that the disk has spoilt.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Without the frame that is bad the exception would say nothing.")]
public sealed class RecordingDamagedException(uint? frame, string message) : Exception(message)
{
    /// <summary>The first bad frame, counted from zero; null: the header.</summary>
    public uint? Frame { get; } = frame;
}
