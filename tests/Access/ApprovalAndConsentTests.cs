using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class ApprovalAndConsentTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly PersonId _mia;
    private readonly TechnicianGroupId _support;
    private readonly TechnicianGroupId _night;

    public ApprovalAndConsentTests()
    {
        _tina = _sample.Technician("tina");
        _mia = _sample.Technician("mia");
        _support = _sample.Group("Support");
        _night = _sample.Group("Night", _support);
        _sample.Member(_tina, _night);
        _sample.Grant(_tina, _sample.Web01, Terminal, ScreenView, FileManager, ConnectionHistory);
    }

    [Fact]
    public void A_rule_of_a_group_above_asks_the_manager_of_the_nearest_group_that_has_one()
    {
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        _sample.Manager(_sample.Olga, _sample.Everyone);
        _sample.Manager(_mia, _support);
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.NeedsApproval);
        var step = Steps().ShouldHaveSingleItem();
        step.Approvers.ShouldBe([_mia]);
        step.Blocked.ShouldBeFalse();
        step.Rule.ShouldContain("Support");
        _sample.Decide(_tina, ConnectionHistory).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void Where_those_appointed_cannot_act_the_step_blocks_and_climbs_no_further()
    {
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        _sample.Manager(_sample.Olga, _sample.Everyone);
        _sample.Manager(_mia, _support);
        _sample.Disable(_mia);
        Steps().ShouldHaveSingleItem().Blocked.ShouldBeTrue();
    }

    [Fact]
    public void A_disabled_group_has_no_managers_and_its_duty_still_binds()
    {
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        _sample.Manager(_mia, _night);
        _sample.Manager(_sample.Olga, _support);
        _sample.Change(_night, row => row with { Enabled = false });
        Steps().ShouldHaveSingleItem().Blocked.ShouldBeTrue();
    }

    [Fact]
    public void Nobody_approves_their_own_connections()
    {
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        _sample.Manager(_tina, _support);
        Steps().ShouldHaveSingleItem().Blocked.ShouldBeTrue();
        _sample.Manager(_mia, _support);
        Steps().ShouldHaveSingleItem().Approvers.ShouldBe([_mia]);
    }

    [Fact]
    public void There_is_one_step_for_each_group_through_which_a_rule_reaches_the_person()
    {
        var day = _sample.Group("Day");
        _sample.Member(_tina, day, _sample.Group("Free"));
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        _sample.Change(day, row => row with { RequiresManagerialApproval = true });
        Steps().Count.ShouldBe(2);
    }

    [Fact]
    public void The_rule_of_Everyone_binds_contacts_and_the_owner_too()
    {
        _sample.Change(_sample.Everyone, row => row with { RequiresManagerialApproval = true });
        _sample.Decide(_sample.Olga, Terminal).Kind.ShouldBe(DecisionKind.NeedsApproval);
        Steps(_sample.Contact("carl")).ShouldHaveSingleItem();
    }

    [Fact]
    public void The_rule_of_a_device_asks_whoever_accepts_requests_there()
    {
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.ManagerialApproval, "required");
        _sample.Grant(GrantSubject.To(_mia), GrantScope.AllDevices, SystemRoles.AcceptsAccessRequests.Id, new(AccountRule.Named, "root"));
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.NeedsApproval);
        var step = Steps().ShouldHaveSingleItem();
        step.Approvers.Order(Comparer<PersonId>.Create((one, other) => one.Value.CompareTo(other.Value))).ShouldBe([_sample.Olga, _mia], ignoreOrder: true);
        step.Rule.ShouldContain("inherited from Servers");
    }

    [Theory]
    [InlineData("terminal=ask", EndUserPresence.CannotBeAsked, DecisionKind.Denied)]
    [InlineData("terminal=ask", EndUserPresence.NobodyLoggedOn, DecisionKind.Denied)]
    [InlineData("terminal=ask", EndUserPresence.CanBeAsked, DecisionKind.Allowed)]
    [InlineData("terminal=ask; unanswered=connect", EndUserPresence.CannotBeAsked, DecisionKind.Allowed)]
    [InlineData("terminal=notify", EndUserPresence.CannotBeAsked, DecisionKind.Allowed)]
    [InlineData("screen=ask", EndUserPresence.CannotBeAsked, DecisionKind.Allowed)]
    public void Consent_that_cannot_be_had_denies(string setting, EndUserPresence presence, DecisionKind expected)
    {
        _sample.Set(SettingNode.Organization, SettingKind.RemoteControlApproval, setting);
        var decision = _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal]) with { EndUser = presence });
        decision.Kind.ShouldBe(expected);
        if (expected == DecisionKind.Denied) decision.Reason.ShouldBe(DenialReason.ConsentImpossible);
    }

    [Fact]
    public void The_strictest_of_device_and_groups_counts_for_any_kind_of_session()
    {
        _sample.Set(SettingNode.Organization, SettingKind.RemoteControlApproval, "terminal=notify");
        Consent(Terminal).ShouldBe(ConsentMode.Notify);
        Consent(FileManager).ShouldBe(ConsentMode.Off);
        _sample.Change(_support, row => row with { Consent = GroupConsent.Ask });
        Consent(Terminal).ShouldBe(ConsentMode.AskOrRefuse);
        Consent(FileManager).ShouldBe(ConsentMode.AskOrRefuse);
        _sample.Change(_night, row => row with { Enabled = false });
        _sample.Decide(_tina, ConnectionHistory).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void Skipping_consent_lowers_it_to_telling_for_a_screen_and_to_nothing_else()
    {
        _sample.Set(SettingNode.Organization, SettingKind.RemoteControlApproval, "screen=ask; terminal=ask");
        _sample.Change(_support, row => row with { Consent = GroupConsent.Ask });
        _sample.Grant(_tina, _sample.Web01, SkipConsent);
        Consent(ScreenView).ShouldBe(ConsentMode.Notify);
        Consent(Terminal).ShouldBe(ConsentMode.Off);
        _sample.Deny(_support, SkipConsent);
        Consent(Terminal).ShouldBe(ConsentMode.AskOrRefuse);
    }

    [Fact]
    public void A_screen_that_nobody_sits_at_needs_the_right_to_be_there_alone()
    {
        var question = _sample.Question(_tina, [ScreenView]) with { EndUser = EndUserPresence.NobodyLoggedOn };
        _sample.Snapshot.Decide(question).Reason.ShouldBe(DenialReason.NotGranted);
        _sample.Snapshot.Decide(question with { Wanted = PermissionSet.Of(Terminal) }).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Grant(_tina, _sample.Web01, UnattendedAccess);
        _sample.Snapshot.Decide(question).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void A_rule_that_is_new_ends_nothing_that_runs_and_what_was_lost_does()
    {
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true, Consent = GroupConsent.Ask });
        var question = _sample.Question(_tina, [Terminal]) with { BeganUnasked = true };
        var running = _sample.Snapshot.DecideRunning(question);
        running.Kind.ShouldBe(DecisionKind.Allowed);
        running.Permissions.ShouldBe(PermissionSet.Of(Terminal, ScreenView, FileManager, ConnectionHistory));
        _sample.Deny(_support, Terminal);
        _sample.Snapshot.DecideRunning(question).Reason.ShouldBe(DenialReason.AboveCeiling);
    }

    private ConsentMode Consent(Permission wanted) =>
        _sample.Snapshot.Decide(_sample.Question(_tina, [wanted]) with { EndUser = EndUserPresence.CanBeAsked }).Consent;

    private IReadOnlyList<ApprovalStep> Steps(PersonId? person = null) => _sample.Snapshot.ApprovalSteps(_sample.Question(person ?? _tina, [Terminal]));
}
