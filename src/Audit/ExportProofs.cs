namespace Countersign.Audit;

/// <summary>
/// Makes the proof that goes with each line of a whole export: the hashes to the right of its way to the root that no line before it has brought.
/// That is less than one hash a line, and still every line is proved by itself as soon as it is read, so that the first one that was tampered with
/// is known exactly (<see cref="ExportWalk"/>).
/// </summary>
/// <remarks>
/// Goes over the leaves twice, in the same chunks, and holds one hash for a chunk: first <see cref="Learn"/> for each chunk, then
/// <see cref="Next"/> for each leaf with the chunk that it is in.
/// </remarks>
public sealed class ExportProofs
{
    /// <summary>Leaves in every chunk but the last. A power of two, so that a chunk is a subtree.</summary>
    public const int ChunkSize = 1024;

    private readonly List<byte[]> _chunks = [];
    private readonly Stack<(long Start, long Size)> _ahead = new();
    private long _size;
    private long _next;

    /// <summary>The root over all that was learned.</summary>
    public byte[] Root() => _size == 0 ? MerkleTree.EmptyRoot : OfChunks(0, _size);

    /// <exception cref="InvalidOperationException">The chunk before it was not full.</exception>
    public void Learn(ReadOnlySpan<byte[]> chunk)
    {
        if (_size % ChunkSize != 0 || chunk.Length is 0 or > ChunkSize) throw new InvalidOperationException("Every chunk but the last is full.");
        _chunks.Add(MerkleTree.Root(chunk));
        _size += chunk.Length;
    }

    public IReadOnlyList<byte[]> Next(ReadOnlySpan<byte[]> chunk)
    {
        if (_next == 0) _ahead.Push((0, _size));
        var (start, size) = _ahead.Pop();
        var proof = new List<byte[]>();
        while (size > 1)
        {
            var left = MerkleTree.LeftOf(size);
            var right = (Start: start + left, Size: size - left);
            _ahead.Push(right);
            var inChunk = (int)(right.Start % ChunkSize);
            proof.Add(inChunk == 0 ? OfChunks(right.Start, right.Size) : MerkleTree.Root(chunk.Slice(inChunk, (int)right.Size)));
            size = left;
        }

        _next++;
        return proof;
    }

    /// <summary>A subtree that starts where a chunk starts, and is not a part of one.</summary>
    private byte[] OfChunks(long start, long size)
    {
        if (size <= ChunkSize) return _chunks[(int)(start / ChunkSize)];
        var left = MerkleTree.LeftOf(size);
        return MerkleTree.Node(OfChunks(start, left), OfChunks(start + left, size - left));
    }
}

/// <summary>Checks the leaves of a whole export one after the other against a root that is trusted.</summary>
public sealed class ExportWalk
{
    private readonly Stack<(byte[] Hash, long Size)> _ahead = new();

    public ExportWalk(byte[] root, long size)
    {
        if (size > 0) _ahead.Push((root, size));
    }

    public bool IsAtEnd => _ahead.Count == 0;

    /// <summary>Whether this is the next leaf. After a false one nothing more can be said.</summary>
    /// <param name="proof"><see cref="ExportProofs.Next"/>.</param>
    public bool TryNext(byte[] leaf, IReadOnlyList<byte[]> proof)
    {
        if (!_ahead.TryPop(out var subtree)) return false;
        var used = 0;
        for (var size = subtree.Size; size > 1; used++)
        {
            if (used == proof.Count || proof[used].Length != MerkleTree.HashLength) return false;
            var left = MerkleTree.LeftOf(size);
            _ahead.Push((proof[used], size - left));
            size = left;
        }

        if (used != proof.Count) return false;
        var hash = leaf;
        while (used > 0) hash = MerkleTree.Node(hash, proof[--used]);
        return hash.AsSpan().SequenceEqual(subtree.Hash);
    }
}
