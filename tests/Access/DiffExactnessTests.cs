using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>What is written otherwise and comes to the same is no difference; what differs at some instant, for some account, is one.</summary>
public class DiffExactnessTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly TechnicianGroupId _support;
    private RoleId? _role;

    public DiffExactnessTests()
    {
        _tina = _sample.Technician("tina");
        _support = _sample.Group("Support");
        _sample.Member(_tina, _support);
    }

    [Fact]
    public void A_window_that_is_split_where_its_parts_adjoin_is_no_difference()
    {
        var whole = Grant(new(Sample.Noon, Sample.Noon.AddHours(8)));
        Difference(() =>
        {
            _sample.Put(whole with { Window = new(Sample.Noon, Sample.Noon.AddHours(3)) });
            Grant(new(Sample.Noon.AddHours(2), Sample.Noon.AddHours(4)));
            Grant(new(Sample.Noon.AddHours(4), Sample.Noon.AddHours(8)));
        }).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Parts_that_leave_a_tick_between_them_are_a_loss_and_no_gain()
    {
        var whole = Grant(new(Sample.Noon, Sample.Noon.AddHours(8)));
        var difference = Difference(() =>
        {
            _sample.Put(whole with { Window = new(Sample.Noon, Sample.Noon.AddHours(3).AddTicks(-1)) });
            Grant(new(Sample.Noon.AddHours(3), Sample.Noon.AddHours(8)));
        }).Rectangles.ShouldHaveSingleItem().Difference;
        difference.Gained.ShouldBeEmpty();
        difference.Lost.ShouldHaveSingleItem().Window.ShouldBe(whole.Window);
    }

    [Theory]
    [InlineData("UTC; Mon-Sun 00:00-24:00", "")]
    [InlineData("Europe/Berlin; Mon-Sun 06:00-18:00; Mon-Sun 18:00-06:00", "")]
    [InlineData("UTC; Mon-Fri 08:00-18:00", "UTC; Mon 08:00-18:00; Tue-Fri 08:00-12:00; Tue-Fri 11:00-18:00")]
    [InlineData("UTC; Fri 22:00-06:00", "UTC; Fri 22:00-24:00; Sat 00:00-06:00")]
    [InlineData("Europe/Berlin; Mon-Fri 08:00-18:00", "Europe/Paris; Mon-Fri 08:00-18:00")]
    public void Hours_that_are_written_otherwise_are_no_difference(string hours, string others)
    {
        var grant = Grant(new(null, null, hours));
        Difference(() => _sample.Put(grant with { Window = new(null, null, others) })).IsEmpty.ShouldBeTrue();
        Difference(() => _sample.Put(grant)).IsEmpty.ShouldBeTrue();

        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.SessionHours, hours);
        Difference(() => _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.SessionHours, others.Length == 0 ? "always" : others)).IsEmpty.ShouldBeTrue();
        Difference(() =>
        {
            _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.SessionHours, hours);
            _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
        }).Rectangles.SelectMany(rectangle => rectangle.Difference.Restrictions).ShouldAllBe(restriction => restriction.Kind == RestrictionKind.TwoFactor);
    }

    [Fact]
    public void Hours_that_are_open_throughout_a_window_are_none()
    {
        var grant = Grant(new(Sample.Noon, Sample.Noon.AddHours(6), "UTC; Mon-Fri 08:00-18:00"));
        Difference(() => _sample.Put(grant with { Window = new(Sample.Noon, Sample.Noon.AddHours(6)) })).IsEmpty.ShouldBeTrue();
        Difference(() => _sample.Put(grant with { Window = new(Sample.Noon, Sample.Noon.AddHours(7)) })).Pairs.ShouldBe(1);
    }

    [Fact]
    public void What_is_never_in_force_is_no_difference()
    {
        Difference(() => Grant(new(Sample.Noon, Sample.Noon.AddHours(6), "Europe/Berlin; Sat-Sun 22:00-06:00"))).IsEmpty.ShouldBeTrue();
        Difference(() => Grant(new(Sample.Noon, Sample.Noon.AddDays(6), "Europe/Berlin; Sat-Sun 22:00-06:00"))).Pairs.ShouldBe(1);
    }

    [Fact]
    public void Hours_of_another_zone_are_compared_by_both_clocks_in_summer_and_in_winter()
    {
        Grant(new(null, null, "UTC; Mon-Fri 06:00-17:00"));
        var berlin = Grant(new(null, null, "Europe/Berlin; Mon-Fri 08:00-18:00"));
        Difference(() => _sample.Remove(berlin.Key)).IsEmpty.ShouldBeTrue();

        // 18:30 in Berlin is 16:30 in summer and 17:30 in winter.
        var later = Grant(new(null, null, "Europe/Berlin; Mon-Fri 08:00-18:30"));
        Difference(() => _sample.Remove(later.Key)).Rectangles.ShouldHaveSingleItem().Difference.Lost.ShouldHaveSingleItem();
        var summer = Grant(new(Sample.At("2026-06-01T00:00:00Z"), Sample.At("2026-08-01T00:00:00Z"), "Europe/Berlin; Mon-Fri 08:00-18:30"));
        Difference(() => _sample.Remove(summer.Key)).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Hours_that_together_are_always_take_nothing_away()
    {
        var always = Grant(GrantWindow.Always);
        Difference(() =>
        {
            _sample.Put(always with { Window = new(null, null, "UTC; Mon-Sun 06:00-18:00") });
            Grant(new(null, null, "UTC; Mon-Sun 18:00-06:00"));
        }).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void The_default_account_by_its_name_is_the_same_to_connect_to_and_not_the_device_as_such()
    {
        var grant = Grant(GrantWindow.Always);
        Difference(() => _sample.Put(grant with { Accounts = new(AccountRule.Named, "deploy") })).IsEmpty.ShouldBeTrue();
        Difference(() => _sample.Put(grant with { Accounts = new(AccountRule.Named, "deploy,root") })).Rectangles.ShouldHaveSingleItem().Difference.Gained.ShouldHaveSingleItem();
        Difference(() => _sample.Put(grant with { Accounts = GrantAccounts.Any })).IsEmpty.ShouldBeTrue("the device has these two");

        var security = _sample.Row<GrantRow>(new(PolicyTable.Grant, _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Web01), _sample.Role(ManageSecurity)).Value));
        Difference(() => _sample.Put(security with { Accounts = new(AccountRule.Named, "deploy") }))
            .Rectangles.ShouldHaveSingleItem().Difference.Lost.ShouldHaveSingleItem().Permissions.ShouldBe(PermissionSet.Of(ManageSecurity));
    }

    [Fact]
    public void Consent_is_told_to_nobody_who_is_spared_it()
    {
        var tom = _sample.Technician("tom");
        var quiet = _sample.Row<GrantRow>(new(PolicyTable.Grant, _sample.Grant(_tina, _sample.Web01, Terminal, SkipConsent).Value));
        _sample.Grant(tom, _sample.Web01, Terminal);
        Asking().ShouldBe([_sample.Olga, tom], ignoreOrder: true);

        // Spared at some hours only.
        _sample.Put(quiet with { Window = new(null, null, "UTC; Mon-Fri 08:00-18:00") });
        Asking().ShouldBe([_sample.Olga, tom], ignoreOrder: true);
        Grant(GrantWindow.Always);
        Asking().ShouldBe([_sample.Olga, _tina, tom], ignoreOrder: true);

        // To be spared holds only as far as an approval covers it.
        _sample.Put(quiet);
        Asking().ShouldBe([_sample.Olga, tom], ignoreOrder: true);
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        Asking().ShouldBe([_sample.Olga, _tina, tom], ignoreOrder: true);
    }

    [Fact]
    public void Consent_is_told_beside_another_change_as_it_is_alone()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, SkipConsent);
        var told = Difference(() =>
        {
            _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
            _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.RemoteControlApproval, "terminal=ask");
        }).Rectangles.Where(rectangle => rectangle.Difference.Restrictions.Any(restriction => restriction.Kind == RestrictionKind.Consent));
        told.SelectMany(rectangle => rectangle.People).ShouldBe([_sample.Olga]);
    }

    /// <summary>Where an approval is needed, to be spared the asking counts only as far as it is covered.</summary>
    [Theory]
    [InlineData("required", "not")]
    [InlineData("not", "required")]
    public void An_approval_rule_is_told_with_the_consent_that_it_changes_for_those_who_were_spared_it(string before, string after)
    {
        _sample.Grant(_tina, _sample.Web01, Terminal, SkipConsent);
        var tom = _sample.Technician("tom");
        _sample.Grant(tom, _sample.Web01, Terminal);
        var node = SettingNode.Of(_sample.Servers);
        _sample.Set(node, SettingKind.RemoteControlApproval, "terminal=ask");
        _sample.Set(node, SettingKind.ManagerialApproval, before);
        var alone = Told(Difference(() => _sample.Set(node, SettingKind.ManagerialApproval, after)));
        alone[_tina].ShouldBe([RestrictionKind.Approval, RestrictionKind.Consent]);
        alone[tom].ShouldBe([RestrictionKind.Approval]);
        alone[_sample.Olga].ShouldBe([RestrictionKind.Approval]);

        _sample.Set(node, SettingKind.ManagerialApproval, before);
        var beside = Told(Difference(() =>
        {
            _sample.Set(node, SettingKind.ManagerialApproval, after);
            _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
        }));
        foreach (var person in (PersonId[])[_tina, tom, _sample.Olga]) beside[person].Where(kind => kind != RestrictionKind.TwoFactor).ShouldBe(alone[person]);

        static Dictionary<PersonId, RestrictionKind[]> Told(PolicyDifference difference) => difference.Rectangles
            .SelectMany(rectangle => rectangle.People.Select(person => (person, rectangle.Difference.Restrictions)))
            .ToDictionary(one => one.person, one => one.Restrictions.Select(restriction => restriction.Kind).Order().ToArray());
    }

    [Fact]
    public void Who_becomes_the_owner_gains_the_team_and_who_was_it_loses_what_nobody_granted_them()
    {
        _sample.Put(new GrantRow(new(_sample.Next()), GrantSubject.To(_tina), GrantScope.Team, SystemRoles.Auditor.Id, GrantAccounts.Default, GrantWindow.Always));
        _sample.Put(new GrantRow(new(_sample.Next()), GrantSubject.To(_sample.Olga), GrantScope.Team, SystemRoles.DevicesList.Id, GrantAccounts.Default, GrantWindow.Always));
        var invites = new GrantRow(new(_sample.Next()), GrantSubject.To(_tina), GrantScope.QuickSupport, SystemRoles.All.First(role => role.Purpose == RolePurpose.Invitations).Id, GrantAccounts.Default, GrantWindow.Always);
        _sample.Put(invites);
        var before = _sample.Snapshot;
        var after = before.Apply(before.Plan(new PolicyCommand.HandOver(_tina), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta);
        var all = PermissionCatalogue.AllowedFor(RolePurpose.Administration);
        var sections = PolicySnapshot.Diff(before, after).Sections;
        sections.ShouldAllBe(section => section.Section == ScopeKind.Team);
        var (gains, loses) = (sections.Single(section => section.People.Contains(_tina)), sections.Single(section => section.People.Contains(_sample.Olga)));
        gains.Lost.ShouldBeEmpty();
        gains.Gained.ShouldHaveSingleItem().Permissions.ShouldBe(all.Without(AuditLog));
        loses.Gained.ShouldBeEmpty();
        loses.Lost.ShouldHaveSingleItem().Permissions.ShouldBe(all.Without(PermanentAccess));
    }

    [Fact]
    public void A_section_has_no_accounts()
    {
        var grant = new GrantRow(new(_sample.Next()), GrantSubject.To(_tina), GrantScope.Team, SystemRoles.Auditor.Id, GrantAccounts.Default, GrantWindow.Always);
        Difference(() => _sample.Put(grant)).Sections.ShouldHaveSingleItem().Gained.ShouldHaveSingleItem().Accounts.ShouldBeNull();
        Difference(() => _sample.Put(grant with { Accounts = GrantAccounts.Any })).IsEmpty.ShouldBeTrue();
    }

    private List<PersonId> Asking()
    {
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.RemoteControlApproval, "terminal=off");
        return [.. Difference(() => _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.RemoteControlApproval, "terminal=ask")).Rectangles.SelectMany(rectangle => rectangle.People)];
    }

    private GrantRow Grant(GrantWindow window) => _sample.Row<GrantRow>(
        new(PolicyTable.Grant, _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _role ??= _sample.Role(Terminal), window: window).Value));

    private PolicyDifference Difference(Action change)
    {
        var before = _sample.Snapshot;
        change();
        return PolicySnapshot.Diff(before, _sample.Snapshot);
    }
}
