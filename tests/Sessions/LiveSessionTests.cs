using Countersign.Access;

namespace Countersign.Sessions.Tests;

public sealed class LiveSessionTests
{
    [Fact]
    public async Task A_removed_grant_ends_the_session_at_once()
    {
        await using var world = new World();
        await using var session = (await world.AdmittedAsync()).Session;
        world.Change(new RowChange(world.TinasGrant, null));
        session.Ending.IsCancellationRequested.ShouldBeTrue();
        session.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
    }

    [Fact]
    public async Task A_change_that_takes_nothing_away_leaves_the_session_alone()
    {
        await using var world = new World();
        await using var session = (await world.AdmittedAsync()).Session;
        world.Change(new RowChange(null, new DeviceAccountRow(World.Web, "admin", IsDefault: false)));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task A_disabled_person_s_session_ends_with_that_reason()
    {
        await using var world = new World();
        await using var session = (await world.AdmittedAsync()).Session;
        var tina = world.Snapshot.Person(World.Tina)!;
        world.Change(new RowChange(tina, tina with { Status = PersonStatus.Disabled }));
        session.End!.Value.Reason.ShouldBe(EndReason.PersonDisabled);
    }

    [Fact]
    public async Task A_new_approval_rule_waits_for_the_next_connection()
    {
        await using var world = new World();
        await using var session = (await world.AdmittedAsync()).Session;
        var before = (SettingRow)world.Snapshot.Find(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "", 0).Key)!;
        world.Change(new RowChange(before, before with { Value = "required", Touched = world.Snapshot.Version + 1 }));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
        (await world.AskAsync(World.Tina, "web01")).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.NeedsApproval);
    }

    [Fact]
    public async Task The_end_of_the_window_ends_the_session_to_the_instant()
    {
        await using var world = new World(until: World.Start.AddMinutes(10));
        await using var session = (await world.AdmittedAsync()).Session;
        world.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
        world.Time.Advance(TimeSpan.FromMilliseconds(1));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task A_longer_window_given_meanwhile_counts()
    {
        await using var world = new World(until: World.Start.AddMinutes(10));
        await using var session = (await world.AdmittedAsync()).Session;
        world.Change(new RowChange(world.TinasGrant, world.TinasGrant with { Window = new(null, World.Start.AddMinutes(20)) }));
        world.Time.Advance(TimeSpan.FromMinutes(19));
        session.Ending.IsCancellationRequested.ShouldBeFalse();
        world.Time.Advance(TimeSpan.FromMinutes(1));
        session.Ending.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task The_end_is_written_down_once_with_the_first_reason()
    {
        await using var world = new World();
        var session = (await world.AdmittedAsync()).Session;
        session.Finish(EndReason.Completed, "", exitStatus: 3);
        session.Finish(EndReason.Terminated, "too late");
        await session.DisposeAsync();
        await session.DisposeAsync();
        var end = world.Ended.ShouldHaveSingleItem();
        end.Reason.ShouldBe(EndReason.Completed);
        end.ExitStatus.ShouldBe(3);
        world.Sessions.Of(end.Organization).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_session_that_is_dropped_without_a_reason_was_lost()
    {
        await using var world = new World();
        await (await world.AdmittedAsync()).Session.DisposeAsync();
        world.Ended.ShouldHaveSingleItem().Reason.ShouldBe(EndReason.ConnectionLost);
    }

    [Fact]
    public async Task Stopping_ends_every_session_and_waits_for_it_to_be_written_down()
    {
        var world = new World();
        var session = (await world.AdmittedAsync()).Session;
        var stopping = world.Sessions.DisposeAsync();
        session.End!.Value.Reason.ShouldBe(EndReason.GatewayStopped);
        stopping.IsCompleted.ShouldBeFalse();
        await session.DisposeAsync();
        await stopping;
        world.Ended.ShouldHaveSingleItem().Reason.ShouldBe(EndReason.GatewayStopped);
    }

    [Fact]
    public async Task A_session_admitted_while_stopping_ends_at_once()
    {
        var world = new World();
        await world.Sessions.DisposeAsync();
        await using var session = (await world.AdmittedAsync()).Session;
        session.End!.Value.Reason.ShouldBe(EndReason.GatewayStopped);
    }

    [Fact]
    public async Task One_session_s_fault_keeps_no_other_from_being_ended()
    {
        await using var world = new World();
        var sessions = new List<LiveSession>();
        for (var count = 0; count < 8; count++) sessions.Add((await world.AdmittedAsync()).Session);
        foreach (var session in sessions) session.Ending.Register(() => throw new InvalidOperationException("a relay's fault"));
        Should.NotThrow(() => world.Change(new RowChange(world.TinasGrant, null)));
        sessions.ShouldAllBe(session => session.Ending.IsCancellationRequested);
        foreach (var session in sessions) await session.DisposeAsync();
        world.Ended.Count.ShouldBe(8);
    }

    [Fact]
    public async Task A_fault_at_the_end_of_the_window_stays_with_its_session()
    {
        await using var world = new World(until: World.Start.AddMinutes(1));
        await using var session = (await world.AdmittedAsync()).Session;
        session.Ending.Register(() => throw new InvalidOperationException("a relay's fault"));
        Should.NotThrow(() => world.Time.Advance(TimeSpan.FromMinutes(1)));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task A_change_that_comes_while_a_session_is_asked_is_not_forgotten()
    {
        await using var world = new World(until: World.Start.AddHours(1));
        await using var session = (await world.AdmittedAsync()).Session;
        var asked = World.Start.AddSeconds(30);

        // The timer has read the old policy when the new one comes; the old one must not have the last word.
        world.Meanwhile = () => world.Change(new RowChange(world.TinasGrant, world.TinasGrant with { Window = new(null, asked.AddSeconds(2)) }));
        world.Time.Advance(TimeSpan.FromSeconds(30));
        world.Time.Advance(TimeSpan.FromSeconds(2));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task An_end_that_can_not_be_written_down_is_written_down_later()
    {
        await using var world = new World { EndFault = new IOException("the disk is full") };
        var session = (await world.AdmittedAsync()).Session;
        session.Finish(EndReason.Completed, "", exitStatus: 3);
        var ending = session.DisposeAsync().AsTask();
        world.Time.Advance(TimeSpan.FromMinutes(5));
        ending.IsCompleted.ShouldBeFalse();
        world.Sessions.Find(session.Opening.Organization, session.Opening.Id).ShouldBeSameAs(session);
        world.EndFault = null;
        await world.Time.AdvanceUntilAsync(ending, TimeSpan.FromMinutes(1));
        world.Ended.ShouldHaveSingleItem().ExitStatus.ShouldBe(3);
        world.Sessions.Of(session.Opening.Organization).ShouldBeEmpty();
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_ever_for_an_end_that_can_not_be_written_down()
    {
        var world = new World { EndFault = new IOException("the disk is full") };
        var session = (await world.AdmittedAsync()).Session;
        var ending = session.DisposeAsync().AsTask();
        var stopping = world.Sessions.DisposeAsync().AsTask();
        await world.Time.AdvanceUntilAsync(Task.WhenAll(stopping, ending), TimeSpan.FromSeconds(5));
        world.Ended.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_session_that_can_not_be_decided_ends_and_the_others_are_asked_all_the_same()
    {
        await using var world = new World();
        world.Set(SettingKind.MaxSession, "20m");
        await using var broken = (await world.AdmittedAsync()).Session;
        await using var other = (await world.AdmittedAsync()).Session;
        var told = new List<string>();
        broken.ShowNotices(_ => throw new InvalidOperationException("a fault of our own"));
        other.ShowNotices(told.Add);
        world.Time.Advance(TimeSpan.FromMinutes(15));
        broken.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
        told.ShouldHaveSingleItem();
        other.End.ShouldBeNull();
        world.Change(new RowChange(world.TinasGrant, null));
        other.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
    }

    [Fact]
    public async Task The_end_is_written_down_though_the_journal_could_not_tell_that_its_disk_caught_up()
    {
        await using var world = new World();
        Journal.SlowDisk? disk = null;
        world.Journals.Disk = file => disk = new(file);
        var session = (await world.AdmittedAsync()).Session;
        session.Journal!.CaughtUp = () => throw new InvalidOperationException("a fault of our own");
        disk!.Hold();
        while (!session.Journal.IsBehind) session.Note(new Sessions.Journal.SignalSent(new string('x', 50_000)));
        disk.Release();
        (await session.Journal.Failed.WaitAsync(TestContext.Current.CancellationToken)).ShouldContain("InvalidOperationException");
        await session.DisposeAsync();
        world.Ended.ShouldHaveSingleItem().Journal!.Complete.ShouldBeFalse();
        world.Sessions.Of(session.Opening.Organization).ShouldBeEmpty();
    }
}
