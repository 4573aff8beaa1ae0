using System.Text;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh;

/// <summary>
/// What both ends of an established connection share. One receive loop per connection decrypts, parses and calls the handlers inline, one at a
/// time, in the order of the wire; sending is possible from any thread, never blocks and keeps the order of the calls.
/// </summary>
public abstract class SshConnection : IAsyncDisposable, ITransportUser
{
    private const int MaxMissedKeepAlives = 3;

    /// <summary>How long a peer has to show what it was sent last, before it is told that the connection is over.</summary>
    private static readonly TimeSpan _longestParting = TimeSpan.FromSeconds(1);

    private readonly ChannelTable _channels;
    private readonly TimeProvider _time;
    private readonly TimeSpan _keepAlive;
    private ITimer? _keepAliveTimer;
    private long _lastTick;
    private int _missed;
    private readonly Lock _partingGate = new();
    private Parting? _parting;
    private int _unanswered;
    private int _wantingNone;

    private protected SshConnection(Stream stream, TransportOptions options, TimeSpan keepAlive)
    {
        _time = options.Time;
        _keepAlive = keepAlive;
        _channels = new ChannelTable(this);
        Transport = new SshTransport(stream, this, options);
    }

    /// <summary>The software version that the peer named, without control characters, at most 253 characters.</summary>
    public string PeerVersion => Transport.PeerVersion;

    /// <summary>Set once the connection is over, however it ended; never faults. Every channel's handler has had its last call then, but for those whose opening was just being answered.</summary>
    public Task Closed => Transport.Closed;

    /// <summary>Why it ended, in one line without control characters. Null for an orderly end, and as long as it lasts.</summary>
    public string? EndReason => Transport.Error?.Message;

    /// <summary>What one of our own handlers threw, which ended it: for the log of whoever owns the connection. Null: nothing.</summary>
    public Exception? Fault => Transport.Fault;

    /// <summary>Bytes queued for the network and not yet taken by it.</summary>
    public long PendingBytes => Transport.Output.Pending;

    /// <summary>For whoever relays to this connection's channels.</summary>
    public CreditBudget Credit { get; } = new();

    bool ITransportUser.IsAuthenticated => IsAuthenticated;

    bool ITransportUser.IsIdle => _channels.Count == 0;

    internal SshTransport Transport { get; }

    internal abstract bool IsAuthenticated { get; }

    /// <summary>The end has been decided on this side.</summary>
    internal bool IsParting
    {
        get
        {
            lock (_partingGate) return _parting is not null;
        }
    }

    internal abstract int MaxPeerChannels { get; }

    /// <summary>Opens a channel (RFC 4254 section 5.1). Completes with the channel, or throws <see cref="SshChannelRefusedException"/>.</summary>
    /// <param name="extra">What the type wants besides, as on the wire.</param>
    /// <param name="window">What the peer may send before more is granted.</param>
    /// <exception cref="SshChannelRefusedException">The peer does not want to.</exception>
    /// <exception cref="SshConnectionException">The connection is over.</exception>
    public Task<SshChannel> OpenChannelAsync(string type, ReadOnlyMemory<byte> extra, SshChannelHandler handler, uint window, CancellationToken cancellation) =>
        _channels.OpenAsync(type, extra, handler, window, cancellation);

    /// <summary>
    /// Sends SSH_MSG_DISCONNECT with a sentence for the person at the other end, and closes. Reasons: RFC 4253 section 11.1. Where something was sent just
    /// before, the peer has a second to show it: OpenSSH drops what it has not written to its terminal when it reads the message.
    /// </summary>
    public void Disconnect(uint reason, string message)
    {
        if (OnDisconnecting()) Part(reason, message);
        else Transport.Close(reason, message);
    }

    /// <summary>Ends the connection, if it has not ended, and waits until it has; does not wait when called by one of its own handlers.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Transport.Close(SshDisconnectReason.ByApplication, "");
        return Transport.IsLoopThread ? ValueTask.CompletedTask : new ValueTask(Transport.Closed);
    }

    void ITransportUser.OnHostKey(ShownKey shown) => OnHostKey(shown);

    void ITransportUser.OnReady() => OnReady();

    void ITransportUser.OnMessage(ReadOnlySpan<byte> payload)
    {
        if (OnOwnMessage(payload)) return;
        var number = payload[0];
        switch (number)
        {
            case SshMessage.GlobalRequest:
                OnGlobalRequest(payload[1..]);
                break;
            case SshMessage.Ping:
                OnPing(payload[1..]);
                break;
            case SshMessage.RequestSuccess or SshMessage.RequestFailure:
                OnAnswered();
                break;
            case >= SshMessage.ChannelOpen and <= SshMessage.ChannelFailure:
                _channels.OnMessage(number, payload[1..]);
                break;
            default:
                Transport.SendUnimplemented();
                break;
        }
    }

    void ITransportUser.OnEnded()
    {
        _keepAliveTimer?.Dispose();
        lock (_partingGate) _parting?.Patience.Dispose();
        OnEnded();
        _channels.End();
    }

    /// <summary>The peer wants a channel.</summary>
    internal abstract SshChannelAnswer AnswerOpen(string type, ReadOnlySpan<byte> extra);

    /// <summary>The peer wants something of the connection as a whole (RFC 4254 section 4).</summary>
    internal abstract SshGlobalAnswer AnswerGlobal(string name, ReadOnlySpan<byte> payload);

    private protected abstract void OnHostKey(ShownKey shown);

    private protected abstract void OnReady();

    private protected abstract void OnEnded();

    /// <summary>Before authentication: everything. After it: what is left of authentication. False: not one of these.</summary>
    private protected abstract bool OnOwnMessage(ReadOnlySpan<byte> payload);

    /// <summary>Answered at once, so the answers are in the order of the requests. OpenSSH takes the refusal of its keep-alive for a sign of life.</summary>
    private protected void OnGlobalRequest(ReadOnlySpan<byte> rest)
    {
        var reader = new SshReader(rest);
        if (!reader.TryReadString(out var name, 256) || !Ascii.IsValid(name) || !reader.TryReadBoolean(out var wantsReply))
        {
            throw new SshConnectionException(SshDisconnectReason.ProtocolError, "malformed SSH_MSG_GLOBAL_REQUEST");
        }

        var answer = AnswerGlobal(Encoding.ASCII.GetString(name), reader.Rest);
        if (!wantsReply) return;
        Transport.Send(PacketUse.Control, answer is SshGlobalAnswer.Grant grant
            ? new SshWriter().Byte(SshMessage.RequestSuccess).Raw(grant.Payload.Span)
            : new SshWriter().Byte(SshMessage.RequestFailure));
    }

    private void OnPing(ReadOnlySpan<byte> rest)
    {
        var reader = new SshReader(rest);
        if (!reader.TryReadString(out var data) || !reader.IsAtEnd) throw new SshConnectionException(SshDisconnectReason.ProtocolError, "malformed SSH_MSG_PING");
        Transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.Pong).String(data));
    }

    /// <summary>The last moment in which something can be sent. True: something was.</summary>
    private protected virtual bool OnDisconnecting() => false;

    /// <summary>Requests are answered in their order, and by OpenSSH only after the data that came before them has been passed on.</summary>
    private void Part(uint reason, string message)
    {
        lock (_partingGate)
        {
            if (_parting is not null) return;
            var patience = _time.CreateTimer(_ => Transport.Close(reason, message), null, _longestParting, Timeout.InfiniteTimeSpan);
            _parting = new(reason, message, patience);
            SendKeepAlive();
        }
    }

    /// <summary>
    /// To a keep-alive; of one that keeps the connection alive nothing else is wanted, the transport has noted when it came. OpenSSH passes over replies that nobody
    /// asked for, and RFC 4254 section 4 knows none: more of them than there were requests end the connection.
    /// </summary>
    private void OnAnswered()
    {
        lock (_partingGate)
        {
            if (_unanswered > 0) _unanswered--;
            else if (_wantingNone > 0) _wantingNone--;
            else throw new SshConnectionException(SshDisconnectReason.ProtocolError, "a reply to no global request");
            if (_parting is { } parting && _unanswered == 0) Transport.Close(parting.Reason, parting.Message);
        }
    }

    /// <summary>A global request that wants no reply. One is borne with: older clients of Dropbear refuse each request, whether it wants a reply or not.</summary>
    private protected void SendWantingNone(SshWriter request)
    {
        lock (_partingGate) _wantingNone++;
        Transport.Send(PacketUse.Control, request);
    }

    private void SendKeepAlive()
    {
        lock (_partingGate)
        {
            _unanswered++;
            Transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.GlobalRequest).String("keepalive@openssh.com").Boolean(true));
        }
    }

    private protected void StartKeepAlive()
    {
        if (_keepAlive <= TimeSpan.Zero) return;
        _lastTick = _time.GetTimestamp();
        _keepAliveTimer = _time.CreateTimer(_ => KeepAlive(), null, _keepAlive, _keepAlive);
    }

    private void KeepAlive()
    {
        if (Transport.Closed.IsCompleted)
        {
            // It ended just while the timer was made.
            _keepAliveTimer?.Dispose();
            return;
        }

        var heard = Transport.LastHeard >= _lastTick;
        _lastTick = _time.GetTimestamp();
        _missed = heard ? 0 : _missed + 1;
        if (_missed > MaxMissedKeepAlives)
        {
            Transport.End(new SshConnectionException(SshDisconnectReason.ConnectionLost, "the peer does not answer"), Farewell.Say);
        }
        else if (!heard)
        {
            SendKeepAlive();
        }
    }

    /// <param name="Patience">Closes when it runs out.</param>
    private sealed record Parting(uint Reason, string Message, ITimer Patience);
}
