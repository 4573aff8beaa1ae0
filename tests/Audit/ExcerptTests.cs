namespace Countersign.Audit;

public sealed class ExcerptTests
{
    private const int Size = 23;
    private static readonly int[] _chosen = [3, 4, 11, 23];

    private readonly SampleLog _log = SampleLog.Of(Size);

    [Fact]
    public async Task Records_that_were_asked_for_are_proved_against_the_checkpoint_kept_of_that_size()
    {
        var verdict = await SampleLog.VerifyAsync(_log.Excerpt(_chosen), _log.At(Size));
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Proved.ShouldBe(4);
        verdict.Message.ShouldContain("an excerpt can't prove");
    }

    [Fact]
    public async Task An_older_checkpoint_proves_them_too_where_the_export_was_told_of_it()
    {
        for (var since = 1; since <= Size; since++)
        {
            (await SampleLog.VerifyAsync(_log.Excerpt(_chosen, since), _log.At(since))).IsIntact.ShouldBeTrue($"{since}");
            if (since < Size) (await SampleLog.VerifyAsync(_log.Excerpt(_chosen), _log.At(since))).Fault.ShouldBe(AuditFault.UnconnectedCheckpoint);
        }

        (await SampleLog.VerifyAsync(_log.Excerpt([]), _log.At(Size))).IsIntact.ShouldBeTrue();
    }

    [Fact]
    public async Task A_log_that_was_rewritten_does_not_hang_on_the_kept_checkpoint()
    {
        var kept = _log.At(9);
        _log.Rewrite(4, record => record with { Personal = record.Personal with { ActorLogin = "somebody else" } });
        (await SampleLog.VerifyAsync(_log.Excerpt(_chosen, 9), kept)).Fault.ShouldBe(AuditFault.RewrittenHistory);
        (await SampleLog.VerifyAsync(_log.Excerpt(_chosen), _log.At(Size, CheckpointKey.Generate()))).Fault.ShouldBe(AuditFault.ForgedCheckpoint);
    }

    [Fact]
    public async Task Whatever_is_done_to_an_excerpt_is_found_and_named()
    {
        var lines = _log.Excerpt(_chosen);
        await ExpectAsync([.. lines[..2], Edited(lines[2]), .. lines[3..]], AuditFault.ChangedRecord, 3);
        await ExpectAsync([.. lines[..3], Edited(lines[3]), .. lines[4..]], AuditFault.ChangedRecord, 4);
        await ExpectAsync([.. lines[..3], lines[4], lines[3], lines[5]], AuditFault.MovedRecord, 4);
        await ExpectAsync([.. lines[..3], lines[2], .. lines[3..]], AuditFault.RepeatedRecord, 3);
        await ExpectAsync([.. lines[..3], .. lines[4..]], AuditFault.CutTail, null);
        await ExpectAsync(lines[..^1], AuditFault.CutTail, null);
        await ExpectAsync([.. lines, Renumbered(lines[^1], 24)], AuditFault.SurplusRecord, 24);
        await ExpectAsync([.. lines[..2], Renumbered(lines[2], 2), .. lines[3..]], AuditFault.ChangedRecord, 2);
        await ExpectAsync([.. lines[..2], "{}"u8.ToArray(), .. lines[3..]], AuditFault.Unreadable, null);
        var other = SampleLog.Of(Size).Excerpt(_chosen);
        await ExpectAsync([.. lines[..2], other[2], .. lines[3..]], AuditFault.ChangedRecord, 3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(2048)]
    [InlineData(5000)]
    public void A_tree_kept_by_its_chunks_proves_what_the_whole_tree_proves(int size)
    {
        var random = new Random(size);
        var leaves = Enumerable.Range(0, size).Select(_ =>
        {
            var leaf = new byte[MerkleTree.HashLength];
            random.NextBytes(leaf);
            return leaf;
        }).ToArray();
        var tree = new ChunkedTree();
        var chunks = leaves.Chunk(ChunkedTree.ChunkSize).ToList();
        foreach (var chunk in chunks.Where(chunk => chunk.Length == ChunkedTree.ChunkSize)) tree.Add(chunk);
        foreach (var index in Enumerable.Range(0, 40).Select(_ => random.Next(size)).Append(0).Append(size - 1))
        {
            var given = ChunkedTree.Touched(index, size).ToDictionary(number => number, number => chunks[(int)number]);
            tree.Inclusion(index, size, number => given[number]).ShouldBe(MerkleTree.InclusionProof(leaves, index));
            tree.Consistency(index + 1, size, number => given[number]).ShouldBe(MerkleTree.ConsistencyProof(leaves, index + 1));
        }
    }

    private async Task ExpectAsync(IEnumerable<byte[]> lines, AuditFault fault, long? record)
    {
        var verdict = await SampleLog.VerifyAsync(lines, _log.At(Size));
        (verdict.Fault, verdict.Record).ShouldBe((fault, record), verdict.Message);
    }

    private static byte[] Edited(byte[] line) => SampleLog.Text(SampleLog.Text(line).Replace("\"kind\":\"", "\"kind\":\"x", StringComparison.Ordinal));

    private static byte[] Renumbered(byte[] line, int number) =>
        SampleLog.Text(System.Text.RegularExpressions.Regex.Replace(SampleLog.Text(line), "\"number\":[0-9]+", $"\"number\":{number}"));
}
