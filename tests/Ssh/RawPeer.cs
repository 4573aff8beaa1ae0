using System.Threading.Channels;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>A client that exchanges keys as it should, and from there on sends whatever the test wants.</summary>
internal sealed class RawPeer : ITransportUser
{
    private readonly Channel<byte[]> _received = Channel.CreateUnbounded<byte[]>();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RawPeer(Stream stream, long rekeyBytes, AlgorithmOffer? offer) =>
        Transport = new SshTransport(stream, this, new TransportOptions
        {
            Side = Side.Client,
            Offer = (offer ?? new AlgorithmOffer()) with { HostKeys = ["ssh-ed25519"] },
            Time = TimeProvider.System,
            RekeyBytes = rekeyBytes,
        });

    public SshTransport Transport { get; }

    /// <summary>When set, this peer reads no further than the next message until it is released.</summary>
    public ManualResetEventSlim? Pause { get; set; }

    /// <summary>What the server announced as its host keys, as on the wire.</summary>
    public byte[] HostKeys { get; private set; } = [];

    /// <summary>Completes when it has stopped reading.</summary>
    public Task Paused => _paused.Task;

    bool ITransportUser.IsAuthenticated => false;

    bool ITransportUser.IsIdle => false;

    /// <summary>Past the key exchange, with the authentication service asked for.</summary>
    public static async Task<RawPeer> ConnectAsync(Stream stream, CancellationToken cancellation, long rekeyBytes = 1L << 30, AlgorithmOffer? offer = null)
    {
        var peer = new RawPeer(stream, rekeyBytes, offer);
        _ = peer.Transport.RunAsync();
        await peer._ready.Task.WaitAsync(cancellation);
        peer.Send(new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth"));
        (await peer.ReadAsync(cancellation))[0].ShouldBe(SshMessage.ExtInfo);
        (await peer.ReadAsync(cancellation))[0].ShouldBe(SshMessage.ServiceAccept);
        return peer;
    }

    /// <summary>Logged in by password.</summary>
    public static async Task<RawPeer> LogInAsync(Stream stream, CancellationToken cancellation, long rekeyBytes = 1L << 30, AlgorithmOffer? offer = null)
    {
        var peer = await ConnectAsync(stream, cancellation, rekeyBytes, offer);
        peer.Send(Request("alice", "password").Boolean(false).String("right"));
        (await peer.ReadAsync(cancellation))[0].ShouldBe(SshMessage.UserAuthSuccess);
        return peer;
    }

    public static SshWriter Request(string user, string method, string service = "ssh-connection") =>
        new SshWriter().Byte(SshMessage.UserAuthRequest).String(user).String(service).String(method);

    public void Send(SshWriter message) => Transport.Send(PacketUse.Control, message);

    /// <summary>Opens a session channel as number 7 with a window of 1,000 and a program in it; gives the server's number for it.</summary>
    public async Task<uint> OpenAsync(CancellationToken cancellation, uint window = 1000, uint maxPacket = 32768, string? command = null)
    {
        Send(new SshWriter().Byte(SshMessage.ChannelOpen).String("session").UInt32(7).UInt32(window).UInt32(maxPacket));
        var answer = await ReadAsync(cancellation);
        answer[0].ShouldBe(SshMessage.ChannelOpenConfirmation);
        var id = ReadNumber(answer.AsSpan(5));
        if (command is not null) Send(new SshWriter().Byte(SshMessage.ChannelRequest).UInt32(id).String("exec").Boolean(false).String(command));
        return id;
    }

    /// <summary>The next message that is not the transport's.</summary>
    public ValueTask<byte[]> ReadAsync(CancellationToken cancellation) => _received.Reader.ReadAsync(cancellation);

    /// <summary>What the server said in SSH_MSG_DISCONNECT, after whatever else it sent.</summary>
    public async Task<string> DisconnectedAsync(CancellationToken cancellation)
    {
        await Transport.Closed.WaitAsync(cancellation);
        return Transport.Error?.Message ?? "";
    }

    public static uint ReadNumber(ReadOnlySpan<byte> bytes)
    {
        new SshReader(bytes).TryReadUInt32(out var number).ShouldBeTrue();
        return number;
    }

    void ITransportUser.OnHostKey(ShownKey shown)
    {
        // Any will do.
    }

    void ITransportUser.OnReady() => _ready.TrySetResult();

    void ITransportUser.OnMessage(ReadOnlySpan<byte> payload)
    {
        if (Pause is { } pause)
        {
            _paused.TrySetResult();
            pause.Wait();
        }

        // Sent by the server after each login, and asked about by few tests.
        if (payload[0] == SshMessage.GlobalRequest && payload.IndexOf("hostkeys-00@openssh.com"u8) == 5) HostKeys = payload[(5 + "hostkeys-00@openssh.com".Length + 1)..].ToArray();
        else _received.Writer.TryWrite(payload.ToArray());
    }

    void ITransportUser.OnEnded()
    {
        _ready.TrySetException(Transport.Error ?? new IOException("ended"));
        _received.Writer.TryComplete();
    }
}
