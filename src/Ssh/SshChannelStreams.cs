using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace Countersign.Ssh;

/// <summary>
/// A handler for those who want streams: what comes is kept until it is read, and the peer gets credit for what has been read, so that never more
/// than the window is kept. Standard output and standard error share the channel's window, as SSH has it: read both, or discard one.
/// Writing is the channel's own <see cref="SshChannel.WriteAsync"/>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The streams hold managed memory only; disposing them would mean nothing.")]
public sealed class SshChannelStreams : SshChannelHandler
{
    /// <summary>What a channel opened with these streams should offer as window.</summary>
    public const uint DefaultWindow = 2 * 1024 * 1024;

    private readonly Action<SshChannel, SshChannelRequest>? _onRequest;
    private readonly Incoming _output;
    private readonly Incoming _error;
    private readonly TaskCompletionSource<uint?> _exitStatus = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ExitSignalRequest?> _exitSignal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly uint _grantAfter;
    private SshChannel? _channel;
    private long _consumed;
    private bool _discardError;

    /// <param name="window">The window that the channel is opened with.</param>
    /// <param name="onRequest">Asked about requests other than the exit's two, on the receive loop; refused where there is nobody to ask.</param>
    public SshChannelStreams(uint window = DefaultWindow, Action<SshChannel, SshChannelRequest>? onRequest = null)
    {
        _grantAfter = Math.Max(1, window / 4);
        _onRequest = onRequest;
        _output = new Incoming(this);
        _error = new Incoming(this);
    }

    /// <summary>Data of the channel: a client's standard output, a server's standard input. Ends at the peer's end of file, or with the channel.</summary>
    public Stream Output => _output;

    /// <summary>Extended data of the channel: standard error. Ends with the channel.</summary>
    public Stream Error => _error;

    /// <summary>What the process returned; null once the channel has closed without saying.</summary>
    public Task<uint?> ExitStatus => _exitStatus.Task;

    /// <summary>The signal that ended the process; null if none did.</summary>
    public Task<ExitSignalRequest?> ExitSignal => _exitSignal.Task;

    public Task Closed => _closed.Task;

    /// <summary>Opens a session channel (RFC 4254 section 6.1) with these streams on it.</summary>
    public static async Task<(SshChannel Channel, SshChannelStreams Streams)> OpenSessionAsync(SshConnection connection, CancellationToken cancellation)
    {
        var streams = new SshChannelStreams();
        return (await connection.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, streams, DefaultWindow, cancellation), streams);
    }

    /// <summary>Throws standard error away from here on. What has come already can still be read.</summary>
    public void DiscardError() => Volatile.Write(ref _discardError, true);

    public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
    {
        _channel = channel;
        if (type == 0) _output.Add(data);
        else if (type == 1 && !Volatile.Read(ref _discardError)) _error.Add(data);
        else Consumed(data.Length);
    }

    public override void OnEof(SshChannel channel) => _output.End();

    public override void OnRequest(SshChannel channel, SshChannelRequest request)
    {
        switch (request.Name)
        {
            case SessionRequests.ExitStatus when ExitStatusRequest.TryParse(request.Payload.Span, out var status):
                _exitStatus.TrySetResult(status.Status);
                break;
            case SessionRequests.ExitSignal when ExitSignalRequest.TryParse(request.Payload.Span, out var signal):
                _exitSignal.TrySetResult(signal);
                break;
            default:
                if (_onRequest is null) base.OnRequest(channel, request);
                else _onRequest(channel, request);
                break;
        }
    }

    public override void OnClosed(SshChannel channel)
    {
        _output.End();
        _error.End();
        _exitStatus.TrySetResult(null);
        _exitSignal.TrySetResult(null);
        _closed.TrySetResult();
    }

    /// <summary>Credit goes out in large pieces: a message for every quarter of the window.</summary>
    private void Consumed(long bytes)
    {
        if (Interlocked.Add(ref _consumed, bytes) < _grantAfter) return;
        var grant = Interlocked.Exchange(ref _consumed, 0);
        if (grant > 0) _channel?.GrantWindow((uint)grant);
    }

    /// <summary>A pipe without limit of its own: the window is the limit.</summary>
    private sealed class Incoming(SshChannelStreams owner) : Stream
    {
        private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, resumeWriterThreshold: 0, useSynchronizationContext: false));
        private bool _ended;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Add(ReadOnlySpan<byte> data)
        {
            if (_ended) return;
            data.CopyTo(_pipe.Writer.GetSpan(data.Length));
            _pipe.Writer.Advance(data.Length);
            Publish();
        }

        public void End()
        {
            if (_ended) return;
            _ended = true;
            _pipe.Writer.Complete();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var result = await _pipe.Reader.ReadAsync(cancellationToken);
            var available = result.Buffer;
            var length = (int)Math.Min(available.Length, buffer.Length);
            var taken = available.Slice(0, length);
            var at = buffer.Span;
            foreach (var segment in taken)
            {
                segment.Span.CopyTo(at);
                at = at[segment.Length..];
            }

            _pipe.Reader.AdvanceTo(taken.End);
            owner.Consumed(length);
            return length;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("these streams are asynchronous");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        /// <summary>Completes at once, since the pipe has no limit to wait for.</summary>
        private void Publish() => _ = _pipe.Writer.FlushAsync().AsTask();
    }
}
