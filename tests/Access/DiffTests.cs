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
    public void More_beside_what_there_is_takes_nothing_away_and_less_gives_nothing()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal));
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Chat), window: new(Sample.Noon, Sample.Noon.AddHours(1)));
        var before = _sample.Snapshot;
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal), GrantAccounts.Any);
        var difference = PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.ShouldHaveSingleItem().Difference;
        difference.Gained.ShouldHaveSingleItem().ShouldBe(new HeldPermissions(PermissionSet.Of(Terminal), GrantAccounts.Any, GrantWindow.Always));
        difference.Lost.ShouldBeEmpty();
        var back = PolicySnapshot.Diff(_sample.Snapshot, before).Rectangles.ShouldHaveSingleItem().Difference;
        back.Gained.ShouldBeEmpty();
        back.Lost.ShouldHaveSingleItem().Accounts.ShouldBe(GrantAccounts.Any);
    }

    [Fact]
    public void A_window_that_is_made_wider_is_no_loss()
    {
        GrantWindow[] windows =
        [
            new(Sample.Noon, Sample.Noon.AddHours(1), "UTC; Mon 12:30-18:00"), new(Sample.Noon, Sample.Noon.AddHours(1)), new(Sample.Noon.AddHours(-1), Sample.Noon.AddHours(1)),
            new(null, Sample.Noon.AddHours(1)), GrantWindow.Always,
        ];
        var grant = _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal), window: windows[0]);
        foreach (var window in windows[1..])
        {
            var before = _sample.Snapshot;
            _sample.Put(_sample.Row<GrantRow>(new(PolicyTable.Grant, grant.Value)) with { Window = window });
            var difference = PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.ShouldHaveSingleItem().Difference;
            difference.Lost.ShouldBeEmpty();
            difference.Gained.ShouldHaveSingleItem().Window.ShouldBe(window);
        }
    }

    [Fact]
    public void A_group_that_comes_below_another_one_may_take_a_workflow_or_a_rule_off_its_people_and_that_is_told()
    {
        var (early, late) = (_sample.Group("Early", _support), _sample.Group("Late", _support));
        _sample.Member(_tina, early, late);
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal));
        Workflow(early);
        var second = Workflow(late);
        ApprovalIsTold(() => _sample.Change(late, group => group with { ParentId = early }));

        _sample.Remove(second.Key);
        _sample.Change(late, group => group with { ParentId = _support });
        _sample.Change(_support, group => group with { RequiresManagerialApproval = true });
        ApprovalIsTold(() => _sample.Change(late, group => group with { ParentId = early }));

        WorkflowRow Workflow(TechnicianGroupId group)
        {
            var row = new WorkflowRow(new(_sample.Next()), group, _sample.Servers, "Flow", "1 of device", false, true, false);
            _sample.Put(row);
            return row;
        }

        void ApprovalIsTold(Action change)
        {
            var before = _sample.Snapshot;
            change();
            var rectangle = PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.ShouldHaveSingleItem();
            rectangle.People.ShouldBe([_tina]);
            rectangle.Difference.Restrictions.ShouldHaveSingleItem().Kind.ShouldBe(RestrictionKind.Approval);
        }
    }

    [Fact]
    public void A_device_s_approval_rule_is_told_in_one_form()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), _sample.Role(Terminal));
        var before = _sample.Snapshot;
        _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.ManagerialApproval, "required");
        var bySetting = PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.Select(rectangle => rectangle.Difference.Restrictions.ShouldHaveSingleItem()).ToList();
        bySetting.ShouldNotBeEmpty();
        bySetting.ShouldAllBe(restriction => restriction.Before == "" && restriction.After == $"device rule of DeviceGroup {_sample.Servers}");

        // Beside another change the pairs are compared one by one, and read alike.
        _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
        PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles
            .ShouldAllBe(rectangle => rectangle.Difference.Restrictions.Any(restriction => restriction.Kind == RestrictionKind.Approval && bySetting.Contains(restriction)));
    }

    [Fact]
    public void How_long_access_may_be_asked_for_is_told_to_whoever_may_ask()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.Of(_sample.Servers), SystemRoles.RequestsAccess.Id);
        var before = _sample.Snapshot;
        _sample.Set(SettingNode.Organization, SettingKind.AccessRequestLongest, "1h");
        var rectangle = PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.Single(one => one.People.Contains(_tina));
        var restriction = rectangle.Difference.Restrictions.ShouldHaveSingleItem();
        restriction.Kind.ShouldBe(RestrictionKind.Requests);
        restriction.After.ShouldContain("1h");
        restriction.Before.ShouldContain("30d");
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
        rectangle.Difference.Gained.ShouldHaveSingleItem().Accounts.ShouldBe(new GrantAccounts(AccountRule.Named, "root,the default one"));
        rectangle.Difference.Lost.ShouldHaveSingleItem().Accounts.ShouldBe(new GrantAccounts(AccountRule.Named, "deploy,the default one"));
    }

    [Fact]
    public void Whom_another_default_account_lets_in_or_shuts_out_is_told_though_every_grant_names_its_accounts()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, _sample.Role(Terminal), new(AccountRule.Named, "deploy"));
        _sample.Grant(GrantSubject.To(_tom), GrantScope.AllDevices, _sample.Role(Terminal), new(AccountRule.Named, "root"));
        var before = _sample.Snapshot;
        _sample.Put(new DeviceAccountRow(_sample.Web01, "deploy", IsDefault: false));
        _sample.Put(new DeviceAccountRow(_sample.Web01, "root", IsDefault: true));
        before.Decide(_sample.Question(_tina, [Terminal])).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.Denied);
        PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.SelectMany(rectangle => rectangle.People).ShouldBe([_tina, _tom], ignoreOrder: true);
    }

    [Fact]
    public void Devices_are_told_apart_by_more_account_names_than_have_bits()
    {
        for (var number = 0; number < 70; number++) _sample.Device($"d{number}", _sample.Servers, $"account{number}");
        var late = _sample.DeviceGroup("Late");
        var (one, other) = (_sample.Device("one", late, "zone"), _sample.Device("other", late, "ztwo"));
        var before = _sample.Snapshot;
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(late), _sample.Role(Terminal), new(AccountRule.Named, "ztwo"));
        var difference = PolicySnapshot.Diff(before, _sample.Snapshot);
        difference.Rectangles.ShouldHaveSingleItem().Devices.ShouldBe([other]);
        difference.Pairs.ShouldBe(1);
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], one)).Kind.ShouldBe(DecisionKind.Denied);
    }

    [Fact]
    public void An_account_that_comes_is_told_to_those_who_may_ask_for_it()
    {
        _sample.Grant(_tina, _sample.Web01, RequestAccess);
        var before = _sample.Snapshot;
        _sample.Put(new DeviceAccountRow(_sample.Web01, "other", IsDefault: false));
        _sample.Snapshot.Decide(_sample.Question(_tina, [Terminal], account: "other")).Kind.ShouldBe(DecisionKind.MayBeRequested);
        PolicySnapshot.Diff(before, _sample.Snapshot).Rectangles.SelectMany(rectangle => rectangle.People).ShouldBe([_sample.Olga, _tina], ignoreOrder: true);
    }

    [Fact]
    public void What_may_be_requested_is_told_to_those_alone_who_may_ask_there()
    {
        var web02 = _sample.Device("web02", _sample.Servers, "root");
        _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, _sample.Role(Terminal));
        _sample.Grant(_tom, web02, RequestAccess);
        ToldBeside(() => _sample.Set(SettingNode.Organization, SettingKind.AccessRequestRoles, "none")).ShouldBe([(_tom, web02)]);
    }

    [Fact]
    public void A_rule_that_a_workflow_stands_in_for_is_told_to_nobody_whom_that_is_for()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.AllDevices, _sample.Role(Terminal));
        var outside = _sample.Technician("outside");
        _sample.Grant(outside, _sample.Web01, Terminal);
        var steps = WorkflowSteps.Write([new WorkflowStep(1, null, [new(ApproverKind.Person, _tom.Value)])]);
        _sample.Put(new WorkflowRow(new(_sample.Next()), _support, _sample.Servers, "Four eyes", steps, false, true, false));
        ToldBeside(() => _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.ManagerialApproval, "required")).ShouldBe([(outside, _sample.Web01)]);
    }

    [Fact]
    public void Consent_that_a_group_asks_for_anyway_is_told_to_none_of_its_people()
    {
        _sample.Grant(GrantSubject.To(_support), GrantScope.AllDevices, _sample.Role(Terminal));
        var outside = _sample.Technician("outside");
        _sample.Grant(outside, _sample.Web01, Terminal);
        _sample.Change(_support, row => row with { Consent = GroupConsent.Ask });
        ToldBeside(() => _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.RemoteControlApproval, "terminal=ask")).ShouldBe([(outside, _sample.Web01)]);
        _sample.Change(_support, row => row with { Consent = GroupConsent.Notify });
        ToldBeside(() => _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.RemoteControlApproval, "terminal=notify")).Count.ShouldBe(3);
        ToldBeside(() => _sample.Set(SettingNode.Of(_sample.Servers), SettingKind.RemoteControlApproval, "files=notify;terminal=notify")).ShouldBe([(outside, _sample.Web01)]);
    }

    [Fact]
    public void A_setting_is_told_to_nobody_who_holds_something_for_other_accounts_alone()
    {
        var web02 = _sample.Device("web02", _sample.Servers, "admin");
        _sample.Grant(GrantSubject.To(_tina), GrantScope.Of(_sample.Servers), _sample.Role(Terminal), new(AccountRule.Named, "admin"));
        _sample.Grant(GrantSubject.To(_tom), GrantScope.AllDevices, _sample.Role(Terminal), new(AccountRule.Named, "root"));
        ToldBeside(() => _sample.Set(SettingNode.Organization, SettingKind.EndWarning, "1m")).ShouldBe([(_tina, web02), (_tom, _sample.Web01)], ignoreOrder: true);
    }

    [Fact]
    public void The_loss_of_the_only_approver_is_told_to_those_for_whom_they_approve_and_so_is_their_return()
    {
        _sample.Grant(GrantSubject.To(_tina), GrantScope.AllDevices, _sample.Role(Terminal));
        var mia = _sample.Technician("mia");
        _sample.Manager(mia, _support);
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        ToldBeside(() => _sample.Remove(new GroupManagerRow(_support, mia).Key)).ShouldBe([(_tina, _sample.Web01)]);
        ToldBeside(() => _sample.Manager(mia, _support)).ShouldBe([(_tina, _sample.Web01)]);
        ToldBeside(() => _sample.Manager(_tom, _support)).ShouldBeEmpty();
        ToldBeside(() => _sample.Disable(mia)).ShouldBeEmpty();
        var difference = Difference(() => _sample.Disable(_tom));
        difference.Rectangles.ShouldHaveSingleItem().Difference.Restrictions.ShouldHaveSingleItem().After.ShouldEndWith(", blocked");
    }

    [Fact]
    public void Several_things_at_once_are_told_to_each_as_far_as_they_count()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Grant(_tom, _sample.Web01, ConnectionHistory);
        var difference = Difference(() =>
        {
            _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
            _sample.Set(SettingNode.Organization, SettingKind.MaxSession, "8h");
            _sample.Set(SettingNode.Organization, SettingKind.AccessRequestRoles, "none");
        });
        Kinds(_tina).ShouldBe([RestrictionKind.TwoFactor, RestrictionKind.MaxSession]);
        Kinds(_tom).ShouldBe([RestrictionKind.TwoFactor]);
        Kinds(_sample.Olga).ShouldBe([RestrictionKind.TwoFactor, RestrictionKind.MaxSession, RestrictionKind.Requests]);

        IEnumerable<RestrictionKind> Kinds(PersonId person) =>
            difference.Rectangles.Single(rectangle => rectangle.People.Contains(person)).Difference.Restrictions.Select(restriction => restriction.Kind);
    }

    private PolicyDifference Difference(Action change)
    {
        var before = _sample.Snapshot;
        change();
        return PolicySnapshot.Diff(before, _sample.Snapshot);
    }

    /// <summary>Beside the owner, who holds everything.</summary>
    private List<(PersonId Person, DeviceId Device)> ToldBeside(Action change) =>
    [
        .. from rectangle in Difference(change).Rectangles
           from person in rectangle.People.Where(person => person != _sample.Olga)
           from device in rectangle.Devices
           select (person, device),
    ];

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
        var found = _sample.Snapshot.SmallestChange(_sample.Question(_tina, [Terminal]), () => new(_sample.Next()), TestContext.Current.CancellationToken).ShouldNotBeNull();
        found.Changes.Count.ShouldBe(2);
        _sample.Disable(_tina);
        _sample.Snapshot.SmallestChange(_sample.Question(_tina, [Terminal]), () => new(_sample.Next()), TestContext.Current.CancellationToken).ShouldBeNull();
    }

    [Fact]
    public void To_be_spared_a_consent_that_nobody_can_give_is_suggested()
    {
        _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.RemoteControlApproval, "terminal=ask");
        var quiet = _sample.Role(SkipConsent);
        var question = _sample.Question(_tina, [Terminal]);
        _sample.Snapshot.Decide(question).Reason.ShouldBe(DenialReason.ConsentImpossible);
        Only(question).Command.ShouldBeOfType<PolicyCommand.AddGrant>().Role.ShouldBe(quiet);
    }

    [Fact]
    public void A_lock_that_allows_is_suggested_to_be_turned_where_it_stands()
    {
        foreach (var _ in Enumerable.Range(0, 45)) _sample.Grant(_tina, _sample.Web01, Terminal);
        _sample.Allow(_sample.Everyone, Terminal, locked: true);
        var command = Only(_sample.Question(_tina, [Terminal])).Command.ShouldBeOfType<PolicyCommand.SetGroupPermission>();
        command.ShouldBe(new(_sample.Everyone, Terminal, PolicyValue.Deny, Locked: true));
    }

    [Fact]
    public void People_from_outside_are_suggested_the_right_to_ask_and_what_they_would_ask_for()
    {
        var carl = _sample.Contact("carl");
        Only(_sample.Question(carl, [RequestAccess])).Text.ShouldBe("Grant Request access on web01 to Carl.");
        var changes = _sample.Snapshot.SmallestChange(_sample.Question(carl, [Terminal]), () => new(_sample.Next()), TestContext.Current.CancellationToken).ShouldNotBeNull().Changes;
        changes.Select(change => change.Text).ShouldBe(["Grant Request access on web01 to Carl.", "Approve a request for Only device connection on web01."]);
    }

    private ElementaryChange Only(AccessQuestion question) =>
        _sample.Snapshot.SmallestChange(question, () => new(_sample.Next()), TestContext.Current.CancellationToken).ShouldNotBeNull().Changes.ShouldHaveSingleItem();

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
