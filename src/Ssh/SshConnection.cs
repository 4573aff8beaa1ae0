namespace Countersign.Ssh;

/// <summary>
/// What both ends of an established connection share. One receive loop per connection decrypts, parses and calls the handlers inline, one at a
/// time, in the order of the wire; sending is possible from any thread, never blocks and keeps the order of the calls.
/// </summary>
public abstract class SshConnection : IAsyncDisposable
{
    private protected SshConnection()
    {
    }

    /// <summary>The software version that the peer named, without control characters, at most 253 characters.</summary>
    public string PeerVersion => throw new NotImplementedException();

    /// <summary>Set once the connection is over, however it ended.</summary>
    public Task Closed => throw new NotImplementedException();

    /// <summary>Bytes queued for the network and not yet taken by it.</summary>
    public long PendingBytes => throw new NotImplementedException();

    /// <summary>Opens a channel (RFC 4254 section 5.1). Completes with the channel, or throws <see cref="SshChannelRefusedException"/>.</summary>
    public Task<SshChannel> OpenChannelAsync(string type, ReadOnlyMemory<byte> extra, SshChannelHandler handler, uint window, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Sends SSH_MSG_DISCONNECT with a sentence for the person at the other end, and closes. Reasons: RFC 4253 section 11.1.</summary>
    public void Disconnect(uint reason, string message) => throw new NotImplementedException();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        throw new NotImplementedException();
    }
}

/// <summary>
/// One channel (RFC 4254 section 5). Send methods may be called from any thread, never block and do nothing once the channel is closed.
/// </summary>
public sealed class SshChannel
{
    public SshConnection Connection => throw new NotImplementedException();

    /// <summary>Who is told what arrives. May be changed at any time; best from within one of its own calls, when no other call can be under way.</summary>
    public SshChannelHandler Handler
    {
        get => throw new NotImplementedException();
        set => throw new NotImplementedException();
    }

    /// <summary>How many bytes of data the peer accepts now; falls with what is sent, grows with its window adjustments.</summary>
    public long SendWindow => throw new NotImplementedException();

    /// <summary>The most data bytes that the peer accepts in one message.</summary>
    public int MaxSendPacket => throw new NotImplementedException();

    /// <summary>True from the moment that the close of both sides, or the end of the connection, has been seen.</summary>
    public bool IsClosed => throw new NotImplementedException();

    /// <summary>Sends data. The caller keeps within <see cref="SendWindow"/>, and is the only one sending data on this channel; larger than a packet is split.</summary>
    /// <exception cref="InvalidOperationException">More than the window allows.</exception>
    public void SendData(ReadOnlySpan<byte> data) => throw new NotImplementedException();

    /// <summary>As <see cref="SendData"/>, for SSH_MSG_CHANNEL_EXTENDED_DATA; type 1 is standard error.</summary>
    public void SendExtendedData(uint type, ReadOnlySpan<byte> data) => throw new NotImplementedException();

    /// <summary>Sends as much as the window allows now, the rest as it opens; completes when all has been queued. False: the channel closed before that.</summary>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>As <see cref="WriteAsync"/>, on standard error.</summary>
    public ValueTask<bool> WriteErrorAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation) => throw new NotImplementedException();

    public void SendEof() => throw new NotImplementedException();

    /// <summary>A channel request that wants no reply.</summary>
    /// <param name="payload">The type-specific data, as on the wire.</param>
    public void SendRequest(string name, ReadOnlySpan<byte> payload) => throw new NotImplementedException();

    /// <summary>A channel request that wants a reply: true for success. False, too, once the channel is closed.</summary>
    public Task<bool> RequestAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Gives the peer credit for <paramref name="bytes"/> more. Nothing is granted by itself but the window at opening.</summary>
    public void GrantWindow(uint bytes) => throw new NotImplementedException();

    /// <summary>Sends SSH_MSG_CHANNEL_CLOSE, once; the channel is closed when the peer's has come, too.</summary>
    public void Close() => throw new NotImplementedException();
}

/// <summary>
/// Told what arrives on a channel, on the receive loop of its connection: the spans are the loop's buffer and are gone after the call; a call that
/// takes long holds up the whole connection. Every default does nothing, but refuses requests.
/// </summary>
public abstract class SshChannelHandler
{
    /// <summary>Data (type 0), or extended data of the type; never more than the window that was granted.</summary>
    public virtual void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
    {
    }

    /// <summary>The peer accepts this many bytes more; <see cref="SshChannel.SendWindow"/> has them already.</summary>
    public virtual void OnWindowAdjust(SshChannel channel, uint bytes)
    {
    }

    /// <summary>The network has taken everything that was queued on the channel's connection: the moment to hand credit on.</summary>
    public virtual void OnDrained(SshChannel channel)
    {
    }

    public virtual void OnEof(SshChannel channel)
    {
    }

    /// <summary>A channel request. The answer may be given at once or later; order of answers is kept by the library.</summary>
    public virtual void OnRequest(SshChannel channel, SshChannelRequest request) => request.Reply(SshReply.Failure);

    /// <summary>The last call: the peer closed the channel (ours is answered by the library) or the connection ended.</summary>
    public virtual void OnClosed(SshChannel channel)
    {
    }
}

public enum SshReply
{
    Success,
    Failure,
}

/// <summary>A channel request of the peer (RFC 4254 section 5.4), copied out of the receive buffer.</summary>
public sealed class SshChannelRequest
{
    /// <summary>At most 64 ASCII characters.</summary>
    public string Name => throw new NotImplementedException();

    public bool WantsReply => throw new NotImplementedException();

    public ReadOnlyMemory<byte> Payload => throw new NotImplementedException();

    /// <summary>Answers, once; does nothing where no reply is wanted.</summary>
    public void Reply(SshReply reply) => throw new NotImplementedException();
}

/// <summary>The peer refused to open a channel (RFC 4254 section 5.1 gives the reason's numbers).</summary>
public sealed class SshChannelRefusedException(uint reason, string description) : Exception(description)
{
    public uint Reason { get; } = reason;
}

/// <summary>The connection could not be made or broke: the peer's fault, the network's, or ours.</summary>
public sealed class SshConnectionException(uint reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>RFC 4253 section 11.1.</summary>
    public uint Reason { get; } = reason;
}

/// <summary>The target refused every credential offered.</summary>
public sealed class SshAuthenticationException(string message) : Exception(message);

/// <summary>The target's host key is not the expected one.</summary>
public sealed class SshHostKeyException(SshPublicKey offered) : Exception($"unexpected host key {offered.Fingerprint}")
{
    public SshPublicKey Offered { get; } = offered;
}
