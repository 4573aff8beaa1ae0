using Countersign.Sessions.Recording;
using Countersign.Ssh;

namespace Countersign.Sessions.Tests.Recording;

public sealed class ContainerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Any_split_of_writes_reads_back_identical(int seed)
    {
        var random = new Random(seed);
        var output = new byte[random.Next(1, 400_000)];
        var error = new byte[random.Next(1, 150_000)];
        random.NextBytes(output);
        random.NextBytes(error);
        var time = new ManualTime(World.Start);
        var file = await Recorded.MakeAsync(
            writer =>
            {
                int written = 0, told = 0;
                while (written < output.Length || told < error.Length)
                {
                    // Mostly keystrokes, now and then more than an event holds.
                    var length = random.Next(4) == 0 ? random.Next(200_000) : random.Next(2000);
                    var piece = Math.Min(length, output.Length - written);
                    writer.Output(output.AsSpan(written, piece));
                    written += piece;
                    piece = Math.Min(random.Next(3000), error.Length - told);
                    writer.Error(error.AsSpan(told, piece));
                    told += piece;

                    // Flushes come due; all in all it stays below the time that the disk is given for a frame, which it may need on a busy machine.
                    time.Advance(TimeSpan.FromMilliseconds(random.Next(50)));
                }
            },
            time);
        (time.GetUtcNow() - World.Start).ShouldBeLessThan(RecordingWriter.LongestWrite);

        var (events, damage, complete) = await Recorded.ReadAsync(file);

        damage.ShouldBeNull();
        complete.ShouldBeTrue();
        events.Bytes(RecordingEventKind.Output).ShouldBe(output);
        events.Bytes(RecordingEventKind.Error).ShouldBe(error);
        events.Select(one => one.At).ShouldBeInOrder();
        events[0].ReadStart().ShouldBe(Recorded.Start);
        events[^1].ReadEnd().ShouldBe(Recorded.End);
    }

    [Fact]
    public async Task Every_event_keeps_its_kind_its_order_and_its_instant()
    {
        var time = new ManualTime(World.Start);
        var file = new MemoryStream();
        var writer = RecordingWriter.Begin(file, Recorded.Session, Recorded.Start, Recorded.Key, time);
        writer.Output("one"u8);
        time.Advance(TimeSpan.FromMilliseconds(250));
        writer.Error("two"u8);
        writer.Resize(new(80, 25));

        // The disk has to have it before the long rest, which it would be taken for not answering in.
        var written = writer.Progress;
        time.Advance(TimeSpan.FromMilliseconds(750));
        await written.WaitAsync(Cancellation);
        time.Advance(TimeSpan.FromHours(30));
        writer.Input("x"u8);
        await writer.FinishAsync(Recorded.End);

        var (events, _, _) = await Recorded.ReadAsync(file.ToArray());

        events.Select(one => (one.Kind, one.At)).ShouldBe([
            (RecordingEventKind.Start, TimeSpan.Zero),
            (RecordingEventKind.Output, TimeSpan.Zero),
            (RecordingEventKind.Error, TimeSpan.FromMilliseconds(250)),
            (RecordingEventKind.Resize, TimeSpan.FromMilliseconds(250)),
            (RecordingEventKind.Input, TimeSpan.FromSeconds(1) + TimeSpan.FromHours(30)),
            (RecordingEventKind.End, TimeSpan.FromSeconds(1) + TimeSpan.FromHours(30)),
        ]);
        events[3].ReadSize().ShouldBe(new TerminalSize(80, 25));
    }

    [Fact]
    public async Task Cut_at_any_byte_it_plays_up_to_the_last_whole_frame()
    {
        var whole = await Recorded.MakeSmallAsync();
        var ends = new List<(int Offset, int Events)>();
        var offset = 0;
        var count = 0;
        foreach (var part in Recorded.Frames(whole))
        {
            offset += part.Length;
            ends.Add((offset, count));
            count += ends.Count == 1 ? 1 : 2;
        }

        // Header; start; four frames of two events; the end.
        ends.Count.ShouldBe(7);
        for (var cut = 0; cut < whole.Length; cut++)
        {
            var (events, damage, complete) = await Recorded.ReadAsync(whole[..cut]);
            damage.ShouldBeNull($"cut at {cut}");
            complete.ShouldBeFalse($"cut at {cut}");
            events.Count.ShouldBe(ends.LastOrDefault(end => end.Offset <= cut).Events, $"cut at {cut}");
        }
    }

    [Fact]
    public async Task Any_changed_byte_is_found_and_the_frame_that_holds_it_is_named()
    {
        var whole = await Recorded.MakeSmallAsync();
        var at = 0;
        var parts = Recorded.Frames(whole);
        for (var part = 0; part < parts.Count; part++)
        {
            for (var index = 0; index < parts[part].Length; index++, at++)
            {
                foreach (var flip in (byte[])[0x01, 0x80])
                {
                    var changed = whole.ToArray();
                    changed[at] ^= flip;
                    var (_, damage, _) = await Recorded.ReadAsync(changed);
                    damage.ShouldNotBeNull($"byte {at}").Frame.ShouldBe(part == 0 ? null : (uint)(part - 1), $"byte {at}");
                }
            }
        }
    }

    [Fact]
    public async Task Swapped_removed_doubled_and_added_frames_are_found()
    {
        var parts = Recorded.Frames(await Recorded.MakeSmallAsync());
        byte[][] swapped = [.. parts];
        (swapped[2], swapped[3]) = (swapped[3], swapped[2]);
        await IsDamagedAt(1, swapped);
        await IsDamagedAt(2, [.. parts[..3], .. parts[4..]]);
        await IsDamagedAt(0, [parts[0], .. parts[2..]]);
        await IsDamagedAt(3, [.. parts[..4], parts[3], .. parts[4..]]);
        await IsDamagedAt((uint)(parts.Count - 1), [.. parts, parts[^1]]);
        await IsDamagedAt((uint)(parts.Count - 1), [.. parts, [0]]);

        static async Task IsDamagedAt(uint frame, byte[][] parts)
        {
            var (_, damage, _) = await Recorded.ReadAsync([.. parts.SelectMany(part => part)]);
            damage.ShouldNotBeNull().Frame.ShouldBe(frame);
        }
    }

    [Fact]
    public async Task A_frame_of_another_recording_under_the_same_key_is_found()
    {
        var mine = Recorded.Frames(await Recorded.MakeSmallAsync());
        var other = Recorded.Frames(await Recorded.MakeSmallAsync());

        var (_, damage, _) = await Recorded.ReadAsync([.. mine[0], .. mine[1], .. other[2]]);

        damage.ShouldNotBeNull().Frame.ShouldBe(1u);
    }

    [Fact]
    public async Task It_opens_neither_for_another_session_nor_under_another_key()
    {
        var file = await Recorded.MakeSmallAsync();
        using var otherKey = new Secret(new byte[32]);

        (await Recorded.ReadAsync(file, session: new(Guid.NewGuid()))).Damage.ShouldNotBeNull().Frame.ShouldBeNull();
        (await Recorded.ReadAsync(file, key: otherKey)).Damage.ShouldNotBeNull().Frame.ShouldBeNull();
    }

    [Fact]
    public async Task Nothing_of_what_is_recorded_is_readable_in_the_file()
    {
        var file = await Recorded.MakeAsync(writer => writer.Output("the password is swordfish"u8));

        file.AsSpan().IndexOf("swordfish"u8).ShouldBe(-1);
        file.AsSpan().IndexOf("tina"u8).ShouldBe(-1);
    }

    [Fact]
    public async Task A_length_beyond_the_bound_is_refused_before_it_is_used()
    {
        var file = (await Recorded.MakeSmallAsync()).ToArray();
        file.AsSpan(88, 4).Fill(0x7f);

        (await Recorded.ReadAsync(file)).Damage.ShouldNotBeNull().Frame.ShouldBe(0u);
    }

    [Fact]
    public async Task What_the_writer_tells_at_the_end_is_what_the_reader_finds()
    {
        var (file, result) = await Recorded.MakeWithResultAsync(writer => writer.Output(new byte[300_000]));
        using var reader = new RecordingReader(new MemoryStream(file), Recorded.Session, Recorded.Key);
        while ((await reader.ReadAsync(Cancellation)).Count > 0)
        {
        }

        result.Complete.ShouldBeTrue();
        result.Failure.ShouldBeNull();
        result.Size.ShouldBe(file.Length);
        reader.Size.ShouldBe(file.Length);
        reader.Hash.ToArray().ShouldBe(result.Hash.ToArray());
    }

    [Fact]
    public async Task Random_bytes_are_no_recording()
    {
        var random = new Random(7);
        for (var run = 0; run < 500; run++)
        {
            var bytes = new byte[random.Next(88, 400)];
            random.NextBytes(bytes);
            if (run % 2 == 0) "CSR1"u8.CopyTo(bytes);
            (await Recorded.ReadAsync(bytes)).Damage.ShouldNotBeNull().Frame.ShouldBeNull();
        }
    }
}
