using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions.Tests.Recording;

public sealed class RecorderTests : IAsyncDisposable
{
    private readonly World _world = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_session_is_recorded_from_before_it_starts_and_its_end_tells_the_hash()
    {
        var admitted = await _world.AdmittedAsync();
        var recording = admitted.Session.Recording.ShouldNotBeNull();
        recording.Output("hello"u8);
        admitted.Session.Finish(EndReason.Completed, "", 4);
        await admitted.Session.DisposeAsync();

        var summary = _world.Ended.ShouldHaveSingleItem().Recording;
        summary.State.ShouldBe(RecordingState.Complete);
        var found = (await _world.Recordings.InspectAsync(admitted.Session.Opening.Organization, admitted.Session.Opening.Id, Cancellation)).ShouldNotBeNull();
        found.Complete.ShouldBeTrue();
        found.Size.ShouldBe(summary.Size!.Value);
        found.Hash.ToArray().ShouldBe(summary.Hash!.Value.ToArray());
        using var stored = _world.Recordings.Open(admitted.Session.Opening.Organization, admitted.Session.Opening.Id).ShouldNotBeNull();
        var events = new List<RecordingEvent>();
        await foreach (var one in stored.Reader.ReadAllAsync(null, Cancellation)) events.Add(one);
        events[0].ReadStart()!.Device.ShouldBe("web01");
        events.Bytes(RecordingEventKind.Output).ShouldBe("hello"u8.ToArray());
        events[^1].ReadEnd().ShouldBe(new RecordingEnd(EndReason.Completed, "", 4));
    }

    /// <summary>In the place of a file whose rights are gone, which is as unreadable and does not ask who reads.</summary>
    [Fact]
    public async Task A_recording_that_was_left_and_can_t_be_read_is_not_complete_and_nothing_worse()
    {
        var session = (await _world.AdmittedAsync()).Session;
        await session.DisposeAsync();
        var file = Directory.GetFiles(_world.Folder, "*.csr", SearchOption.AllDirectories).ShouldHaveSingleItem();
        File.Delete(file);
        Directory.CreateDirectory(file);
        var found = (await _world.Recordings.InspectAsync(session.Opening.Organization, session.Opening.Id, Cancellation)).ShouldNotBeNull();
        found.ShouldSatisfyAllConditions(result => result.Complete.ShouldBeFalse(), result => result.Size.ShouldBe(0), result => result.Failure.ShouldNotBeNullOrEmpty());
    }

    [Fact]
    public async Task A_recording_so_large_that_the_system_forgets_its_beginning_plays_whole()
    {
        var admitted = await _world.AdmittedAsync();
        var recording = admitted.Session.Recording.ShouldNotBeNull();
        var (block, total) = (new byte[50_000], 0L);
        for (var number = 0; total < 16 * 1024 * 1024; number++, total += block.Length)
        {
            // As a sender is held up while the disk is behind, so is this one.
            for (var progress = recording.Progress; recording.IsBehind; progress = recording.Progress) await progress.WaitAsync(Cancellation);
            Array.Fill(block, (byte)number);
            recording.Output(block);
        }

        await admitted.Session.DisposeAsync();

        var summary = _world.Ended.ShouldHaveSingleItem().Recording;
        summary.State.ShouldBe(RecordingState.Complete);
        using var stored = _world.Recordings.Open(admitted.Session.Opening.Organization, admitted.Session.Opening.Id).ShouldNotBeNull();
        var (expected, played) = (0, 0L);
        await foreach (var one in stored.Reader.ReadAllAsync(null, Cancellation))
        {
            if (one.Kind != RecordingEventKind.Output) continue;
            one.Data.Span.ContainsAnyExcept((byte)expected++).ShouldBeFalse();
            played += one.Data.Length;
        }

        played.ShouldBe(total);
        stored.Reader.Hash.ToArray().ShouldBe(summary.Hash!.Value.ToArray());
    }

    [Fact]
    public async Task Only_the_servers_own_user_can_read_it()
    {
        var admitted = await _world.AdmittedAsync();
        await admitted.Session.DisposeAsync();

        if (OperatingSystem.IsWindows()) return;
        var file = Directory.GetFiles(_world.Folder, "*.csr", SearchOption.AllDirectories).ShouldHaveSingleItem();
        file.ShouldEndWith($"recordings/{admitted.Session.Opening.Organization.Value}/{admitted.Session.Opening.Id}.csr");
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(Path.GetDirectoryName(file)!).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task Where_recording_is_off_nothing_is_written()
    {
        SetRule("off");
        var admitted = await _world.AdmittedAsync();

        admitted.Session.Recording.ShouldBeNull();
        await admitted.Session.DisposeAsync();
        _world.Ended.ShouldHaveSingleItem().Recording.State.ShouldBe(RecordingState.None);
        Directory.GetFiles(_world.Folder, "*.csr", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task Required_and_not_to_be_written_the_session_does_not_start()
    {
        SetRule("required");
        BreakFolder();

        var refused = (await _world.AskAsync(World.Tina, "web01")).ShouldBeOfType<AdmissionResult.Refused>();

        refused.Message.ShouldBe("web01 has to be recorded and its recording can't be written now");
        var end = _world.Ended.ShouldHaveSingleItem();
        end.Reason.ShouldBe(EndReason.NotRecorded);
        end.Recording.State.ShouldBe(RecordingState.Failed);
        _world.Unrecorded.ShouldHaveSingleItem().Session.ShouldBe(end.Id);
        _world.Sessions.Of(_world.Begun[0].Organization).ShouldBeEmpty();
    }

    [Fact]
    public async Task On_and_not_to_be_written_the_session_goes_on_and_that_is_written_down()
    {
        SetRule("on");
        BreakFolder();

        var admitted = await _world.AdmittedAsync();

        admitted.Session.Recording.ShouldBeNull();
        admitted.Connection.TryUse().ShouldBeTrue();
        _world.Unrecorded.ShouldHaveSingleItem().Why.ShouldNotBeEmpty();
        await admitted.Session.DisposeAsync();
        _world.Ended.ShouldHaveSingleItem().Recording.ShouldSatisfyAllConditions(
            recording => recording.State.ShouldBe(RecordingState.Failed), recording => recording.Failure.ShouldNotBeNull());
    }

    [Theory]
    [InlineData("required")]
    [InlineData("on")]
    public async Task A_disk_that_gets_full_ends_the_session_only_where_recording_is_required(string rule)
    {
        SetRule(rule);
        var disk = new FullDisk();
        _world.Recordings.Disk = file => disk.Over(file);
        var admitted = await _world.AdmittedAsync();
        var ended = new TaskCompletionSource();
        admitted.Session.Ending.Register(() => ended.SetResult());
        disk.IsFull = true;
        admitted.Session.Recording!.Output("lost"u8);
        _world.Time.Advance(RecordingWriter.FlushAfter);
        await admitted.Session.Recording.Failed.WaitAsync(Cancellation);

        if (rule == "required") await ended.Task.WaitAsync(Cancellation);
        await admitted.Session.DisposeAsync();

        var end = _world.Ended.ShouldHaveSingleItem();
        end.Reason.ShouldBe(rule == "required" ? EndReason.NotRecorded : EndReason.ConnectionLost);
        end.Recording.State.ShouldBe(RecordingState.Incomplete);
        end.Recording.Failure.ShouldBe("No space left on device");
        _world.Unrecorded.ShouldHaveSingleItem().Why.ShouldBe("No space left on device");
    }

    [Fact]
    public async Task Files_are_in_the_journal_and_what_is_not_is_refused_where_recording_is_required()
    {
        var role = _world.Snapshot.All<RoleRow>().Single(row => row.Name == "Shell");
        _world.Change(new RowChange(role, role with
        {
            Permissions = PermissionSet.Of(Permission.Terminal, Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles, Permission.ManageFiles),
        }));

        var admitted = (await _world.AskAsync(World.Tina, "web01", kind: SessionKind.Files)).ShouldBeOfType<AdmissionResult.Admitted>();
        admitted.Session.Recording.ShouldBeNull();
        await admitted.Session.DisposeAsync();
        SetRule("required");
        foreach (var command in (string[])["", "scp -t x"])
        {
            await (await FilesAsync(command)).ShouldBeOfType<AdmissionResult.Admitted>().Session.DisposeAsync();
        }

        (await FilesAsync("rsync --server -te.L . x")).ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldBe("web01 has to be recorded and what rsync does can't be");
        _world.Begun.Count.ShouldBe(3);
        _world.Refused.ShouldHaveSingleItem().Reason.ShouldBe(DenialReason.RecordingForbids);
    }

    private ValueTask<AdmissionResult> FilesAsync(string command) => _world.Admission.AskAsync(
        new(_world.Snapshot.Organization, World.Tina, "tina", SignInStrength.OneFactor, null, "web01", null, SessionKind.Files, command)
        {
            FileCommand = FileCommand.TryParse(command, out var parsed) ? parsed : null,
        },
        TestContext.Current.CancellationToken);

    private void SetRule(string rule) => _world.Change(new RowChange(null, new SettingRow(SettingNode.Of(World.Web), SettingKind.Recording, rule, 0)));

    /// <summary>A file where the folder of recordings is to be.</summary>
    private void BreakFolder() => File.WriteAllText(Path.Combine(_world.Folder, "recordings"), "");

    private sealed class FullDisk
    {
        public bool IsFull { get; set; }

        public Stream Over(Stream file) => new Checked(file, this);

        private sealed class Checked(Stream file, FullDisk disk) : Stream
        {
            public override bool CanRead => false;

            public override bool CanSeek => false;

            public override bool CanWrite => true;

            public override long Length => file.Length;

            public override long Position
            {
                get => file.Position;
                set => throw new NotSupportedException();
            }

            public override void Flush() => file.Flush();

            public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

            public override void SetLength(long value) => throw new NotSupportedException();

            public override void Write(byte[] buffer, int offset, int count)
            {
                if (disk.IsFull) throw new IOException("No space left on device");
                file.Write(buffer, offset, count);
            }

            protected override void Dispose(bool disposing)
            {
                if (disposing) file.Dispose();
                base.Dispose(disposing);
            }
        }
    }
}
