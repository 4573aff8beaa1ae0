using Countersign.Access;

namespace Countersign.Sessions.Tests;

/// <summary>When a session is warned and when it ends, by clocks that a test moves. It starts at 10:00:00 UTC.</summary>
public sealed class SessionTimeTests
{
    private static readonly AskedTerminal Terminal = new("xterm", new(80, 24));

    private readonly List<string> _told = [];

    [Fact]
    public async Task The_longest_time_ends_the_session_to_the_instant_with_a_warning_before()
    {
        await using var world = new World();
        world.Set(SettingKind.MaxSession, "20m");
        await using var session = await BeginAsync(world);

        session.Deadline.ShouldBe(new(World.Start.AddMinutes(20), EndReason.MaximumTime));
        Pass(world, TimeSpan.FromMinutes(15) - Moment);
        _told.ShouldBeEmpty();
        Pass(world, Moment);
        _told.ShouldBe(["this session ends in 5 min, at 10:20:00 UTC: 20 min is the longest that a session may last"]);
        Pass(world, TimeSpan.FromMinutes(5) - Moment);
        session.End.ShouldBeNull();
        Pass(world, Moment);
        session.End.ShouldBe((EndReason.MaximumTime, "20 min is the longest that a session may last"));
        _told.Count.ShouldBe(1);
    }

    [Fact]
    public async Task With_less_time_left_than_the_warning_comes_ahead_it_comes_at_once()
    {
        await using var world = new World(until: World.Start.AddSeconds(90));
        await using var session = (await world.AdmittedAsync()).Session;
        session.ShowNotices(_told.Add);
        _told.ShouldBe(["this session ends in 1 min 30 s, at 10:01:30 UTC: the time of your access is over"]);
    }

    [Fact]
    public async Task A_window_is_warned_of_once_and_anew_when_it_was_extended()
    {
        await using var world = new World(until: World.Start.AddMinutes(10));
        world.Set(SettingKind.IdleTimeout, "none");
        await using var session = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(6));
        _told.ShouldHaveSingleItem().ShouldContain("at 10:10:00 UTC");
        world.Change(new RowChange(world.TinasGrant, world.TinasGrant with { Window = new(null, World.Start.AddMinutes(60)) }));
        Pass(world, TimeSpan.FromMinutes(48));
        _told.Count.ShouldBe(1);
        session.Deadline.ShouldBe(new(World.Start.AddMinutes(60), EndReason.WindowOver));
        Pass(world, TimeSpan.FromMinutes(2));
        _told.Count.ShouldBe(2);
        _told[1].ShouldBe("this session ends in 5 min, at 11:00:00 UTC: the time of your access is over");
        Pass(world, TimeSpan.FromMinutes(4));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
        _told.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Session_hours_are_warned_of_by_their_name()
    {
        await using var world = new World();
        world.Set(SettingKind.IdleTimeout, "none");
        world.Set(SettingKind.SessionHours, "UTC; Mon 09:00-10:30");
        await using var session = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(25));
        _told.ShouldBe(["this session ends in 5 min, at 10:30:00 UTC: the device's session hours are over"]);
        Pass(world, TimeSpan.FromMinutes(5));
        session.End.ShouldBe((EndReason.WindowOver, "the device's session hours are over"));
    }

    [Fact]
    public async Task The_earlier_of_window_and_longest_time_is_the_deadline()
    {
        await using var world = new World(until: World.Start.AddMinutes(10));
        world.Set(SettingKind.MaxSession, "20m");
        await using var session = await BeginAsync(world);
        session.Deadline!.Value.Reason.ShouldBe(EndReason.WindowOver);
        world.Change(new RowChange(world.TinasGrant, world.TinasGrant with { Window = new(null, null) }));
        session.Deadline!.Value.Reason.ShouldBe(EndReason.MaximumTime);
        Pass(world, TimeSpan.FromMinutes(20));
        session.End!.Value.Reason.ShouldBe(EndReason.MaximumTime);
    }

    [Fact]
    public async Task Standing_still_ends_the_session_and_typing_puts_that_off()
    {
        await using var world = new World();
        await using var session = await BeginAsync(world, Terminal);
        session.Deadline.ShouldBeNull();
        Pass(world, TimeSpan.FromMinutes(25));
        _told.ShouldBe(["this session ends in 5 min, at 10:30:00 UTC, unless something is typed: it has been idle for 25 min"]);

        session.Traffic.AddIn(1);
        Pass(world, TimeSpan.FromMinutes(25) - Moment);
        _told.Count.ShouldBe(1);
        Pass(world, Moment);
        _told[1].ShouldContain("at 10:55:00 UTC, unless");
        Pass(world, TimeSpan.FromMinutes(5) - Moment);
        session.End.ShouldBeNull();
        Pass(world, Moment);
        session.End.ShouldBe((EndReason.Idle, "it was idle for 30 min"));
    }

    [Fact]
    public async Task What_the_device_writes_is_activity_only_without_a_terminal()
    {
        await using var world = new World();
        await using var shown = await BeginAsync(world, Terminal);
        await using var command = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(20));
        shown.Traffic.AddOut(1);
        command.Traffic.AddOut(1);
        Pass(world, TimeSpan.FromMinutes(10));
        shown.End!.Value.Reason.ShouldBe(EndReason.Idle);
        command.End.ShouldBeNull();
        Pass(world, TimeSpan.FromMinutes(20));
        command.End!.Value.Reason.ShouldBe(EndReason.Idle);
    }

    [Fact]
    public async Task Whoever_types_now_and_then_is_not_warned_with_every_key()
    {
        await using var world = new World();
        world.Set(SettingKind.IdleTimeout, "4m");
        await using var session = await BeginAsync(world, Terminal);
        for (var minute = 0; minute < 60; minute++)
        {
            Pass(world, TimeSpan.FromMinutes(1));
            session.Traffic.AddIn(1);
        }

        _told.ShouldBeEmpty();
        Pass(world, TimeSpan.FromMinutes(2));
        _told.ShouldHaveSingleItem().ShouldContain("in 2 min");
    }

    [Fact]
    public async Task Of_idleness_that_comes_after_the_deadline_nothing_is_said()
    {
        await using var world = new World();
        world.Set(SettingKind.MaxSession, "29m");
        await using var session = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(29));
        _told.ShouldHaveSingleItem().ShouldContain("is the longest");
        session.End!.Value.Reason.ShouldBe(EndReason.MaximumTime);
    }

    [Theory]
    [InlineData(-3600)]
    [InlineData(3600)]
    public async Task A_clock_that_is_set_neither_lengthens_nor_cuts_length_and_idleness(int seconds)
    {
        await using var world = new World();
        world.Set(SettingKind.MaxSession, "10m");
        world.Set(SettingKind.EndWarning, "1m");
        await using var lasting = await BeginAsync(world);
        world.Set(SettingKind.MaxSession, "none");
        world.Set(SettingKind.IdleTimeout, "5m");
        await using var idle = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(3));
        world.Time.SetWall(TimeSpan.FromSeconds(seconds));
        Pass(world, TimeSpan.FromMinutes(2) - Moment);
        idle.End.ShouldBeNull();
        Pass(world, Moment);
        idle.End!.Value.Reason.ShouldBe(EndReason.Idle);
        Pass(world, TimeSpan.FromMinutes(5) - Moment);
        lasting.End.ShouldBeNull();
        _told.Count.ShouldBe(2);
        Pass(world, Moment);
        lasting.End!.Value.Reason.ShouldBe(EndReason.MaximumTime);
    }

    [Fact]
    public async Task A_window_ends_within_a_second_of_the_clock_being_set_behind_its_end()
    {
        await using var world = new World(until: World.Start.AddHours(1));
        await using var session = await BeginAsync(world);
        Pass(world, TimeSpan.FromSeconds(10));
        world.Time.SetWall(TimeSpan.FromHours(2));
        Pass(world, TimeSpan.FromSeconds(1));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task A_window_lasts_until_its_instant_on_a_clock_that_was_set_back()
    {
        await using var world = new World(until: World.Start.AddMinutes(20));
        await using var session = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(16));
        world.Time.SetWall(TimeSpan.FromMinutes(-8));
        Pass(world, TimeSpan.FromMinutes(12) - Moment);
        session.End.ShouldBeNull();
        Pass(world, Moment);
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
        _told.Count(told => told.Contains("10:20:00", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task Settings_that_change_meanwhile_count_for_the_next_session()
    {
        await using var world = new World();
        world.Set(SettingKind.IdleTimeout, "none");
        await using var session = await BeginAsync(world);
        world.Set(SettingKind.MaxSession, "1m");
        world.Set(SettingKind.IdleTimeout, "1m");
        Pass(world, TimeSpan.FromHours(3));
        session.End.ShouldBeNull();
        await using var next = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(1));
        next.End.ShouldNotBeNull();
    }

    [Fact]
    public async Task Without_a_warning_the_end_comes_all_the_same()
    {
        await using var world = new World(until: World.Start.AddMinutes(10));
        world.Set(SettingKind.EndWarning, "none");
        await using var session = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(10));
        session.End.ShouldNotBeNull();
        _told.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_time_to_connect_of_an_approval_ends_and_warns_of_nothing()
    {
        await using var world = new World();
        world.Set(SettingKind.ManagerialApproval, "required");
        world.Set(SettingKind.IdleTimeout, "none");
        world.Approved.Add(new(
            7, World.Tina, World.Web, "root", PermissionSet.Of(Permission.Terminal), null, World.Start.AddMinutes(-1), World.Start.AddMinutes(10),
            [new(ApprovalStepKind.Organization, Guid.Empty)]));
        await using var session = await BeginAsync(world);
        session.Deadline.ShouldBeNull();
        Pass(world, TimeSpan.FromHours(1));
        session.End.ShouldBeNull();
        _told.ShouldBeEmpty();
    }

    [Fact]
    public void A_window_that_is_over_ends_the_session_whatever_the_answer_is_by_then()
    {
        var time = new ManualTime(World.Start);
        var clock = new SessionClock(time, new(null, null, null, DeviceKeepsAwake: false), time.GetTimestamp());
        clock.Turn(World.Start.AddMinutes(5)).Next.ShouldBe(TimeSpan.FromMinutes(5));
        time.Advance(TimeSpan.FromMinutes(4));
        clock.Turn(World.Start.AddMinutes(10)).Over.ShouldBeNull();
        time.Advance(TimeSpan.FromMinutes(6) - Moment);
        clock.Turn(World.Start.AddMinutes(10)).Over.ShouldBeNull();
        time.Advance(Moment);
        clock.Turn(null).Over.ShouldBe((EndReason.WindowOver, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_session_ends_in_time_though_its_end_can_not_be_written_down()
    {
        await using var world = new World { EndFault = new IOException("database is locked") };
        world.Set(SettingKind.MaxSession, "10m");
        var session = await BeginAsync(world);
        Pass(world, TimeSpan.FromMinutes(10));
        session.End!.Value.Reason.ShouldBe(EndReason.MaximumTime);
        var writing = session.DisposeAsync().AsTask();
        Pass(world, TimeSpan.FromSeconds(30));
        world.Ended.ShouldBeEmpty();
        world.EndFault = null;
        await world.Time.AdvanceUntilAsync(writing, TimeSpan.FromMinutes(1));
        var end = world.Ended.ShouldHaveSingleItem();
        end.Reason.ShouldBe(EndReason.MaximumTime);
        end.At.ShouldBe(World.Start.AddMinutes(10));
    }

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.2, "1 s")]
    [InlineData(60, "1 min")]
    [InlineData(299.999, "5 min")]
    [InlineData(3661, "1 h 1 min")]
    [InlineData(3605, "1 h")]
    [InlineData(90000, "1 d 1 h")]
    public void Lengths_are_told_in_two_units(double seconds, string told) => EndSentences.Length(TimeSpan.FromSeconds(seconds)).ShouldBe(told);

    [Fact]
    public void A_clock_time_tells_its_zone_and_another_day_its_date()
    {
        var now = new DateTimeOffset(2026, 3, 2, 23, 58, 0, TimeSpan.FromHours(1));
        EndSentences.Warning(new(EndReason.WindowOver, TimeSpan.FromMinutes(1), default), "over", now).ShouldBe("this session ends in 1 min, at 23:59:00 UTC+01:00: over");
        EndSentences.Warning(new(EndReason.WindowOver, TimeSpan.FromMinutes(5), default), "over", now)
            .ShouldBe("this session ends in 5 min, at 2026-03-03 00:03:00 UTC+01:00: over");
    }

    private static TimeSpan Moment => TimeSpan.FromMilliseconds(1);

    private static void Pass(World world, TimeSpan time) => world.Time.Advance(time);

    private async Task<LiveSession> BeginAsync(World world, AskedTerminal? terminal = null)
    {
        var session = (await world.AdmittedAsync(terminal)).Session;
        session.Traffic = new();
        session.ShowNotices(_told.Add);
        return session;
    }
}
