using System.Text.Json.Nodes;
using Countersign.Audit;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Tests.Recording;

namespace Countersign.Sessions.Tests.Journal;

public sealed class JournalFileTests
{
    private static readonly SessionId Other = new(new("0192aaaa-0000-7000-8000-000000000002"));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_come_back_in_order_letter_by_letter_and_their_chain_is_the_head()
    {
        var time = new ManualTime(World.Start);
        var file = new MemoryStream();
        var writer = Journaled.Begin(file, time);
        time.Advance(TimeSpan.FromMinutes(1));
        writer.Append(new SignalSent("TERM"));
        writer.Append(new RecordingFailed("No space left on device"));
        writer.Append(new ProgramExited(3, 10, 20));
        var summary = await writer.FinishAsync(Journaled.End);

        summary.ShouldSatisfyAllConditions(() => summary.Complete.ShouldBeTrue(), () => summary.Failure.ShouldBeNull(), () => summary.Head.Events.ShouldBe(5));
        var (lines, damage, reader) = await Journaled.ReadAsync(file.ToArray());
        damage.ShouldBeNull();
        lines.Select(line => JsonNode.Parse(line)!["event"]!.GetValue<string>()).ShouldBe(["began", "signal", "recordingFailed", "exited", "ended"]);
        lines.Select(line => JsonNode.Parse(line)!["at"]!.GetValue<DateTimeOffset>()).ShouldBe([World.Start, .. Enumerable.Repeat(World.Start.AddMinutes(1), 4)]);
        JsonNode.Parse(lines[0])!["command"]!.GetValue<string>().ShouldBe("uptime");
        reader.End!.ExitStatus.ShouldBe(3);
        reader.Head.Hash.ToArray().ShouldBe(summary.Head.Hash.ToArray());
        var chain = new JournalChain(Journaled.Organization.Value, Recorded.Session.Value);
        foreach (var line in lines) chain.Add(System.Text.Encoding.UTF8.GetBytes(line));
        chain.Head.Hash.ToArray().ShouldBe(summary.Head.Hash.ToArray());
    }

    [Fact]
    public async Task Cut_at_any_byte_it_reads_up_to_its_last_whole_event()
    {
        var whole = await Journaled.MakeAsync();
        var ends = Journaled.Frames(whole).Select(frame => frame.Length).ToList();
        var all = (await Journaled.ReadAsync(whole)).Lines;
        for (var length = 0; length < whole.Length; length++)
        {
            var (lines, damage, reader) = await Journaled.ReadAsync(whole[..length]);
            damage.ShouldBeNull($"cut at {length}");
            var frames = 0;
            for (var end = ends[0]; frames + 1 < ends.Count && end + ends[frames + 1] <= length; frames++) end += ends[frames + 1];
            lines.ShouldBe(all[..frames], $"cut at {length}");
            reader.Head.Events.ShouldBe(frames);
            reader.End.ShouldBeNull();
        }
    }

    [Fact]
    public async Task A_changed_byte_anywhere_is_found_and_what_was_before_it_is_read()
    {
        var whole = await Journaled.MakeAsync();
        var all = (await Journaled.ReadAsync(whole)).Lines;
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = whole.ToArray();
            changed[at] ^= 0x20;
            var (lines, damage, _) = await Journaled.ReadAsync(changed);
            damage.ShouldNotBeNull($"byte {at}");
            lines.ShouldBe(all[..lines.Count]);
        }
    }

    [Fact]
    public async Task Events_swapped_removed_repeated_or_added_are_found()
    {
        var frames = Journaled.Frames(await Journaled.MakeAsync());
        for (var one = 1; one < frames.Count; one++)
        {
            for (var other = one + 1; other < frames.Count; other++)
            {
                var swapped = frames.ToList();
                (swapped[one], swapped[other]) = (swapped[other], swapped[one]);
                await ExpectDamageAsync(swapped, one - 1);
            }

            if (one < frames.Count - 1) await ExpectDamageAsync([.. frames[..one], .. frames[(one + 1)..]], one - 1);
            await ExpectDamageAsync([.. frames[..(one + 1)], frames[one], .. frames[(one + 1)..]], one);
        }
    }

    [Fact]
    public async Task A_dropped_tail_reads_well_and_does_not_reach_its_head()
    {
        var whole = await Journaled.MakeAsync();
        var head = (await Journaled.ReadAsync(whole)).Reader.Head;
        var frames = Journaled.Frames(whole);
        for (var left = 1; left < frames.Count; left++)
        {
            var (_, damage, reader) = await Journaled.ReadAsync([.. frames[..left].SelectMany(frame => frame)]);
            damage.ShouldBeNull();
            reader.Head.Events.ShouldBeLessThan(head.Events);
            reader.Head.Hash.ToArray().ShouldNotBe(head.Hash.ToArray());
        }
    }

    [Fact]
    public async Task Two_sessions_journals_exchanged_are_nobodys()
    {
        var one = await Journaled.MakeAsync();
        var other = await Journaled.MakeAsync(session: Other);
        (await Journaled.ReadAsync(other)).Damage.ShouldNotBeNull().ShouldContain("not this session's");
        (await Journaled.ReadAsync(one, Other)).Damage.ShouldNotBeNull().ShouldContain("not this session's");

        // Nor do events of the one pass in the other.
        var (mine, theirs) = (Journaled.Frames(one), Journaled.Frames(other));
        await ExpectDamageAsync([.. mine[..2], theirs[2], .. mine[3..]], 1);
        await ExpectDamageAsync([mine[0], .. theirs[1..]], 0);
    }

    [Fact]
    public async Task A_recording_is_no_journal_and_a_journal_no_recording()
    {
        (await Journaled.ReadAsync(await Recorded.MakeSmallAsync())).Damage.ShouldNotBeNull();
        (await Recorded.ReadAsync(await Journaled.MakeAsync())).Damage.ShouldNotBeNull();
    }

    [Fact]
    public async Task Who_reads_along_goes_on_where_they_were()
    {
        using var file = new MemoryStream();
        await using var writer = Journaled.Begin(file);
        using var reader = new JournalReader(file, Journaled.Organization, Recorded.Session, Recorded.Key);
        (await reader.ReadAsync(Cancellation)).Count.ShouldBe(1);
        (await reader.ReadAsync(Cancellation)).ShouldBeEmpty();
        file.Position = file.Length;
        writer.Append(new SignalSent("TERM"));
        var head = await writer.MarkAsync();
        (await reader.ReadAsync(Cancellation)).Count.ShouldBe(1);
        reader.Head.Hash.ToArray().ShouldBe(head!.Value.Hash.ToArray());
        file.Position = file.Length;
    }

    [Fact]
    public async Task What_an_event_tells_can_not_be_read_in_the_file()
    {
        var text = System.Text.Encoding.Latin1.GetString(await Journaled.MakeAsync());
        foreach (var word in (string[])["tina", "web01", "uptime", "USR3"]) text.ShouldNotContain(word);
    }

    private static async Task ExpectDamageAsync(List<byte[]> frames, int readable)
    {
        var (lines, damage, _) = await Journaled.ReadAsync([.. frames.SelectMany(frame => frame)]);
        damage.ShouldNotBeNull();
        lines.Count.ShouldBe(readable);
    }
}
