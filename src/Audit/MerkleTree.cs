using System.Numerics;
using System.Security.Cryptography;

namespace Countersign.Audit;

/// <summary>
/// The tree of RFC 6962 section 2.1 over SHA-256. A leaf and a node are hashed with different first bytes, so that neither can pass for the other.
/// Everything here works on the hashes of leaves.
/// </summary>
public static class MerkleTree
{
    public const int HashLength = 32;

    internal const byte LeafPrefix = 0;
    private const byte NodePrefix = 1;

    /// <summary>The root of a tree without leaves: the hash of nothing.</summary>
    public static byte[] EmptyRoot => SHA256.HashData([]);

    public static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Span<byte> both = stackalloc byte[1 + (2 * HashLength)];
        both[0] = NodePrefix;
        left.CopyTo(both[1..]);
        right.CopyTo(both[(1 + HashLength)..]);
        return SHA256.HashData(both);
    }

    public static byte[] Root(ReadOnlySpan<byte[]> leaves)
    {
        if (leaves.IsEmpty) return EmptyRoot;
        if (leaves.Length == 1) return leaves[0];
        var left = (int)LeftOf(leaves.Length);
        return Node(Root(leaves[..left]), Root(leaves[left..]));
    }

    /// <summary>The largest power of two below the number of leaves: that many are in the left half.</summary>
    /// <param name="size">At least 2.</param>
    public static long LeftOf(long size) => 1L << BitOperations.Log2((ulong)(size - 1));

    /// <summary>That the leaf is in the tree (RFC 6962 section 2.1.1): the hashes beside its way to the root, from the leaf on.</summary>
    public static IReadOnlyList<byte[]> InclusionProof(ReadOnlySpan<byte[]> leaves, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, leaves.Length);
        if (leaves.Length == 1) return [];
        var left = (int)LeftOf(leaves.Length);
        return index < left
            ? [.. InclusionProof(leaves[..left], index), Root(leaves[left..])]
            : [.. InclusionProof(leaves[left..], index - left), Root(leaves[..left])];
    }

    /// <summary>RFC 9162 section 2.1.3.2.</summary>
    public static bool VerifyInclusion(ReadOnlySpan<byte> leaf, long index, long size, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        if (index < 0 || index >= size) return false;
        var (node, last) = (index, size - 1);
        var hash = leaf.ToArray();
        foreach (var beside in proof)
        {
            if (last == 0 || beside.Length != HashLength) return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = Node(beside, hash);
                while ((node & 1) == 0 && node != 0) (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                hash = Node(hash, beside);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && root.SequenceEqual(hash);
    }

    /// <summary>That the tree over the first leaves grew into the tree over all of them (RFC 6962 section 2.1.2).</summary>
    /// <param name="first">From 1 to the number of leaves.</param>
    public static IReadOnlyList<byte[]> ConsistencyProof(ReadOnlySpan<byte[]> leaves, int first)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(first, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, leaves.Length);
        return Subproof(leaves, first, isWhole: true);
    }

    /// <summary>RFC 9162 section 2.1.4.2.</summary>
    public static bool VerifyConsistency(long first, ReadOnlySpan<byte> firstRoot, long second, ReadOnlySpan<byte> secondRoot, IReadOnlyList<byte[]> proof)
    {
        if (first < 1 || second < first || proof.Any(hash => hash.Length != HashLength)) return false;
        if (first == second) return proof.Count == 0 && firstRoot.SequenceEqual(secondRoot);
        var hashes = new Queue<byte[]>(proof);
        if (BitOperations.IsPow2(first)) hashes = new([firstRoot.ToArray(), .. proof]);
        if (!hashes.TryDequeue(out var seed)) return false;
        var (node, last) = (first - 1, second - 1);
        while ((node & 1) == 1) (node, last) = (node >> 1, last >> 1);
        var (old, now) = (seed, seed);
        foreach (var hash in hashes)
        {
            if (last == 0) return false;
            if ((node & 1) == 1 || node == last)
            {
                (old, now) = (Node(hash, old), Node(hash, now));
                while ((node & 1) == 0 && node != 0) (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                now = Node(now, hash);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && firstRoot.SequenceEqual(old) && secondRoot.SequenceEqual(now);
    }

    private static IReadOnlyList<byte[]> Subproof(ReadOnlySpan<byte[]> leaves, int first, bool isWhole)
    {
        if (first == leaves.Length) return isWhole ? [] : [Root(leaves)];
        var left = (int)LeftOf(leaves.Length);
        return first <= left
            ? [.. Subproof(leaves[..left], first, isWhole), Root(leaves[left..])]
            : [.. Subproof(leaves[left..], first - left, isWhole: false), Root(leaves[..left])];
    }
}
