using Countersign.Access;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Tests.Journal;

public sealed class JournalWriterTests : IAsyncDisposable
{
    private readonly ManualTime _time = new(World.Start);
    private readonly SlowDisk _disk = new();
    private readonly World _world = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Thousands_of_events_share_few_writes_while_the_disk_is_busy()
    {
        await using var writer = Journaled.Begin(_disk, _time);
        var before = _disk.Writes;
        _disk.Hold();
        for (var number = 0; number < 3000; number++) writer.Append(new SignalSent("USR1")).ShouldBeTrue();
        _disk.Release();
        (await writer.MarkAsync()).ShouldNotBeNull().Events.ShouldBe(3001);
        (_disk.Writes - before).ShouldBeLessThan(10);
    }

    [Fact]
    public async Task A_disk_that_falls_behind_is_told_before_anything_is_lost()
    {
        await using var writer = Journaled.Begin(_disk, _time);
        var caughtUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        writer.CaughtUp = () => caughtUp.TrySetResult();
        _disk.Hold();
        var appended = 1;
        for (; !writer.IsBehind; appended++) writer.Append(new SignalSent(new string('x', 1000))).ShouldBeTrue();
        caughtUp.Task.IsCompleted.ShouldBeFalse();
        _disk.Release();
        await caughtUp.Task.WaitAsync(Cancellation);
        (await writer.MarkAsync()).ShouldNotBeNull().Events.ShouldBe(appended);
    }

    [Fact]
    public async Task What_waits_is_bounded_and_beyond_it_the_journal_has_failed()
    {
        await using var writer = Journaled.Begin(_disk, _time);
        _disk.Hold();
        var appended = 0;
        while (writer.Append(new SignalSent(new string('x', 50_000)))) appended++;
        appended.ShouldBeLessThan(JournalWriter.MostWaiting / 50_000 + 1);
        (await writer.Failed.WaitAsync(Cancellation)).ShouldContain("too slow");
        _disk.Release();
        (await writer.MarkAsync()).ShouldBeNull();
        (await writer.FinishAsync(Journaled.End)).Complete.ShouldBeFalse();
    }

    [Fact]
    public async Task A_disk_that_hangs_has_failed_after_ten_seconds()
    {
        await using var writer = Journaled.Begin(_disk, _time);
        _disk.Hold();
        writer.Append(new SignalSent("TERM"));
        await _disk.Waiting.WaitAsync(Cancellation);
        _time.Advance(JournalWriter.LongestWrite);
        (await writer.Failed.WaitAsync(Cancellation)).ShouldContain("10 s");
        _disk.Release();
    }

    [Fact]
    public async Task A_journal_that_has_failed_holds_nobody_up()
    {
        await using var writer = Journaled.Begin(_disk, _time);
        _disk.Hold();
        for (var number = 0; !writer.IsBehind; number++) writer.Append(new SignalSent(new string('x', 50_000))).ShouldBeTrue();
        await _disk.Waiting.WaitAsync(Cancellation);
        _time.Advance(JournalWriter.LongestWrite);
        await writer.Failed.WaitAsync(Cancellation);
        var isBehind = writer.IsBehind;
        _disk.Release();
        isBehind.ShouldBeFalse();
    }

    [Fact]
    public async Task What_a_full_disk_took_before_is_what_the_head_tells()
    {
        var writer = Journaled.Begin(_disk, _time);
        writer.Append(new SignalSent("USR1"));
        var head = (await writer.MarkAsync()).ShouldNotBeNull();
        _disk.Room = _disk.Length + 20;
        writer.Append(new SignalSent("USR2"));
        (await writer.Failed.WaitAsync(Cancellation)).ShouldBe("No space left on device");
        writer.Append(new SignalSent("TERM")).ShouldBeFalse();
        var summary = await writer.FinishAsync(Journaled.End);
        (summary.Complete, summary.Failure, summary.Head.Events).ShouldBe((false, "No space left on device", 2));
        summary.Head.Hash.ToArray().ShouldBe(head.Hash.ToArray());
        (await Journaled.ReadAsync(_disk.ToArray())).Reader.Head.Events.ShouldBe(2);
    }

    [Fact]
    public async Task An_event_that_is_too_long_is_refused_and_spoils_nothing()
    {
        await using var writer = Journaled.Begin(_disk, _time);
        Should.Throw<ArgumentException>(() => writer.Append(new SignalSent(new string('x', JournalWriter.MostEvent))));
        writer.Append(new SignalSent("TERM")).ShouldBeTrue();
        (await writer.MarkAsync()).ShouldNotBeNull().Events.ShouldBe(2);
    }

    [Fact]
    public async Task Appending_from_many_threads_loses_nothing()
    {
        await using var writer = Journaled.Begin(_disk, _time);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var number = 0; number < 200; number++) writer.Append(new SignalSent("USR1"));
        })));
        await writer.FinishAsync(Journaled.End);
        var (lines, damage, _) = await Journaled.ReadAsync(_disk.ToArray());
        damage.ShouldBeNull();
        lines.Count.ShouldBe(1602);
    }

    [Fact]
    public async Task A_session_writes_its_journal_from_its_beginning_to_its_end()
    {
        var session = (await _world.AdmittedAsync()).Session;
        session.Note(new SignalSent("TERM"));
        session.Finish(EndReason.Terminated, "terminated by Olga");
        await session.DisposeAsync();
        var summary = _world.Ended.ShouldHaveSingleItem().Journal.ShouldNotBeNull();
        (summary.Complete, summary.Head.Events).ShouldBe((true, 3));
        var found = (await _world.Journals.InspectAsync(session.Opening.Organization, session.Opening.Id, Cancellation)).ShouldNotBeNull();
        found.Summary.Head.Hash.ToArray().ShouldBe(summary.Head.Hash.ToArray());
        found.End!.Reason.ShouldBe(EndReason.Terminated);
        if (OperatingSystem.IsWindows()) return;
        var file = Directory.GetFiles(_world.Folder, "*.csj", SearchOption.AllDirectories).ShouldHaveSingleItem();
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>In the place of a file whose rights are gone, which is as unreadable and does not ask who reads.</summary>
    [Fact]
    public async Task A_journal_that_was_left_and_can_t_be_read_is_not_complete_and_nothing_worse()
    {
        var session = (await _world.AdmittedAsync()).Session;
        await session.DisposeAsync();
        var file = Directory.GetFiles(_world.Folder, "*.csj", SearchOption.AllDirectories).ShouldHaveSingleItem();
        File.Delete(file);
        Directory.CreateDirectory(file);
        var found = (await _world.Journals.InspectAsync(session.Opening.Organization, session.Opening.Id, Cancellation)).ShouldNotBeNull();
        found.End.ShouldBeNull();
        found.Summary.ShouldSatisfyAllConditions(summary => summary.Complete.ShouldBeFalse(), summary => summary.Head.Events.ShouldBe(0), summary => summary.Failure.ShouldNotBeNullOrEmpty());
    }

    [Fact]
    public async Task Who_watches_and_what_the_technician_was_told_is_in_the_journal()
    {
        var session = (await _world.AdmittedAsync()).Session;
        session.Watchers.Join(new(World.Nora, "nora", "Nora", World.Start)).Dispose();
        session.ShowNotices(_ => { });
        session.Tell("the session ends in 5 minutes");
        await session.DisposeAsync();
        using var stored = _world.Journals.Open(session.Opening.Organization, session.Opening.Id).ShouldNotBeNull();
        var text = "";
        while (await stored.Reader.ReadAsync(Cancellation) is { Count: > 0 } lines) text += string.Concat(lines.Select(line => System.Text.Encoding.UTF8.GetString(line.Span)));
        text.ShouldContain("\"watcherJoined\"");
        text.ShouldContain("\"watcherLeft\"");
        text.ShouldContain("\"login\":\"nora\"");
        text.ShouldContain("the session ends in 5 minutes");
    }

    [Theory]
    [InlineData("required", false)]
    [InlineData("on", true)]
    public async Task A_journal_that_can_not_be_begun_stops_only_what_has_to_be_recorded(string rule, bool starts)
    {
        SetRule(rule);
        _world.Journals.Disk = file => new SlowDisk(file) { Room = 10 };
        var result = await _world.AskAsync(World.Tina, "web01");
        _world.Unjournalled.ShouldHaveSingleItem().Why.ShouldBe("No space left on device");
        if (starts)
        {
            await result.ShouldBeOfType<AdmissionResult.Admitted>().Session.DisposeAsync();
            _world.Ended.ShouldHaveSingleItem().Journal.ShouldBeNull();
        }
        else
        {
            result.ShouldBeOfType<AdmissionResult.Refused>().Message.ShouldBe("web01 has to be recorded and its journal can't be written now");
            _world.Ended.ShouldHaveSingleItem().Reason.ShouldBe(EndReason.NotRecorded);
        }
    }

    [Theory]
    [InlineData("required", true)]
    [InlineData("on", false)]
    public async Task A_journal_that_fails_ends_only_what_has_to_be_recorded(string rule, bool ends)
    {
        SetRule(rule);
        SlowDisk? disk = null;
        _world.Journals.Disk = file => disk = new(file);
        await using var session = (await _world.AdmittedAsync()).Session;
        disk!.Room = disk.Length;
        session.Note(new SignalSent("TERM"));
        await session.Journal!.Failed.WaitAsync(Cancellation);
        if (ends)
        {
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var told = session.Ending.Register(() => ended.TrySetResult());
            await ended.Task.WaitAsync(Cancellation);
            session.End!.Value.Reason.ShouldBe(EndReason.NotRecorded);
        }

        await session.DisposeAsync();
        _world.Unjournalled.ShouldHaveSingleItem().Why.ShouldBe("No space left on device");
        var end = _world.Ended.ShouldHaveSingleItem();
        end.Reason.ShouldBe(ends ? EndReason.NotRecorded : EndReason.ConnectionLost);
        (end.Journal!.Complete, end.Journal.Head.Events).ShouldBe((false, 1));
    }

    private void SetRule(string rule) => _world.Change(new RowChange(null, new SettingRow(SettingNode.Of(World.Web), SettingKind.Recording, rule, 0)));
}
