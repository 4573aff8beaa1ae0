using Countersign.Ssh.Crypto;

namespace Countersign.Ssh.Transport;

/// <summary>What one end brings to its transport.</summary>
internal sealed record TransportOptions
{
    public required Side Side { get; init; }

    public required AlgorithmOffer Offer { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Server: the host key that signs with an algorithm, and what is shown of it.</summary>
    public Func<string, HostIdentity>? HostKey { get; init; }

    /// <summary>RFC 4253 section 9, RFC 4344 section 3.</summary>
    public long RekeyBytes { get; init; } = 1L << 30;

    public TimeSpan RekeyAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a server waits for the client's offer before it makes its own. Every known client sends it at once, so this is a way over a slow network
    /// and back; one that waits for ours only waits.
    /// </summary>
    public TimeSpan OfferDelay { get; init; }

    /// <summary>Server: completes when the first exchange of this client may be computed; what it gives is disposed when that is done. Null: at once.</summary>
    public Func<CancellationToken, ValueTask<IDisposable?>>? Turn { get; init; }
}

/// <summary>Whether the peer is told why it ends: no, where it told us or is gone.</summary>
internal enum Farewell
{
    None,
    Say,
}

/// <summary>What stands on a transport. All but <see cref="OnEnded"/> are called by the receive loop.</summary>
internal interface ITransportUser
{
    bool IsAuthenticated { get; }

    /// <summary>Whether the peer may go without a word: nothing is open.</summary>
    bool IsIdle { get; }

    /// <summary>Client: the server has proven that it has this key. Throw to end the connection.</summary>
    void OnHostKey(ShownKey shown);

    /// <summary>The first key exchange is over.</summary>
    void OnReady();

    /// <summary>A message that is not the transport's: its number is 5 to 19 or 50 and above.</summary>
    void OnMessage(ReadOnlySpan<byte> payload);

    /// <summary>The last call, after the stream has been disposed.</summary>
    void OnEnded();
}
