using System.Security.Cryptography;

namespace Countersign.Ssh.Transport;

/// <summary>
/// Buffers that may hold passwords: the collector moves none of them, so that it leaves no copies behind, and each is zeroed when it is given back. They are
/// kept, because whoever has not signed in has one taken for each packet that comes by itself, and arrays that are pinned come back with full collections only.
/// </summary>
internal sealed class PinnedBuffers
{
    /// <summary>Bytes of each.</summary>
    public const int Size = 16 * 1024;

    /// <summary>As many as are kept at most: 8 MiB, for as many connections that are half-way through a packet at once.</summary>
    private const int Most = 512;

    private readonly Lock _gate = new();
    private readonly Stack<byte[]> _free = new();

    public static PinnedBuffers Shared { get; } = new();

    /// <summary>With <see cref="Size"/> bytes, all of them zero.</summary>
    public byte[] Take()
    {
        lock (_gate)
        {
            if (_free.TryPop(out var free)) return free;
        }

        return GC.AllocateArray<byte>(Size, pinned: true);
    }

    /// <summary>One of these.</summary>
    public void GiveBack(byte[] buffer)
    {
        CryptographicOperations.ZeroMemory(buffer);
        lock (_gate)
        {
            if (_free.Count < Most) _free.Push(buffer);
        }
    }
}
