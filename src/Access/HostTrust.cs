namespace Countersign.Access;

/// <summary>What becomes of a device of which no host key is pinned.</summary>
public enum HostKeyTrust
{
    /// <summary>It is not opened.</summary>
    Pinned = 0,

    /// <summary>The key that it shows at its first connection is pinned.</summary>
    FirstUse = 1,
}

/// <summary>How an organization recognizes its devices, besides by their pinned host keys.</summary>
/// <param name="Authorities">Whose certificates of hosts count, as <c>type base64</c>; nobody's where it is empty.</param>
public sealed record HostTrust(HostKeyTrust Unpinned, IReadOnlyList<string> Authorities);
