using System.Numerics;

namespace Countersign.Audit;

/// <summary>
/// What is left of a growing tree when its leaves are forgotten: the roots of the complete subtrees from left to right, one for each bit that is
/// set in the size. Enough to add leaves and to know the root.
/// </summary>
public sealed class MerkleFrontier
{
    private readonly List<byte[]> _peaks = [];

    public long Size { get; private set; }

    /// <summary>Reads <see cref="ToBytes"/>.</summary>
    /// <exception cref="ArgumentException">It is not the frontier of a tree of this size.</exception>
    public static MerkleFrontier FromBytes(long size, ReadOnlySpan<byte> peaks)
    {
        if (size < 0 || peaks.Length != BitOperations.PopCount((ulong)size) * MerkleTree.HashLength)
            throw new ArgumentException($"It is not the frontier of a tree with {size} leaves.", nameof(peaks));
        var frontier = new MerkleFrontier { Size = size };
        for (var at = 0; at < peaks.Length; at += MerkleTree.HashLength) frontier._peaks.Add(peaks.Slice(at, MerkleTree.HashLength).ToArray());
        return frontier;
    }

    public byte[] ToBytes() => [.. _peaks.SelectMany(peak => peak)];

    public void Add(byte[] leaf)
    {
        var hash = leaf;
        for (var size = Size; (size & 1) == 1; size >>= 1)
        {
            hash = MerkleTree.Node(_peaks[^1], hash);
            _peaks.RemoveAt(_peaks.Count - 1);
        }

        _peaks.Add(hash);
        Size++;
    }

    public byte[] Root()
    {
        if (Size == 0) return MerkleTree.EmptyRoot;
        var hash = _peaks[^1];
        for (var index = _peaks.Count - 2; index >= 0; index--) hash = MerkleTree.Node(_peaks[index], hash);
        return hash;
    }
}
