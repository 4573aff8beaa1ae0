namespace Countersign.Access.Tests;

/// <summary>Commands that name what is there, most of the time.</summary>
internal static class RandomCommand
{
    public static PolicyCommand From(RandomOrganization organization) => organization.Chance(8) ? Several(organization) : One(organization);

    /// <summary>A grant in two, which mostly give the same as the one.</summary>
    public static PolicyCommand.Several? Rewritten(RandomOrganization organization)
    {
        if (organization.Any<GrantRow>() is not { } grant) return null;
        var window = grant.Window;
        var (middle, hours) = (organization.Instant(), organization.Chance(50) ? window.Hours : organization.Pick((string[])["UTC; Mon-Sun 00:00-24:00", "UTC; Mon-Sat 05:00-05:30; Mon-Sun 05:30-05:00", ""]));
        var (first, second) = window.From < middle && middle < window.To
            ? (new GrantWindow(window.From, middle, window.Hours), new GrantWindow(middle, window.To, window.Hours))
            : organization.Chance(50)
            ? (window with { Hours = "UTC; Mon-Sun 06:00-18:00" }, window with { Hours = "UTC; Mon-Sun 18:00-06:00" })
            : (window with { Hours = hours }, window);
        var added = new PolicyCommand.AddGrant(new(organization.NextId()), grant.Subject, grant.Scope, grant.Role, grant.Accounts, second);
        return new("In two.", [new PolicyCommand.EditGrant(grant.Id, grant.Role, grant.Accounts, first), added]);
    }

    /// <summary>Who owns the organization is another one then, which is not undone.</summary>
    public static bool HandsOver(PolicyDelta delta) => delta.Changes.Any(change => change is { Before: PersonRow was, After: PersonRow now } && was.Kind != now.Kind);

    /// <summary>Mostly of devices, and of the same ones.</summary>
    public static PolicyCommand.Several Several(RandomOrganization organization)
    {
        var commands = new List<PolicyCommand>();
        for (var count = 1 + organization.Random.Next(6); count > 0; count--) commands.Add(organization.Chance(60) ? OfDevice(organization) : One(organization));
        return new("Several at once.", commands);
    }

    private static PolicyCommand OfDevice(RandomOrganization organization)
    {
        var device = organization.Pick(organization.Devices);
        var name = $"d{organization.Random.Next(20)}";
        return organization.Random.Next(6) switch
        {
            0 => new PolicyCommand.AddDevice(new(organization.NextId()), organization.Pick(organization.DeviceGroups), name, "", "localhost", ["a", "b"]) { Services = [Service(organization)], Tags = ["new"] },
            1 => new PolicyCommand.DeleteDevice(device),
            2 => new PolicyCommand.EditDevice(device, organization.Pick(organization.DeviceGroups)) { Accounts = organization.Chance(50) ? ["b", "c"] : null, AddedTags = ["moved"] },
            3 => new PolicyCommand.EditDevice(device) { Services = organization.Chance(50) ? [Service(organization)] : null, RemovedServices = [organization.Pick(ServiceProtocols.All)] },
            4 => new PolicyCommand.EditDevice(device) { PutServices = [Service(organization)] },
            _ => new PolicyCommand.EditDevice(device, Name: organization.Chance(50) ? name : null, Enabled: organization.Chance(50)) { RemovedTags = ["moved"] },
        };
    }

    private static ServiceWish Service(RandomOrganization organization) => new(organization.Pick(ServiceProtocols.All), organization.Chance(50) ? 1 + organization.Random.Next(9) : null);

    private static PolicyCommand One(RandomOrganization organization)
    {
        var person = organization.Pick(organization.People);
        var group = organization.Pick(organization.Groups);
        var device = organization.Pick(organization.Devices);
        var devices = organization.Pick(organization.DeviceGroups);
        var flag = organization.Chance(50);
        switch (organization.Random.Next(35))
        {
            case 22: return OfGrant(organization) ?? (PolicyCommand)new PolicyCommand.RemoveAccount(device, "b");
            case 23 or 24: return OfWorkflow(organization);
            case 25:
                return organization.Any<SettingRow>() is { } own
                ? new PolicyCommand.ClearSetting(own.Node, own.Setting)
                : new PolicyCommand.ClearSetting(SettingNode.Of(device), SettingKind.Recording);
            case 26 or 27: return OfAccounts(organization, device);
            case 28: return OfPerson(organization, person);
            case 29: return OfAppointment(organization);
            case 30:
                var option = organization.RandomOption();
                return new PolicyCommand.SetGroupPermission(option.Group, option.Permission, option.Value, organization.Chance(30), option.Option);
            case 31:
                return flag
                ? new PolicyCommand.AddRole(new(organization.NextId()), $"Made {organization.Random.Next()}", RolePurpose.DevicesAndGroups, organization.SomeUsual(3))
                : organization.Any<ExternalGroupRow>() is { } partners
                ? new PolicyCommand.EditExternalGroup(partners.Id, $"Others {organization.Random.Next()}", "")
                : new PolicyCommand.PinHostKey(device, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f");

            case 32: return OfDeviceGroup(organization, devices);
            case 33: return organization.Any<RoleRow>() is { } role ? new PolicyCommand.DeleteRole(role.Id) : OfDeviceGroup(organization, devices);
            case 34: return OfDevice(organization);

            case 0:
                return new PolicyCommand.AddPerson(
                new(organization.NextId()),
                PersonKind.Technician,
                $"new{organization.Random.Next()}",
                "New",
                "",
                PersonState.Activated);
            case 1: return new PolicyCommand.SetPersonStatus(person, flag ? PersonStatus.Active : PersonStatus.Disabled);
            case 2: return new PolicyCommand.DeletePerson(person);
            case 3:
                return new PolicyCommand.AddTechnicianGroup(
                new(organization.NextId()),
                group,
                $"New {organization.Random.Next()}",
                "",
                flag,
                false,
                GroupConsent.None,
                false);
            case 4 or 5: return Edit(organization, group);
            case 6: return new PolicyCommand.DeleteTechnicianGroup(group);
            case 7: return new PolicyCommand.AddMember(group, person);
            case 8:
                return organization.Rows.OfType<MembershipRow>().ToList() is { Count: > 0 } memberships && organization.Pick(memberships) is var membership
                ? new PolicyCommand.RemoveMember(membership.Group, membership.Person)
                : new PolicyCommand.RemoveMember(group, person);
            case 9: return flag ? new PolicyCommand.AddManager(group, person) : new PolicyCommand.AddAdministrator(group, person);
            case 10 or 11:
                var value = organization.RandomValue();
                return new PolicyCommand.SetGroupPermission(
                    value.Group,
                    value.Permission,
                    organization.Chance(30) ? null : value.Value,
                    organization.Chance(20));
            case 12: return new PolicyCommand.EditDevice(device, devices, $"d{organization.Random.Next()}", "", flag, "localhost");
            case 13: return flag ? new PolicyCommand.SetDefaultAccount(device, "a") : new PolicyCommand.AddAccount(device, "c");
            case 14 or 15 or 16:
                var grant = organization.RandomGrant();
                return new PolicyCommand.AddGrant(grant.Id, grant.Subject, grant.Scope, grant.Role, grant.Accounts, grant.Window);
            case 17:
                return organization.Rows.OfType<GrantRow>().ToList() is { Count: > 0 } grants
                ? new PolicyCommand.RemoveGrant(organization.Pick(grants).Id)
                : new PolicyCommand.DeleteDevice(device);
            case 18:
                return organization.Rows.OfType<RoleRow>().ToList() is { Count: > 0 } roles
                ? new PolicyCommand.EditRole(organization.Pick(roles).Id, $"Role {organization.Random.Next()}", PermissionSet.Of(Permission.Terminal))
                : new PolicyCommand.DeleteDeviceGroup(devices);
            case 19: return new PolicyCommand.SetApprovedExternals(group, organization.Chance(20) ? null : [.. organization.ExternalGroups.Where(_ => organization.Chance(60))]);
            case 20:
                if (organization.ExternalGroups.Count == 0) return new PolicyCommand.AddExternalGroup(new(organization.NextId()), $"Partners {organization.Random.Next()}", "");
                var external = organization.Pick(organization.ExternalGroups);
                return organization.Random.Next(6) switch
                {
                    0 => new PolicyCommand.DeleteExternalGroup(external),
                    1 => new PolicyCommand.RemoveExternalMember(external, person),
                    _ => new PolicyCommand.AddExternalMember(external, person),
                };
            default:
                var setting = organization.RandomSetting();
                return flag
                    ? new PolicyCommand.ForceSetting(setting.Node, setting.Setting, setting.Value)
                    : new PolicyCommand.SetSetting(setting.Node, setting.Setting, setting.Value);
        }
    }

    private static PolicyCommand.EditGrant? OfGrant(RandomOrganization organization)
    {
        var other = organization.RandomGrant();
        return organization.Any<GrantRow>() is { } grant ? new(grant.Id, other.Role, other.Accounts, other.Window) : null;
    }

    private static PolicyCommand OfWorkflow(RandomOrganization organization)
    {
        var made = organization.RandomWorkflow();
        if (organization.Any<WorkflowRow>() is not { } workflow || organization.Chance(50))
            return new PolicyCommand.AddWorkflow(made.Id, made.Group, made.Devices, made.Name, made.Steps, made.CountsForLater, made.TakesPreapproved, made.InsistsWhenPreapproved);
        return organization.Chance(40)
            ? new PolicyCommand.DeleteWorkflow(workflow.Id)
            : new PolicyCommand.EditWorkflow(workflow.Id, workflow.Name, made.Steps, made.CountsForLater, made.TakesPreapproved, made.InsistsWhenPreapproved);
    }

    /// <summary>Moved below one of those that are below it, it is refused.</summary>
    public static PolicyCommand OfDeviceGroup(RandomOrganization organization, DeviceGroupId group) => organization.Chance(30)
        ? new PolicyCommand.AddDeviceGroup(new(organization.NextId()), organization.Chance(20) ? null : group, $"New {organization.Random.Next()}")
        : new PolicyCommand.EditDeviceGroup(group, organization.Chance(20) ? null : organization.Pick(organization.DeviceGroups), $"Moved {organization.Random.Next()}");

    private static PolicyCommand OfAccounts(RandomOrganization organization, DeviceId device)
    {
        var name = organization.Pick((string[])["a", "b", "c", "d"]);
        return organization.Random.Next(4) switch
        {
            0 => new PolicyCommand.RemoveAccount(device, name),
            1 => new PolicyCommand.SetDefaultAccount(device, name),
            2 => new PolicyCommand.EditDevice(device) { Accounts = [name, .. ((string[])["a", "b", "c"]).Where(other => other != name && organization.Chance(60))] },
            _ => new PolicyCommand.AddAccount(device, name, MakeDefault: organization.Chance(60)),
        };
    }

    private static PolicyCommand OfPerson(RandomOrganization organization, PersonId person) => organization.Random.Next(4) switch
    {
        0 => new PolicyCommand.HandOver(person),
        2 => new PolicyCommand.EditOwnProfile($"Called {organization.Random.Next()}"),
        1 => new PolicyCommand.EditPerson(person, $"Named {organization.Random.Next()}", ""),
        _ => new PolicyCommand.ActivatePerson(person, $"joined{organization.Random.Next()}", "Joined"),
    };

    private static PolicyCommand OfAppointment(RandomOrganization organization)
    {
        if (organization.Chance(60) && organization.Any<GroupManagerRow>() is { } manager) return new PolicyCommand.RemoveManager(manager.Group, manager.Person);
        return organization.Any<GroupAdministratorRow>() is { } administrator
            ? new PolicyCommand.RemoveAdministrator(administrator.Group, administrator.Person)
            : new PolicyCommand.AddManager(organization.Pick(organization.Groups), organization.Pick(organization.People));
    }

    private static PolicyCommand.EditTechnicianGroup Edit(RandomOrganization organization, TechnicianGroupId id)
    {
        var row = organization.Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, id.Value));
        var parent = row.ParentId is null ? row.ParentId : organization.Chance(50) ? row.ParentId : organization.Pick(organization.Groups);
        return new(
            id,
            parent,
            row.Name,
            "",
            organization.Chance(70),
            organization.Chance(20),
            organization.Chance(80) ? GroupConsent.None : GroupConsent.Ask,
            organization.Chance(20),
            organization.Chance(70) ? null : organization.Chance(50));
    }
}
