using System.Net;
using System.Net.Sockets;
using Countersign.Ssh;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Capture;

/// <summary>One session between a real client and a real sshd, in the clear.</summary>
/// <param name="ClientStart">What the client sent before there were keys.</param>
/// <param name="SignedIn">Messages up to the success, of the client and to it.</param>
/// <param name="HostSignedIn">What sshd said up to its success.</param>
/// <param name="Used">What came afterwards, in order.</param>
internal sealed record Tapped(byte[] ClientStart, byte[] ServerStart, IReadOnlyList<Step> SignedIn, IReadOnlyList<Step> HostSignedIn, IReadOnlyList<Step> Used);

/// <summary>Stands between a client and an sshd: signs in at both ends by itself, hands everything else on, and writes it down.</summary>
internal sealed class Tap(int sshdPort, string user, SshPrivateKey hostKey, SshPrivateKey userKey)
{
    private readonly Lock _gate = new();
    private readonly List<Step> _signedIn = [];
    private readonly List<Step> _hostSignedIn = [];
    private readonly List<Step> _used = [];
    private readonly TaskCompletionSource _isIn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _hostIsIn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Half _client = null!;
    private Half _host = null!;

    public async Task<Tapped> RunAsync(TcpListener listener)
    {
        var accepted = new Overheard(new NetworkStream(await listener.AcceptSocketAsync(), ownsSocket: true));
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, sshdPort);
        var connected = new Overheard(new NetworkStream(socket, ownsSocket: true));
        _host = new Half(connected, Side.Client, null, FromHost);
        var hostRuns = _host.Transport.RunAsync();
        await _host.Ready;
        _host.Send(new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth").Written.Span);
        _host.Send(Request("none").Written.Span);
        var request = Request("publickey").Boolean(true).String("ssh-ed25519").String(userKey.PublicKey.Blob.Span);
        var signed = new SshWriter().String(_host.Transport.Session).Raw(request.Written.Span);
        _host.Send(request.String(userKey.Sign("ssh-ed25519", signed.Written.Span)).Written.Span);
        await _hostIsIn.Task;
        _client = new Half(accepted, Side.Server, hostKey, FromClient);
        var clientRuns = _client.Transport.RunAsync();
        await Task.WhenAny(clientRuns, hostRuns);
        _client.Transport.Close(11, "");
        _host.Transport.Close(11, "");
        await Task.WhenAll(clientRuns, hostRuns);
        lock (_gate) return new(accepted.Bytes, connected.Bytes, [.. _signedIn], [.. _hostSignedIn], [.. _used]);
    }

    private SshWriter Request(string method) => new SshWriter().Byte(SshMessage.UserAuthRequest).String(user).String("ssh-connection").String(method);

    private void FromHost(byte[] message)
    {
        lock (_gate)
        {
            if (!_hostIsIn.Task.IsCompleted)
            {
                _hostSignedIn.Add(new(StepKind.Server, message));
                if (message[0] == SshMessage.UserAuthSuccess) _hostIsIn.TrySetResult();
                return;
            }

            if (_isIn.Task.IsCompleted)
            {
                _used.Add(new(StepKind.Server, message));
                _client.Send(message);
            }
            else
            {
                _hostSignedIn.Add(new(StepKind.Server, message));
            }
        }
    }

    private void FromClient(byte[] message)
    {
        lock (_gate)
        {
            if (_isIn.Task.IsCompleted)
            {
                _used.Add(new(StepKind.Client, message));
                _host.Send(message);
                return;
            }

            _signedIn.Add(new(StepKind.Client, message));
            Answer(message);
        }
    }

    /// <summary>As a server would that lets everybody in who has a password, or any key.</summary>
    private void Answer(byte[] message)
    {
        if (message[0] == SshMessage.ServiceRequest) Say(new SshWriter().Byte(SshMessage.ServiceAccept).String("ssh-userauth"));
        if (message[0] == SshMessage.UserAuthInfoResponse) Say(new SshWriter().Byte(SshMessage.UserAuthSuccess));
        if (message[0] != SshMessage.UserAuthRequest) return;
        var reader = new SshReader(message.AsSpan(1));
        _ = reader.TryReadString(out _) && reader.TryReadString(out _);
        reader.TryReadText(out var method, 64);
        switch (method)
        {
            case "password":
                Say(new SshWriter().Byte(SshMessage.UserAuthSuccess));
                break;
            case "keyboard-interactive":
                Say(new SshWriter().Byte(SshMessage.UserAuthMethod).String("").String("").String("").UInt32(1).String("Word: ").Boolean(false));
                break;
            case "publickey" when reader.TryReadBoolean(out var isSigned) && reader.TryReadString(out var algorithm) && reader.TryReadString(out var blob):
                Say(isSigned ? new SshWriter().Byte(SshMessage.UserAuthSuccess) : new SshWriter().Byte(SshMessage.UserAuthMethod).String(algorithm).String(blob));
                break;
            default:
                Say(new SshWriter().Byte(SshMessage.UserAuthFailure).String("publickey,password,keyboard-interactive").Boolean(false));
                break;
        }
    }

    private void Say(SshWriter answer)
    {
        var message = answer.Written.ToArray();
        _signedIn.Add(new(StepKind.Server, message));
        _client.Send(message);
        if (message[0] == SshMessage.UserAuthSuccess) _isIn.TrySetResult();
    }
}
