using System.Buffers;
using System.Buffers.Binary;
using System.Threading.Channels;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Sessions.Recording;
using Countersign.Ssh;

namespace Countersign.Sessions.Journal;

/// <summary>What has become of a journal, as the log is told.</summary>
/// <param name="Head">Over the events that are whole in the file.</param>
/// <param name="Complete">The session's end is among them; else it was cut.</param>
/// <param name="Failure">Why it is not complete; null if it is.</param>
public sealed record JournalSummary(JournalHead Head, bool Complete, string? Failure);

/// <summary>
/// Writes a session's journal as things happen. Appending never waits for the disk: events gather while it is busy, and what has gathered is one
/// frame. Each frame is handed to the system at once, and flushed to the disk within a second and at the end. A disk that falls behind is told by
/// <see cref="IsBehind"/>, so that whoever makes events by the thousand is held up; one that fails is told by <see cref="Failed"/>.
/// </summary>
public sealed class JournalWriter : IAsyncDisposable
{
    /// <summary>The longest event, in bytes of its JSON.</summary>
    public const int MostEvent = 60 * 1024;

    /// <summary>With so many bytes handed over and not yet written, <see cref="IsBehind"/>.</summary>
    public const int Backlog = 256 * 1024;

    /// <summary>
    /// More is waiting than somebody who is held up can still have in flight: the journal has failed. That is, in a session of files, what it takes to be
    /// behind; a thousand requests under way with 256 Ki characters of paths, each six bytes as JSON can be; and a thousand open files with 128 Ki of
    /// them and 64 ranges each, should the session end there: less than 7 MiB.
    /// </summary>
    public const int MostWaiting = 8 * 1024 * 1024;

    /// <summary>What was written is on the disk itself after so long.</summary>
    public static readonly TimeSpan FlushAfter = TimeSpan.FromSeconds(1);

    /// <summary>A disk that has not taken a frame after so long has failed.</summary>
    public static readonly TimeSpan LongestWrite = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Stream _file;
    private readonly RecordingFormat.RecordingKeys _keys;
    private readonly JournalChain _chain;
    private readonly byte[] _frames;
    private readonly TimeProvider _clock;
    private readonly TimeProvider _machine;
    private readonly ITimer _flush;
    private readonly ITimer _watch;
    private readonly Channel<Item> _items = Channel.CreateUnbounded<Item>(new() { SingleReader = true });
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _writing;
    private long _waiting;
    private uint _sequence = 1;
    private bool _ended;
    private bool _flushAsked = true;
    private volatile string? _failure;
    private Task<JournalSummary>? _result;

    private JournalWriter(Stream file, RecordingFormat.RecordingKeys keys, byte[] frames, JournalChain chain, TimeProvider clock, TimeProvider machine)
    {
        _file = file;
        _keys = keys;
        _frames = frames;
        _chain = chain;
        _clock = clock;
        _machine = machine;
        _flush = machine.CreateTimer(_ => _items.Writer.TryWrite(Item.Flush), null, FlushAfter, Timeout.InfiniteTimeSpan);
        _watch = machine.CreateTimer(_ => Fail($"the disk did not take the journal within {LongestWrite.TotalSeconds:0} s"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Begins a journal: when this returns, its first event is in the file.</summary>
    /// <param name="file">Empty; owned by the writer from here on, also if this throws. What it is given is gone to the system, not kept in a buffer.</param>
    /// <param name="wrapping">Wraps the journal's own key. Not disposed here.</param>
    /// <param name="clock">Of the events' instants.</param>
    /// <param name="machine">Of the disk's deadlines.</param>
    /// <exception cref="IOException">The disk takes nothing.</exception>
    public static JournalWriter Begin(Stream file, OrganizationId organization, SessionBegan first, Secret wrapping, TimeProvider clock, TimeProvider machine)
    {
        RecordingFormat.RecordingKeys? keys = null;
        try
        {
            first = first with { At = clock.GetUtcNow() };
            var line = JournalJson.Write(first);
            var header = RecordingFormat.MakeHeader(JournalFormat.Magic, new(first.Session), first.At, wrapping, out keys);
            var frames = RecordingFormat.Chain(header);
            file.Write(header);
            file.Write(Seal([line], keys, 0, frames));
            file.Flush();
            var chain = new JournalChain(organization.Value, first.Session);
            chain.Add(line);
            var writer = new JournalWriter(file, keys, frames, chain, clock, machine);
            keys = null;
            return writer;
        }
        catch
        {
            file.Dispose();
            throw;
        }
        finally
        {
            keys?.Dispose();
        }
    }

    /// <summary>Completes with the reason when the journal can't be written. What was written before can be read.</summary>
    public Task<string> Failed => _failed.Task;

    /// <summary>The session has to be recorded. Set before it starts.</summary>
    public bool IsRequired { get; set; }

    /// <summary>The session has to be recorded and the journal can't be written: nothing more passes in it, and it is being ended.</summary>
    public bool ForbidsMore => IsRequired && _failure is not null;

    /// <summary>The disk has more to take than it should. <see cref="CaughtUp"/> is called when it has taken it.</summary>
    public bool IsBehind => _failure is null && Interlocked.Read(ref _waiting) > Backlog;

    /// <summary>Called, on a thread of the pool, when the writer no longer <see cref="IsBehind"/>, and when it has failed.</summary>
    public Action? CaughtUp { get; set; }

    /// <summary>Copies and returns, from any thread. False: the journal is at its end or has failed, and the event is not in it.</summary>
    /// <exception cref="ArgumentException">The event is longer than <see cref="MostEvent"/>.</exception>
    public bool Append(JournalEvent one)
    {
        lock (_gate) return _result is null && AppendLocked(one);
    }

    /// <summary>Where the journal stands, once all that was appended before is on the disk itself. Null: it has failed, or is at its end.</summary>
    public async Task<JournalHead?> MarkAsync()
    {
        var mark = new TaskCompletionSource<JournalHead?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_failure is not null || !_items.Writer.TryWrite(new(null, mark))) return null;
        try
        {
            return await mark.Task.WaitAsync(LongestWrite, _machine);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Writes the end, flushes to the disk itself and closes the file. Called again, it returns the same.</summary>
    public Task<JournalSummary> FinishAsync(SessionEnded end)
    {
        lock (_gate)
        {
            if (_result is not null) return _result;
            _ended = AppendLocked(end);
            return _result = CloseAsync();
        }
    }

    /// <summary>Without <see cref="FinishAsync"/> before it, leaves a journal that was cut.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<JournalSummary> result;
        lock (_gate) result = _result ??= CloseAsync();
        await result;
    }

    /// <summary>Under the lock: the order of the instants is the order of the events.</summary>
    private bool AppendLocked(JournalEvent one)
    {
        if (_failure is not null) return false;
        var line = JournalJson.Write(one with { At = _clock.GetUtcNow() });
        if (line.Length > MostEvent) throw new ArgumentException($"An event has at most {MostEvent} bytes.", nameof(one));
        if (Interlocked.Add(ref _waiting, JournalFormat.EventHead + line.Length) > MostWaiting)
        {
            FailLocked("the disk is too slow for the journal");
            return false;
        }

        return _items.Writer.TryWrite(new(line, null));
    }

    private async Task WriteAsync()
    {
        var lines = new List<byte[]>();
        while (await _items.Reader.WaitToReadAsync())
        {
            lines.Clear();
            var size = 0;
            Item? order = null;
            while (size < RecordingFormat.MostEvent && order is null && _items.Reader.TryRead(out var item))
            {
                if (item.Line is { } line)
                {
                    lines.Add(line);
                    size += JournalFormat.EventHead + line.Length;
                }
                else
                {
                    order = item;
                }
            }

            if (_failure is null) await WriteAsync(lines, flush: order is not null);
            order?.Mark?.TrySetResult(_failure is null ? _chain.Head : null);
            var before = Interlocked.Add(ref _waiting, -size) + size;
            if (before > Backlog && !IsBehind) TellCaughtUp();
        }
    }

    private async Task WriteAsync(List<byte[]> lines, bool flush)
    {
        try
        {
            _watch.Change(LongestWrite, Timeout.InfiniteTimeSpan);
            if (lines.Count > 0)
            {
                await _file.WriteAsync(Seal(lines, _keys, _sequence, _frames));
                await _file.FlushAsync();
                _sequence = checked(_sequence + 1);
                foreach (var line in lines) _chain.Add(line);
            }

            if (flush) ToDisk();
            _watch.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (flush || _flushAsked || lines.Count == 0) return;
            _flushAsked = true;
            _flush.Change(FlushAfter, Timeout.InfiniteTimeSpan);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Fail(error.Message);
        }
    }

    private void ToDisk()
    {
        _flushAsked = false;
        if (_file is FileStream onDisk) onDisk.Flush(flushToDisk: true);
    }

    /// <summary>The frame of these events; the frames' chain goes on behind it.</summary>
    private static byte[] Seal(IReadOnlyList<byte[]> lines, RecordingFormat.RecordingKeys keys, uint sequence, byte[] frames)
    {
        var plain = new ArrayBufferWriter<byte>();
        foreach (var line in lines) JournalFormat.WriteEvent(plain, line);
        var frame = keys.Seal(plain.WrittenSpan, sequence, frames);
        RecordingFormat.AdvanceChain(frames, frame);
        return frame;
    }

    private void TellCaughtUp()
    {
        try
        {
            CaughtUp?.Invoke();
        }
        catch (Exception error)
        {
            // Whoever was held up: foreign code in the one loop that writes. It is told of as a failure, and what is under way is brought to its end.
            Fail($"who was held up could not be told ({error.GetType().Name})");
        }
    }

    private void Fail(string why)
    {
        lock (_gate) FailLocked(why);
    }

    private void FailLocked(string why)
    {
        if (_failure is not null) return;
        _failure = why;
        _failed.TrySetResult(why);
        if (CaughtUp is { } caughtUp) _ = Task.Run(caughtUp);
    }

    private async Task<JournalSummary> CloseAsync()
    {
        // Off the caller's lock.
        await Task.Yield();
        _items.Writer.TryWrite(Item.Flush);
        _items.Writer.TryComplete();
        try
        {
            // A write that hangs is not waited for longer than it may last; the file is then left to the system.
            await _writing.WaitAsync(LongestWrite, _machine);
            await _file.DisposeAsync();
            _keys.Dispose();
        }
        catch (TimeoutException)
        {
            Fail("the disk did not take the end of the journal");
        }
        catch (IOException error)
        {
            Fail(error.Message);
        }

        await _flush.DisposeAsync();
        await _watch.DisposeAsync();
        return new(_chain.Head, _failure is null && _ended, _failure ?? (_ended ? null : "it was not brought to its end"));
    }

    /// <summary>An event, or else an order to flush.</summary>
    private readonly record struct Item(byte[]? Line, TaskCompletionSource<JournalHead?>? Mark)
    {
        public static Item Flush => default;
    }
}

/// <summary>A journal lies in frames as a recording does; a frame's plaintext is a row of events: <c>length (4) · JSON</c>.</summary>
internal static class JournalFormat
{
    public const int EventHead = 4;

    public static ReadOnlySpan<byte> Magic => "CSJ1"u8;

    public static void WriteEvent(ArrayBufferWriter<byte> target, ReadOnlySpan<byte> line)
    {
        BinaryPrimitives.WriteInt32BigEndian(target.GetSpan(EventHead), line.Length);
        target.Advance(EventHead);
        target.Write(line);
    }

    /// <summary>False: it is not a row of events.</summary>
    public static bool TryReadEvents(ReadOnlyMemory<byte> plain, List<ReadOnlyMemory<byte>> lines)
    {
        while (!plain.IsEmpty)
        {
            if (plain.Length < EventHead) return false;
            var length = BinaryPrimitives.ReadInt32BigEndian(plain.Span);
            if (length is <= 0 or > JournalWriter.MostEvent || length > plain.Length - EventHead) return false;
            lines.Add(plain.Slice(EventHead, length));
            plain = plain[(EventHead + length)..];
        }

        return lines.Count > 0;
    }
}
