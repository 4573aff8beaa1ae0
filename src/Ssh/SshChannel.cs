using System.Buffers.Binary;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh;

/// <summary>
/// One channel (RFC 4254 section 5). Send methods may be called from any thread, never block and do nothing once the channel is closed.
/// </summary>
public sealed class SshChannel
{
    /// <summary>The most data that we put into one message; every implementation has to take it (RFC 4253 section 6.1).</summary>
    internal const int MaxPacket = 32 * 1024;

    private const int MaxUnansweredRequests = 64;

    private readonly Lock _gate = new();
    private readonly Queue<SshChannelRequest> _unanswered = new();
    private readonly Queue<TaskCompletionSource<bool>> _asked = new();
    private readonly uint _peerId;
    private volatile SshChannelHandler _handler;
    private TaskCompletionSource? _windowOpened;
    private long _sendWindow;
    private long _receiveWindow;
    private bool _eofSent;
    private bool _closeSent;
    private bool _eofReceived;
    private volatile bool _closed;

    internal SshChannel(SshConnection connection, ChannelTerms terms, SshChannelHandler handler)
    {
        Connection = connection;
        Id = terms.OwnId;
        _peerId = terms.PeerId;
        _sendWindow = terms.SendWindow;
        _receiveWindow = terms.ReceiveWindow;
        MaxSendPacket = (int)Math.Min(terms.PeerMaxPacket, MaxPacket);
        _handler = handler;
    }

    public SshConnection Connection { get; }

    /// <summary>
    /// Who is told what arrives. May be changed at any time: a call under way is finished by the old handler, every later one comes to the new, and
    /// none is lost. Best changed from within one of its own calls, when no other call can be under way.
    /// </summary>
    public SshChannelHandler Handler
    {
        get => _handler;
        set => _handler = value;
    }

    /// <summary>How many bytes of data the peer accepts now; falls with what is sent, grows with its window adjustments.</summary>
    public long SendWindow => Interlocked.Read(ref _sendWindow);

    /// <summary>The most data bytes that the peer accepts in one message.</summary>
    public int MaxSendPacket { get; }

    /// <summary>True from the moment that the close of both sides, or the end of the connection, has been seen.</summary>
    public bool IsClosed => _closed;

    internal uint Id { get; }

    /// <summary>The handler has not been told yet that it is open: its last call waits for that.</summary>
    internal bool IsOpening { get; set; }

    /// <summary>Belongs to the output, under its lock.</summary>
    internal bool IsWaitingForDrain { get; set; }

    /// <summary>Sends data. The caller keeps within <see cref="SendWindow"/>, and is the only one sending data on this channel; larger than a packet is split.</summary>
    /// <exception cref="InvalidOperationException">More than the window allows.</exception>
    public void SendData(ReadOnlySpan<byte> data) => SendExtendedData(0, data);

    /// <summary>As <see cref="SendData"/>, for SSH_MSG_CHANNEL_EXTENDED_DATA; type 1 is standard error.</summary>
    public void SendExtendedData(uint type, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        if (Reserve(data.Length, data.Length) == 0)
        {
            if (_closed) return;
            throw new InvalidOperationException("more data than the peer's window allows");
        }

        Emit(type, data);
        Connection.Transport.Flush();
    }

    /// <summary>Sends as much as the window allows now, the rest as it opens; completes when all has been queued. False: the channel closed before that.</summary>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation) => WriteAllAsync(0, data, cancellation);

    /// <summary>As <see cref="WriteAsync"/>, on standard error.</summary>
    public ValueTask<bool> WriteErrorAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation) => WriteAllAsync(1, data, cancellation);

    /// <summary>
    /// Has <see cref="SshChannelHandler.OnDrained"/> called when the network has taken what is queued on the connection, also if nothing of it is this channel's.
    /// False: nothing is queued, and it is not called.
    /// </summary>
    public bool TellWhenDrained() => Connection.Transport.Output.TellWhenDrained(this);

    public void SendEof()
    {
        lock (_gate)
        {
            if (_eofSent || _closeSent || _closed) return;
            _eofSent = true;
            Queue(PacketUse.Control, new SshWriter().Byte(SshMessage.ChannelEof).UInt32(_peerId));
        }

        Connection.Transport.Flush();
    }

    /// <summary>A channel request that wants no reply.</summary>
    /// <param name="payload">The type-specific data, as on the wire.</param>
    public void SendRequest(string name, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (_closeSent || _closed) return;
            Queue(PacketUse.Control, Request(name, payload).Boolean(false).Raw(payload));
        }

        Connection.Transport.Flush();
    }

    /// <summary>A channel request that wants a reply: true for success. False, too, once the channel is closed.</summary>
    public async Task<bool> RequestAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_closeSent || _closed) return false;
            _asked.Enqueue(answer);
            Queue(PacketUse.Control, Request(name, payload.Span).Boolean(true).Raw(payload.Span));
        }

        Connection.Transport.Flush();
        return await answer.Task.WaitAsync(cancellation);
    }

    /// <summary>Gives the peer credit for <paramref name="bytes"/> more. Nothing is granted by itself but the window at opening.</summary>
    /// <exception cref="InvalidOperationException">The window would be larger than RFC 4254 section 5.2 allows.</exception>
    public void GrantWindow(uint bytes)
    {
        if (bytes == 0) return;
        lock (_gate)
        {
            if (_closeSent || _closed || _eofReceived) return;
            if (Interlocked.Add(ref _receiveWindow, bytes) > uint.MaxValue) throw new InvalidOperationException("a window of more than 4 GiB");
            Span<byte> message = stackalloc byte[9];
            message[0] = SshMessage.ChannelWindowAdjust;
            BinaryPrimitives.WriteUInt32BigEndian(message[1..], _peerId);
            BinaryPrimitives.WriteUInt32BigEndian(message[5..], bytes);
            Connection.Transport.Output.Send(PacketUse.Control, message, []);
        }

        Connection.Transport.Flush();
    }

    /// <summary>Sends SSH_MSG_CHANNEL_CLOSE, once; the channel is closed when the peer's has come, too. What arrives until then is dropped.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (!QueueClose()) return;
        }

        Connection.Transport.Flush();
    }

    internal void Answer(SshChannelRequest request, SshReply reply)
    {
        if (!request.WantsReply) return;
        lock (_gate)
        {
            request.Answer ??= reply;
            while (_unanswered.TryPeek(out var next) && next.Answer is { } answer)
            {
                _unanswered.Dequeue();
                if (_closeSent || _closed) continue;
                Queue(PacketUse.Control, new SshWriter().Byte(answer == SshReply.Success ? SshMessage.ChannelSuccess : SshMessage.ChannelFailure).UInt32(_peerId));
            }
        }

        Connection.Transport.Flush();
    }

    internal void Drained()
    {
        if (!_closed) _handler.OnDrained(this);
    }

    internal void Received(uint type, ReadOnlySpan<byte> data)
    {
        if (_eofReceived && type == 0) throw Violation("data after the end of file");
        if (data.Length > MaxPacket) throw Violation($"{data.Length} bytes of data in one message");
        if (Interlocked.Add(ref _receiveWindow, -data.Length) < 0) throw Violation("more data than the window allows");
        if (!_closeSent && !data.IsEmpty) _handler.OnData(this, type, data);
    }

    internal void ReceivedAdjust(uint bytes)
    {
        TaskCompletionSource? opened;
        lock (_gate)
        {
            if (Interlocked.Add(ref _sendWindow, bytes) > uint.MaxValue) throw Violation("a window of more than 4 GiB");
            (opened, _windowOpened) = (_windowOpened, null);
        }

        opened?.TrySetResult();
        if (!_closeSent) _handler.OnWindowAdjust(this, bytes);
    }

    internal void ReceivedEof()
    {
        if (_eofReceived) throw Violation("a second end of file");
        _eofReceived = true;
        if (!_closeSent) _handler.OnEof(this);
    }

    internal void ReceivedRequest(SshChannelRequest request)
    {
        if (_closeSent) return;
        if (request.WantsReply)
        {
            lock (_gate)
            {
                if (_unanswered.Count >= MaxUnansweredRequests) throw Violation("too many requests without waiting for replies");
                _unanswered.Enqueue(request);
            }
        }

        _handler.OnRequest(this, request);
    }

    internal void ReceivedReply(SshReply reply)
    {
        TaskCompletionSource<bool>? answer;
        lock (_gate)
        {
            if (!_asked.TryDequeue(out answer)) throw Violation("a reply to no request");
        }

        answer.TrySetResult(reply == SshReply.Success);
    }

    /// <summary>The peer's close has come: ours goes out if it has not yet.</summary>
    internal void ReceivedClose()
    {
        lock (_gate)
        {
            QueueClose();
        }

        Connection.Transport.Flush();
        Finish();
    }

    /// <summary>Both sides have closed, or the connection is over. Called by the receive loop, once.</summary>
    internal void Finish()
    {
        TaskCompletionSource? opened;
        bool isOpening;
        lock (_gate)
        {
            _closed = true;
            isOpening = IsOpening;
            (opened, _windowOpened) = (_windowOpened, null);
            while (_asked.TryDequeue(out var answer)) answer.TrySetResult(false);
            _unanswered.Clear();
        }

        opened?.TrySetResult();
        if (!isOpening) _handler.OnClosed(this);
    }

    /// <summary>The handler has been told that it is open, and is told now if it has come to its end meanwhile.</summary>
    internal void Opened()
    {
        lock (_gate)
        {
            IsOpening = false;
            if (!_closed) return;
        }

        _handler.OnClosed(this);
    }

    private async ValueTask<bool> WriteAllAsync(uint type, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        while (!data.IsEmpty)
        {
            // A peer with a huge window and a slow network must not fill our memory.
            await Connection.Transport.Output.WhenRoom().WaitAsync(cancellation);
            var length = Reserve(1, Math.Min(data.Length, MaxPacket));
            if (length > 0)
            {
                Emit(type, data.Span[..length]);
                Connection.Transport.Flush();
                data = data[length..];
                continue;
            }

            if (WindowOpens() is not { } opens) return false;
            await opens.WaitAsync(cancellation);
        }

        return !_closed && !_closeSent;
    }

    /// <summary>Completes when there is a window again or the channel is closed; null if it is.</summary>
    private Task? WindowOpens()
    {
        lock (_gate)
        {
            if (_closed || _closeSent) return null;
            if (Interlocked.Read(ref _sendWindow) > 0) return Task.CompletedTask;
            _windowOpened ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _windowOpened.Task;
        }
    }

    /// <summary>Takes at most so much of the window, or nothing if there is not the least that is wanted.</summary>
    private int Reserve(int least, int most)
    {
        while (true)
        {
            var window = Interlocked.Read(ref _sendWindow);
            if (window < least || _closed) return 0;
            var taken = (int)Math.Min(window, most);
            if (Interlocked.CompareExchange(ref _sendWindow, window - taken, window) == window) return taken;
        }
    }

    private void Emit(uint type, ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[13];
        head[0] = type == 0 ? SshMessage.ChannelData : SshMessage.ChannelExtendedData;
        BinaryPrimitives.WriteUInt32BigEndian(head[1..], _peerId);
        if (type == 0) head = head[..9];
        else BinaryPrimitives.WriteUInt32BigEndian(head[5..], type);
        lock (_gate)
        {
            if (_closeSent || _closed || _eofSent) return;
            while (!data.IsEmpty)
            {
                var length = Math.Min(data.Length, MaxSendPacket);
                BinaryPrimitives.WriteUInt32BigEndian(head[^4..], (uint)length);
                Connection.Transport.Output.Send(PacketUse.Data, head, data[..length], this);
                data = data[length..];
            }
        }
    }

    private bool QueueClose()
    {
        if (_closeSent || _closed) return false;
        _closeSent = true;
        Queue(PacketUse.Control, new SshWriter().Byte(SshMessage.ChannelClose).UInt32(_peerId));
        _windowOpened?.TrySetResult();
        _windowOpened = null;
        return true;
    }

    private SshWriter Request(string name, ReadOnlySpan<byte> payload)
    {
        // Ours, and not the peer's, so an argument and not a violation.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, MaxPacket, nameof(payload));
        return new SshWriter().Byte(SshMessage.ChannelRequest).UInt32(_peerId).String(name);
    }

    private void Queue(PacketUse use, SshWriter message) => Connection.Transport.Output.Send(use, message.Written.Span, []);

    private static SshConnectionException Violation(string what) => new(SshDisconnectReason.ProtocolError, $"channel: {what}");
}

/// <summary>What both ends have said in opening a channel.</summary>
internal readonly record struct ChannelTerms(uint OwnId, uint PeerId, uint SendWindow, uint ReceiveWindow, uint PeerMaxPacket);
