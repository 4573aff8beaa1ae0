namespace Countersign.Audit;

/// <summary>
/// A tree of many leaves that proves any of them without reading all: it keeps the roots of its complete chunks, and of the subtrees over these, a
/// hash for some 500 leaves, and is given the leaves of the chunks that a proof touches. It only grows, so it can be kept, and asked by several at once.
/// </summary>
public sealed class ChunkedTree
{
    /// <summary>Leaves in a chunk.</summary>
    public const int ChunkSize = ExportProofs.ChunkSize;

    private readonly Lock _gate = new();
    private readonly List<List<byte[]>> _levels = [[]];

    /// <summary>Complete chunks that it knows.</summary>
    public long Chunks
    {
        get
        {
            lock (_gate) return _levels[0].Count;
        }
    }

    /// <summary>The next complete chunk.</summary>
    public void Add(ReadOnlySpan<byte[]> leaves)
    {
        if (leaves.Length != ChunkSize) throw new ArgumentException("Only complete chunks are kept.", nameof(leaves));
        var hash = MerkleTree.Root(leaves);
        lock (_gate) Add(hash);
    }

    private void Add(byte[] hash)
    {
        for (var level = 0; ; level++)
        {
            if (level == _levels.Count) _levels.Add([]);
            var row = _levels[level];
            row.Add(hash);
            if (row.Count % 2 == 1) return;
            hash = MerkleTree.Node(row[^2], row[^1]);
        }
    }

    /// <summary>Which chunks' leaves the proof of this leaf in a tree of this size needs.</summary>
    public static IReadOnlyList<long> Touched(long index, long size) => index / ChunkSize == (size - 1) / ChunkSize ? [index / ChunkSize] : [index / ChunkSize, (size - 1) / ChunkSize];

    /// <summary>RFC 6962 section 2.1.1, from the leaf on.</summary>
    /// <param name="leaves">Of a chunk that <see cref="Touched"/> names.</param>
    public IReadOnlyList<byte[]> Inclusion(long index, long size, Func<long, byte[][]> leaves)
    {
        var proof = new List<byte[]>();
        var start = 0L;
        while (size > 1)
        {
            var left = MerkleTree.LeftOf(size);
            if (index < left)
            {
                proof.Add(Root(start + left, size - left, leaves));
                size = left;
            }
            else
            {
                proof.Add(Root(start, left, leaves));
                (start, index, size) = (start + left, index - left, size - left);
            }
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>RFC 6962 section 2.1.2.</summary>
    /// <param name="first">From 1 to the size.</param>
    /// <param name="leaves">Of a chunk that <see cref="Touched"/> names for the leaf <paramref name="first"/> − 1.</param>
    public IReadOnlyList<byte[]> Consistency(long first, long size, Func<long, byte[][]> leaves)
    {
        var proof = new List<byte[]>();
        var (start, isWhole) = (0L, true);
        while (first != size)
        {
            var left = MerkleTree.LeftOf(size);
            if (first <= left)
            {
                proof.Add(Root(start + left, size - left, leaves));
                size = left;
            }
            else
            {
                proof.Add(Root(start, left, leaves));
                (start, first, size, isWhole) = (start + left, first - left, size - left, false);
            }
        }

        if (!isWhole) proof.Add(Root(start, size, leaves));
        proof.Reverse();
        return proof;
    }

    /// <summary>Of a subtree as the proofs cut the tree: it begins at a multiple of its own width.</summary>
    private byte[] Root(long start, long size, Func<long, byte[][]> leaves)
    {
        if (size % ChunkSize == 0 && long.IsPow2(size / ChunkSize) && start + size <= Chunks * ChunkSize)
        {
            lock (_gate) return _levels[(int)long.Log2(size / ChunkSize)][(int)(start / size)];
        }

        if (size <= ChunkSize) return MerkleTree.Root(leaves(start / ChunkSize).AsSpan((int)(start % ChunkSize), (int)size));
        var left = MerkleTree.LeftOf(size);
        return MerkleTree.Node(Root(start, left, leaves), Root(start + left, size - left, leaves));
    }
}
