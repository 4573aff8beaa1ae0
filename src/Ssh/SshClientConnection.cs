using Countersign.Ssh.Authentication;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh;

/// <summary>One thing to authenticate with; tried in the order given.</summary>
public abstract record SshCredential
{
    /// <summary>For password, and for keyboard-interactive where that asks for one thing that is not echoed.</summary>
    public sealed record Password(Secret Value) : SshCredential;

    public sealed record Key(SshPrivateKey Value) : SshCredential;

    /// <summary>A certificate and the key that is certified in it.</summary>
    public sealed record Certificate(SshPrivateKey Holder, SshCertificate Value) : SshCredential;
}

public sealed record SshClientOptions
{
    /// <summary>At most 256 bytes of UTF-8.</summary>
    public required string User { get; init; }

    /// <summary>Used during the call only; the caller keeps and disposes them.</summary>
    public required IReadOnlyList<SshCredential> Credentials { get; init; }

    /// <summary>Host key formats are offered so that one of these is used; any other key is refused. Empty means nothing is trusted.</summary>
    public required IReadOnlyList<SshPublicKey> TrustedHostKeys { get; init; }

    /// <summary>Whose certificates for hosts count, where they name <see cref="HostName"/> and the time is right.</summary>
    public IReadOnlyList<SshPublicKey> TrustedHostAuthorities { get; init; } = [];

    /// <summary>The principal that a host's certificate has to name, exactly; null: no certificate counts.</summary>
    public string? HostName { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>From the first byte to the end of authentication.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Sends a keep-alive after so much silence; after three unanswered ones the connection is closed. Zero: never.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Keys are renewed after so many bytes in one direction. For tests; RFC 4253 section 9 says 1 GiB.</summary>
    internal long RekeyBytes { get; init; } = 1L << 30;

    /// <summary>For tests: what is offered, but for the host keys.</summary>
    internal AlgorithmOffer Algorithms { get; init; } = new();
}

/// <summary>The client's end of a connection.</summary>
public sealed class SshClientConnection : SshConnection
{
    /// <summary>All that a server may sign with, best first (RFC 8332 section 3: never RSA with SHA-1).</summary>
    private static readonly string[] HostKeyAlgorithms = SignatureAlgorithms.ForUsers;

    private readonly SshClientOptions _options;
    private readonly ClientAuthentication _authentication;
    private readonly bool _fetchOnly;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ShownKey? _shown;

    private SshClientConnection(Stream stream, SshClientOptions options, bool fetchOnly)
        : base(stream, Transporting(options), options.KeepAlive)
    {
        _options = options;
        _fetchOnly = fetchOnly;
        _authentication = new ClientAuthentication(Transport);
    }

    internal override bool IsAuthenticated => _authentication.Succeeded;

    /// <summary>A server has no channels to open here: forwardings back, X11 and agents are never asked for.</summary>
    internal override int MaxPeerChannels => 0;

    /// <summary>Exchanges keys, verifies the host key and authenticates.</summary>
    /// <param name="transport">Owned by the connection from here on, also when this throws.</param>
    /// <exception cref="SshConnectionException">The network or the protocol.</exception>
    /// <exception cref="SshHostKeyException">The host key is not trusted.</exception>
    /// <exception cref="SshAuthenticationException">No credential was accepted.</exception>
    public static async Task<SshClientConnection> ConnectAsync(Stream transport, SshClientOptions options, CancellationToken cancellation)
    {
        var connection = await CreateAsync(transport, options, fetchOnly: false);
        try
        {
            await connection.WithinLoginTimeAsync(connection.LogInAsync, cancellation);
            connection.StartKeepAlive();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The host key that a server shows, read with a key exchange and nothing else: for showing it to an administrator who pins it.</summary>
    /// <param name="transport">Owned and disposed by the call.</param>
    /// <exception cref="SshConnectionException">The network or the protocol; or it took more than 30 s.</exception>
    public static async Task<SshPublicKey> FetchHostKeyAsync(Stream transport, CancellationToken cancellation)
    {
        var options = new SshClientOptions { User = "", Credentials = [], TrustedHostKeys = [] };
        await using var connection = await CreateAsync(transport, options, fetchOnly: true);
        await connection.WithinLoginTimeAsync(connection.ReadyAsync, cancellation);
        return connection._shown!.Key;
    }

    internal override SshChannelAnswer AnswerOpen(string type, ReadOnlySpan<byte> extra) => new SshChannelAnswer.Refuse(SshOpenFailure.AdministrativelyProhibited, "this end opens the channels");

    /// <summary>A server has nothing to ask for but signs of life, which the refusal is.</summary>
    internal override SshGlobalAnswer AnswerGlobal(string name, ReadOnlySpan<byte> payload) => new SshGlobalAnswer.Refuse();

    private protected override void OnHostKey(ShownKey shown)
    {
        // At each renewal of keys it is the same host that has to prove itself; whether it is to be trusted has been said.
        if (_shown is not null && !_shown.Key.Equals(shown.Key)) throw new SshConnectionException(SshDisconnectReason.HostKeyNotVerifiable, "the host key changed during the connection");
        if (_shown is null && !_fetchOnly) Trust(shown);
        _shown = shown;
        if (_fetchOnly) _ready.TrySetResult();
    }

    private void Trust(ShownKey shown)
    {
        if (shown.Certificate is not { } certificate)
        {
            if (!_options.TrustedHostKeys.Contains(shown.Key)) throw new SshHostKeyException(shown.Key);
            return;
        }

        if (!_options.TrustedHostAuthorities.Contains(certificate.Authority)) throw new SshHostKeyException(shown.Key, $"its certificate is signed by {certificate.Authority.Fingerprint}, which is not trusted");
        var verdict = _options.HostName is { } name ? certificate.Judge(SshCertificateKind.Host, name, _options.Time.GetUtcNow(), null) : SshCertificateVerdict.NotForThisName;
        if (verdict != SshCertificateVerdict.Good) throw new SshHostKeyException(shown.Key, $"its certificate is not good here ({verdict})");
    }

    private protected override void OnReady() => _ready.TrySetResult();

    private protected override void OnEnded()
    {
        _authentication.End();
        _ready.TrySetException(Failure());
        _ = _ready.Task.Exception;
    }

    private protected override bool OnOwnMessage(ReadOnlySpan<byte> payload)
    {
        if (payload[0] == SshMessage.ExtInfo)
        {
            _authentication.OnExtInfo(payload[1..]);
            return true;
        }

        if (IsAuthenticated) return payload[0] == SshMessage.UserAuthBanner;
        _authentication.OnMessage(payload);
        if (IsAuthenticated) Transport.Input.Authenticated();
        return true;
    }

    private static async Task<SshClientConnection> CreateAsync(Stream transport, SshClientOptions options, bool fetchOnly)
    {
        try
        {
            return new SshClientConnection(transport, options, fetchOnly);
        }
        catch
        {
            await transport.DisposeAsync();
            throw;
        }
    }

    private static TransportOptions Transporting(SshClientOptions options)
    {
        // What is trusted comes first; the rest is offered so that a server that changed its key is found out by that key, and not by a failed negotiation.
        var trusted = HostKeyAlgorithms.Where(algorithm => options.TrustedHostKeys.Any(key => key.Type == SignatureAlgorithms.KeyType(algorithm)));
        var certified = options.TrustedHostAuthorities.Count > 0 && options.HostName is not null ? HostKeyAlgorithms.Select(SignatureAlgorithms.ForCertificate) : [];
        return new TransportOptions
        {
            Side = Side.Client,
            Offer = options.Algorithms with { HostKeys = [.. certified.Concat(trusted).Concat(HostKeyAlgorithms).Distinct()] },
            Time = options.Time,
            RekeyBytes = options.RekeyBytes,
        };
    }

    private async Task LogInAsync(CancellationToken cancellation)
    {
        await ReadyAsync(cancellation);
        await _authentication.RunAsync(_options.User, _options.Credentials, cancellation);
    }

    private async Task ReadyAsync(CancellationToken cancellation)
    {
        _ = Task.Run(Transport.RunAsync, CancellationToken.None);
        await _ready.Task.WaitAsync(cancellation);
    }

    private async Task WithinLoginTimeAsync(Func<CancellationToken, Task> login, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(_options.LoginTimeout, _options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            await login(both.Token);
        }
        catch (OperationCanceledException) when (Transport.IsEnding && !both.IsCancellationRequested)
        {
            await Transport.Closed;
            throw Failure();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new SshConnectionException(SshDisconnectReason.ByApplication, "connecting took too long");
        }
    }

    private Exception Failure() =>
        Transport.Error ?? new SshConnectionException(SshDisconnectReason.ConnectionLost, "the connection was closed");
}
