using Countersign.Sessions.Recording;

namespace Countersign.Sessions.Tests.Recording;

public sealed class WriterTests : IAsyncDisposable
{
    private readonly ManualTime _time = new(World.Start);
    private readonly Disk _disk = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync() => await _disk.DisposeAsync();

    [Fact]
    public async Task What_was_added_is_in_the_file_after_a_second()
    {
        await using var writer = Begin();
        var before = _disk.Length;
        writer.Output("prompt$ "u8);
        var progress = writer.Progress;

        _time.Advance(TimeSpan.FromMilliseconds(999));
        _disk.Length.ShouldBe(before);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await progress.WaitAsync(Cancellation);

        _disk.Length.ShouldBeGreaterThan(before);
        (await Recorded.ReadAsync(_disk.ToArray())).Events.Bytes(RecordingEventKind.Output).ShouldBe("prompt$ "u8.ToArray());
    }

    [Fact]
    public async Task While_somebody_reads_along_it_is_there_sooner_and_what_had_gathered_at_once()
    {
        await using var writer = Begin();
        writer.Output("gathered "u8);
        var progress = writer.Progress;
        var reading = writer.ReadAlong();
        await progress.WaitAsync(Cancellation);

        progress = writer.Progress;
        writer.Output("watched "u8);
        _time.Advance(RecordingWriter.FlushAfterWatched);
        await progress.WaitAsync(Cancellation);

        reading.Dispose();
        reading.Dispose();
        progress = writer.Progress;
        writer.Output("alone"u8);
        _time.Advance(RecordingWriter.FlushAfterWatched);
        (await Recorded.ReadAsync(_disk.ToArray())).Events.Bytes(RecordingEventKind.Output).ShouldBe("gathered watched "u8.ToArray());
        _time.Advance(RecordingWriter.FlushAfter);
        await progress.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task Who_reads_along_is_not_left_waiting_by_a_disk_that_gets_full()
    {
        await using var writer = Begin();
        using var file = new MemoryStream(_disk.ToArray());
        using var reader = new RecordingReader(file, Recorded.Session, Recorded.Key);
        var following = Task.Run(async () => await reader.ReadAllAsync(writer, Cancellation).CountAsync(Cancellation), Cancellation);
        _disk.Room = _disk.Length;
        writer.Output("lost"u8);
        _time.Advance(TimeSpan.FromSeconds(1));

        (await following.WaitAsync(Cancellation)).ShouldBe(1);
        reader.Complete.ShouldBeFalse();
    }

    [Fact]
    public async Task The_length_is_that_of_what_is_whole()
    {
        var writer = Begin();
        _time.Advance(TimeSpan.FromSeconds(3));
        await FlushAsync(writer, "kept"u8.ToArray());
        _time.Advance(TimeSpan.FromSeconds(5));
        _disk.Room = _disk.Length;
        writer.Output("lost"u8);
        _time.Advance(TimeSpan.FromSeconds(1));
        await writer.Failed.WaitAsync(Cancellation);

        (await writer.FinishAsync(Recorded.End)).Length.ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_full_frame_does_not_wait_for_the_second()
    {
        await using var writer = Begin();
        var progress = writer.Progress;

        writer.Output(new byte[RecordingWriter.FrameBytes]);

        await progress.WaitAsync(Cancellation);
        (await Recorded.ReadAsync(_disk.ToArray())).Events.Bytes(RecordingEventKind.Output).Length.ShouldBe(RecordingWriter.FrameBytes);
    }

    [Fact]
    public void A_disk_that_takes_nothing_is_told_before_anything_is_recorded()
    {
        _disk.Room = 10;

        Should.Throw<IOException>(() => Begin());
        _disk.IsDisposed.ShouldBeTrue();
    }

    [Fact]
    public async Task A_disk_that_gets_full_is_told_and_what_was_written_before_plays()
    {
        await using var writer = Begin();
        await FlushAsync(writer, "kept"u8.ToArray());
        _disk.Room = _disk.Length + 30;
        writer.Output("lost"u8);
        _time.Advance(TimeSpan.FromSeconds(1));

        (await writer.Failed.WaitAsync(Cancellation)).ShouldBe("No space left on device");
        writer.Output("ignored"u8);
        var result = await writer.FinishAsync(Recorded.End);

        result.Complete.ShouldBeFalse();
        result.Failure.ShouldBe("No space left on device");
        var (events, damage, complete) = await Recorded.ReadAsync(_disk.ToArray());
        damage.ShouldBeNull();
        complete.ShouldBeFalse();
        events.Bytes(RecordingEventKind.Output).ShouldBe("kept"u8.ToArray());
        result.Size.ShouldBeLessThan(_disk.ToArray().Length);
    }

    [Fact]
    public async Task The_end_that_finds_no_room_is_told_too()
    {
        await using var writer = Begin();
        _disk.Room = _disk.Length;

        var result = await writer.FinishAsync(Recorded.End);

        result.Complete.ShouldBeFalse();
        result.Failure.ShouldBe("No space left on device");
    }

    [Fact]
    public async Task A_disk_that_hangs_holds_up_the_sender_and_then_has_failed()
    {
        await using var writer = Begin();
        var hanging = _disk.Hang();
        for (var sent = 0; !writer.IsBehind; sent += 32 * 1024)
        {
            writer.Output(new byte[32 * 1024]);
            sent.ShouldBeLessThan(RecordingWriter.Backlog + (4 * RecordingWriter.FrameBytes));
        }

        await hanging.WaitAsync(Cancellation);
        var caughtUp = new TaskCompletionSource();
        writer.CaughtUp = () => caughtUp.TrySetResult();
        writer.Failed.IsCompleted.ShouldBeFalse();
        _time.Advance(RecordingWriter.LongestWrite);

        (await writer.Failed.WaitAsync(Cancellation)).ShouldContain("10 s");
        await caughtUp.Task.WaitAsync(Cancellation);
        writer.IsBehind.ShouldBeFalse();
        _disk.Release();
    }

    [Fact]
    public async Task A_disk_that_has_caught_up_lets_the_sender_go_on_and_nothing_is_lost()
    {
        await using var writer = Begin();
        var hanging = _disk.Hang();
        var caughtUp = new TaskCompletionSource();
        writer.CaughtUp = () => caughtUp.TrySetResult();
        var sent = 0;
        for (; !writer.IsBehind; sent += 1000) writer.Output(new byte[1000]);
        await hanging.WaitAsync(Cancellation);

        _disk.Release();
        await caughtUp.Task.WaitAsync(Cancellation);
        var result = await writer.FinishAsync(Recorded.End);

        result.Complete.ShouldBeTrue();
        (await Recorded.ReadAsync(_disk.ToArray())).Events.Bytes(RecordingEventKind.Output).Length.ShouldBe(sent);
    }

    [Fact]
    public async Task A_sender_that_nobody_holds_up_ends_the_recording_before_memory_is_full()
    {
        await using var writer = Begin();
        _ = _disk.Hang();
        for (var sent = 0; sent <= RecordingWriter.MostWaiting + RecordingWriter.FrameBytes; sent += RecordingWriter.FrameBytes) writer.Output(new byte[RecordingWriter.FrameBytes]);

        (await writer.Failed.WaitAsync(Cancellation)).ShouldBe("the disk is too slow");
        _disk.Release();
    }

    [Fact]
    public async Task Without_an_end_it_is_a_recording_that_was_cut()
    {
        var writer = Begin();
        writer.Output("half"u8);
        await writer.DisposeAsync();

        var result = await writer.FinishAsync(Recorded.End);

        result.Complete.ShouldBeFalse();
        (await Recorded.ReadAsync(_disk.ToArray())).Complete.ShouldBeFalse();
    }

    [Fact]
    public async Task Who_reads_along_gets_every_byte_once_and_then_the_end()
    {
        var random = new Random(11);
        var sent = new byte[700_000];
        random.NextBytes(sent);
        var path = Path.Combine(Directory.CreateTempSubdirectory("countersign-recording-").FullName, "one");
        var writer = RecordingWriter.Begin(
            new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0), Recorded.Session, Recorded.Start, Recorded.Key, _time);

        var early = FollowAsync();
        for (var at = 0; at < sent.Length / 2;) at = Send(at);
        var late = FollowAsync();
        for (var at = sent.Length / 2; at < sent.Length;) at = Send(at);
        await writer.FinishAsync(Recorded.End);
        var after = FollowAsync();

        foreach (var followed in await Task.WhenAll(early, late, after))
        {
            followed.Bytes(RecordingEventKind.Output).ShouldBe(sent);
            followed[^1].ReadEnd().ShouldBe(Recorded.End);
        }

        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);

        int Send(int at)
        {
            var half = at < sent.Length / 2 ? sent.Length / 2 : sent.Length;
            var piece = Math.Min(random.Next(1, 5000), half - at);
            writer.Output(sent.AsSpan(at, piece));
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(50)));
            return at + piece;
        }

        async Task<List<RecordingEvent>> FollowAsync()
        {
            await Task.Yield();
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new RecordingReader(file, Recorded.Session, Recorded.Key);
            var events = new List<RecordingEvent>();
            await foreach (var one in reader.ReadAllAsync(writer, Cancellation)) events.Add(one);
            return events;
        }
    }

    private async Task FlushAsync(RecordingWriter writer, byte[] data)
    {
        var progress = writer.Progress;
        writer.Output(data);
        _time.Advance(TimeSpan.FromSeconds(1));
        await progress.WaitAsync(Cancellation);
    }

    private RecordingWriter Begin() => RecordingWriter.Begin(_disk, Recorded.Session, Recorded.Start, Recorded.Key, _time);

    /// <summary>A file on a disk of limited room, which can also stop answering.</summary>
    private sealed class Disk : MemoryStream
    {
        private TaskCompletionSource? _hanging;
        private TaskCompletionSource? _reached;

        public long Room { get; set; } = long.MaxValue;

        public bool IsDisposed { get; private set; }

        /// <summary>Completes when the first write hangs.</summary>
        public Task Hang()
        {
            _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _reached.Task;
        }

        public void Release() => _hanging!.TrySetResult();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            var fitting = (int)Math.Min(buffer.Length, Room - Length);
            base.Write(buffer[..fitting]);
            if (fitting < buffer.Length) throw new IOException("No space left on device");
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_hanging is { } hanging)
            {
                _reached!.TrySetResult();
                await hanging.Task.WaitAsync(cancellationToken);
            }

            Write(buffer.Span);
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
