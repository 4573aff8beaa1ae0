using System.Text;
using System.Threading.Channels;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Authentication;

/// <summary>The client's side of RFC 4252 and RFC 4256. The receive loop hands the server's answers over.</summary>
internal sealed class ClientAuthentication(SshTransport transport)
{
    private const int MaxWaiting = 16;
    private const int MaxExtInfos = 2;
    private const string ConnectionService = "ssh-connection";

    private readonly Channel<byte[]> _incoming = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true, SingleWriter = true });
    private volatile string[]? _signatureAlgorithms;
    private int _extInfos;
    private volatile bool _asked;
    private volatile bool _succeeded;

    public bool Succeeded => _succeeded;

    /// <summary>One message before success. Called by the receive loop.</summary>
    public void OnMessage(ReadOnlySpan<byte> payload)
    {
        switch (payload[0])
        {
            case SshMessage.UserAuthBanner:
                return;
            case SshMessage.UserAuthSuccess when _asked && payload.Length == 1:
                _succeeded = true;
                break;
            case SshMessage.ServiceAccept or SshMessage.UserAuthFailure or SshMessage.UserAuthMethod when _asked:
                break;
            default:
                throw new SshConnectionException(SshDisconnectReason.ProtocolError, $"message {payload[0]} is not expected here");
        }

        if (!_incoming.Writer.TryWrite(payload.ToArray())) throw new SshConnectionException(SshDisconnectReason.ProtocolError, "too many answers to authentication requests");
    }

    /// <summary>RFC 8308 section 2.4 has a server send it up to twice, all of it before the login's success.</summary>
    public void OnExtInfo(ReadOnlySpan<byte> rest)
    {
        if (_succeeded || ++_extInfos > MaxExtInfos) throw new SshConnectionException(SshDisconnectReason.ProtocolError, $"message {SshMessage.ExtInfo} is not expected here");
        if (ExtensionInfo.Parse(rest).SignatureAlgorithms is { } algorithms) _signatureAlgorithms = algorithms;
    }

    public void End() => _incoming.Writer.TryComplete();

    /// <exception cref="SshAuthenticationException">No credential was accepted.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or the connection ended.</exception>
    public async Task RunAsync(string user, IReadOnlyList<SshCredential> credentials, CancellationToken cancellation)
    {
        _asked = true;

        // Asked for together with the service, which saves a round trip: what the target would accept.
        transport.Output.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth").Written.Span, []);
        transport.Send(PacketUse.Control, Request(user, "none"));
        if ((await ReadAsync(cancellation))[0] != SshMessage.ServiceAccept) throw Malformed();
        var answer = ReadAnswer(await ReadAsync(cancellation));
        if (answer.Succeeded) return;

        foreach (var credential in credentials)
        {
            var next = credential switch
            {
                SshCredential.Key key => await TryKeyAsync(user, key.Value, null, answer, cancellation),
                SshCredential.Certificate certificate => await TryKeyAsync(user, certificate.Holder, certificate.Value, answer, cancellation),
                SshCredential.Password password => await TryPasswordAsync(user, password.Value, answer, cancellation),
                _ => null,
            };
            if (next is null) continue;
            answer = next;
            if (answer.Succeeded) return;
        }

        var accepts = answer.Methods.Length == 0 ? "nothing" : PeerText.Clean(string.Join(", ", answer.Methods), 200);
        throw new SshAuthenticationException($"the target refused every credential; it accepts {accepts}");
    }

    private static SshConnectionException Malformed() => new(SshDisconnectReason.ProtocolError, "malformed authentication message");

    private static SshWriter Request(string user, string method) =>
        new SshWriter().Byte(SshMessage.UserAuthRequest).String(user).String(ConnectionService).String(method);

    private static Answer ReadAnswer(byte[] message)
    {
        if (message[0] == SshMessage.UserAuthSuccess) return new Answer(true, []);
        var reader = new SshReader(message.AsSpan(1));
        if (message[0] != SshMessage.UserAuthFailure || !reader.TryReadString(out var methods, 4096) || !reader.TryReadBoolean(out _)) throw Malformed();
        return new Answer(false, Encoding.ASCII.GetString(methods).Split(',', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Null: not tried.</summary>
    private async Task<Answer?> TryKeyAsync(string user, SshPrivateKey key, SshCertificate? certificate, Answer state, CancellationToken cancellation)
    {
        if (certificate is not null && !certificate.Key.Equals(key.PublicKey)) throw new SshAuthenticationException("the certificate is for another key");
        if (!state.Methods.Contains("publickey")) return null;

        // A target that does not say what it accepts (RFC 8308) is taken to know the first.
        var known = _signatureAlgorithms;
        var algorithm = SignatureAlgorithms.ForKey(key.PublicKey.Type).FirstOrDefault(name => known is null || known.Contains(name));
        if (algorithm is null) return null;
        var request = Request(user, "publickey").Boolean(true);
        if (certificate is null) request.String(algorithm).String(key.PublicKey.Blob.Span);
        else request.String(SignatureAlgorithms.ForCertificate(algorithm)).String(certificate.Blob.Span);
        var signed = new SshWriter().String(transport.Session).Raw(request.Written.Span);
        transport.Send(PacketUse.Control, request.String(key.Sign(algorithm, signed.Written.Span)));
        return ReadAnswer(await ReadAsync(cancellation));
    }

    private async Task<Answer?> TryPasswordAsync(string user, Secret password, Answer state, CancellationToken cancellation)
    {
        if (state.Methods.Contains("password"))
        {
            SendSecret(Request(user, "password").Boolean(false).Written.Span, password);
            var answer = await ReadAsync(cancellation);

            // SSH_MSG_USERAUTH_PASSWD_CHANGEREQ: the password has expired, which is nothing that we could mend.
            if (answer[0] != SshMessage.UserAuthMethod) return ReadAnswer(answer);
            throw new SshAuthenticationException("the target wants the password to be changed");
        }

        return state.Methods.Contains("keyboard-interactive") ? await TryInteractiveAsync(user, password, cancellation) : null;
    }

    private async Task<Answer?> TryInteractiveAsync(string user, Secret password, CancellationToken cancellation)
    {
        transport.Send(PacketUse.Control, Request(user, "keyboard-interactive").String("").String(""));
        for (var given = false; ;)
        {
            var message = await ReadAsync(cancellation);
            if (message[0] != SshMessage.UserAuthMethod) return ReadAnswer(message);
            switch (ReadPrompts(message))
            {
                case Prompts.None:
                    transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.UserAuthInfoResponse).UInt32(0));
                    break;
                case Prompts.OneSecret when !given:
                    given = true;
                    SendSecret(new SshWriter().Byte(SshMessage.UserAuthInfoResponse).UInt32(1).Written.Span, password);
                    break;
                default:
                    throw new SshAuthenticationException("the target asks for more than a password");
            }
        }
    }

    private static Prompts ReadPrompts(byte[] message)
    {
        var reader = new SshReader(message.AsSpan(1));
        if (!reader.TryReadString(out _) || !reader.TryReadString(out _) || !reader.TryReadString(out _) || !reader.TryReadUInt32(out var count)) throw Malformed();
        if (count == 0) return Prompts.None;
        if (!reader.TryReadString(out _) || !reader.TryReadBoolean(out var echo)) throw Malformed();
        return count == 1 && !echo ? Prompts.OneSecret : Prompts.More;
    }

    private void SendSecret(ReadOnlySpan<byte> head, Secret secret)
    {
        using var message = new PinnedWriter(head.Length + 4 + secret.Length);
        transport.Output.Send(PacketUse.Control, message.Raw(head).String(secret.Expose()).Written, []);
        transport.Flush();
    }

    private async ValueTask<byte[]> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            return await _incoming.Reader.ReadAsync(cancellation);
        }
        catch (ChannelClosedException)
        {
            throw new OperationCanceledException("the connection is over");
        }
    }

    private enum Prompts
    {
        None,
        OneSecret,
        More,
    }

    private sealed record Answer(bool Succeeded, string[] Methods);
}
