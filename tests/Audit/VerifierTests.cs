using System.Text.Json.Nodes;

namespace Countersign.Audit;

public sealed class VerifierTests
{
    private const int Size = 23;

    private readonly SampleLog _log = SampleLog.Of(Size);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(23)]
    [InlineData(1500)]
    public async Task A_log_as_it_was_sealed_is_complete_and_unedited(int size)
    {
        var log = SampleLog.Of(size);
        var verdict = await SampleLog.VerifyAsync(log.Export(), log.At(size));
        verdict.Fault.ShouldBe(AuditFault.None, verdict.Message);
        verdict.Proved.ShouldBe(size);
        verdict.Message.ShouldContain($"{size} records, complete and unedited");
    }

    [Fact]
    public async Task Older_checkpoints_hold_too_and_what_came_later_is_told_apart()
    {
        var verdict = await SampleLog.VerifyAsync(_log.Export(), _log.At(4), _log.At(4), _log.At(17));
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Message.ShouldContain("has 17 of them; 6 came later");
    }

    [Fact]
    public async Task Every_change_of_one_field_is_found_and_its_record_named()
    {
        var lines = _log.Export();
        var changes = 0;
        for (var number = 1; number <= Size; number++)
        {
            foreach (var changed in Changes(SampleLog.Text(lines[number])))
            {
                var verdict = await SampleLog.VerifyAsync([.. lines[..number], SampleLog.Text(changed), .. lines[(number + 1)..]], _log.At(Size));
                verdict.Fault.ShouldBe(AuditFault.ChangedRecord, changed);
                verdict.Record.ShouldBe(number, changed);
                verdict.Message.ShouldContain($"Record {number} ");
                changes++;
            }
        }

        changes.ShouldBeGreaterThan(Size * 13);
    }

    [Fact]
    public async Task An_editor_who_makes_the_proofs_fit_again_is_found_though_not_forgiven_their_neighbours()
    {
        var kept = _log.At(5);
        var lines = _log.Export();
        _log.Rewrite(9, record => record with { Record = record.Record with { Outcome = "failed" }, Salt = RecordSeal.NewSalt() });
        var edited = _log.Export();

        // The lines before it prove themselves with hashes that the edited record is a part of: left alone they are right, edited they are not.
        var alone = await SampleLog.VerifyAsync([.. lines[..9], .. edited[9..]], kept);
        (alone.Fault, alone.Record).ShouldBe((AuditFault.ChangedRecord, 9));
        var all = await SampleLog.VerifyAsync([lines[0], .. edited[1..]], kept);
        (all.Fault, all.Record).ShouldBe((AuditFault.ChangedRecord, 1));
        all.Message.ShouldContain("or the proof in its line");
    }

    [Fact]
    public async Task A_removed_row_is_named_wherever_it_stood()
    {
        var lines = _log.Export();
        for (var number = 1; number < Size; number++)
        {
            var verdict = await SampleLog.VerifyAsync([.. lines[..number], .. lines[(number + 1)..]], _log.At(Size));
            (verdict.Fault, verdict.Record).ShouldBe((AuditFault.MissingRecord, number));
            verdict.Message.ShouldBe($"Record {number} was removed: record {number + 1} follows record {number - 1}.");
        }
    }

    [Fact]
    public async Task Two_swapped_rows_are_named_wherever_they_stood()
    {
        var lines = _log.Export();
        for (var one = 1; one < Size; one++)
        {
            for (var other = one + 1; other <= Size; other++)
            {
                var swapped = lines.ToList();
                (swapped[one], swapped[other]) = (swapped[other], swapped[one]);
                var verdict = await SampleLog.VerifyAsync(swapped, _log.At(Size));
                (verdict.Fault, verdict.Record).ShouldBe((AuditFault.MovedRecord, one));
                verdict.Message.ShouldContain($"record {other} stands in its place");

                // With their numbers changed to fit, they are not what was sealed there.
                swapped[one] = Renumbered(swapped[one], one);
                swapped[other] = Renumbered(swapped[other], other);
                verdict = await SampleLog.VerifyAsync(swapped, _log.At(Size));
                (verdict.Fault, verdict.Record).ShouldBe((AuditFault.ChangedRecord, one));
            }
        }
    }

    [Fact]
    public async Task A_cut_tail_is_found_however_the_export_ends()
    {
        var lines = _log.Export();
        for (var left = 0; left < Size; left++)
        {
            var verdict = await SampleLog.VerifyAsync(lines[..(left + 1)], _log.At(Size));
            (verdict.Fault, verdict.Record).ShouldBe((AuditFault.CutTail, left + 1));
            verdict.Message.ShouldStartWith("The tail is cut");

            // Also with a checkpoint of just that size, which was genuine once.
            verdict = await SampleLog.VerifyAsync(_log.Export(left), _log.At(Size));
            (verdict.Fault, verdict.Record).ShouldBe((AuditFault.CutTail, left + 1));
        }
    }

    [Fact]
    public async Task Rows_that_were_added_or_repeated_are_found()
    {
        var lines = _log.Export();
        var repeated = await SampleLog.VerifyAsync([.. lines[..6], lines[5], .. lines[6..]], _log.At(Size));
        (repeated.Fault, repeated.Record).ShouldBe((AuditFault.RepeatedRecord, 5));
        var added = await SampleLog.VerifyAsync([.. lines, Renumbered(lines[^1], Size + 1)], _log.At(Size));
        (added.Fault, added.Record).ShouldBe((AuditFault.SurplusRecord, Size + 1));
    }

    [Fact]
    public async Task A_forged_checkpoint_is_found_on_either_side()
    {
        var lines = _log.Export();
        using var stranger = CheckpointKey.Generate();
        foreach (var forged in Forgeries(_log.At(Size)))
        {
            var kept = await SampleLog.VerifyAsync(lines, forged);
            kept.Fault.ShouldBe(AuditFault.ForgedCheckpoint);
            kept.Message.ShouldContain("kept checkpoint in line 1");
            var own = await SampleLog.VerifyAsync([ExportLines.Write(forged), .. lines[1..]], _log.At(Size));
            own.Fault.ShouldBeOneOf(AuditFault.ForgedCheckpoint, AuditFault.NoCheckpoint);
        }

        (await SampleLog.VerifyAsync(_log.Export(key: stranger), _log.At(Size))).Message.ShouldContain("different keys");
        (await SampleLog.VerifyAsync(lines, _log.At(Size, stranger))).Fault.ShouldBe(AuditFault.ForgedCheckpoint);
    }

    [Fact]
    public async Task Who_has_the_key_and_writes_history_anew_is_found_between_two_checkpoints()
    {
        var kept = new[] { _log.At(5), _log.At(12), _log.At(20) };
        _log.Rewrite(9, record => record with { Personal = record.Personal! with { ActorLogin = "somebody else" } });
        var verdict = await SampleLog.VerifyAsync(_log.Export(), kept);
        verdict.Fault.ShouldBe(AuditFault.RewrittenHistory);
        verdict.Message.ShouldContain("somewhere in records 6 to 12");
    }

    [Fact]
    public async Task What_is_no_export_and_no_checkpoint_is_said_to_be_none()
    {
        var lines = _log.Export();
        var kept = ExportLines.Write(_log.At(Size));
        (await SampleLog.VerifyAsync(Array.Empty<byte[]>(), [kept])).Fault.ShouldBe(AuditFault.Unreadable);
        (await SampleLog.VerifyAsync(lines[1..], [kept])).Message.ShouldContain("does not begin with its checkpoint");
        (await SampleLog.VerifyAsync(lines, Array.Empty<byte[]>())).Fault.ShouldBe(AuditFault.NoCheckpoint);
        (await SampleLog.VerifyAsync(lines, [kept, "{}"u8.ToArray()])).Message.ShouldContain("Line 2 of the checkpoints");
        (await SampleLog.VerifyAsync(lines, [new byte[ExportLines.LongestLine + 1]])).Message.ShouldContain("longer than");
        foreach (var line in (string[])
        [
            "[]", "null", "{", "\0", SampleLog.Text(lines[2])[..^1] + ",\"note\":1}", SampleLog.Text(lines[2])[..^1] + ",\"number\":2}",
            SampleLog.Text(lines[2]).Replace("policy.changed", "\\ud800", StringComparison.Ordinal).Replace("sign-in.refused", "\\ud800", StringComparison.Ordinal),
            SampleLog.Text(lines[2]).Replace("\"salt\":\"", "\"salt\":\"AAAA", StringComparison.Ordinal),
            SampleLog.Text(lines[2]).Replace("\"proof\":[", "\"proof\":[null,", StringComparison.Ordinal).Replace(",]", "]", StringComparison.Ordinal),
        ])
        {
            var verdict = await SampleLog.VerifyAsync([.. lines[..2], SampleLog.Text(line), .. lines[3..]], [kept]);
            (verdict.Fault, verdict.Record).ShouldBe((AuditFault.Unreadable, 2), line);
        }
    }

    [Fact]
    public async Task Checkpoints_of_other_organizations_do_not_matter()
    {
        using var stranger = CheckpointKey.Generate();
        var other = stranger.Sign(Guid.NewGuid(), 1000, MerkleTree.EmptyRoot, SampleLog.Start);
        (await SampleLog.VerifyAsync(_log.Export(), other, _log.At(Size))).IsIntact.ShouldBeTrue();
        (await SampleLog.VerifyAsync(_log.Export(), other)).Fault.ShouldBe(AuditFault.NoCheckpoint);
    }

    [Fact]
    public void A_key_is_the_same_after_it_was_kept()
    {
        using var key = CheckpointKey.Import(_log.Key.Export());
        var checkpoint = key.Sign(_log.Organization, 1, MerkleTree.EmptyRoot, SampleLog.Start);
        checkpoint.IsGenuine().ShouldBeTrue();
        checkpoint.Key.ShouldBe(_log.At(1).Key);
        Should.Throw<System.Security.Cryptography.CryptographicException>(() => CheckpointKey.Import([1, 2, 3]));
    }

    /// <summary>The line with each of its values changed in turn: another one, and where it may be missing, present or missing.</summary>
    private static IEnumerable<string> Changes(string line)
    {
        var record = JsonNode.Parse(line)!.AsObject();
        foreach (var name in record.Select(member => member.Key).Where(name => name is not ("number" or "personal" or "openings" or "proof")).ToList())
        {
            var changed = record.DeepClone().AsObject();
            changed[name] = Other(name, changed[name]);
            yield return changed.ToJsonString();
        }

        foreach (var name in record["personal"]!.AsObject().Select(member => member.Key).ToList())
        {
            var changed = record.DeepClone().AsObject();
            var personal = changed["personal"]!.AsObject();
            personal[name] = Other(name, personal[name]);
            yield return changed.ToJsonString();
            if (name is not ("actor" or "source" or "subjectId") || record["personal"]![name] is null) continue;
            personal[name] = null;
            yield return changed.ToJsonString();
        }

        // From one field into its neighbour: the same letters in the same order.
        var moved = record.DeepClone().AsObject();
        moved["kind"] = (string)moved["kind"]! + ((string)moved["channel"]!)[0];
        moved["channel"] = ((string)moved["channel"]!)[1..];
        yield return moved.ToJsonString();
    }

    private static JsonNode Other(string name, JsonNode? value) => name switch
    {
        "id" => (long)value! + 1,
        "at" => DateTimeOffset.Parse((string)value!, System.Globalization.CultureInfo.InvariantCulture).AddTicks(1),
        "salt" => Convert.ToBase64String(RecordSeal.NewSalt()),
        "actor" or "subjectId" => Guid.NewGuid(),
        "details" => (string)value! + " ",
        _ => (string?)value + "x",
    };

    private static byte[] Renumbered(byte[] line, int number)
    {
        var record = JsonNode.Parse(line)!.AsObject();
        record["number"] = number;
        return SampleLog.Text(record.ToJsonString());
    }

    private static IEnumerable<Checkpoint> Forgeries(Checkpoint genuine)
    {
        yield return Copy(genuine, size: genuine.Size - 1);
        yield return Copy(genuine, root: MerkleTree.EmptyRoot);
        yield return Copy(genuine, root: []);
        yield return Copy(genuine, at: genuine.At.AddTicks(1));
        yield return Copy(genuine, organization: Guid.NewGuid());
        yield return Copy(genuine, signature: new byte[64]);
        yield return Copy(genuine, signature: []);
        yield return Copy(genuine, key: [1, 2, 3]);
        yield return Copy(genuine, key: [.. genuine.Key, 0]);
        using var stranger = CheckpointKey.Generate();
        yield return Copy(genuine, key: stranger.Sign(genuine.Organization, 0, genuine.Root, genuine.At).Key);
    }

    private static Checkpoint Copy(
        Checkpoint checkpoint, Guid? organization = null, long? size = null, byte[]? root = null, DateTimeOffset? at = null, byte[]? key = null, byte[]? signature = null) => new()
        {
            Organization = organization ?? checkpoint.Organization,
            Size = size ?? checkpoint.Size,
            Root = root ?? checkpoint.Root,
            At = at ?? checkpoint.At,
            Key = key ?? checkpoint.Key,
            Signature = signature ?? checkpoint.Signature,
        };
}
