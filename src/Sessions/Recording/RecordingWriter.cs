using System.Buffers.Binary;
using System.Text.Json;
using System.Threading.Channels;
using Countersign.Ssh;

namespace Countersign.Sessions.Recording;

/// <summary>What has become of a recording.</summary>
/// <param name="Complete">All of it, and its end, is in the file.</param>
/// <param name="Size">Of what is whole, in bytes.</param>
/// <param name="Hash">Over everything up to <paramref name="Size"/>; 32 bytes.</param>
/// <param name="Length">From its beginning to the last event that is whole.</param>
/// <param name="Failure">Why it is not complete; null if it is.</param>
public sealed record RecordingResult(bool Complete, long Size, ReadOnlyMemory<byte> Hash, TimeSpan Length, string? Failure);

/// <summary>
/// Writes a recording as the session runs. Adding events never waits for the disk: they gather, and a frame of them is handed to the disk at 64 KiB
/// or after a second, whichever is first. A disk that falls behind is told by <see cref="IsBehind"/>, so that the sender is held up and nothing is
/// lost; one that fails is told by <see cref="Failed"/>.
/// </summary>
public sealed class RecordingWriter : IAsyncDisposable
{
    /// <summary>A frame is closed when it has so many bytes.</summary>
    public const int FrameBytes = 64 * 1024;

    /// <summary>With so much handed over and not yet written, <see cref="IsBehind"/>.</summary>
    public const int Backlog = 512 * 1024;

    /// <summary>Far beyond what senders that were held up still have in flight; more would be a sender that nobody holds up.</summary>
    public const int MostWaiting = 16 * 1024 * 1024;

    /// <summary>How long an event waits before it is handed to the disk.</summary>
    public static readonly TimeSpan FlushAfter = TimeSpan.FromSeconds(1);

    /// <summary>The same while somebody reads along.</summary>
    public static readonly TimeSpan FlushAfterWatched = TimeSpan.FromMilliseconds(100);

    /// <summary>A disk that has not taken a frame after so long has failed.</summary>
    public static readonly TimeSpan LongestWrite = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Stream _file;
    private readonly RecordingFormat.RecordingKeys _keys;
    private readonly TimeProvider _time;
    private readonly long _begun;
    private readonly ITimer _flush;
    private readonly ITimer _watch;
    private readonly Channel<Gathered> _frames = Channel.CreateUnbounded<Gathered>(new() { SingleReader = true });
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _chain;
    private readonly WriteBehind? _behind;
    private readonly Task _writing;
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FrameBuffer? _gathering;
    private long _last;
    private long _length;
    private int _readers;
    private long _waiting;
    private long _size;
    private uint _sequence;
    private bool _closed;
    private bool _ended;
    private volatile bool _finished;
    private volatile string? _failure;
    private Task<RecordingResult>? _result;

    private RecordingWriter(Stream file, byte[] header, RecordingFormat.RecordingKeys keys, TimeProvider time)
    {
        _file = file;
        _keys = keys;
        _time = time;
        _begun = time.GetTimestamp();
        _chain = RecordingFormat.Chain(header);
        _size = header.Length;
        if (file is FileStream onDisk) _behind = new(onDisk.SafeFileHandle);
        _flush = time.CreateTimer(_ => FlushGathered(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _watch = time.CreateTimer(_ => Fail($"the disk did not take a frame within {LongestWrite.TotalSeconds:0} s"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Begins a recording: when this returns, the header and what is recorded are in the file.</summary>
    /// <param name="file">Empty; owned by the writer from here on, also if this throws. What it is given is gone to the disk, not kept in a buffer.</param>
    /// <exception cref="IOException">The disk takes nothing.</exception>
    public static RecordingWriter Begin(Stream file, SessionId session, RecordingStart start, Secret wrapping, TimeProvider time)
    {
        RecordingFormat.RecordingKeys? keys = null;
        try
        {
            var header = RecordingFormat.MakeHeader(RecordingFormat.Magic, session, start.At, wrapping, out keys);
            file.Write(header);
            using var first = new FrameBuffer();
            first.Add(RecordingEventKind.Start, 0, JsonSerializer.SerializeToUtf8Bytes(start, RecordingJson.Default.RecordingStart));
            var frame = first.Seal(keys, 0, RecordingFormat.Chain(header)).Span;
            file.Write(frame);
            file.Flush();
            var writer = new RecordingWriter(file, header, keys, time);
            writer.Wrote(frame, 0);
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

    /// <summary>Completes with the reason when the recording can't be written. What was written before can be played.</summary>
    public Task<string> Failed => _failed.Task;

    /// <summary>The session has to be recorded. Set before it starts.</summary>
    public bool IsRequired { get; set; }

    /// <summary>The session has to be recorded and the recording can't be written: nothing more passes in it, and it is being ended.</summary>
    public bool ForbidsMore => IsRequired && _failure is not null;

    /// <summary>The disk has more to take than it should. <see cref="CaughtUp"/> is called when it has taken it.</summary>
    public bool IsBehind => Interlocked.Read(ref _waiting) > Backlog;

    /// <summary>Called, on a thread of the pool, when the writer no longer <see cref="IsBehind"/>, and when it has failed.</summary>
    public Action? CaughtUp { get; set; }

    /// <summary>
    /// Completes when the file has more than now, is finished, or can't be written on. Whoever reads along takes it <em>before</em> reading, and waits for it when there was
    /// nothing to read.
    /// </summary>
    public Task Progress
    {
        get
        {
            lock (_gate) return _progress.Task;
        }
    }

    /// <summary>Nothing more will come into the file.</summary>
    public bool Finished => _finished || _failure is not null;

    /// <summary>Until what is returned is disposed, events are handed to the disk sooner: somebody looks at them.</summary>
    public IDisposable ReadAlong()
    {
        lock (_gate)
        {
            _readers++;
            if (!_closed && _result is null) HandOver();
        }

        return new Reading(this);
    }

    /// <summary>On the receive loop: copies and returns.</summary>
    public void Output(ReadOnlySpan<byte> data) => Add(RecordingEventKind.Output, data);

    /// <inheritdoc cref="Output"/>
    public void Error(ReadOnlySpan<byte> data) => Add(RecordingEventKind.Error, data);

    /// <inheritdoc cref="Output"/>
    public void Input(ReadOnlySpan<byte> data) => Add(RecordingEventKind.Input, data);

    /// <inheritdoc cref="Output"/>
    public void Notice(ReadOnlySpan<byte> data) => Add(RecordingEventKind.Notice, data);

    public void Resize(TerminalSize size)
    {
        Span<byte> data = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(data, size.Columns);
        BinaryPrimitives.WriteUInt32BigEndian(data[4..], size.Rows);
        Add(RecordingEventKind.Resize, data);
    }

    /// <summary>Writes the end and closes the file. Called again, it returns the same.</summary>
    public Task<RecordingResult> FinishAsync(RecordingEnd end)
    {
        lock (_gate)
        {
            if (_result is not null) return _result;
            if (!_closed)
            {
                Append(RecordingEventKind.End, JsonSerializer.SerializeToUtf8Bytes(end, RecordingJson.Default.RecordingEnd));
                HandOver();
                _ended = true;
            }

            return _result = CloseAsync();
        }
    }

    /// <summary>Without <see cref="FinishAsync"/> before it, leaves a recording that was cut.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<RecordingResult> result;
        lock (_gate) result = _result ??= CloseAsync();
        await result;
    }

    private void Add(RecordingEventKind kind, ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_closed || _result is not null || data.IsEmpty) return;
            if (_gathering is null) _flush.Change(_readers > 0 ? FlushAfterWatched : FlushAfter, Timeout.InfiniteTimeSpan);
            for (; data.Length > RecordingFormat.MostEvent; data = data[RecordingFormat.MostEvent..]) Append(kind, data[..RecordingFormat.MostEvent]);
            Append(kind, data);
        }
    }

    private void Append(RecordingEventKind kind, ReadOnlySpan<byte> data)
    {
        _last = Math.Max(_last, _time.GetElapsedTime(_begun).Ticks / TimeSpan.TicksPerMicrosecond);
        _gathering ??= new();
        _gathering.Add(kind, _last, data);
        if (_gathering.Length >= FrameBytes) HandOver();
    }

    private void FlushGathered()
    {
        lock (_gate)
        {
            if (!_closed && _result is null) HandOver();
        }
    }

    private void HandOver()
    {
        if (_gathering is not { } frame) return;
        _gathering = null;
        if (Interlocked.Add(ref _waiting, frame.Length) > MostWaiting) FailLocked("the disk is too slow");
        else if (_frames.Writer.TryWrite(new(frame, _last))) return;
        frame.Dispose();
    }

    private async Task WriteAsync()
    {
        await foreach (var (gathered, last) in _frames.Reader.ReadAllAsync())
        {
            using var frame = gathered;
            if (_failure is not null) continue;
            try
            {
                var bytes = frame.Seal(_keys, _sequence, _chain);
                _watch.Change(LongestWrite, Timeout.InfiniteTimeSpan);
                await _file.WriteAsync(bytes);
                await _file.FlushAsync();
                Wrote(bytes.Span, last);
                _behind?.Wrote(_size);
                _watch.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                Fail(error.Message);
                continue;
            }

            var before = Interlocked.Add(ref _waiting, -frame.Length) + frame.Length;
            if (before > Backlog && !IsBehind) TellCaughtUp();
        }
    }

    private void Wrote(ReadOnlySpan<byte> frame, long last)
    {
        // Before the lock: whoever adds events does not wait for the hash.
        Span<byte> chain = stackalloc byte[RecordingFormat.ChainLength];
        _chain.CopyTo(chain);
        RecordingFormat.AdvanceChain(chain, frame);
        TaskCompletionSource progress;
        lock (_gate)
        {
            chain.CopyTo(_chain);
            _size += frame.Length;
            _length = last;
            _sequence = checked(_sequence + 1);
            progress = _progress;
            _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        progress.TrySetResult();
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
        _closed = true;
        _gathering?.Dispose();
        _gathering = null;
        Interlocked.Exchange(ref _waiting, 0);
        _failed.TrySetResult(why);
        _progress.TrySetResult();
        if (CaughtUp is { } caughtUp) _ = Task.Run(caughtUp);
    }

    private async Task<RecordingResult> CloseAsync()
    {
        // Off the caller's lock.
        await Task.Yield();
        _frames.Writer.TryComplete();
        try
        {
            // A write that hangs is not waited for longer than it may last; the file is then left to the system.
            await _writing.WaitAsync(LongestWrite, _time);
            if (_file is FileStream onDisk) onDisk.Flush(flushToDisk: true);
            await _file.DisposeAsync();
            _keys.Dispose();
        }
        catch (TimeoutException)
        {
            Fail("the disk did not take the end of the recording");
        }
        catch (IOException error)
        {
            Fail(error.Message);
        }

        await _flush.DisposeAsync();
        await _watch.DisposeAsync();
        lock (_gate)
        {
            _closed = true;
            _finished = true;
            _progress.TrySetResult();
            return new(
                _failure is null && _ended, _size, _chain.ToArray(), TimeSpan.FromMicroseconds(_length), _failure ?? (_ended ? null : "it was not brought to its end"));
        }
    }

    /// <param name="Last">When the last event was, in microseconds since the beginning.</param>
    private readonly record struct Gathered(FrameBuffer Frame, long Last);

    private sealed class Reading(RecordingWriter writer) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) != 0) return;
            lock (writer._gate) writer._readers--;
        }
    }
}
