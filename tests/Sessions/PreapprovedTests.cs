using System.Collections.Immutable;
using Countersign.Access;

namespace Countersign.Sessions.Tests;

/// <summary>Connections on access that was approved ahead: Nora has nothing else.</summary>
public sealed class PreapprovedTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task It_lets_in_within_its_window_and_ends_the_session_at_its_end_after_a_warning()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start.AddMinutes(1), World.Start + Hour)));
        (await world.AskAsync(World.Nora, "web01")).ShouldBeOfType<AdmissionResult.Refused>();
        world.Time.Advance(TimeSpan.FromMinutes(1));
        await using var session = await BeginAsync(world);
        world.Begun.ShouldHaveSingleItem().Preapproved.ShouldBe([new(7, FirstUse.None)]);
        var told = Shown(session);
        world.Time.Advance(TimeSpan.FromMinutes(54));
        told.ShouldHaveSingleItem().ShouldContain("at 11:00:00 UTC: the time of your access is over; for more time: countersign extend 7");
        world.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        session.End.ShouldBeNull();
        world.Time.Advance(TimeSpan.FromMilliseconds(1));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task It_is_looked_for_whether_there_is_such_a_device_or_not()
    {
        await using var world = Unhurried();
        foreach (var device in (string[])["web01", "nowhere"]) (await world.AskAsync(World.Nora, device)).ShouldBeOfType<AdmissionResult.Refused>();
        world.PreapprovedLookedFor.ShouldBe([World.Nora, World.Nora]);
        await (await world.AdmittedAsync()).Session.DisposeAsync();
        world.PreapprovedLookedFor.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Who_gets_in_without_it_does_not_live_on_it()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(7, new RequestTime.FromFirstUse(Hour, World.Start + Hour, null)) with { Person = World.Tina });
        await using var session = (await world.AdmittedAsync()).Session;
        world.Begun.ShouldHaveSingleItem().Preapproved.ShouldBeEmpty();
        world.Sessions.Withdraw(session.Opening.Organization, 7, "revoked");
        session.End.ShouldBeNull();
    }

    [Fact]
    public async Task What_begins_with_its_first_use_is_begun_only_where_nothing_else_lets_in_and_lasts_from_there()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(8, new RequestTime.FromFirstUse(2 * Hour, World.Start + Hour, null)));
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start, World.Start.AddMinutes(30))));
        await (await BeginAsync(world)).DisposeAsync();
        world.Begun[^1].Preapproved.ShouldBe([new(7, FirstUse.None)]);
        world.Time.Advance(TimeSpan.FromMinutes(30));
        await using var session = await BeginAsync(world);
        world.Begun[^1].Preapproved.ShouldBe([new(8, FirstUse.Begins)]);
        session.Deadline.ShouldBe(new SessionDeadline(World.Start.AddMinutes(150), EndReason.WindowOver));
    }

    [Fact]
    public async Task A_claim_that_fails_is_asked_anew_with_what_is_in_hand_then()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(8, new RequestTime.FromFirstUse(Hour, World.Start + Hour, null)));
        world.ClaimFails = _ =>
        {
            // Another connection was first.
            world.Preapproved[0] = Request(8, new RequestTime.FromFirstUse(Hour, World.Start + Hour, World.Start.AddMinutes(-10)));
            world.ClaimFails = _ => false;
            return true;
        };
        await using var session = await BeginAsync(world);
        world.Begun.ShouldHaveSingleItem().Preapproved.ShouldBe([new(8, FirstUse.None)]);
        session.Deadline!.Value.At.ShouldBe(World.Start.AddMinutes(50));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task More_time_that_is_approved_while_it_runs_lets_it_go_on(bool standsForAnApproval)
    {
        await using var world = Unhurried();
        if (standsForAnApproval)
        {
            // Nora may connect as such; it is the approval that she has ahead.
            world.Change(new RowChange(null, world.TinasGrant with { Id = new(Guid.NewGuid()), Subject = GrantSubject.To(World.Nora) }));
            world.Set(SettingKind.ManagerialApproval, "required");
        }

        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start, World.Start + Hour)));
        await using var session = await BeginAsync(world);
        var told = Shown(session);
        world.Time.Advance(TimeSpan.FromMinutes(57));
        told.Count.ShouldBe(1);
        world.Sessions.Extend(session.Opening.Organization, Request(9, new RequestTime.Fixed(World.Start.AddMinutes(56), World.Start + 3 * Hour)), "more");
        told[^1].ShouldBe("more");
        session.Deadline!.Value.At.ShouldBe(World.Start + 3 * Hour);
        world.Time.Advance(TimeSpan.FromMinutes(112));
        session.End.ShouldBeNull();
        world.Time.Advance(TimeSpan.FromMinutes(11));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task More_time_for_somebody_or_something_else_changes_nothing()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start, World.Start + Hour)));
        await using var session = await BeginAsync(world);
        var more = Request(9, new RequestTime.Fixed(World.Start, World.Start + 3 * Hour));
        foreach (var other in (PreapprovedRequest[])[more with { Person = World.Tina }, more with { Account = "other" }, more with { Devices = [new(Guid.NewGuid())] }])
            world.Sessions.Extend(session.Opening.Organization, other, "more");
        session.Deadline!.Value.At.ShouldBe(World.Start + Hour);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_it_and_an_approval_let_in_together_ends_with_it_though_policy_gives_the_rest(bool isGivenAtFirst)
    {
        await using var world = Unhurried();
        var grant = new RowChange(null, world.TinasGrant with { Id = new(Guid.NewGuid()), Subject = GrantSubject.To(World.Nora) });
        if (isGivenAtFirst) world.Change(grant);
        var everyone = world.Snapshot.Everyone!;
        var (strict, night, workflow) = (new TechnicianGroupId(Guid.NewGuid()), new TechnicianGroupId(Guid.NewGuid()), new WorkflowId(Guid.NewGuid()));
        world.Change(
            new(null, new TechnicianGroupRow(strict, everyone.Id, "Strict", "", true, false, GroupConsent.None, false)),
            new(null, new TechnicianGroupRow(night, everyone.Id, "Night", "", true, true, GroupConsent.None, false)),
            new(null, new MembershipRow(strict, World.Nora)),
            new(null, new MembershipRow(night, World.Nora)),
            new(null, new WorkflowRow(workflow, strict, world.Snapshot.Device(World.Web)!.Group, "Flow", "1 of device", false, true, InsistsWhenPreapproved: true)));
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start, World.Start + Hour)));
        world.Approved.Add(new(
            8, World.Nora, World.Web, "root", PermissionSet.Of(Permission.Terminal), null, World.Start.AddMinutes(-1), null, [ApprovalStepId.OfWorkflow(workflow, 1)]));
        await using var session = await BeginAsync(world);
        session.Deadline!.Value.At.ShouldBe(World.Start + Hour);
        var begun = world.Begun.ShouldHaveSingleItem();
        begun.Request.ShouldBe(8);
        begun.Preapproved.ShouldBe([new(7, FirstUse.None)]);

        if (!isGivenAtFirst) world.Change(grant);
        session.Deadline!.Value.At.ShouldBe(World.Start + Hour);
        world.Time.Advance(Hour);
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task Who_has_an_approval_of_all_steps_does_not_live_on_it()
    {
        await using var world = Unhurried();
        world.Change(new RowChange(null, world.TinasGrant with { Id = new(Guid.NewGuid()), Subject = GrantSubject.To(World.Nora) }));
        var (strict, workflow) = (new TechnicianGroupId(Guid.NewGuid()), new WorkflowId(Guid.NewGuid()));
        world.Change(
            new(null, new TechnicianGroupRow(strict, world.Snapshot.Everyone!.Id, "Strict", "", true, false, GroupConsent.None, false)),
            new(null, new MembershipRow(strict, World.Nora)),
            new(null, new WorkflowRow(workflow, strict, world.Snapshot.Device(World.Web)!.Group, "Flow", "1 of device", false, true, InsistsWhenPreapproved: true)));
        world.Preapproved.Add(Request(7, new RequestTime.FromFirstUse(Hour, World.Start + Hour, null)));
        world.Approved.Add(new(
            8, World.Nora, World.Web, "root", PermissionSet.Of(Permission.Terminal), null, World.Start.AddMinutes(-1), null, [ApprovalStepId.OfWorkflow(workflow, 1)]));
        await using var session = await BeginAsync(world);
        world.Begun.ShouldHaveSingleItem().Preapproved.ShouldBeEmpty();
        session.Deadline.ShouldBeNull();
    }

    /// <summary>The window opens between the two looks, and the approval has none of the steps that are asked for now.</summary>
    [Fact]
    public async Task A_stale_approval_that_is_in_hand_as_the_window_opens_is_not_used_up_and_lets_nothing_go_on()
    {
        await using var world = Unhurried();
        world.Change(new RowChange(null, world.TinasGrant with { Id = new(Guid.NewGuid()), Subject = GrantSubject.To(World.Nora) }));
        world.Set(SettingKind.ManagerialApproval, "required");
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start.AddMinutes(1), World.Start + Hour)));
        world.Approved.Add(new(8, World.Nora, World.Web, "root", PermissionSet.Of(Permission.Terminal), null, World.Start.AddMinutes(-1), null, []));
        world.MeanwhileInHand = () => world.Time.Advance(TimeSpan.FromMinutes(1));
        await using var session = await BeginAsync(world);
        var begun = world.Begun.ShouldHaveSingleItem();
        begun.Request.ShouldBeNull();
        begun.Preapproved.ShouldBe([new(7, FirstUse.None)]);

        // A change of policy asks about it again.
        world.Set(SettingKind.MaxSession, "8h");
        session.Deadline!.Value.At.ShouldBe(World.Start + Hour);
        world.Time.Advance(TimeSpan.FromMinutes(59));
        session.End!.Value.Reason.ShouldBe(EndReason.WindowOver);
    }

    [Fact]
    public async Task Revoking_ends_what_lives_on_it_at_once_and_takes_the_rest_its_later_time()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start, World.Start + Hour)));
        world.Preapproved.Add(Request(8, new RequestTime.Fixed(World.Start + Hour, World.Start + 2 * Hour)));
        await using var session = await BeginAsync(world);
        session.Deadline!.Value.At.ShouldBe(World.Start + 2 * Hour);
        world.Sessions.Withdraw(session.Opening.Organization, 8, "not after all");
        session.Deadline!.Value.At.ShouldBe(World.Start + Hour);
        world.Sessions.Withdraw(session.Opening.Organization, 7, "enough");
        session.End.ShouldBe((EndReason.PermissionRevoked, "enough"));
    }

    [Fact]
    public async Task A_revocation_that_comes_between_the_claim_and_the_list_ends_the_session()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start, World.Start + Hour)));
        world.BeforeRegistration = () => world.Revoked.Add(7);
        await using var session = await BeginAsync(world);
        session.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
    }

    [Fact]
    public async Task A_later_window_that_is_revoked_between_the_claim_and_the_list_adds_no_time()
    {
        await using var world = Unhurried();
        world.Preapproved.Add(Request(7, new RequestTime.Fixed(World.Start, World.Start + Hour)));
        world.Preapproved.Add(Request(8, new RequestTime.Fixed(World.Start + Hour, World.Start + 2 * Hour)));
        world.BeforeRegistration = () => world.Revoked.Add(8);
        await using var session = await BeginAsync(world);
        session.End.ShouldBeNull();
        session.Deadline!.Value.At.ShouldBe(World.Start + Hour);
        session.Question.Preapprovals.ShouldHaveSingleItem().Number.ShouldBe(7);
    }

    /// <summary>Where nobody is sent away for standing still.</summary>
    private static World Unhurried()
    {
        var world = new World();
        world.Set(SettingKind.IdleTimeout, "none");
        return world;
    }

    private static PreapprovedRequest Request(long number, RequestTime time) =>
        new(number, World.Nora, [World.Web], "root", PermissionSet.Of(Permission.Terminal), World.Start.AddHours(-1), time, ImmutableArray<ApprovalStepId>.Empty);

    private static async Task<LiveSession> BeginAsync(World world) => (await world.AskAsync(World.Nora, "web01")).ShouldBeOfType<AdmissionResult.Admitted>().Session;

    private static List<string> Shown(LiveSession session)
    {
        var told = new List<string>();
        session.ShowNotices(told.Add);
        return told;
    }
}
