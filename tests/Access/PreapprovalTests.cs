using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class PreapprovalTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;

    public PreapprovalTests()
    {
        _tina = _sample.Technician("tina");
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), SystemRoles.RequestsAccess.Id);
    }

    [Fact]
    public void Preapproved_access_gives_its_role_in_its_window_and_not_before_or_after()
    {
        var time = new RequestTime.Fixed(Sample.Noon, Sample.Noon.AddHours(2));
        Decide(time, Sample.Noon.AddTicks(-1)).Kind.ShouldBe(DecisionKind.MayBeRequested);
        var decision = Decide(time, Sample.Noon);
        decision.Kind.ShouldBe(DecisionKind.Allowed);
        decision.Until.ShouldBe(Sample.Noon.AddHours(2));
        decision.ReevaluateAt.ShouldBe(Sample.Noon.AddHours(2));
        Decide(time, Sample.Noon.AddHours(2)).Kind.ShouldBe(DecisionKind.MayBeRequested);
        Decide(time, Sample.Noon.AddTicks(-1)).ReevaluateAt.ShouldBe(Sample.Noon);
    }

    [Fact]
    public void It_is_for_one_person_the_frozen_devices_and_one_account()
    {
        var request = Request(new RequestTime.FromApproval(TimeSpan.FromHours(1)));
        var other = _sample.Device("web02", _sample.Servers, "deploy");
        var policy = _sample.Snapshot;
        var question = _sample.Question(_tina, [Terminal]);
        policy.Decide(question with { Preapprovals = [request] }).Kind.ShouldBe(DecisionKind.Allowed);
        policy.Decide(question with { Preapprovals = [request], Account = "root" }).Kind.ShouldBe(DecisionKind.MayBeRequested);
        policy.Decide(question with { Preapprovals = [request], Device = other }).Kind.ShouldBe(DecisionKind.Denied);
        policy.Decide(question with { Preapprovals = [request with { Person = _sample.Olga }] }).Kind.ShouldBe(DecisionKind.MayBeRequested);
        policy.Decide(question with { Preapprovals = [request], At = Sample.Noon.AddHours(1) }).Kind.ShouldBe(DecisionKind.MayBeRequested);
    }

    [Fact]
    public void Access_from_first_use_lasts_a_duration_until_it_has_begun_and_an_instant_then()
    {
        var pending = new RequestTime.FromFirstUse(TimeSpan.FromHours(3), Sample.Noon.AddHours(8), null);
        var before = Decide(pending, Sample.Noon.AddHours(7));
        (before.Until, before.Lasting).ShouldBe((null, TimeSpan.FromHours(3)));
        Decide(pending, Sample.Noon.AddHours(8)).Kind.ShouldBe(DecisionKind.MayBeRequested);
        var begun = Decide(pending with { FirstUsed = Sample.Noon.AddHours(7) }, Sample.Noon.AddHours(9));
        (begun.Until, begun.Lasting).ShouldBe((Sample.Noon.AddHours(10), null));
    }

    [Fact]
    public void Managerial_approval_counts_as_given_and_the_verdict_holds_only_what_was_preapproved()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.ManagerialApproval, "required");
        var time = new RequestTime.Fixed(Sample.Noon, Sample.Noon.AddHours(2));
        var decision = Decide(time, Sample.Noon);
        decision.Kind.ShouldBe(DecisionKind.Allowed);
        decision.Permissions.ShouldBe(PermissionSet.Of(Terminal));
        decision.Until.ShouldBe(Sample.Noon.AddHours(2));
    }

    [Fact]
    public void A_workflow_may_insist_on_its_steps_all_the_same()
    {
        var workflow = new WorkflowRow(new(_sample.Next()), _sample.Everyone, _sample.Servers, "Flow", "1 of device", false, true, InsistsWhenPreapproved: true);
        _sample.Put(workflow);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.ManagerialApproval, "required");
        var request = Request(new RequestTime.FromApproval(TimeSpan.FromHours(1)));
        var question = _sample.Question(_tina, [Terminal]) with { Preapprovals = [request] };
        _sample.Snapshot.Decide(question).Kind.ShouldBe(DecisionKind.NeedsApproval);
        _sample.Snapshot.ApprovalSteps(question).ShouldHaveSingleItem().Workflow.ShouldBe(workflow.Id);
        var approved = new ApprovedRequest(
            2, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal), null, Sample.Noon, null, [ApprovalStepId.OfWorkflow(workflow.Id, 1)]);
        _sample.Snapshot.Decide(question with { Approvals = [approved] }).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Put(workflow with { InsistsWhenPreapproved = false });
        _sample.Snapshot.Decide(question).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void What_was_let_in_by_an_approval_beside_preapproved_access_ends_with_that()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
        var (strict, night) = (_sample.Group("Strict"), _sample.Group("Night"));
        _sample.Member(_tina, strict, night);
        _sample.Change(night, group => group with { RequiresManagerialApproval = true });
        var workflow = new WorkflowRow(new(_sample.Next()), strict, _sample.Servers, "Flow", "1 of device", false, true, InsistsWhenPreapproved: true);
        _sample.Put(workflow);
        var approved = new ApprovedRequest(
            2, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal, Chat), null, Sample.Noon, null, [ApprovalStepId.OfWorkflow(workflow.Id, 1)]);
        var question = _sample.Question(_tina, [Terminal]) with { Preapprovals = [Request(new RequestTime.FromApproval(TimeSpan.FromHours(1)))], Approvals = [approved] };
        var end = Sample.Noon.AddHours(1);
        _sample.Snapshot.Decide(question).Until.ShouldBe(end);

        // A change of policy asks about it again; also one that takes the workflow away.
        var running = _sample.Snapshot.AsBegun(question);
        _sample.Remove(workflow.Key);
        var decision = _sample.Snapshot.DecideRunning(running with { At = Sample.Noon.AddMinutes(30) });
        decision.Permissions.ShouldBe(PermissionSet.Of(Terminal));
        decision.Until.ShouldBe(end);
        _sample.Snapshot.DecideRunning(running with { At = end }).Kind.ShouldBe(DecisionKind.NeedsApproval);
    }

    [Fact]
    public void What_was_let_in_by_an_approval_alone_goes_on_when_preapproved_access_ends()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
        var workflow = new WorkflowRow(new(_sample.Next()), _sample.Everyone, _sample.Servers, "Flow", "1 of device", false, true, InsistsWhenPreapproved: true);
        _sample.Put(workflow);
        var approved = new ApprovedRequest(
            2, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal, Chat), null, Sample.Noon, null, [ApprovalStepId.OfWorkflow(workflow.Id, 1)]);
        var question = _sample.Question(_tina, [Terminal]) with { Preapprovals = [Request(new RequestTime.FromApproval(TimeSpan.FromHours(1)))], Approvals = [approved] };
        _sample.Snapshot.Decide(question).Until.ShouldBeNull();
        var decision = _sample.Snapshot.DecideRunning(_sample.Snapshot.AsBegun(question) with { At = Sample.Noon.AddHours(1) });
        decision.Permissions.ShouldBe(PermissionSet.Of(Terminal, Chat));
        decision.Until.ShouldBeNull();
    }

    [Fact]
    public void What_needed_no_approval_when_it_began_ends_with_no_preapproved_access_that_happens_to_be_in_hand()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
        var request = Request(new RequestTime.FromApproval(TimeSpan.FromHours(1)));
        var running = _sample.Snapshot.AsBegun(_sample.Question(_tina, [Terminal]) with { Preapprovals = [request] });
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.ManagerialApproval, "required");
        var decision = _sample.Snapshot.DecideRunning(running with { At = Sample.Noon.AddMinutes(10) });
        (decision.Permissions, decision.Until).ShouldBe((PermissionSet.Of(Terminal, Chat, RequestAccess), null));
        _sample.Snapshot.DecideRunning(running with { At = Sample.Noon.AddHours(1) }).Kind.ShouldBe(DecisionKind.Allowed);

        // Where one was needed then, what stood for it is relied on.
        running = _sample.Snapshot.AsBegun(running);
        _sample.Snapshot.DecideRunning(running).Until.ShouldBe(Sample.Noon.AddHours(1));
    }

    [Fact]
    public void An_approval_that_did_not_let_in_lets_nothing_go_on_that_runs()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Reboot);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.ManagerialApproval, "required");
        var stale = new ApprovedRequest(8, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal, Reboot), null, Sample.Noon, Sample.Noon.AddHours(3), []);
        var question = _sample.Question(_tina, [Terminal]) with { Preapprovals = [Request(new RequestTime.FromApproval(TimeSpan.FromHours(1)))], Approvals = [stale] };
        var end = Sample.Noon.AddHours(1);
        _sample.Snapshot.Decide(question).Until.ShouldBe(end);
        var running = _sample.Snapshot.AsBegun(question);
        running.Approvals.ShouldBeEmpty();
        var decision = _sample.Snapshot.DecideRunning(running with { At = Sample.Noon.AddMinutes(30) });
        (decision.Permissions, decision.Until).ShouldBe((PermissionSet.Of(Terminal), end));
        _sample.Snapshot.DecideRunning(running with { At = end }).Kind.ShouldBe(DecisionKind.NeedsApproval);

        // Nor does it beside one that did let in, nor one whose time to connect is over.
        var good = stale with { Number = 7, Permissions = PermissionSet.Of(Terminal), Steps = [.. _sample.Snapshot.ApprovalSteps(_sample.Question(_tina, [Terminal])).Select(step => step.Id)] };
        running = _sample.Snapshot.AsBegun(question with { Approvals = [good, stale, good with { Number = 9, Permissions = stale.Permissions, OpenUntil = Sample.Noon }] });
        running.Approvals.ShouldHaveSingleItem().Number.ShouldBe(7);
        decision = _sample.Snapshot.DecideRunning(running);
        (decision.Permissions, decision.Until).ShouldBe((PermissionSet.Of(Terminal), null));
    }

    [Fact]
    public void Preapproved_access_gives_what_runs_nothing_by_itself_where_a_workflow_insisted()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
        var workflow = new WorkflowRow(new(_sample.Next()), _sample.Everyone, _sample.Servers, "Flow", "1 of device", false, true, InsistsWhenPreapproved: true);
        _sample.Put(workflow);
        var approved = new ApprovedRequest(
            2, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal), null, Sample.Noon, null, [ApprovalStepId.OfWorkflow(workflow.Id, 1)]);
        var ahead = Request(new RequestTime.FromApproval(TimeSpan.FromHours(1))) with { Permissions = PermissionSet.Of(Terminal, Chat) };
        var question = _sample.Question(_tina, [Terminal]) with { Preapprovals = [ahead], Approvals = [approved] };
        _sample.Snapshot.Decide(question).Permissions.ShouldBe(PermissionSet.Of(Terminal));
        _sample.Snapshot.DecideRunning(_sample.Snapshot.AsBegun(question)).Permissions.ShouldBe(PermissionSet.Of(Terminal));
    }

    [Fact]
    public void Two_that_let_in_together_with_preapproved_access_to_one_thing_each_end_with_that()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
        var (strict, night) = (_sample.Group("Strict"), _sample.Group("Night"));
        _sample.Member(_tina, strict, night);
        _sample.Change(night, group => group with { RequiresManagerialApproval = true });
        var workflow = new WorkflowRow(new(_sample.Next()), strict, _sample.Servers, "Flow", "1 of device", false, true, InsistsWhenPreapproved: true);
        _sample.Put(workflow);
        var approved = new ApprovedRequest(
            2, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal, Chat), null, Sample.Noon, null, [ApprovalStepId.OfWorkflow(workflow.Id, 1)]);
        var ahead = Request(new RequestTime.FromApproval(TimeSpan.FromHours(1)));
        var question = _sample.Question(_tina, [Terminal, Chat]) with { Preapprovals = [ahead, ahead with { Number = 2, Permissions = PermissionSet.Of(Chat) }], Approvals = [approved] };
        var running = _sample.Snapshot.AsBegun(question);
        foreach (var way in (Permission[])[Terminal, Chat])
        {
            var decision = _sample.Snapshot.DecideRunning(running with { Wanted = PermissionSet.Of(way) });
            decision.ShouldBe(_sample.Snapshot.Decide(question with { Wanted = PermissionSet.Of(way) }) with { ReevaluateAt = decision.ReevaluateAt });
            decision.Until.ShouldBe(Sample.Noon.AddHours(1));
        }
    }

    [Fact]
    public void Nothing_gives_the_owner_Skip_consent_nor_is_it_theirs_to_ask_for()
    {
        var quiet = _sample.Role(Terminal, SkipConsent);
        _sample.Set(SettingNode.Organization, SettingKind.AccessRequestRoles, $"{quiet}");
        var (policy, olga) = (_sample.Snapshot, _sample.Olga);
        policy.Decide(_sample.Question(olga, [SkipConsent])).Kind.ShouldBe(DecisionKind.Denied);
        policy.Decide(_sample.Question(_tina, [SkipConsent])).Kind.ShouldBe(DecisionKind.MayBeRequested);
        policy.Explain(_sample.Question(olga, [SkipConsent])).Lines.ShouldNotContain(line => line.Text.Contains("may request", StringComparison.Ordinal));
        policy.WouldHold(olga, _sample.Web01, "deploy", PermissionSet.Of(SkipConsent), Sample.Noon).ShouldBe(PermissionSet.None);
        policy.WouldHold(olga, _sample.Web01, "deploy", PermissionSet.Of(Terminal, SkipConsent), Sample.Noon).ShouldBe(PermissionSet.Of(Terminal));

        // A role more of which nothing would be theirs changes nothing for them, and does for others.
        var only = _sample.Role(SkipConsent);
        _sample.Set(SettingNode.Organization, SettingKind.AccessRequestRoles, $"{quiet},{only}");
        PolicySnapshot.Diff(policy, _sample.Snapshot).Rectangles.SelectMany(rectangle => rectangle.People).ShouldBe([_tina]);
    }

    [Fact]
    public void A_locked_deny_is_not_exceeded_by_a_request()
    {
        _sample.Deny(_sample.Everyone, Terminal, locked: true);
        Decide(new RequestTime.FromApproval(TimeSpan.FromHours(1)), Sample.Noon).Kind.ShouldBe(DecisionKind.Denied);
    }

    [Fact]
    public void A_contact_gets_in_with_an_approved_request()
    {
        var carla = _sample.Contact("carla");
        _sample.Grant(GrantSubject.To(carla), GrantScope.Of(_sample.Web01), SystemRoles.RequestsAccess.Id);
        var request = Request(new RequestTime.FromApproval(TimeSpan.FromHours(1))) with { Person = carla };
        _sample.Snapshot.Decide(_sample.Question(carla, [Terminal])).Kind.ShouldBe(DecisionKind.MayBeRequested);
        _sample.Snapshot.Decide(_sample.Question(carla, [Terminal]) with { Preapprovals = [request] }).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void Only_roles_that_may_be_asked_for_make_a_device_requestable()
    {
        _sample.Decide(_tina, Reboot).Kind.ShouldBe(DecisionKind.Denied);
        var rebooting = _sample.Role(Reboot);
        _sample.Set(SettingNode.Organization, SettingKind.AccessRequestRoles, $"{rebooting}");
        _sample.Decide(_tina, Reboot).Kind.ShouldBe(DecisionKind.MayBeRequested);
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.Denied);
        _sample.Snapshot.RequestableRoles.ShouldHaveSingleItem().Id.ShouldBe(rebooting);
    }

    [Fact]
    public void The_owner_s_floor_is_never_lowered()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, SkipConsent);
        Settings.TryCanonical(SettingKind.RemoteControlApproval, "terminal=ask", out _, out _).ShouldBeTrue();
        var floor = new RemoteControlApproval(
            ConsentMode.Notify, ConsentMode.AskOrRefuse, ConsentMode.Off, ConsentMode.Off, ConsentMode.Off, TimeSpan.FromSeconds(30));
        var question = _sample.Question(_tina, [Terminal]);
        _sample.Snapshot.Decide(question).Consent.ShouldBe(ConsentMode.Off);
        _sample.Snapshot.Decide(question with { ConsentFloor = floor }).Reason.ShouldBe(DenialReason.ConsentImpossible);
        _sample.Snapshot.Decide(question with { ConsentFloor = floor, EndUser = EndUserPresence.CanBeAsked }).Consent.ShouldBe(ConsentMode.AskOrRefuse);
    }

    private AccessDecision Decide(RequestTime time, DateTimeOffset at) =>
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], at: at) with { Preapprovals = [Request(time)] });

    private PreapprovedRequest Request(RequestTime time) =>
        new(1, _tina, [_sample.Web01], "deploy", PermissionSet.Of(Terminal), Sample.Noon.AddHours(time is RequestTime.Fixed ? -1 : 0), time, []);
}
