namespace Countersign.Access.Tests;

/// <summary>Law 10 where one change makes way for the next: several changes and undos by one person, judged from before the first to after the last.</summary>
public class EscalationRunTests
{
    [Fact]
    public void Law_10_changes_and_undos_one_after_another_lead_nowhere_that_one_may_not()
    {
        var (runs, undone, settings, back, moved) = (0, 0, 0, 0, 0);
        Draw.Check(400, organization =>
        {
            var actor = Empowered(organization);
            var (policy, at) = (organization.Compile(), organization.Instant());
            if (policy.IsMasterAdministrator(actor.Id, at)) return;

            // What masters did before is there to be undone.
            var done = new List<PolicyDelta>();
            for (var count = organization.Random.Next(4); count > 0; count--) policy = Do(organization.Owner, Earlier(organization));
            var (before, first) = (policy, done.Count);
            for (var attempt = 0; attempt < 30 && done.Count < first + 5; attempt++) policy = Do(actor.Id, Next(organization, policy, done));
            var run = done[first..];
            if (run.Count == 0 || before.Person(actor.Id) is not { } was) return;
            EscalationJudge.Of(before, run, was, $"{was.Name} at {at:O}: {string.Join(' ', run.Select(delta => delta.Summary))}", [])
                .Look([at, organization.Instant()]);

            if (run.Count > 1) runs++;
            undone += run.Count(delta => delta.Summary.StartsWith("Undid", StringComparison.Ordinal));
            settings += run.Count(delta => delta.Changes.Any(change => (change.After ?? change.Before) is SettingRow { Node.Kind: SettingNodeKind.DeviceGroup }));
            back += run.Count(delta => delta.Summary.StartsWith("Undid", StringComparison.Ordinal) && delta.Changes.Any(change => change is { Before: null, After: DeviceRow }));
            moved += run.Count(delta => delta.Changes.Any(change => change is { Before: TechnicianGroupRow was, After: TechnicianGroupRow now } && was.ParentId != now.ParentId));

            PolicySnapshot Do(PersonId who, PolicyCommand command)
            {
                if (policy.Plan(command, who, at) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta }) return policy;
                done.Add(delta);
                return policy.Apply(delta);
            }
        });
        runs.ShouldBeGreaterThan(100);
        undone.ShouldBeGreaterThan(50);
        settings.ShouldBeGreaterThan(50);
        back.ShouldBeGreaterThan(20);
        moved.ShouldBeGreaterThan(10);
    }

    /// <summary>A technician who administers a branch and devices.</summary>
    private static PersonRow Empowered(RandomOrganization organization)
    {
        var id = organization.Pick(organization.Technicians);
        var role = new RoleRow(
            new(organization.NextId()), "Keeper", RolePurpose.DevicesAndGroups,
            PermissionSet.Of(Permission.ModifyDevice, Permission.DeleteDevice) | organization.SomeUsual(2)
                | (organization.Chance(80) ? PermissionSet.Of(Permission.ManageSecurity) : PermissionSet.None)
                | (organization.Chance(70) ? PermissionSet.Of(Permission.Terminal) : PermissionSet.None));
        organization.Put(role);
        var scope = organization.Chance(50) ? GrantScope.AllDevices : GrantScope.Of(organization.Pick(organization.DeviceGroups));
        var accounts = organization.Chance(50) ? GrantAccounts.Default : GrantAccounts.Any;
        organization.Put(new GrantRow(new(organization.NextId()), GrantSubject.To(id), scope, role.Id, accounts, GrantWindow.Always));
        if (organization.Chance(70)) organization.Put(new GroupAdministratorRow(organization.Pick(organization.Groups), id));
        return organization.Row<PersonRow>(new(PolicyTable.Person, id.Value));
    }

    private static PolicyCommand Earlier(RandomOrganization organization) => organization.Random.Next(3) switch
    {
        0 => new PolicyCommand.DeleteDevice(organization.Pick(organization.Devices)),
        1 => Setting(organization),
        _ => RandomCommand.From(organization),
    };

    private static PolicyCommand Next(RandomOrganization organization, PolicySnapshot policy, List<PolicyDelta> done)
    {
        var device = organization.Pick(organization.Devices);
        switch (organization.Random.Next(9))
        {
            case 0 or 1 when done.Count > 0:
                var undone = organization.Random.Next(done.Count);
                return new PolicyCommand.Undo(done[undone], done.Skip(undone + 1).SelectMany(later => later.Changes).Select(row => row.Key).ToHashSet());
            case 2:
                return new PolicyCommand.DeleteDevice(device);
            case 3 or 4:
                return Setting(organization);
            case 5:
                var accounts = policy.AccountsOf(device).Select(account => account.Name).ToList();
                return accounts.Count > 0 && organization.Chance(50) ? new PolicyCommand.RemoveAccount(device, organization.Pick(accounts))
                    : organization.Chance(50) ? new PolicyCommand.EditDevice(device) { Accounts = organization.Chance(50) ? [] : [organization.Pick((string[])["a", "b", "d"])] }
                    : new PolicyCommand.AddAccount(device, organization.Pick((string[])["a", "b", "d"]));
            case 6 when organization.Any<TechnicianGroupRow>() is { ParentId: not null } group:
                return new PolicyCommand.EditTechnicianGroup(
                    group.Id, organization.Pick(organization.Groups), group.Name, "", group.Enabled, group.RequiresManagerialApproval && organization.Chance(70), group.Consent, group.SinglePrompt);
            default:
                return RandomCommand.From(organization);
        }
    }

    /// <summary>Of a device group mostly.</summary>
    private static PolicyCommand Setting(RandomOrganization organization)
    {
        var setting = organization.RandomSetting();
        var node = Settings.IsOfOrganization(setting.Setting) || organization.Chance(30) ? setting.Node : SettingNode.Of(organization.Pick(organization.DeviceGroups));
        return organization.Random.Next(4) switch
        {
            0 => new PolicyCommand.ClearSetting(node, setting.Setting),
            1 => new PolicyCommand.ForceSetting(node, setting.Setting, setting.Value),
            _ => new PolicyCommand.SetSetting(node, setting.Setting, setting.Value),
        };
    }
}
