namespace Countersign.Access.Tests;

public class CompileTests
{
    private static readonly OrganizationId Organization = new(Guid.NewGuid());
    private static readonly PersonId Owner = new(Guid.NewGuid());
    private static readonly TechnicianGroupId Everyone = new(Guid.NewGuid());

    private readonly PolicySnapshot _founded =
        PolicySnapshot.Empty(Organization).Apply(PolicySnapshot.Bootstrap(Organization, Owner, "olga", "Olga", "olga@example.org", Everyone));

    [Fact]
    public void A_new_organization_has_an_owner_and_Everyone_and_every_value_is_explicit()
    {
        _founded.Version.ShouldBe(1);
        _founded.PersonByLogin("olga").ShouldBe(_founded.Person(Owner));
        _founded.Person(Owner)!.TakesPart.ShouldBeTrue();
        _founded.Everyone!.Id.ShouldBe(Everyone);
        _founded.All<GroupPermissionRow>().Count().ShouldBe(PermissionCatalogue.Restrictable.Count);
        _founded.All<SettingRow>().Select(row => row.Setting).Order().ShouldBe(Settings.All);
        _founded.All<PolicyRow>().Count().ShouldBe(_founded.All<GroupPermissionRow>().Count() + Settings.All.Count + 2);
    }

    [Fact]
    public void A_delta_that_starts_from_other_rows_is_refused()
    {
        var olga = _founded.Person(Owner)!;
        var change = new RowChange(olga with { Name = "Somebody else" }, olga with { Name = "Olga the Second" });
        Should.Throw<PolicyException>(() => _founded.Apply(new(Organization, 1, "", [change])));
    }

    [Fact]
    public void A_delta_that_adds_what_is_there_is_refused() =>
        Should.Throw<PolicyException>(() => _founded.Apply(new(Organization, 1, "", [new(null, _founded.Person(Owner))])));

    [Fact]
    public void A_delta_for_another_version_or_organization_is_refused()
    {
        Should.Throw<PolicyException>(() => _founded.Apply(new(Organization, 2, "", [])));
        Should.Throw<PolicyException>(() => _founded.Apply(new(new(Guid.NewGuid()), 1, "", [])));
    }

    [Fact]
    public void Two_rows_of_one_key_are_refused() => Refused("key", _founded.Person(Owner)!);

    [Fact]
    public void Two_owners_are_refused() =>
        Refused("owner", new PersonRow(new(Guid.NewGuid()), PersonKind.Owner, "otto", "Otto", "", PersonState.Activated, PersonStatus.Active));

    [Fact]
    public void Two_people_of_one_login_are_refused() =>
        Refused("olga", new PersonRow(new(Guid.NewGuid()), PersonKind.Technician, "olga", "Other", "", PersonState.Activated, PersonStatus.Active));

    [Fact]
    public void Two_roots_are_refused() => Refused("root", Group(Guid.NewGuid(), null));

    [Fact]
    public void Technician_groups_that_go_round_are_refused()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        Refused("below itself", Group(first, second), Group(second, first));
    }

    [Fact]
    public void Device_groups_that_go_round_are_refused()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        Refused("below itself", new DeviceGroupRow(new(first), new(second), "a"), new DeviceGroupRow(new(second), new(first), "b"));
    }

    [Fact]
    public void What_hangs_on_nothing_is_refused()
    {
        var gone = Guid.NewGuid();
        Refused("not there", Group(Guid.NewGuid(), gone));
        var group = Group(Guid.NewGuid(), Everyone.Value);
        Refused("not there", group, new MembershipRow(group.Id, new(gone)));
        Refused("not there", new MembershipRow(new(gone), Owner));
        Refused("not there", new GroupManagerRow(new(gone), Owner));
        Refused("not there", new GroupAdministratorRow(new(gone), Owner));
        Refused("not there", new GroupPermissionRow(new(gone), Permission.Tunnel, PolicyValue.Deny, false));
        Refused("not there", new DeviceRow(new(gone), new(gone), "web01", "", true, "localhost"));
        Refused("not there", new DeviceAccountRow(new(gone), "root", true));
        Refused("not there", new SettingRow(SettingNode.Of(new DeviceId(gone)), SettingKind.Recording, "on", 1));
        Refused("not there", Grant(GrantSubject.To(new PersonId(gone)), GrantScope.AllDevices, SystemRoles.FullDeviceAccess.Id));
        Refused("not there", Grant(GrantSubject.To(Owner), GrantScope.Of(new DeviceId(gone)), SystemRoles.FullDeviceAccess.Id));
        Refused("not there", Grant(GrantSubject.To(Owner), GrantScope.AllDevices, new(gone)));
    }

    [Fact]
    public void A_value_that_names_what_is_not_there_is_refused()
    {
        var gone = Guid.NewGuid();
        var other = Group(Guid.NewGuid(), Everyone.Value);
        Refused($"technician group {gone} is not there", other, new GroupPermissionRow(other.Id, Permission.Collaborate, PolicyValue.Allow, false) { Option = $"named:{gone}" });
        Refused($"external group {gone} is not there", other with { ApprovedExternals = $"{gone}" });
        Refused($"role {gone} is not there", new SettingRow(SettingNode.Organization, SettingKind.AccessRequestRoles, $"{gone}", 1));
    }

    [Fact]
    public void What_is_of_no_known_kind_is_refused()
    {
        Refused("no known way", Group(Guid.NewGuid(), Everyone.Value) with { Consent = (GroupConsent)9 });
        Refused("no known kind", new PersonRow(new(Guid.NewGuid()), (PersonKind)9, "nine", "Nine", "", PersonState.Activated, PersonStatus.Active));
        Refused("no known kind", new PersonRow(new(Guid.NewGuid()), PersonKind.Technician, "nine", "Nine", "", (PersonState)9, PersonStatus.Active));
    }

    /// <summary>A shift by 70 is one by 6, which is Terminal: it would be let in beside a locked deny of that.</summary>
    [Theory]
    [InlineData(63)]
    [InlineData(70)]
    [InlineData(255)]
    public void A_permission_of_no_known_number_stands_for_no_other_one_and_is_refused(byte number)
    {
        var unknown = (Permission)number;
        var row = new GroupPermissionRow(Everyone, unknown, PolicyValue.Allow, false);
        Refused($"{row.Key}: no group can restrict {number}", row);
        var plan = _founded.Plan(new PolicyCommand.SetGroupPermission(Everyone, unknown, PolicyValue.Allow, false), Owner, default);
        plan.ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("permission");
        PermissionCatalogue.All.Contains(unknown).ShouldBeFalse();
        PermissionCatalogue.All.Without(unknown).ShouldBe(PermissionCatalogue.All);
        PermissionSet.Of(unknown).Intersects(PermissionCatalogue.All).ShouldBeFalse();
        PermissionSet.None.With(unknown).Intersects(PermissionCatalogue.All).ShouldBeFalse();
    }

    [Fact]
    public void A_role_that_does_not_fit_the_scope_is_refused()
    {
        Refused("does not fit", Grant(GrantSubject.To(Owner), GrantScope.Team, SystemRoles.FullDeviceAccess.Id));
        Refused("does not fit", Grant(GrantSubject.To(Owner), GrantScope.AllDevices, SystemRoles.TeamAdministrator.Id));
    }

    [Fact]
    public void A_role_that_holds_what_its_purpose_does_not_have_is_refused() =>
        Refused("can't hold", new RoleRow(new(Guid.NewGuid()), "Odd", RolePurpose.Invitations, PermissionSet.Of(Permission.Tunnel)));

    [Fact]
    public void Values_that_cannot_be_read_are_refused()
    {
        Refused("Recording", new SettingRow(SettingNode.Organization, SettingKind.Recording, "sometimes", 1));
        var grant = Grant(GrantSubject.To(Owner), GrantScope.AllDevices, SystemRoles.FullDeviceAccess.Id);
        Refused("span", grant with { Window = new(null, null, "Europe/Berlin; whenever") });
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Refused("ends before", grant with { Window = new(now, now) });
        Refused($"Grant {grant.Id}, to Person {Owner}: 'Nowhere/Land' is no time zone", grant with { Window = new(null, null, "Nowhere/Land; Mon-Sun 00:00-24:00") });
        Refused("accounts", grant with { Accounts = new(AccountRule.Named, "") });
    }

    [Fact]
    public void Contacts_in_groups_or_as_approvers_are_refused()
    {
        var contact = new PersonRow(new(Guid.NewGuid()), PersonKind.Contact, "carl", "Carl", "", PersonState.Activated, PersonStatus.Active);
        var (group, devices) = (Group(Guid.NewGuid(), Everyone.Value), new DeviceGroupRow(new(Guid.NewGuid()), null, "Devices"));
        foreach (var row in (PolicyRow[])[new MembershipRow(group.Id, contact.Id), new GroupManagerRow(group.Id, contact.Id), new GroupAdministratorRow(group.Id, contact.Id)])
            Refused($"{row.Key}: 'carl' is a contact", contact, group, row);
        var workflow = new WorkflowRow(new(Guid.NewGuid()), group.Id, devices.Id, "Flow", $"1 of person:{contact.Id}", false, true, false);
        Refused($"{workflow.Key}: 'carl' is a contact", contact, group, devices, workflow);
    }

    [Fact]
    public void Who_approves_in_a_workflow_becomes_no_contact_by_a_change_either()
    {
        var carl = new PersonRow(new(Guid.NewGuid()), PersonKind.Technician, "carl", "Carl", "", PersonState.Activated, PersonStatus.Active);
        var devices = new DeviceGroupRow(new(Guid.NewGuid()), null, "Devices");
        var workflow = new WorkflowRow(new(Guid.NewGuid()), Everyone, devices.Id, "Flow", $"1 of person:{carl.Id}", false, true, false);
        var policy = PolicySnapshot.Compile(Organization, 1, [.. _founded.All<PolicyRow>(), carl, devices, workflow]);
        Should.Throw<PolicyException>(() => policy.Apply(new(Organization, 1, "", [new(carl, carl with { Kind = PersonKind.Contact })])))
            .Message.ShouldBe($"{workflow.Key}: 'carl' is a contact, who approves nothing");
    }

    [Fact]
    public void Memberships_in_Everyone_are_refused_for_they_are_implied()
    {
        const string Because = ": every technician is in Everyone as it is";
        var membership = new MembershipRow(Everyone, Owner);
        Refused(membership.Key + Because, membership);
        Should.Throw<PolicyException>(() => _founded.Apply(new(Organization, 1, "", [new(null, membership)]))).Message.ShouldBe(membership.Key + Because);
    }

    [Fact]
    public void A_root_that_is_disabled_and_an_owner_who_takes_no_part_are_refused()
    {
        Replaced("the root is disabled", _founded.Everyone! with { Enabled = false });
        Replaced("the owner is invited or disabled", _founded.Person(Owner)! with { Status = PersonStatus.Disabled });
        Replaced("the owner is invited or disabled", _founded.Person(Owner)! with { State = PersonState.Invited });
    }

    [Theory]
    [InlineData("")]
    [InlineData("a,b")]
    [InlineData("Capital")]
    [InlineData("a b")]
    [InlineData("-a")]
    public void Names_of_another_form_than_plans_make_are_refused(string name)
    {
        Refused("is no login", new PersonRow(new(Guid.NewGuid()), PersonKind.Technician, name, "Somebody", "", PersonState.Activated, PersonStatus.Active));
        var devices = new DeviceGroupRow(new(Guid.NewGuid()), null, "Devices");
        Refused("is no device's name", devices, new DeviceRow(new(Guid.NewGuid()), devices.Id, name, "", true, "localhost"));
        var device = new DeviceRow(new(Guid.NewGuid()), devices.Id, "web01", "", true, "localhost");

        // What is there at a device calls itself as it likes, as far as it can be told apart in a list.
        if (name is not ("Capital" or "-a")) Refused("is no account's name", devices, device, new DeviceAccountRow(device.Id, name, true));
    }

    [Fact]
    public void A_role_to_be_asked_for_that_is_not_for_devices_is_refused() =>
        Refused("not for devices", new SettingRow(SettingNode.Organization, SettingKind.AccessRequestRoles, $"{SystemRoles.Auditor.Id}", 1));

    private void Replaced(string because, PolicyRow row)
    {
        var rows = _founded.All<PolicyRow>().Where(other => other.Key != row.Key).Append(row);
        Should.Throw<PolicyException>(() => PolicySnapshot.Compile(Organization, 2, rows)).Message.ShouldBe($"{row.Key}: {because}");
    }

    private void Refused(string because, params PolicyRow[] more)
    {
        var keys = more.OfType<SettingRow>().Select(row => row.Key).ToHashSet();
        var rows = _founded.All<PolicyRow>().Where(row => !keys.Contains(row.Key)).Concat(more);
        Should.Throw<PolicyException>(() => PolicySnapshot.Compile(Organization, 2, rows)).Message.ShouldContain(because);
    }

    private static TechnicianGroupRow Group(Guid id, Guid? parent) =>
        new(new(id), parent is null ? null : new(parent.Value), "Group", "", true, false, GroupConsent.None, false);

    private static GrantRow Grant(GrantSubject subject, GrantScope scope, RoleId role) =>
        new(new(Guid.NewGuid()), subject, scope, role, GrantAccounts.Default, GrantWindow.Always);
}
