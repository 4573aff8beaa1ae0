namespace Countersign.Ssh;

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
public sealed class SshHostKeyException(SshPublicKey offered, string? why = null) : Exception($"unexpected host key {offered.Fingerprint}{(why is null ? "" : $": {why}")}")
{
    public SshPublicKey Offered { get; } = offered;
}
