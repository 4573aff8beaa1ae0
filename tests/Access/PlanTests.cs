using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class PlanTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly TechnicianGroupId _support;

    public PlanTests()
    {
        _tina = _sample.Technician("tina");
        _support = _sample.Group("Support");
        _sample.Member(_tina, _support);
    }

    [Fact]
    public void A_plan_changes_nothing_and_its_delta_leads_to_the_next_version()
    {
        var person = new PersonId(_sample.Next());
        var delta = Planned(new PolicyCommand.AddPerson(person, PersonKind.Technician, "nina", " Nina ", "nina@example.org", PersonState.Activated));
        _sample.Snapshot.Person(person).ShouldBeNull();
        delta.FromVersion.ShouldBe(_sample.Snapshot.Version);
        var after = _sample.Snapshot.Apply(delta);
        after.Version.ShouldBe(delta.ToVersion);
        after.PersonByLogin("nina").ShouldBe(
            new PersonRow(person, PersonKind.Technician, "nina", "Nina", "nina@example.org", PersonState.Activated, PersonStatus.Active));
    }

    [Fact]
    public void An_edit_that_changes_nothing_gives_a_delta_without_changes()
    {
        Planned(new PolicyCommand.EditPerson(_tina, "Tina", "")).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.SetPersonStatus(_tina, PersonStatus.Active)).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.AddMember(_support, _tina)).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.RemoveMember(_support, _sample.Olga)).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.SetDefaultAccount(_sample.Web01, "deploy")).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.Recording, "on")).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.ClearSetting(SettingNode.Of(_sample.Web01), SettingKind.Recording)).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.SetGroupPermission(_sample.Everyone, Terminal, PolicyValue.Allow, false)).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.EditDeviceGroup(_sample.Servers, null, "Servers")).Changes.ShouldBeEmpty();
        Planned(new PolicyCommand.EditDevice(_sample.Web01, _sample.Servers, "web01", "", true, "127.0.0.1") { Services = [new(ServiceProtocol.Ssh, 22, "")] }).Changes.ShouldBeEmpty();
        Planned(Edit(_support, _sample.Everyone, "Support")).Changes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Nina", "Nina", "", "login")]
    [InlineData("", "Nina", "", "login")]
    [InlineData("nina", "  ", "", "name")]
    [InlineData("nina", "Ni\nna", "", "name")]
    [InlineData("nina", "Ni\u202ena", "", "name")]
    [InlineData("nina", "Nina", "nowhere", "mail")]
    [InlineData("nina", "Nina", "a@b@c", "mail")]
    public void A_person_is_refused_beside_the_field(string login, string name, string mail, string field) =>
        Invalid(new PolicyCommand.AddPerson(new(_sample.Next()), PersonKind.Technician, login, name, mail, PersonState.Activated)).ShouldBe(field);

    [Fact]
    public void Nobody_is_made_owner_and_taken_logins_and_ids_conflict()
    {
        Invalid(new PolicyCommand.AddPerson(new(_sample.Next()), PersonKind.Owner, "otto", "Otto", "", PersonState.Activated)).ShouldBe("kind");
        Invalid(new PolicyCommand.AddPerson(default, PersonKind.Technician, "otto", "Otto", "", PersonState.Activated)).ShouldBe("id");
        var taken = new PolicyCommand.AddPerson(new(_sample.Next()), PersonKind.Technician, "tina", "Other", "", PersonState.Activated);
        Plan(taken).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("login");
        Plan(taken with { Id = _tina, Login = "other" }).ShouldBeOfType<PlanResult.Conflict>();
    }

    [Fact]
    public void The_owner_is_neither_disabled_nor_deleted_nor_edited_by_others()
    {
        Plan(new PolicyCommand.SetPersonStatus(_sample.Olga, PersonStatus.Disabled)).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(new PolicyCommand.DeletePerson(_sample.Olga)).ShouldBeOfType<PlanResult.Forbidden>();
        MakeMaster(_tina);
        Plan(new PolicyCommand.EditPerson(_sample.Olga, "Mallory", ""), _tina).ShouldBeOfType<PlanResult.Forbidden>();
        Planned(new PolicyCommand.EditPerson(_sample.Olga, "Olga the Great", "")).Changes.Count.ShouldBe(1);
    }

    [Fact]
    public void Deleting_a_person_takes_what_hangs_on_them_along()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Administrator(_tina, _support);
        _sample.Manager(_tina, _support);
        var after = Applied(new PolicyCommand.DeletePerson(_tina));
        after.All<PolicyRow>().ShouldAllBe(row => row.Key.Id != _tina.Value && row.Key.Id2 != _tina.Value);
        after.All<GrantRow>().ShouldBeEmpty();
    }

    [Fact]
    public void The_only_manager_where_connections_need_approval_is_not_deleted()
    {
        _sample.Manager(_tina, _support);
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        Plan(new PolicyCommand.DeletePerson(_tina)).ShouldBeOfType<PlanResult.Conflict>().Message.ShouldContain("Support");
        _sample.Manager(_sample.Olga, _support);
        Planned(new PolicyCommand.DeletePerson(_tina));
    }

    [Theory]
    [InlineData("\u200e")]
    [InlineData("\u200f")]
    [InlineData("\u061c")]
    [InlineData("\u200b")]
    [InlineData("\u00ad")]
    [InlineData("\ufeff")]
    [InlineData("\u2060")]
    [InlineData("\u202e")]
    [InlineData("\udb40\udc41")]
    [InlineData("1\u200d")]
    [InlineData(" \u200c")]
    [InlineData("\u200d\u200d")]
    public void A_name_holds_nothing_that_does_not_show(string mark)
    {
        var name = $"Ni{mark}na";
        Invalid(new PolicyCommand.AddPerson(new(_sample.Next()), PersonKind.Technician, "nina", name, "", PersonState.Activated)).ShouldBe("name");
        Invalid(Add(name, _sample.Everyone)).ShouldBe("name");
        Invalid(new PolicyCommand.AddRole(new(_sample.Next()), name, RolePurpose.DevicesAndGroups, PermissionSet.Of(Terminal))).ShouldBe("name");
        Invalid(new PolicyCommand.AddDeviceGroup(new(_sample.Next()), null, name)).ShouldBe("name");
        Invalid(new PolicyCommand.AddExternalGroup(new(_sample.Next()), name, "")).ShouldBe("name");
        Names.IsName(name).ShouldBeFalse();
        Names.IsName($"Nina{mark}").ShouldBeFalse();
        Names.IsName("\u200dNina").ShouldBeFalse();
    }

    [Fact]
    public void What_joins_letters_or_keeps_them_apart_may_stand_between_them_and_makes_no_other_name()
    {
        const string Apart = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", Joined = "\u0915\u094d\u200d\u0937";
        _sample.Snapshot.Plan(Add(Apart, _sample.Everyone), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>();
        _sample.Snapshot.Plan(Add(Joined, _sample.Everyone), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>();
        _sample.Group("Support");
        _sample.Snapshot.Plan(Add("Sup\u200cport", _sample.Everyone), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Conflict>();
    }

    [Fact]
    public void Groups_are_named_once_beside_each_other_and_never_go_round()
    {
        var below = _sample.Group("Night", _support);
        Plan(Add("support", _sample.Everyone)).ShouldBeOfType<PlanResult.Conflict>();
        Planned(Add("Support", _support));
        Invalid(Edit(_support, below, "Support")).ShouldBe("parent");
        Invalid(Edit(_support, _support, "Support")).ShouldBe("parent");
        Invalid(Edit(_support, null, "Support")).ShouldBe("parent");
        Invalid(Edit(_sample.Everyone, _support, "Everyone")).ShouldBe("parent");
        Invalid(new PolicyCommand.EditTechnicianGroup(_sample.Everyone, null, "Everyone", "", false, false, GroupConsent.None, false)).ShouldBe("enabled");
        Plan(Edit(_support, new(_sample.Next()), "Support")).ShouldBeOfType<PlanResult.NotFound>();
        Plan(new PolicyCommand.DeleteTechnicianGroup(_support)).ShouldBeOfType<PlanResult.Conflict>();
        Plan(new PolicyCommand.DeleteTechnicianGroup(_sample.Everyone)).ShouldBeOfType<PlanResult.Forbidden>();
    }

    [Fact]
    public void Deleting_a_group_takes_what_hangs_on_it_along()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.AllDevices, SystemRoles.FullDeviceAccess.Id);
        _sample.Manager(_sample.Olga, _support);
        _sample.Administrator(_tina, _support);
        _sample.Deny(_support, Tunnel);
        var after = Applied(new PolicyCommand.DeleteTechnicianGroup(_support));
        after.All<PolicyRow>().ShouldAllBe(row => row.Key.Id != _support.Value);
        after.All<GrantRow>().ShouldBeEmpty();
        after.Person(_tina).ShouldNotBeNull();
    }

    [Fact]
    public void A_contact_is_no_member_manager_or_administrator_and_is_granted_the_asking_alone()
    {
        var carl = _sample.Contact("carl");
        Invalid(new PolicyCommand.AddMember(_support, carl)).ShouldBe("person");
        Invalid(new PolicyCommand.AddManager(_support, carl)).ShouldBe("person");
        Invalid(new PolicyCommand.AddAdministrator(_support, carl)).ShouldBe("person");
        Invalid(Grant(GrantSubject.To(carl), GrantScope.AllDevices, SystemRoles.OnlyDeviceConnection.Id)).ShouldBe("role");
        Planned(Grant(GrantSubject.To(carl), GrantScope.AllDevices, SystemRoles.RequestsAccess.Id));
        Invalid(new PolicyCommand.AddMember(_sample.Everyone, _tina)).ShouldBe("group");
    }

    [Fact]
    public void A_value_below_a_lock_cannot_be_edited_and_an_inherited_one_not_locked()
    {
        _sample.Deny(_sample.Everyone, Tunnel, locked: true);
        var below = Plan(new PolicyCommand.SetGroupPermission(_support, Tunnel, PolicyValue.Allow, false));
        below.ShouldBeOfType<PlanResult.Conflict>().Message.ShouldContain("Everyone");
        Invalid(new PolicyCommand.SetGroupPermission(_support, Terminal, null, true)).ShouldBe("locked");
        Invalid(new PolicyCommand.SetGroupPermission(_sample.Everyone, Terminal, null, false)).ShouldBe("value");
        Invalid(new PolicyCommand.SetGroupPermission(_support, ModifyDevice, PolicyValue.Deny, false)).ShouldBe("permission");
        Planned(new PolicyCommand.SetGroupPermission(_sample.Everyone, Tunnel, PolicyValue.Deny, false)).Changes.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("", 22, "", "host")]
    [InlineData("two words", 22, "", "host")]
    [InlineData("-oProxyCommand=x", 22, "", "host")]
    [InlineData("host;reboot", 22, "", "host")]
    [InlineData("[::1]", 22, "", "host")]
    [InlineData("localhost", 0, "", "services[0].port")]
    [InlineData("localhost", 65536, "", "services[0].port")]
    [InlineData("localhost", 22, "ssh-ed25519", "services[0].hostKey")]
    [InlineData("localhost", 22, "ssh-ed25519 not~base64", "services[0].hostKey")]
    public void An_endpoint_is_refused_beside_the_field(string host, int port, string key, string field) =>
        Invalid(new PolicyCommand.AddDevice(new(_sample.Next()), _sample.Servers, "db01", "", host, ["root"]) { Services = [new(ServiceProtocol.Ssh, port, key)] }).ShouldBe(field);

    [Theory]
    [InlineData("localhost")]
    [InlineData("10.0.0.7")]
    [InlineData("fe80::1")]
    [InlineData("db_01.example.org")]
    public void An_endpoint_has_a_host_name_or_an_address(string host)
    {
        var id = new DeviceId(_sample.Next());
        var after = Applied(new PolicyCommand.AddDevice(id, _sample.Servers, "db01", "", host, ["root", "app"]) { Services = [new(ServiceProtocol.Ssh, HostKey: "ssh-ed25519  AAAA comment")] });
        after.ServicesOf(id).ShouldBe([new DeviceServiceRow(id, ServiceProtocol.Ssh, 22, "ssh-ed25519 AAAA")]);
        after.AccountsOf(id).Single(account => account.IsDefault).Name.ShouldBe("root");
    }

    [Fact]
    public void A_host_key_that_is_too_long_is_refused_unread() =>
        Invalid(new PolicyCommand.EditDevice(_sample.Web01, _sample.Servers, "web01", "", true, "localhost") { Services = [new(ServiceProtocol.Ssh, HostKey: "ssh-rsa " + new string('A', 20_000))] })
            .ShouldBe("services[0].hostKey");

    [Fact]
    public void Accounts_have_one_default_as_long_as_there_are_any()
    {
        Plan(new PolicyCommand.AddAccount(_sample.Web01, "root")).ShouldBeOfType<PlanResult.Conflict>();
        Invalid(new PolicyCommand.AddAccount(_sample.Web01, "a b")).ShouldBe("name");
        Plan(new PolicyCommand.RemoveAccount(_sample.Web01, "deploy")).ShouldBeOfType<PlanResult.Conflict>();
        Plan(new PolicyCommand.RemoveAccount(_sample.Web01, "nobody")).ShouldBeOfType<PlanResult.NotFound>();
        Plan(new PolicyCommand.SetDefaultAccount(_sample.Web01, "nobody")).ShouldBeOfType<PlanResult.NotFound>();
        var after = Applied(new PolicyCommand.SetDefaultAccount(_sample.Web01, "root"));
        after.AccountsOf(_sample.Web01).Single(account => account.IsDefault).Name.ShouldBe("root");
        Invalid(new PolicyCommand.AddDevice(new(_sample.Next()), _sample.Servers, "db01", "", "localhost", ["a", "a"])).ShouldBe("accounts");
    }

    [Fact]
    public void Deleting_a_device_takes_accounts_settings_and_grants_along()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.Recording, "off");
        var after = Applied(new PolicyCommand.DeleteDevice(_sample.Web01));
        after.All<PolicyRow>().ShouldAllBe(row => row.Key.Id != _sample.Web01.Value);
        after.All<GrantRow>().ShouldBeEmpty();
    }

    [Fact]
    public void A_device_group_is_deleted_empty()
    {
        Plan(new PolicyCommand.DeleteDeviceGroup(_sample.Servers)).ShouldBeOfType<PlanResult.Conflict>();
        var empty = _sample.DeviceGroup("Empty");
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(empty), SystemRoles.FullDeviceAccess.Id);
        _sample.Set(SettingNode.Of(empty), SettingKind.Recording, "off");
        Applied(new PolicyCommand.DeleteDeviceGroup(empty)).All<GrantRow>().ShouldBeEmpty();
    }

    [Fact]
    public void Roles_hold_what_fits_their_purpose_and_system_roles_stay()
    {
        Invalid(new PolicyCommand.AddRole(new(_sample.Next()), "Odd", RolePurpose.Invitations, PermissionSet.Of(Tunnel))).ShouldBe("permissions");
        Plan(new PolicyCommand.AddRole(new(_sample.Next()), "full device access", RolePurpose.DevicesAndGroups, default)).ShouldBeOfType<PlanResult.Conflict>();
        Plan(new PolicyCommand.EditRole(SystemRoles.Auditor.Id, "x", default)).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(new PolicyCommand.DeleteRole(SystemRoles.Auditor.Id)).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(new PolicyCommand.DeleteRole(new(_sample.Next()))).ShouldBeOfType<PlanResult.NotFound>();
    }

    [Fact]
    public void Deleting_a_role_takes_exactly_the_grants_made_with_it()
    {
        var role = _sample.Role(Terminal);
        _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, role);
        var kept = _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, SystemRoles.RequestsAccess.Id);
        Applied(new PolicyCommand.DeleteRole(role)).All<GrantRow>().ShouldHaveSingleItem().Id.ShouldBe(kept);
    }

    [Fact]
    public void A_grant_names_what_is_there_and_says_something_sound()
    {
        var tina = GrantSubject.To(_tina);
        Plan(Grant(GrantSubject.To(new PersonId(_sample.Next())), GrantScope.AllDevices, SystemRoles.Auditor.Id)).ShouldBeOfType<PlanResult.NotFound>();
        Plan(Grant(tina, GrantScope.Of(new DeviceId(_sample.Next())), SystemRoles.RequestsAccess.Id)).ShouldBeOfType<PlanResult.NotFound>();
        Plan(Grant(tina, GrantScope.AllDevices, new(_sample.Next()))).ShouldBeOfType<PlanResult.NotFound>();
        Invalid(Grant(tina, GrantScope.Team, SystemRoles.RequestsAccess.Id)).ShouldBe("role");
        Invalid(Grant(tina, new(ScopeKind.AllDevices, _sample.Next()), SystemRoles.RequestsAccess.Id)).ShouldBe("scope");
        var sound = Grant(tina, GrantScope.AllDevices, SystemRoles.RequestsAccess.Id);
        Invalid(sound with { Window = new(Sample.Noon, Sample.Noon) }).ShouldBe("window");
        Invalid(sound with { Window = new(null, null, "Nowhere/Land; Mon 08:00-09:00") }).ShouldBe("window");
        Invalid(sound with { Accounts = new(AccountRule.Named, " , ") }).ShouldBe("accounts");
        Invalid(sound with { Accounts = new(AccountRule.Any, "root") }).ShouldBe("accounts");
        var loose = sound with { Accounts = new(AccountRule.Named, "root, app,root"), Window = new(null, null, "UTC;mon 08:00-09:00") };
        var row = Applied(loose).All<GrantRow>().Single();
        row.Accounts.Names.ShouldBe("app,root");
        row.Window.Hours.ShouldBe("UTC; Mon 08:00-09:00");
    }

    [Fact]
    public void Settings_are_set_cleared_and_forced()
    {
        var node = SettingNode.Of(_sample.Servers);
        var web01 = SettingNode.Of(_sample.Web01);
        Invalid(new PolicyCommand.SetSetting(node, SettingKind.Recording, "maybe")).ShouldBe("value");
        Invalid(new PolicyCommand.SetSetting(node, (SettingKind)99, "on")).ShouldBe("setting");
        Plan(new PolicyCommand.SetSetting(SettingNode.Of(new DeviceId(_sample.Next())), SettingKind.Recording, "on")).ShouldBeOfType<PlanResult.NotFound>();

        _sample.Set(web01, SettingKind.Recording, "off");
        var set = Applied(new PolicyCommand.SetSetting(node, SettingKind.Recording, "required"));
        set.Setting(node, SettingKind.Recording).ShouldBe(new EffectiveSetting(SettingKind.Recording, "required", node));
        set.Setting(web01, SettingKind.Recording)!.Value.Value.ShouldBe("off");
        set.All<SettingRow>().Single(row => row.Node == node).Touched.ShouldBe(set.Version);

        var forced = Applied(new PolicyCommand.ForceSetting(SettingNode.Organization, SettingKind.Recording, "required"));
        forced.Setting(web01, SettingKind.Recording).ShouldBe(new EffectiveSetting(SettingKind.Recording, "required", SettingNode.Organization));
        var cleared = Applied(new PolicyCommand.ClearSetting(web01, SettingKind.Recording));
        cleared.Setting(web01, SettingKind.Recording).ShouldBe(new EffectiveSetting(SettingKind.Recording, "on", SettingNode.Organization));
    }

    [Fact]
    public void Clearing_the_organizations_own_value_brings_back_the_default()
    {
        _sample.Set(SettingNode.Organization, SettingKind.MaxSession, "8h");
        var cleared = Applied(new PolicyCommand.ClearSetting(SettingNode.Organization, SettingKind.MaxSession));
        cleared.Setting(SettingNode.Organization, SettingKind.MaxSession)!.Value.Value.ShouldBe("none");
    }

    private void MakeMaster(PersonId person) => _sample.Grant(GrantSubject.To(person), GrantScope.Team, SystemRoles.TeamAdministrator.Id);

    private PolicyCommand.AddTechnicianGroup Add(string name, TechnicianGroupId parent) =>
        new(new(_sample.Next()), parent, name, "", true, false, GroupConsent.None, false);

    private static PolicyCommand.EditTechnicianGroup Edit(TechnicianGroupId id, TechnicianGroupId? parent, string name) =>
        new(id, parent, name, "", true, false, GroupConsent.None, false);

    private PolicyCommand.AddGrant Grant(GrantSubject subject, GrantScope scope, RoleId role) =>
        new(new(_sample.Next()), subject, scope, role, GrantAccounts.Default, GrantWindow.Always);

    private PlanResult Plan(PolicyCommand command, PersonId? actor = null) => _sample.Snapshot.Plan(command, actor ?? _sample.Olga, Sample.Noon);

    private PolicyDelta Planned(PolicyCommand command) => Plan(command).ShouldBeOfType<PlanResult.Planned>().Delta;

    private PolicySnapshot Applied(PolicyCommand command) => _sample.Snapshot.Apply(Planned(command));

    private string Invalid(PolicyCommand command) => Plan(command).ShouldBeOfType<PlanResult.Invalid>().Field;
}
