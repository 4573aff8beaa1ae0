using Countersign.Ssh.Authentication;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh;

/// <summary>What the server end offers and bears with.</summary>
public sealed record SshServerOptions
{
    /// <summary>
    /// At least one; of several of a kind the first is used, and the others are told to clients that have logged in, so that they know them on the day
    /// when one of them is the first. The caller keeps and disposes them, after every connection has ended.
    /// </summary>
    public required IReadOnlyList<SshPrivateKey> HostKeys { get; init; }

    /// <summary>For keys of <see cref="HostKeys"/>, shown to clients that ask for one.</summary>
    public IReadOnlyList<SshCertificate> HostCertificates { get; init; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The clock on the wall by which certificates are judged; null: that of <see cref="Time"/>, which has the timers in any case.</summary>
    public TimeProvider? CertificateTime { get; init; }

    /// <summary>From the first byte to the end of authentication.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Failed attempts before the connection is closed; <c>none</c> and queries whether a key would do don't count.</summary>
    public int MaxAttempts { get; init; } = 6;

    /// <summary>Channels open at once on one connection.</summary>
    public int MaxChannels { get; init; } = 64;

    /// <summary>Sends a keep-alive after so much silence; after three unanswered ones the connection is closed. Zero: never.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What is offered besides for the sake of old clients.</summary>
    public SshCompatibility Compatibility { get; init; }

    /// <summary>Keys are renewed after so many bytes in one direction. For tests; RFC 4253 section 9 says 1 GiB.</summary>
    internal long RekeyBytes { get; init; } = 1L << 30;

    /// <summary>For tests, on a machine that is busy: see <see cref="TransportOptions.OfferDelay"/>.</summary>
    internal TimeSpan OfferDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>For tests: what is offered, but for the host keys.</summary>
    internal AlgorithmOffer Algorithms { get; init; } = new();
}

/// <summary>What old or restricted clients may need, and nobody else.</summary>
[Flags]
public enum SshCompatibility
{
    None = 0,

    /// <summary>The NIST curves: ECDSA host keys, and P-256 in the key exchange.</summary>
    NistCurves = 1,
}

/// <summary>The server's end of a connection.</summary>
public sealed class SshServerConnection : SshConnection
{
    private readonly SshServerHandler _handler;
    private readonly SshServerOptions _options;
    private readonly ServerAuthentication _authentication;
    private readonly Lock _authenticationGate = new();
    private ITimer? _loginTimer;
    private readonly HostKeyProofs _hostKeys;
    private bool _authenticated;
    private bool _noMoreSessions;

    private SshServerConnection(Stream stream, SshServerOptions options, SshServerHandler handler)
        : base(stream, Transporting(options, handler), options.KeepAlive)
    {
        _options = options;
        _handler = handler;
        _hostKeys = new HostKeyProofs([.. HostKeys(options)]);
        _authentication = new ServerAuthentication(this, options, handler);
    }

    internal override bool IsAuthenticated => Volatile.Read(ref _authenticated);

    internal override int MaxPeerChannels => _options.MaxChannels;

    /// <summary>Serves one accepted connection until it is over. Throws nothing but cancellation: what went wrong is in the outcome.</summary>
    /// <param name="transport">Owned and disposed by the call.</param>
    public static async Task<SshServerOutcome> RunAsync(Stream transport, SshServerOptions options, SshServerHandler handler, CancellationToken cancellation)
    {
        if (!HostKeys(options).Any()) throw new ArgumentException("there is no host key that may be used", nameof(options));
        if (!options.HostCertificates.All(certificate => certificate.Kind == SshCertificateKind.Host && KeyOf(options, certificate) is not null)) throw new ArgumentException("a host certificate is not for a host, or not for one of the host keys", nameof(options));
        var connection = new SshServerConnection(transport, options, handler);
        connection._loginTimer = options.Time.CreateTimer(_ => connection.LoginExpired(), null, options.LoginTimeout, Timeout.InfiniteTimeSpan);
        await using (cancellation.Register(() => connection.Disconnect(SshDisconnectReason.ByApplication, handler.WhyStopped)))
        {
            await connection.Transport.RunAsync();
        }

        cancellation.ThrowIfCancellationRequested();
        return new SshServerOutcome(connection.IsAuthenticated, connection.EndReason is { } reason ? PeerText.Clean(reason, 500) : null, connection.Fault);
    }

    /// <summary>Sends a line for the person, which most clients show only when asked to be talkative (SSH_MSG_DEBUG, RFC 4253 section 11.3). Only after authentication.</summary>
    /// <param name="line">Without control characters.</param>
    public void Debug(string line)
    {
        if (!IsAuthenticated) return;
        Transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.Debug).Boolean(true).String(line).String(""));
    }

    /// <summary>The client is let in: from here on its channels are served. The receive loop waits meanwhile, if it has a message of the client.</summary>
    internal void Admit(string user)
    {
        lock (_authenticationGate)
        {
            if (Transport.IsEnding) return;
            Transport.Output.Send(PacketUse.Control, [SshMessage.UserAuthSuccess], []);
            Transport.Input.Authenticated();
            Volatile.Write(ref _authenticated, true);
            _loginTimer?.Dispose();
            _handler.OnAuthenticated(this, user);
        }

        SendWantingNone(_hostKeys.Announce());
        StartKeepAlive();
        Transport.Flush();
    }

    internal override SshChannelAnswer AnswerOpen(string type, ReadOnlySpan<byte> extra)
    {
        if (IsParting) return new SshChannelAnswer.Refuse(SshOpenFailure.AdministrativelyProhibited, "the connection is ending");
        return _noMoreSessions && type == "session" ? new SshChannelAnswer.Refuse(SshOpenFailure.AdministrativelyProhibited, "you asked for no more sessions") : _handler.OnChannelOpen(this, type, extra);
    }

    internal override SshGlobalAnswer AnswerGlobal(string name, ReadOnlySpan<byte> payload)
    {
        if (!IsAuthenticated) return new SshGlobalAnswer.Refuse();
        switch (name)
        {
            case "no-more-sessions@openssh.com":
                // OpenSSH's PROTOCOL section 2.2: whoever takes a client over later can't open a shell beside the one that there is.
                _noMoreSessions = true;
                return new SshGlobalAnswer.Grant(ReadOnlyMemory<byte>.Empty);
            case HostKeyProofs.ProveRequest:
                return _hostKeys.Prove(payload, Transport.Session, Transport.Agreement!.HostKey);
            default:
                return _handler.OnGlobalRequest(this, name, payload);
        }
    }

    private protected override void OnHostKey(ShownKey shown) => throw new InvalidOperationException("a server meets no host key");

    private protected override void OnReady()
    {
        // The client speaks next.
    }

    private protected override bool OnDisconnecting() => IsAuthenticated && _handler.OnDisconnecting(this);

    private protected override void OnEnded()
    {
        _loginTimer?.Dispose();
        _authentication.End();
    }

    private protected override bool OnOwnMessage(ReadOnlySpan<byte> payload)
    {
        if (!IsAuthenticated)
        {
            lock (_authenticationGate)
            {
                if (!IsAuthenticated)
                {
                    if (payload[0] == SshMessage.GlobalRequest) OnGlobalRequest(payload[1..]);
                    else if (payload[0] == SshMessage.ExtInfo && Transport.IsFirstUnderKeys) _ = ExtensionInfo.Parse(payload[1..]);
                    else _authentication.OnMessage(payload);
                    return true;
                }
            }
        }

        // RFC 4252 section 5.1: requests after success are ignored.
        return payload[0] is >= SshMessage.UserAuthRequest and <= SshMessage.UserAuthLast;
    }

    private static TransportOptions Transporting(SshServerOptions options, SshServerHandler handler) => new()
    {
        Side = Side.Server,
        Offer = options.Algorithms with
        {
            HostKeys = [.. HostKeyAlgorithms(options)],
            KeyExchanges = options.Compatibility.HasFlag(SshCompatibility.NistCurves) ? [.. options.Algorithms.KeyExchanges, Agreement.P256] : options.Algorithms.KeyExchanges,
        },
        Time = options.Time,
        HostKey = algorithm => Identity(options, algorithm),
        RekeyBytes = options.RekeyBytes,
        OfferDelay = options.OfferDelay,
        Turn = handler.TurnAsync,
    };

    /// <summary>Certificates first: a client that asks for one wants it more than a key that it may not know.</summary>
    private static IEnumerable<string> HostKeyAlgorithms(SshServerOptions options) =>
        options.HostCertificates.SelectMany(certificate => SignatureAlgorithms.ForKey(certificate.Key.Type)).Select(SignatureAlgorithms.ForCertificate)
            .Concat(HostKeys(options).SelectMany(key => SignatureAlgorithms.ForKey(key.PublicKey.Type))).Distinct();

    /// <summary>Those that may be used.</summary>
    private static IEnumerable<SshPrivateKey> HostKeys(SshServerOptions options) =>
        options.HostKeys.Where(key => options.Compatibility.HasFlag(SshCompatibility.NistCurves) || key.PublicKey.Type is SshPublicKey.Ed25519 or SshPublicKey.Rsa);

    private static HostIdentity Identity(SshServerOptions options, string algorithm)
    {
        var type = SignatureAlgorithms.KeyType(algorithm);
        if (SignatureAlgorithms.IsForCertificate(algorithm))
        {
            var certificate = options.HostCertificates.First(candidate => candidate.Key.Type == type);
            return new HostIdentity(KeyOf(options, certificate)!, certificate.Blob);
        }

        var key = options.HostKeys.First(candidate => candidate.PublicKey.Type == type);
        return new HostIdentity(key, key.PublicKey.Blob);
    }

    private static SshPrivateKey? KeyOf(SshServerOptions options, SshCertificate certificate) =>
        HostKeys(options).FirstOrDefault(key => key.PublicKey.Equals(certificate.Key));

    private void LoginExpired() =>
        Transport.End(new SshConnectionException(SshDisconnectReason.ByApplication, "login took too long"), Farewell.Say);
}

/// <param name="Authenticated">Whether authentication had succeeded.</param>
/// <param name="Error">Null for an orderly end; else one line that says what the peer, the network or we did wrong. Untrusted text is cleaned.</param>
/// <param name="Fault">What one of our own handlers threw, which ended it: for the log. Null: nothing.</param>
public sealed record SshServerOutcome(bool Authenticated, string? Error, Exception? Fault = null);
