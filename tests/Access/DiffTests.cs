using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class DiffTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly PersonId _tom;
    private readonly TechnicianGroupId _support;

    public DiffTests()
    {
        _tina = _sample.Technician("tina");
        _tom = _sample.Technician("tom");
        _support = _sample.Group("Support");
        _sample.Member(_tina, _support);
        _sample.Member(_tom, _support);
    }

    [Fact]
    public void A_grant_to_a_group_is_one_rectangle_with_its_window()
    {
        var web02 = _sample.Device("web02", _sample.Servers, "root");
        var before = _sample.Snapshot;
        var window = new GrantWindow(Sample.Noon, Sample.Noon.AddHours(1));
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal), GrantAccounts.Any, window);
        var difference = PolicySnapshot.Diff(before, _sample.Snapshot);
        var rectangle = difference.Rectangles.ShouldHaveSingleItem();
        rectangle.People.ShouldBe([_tina, _tom], ignoreOrder: true);
        rectangle.Devices.ShouldBe([_sample.Web01, web02], ignoreOrder: true);
        (rectangle.Count, difference.Pairs).ShouldBe((4, 4));
        rectangle.Difference.Gained.ShouldHaveSingleItem().ShouldBe(new HeldPermissions(PermissionSet.Of(Terminal), GrantAccounts.Any, window));
        rectangle.Difference.Lost.ShouldBeEmpty();
        PolicySnapshot.Diff(_sample.Snapshot, before).Rectangles.ShouldHaveSingleItem().Difference.Lost.ShouldHaveSingleItem();
    }

    [Fact]
    public void What_is_too_much_to_compare_is_told_in_part_and_it_is_said_so()
    {
        _sample.Device("web02", _sample.Servers, "root");
        var before = _sample.Snapshot;
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal));
        PolicySnapshot.Diff(before, _sample.Snapshot, mostPairs: 4).ShouldSatisfyAllConditions(whole => whole.IsPartial.ShouldBeFalse(), whole => whole.Pairs.ShouldBe(4));
        PolicySnapshot.Diff(before, _sample.Snapshot, mostPairs: 3).ShouldSatisfyAllConditions(part => part.IsPartial.ShouldBeTrue(), part => part.Pairs.ShouldBe(3));
        PolicySnapshot.Diff(before, _sample.Snapshot, mostPairs: 0).ShouldSatisfyAllConditions(part => part.IsPartial.ShouldBeTrue(), part => part.Pairs.ShouldBe(0));
    }

    [Fact]
    public void Devices_that_move_alike_are_told_together_and_one_with_a_grant_of_its_own_apart()
    {
        var there = _sample.DeviceGroup("There");
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(there), _sample.Role(Terminal));
        DeviceId[] alike = [_sample.Device("a1", _sample.Servers, "root"), _sample.Device("a2", _sample.Servers, "root"), _sample.Device("a3", _sample.Servers, "root")];
        var apart = _sample.Device("a4", _sample.Servers, "root");
        _sample.Grant(_tina, apart, Terminal);
        var before = _sample.Snapshot;
        foreach (var device in (DeviceId[])[.. alike, apart]) _sample.Put(before.Device(device)! with { Group = there });

        // Two comparisons of each person and of the owner: one for the three, one for the fourth.
        var difference = PolicySnapshot.Diff(before, _sample.Snapshot, mostPairs: 6);
        difference.IsPartial.ShouldBeFalse();
        difference.Rectangles.Single(rectangle => rectangle.People.Contains(_tina)).Devices.ShouldBe(alike, ignoreOrder: true);
        difference.Rectangles.Single(rectangle => rectangle.People.Contains(_tom)).Devices.ShouldBe([.. alike, apart], ignoreOrder: true);
    }

    [Fact]
    public void Another_default_account_is_told_by_the_names_of_accounts()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal));
        var before = _sample.Snapshot;
        _sample.Put(new DeviceAccountRow(_sample.Web01, "deploy", IsDefault: false));
        _sample.Put(new DeviceAccountRow(_sample.Web01, "root", IsDefault: true));
        var rectangle = PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.ShouldHaveSingleItem();
        rectangle.People.ShouldBe([_tina, _tom], ignoreOrder: true);
        rectangle.Difference.Gained.ShouldHaveSingleItem().Accounts.ShouldBe(new GrantAccounts(AccountRule.Named, "root"));
        rectangle.Difference.Lost.ShouldHaveSingleItem().Accounts.ShouldBe(new GrantAccounts(AccountRule.Named, "deploy"));
    }

    [Fact]
    public void What_is_had_otherwise_is_no_difference()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.AllDevices, _sample.Role(Terminal, Chat), GrantAccounts.Any);
        var before = _sample.Snapshot;
        _sample.Grant(_tina, _sample.Web01, Terminal);
        PolicySnapshot.Diff(before, _sample.Snapshot).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void A_setting_counts_for_those_alone_who_hold_something_there()
    {
        _sample.Technician("nobody");
        _sample.Grant(_tina, _sample.Web01, Terminal);
        var before = _sample.Snapshot;
        _sample.Set(SettingNode.Organization, SettingKind.MaxSession, "8h");
        var difference = PolicySnapshot.Diff(before, _sample.Snapshot);
        difference.Rectangles.SelectMany(rectangle => rectangle.People).ShouldBe([_sample.Olga, _tina], ignoreOrder: true);
        difference.Pairs.ShouldBe(2);
        difference.Rectangles.ShouldAllBe(rectangle =>
            rectangle.Difference.Restrictions.Single() == new RestrictionDifference(RestrictionKind.MaxSession, "none", "8h"));
    }

    [Fact]
    public void A_locked_deny_takes_from_its_members()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, _sample.Role(Terminal, Chat), GrantAccounts.Any);
        var before = _sample.Snapshot;
        _sample.Deny(_support, Terminal, locked: true);
        var rectangle = PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.ShouldHaveSingleItem();
        rectangle.People.ShouldBe([_tina]);
        rectangle.Difference.Lost.ShouldHaveSingleItem().Permissions.ShouldBe(PermissionSet.Of(Terminal));
    }

    [Fact]
    public void Rights_over_the_team_are_told_beside_the_devices()
    {
        var before = _sample.Snapshot;
        _sample.Put(new GrantRow(new(_sample.Next()), GrantSubject.To(_tom), GrantScope.Team, SystemRoles.Auditor.Id, GrantAccounts.Any, GrantWindow.Always));
        var difference = PolicySnapshot.Diff(before, _sample.Snapshot);
        difference.Rectangles.ShouldBeEmpty();
        difference.Sections.ShouldHaveSingleItem().People.ShouldBe([_tom]);
    }

    [Fact]
    public void The_smallest_change_turns_the_answer()
    {
        var question = _sample.Question(_tina, [Terminal]);
        Only(question).Command.ShouldBeOfType<PolicyCommand.AddGrant>();

        _sample.Grant(_tina, _sample.Web01, Terminal);
        Only(question).Command.ShouldBeOfType<PolicyCommand.RemoveGrant>();

        _sample.Deny(_support, Terminal, locked: true);
        Only(question).Command.ShouldBeOfType<PolicyCommand.SetGroupPermission>().Locked.ShouldBeFalse();

        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.ManagerialApproval, "required");
        _sample.Allow(_support, Terminal);
        Only(question).Approved.ShouldNotBeNull();
    }

    [Fact]
    public void Two_changes_are_suggested_where_one_is_not_enough_and_none_where_none_helps()
    {
        _sample.Deny(_sample.Everyone, Terminal, locked: true);
        var found = _sample.Snapshot.SmallestChange(_sample.Question(_tina, [Terminal]), new(_sample.Next())).ShouldNotBeNull();
        found.Changes.Count.ShouldBe(2);
        _sample.Disable(_tina);
        _sample.Snapshot.SmallestChange(_sample.Question(_tina, [Terminal]), new(_sample.Next())).ShouldBeNull();
    }

    [Fact]
    public void Hours_in_a_zone_that_is_not_known_here_are_never_open_and_are_named()
    {
        _sample.Grant(_tina, _sample.Web01, Chat);
        _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, _sample.Role(Terminal), window: new(null, null, "Nowhere/Land; Mon-Sun 00:00-24:00"));
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal])).Reason.ShouldBe(DenialReason.NotGranted);
        _sample.Decide(_tina, Chat).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Snapshot.Problems().ShouldHaveSingleItem().Text.ShouldContain("Nowhere/Land");

        var device = SettingNode.Of(_sample.Web01);
        _sample.Put(new SettingRow(device, SettingKind.SessionHours, "Nowhere/Land; Mon-Sun 00:00-24:00", 1));
        _sample.Decide(_tina, Chat).Reason.ShouldBe(DenialReason.OutsideSessionHours);
        _sample.Snapshot.Problems().Count().ShouldBe(2);
        _sample.Snapshot.Plan(new PolicyCommand.SetSetting(device, SettingKind.SessionHours, "Nowhere/Land; Mon 08:00-09:00"), _sample.Olga, Sample.Noon)
            .ShouldBeOfType<PlanResult.Invalid>();
    }

    private ElementaryChange Only(AccessQuestion question) =>
        _sample.Snapshot.SmallestChange(question, new(_sample.Next())).ShouldNotBeNull().Changes.ShouldHaveSingleItem();

    [Fact]
    public void A_first_default_account_is_told_to_whoever_holds_every_account()
    {
        var sample = new Sample();
        foreach (var name in new[] { "deploy", "root" }) sample.Put(new DeviceAccountRow(sample.Web01, name, IsDefault: false));
        var before = sample.Snapshot;
        before.Decide(sample.Question(sample.Olga, [Permission.Terminal])).Reason.ShouldBe(DenialReason.UnknownAccount);
        sample.Put(new DeviceAccountRow(sample.Web01, "deploy", IsDefault: true));
        sample.Decide(sample.Olga, Permission.Terminal).Kind.ShouldBe(DecisionKind.Allowed);
        PolicySnapshot.Diff(before, sample.Snapshot).Pairs.ShouldBe(1);
    }

    [Fact]
    public void A_sign_in_rule_is_told_to_all_who_hold_anything_on_every_device()
    {
        var sample = new Sample();
        var (anna, ben, cleo) = (sample.Technician("anna"), sample.Technician("ben"), sample.Technician("cleo"));
        var web02 = sample.Device("web02", sample.Servers, "deploy");
        sample.Grant(GrantSubject.To(anna), GrantScope.Of(sample.Servers), sample.Role(Permission.Terminal));
        sample.Grant(ben, web02, Permission.ConnectionHistory);
        sample.Grant(cleo, web02);
        var before = sample.Snapshot;
        sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
        sample.Set(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24");
        var difference = PolicySnapshot.Diff(before, sample.Snapshot);
        difference.Rectangles.SelectMany(rectangle => rectangle.Difference.Restrictions).Distinct().ShouldBe(
            [new(RestrictionKind.TwoFactor, "false", "true"), new(RestrictionKind.Networks, "none", "192.0.2.0/24")]);
        var pairs = difference.Rectangles.SelectMany(rectangle => rectangle.People.SelectMany(person => rectangle.Devices.Select(device => (person, device))));
        pairs.ShouldBe([(sample.Olga, sample.Web01), (sample.Olga, web02), (anna, sample.Web01), (anna, web02), (ben, web02)], ignoreOrder: true);
    }
}
