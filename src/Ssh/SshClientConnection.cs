namespace Countersign.Ssh;

/// <summary>One thing to authenticate with; tried in the order given.</summary>
public abstract record SshCredential
{
    public sealed record Password(Secret Value) : SshCredential;

    public sealed record Key(SshPrivateKey Value) : SshCredential;
}

public sealed record SshClientOptions
{
    public required string User { get; init; }

    /// <summary>Used during the call only; the caller keeps and disposes them.</summary>
    public required IReadOnlyList<SshCredential> Credentials { get; init; }

    /// <summary>Host key formats are offered so that one of these is used; any other key is refused. Empty means nothing is trusted.</summary>
    public required IReadOnlyList<SshPublicKey> TrustedHostKeys { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>From the first byte to the end of authentication.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>The client's end of a connection.</summary>
public sealed class SshClientConnection : SshConnection
{
    /// <summary>Exchanges keys, verifies the host key and authenticates.</summary>
    /// <param name="transport">Owned by the connection from here on, also when this throws.</param>
    /// <exception cref="SshConnectionException">The network or the protocol.</exception>
    /// <exception cref="SshHostKeyException">The host key is not trusted.</exception>
    /// <exception cref="SshAuthenticationException">No credential was accepted.</exception>
    public static Task<SshClientConnection> ConnectAsync(Stream transport, SshClientOptions options, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>The host key that a server shows, read with a key exchange and nothing else: for showing it to an administrator who pins it.</summary>
    public static Task<SshPublicKey> FetchHostKeyAsync(Stream transport, CancellationToken cancellation) => throw new NotImplementedException();
}
