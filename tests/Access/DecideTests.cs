using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class DecideTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;

    public DecideTests() => _tina = _sample.Technician("tina");

    [Fact]
    public void Nothing_granted_is_denied_and_does_not_tell_that_the_device_is_there()
    {
        var decision = _sample.Decide(_tina, Terminal);
        decision.Kind.ShouldBe(DecisionKind.Denied);
        decision.Reason.ShouldBe(DenialReason.NotGranted);
        decision.Visible.ShouldBeFalse();
        decision.Permissions.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void The_default_question_is_denied() =>
        _sample.Snapshot.Decide(default).ShouldBe(new(DecisionKind.Denied, DenialReason.UnknownSubject, default, null, null, false));

    [Fact]
    public void A_grant_allows_what_its_role_holds()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
        var decision = _sample.Decide(_tina, Terminal);
        decision.Kind.ShouldBe(DecisionKind.Allowed);
        decision.Permissions.ShouldBe(PermissionSet.Of(Terminal, Chat));
        decision.Until.ShouldBeNull();
        decision.ReevaluateAt.ShouldBeNull();
        decision.Visible.ShouldBeTrue();
        Reason(Terminal, Reboot).ShouldBe(DenialReason.NotGranted);
    }

    [Fact]
    public void Roles_add_up_over_grants_on_the_device_its_groups_and_all_devices()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Servers), _sample.Role(Chat));
        _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, _sample.Role(Reboot));
        _sample.Decide(_tina, Terminal, Chat, Reboot).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void A_grant_on_another_device_or_group_gives_nothing_here()
    {
        var other = _sample.DeviceGroup("Other");
        _sample.Grant(_tina, _sample.Device("db01", other, "root"), Terminal);
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(other), _sample.Role(Terminal));
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.DeviceGroup("Below", _sample.Servers)), _sample.Role(Terminal));
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.Denied);
    }

    [Theory]
    [InlineData(AccountRule.Default, "", null, true)]
    [InlineData(AccountRule.Default, "", "deploy", true)]
    [InlineData(AccountRule.Default, "", "root", false)]
    [InlineData(AccountRule.Named, "admin,root", "root", true)]
    [InlineData(AccountRule.Named, "root", null, false)]
    [InlineData(AccountRule.Named, "deploy", null, true)]
    [InlineData(AccountRule.Any, "", "root", true)]
    [InlineData(AccountRule.Any, "", null, true)]
    public void A_grant_is_for_the_accounts_that_it_says(AccountRule rule, string names, string? account, bool allowed)
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(Terminal), new(rule, names));
        var decision = _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], account: account));
        decision.Kind.ShouldBe(allowed ? DecisionKind.Allowed : DecisionKind.Denied);
        decision.Visible.ShouldBeTrue();
    }

    [Fact]
    public void An_account_that_the_device_does_not_have_is_denied_even_to_a_grant_for_any()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(Terminal), GrantAccounts.Any);
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], account: "oracle")).Reason.ShouldBe(DenialReason.UnknownAccount);
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], account: "ROOT")).Reason.ShouldBe(DenialReason.UnknownAccount);
    }

    [Fact]
    public void A_device_without_accounts_can_be_administered_and_not_connected_to()
    {
        var bare = _sample.Device("bare", _sample.Servers);
        _sample.Grant(_tina, bare, Terminal, ModifyDevice);
        _sample.Snapshot.Decide(_sample.Question(_tina, [ModifyDevice], bare)).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], bare)).Reason.ShouldBe(DenialReason.UnknownAccount);
    }

    [Fact]
    public void Only_people_who_take_part_are_let_in()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        var row = _sample.Row<PersonRow>(new(PolicyTable.Person, _tina.Value));
        PersonRow[] idlers =
        [
            row with { Status = PersonStatus.Disabled },
            row with { Status = PersonStatus.DisabledByPlan },
            row with { State = PersonState.Invited },
        ];
        foreach (var idle in idlers)
        {
            _sample.Put(idle);
            var decision = _sample.Decide(_tina, Terminal);
            decision.Reason.ShouldBe(DenialReason.SubjectTakesNoPart);
            decision.Visible.ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData(SignInStrength.None)]
    [InlineData((SignInStrength)9)]
    public void Who_has_not_signed_in_is_denied(SignInStrength strength)
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal]) with { SignIn = strength }).Reason.ShouldBe(DenialReason.NotSignedIn);
    }

    [Fact]
    public void Wanting_nothing_is_denied()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Decide(_tina).Reason.ShouldBe(DenialReason.NothingWanted);
        _sample.Snapshot.Decide(_sample.Question(_tina, []) with { Wanted = new(1UL << 63) }).Reason.ShouldBe(DenialReason.NotGranted);
    }

    [Fact]
    public void A_disabled_device_is_denied_and_still_seen()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Put(_sample.Row<DeviceRow>(new(PolicyTable.Device, _sample.Web01.Value)) with { Enabled = false });
        var decision = _sample.Decide(_tina, Terminal);
        decision.Reason.ShouldBe(DenialReason.DeviceDisabled);
        decision.Visible.ShouldBeTrue();
    }

    [Fact]
    public void An_unknown_device_and_one_that_may_not_be_seen_differ_in_the_inner_reason_alone()
    {
        var unseen = _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal]));
        var unknown = _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], new(Guid.NewGuid())));
        unknown.Reason.ShouldBe(DenialReason.UnknownDevice);
        (unknown with { Reason = unseen.Reason }).ShouldBe(unseen);
    }

    [Fact]
    public void An_unknown_device_is_not_visible_even_to_who_sees_all() =>
        _sample.Snapshot.Decide(_sample.Question(_sample.Olga, [Terminal], new(Guid.NewGuid()))).Visible.ShouldBeFalse();

    [Fact]
    public void A_permission_falls_with_its_prerequisite()
    {
        _sample.Grant(_tina, _sample.Web01, ScreenControl, ManageFiles);
        Reason(ScreenControl).ShouldBe(DenialReason.PrerequisiteMissing);
        _sample.Grant(_tina, _sample.Web01, ScreenView);
        _sample.Decide(_tina, ScreenControl).Permissions.ShouldBe(PermissionSet.Of(ScreenControl, ScreenView));
        _sample.Deny(_sample.Everyone, ScreenView);
        Reason(ScreenControl).ShouldBe(DenialReason.PrerequisiteMissing);
    }

    [Fact]
    public void The_owner_holds_every_device_permission_but_is_never_spared_the_asking()
    {
        _sample.Deny(_sample.Everyone, Tunnel, locked: true);
        _sample.Grant(GrantSubject.To(_sample.Olga), GrantScope.AllDevices, _sample.Role(SkipConsent));
        var decision = _sample.Snapshot.Decide(_sample.Question(_sample.Olga, [Tunnel], account: "root"));
        decision.Kind.ShouldBe(DecisionKind.Allowed);
        decision.Permissions.ShouldBe(PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups).Without(SkipConsent));
    }

    [Fact]
    public void Required_recording_forbids_what_cannot_be_recorded_to_the_owner_too()
    {
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.Recording, "required");
        _sample.Decide(_sample.Olga, Tunnel).Reason.ShouldBe(DenialReason.RecordingForbids);
        _sample.Decide(_sample.Olga, Terminal).Recording.ShouldBe(RecordingRule.Required);
    }

    [Fact]
    public void A_contact_can_hold_only_the_right_to_ask()
    {
        var carl = _sample.Contact("carl");
        _sample.Grant(GrantSubject.To(carl), GrantScope.Of(_sample.Web01), SystemRoles.FullDeviceAccess.Id);
        var decision = _sample.Decide(carl, Terminal);
        decision.Kind.ShouldBe(DecisionKind.MayBeRequested);
        decision.Visible.ShouldBeTrue();
        _sample.Decide(carl, RequestAccess).Permissions.ShouldBe(PermissionSet.Of(RequestAccess));
    }

    [Fact]
    public void Grants_of_Everyone_reach_every_technician_and_no_contact()
    {
        var carl = _sample.Contact("carl");
        _sample.Grant(GrantSubject.To(_sample.Everyone), GrantScope.AllDevices, _sample.Role(Terminal, RequestAccess));
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Decide(carl, RequestAccess).Visible.ShouldBeFalse();
    }

    [Fact]
    public void With_the_right_to_ask_what_a_requestable_role_would_supply_may_be_requested()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), SystemRoles.RequestsAccess.Id);
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.MayBeRequested);
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], account: "root")).Kind.ShouldBe(DecisionKind.MayBeRequested);
        _sample.Decide(_tina, Tunnel).Kind.ShouldBe(DecisionKind.Denied);
        _sample.Deny(_sample.Everyone, Terminal);
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.Denied);
        _sample.Decide(_tina, Terminal).Visible.ShouldBeTrue();
    }

    [Fact]
    public void Session_hours_bind_connections_and_nothing_else()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, ConnectionHistory);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.SessionHours, "UTC; Mon 08:00-11:00");
        var closed = _sample.Decide(_tina, Terminal);
        closed.Reason.ShouldBe(DenialReason.OutsideSessionHours);
        closed.ReevaluateAt.ShouldBe(Sample.At("2026-01-12T08:00:00Z"));
        _sample.Decide(_tina, ConnectionHistory).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Decide(_tina, ConnectionHistory, Terminal).Kind.ShouldBe(DecisionKind.Denied);

        var open = _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], at: Sample.At("2026-01-05T08:00:00Z")));
        open.Until.ShouldBe(Sample.At("2026-01-05T11:00:00Z"));
        open.ReevaluateAt.ShouldBe(open.Until);
    }

    [Fact]
    public void The_longest_session_is_told()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Decide(_tina, Terminal).MaxSession.ShouldBeNull();
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.MaxSession, "8h");
        _sample.Decide(_tina, Terminal).MaxSession.ShouldBe(TimeSpan.FromHours(8));
    }

    [Fact]
    public void How_long_a_session_may_stand_still_and_when_it_is_warned_is_told_and_inherited()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        var decision = _sample.Decide(_tina, Terminal);
        decision.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(30));
        decision.EndWarning.ShouldBe(TimeSpan.FromMinutes(5));

        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.IdleTimeout, "10m");
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.EndWarning, "none");
        decision = _sample.Decide(_tina, Terminal);
        decision.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(10));
        decision.EndWarning.ShouldBeNull();
    }

    private DenialReason Reason(params Permission[] wanted)
    {
        var decision = _sample.Decide(_tina, wanted);
        decision.Kind.ShouldBe(DecisionKind.Denied);
        return decision.Reason;
    }
}
