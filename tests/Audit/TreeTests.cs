using System.Security.Cryptography;
using System.Text;

namespace Countersign.Audit;

/// <summary>Against a tree that is made by the letter of RFC 6962 section 2.1 and by nothing else.</summary>
public sealed class TreeTests
{
    private const int Most = 66;

    private static readonly byte[][] _leaves = [.. Enumerable.Range(0, 4100).Select(number => SHA256.HashData([0, .. Encoding.ASCII.GetBytes($"{number}")]))];

    [Fact]
    public void A_tree_without_leaves_is_the_hash_of_nothing() =>
        Convert.ToHexStringLower(MerkleTree.EmptyRoot).ShouldBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    [Fact]
    public void Roots_are_those_of_the_naive_tree_and_so_is_the_frontier_s()
    {
        var frontier = new MerkleFrontier();
        for (var size = 0; size <= Most; size++)
        {
            var naive = Naive(_leaves[..size]);
            MerkleTree.Root(_leaves.AsSpan(0, size)).ShouldBe(naive);
            frontier.Size.ShouldBe(size);
            frontier.Root().ShouldBe(naive);
            frontier = MerkleFrontier.FromBytes(size, frontier.ToBytes());
            frontier.Root().ShouldBe(naive);
            frontier.Add(_leaves[size]);
        }
    }

    [Fact]
    public void A_frontier_of_another_size_is_refused()
    {
        var frontier = new MerkleFrontier();
        for (var index = 0; index < 5; index++) frontier.Add(_leaves[index]);
        Should.Throw<ArgumentException>(() => MerkleFrontier.FromBytes(4, frontier.ToBytes()));
        Should.Throw<ArgumentException>(() => MerkleFrontier.FromBytes(-1, []));
    }

    [Fact]
    public void Every_leaf_is_proved_to_be_in_the_tree_at_its_place_and_nowhere_else()
    {
        for (var size = 1; size <= Most; size++)
        {
            var leaves = _leaves[..size];
            var root = Naive(leaves);
            for (var index = 0; index < size; index++)
            {
                var proof = MerkleTree.InclusionProof(leaves, index);
                MerkleTree.VerifyInclusion(leaves[index], index, size, proof, root).ShouldBeTrue();
                MerkleTree.VerifyInclusion(_leaves[size], index, size, proof, root).ShouldBeFalse();
                MerkleTree.VerifyInclusion(leaves[index], index, size, [.. proof, root], root).ShouldBeFalse();
                for (var other = -1; other <= size; other++)
                    if (other != index) MerkleTree.VerifyInclusion(leaves[index], other, size, proof, root).ShouldBeFalse();
                for (var cut = 0; cut < proof.Count; cut++)
                    MerkleTree.VerifyInclusion(leaves[index], index, size, [.. proof.Where((_, at) => at != cut)], root).ShouldBeFalse();
            }
        }
    }

    [Fact]
    public void Every_smaller_tree_is_proved_to_be_the_beginning_and_another_is_not()
    {
        for (var size = 1; size <= Most; size++)
        {
            var root = Naive(_leaves[..size]);
            for (var first = 1; first <= size; first++)
            {
                var old = Naive(_leaves[..first]);
                var proof = MerkleTree.ConsistencyProof(_leaves.AsSpan(0, size), first);
                MerkleTree.VerifyConsistency(first, old, size, root, proof).ShouldBeTrue();
                var edited = _leaves[..first];
                edited[first / 2] = _leaves[Most + 1];
                MerkleTree.VerifyConsistency(first, Naive(edited), size, root, proof).ShouldBeFalse();
                if (first < size) MerkleTree.VerifyConsistency(first, old, size, Naive([.. edited, .. _leaves[first..size]]), proof).ShouldBeFalse();
                MerkleTree.VerifyConsistency(first, old, size, root, [.. proof, root]).ShouldBeFalse();
                for (var cut = 0; cut < proof.Count; cut++)
                    MerkleTree.VerifyConsistency(first, old, size, root, [.. proof.Where((_, at) => at != cut)]).ShouldBeFalse();
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(2048)]
    [InlineData(3000)]
    [InlineData(4097)]
    public void An_export_s_proofs_lead_from_each_leaf_to_the_root_with_less_than_one_hash_a_line(int size)
    {
        var (root, proofs) = Proofs(_leaves[..size]);
        root.ShouldBe(Naive(_leaves[..size]));
        proofs.Sum(proof => proof.Count).ShouldBe(size - 1);
        var walk = new ExportWalk(root, size);
        for (var index = 0; index < size; index++)
        {
            walk.IsAtEnd.ShouldBeFalse();
            walk.TryNext(_leaves[index], proofs[index]).ShouldBeTrue();
        }

        walk.IsAtEnd.ShouldBeTrue();
        walk.TryNext(_leaves[0], []).ShouldBeFalse();
    }

    [Fact]
    public void A_leaf_or_a_proof_that_was_changed_is_found_where_it_stands()
    {
        for (var size = 1; size <= 40; size++)
        {
            var (root, proofs) = Proofs(_leaves[..size]);
            for (var bad = 0; bad < size; bad++)
            {
                Walk(root, size, proofs, index => index == bad ? _leaves[size] : _leaves[index]).ShouldBe(bad);
                for (var part = 0; part < proofs[bad].Count; part++)
                {
                    var edited = proofs.ToList();
                    edited[bad] = [.. proofs[bad].Select((hash, at) => at == part ? _leaves[size] : hash)];
                    Walk(root, size, edited, index => _leaves[index]).ShouldBe(bad);
                    edited[bad] = [.. proofs[bad].Where((_, at) => at != part)];
                    Walk(root, size, edited, index => _leaves[index]).ShouldBe(bad);
                }

                var longer = proofs.ToList();
                longer[bad] = [.. proofs[bad], root];
                Walk(root, size, longer, index => _leaves[index]).ShouldBe(bad);
            }
        }
    }

    private static int? Walk(byte[] root, int size, List<IReadOnlyList<byte[]>> proofs, Func<int, byte[]> leaf)
    {
        var walk = new ExportWalk(root, size);
        for (var index = 0; index < size; index++)
            if (!walk.TryNext(leaf(index), proofs[index])) return index;
        return null;
    }

    private static (byte[] Root, List<IReadOnlyList<byte[]>> Proofs) Proofs(byte[][] leaves)
    {
        var source = new ExportProofs();
        foreach (var chunk in leaves.Chunk(ExportProofs.ChunkSize)) source.Learn(chunk);
        return (source.Root(), [.. leaves.Chunk(ExportProofs.ChunkSize).SelectMany(chunk => chunk.Select(_ => source.Next(chunk)))]);
    }

    private static byte[] Naive(byte[][] leaves)
    {
        if (leaves.Length == 0) return SHA256.HashData([]);
        if (leaves.Length == 1) return leaves[0];
        var half = 1;
        while (half * 2 < leaves.Length) half *= 2;
        return SHA256.HashData([1, .. Naive(leaves[..half]), .. Naive(leaves[half..])]);
    }
}
