namespace Countersign.Access.Tests;

public class UndoTests
{
    private readonly Sample _sample = new();

    [Fact]
    public void Undoing_any_change_gives_back_the_rows_that_were_there_and_undoing_that_the_rows_that_came()
    {
        var undone = 0;
        Draw.Check(100, organization =>
        {
            var before = organization.Compile();
            for (var attempt = 0; attempt < 20; attempt++)
            {
                if (before.Plan(RandomCommand.From(organization), organization.Owner, organization.Instant()) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } change }) continue;
                if (RandomCommand.HandsOver(change)) continue;
                var after = before.Apply(change);
                var back = Undo(after, change, organization.Owner).ShouldBeOfType<PlanResult.Planned>();
                back.Left.ShouldBeEmpty();
                var restored = after.Apply(back.Delta);
                Same(restored, before, change.Summary);
                var again = Undo(restored, back.Delta, organization.Owner);
                Same(restored.Apply(again.ShouldBeOfType<PlanResult.Planned>(again.ToString()).Delta), after, change.Summary);
                undone++;
            }
        });
        undone.ShouldBeGreaterThan(300);
    }

    [Fact]
    public void Law_3_undoing_a_force_gives_back_exactly_the_effective_values_that_were() => Draw.Check(100, organization =>
    {
        var before = organization.Compile();
        var forced = organization.RandomSetting();
        var force = before.Plan(new PolicyCommand.ForceSetting(forced.Node, forced.Setting, forced.Value), organization.Owner, organization.Instant())
            .ShouldBeOfType<PlanResult.Planned>().Delta;
        if (force.Changes.Count == 0) return;
        var after = before.Apply(force);
        var back = after.Apply(Undo(after, force, organization.Owner).ShouldBeOfType<PlanResult.Planned>().Delta);
        foreach (var device in back.All<DeviceRow>())
            back.Setting(SettingNode.Of(device.Id), forced.Setting).ShouldBe(before.Setting(SettingNode.Of(device.Id), forced.Setting));
    });

    [Fact]
    public void What_somebody_short_of_master_administrator_undoes_gives_nobody_more_than_they_hold()
    {
        var carriedOut = 0;
        Draw.Check(150, organization =>
        {
            for (var attempt = 0; attempt < 40; attempt++)
            {
                var earlier = organization.Compile();
                var command = RandomCommand.From(organization);
                if (earlier.Plan(command, organization.Owner, organization.Instant()) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } change }) continue;
                var policy = earlier.Apply(change);
                if (policy.Person(organization.Pick(organization.People)) is not { } actor || policy.IsMasterAdministrator(actor.Id, Sample.Noon)) continue;
                if (Undo(policy, change, actor.Id) is not PlanResult.Planned { Delta: var undo }) continue;
                foreach (var row in change.Changes)
                {
                    if (row.After is { } put) organization.Put(put);
                    else organization.Remove(row.Before!);
                }

                carriedOut++;
                EscalationJudge.Of(policy, [undo], actor, $"{actor.Name}: {undo.Summary}", []).Look([Sample.Noon, organization.Instant(), organization.Instant()]);
            }
        });
        carriedOut.ShouldBeGreaterThan(20);
    }

    [Fact]
    public void A_row_that_was_changed_since_refuses_the_undoing_and_is_named()
    {
        var tina = _sample.Technician("tina");
        var rename = Plan(_sample.Snapshot, new PolicyCommand.EditPerson(tina, "Christina", ""));
        var after = _sample.Snapshot.Apply(rename);
        var later = Plan(after, new PolicyCommand.SetPersonStatus(tina, PersonStatus.Disabled));
        after = after.Apply(later);
        Undo(after, rename, _sample.Olga, later).ShouldBeOfType<PlanResult.Conflict>().Message.ShouldContain("Christina (tina) was changed since");
    }

    [Fact]
    public void A_row_that_was_changed_and_changed_back_since_refuses_the_undoing_too()
    {
        var tina = _sample.Technician("tina");
        var rename = Plan(_sample.Snapshot, new PolicyCommand.EditPerson(tina, "Christina", ""));
        var after = _sample.Snapshot.Apply(rename);
        var away = Plan(after, new PolicyCommand.EditPerson(tina, "Else", ""));
        after = after.Apply(away);
        var again = Plan(after, new PolicyCommand.EditPerson(tina, "Christina", ""));
        after = after.Apply(again);
        Undo(after, rename, _sample.Olga, away, again).ShouldBeOfType<PlanResult.Conflict>();
    }

    [Fact]
    public void Of_a_force_the_overrides_come_back_that_were_not_touched_since_and_the_others_are_told()
    {
        var other = _sample.Device("web02", _sample.Servers, "root");
        var (one, two) = (SettingNode.Of(_sample.Web01), SettingNode.Of(other));
        _sample.Set(one, SettingKind.Recording, "off");
        _sample.Set(two, SettingKind.Recording, "required");
        var force = Plan(_sample.Snapshot, new PolicyCommand.ForceSetting(SettingNode.Organization, SettingKind.Recording, "required"));
        var after = _sample.Snapshot.Apply(force);

        // Set and cleared: it looks as the force left it.
        var set = Plan(after, new PolicyCommand.SetSetting(two, SettingKind.Recording, "off"));
        after = after.Apply(set);
        var clear = Plan(after, new PolicyCommand.ClearSetting(two, SettingKind.Recording));
        after = after.Apply(clear);

        var undo = Undo(after, force, _sample.Olga, set, clear).ShouldBeOfType<PlanResult.Planned>();
        undo.Left.ShouldBe([new SettingRow(two, SettingKind.Recording, "off", 0).Key]);
        undo.Delta.Summary.ShouldContain("stay as they are: 1");
        var back = after.Apply(undo.Delta);
        back.Setting(one, SettingKind.Recording)!.Value.Value.ShouldBe("off");
        back.Setting(two, SettingKind.Recording)!.Value.Source.ShouldBe(SettingNode.Organization);
    }

    [Fact]
    public void Of_a_force_the_overrides_of_what_is_gone_since_stay_away_and_the_others_come_back()
    {
        var (group, other) = (_sample.DeviceGroup("Clients"), _sample.Device("web02", _sample.Servers, "root"));
        var (one, two, three) = (SettingNode.Of(_sample.Web01), SettingNode.Of(other), SettingNode.Of(group));
        foreach (var node in (SettingNode[])[one, two, three]) _sample.Set(node, SettingKind.Recording, "off");
        var force = Plan(_sample.Snapshot, new PolicyCommand.ForceSetting(SettingNode.Organization, SettingKind.Recording, "required"));
        var after = _sample.Snapshot.Apply(force);
        var deleted = Plan(after, new PolicyCommand.DeleteDevice(other));
        after = after.Apply(deleted);
        var deletedGroup = Plan(after, new PolicyCommand.DeleteDeviceGroup(group));
        after = after.Apply(deletedGroup);

        var undo = Undo(after, force, _sample.Olga, deleted, deletedGroup).ShouldBeOfType<PlanResult.Planned>();
        undo.Left.ShouldBe([new SettingRow(two, SettingKind.Recording, "off", 0).Key, new SettingRow(three, SettingKind.Recording, "off", 0).Key], ignoreOrder: true);
        var back = after.Apply(undo.Delta);
        back.Setting(one, SettingKind.Recording)!.Value.Value.ShouldBe("off");
        back.Setting(SettingNode.Organization, SettingKind.Recording)!.Value.Value.ShouldBe("on");
    }

    [Fact]
    public void Who_deletes_a_device_undoes_it_with_what_hung_on_it_as_far_as_they_hold_that_there()
    {
        var (tina, tom) = (_sample.Technician("tina"), _sample.Technician("tom"));
        _sample.Grant(GrantSubject.To(tina), GrantScope.Of(_sample.Servers), _sample.Role(Permission.ModifyDevice, Permission.DeleteDevice, Permission.Terminal), GrantAccounts.Any);
        Back(tina, new PolicyCommand.DeleteDevice(_sample.Web01)).ShouldBeOfType<PlanResult.Planned>();

        _sample.Grant(tom, _sample.Web01, Permission.Terminal);
        Back(tina, new PolicyCommand.DeleteDevice(_sample.Web01)).ShouldBeOfType<PlanResult.Planned>();

        // What they do not hold there they give nobody; and what a setting says there is for whoever manages security.
        var reboots = _sample.Grant(tom, _sample.Web01, Permission.Reboot);
        Back(tina, new PolicyCommand.DeleteDevice(_sample.Web01)).ShouldBeOfType<PlanResult.Forbidden>().Reason.ShouldContain("Reboot");
        _sample.Remove(new(PolicyTable.Grant, reboots.Value));
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.Recording, "required");
        Back(tina, new PolicyCommand.DeleteDevice(_sample.Web01)).ShouldBeOfType<PlanResult.Forbidden>();
        _sample.Grant(GrantSubject.To(tina), GrantScope.Of(_sample.Servers), _sample.Role(Permission.ManageSecurity));
        Back(tina, new PolicyCommand.DeleteDevice(_sample.Web01)).ShouldBeOfType<PlanResult.Planned>();

        // Nor do they set so what binds them less than the group does.
        _sample.Set(SettingNode.Of(_sample.Web01), SettingKind.Recording, "off");
        Back(tina, new PolicyCommand.DeleteDevice(_sample.Web01)).ShouldBeOfType<PlanResult.Forbidden>().Reason.ShouldContain("master administrator");
    }

    [Fact]
    public void Who_deletes_a_group_of_their_branch_undoes_it_with_its_values_and_members()
    {
        var (gus, tom) = (_sample.Technician("gus"), _sample.Technician("tom"));
        var field = _sample.Group("Field");
        var north = _sample.Group("North", field);
        _sample.Administrator(gus, field);
        _sample.Member(gus, field);
        _sample.Member(tom, north);
        _sample.Allow(north, Permission.Terminal);
        _sample.Grant(GrantSubject.To(gus), GrantScope.Of(_sample.Servers), _sample.Role(Permission.Terminal));
        _sample.Grant(GrantSubject.To(north), GrantScope.Of(_sample.Web01), _sample.Role(Permission.Terminal));
        Back(gus, new PolicyCommand.DeleteTechnicianGroup(north)).ShouldBeOfType<PlanResult.Planned>();

        // Who runs and who approves is for master administrators to say, and so is what is locked.
        _sample.Manager(tom, north);
        _sample.Snapshot.Plan(new PolicyCommand.DeleteTechnicianGroup(north), gus, Sample.Noon).ShouldBeOfType<PlanResult.Forbidden>().Reason.ShouldContain("managers");
        Back(_sample.Olga, new PolicyCommand.DeleteTechnicianGroup(north)).ShouldBeOfType<PlanResult.Planned>();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_may_not_unlock_deletes_no_group_with_a_lock(bool locked)
    {
        var gus = _sample.Technician("gus");
        var field = _sample.Group("Field");
        var north = _sample.Group("North", field);
        _sample.Administrator(gus, field);
        _sample.Deny(north, Permission.Terminal, locked: locked);
        var result = _sample.Snapshot.Plan(new PolicyCommand.DeleteTechnicianGroup(north), gus, Sample.Noon);
        if (locked) result.ShouldBeOfType<PlanResult.Forbidden>();
        else result.ShouldBeOfType<PlanResult.Planned>();
    }

    [Fact]
    public void What_no_longer_fits_is_refused_and_says_why()
    {
        var group = new DeviceGroupId(_sample.Next());
        var added = Plan(_sample.Snapshot, new PolicyCommand.AddDeviceGroup(group, null, "Clients"));
        var after = _sample.Snapshot.Apply(added);
        var filled = Plan(after, new PolicyCommand.AddDevice(new(_sample.Next()), group, "web02", "", "127.0.0.1", ["root"]));
        Undo(after.Apply(filled), added, _sample.Olga, filled).ShouldBeOfType<PlanResult.Conflict>().Message.ShouldContain("which is not there");

        var deleted = Plan(after, new PolicyCommand.DeleteDeviceGroup(group));
        after = after.Apply(deleted);
        var again = Plan(after, new PolicyCommand.AddDeviceGroup(new(_sample.Next()), null, "clients"));
        Undo(after.Apply(again), deleted, _sample.Olga, again).ShouldBeOfType<PlanResult.Conflict>().Message.ShouldContain("taken now");
    }

    [Fact]
    public void How_the_organization_began_is_not_undone_by_anybody()
    {
        var empty = PolicySnapshot.Empty(Sample.Organization);
        var founding = PolicySnapshot.Bootstrap(Sample.Organization, _sample.Olga, "olga", "Olga", "", _sample.Everyone);
        Undo(empty.Apply(founding), founding, _sample.Olga).ShouldBeOfType<PlanResult.Forbidden>();
    }

    [Fact]
    public void Who_may_not_see_what_it_is_about_is_told_nothing_and_who_may_not_change_it_is_refused()
    {
        var tina = _sample.Technician("tina");
        var change = Plan(_sample.Snapshot, new PolicyCommand.SetSetting(SettingNode.Of(_sample.Web01), SettingKind.Recording, "off"));
        var after = _sample.Snapshot.Apply(change);
        Undo(after, change, tina).ShouldBeOfType<PlanResult.NotFound>();

        _sample.Grant(tina, _sample.Web01, Permission.Terminal);
        change = Plan(_sample.Snapshot, new PolicyCommand.SetSetting(SettingNode.Of(_sample.Web01), SettingKind.Recording, "off"));
        Undo(_sample.Snapshot.Apply(change), change, tina).ShouldBeOfType<PlanResult.Forbidden>();

        _sample.Grant(tina, _sample.Web01, Permission.ManageSecurity);
        change = Plan(_sample.Snapshot, new PolicyCommand.SetSetting(SettingNode.Of(_sample.Web01), SettingKind.Recording, "off"));
        Undo(_sample.Snapshot.Apply(change), change, tina).ShouldBeOfType<PlanResult.Planned>();
    }

    /// <summary>The actor's undoing of what they did themselves; where it can be planned it leads back to all the rows.</summary>
    private PlanResult Back(PersonId actor, PolicyCommand command)
    {
        var change = _sample.Snapshot.Plan(command, actor, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;
        var after = _sample.Snapshot.Apply(change);
        var undo = Undo(after, change, actor);
        if (undo is PlanResult.Planned { Delta: var delta }) Same(after.Apply(delta), _sample.Snapshot, delta.Summary);
        return undo;
    }

    private PolicyDelta Plan(PolicySnapshot policy, PolicyCommand command) =>
        policy.Plan(command, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;

    private static PlanResult Undo(PolicySnapshot policy, PolicyDelta change, PersonId actor, params PolicyDelta[] since) =>
        policy.Plan(new PolicyCommand.Undo(change, since.SelectMany(later => later.Changes).Select(row => row.Key).ToHashSet()), actor, Sample.Noon);

    private static void Same(PolicySnapshot policy, PolicySnapshot expected, string what)
    {
        var (rows, others) = (Rows(policy), Rows(expected));
        rows.Except(others).ShouldBeEmpty(what);
        others.Except(rows).ShouldBeEmpty(what);
    }

    private static List<PolicyRow> Rows(PolicySnapshot policy) =>
        [.. policy.All<PolicyRow>().Select(row => row is SettingRow setting ? setting with { Touched = 0 } : row)];
}
