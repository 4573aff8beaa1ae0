namespace Countersign.Ssh;

/// <summary>
/// Told what arrives on a channel, on the receive loop of its connection: the spans are the loop's buffer and are gone after the call; a call that
/// takes long holds up the whole connection. Every default does nothing, but refuses requests. An exception ends the connection.
/// </summary>
public abstract class SshChannelHandler
{
    /// <summary>
    /// A channel that the peer opened can be used. Where it was accepted at once, this is the first call. Where the answer took its time
    /// (<see cref="SshChannelAnswer.Later"/>), it comes from the thread that gave the answer, and data, requests and the end of file may come before and beside it;
    /// <see cref="OnClosed"/> comes after it has returned, always.
    /// </summary>
    public virtual void OnOpened(SshChannel channel)
    {
    }

    /// <summary>Data (type 0), or extended data of the type; never more than the window that was granted.</summary>
    public virtual void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
    {
    }

    /// <summary>The peer accepts this many bytes more; <see cref="SshChannel.SendWindow"/> has them already.</summary>
    public virtual void OnWindowAdjust(SshChannel channel, uint bytes)
    {
    }

    /// <summary>
    /// The network has taken everything that was queued on the channel's connection: the moment to hand credit on. Only after something was sent on
    /// this channel, or it was asked for (<see cref="SshChannel.TellWhenDrained"/>). Unlike the other calls this one comes from whichever thread wrote last, never from inside a send method: it may run beside the
    /// others, and once after <see cref="OnClosed"/>, but never beside itself.
    /// </summary>
    public virtual void OnDrained(SshChannel channel)
    {
    }

    public virtual void OnEof(SshChannel channel)
    {
    }

    /// <summary>A channel request. The answer may be given at once or later; order of answers is kept by the library.</summary>
    public virtual void OnRequest(SshChannel channel, SshChannelRequest request) => request.Reply(SshReply.Failure);

    /// <summary>
    /// The last call, exactly once: the peer closed the channel (ours is answered by the library) or the connection ended. On the receive loop, but where
    /// <see cref="OnOpened"/> was under way at that moment, or the channel was accepted after the connection's end: then on the thread of that call, behind it.
    /// </summary>
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
    private readonly SshChannel _channel;

    internal SshChannelRequest(SshChannel channel, string name, bool wantsReply, byte[] payload)
    {
        _channel = channel;
        Name = name;
        WantsReply = wantsReply;
        Payload = payload;
    }

    /// <summary>At most 64 ASCII characters.</summary>
    public string Name { get; }

    public bool WantsReply { get; }

    public ReadOnlyMemory<byte> Payload { get; }

    internal SshReply? Answer { get; set; }

    /// <summary>Answers, once; does nothing where no reply is wanted, and once the channel is closed.</summary>
    public void Reply(SshReply reply) => _channel.Answer(this, reply);
}
