using System.Net;
using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>What an approved request in hand is good for.</summary>
public class ApprovalEvidenceTests
{
    private static readonly IPAddress Home = IPAddress.Parse("192.0.2.7");

    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly PersonId _mia;
    private readonly TechnicianGroupId _support;

    public ApprovalEvidenceTests()
    {
        _tina = _sample.Technician("tina");
        _mia = _sample.Technician("mia");
        _support = _sample.Group("Support");
        _sample.Member(_tina, _support);
        _sample.Manager(_mia, _support);
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        _sample.Grant(_tina, _sample.Web01, Terminal, ScreenView, ScreenControl, SkipConsent);
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(Terminal), new(AccountRule.Named, "root"));
    }

    [Fact]
    public void What_was_asked_for_is_allowed_and_no_more()
    {
        var decision = Decide(Approved());
        decision.Kind.ShouldBe(DecisionKind.Allowed);
        decision.Permissions.ShouldBe(PermissionSet.Of(Terminal));
        decision.ReevaluateAt.ShouldBe(Sample.Noon.AddHours(1));
        decision.Until.ShouldBeNull();
    }

    [Fact]
    public void A_permission_comes_with_what_it_needs()
    {
        var question = Question() with { Wanted = PermissionSet.Of(ScreenControl) };
        var approved = Approved() with { Permissions = PermissionSet.Of(ScreenControl) };
        _sample.Snapshot.Decide(question with { Approvals = [approved] }).Permissions.ShouldBe(PermissionSet.Of(ScreenView, ScreenControl));
    }

    [Fact]
    public void Skipping_consent_counts_only_if_it_was_approved()
    {
        _sample.Set(SettingNode.Organization, SettingKind.RemoteControlApproval, "terminal=ask");
        Decide(Approved()).Reason.ShouldBe(DenialReason.ConsentImpossible);
        Decide(Approved() with { Permissions = PermissionSet.Of(Terminal, SkipConsent) }).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Theory]
    [InlineData("person")]
    [InlineData("device")]
    [InlineData("account")]
    [InlineData("permissions")]
    [InlineData("source")]
    [InlineData("not yet")]
    [InlineData("over")]
    [InlineData("steps")]
    public void What_fits_in_all_but_one_thing_counts_for_nothing_and_the_explanation_says_so(string what)
    {
        var approved = Approved();
        approved = what switch
        {
            "person" => approved with { Person = _mia },
            "device" => approved with { Device = new(_sample.Next()) },
            "account" => approved with { Account = "root" },
            "permissions" => approved with { Permissions = PermissionSet.Of(ScreenView) },
            "source" => approved with { Source = null },
            "not yet" => approved with { ApprovedAt = Sample.Noon.AddTicks(1) },
            "over" => approved with { OpenUntil = Sample.Noon },
            _ => approved with { Steps = default },
        };
        Decide(approved).Reason.ShouldBe(DenialReason.ApprovalNeeded);
        var lines = _sample.Snapshot.Explain(Question() with { Approvals = [approved] }).Lines;
        lines.ShouldContain(line => line.Text.StartsWith("Request #7, approved at ", StringComparison.Ordinal) && line.Text.Contains("does not count", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Text.Contains("Can be approved by Mia", StringComparison.Ordinal));
    }

    [Fact]
    public void An_explanation_names_the_request_that_lets_in()
    {
        var lines = _sample.Snapshot.Explain(Question() with { Approvals = [Approved()] }).Lines;
        lines.ShouldContain(line => line.Text == "Request #7, approved at 2026-01-05 12:00:00 UTC, covers Terminal Mode for the account deploy.");
    }

    [Fact]
    public void A_rule_that_has_come_since_asks_anew_and_ends_nothing_that_runs()
    {
        var approved = Approved();
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.ManagerialApproval, "required");
        Decide(approved).Kind.ShouldBe(DecisionKind.NeedsApproval);
        var running = _sample.Snapshot.DecideRunning(Question() with { Approvals = [approved], At = Sample.Noon.AddDays(1) });
        running.Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void An_approval_stays_good_when_managers_change_and_outlives_its_time_while_the_session_runs()
    {
        var approved = Approved();
        _sample.Disable(_mia);
        Decide(approved).Kind.ShouldBe(DecisionKind.Allowed);
        var running = _sample.Snapshot.DecideRunning(Question() with { Approvals = [approved], At = Sample.Noon.AddDays(1) });
        running.Kind.ShouldBe(DecisionKind.Allowed);
        running.Permissions.ShouldBe(PermissionSet.Of(Terminal));
    }

    [Fact]
    public void Steps_of_two_requests_do_not_add_up()
    {
        var night = _sample.Group("Night");
        _sample.Member(_tina, night);
        _sample.Change(night, row => row with { RequiresManagerialApproval = true });
        var both = Approved();
        both.Steps.Length.ShouldBe(2);
        Decide(both with { Steps = [both.Steps[0]] }, both with { Steps = [both.Steps[1]] }).Kind.ShouldBe(DecisionKind.NeedsApproval);
        Decide(both).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void Law_6_a_requester_approves_for_themselves_by_the_organization_s_setting_only()
    {
        _sample.Manager(_tina, _support);
        Step().Automatic.ShouldBeFalse();
        Step().Approvers.ShouldBe([_mia]);
        _sample.Set(SettingNode.Organization, SettingKind.AutoApproveWhenRequesterIsApprover, "true");
        Step().Automatic.ShouldBeTrue();
        Step().Approvers.ShouldBe([_mia]);
        _sample.Remove(new GroupManagerRow(_support, _tina).Key);
        Step().Automatic.ShouldBeFalse();
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.NeedsApproval);
    }

    [Fact]
    public void Law_6_no_step_of_any_organization_names_the_requester()
    {
        var automatic = 0;
        Draw.Check(200, organization =>
        {
            organization.Put(new SettingRow(SettingNode.Organization, SettingKind.AutoApproveWhenRequesterIsApprover, organization.Chance(50) ? "true" : "false", 1));
            organization.Put(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "required", 1));
            var policy = organization.Compile();
            for (var count = 0; count < 20; count++)
            {
                var question = organization.Question();
                foreach (var step in policy.ApprovalSteps(question))
                {
                    step.Approvers.ShouldNotContain(question.Subject);
                    if (!step.Automatic) continue;
                    policy.Approving.AutoApprove.ShouldBeTrue();
                    automatic++;
                }
            }
        });
        automatic.ShouldBeGreaterThan(50);
    }

    [Fact]
    public void The_settings_of_approval_are_the_organization_s_alone_and_only_master_administrators_change_them()
    {
        var snapshot = _sample.Snapshot;
        snapshot.Approving.ShouldBe(new ApprovalSettings(AutoApprove: false, TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), Once: true, ReasonRequired: false));
        var often = new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.ApprovalValidFor, "90m;often");
        var changed = snapshot.Apply(snapshot.Plan(often, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta);
        changed.Approving.ValidFor.ShouldBe(TimeSpan.FromMinutes(90));
        changed.Approving.Once.ShouldBeFalse();
        snapshot.Plan(often with { Node = SettingNode.Of(_sample.Servers) }, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("setting");

        _sample.Grant(GrantSubject.To(_mia), GrantScope.AllDevices, _sample.Role(ManageSecurity));
        _sample.Snapshot.Plan(often, _mia, Sample.Noon).ShouldBeOfType<PlanResult.Forbidden>();
        Settings.At(SettingNodeKind.Device).ShouldNotContain(SettingKind.ApprovalValidFor);
    }

    private AccessQuestion Question() => _sample.Question(_tina, [Terminal]) with { Source = Home };

    private AccessDecision Decide(params ApprovedRequest[] approved) => _sample.Snapshot.Decide(Question() with { Approvals = [.. approved] });

    private ApprovedRequest Approved() => new(
        7, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal), IPAddress.Parse("192.0.2.7"), Sample.Noon, Sample.Noon.AddHours(1),
        [.. _sample.Snapshot.ApprovalSteps(Question()).Select(step => step.Id)]);

    private ApprovalStep Step() => _sample.Snapshot.ApprovalSteps(Question()).ShouldHaveSingleItem();
}
