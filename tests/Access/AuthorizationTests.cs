using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>Who may plan what. Gus administers the group Field, below which are North (with nora) and South (with sam).</summary>
public class AuthorizationTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _gus;
    private readonly PersonId _nora;
    private readonly PersonId _sam;
    private readonly PersonId _tina;
    private readonly TechnicianGroupId _field;
    private readonly TechnicianGroupId _north;
    private readonly TechnicianGroupId _south;
    private readonly TechnicianGroupId _other;

    public AuthorizationTests()
    {
        _gus = _sample.Technician("gus");
        _nora = _sample.Technician("nora");
        _sam = _sample.Technician("sam");
        _tina = _sample.Technician("tina");
        _field = _sample.Group("Field");
        _north = _sample.Group("North", _field);
        _south = _sample.Group("South", _field);
        _other = _sample.Group("Other");
        _sample.Administrator(_gus, _field);
        _sample.Member(_gus, _field);
        _sample.Member(_nora, _north);
        _sample.Member(_sam, _south);
        _sample.Member(_tina, _other);
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), SystemRoles.OnlyDeviceConnection.Id);
    }

    [Fact]
    public void Whoever_takes_no_part_plans_nothing()
    {
        _sample.Disable(_gus);
        Forbidden(AddGroup(_field));
        Forbidden(AddGroup(_sample.Everyone), new PersonId(Guid.NewGuid()));
    }

    [Fact]
    public void A_master_administrator_is_whoever_holds_ManageTechnicians_over_the_team()
    {
        _sample.Snapshot.IsMasterAdministrator(_tina, Sample.Noon).ShouldBeFalse();
        _sample.Grant(GrantSubject.To(_other), GrantScope.Team, SystemRoles.TeamAdministrator.Id, window: new(null, Sample.Noon.AddHours(1)));
        _sample.Snapshot.IsMasterAdministrator(_tina, Sample.Noon).ShouldBeTrue();
        _sample.Snapshot.IsMasterAdministrator(_tina, Sample.Noon.AddHours(1)).ShouldBeFalse();
        Allowed(AddGroup(_sample.Everyone), _tina);
        _sample.Disable(_tina);
        _sample.Snapshot.IsMasterAdministrator(_tina, Sample.Noon).ShouldBeFalse();
    }

    [Fact]
    public void A_group_administrator_works_strictly_below_the_assigned_group()
    {
        Allowed(AddGroup(_field));
        Allowed(AddGroup(_north));
        Allowed(Rename(_north, _field));
        Forbidden(Rename(_field, _sample.Everyone));
        NotFound(Rename(_other, _sample.Everyone));
        NotFound(AddGroup(_sample.Everyone));
    }

    [Fact]
    public void A_disabled_group_names_no_administrators()
    {
        _sample.Change(_field, row => row with { Enabled = false });
        NotFound(AddGroup(_field));
    }

    [Fact]
    public void What_the_actor_may_not_see_is_not_there()
    {
        NotFound(new PolicyCommand.EditPerson(_tina, "x", ""));
        NotFound(new PolicyCommand.AddMember(_north, _tina));
        NotFound(new PolicyCommand.DeleteDevice(_sample.Web01), _nora);
        NotFound(new PolicyCommand.DeleteRole(_sample.Role(Terminal)), _nora);
        Plan(new PolicyCommand.EditPerson(_tina, "x", ""), _gus).ShouldBe(Plan(new PolicyCommand.EditPerson(new(Guid.NewGuid()), "x", ""), _gus));
        var grant = _sample.Grant(_tina, _sample.Web01, Terminal);
        NotFound(new PolicyCommand.RemoveGrant(grant));
    }

    [Fact]
    public void Only_master_administrators_touch_people_roles_managers_and_administrators()
    {
        Forbidden(new PolicyCommand.AddPerson(new(_sample.Next()), PersonKind.Technician, "new", "New", "", PersonState.Activated));
        Forbidden(new PolicyCommand.SetPersonStatus(_nora, PersonStatus.Disabled));
        Forbidden(new PolicyCommand.DeletePerson(_nora));
        Forbidden(new PolicyCommand.AddRole(new(_sample.Next()), "Mine", RolePurpose.DevicesAndGroups, PermissionSet.Of(Terminal)));
        Forbidden(new PolicyCommand.AddManager(_north, _gus));
        Forbidden(new PolicyCommand.AddAdministrator(_north, _nora));
        Forbidden(new PolicyCommand.AddDeviceGroup(new(_sample.Next()), null, "Mine"));
    }

    [Fact]
    public void A_refusal_names_no_group_and_no_workflow_that_the_actor_may_not_see()
    {
        var top = _sample.Group("Secret top");
        _sample.Change(_field, group => group with { ParentId = top });
        _sample.Deny(top, Terminal, locked: true);
        _sample.Put(new WorkflowRow(new(_sample.Next()), _other, _sample.Servers, "Secret flow", $"1 of members:{_north}", false, true, false));
        Conflict(new PolicyCommand.SetGroupPermission(_north, Terminal, PolicyValue.Allow, false)).ShouldEndWith("is locked by ….");
        Conflict(new PolicyCommand.DeleteTechnicianGroup(_north)).ShouldContain("in the workflow …");

        string Conflict(PolicyCommand command) => Plan(command, _gus).ShouldBeOfType<PlanResult.Conflict>().Message;
    }

    [Fact]
    public void Only_master_administrators_lock_and_unlock()
    {
        Allowed(new PolicyCommand.SetGroupPermission(_north, Terminal, PolicyValue.Deny, false));
        Forbidden(new PolicyCommand.SetGroupPermission(_north, Terminal, PolicyValue.Deny, true));
        _sample.Deny(_north, Terminal, locked: true);
        Forbidden(new PolicyCommand.SetGroupPermission(_north, Terminal, null, false));
    }

    [Fact]
    public void A_group_administrator_grants_what_they_hold_there_themselves_and_no_more()
    {
        Allowed(GrantTo(_north, GrantScope.Of(_sample.Servers), SystemRoles.OnlyDeviceConnection.Id));
        Allowed(GrantTo(_north, GrantScope.Of(_sample.Web01), SystemRoles.OnlyDeviceConnection.Id));
        Forbidden(GrantTo(_north, GrantScope.Of(_sample.Web01), SystemRoles.FullDeviceAccess.Id));
        Forbidden(GrantTo(_north, GrantScope.AllDevices, SystemRoles.OnlyDeviceConnection.Id));
        Forbidden(GrantTo(_north, GrantScope.Of(_sample.Web01), SystemRoles.OnlyDeviceConnection.Id) with { Accounts = GrantAccounts.Any });
        Forbidden(GrantTo(_field, GrantScope.Of(_sample.Web01), SystemRoles.OnlyDeviceConnection.Id));
        Forbidden(GrantTo(_north, GrantScope.Team, SystemRoles.Auditor.Id));
        Forbidden(GrantTo(_north, GrantScope.Of(_sample.Web01), SystemRoles.OnlyDeviceConnection.Id) with { Subject = GrantSubject.To(_nora) });
    }

    [Fact]
    public void What_is_held_for_a_while_is_given_for_that_while_at_most()
    {
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Web01), SystemRoles.FullDeviceAccess.Id, window: new(null, Sample.Noon.AddDays(1)));
        var grant = GrantTo(_north, GrantScope.Of(_sample.Web01), SystemRoles.FullDeviceAccess.Id);
        Forbidden(grant);
        Forbidden(grant with { Window = new(null, Sample.Noon.AddDays(2)) });
        Allowed(grant with { Window = new(null, Sample.Noon.AddDays(1)) });
    }

    [Fact]
    public void What_the_actors_own_groups_deny_cannot_be_given()
    {
        _sample.Deny(_field, Terminal);
        _sample.Allow(_north, Terminal);
        Forbidden(GrantTo(_north, GrantScope.Of(_sample.Web01), SystemRoles.OnlyDeviceConnection.Id));
    }

    [Fact]
    public void Membership_gives_no_more_than_the_actor_holds()
    {
        Allowed(new PolicyCommand.AddMember(_south, _nora));
        var grant = _sample.Grant(GrantSubject.To(_south), GrantScope.AllDevices, SystemRoles.FullDeviceAccess.Id);
        Forbidden(new PolicyCommand.AddMember(_south, _nora));
        Forbidden(new PolicyCommand.AddMember(_south, _gus));
        _sample.Remove(new(PolicyTable.Grant, grant.Value));
        _sample.Grant(GrantSubject.To(_south), GrantScope.Of(_sample.Servers), SystemRoles.OnlyDeviceConnection.Id);
        Allowed(new PolicyCommand.AddMember(_south, _nora));
    }

    [Fact]
    public void Leaving_a_group_frees_nobody_of_what_binds_the_actor()
    {
        _sample.Deny(_north, Reboot);
        _sample.Deny(_field, Tunnel);
        _sample.Allow(_north, Tunnel);
        Allowed(new PolicyCommand.RemoveMember(_north, _sam));
        _sample.Deny(_south, Terminal);
        _sample.Deny(_south, Tunnel);
        Forbidden(new PolicyCommand.RemoveMember(_south, _sam)); // alone in Everyone, sam would be allowed Tunnel, which Field denies gus

        _sample.Change(_sample.Everyone, row => row with { RequiresManagerialApproval = true });
        Forbidden(new PolicyCommand.RemoveMember(_north, _nora));
    }

    [Fact]
    public void A_duty_that_binds_the_actor_is_not_lifted_from_others()
    {
        _sample.Change(_north, row => row with { RequiresManagerialApproval = true, Consent = GroupConsent.Ask });
        Allowed(Rename(_north, _field)); // gus is free of both
        _sample.Change(_field, row => row with { Consent = GroupConsent.Ask });
        Allowed(Rename(_north, _field)); // Field binds nora as before
        _sample.Change(_field, row => row with { Consent = GroupConsent.None });
        var other = _sample.Group("Duties");
        _sample.Change(other, row => row with { RequiresManagerialApproval = true, Consent = GroupConsent.Ask });
        _sample.Member(_gus, other);
        Forbidden(Rename(_north, _field));
    }

    [Fact]
    public void What_binds_the_owner_is_lifted_from_them_no_more_than_from_anybody()
    {
        _sample.Member(_sample.Olga, _north);
        _sample.Change(_north, row => row with { RequiresManagerialApproval = true, Consent = GroupConsent.Ask });
        var (leave, lift) = (new PolicyCommand.RemoveMember(_north, _sample.Olga), Rename(_north, _field));
        _sample.Remove(new MembershipRow(_north, _nora).Key);
        Allowed(leave); // gus is free of both
        Allowed(lift);
        var duties = _sample.Group("Duties");
        _sample.Member(_gus, duties);
        _sample.Change(duties, row => row with { RequiresManagerialApproval = true });
        Forbidden(leave);
        Forbidden(lift);
        _sample.Change(duties, row => row with { RequiresManagerialApproval = false, Consent = GroupConsent.Ask });
        Forbidden(leave);
        Forbidden(lift);
    }

    [Fact]
    public void The_owner_is_given_what_is_over_Quick_Support_only_by_who_holds_it_and_the_rest_is_theirs_as_it_is()
    {
        _sample.Remove(new MembershipRow(_north, _nora).Key);
        _sample.Member(_sample.Olga, _north);
        _sample.Grant(GrantSubject.To(_south), GrantScope.Of(_sample.Servers), SystemRoles.FullDeviceAccess.Id);
        Allowed(new PolicyCommand.AddMember(_south, _sample.Olga));
        _sample.Grant(GrantSubject.To(_south), GrantScope.QuickSupport, SystemRoles.All.First(role => role.Purpose == RolePurpose.Invitations).Id);
        Forbidden(new PolicyCommand.AddMember(_south, _sample.Olga));
    }

    [Fact]
    public void What_was_approved_ahead_for_somebody_binds_them_though_they_may_not_ask_for_it_any_more()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Servers), _sample.Role(ManageSecurity, ModifyDevice));
        var lab = _sample.DeviceGroup("Lab");
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(lab), _sample.Role(ManageSecurity, ModifyDevice));
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.MaxSession, "1h");
        var other = _sample.Device("web02", _sample.Servers, "deploy");
        var window = new RequestTime.Fixed(Sample.Noon.AddDays(4), Sample.Noon.AddDays(5));
        var request = new PreapprovedRequest(5, _tina, [_sample.Web01], "deploy", PermissionSet.Of(Terminal), Sample.Noon.AddHours(-1), window, []);
        PolicyCommand[] loosening =
        [
            new PolicyCommand.SetSetting(SettingNode.Of(_sample.Web01), SettingKind.MaxSession, "2h"),
            new PolicyCommand.ClearSetting(SettingNode.Of(_sample.Servers), SettingKind.MaxSession),
            EditWeb01(lab),
            new PolicyCommand.Several("Both.", [new PolicyCommand.SetSetting(SettingNode.Of(_sample.Web01), SettingKind.MaxSession, "2h")]),
        ];
        foreach (var command in loosening)
        {
            Allowed(command, _tina);
            With(command, Sample.Noon, request).ShouldNotBeOfType<PlanResult.Planned>();
            With(command, Sample.Noon.AddDays(5), request).ShouldBeOfType<PlanResult.Planned>();
            With(command, Sample.Noon, request with { Person = _gus }).ShouldBeOfType<PlanResult.Planned>();
            With(command, Sample.Noon, request with { Permissions = PermissionSet.Of(ConnectionHistory) }).ShouldBeOfType<PlanResult.Planned>();
        }

        With(new PolicyCommand.SetSetting(SettingNode.Of(other), SettingKind.MaxSession, "2h"), Sample.Noon, request).ShouldBeOfType<PlanResult.Planned>();

        PlanResult With(PolicyCommand command, DateTimeOffset at, PreapprovedRequest ahead) => _sample.Snapshot.Plan(command, _tina, at, [ahead]);
    }

    [Fact]
    public void Enabling_a_group_gives_back_no_more_than_the_actor_holds()
    {
        _sample.Change(_north, row => row with { Enabled = false });
        Allowed(Rename(_north, _field));
        _sample.Grant(GrantSubject.To(_north), GrantScope.AllDevices, SystemRoles.FullDeviceAccess.Id);
        Forbidden(Rename(_north, _field));
    }

    [Fact]
    public void Devices_are_for_whoever_may_modify_or_delete_them()
    {
        Forbidden(EditWeb01(_sample.Servers));
        Forbidden(new PolicyCommand.DeleteDevice(_sample.Web01));
        Forbidden(AddDevice(_sample.Servers));
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), _sample.Role(ModifyDevice, DeleteDevice));
        Allowed(EditWeb01(_sample.Servers));
        Allowed(new PolicyCommand.DeleteDevice(_sample.Web01));
        Allowed(AddDevice(_sample.Servers));
        NotFound(AddDevice(_sample.DeviceGroup("Elsewhere")));
        NotFound(EditWeb01(_sample.DeviceGroup("Nowhere")));
    }

    [Fact]
    public void Moving_a_device_gives_nobody_what_the_mover_does_not_hold_there()
    {
        var lab = _sample.DeviceGroup("Lab");
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), _sample.Role(ModifyDevice));
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(lab), _sample.Role(ModifyDevice));
        Allowed(EditWeb01(lab));
        var grant = _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(lab), SystemRoles.FullDeviceAccess.Id);
        Forbidden(EditWeb01(lab));
        _sample.Remove(new(PolicyTable.Grant, grant.Value));
        _sample.Set(SettingNode.Organization, SettingKind.ManagerialApproval, "required");
        _sample.Set(SettingNode.Of(lab), SettingKind.ManagerialApproval, "not");
        Forbidden(EditWeb01(lab));
    }

    [Fact]
    public void Making_another_account_the_default_gives_nobody_more_than_the_actor_holds()
    {
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), _sample.Role(ModifyDevice));
        Forbidden(new PolicyCommand.SetDefaultAccount(_sample.Web01, "root"));
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), SystemRoles.FullDeviceAccess.Id, GrantAccounts.Any);
        Allowed(new PolicyCommand.SetDefaultAccount(_sample.Web01, "root"));
    }

    [Fact]
    public void Settings_are_for_master_administrators_and_ManageSecurity_within_its_scope()
    {
        var node = SettingNode.Of(_sample.Servers);
        Forbidden(new PolicyCommand.SetSetting(node, SettingKind.ManagerialApproval, "required"));
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), _sample.Role(ManageSecurity));
        Allowed(new PolicyCommand.SetSetting(node, SettingKind.ManagerialApproval, "required"));
        Allowed(new PolicyCommand.ForceSetting(SettingNode.Of(_sample.Web01), SettingKind.Recording, "required"));
        Forbidden(new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.ManagerialApproval, "required"));
    }

    [Fact]
    public void ManageSecurity_loosens_what_does_not_bind_its_holder()
    {
        var node = SettingNode.Of(_sample.Servers);
        _sample.Set(SettingNode.Organization, SettingKind.ManagerialApproval, "required");
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), _sample.Role(ManageSecurity));
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Servers), _sample.Role(ManageSecurity));
        Forbidden(new PolicyCommand.SetSetting(node, SettingKind.ManagerialApproval, "not"));
        Allowed(new PolicyCommand.SetSetting(node, SettingKind.ManagerialApproval, "not"), _tina);
        Forbidden(new PolicyCommand.SetSetting(node, SettingKind.IdleTimeout, "none"));
        Allowed(new PolicyCommand.SetSetting(node, SettingKind.IdleTimeout, "10m"));
        _sample.Set(SettingNode.Organization, SettingKind.Recording, "required");
        Forbidden(new PolicyCommand.SetSetting(node, SettingKind.Recording, "on"), _tina);
    }

    [Fact]
    public void One_sees_oneself_and_a_branch_is_seen_by_its_administrators()
    {
        var policy = _sample.Snapshot;
        policy.MaySeePerson(_nora, _nora, Sample.Noon).ShouldBeTrue();
        policy.MaySeePerson(_nora, _sam, Sample.Noon).ShouldBeFalse();
        policy.MaySeePerson(_gus, _sam, Sample.Noon).ShouldBeTrue();
        policy.MaySeePerson(_gus, _tina, Sample.Noon).ShouldBeFalse();
        policy.MaySeePerson(_sample.Olga, _tina, Sample.Noon).ShouldBeTrue();
        policy.MaySeeDevice(_gus, _sample.Web01, Sample.Noon).ShouldBeTrue();
        policy.MaySeeDevice(_nora, _sample.Web01, Sample.Noon).ShouldBeFalse();
        policy.MaySeeDeviceGroup(_gus, _sample.Servers, Sample.Noon).ShouldBeTrue();
        policy.MaySeeDeviceGroup(_nora, _sample.Servers, Sample.Noon).ShouldBeFalse();
        policy.MaySeeTechnicianGroup(_gus, _north, Sample.Noon).ShouldBeTrue();
        policy.MaySeeTechnicianGroup(_gus, _other, Sample.Noon).ShouldBeFalse();
    }

    [Fact]
    public void The_last_account_is_taken_off_by_master_administrators_however_it_is_done()
    {
        _sample.Grant(GrantSubject.To(_gus), GrantScope.Of(_sample.Servers), _sample.Role(ModifyDevice));
        Allowed(new PolicyCommand.RemoveAccount(_sample.Web01, "root"));
        Forbidden(new PolicyCommand.EditDevice(_sample.Web01) { Accounts = [] });
        Plan(new PolicyCommand.Several("Anew.", [new PolicyCommand.EditDevice(_sample.Web01) { Accounts = [] }, new PolicyCommand.EditDevice(_sample.Web01) { Accounts = ["root"] }]), _gus)
            .ShouldBeOfType<PlanResult.SomeRefused>();

        var empty = _sample.Device("db01", _sample.Servers);
        var policy = _sample.Snapshot;
        var added = policy.Plan(new PolicyCommand.AddAccount(empty, "root"), _gus, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;
        policy = policy.Apply(added);
        policy.Plan(new PolicyCommand.Undo(added, new HashSet<RowKey>()), _gus, Sample.Noon).ShouldBeOfType<PlanResult.Forbidden>().Reason.ShouldContain("last account");
        policy.Plan(new PolicyCommand.RemoveAccount(empty, "root"), _gus, Sample.Noon).ShouldBeOfType<PlanResult.Forbidden>();
        policy.Plan(new PolicyCommand.RemoveAccount(empty, "root"), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>();
    }

    private PolicyCommand.AddTechnicianGroup AddGroup(TechnicianGroupId parent) =>
        new(new(_sample.Next()), parent, "New", "", true, false, GroupConsent.None, false);

    private static PolicyCommand.EditTechnicianGroup Rename(TechnicianGroupId id, TechnicianGroupId parent) =>
        new(id, parent, "Renamed", "", true, false, GroupConsent.None, false);

    private PolicyCommand.AddGrant GrantTo(TechnicianGroupId group, GrantScope scope, RoleId role) =>
        new(new(_sample.Next()), GrantSubject.To(group), scope, role, GrantAccounts.Default, GrantWindow.Always);

    private PolicyCommand.EditDevice EditWeb01(DeviceGroupId group) => new(_sample.Web01, group, "web01", "", true, "127.0.0.1");

    private PolicyCommand.AddDevice AddDevice(DeviceGroupId group) => new(new(_sample.Next()), group, "db01", "", "localhost", ["root"]);

    private PlanResult Plan(PolicyCommand command, PersonId actor) => _sample.Snapshot.Plan(command, actor, Sample.Noon);

    private void Allowed(PolicyCommand command, PersonId? actor = null) => Plan(command, actor ?? _gus).ShouldBeOfType<PlanResult.Planned>();

    private void Forbidden(PolicyCommand command, PersonId? actor = null) => Plan(command, actor ?? _gus).ShouldBeOfType<PlanResult.Forbidden>();

    private void NotFound(PolicyCommand command, PersonId? actor = null) => Plan(command, actor ?? _gus).ShouldBeOfType<PlanResult.NotFound>();

    [Fact]
    public void A_grant_on_what_a_branch_administrator_may_not_see_is_not_there()
    {
        var sample = new Sample();
        var ada = sample.Technician("ada");
        var support = sample.Group("Support");
        sample.Administrator(ada, support);
        var grant = sample.Grant(GrantSubject.To(sample.Group("Juniors", support)), GrantScope.Of(sample.Web01), sample.Role(Permission.Terminal));
        sample.Snapshot.Plan(new PolicyCommand.RemoveGrant(grant), ada, Sample.Noon).ShouldBeOfType<PlanResult.NotFound>();
        sample.Grant(ada, sample.Web01, Permission.Terminal);
        sample.Snapshot.Plan(new PolicyCommand.RemoveGrant(grant), ada, Sample.Noon).ShouldBeOfType<PlanResult.Planned>();
    }
}
