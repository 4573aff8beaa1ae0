namespace Countersign.Access;

/// <summary>The rows that the model was made from: nothing else keeps them.</summary>
internal sealed partial class PolicyModel
{
    public PolicyRow? Find(RowKey key) => key.Table switch
    {
        PolicyTable.Person => key == Simple(key) ? People.GetValueOrDefault(new(key.Id))?.Row : null,
        PolicyTable.TechnicianGroup => key == Simple(key) ? TechnicianGroups.GetValueOrDefault(new(key.Id))?.Row : null,
        PolicyTable.DeviceGroup => key == Simple(key) ? DeviceGroups.GetValueOrDefault(new(key.Id))?.Row : null,
        PolicyTable.Device => key == Simple(key) ? Devices.GetValueOrDefault(new(key.Id))?.Row : null,
        PolicyTable.Role => key == Simple(key) ? CustomRoles.GetValueOrDefault(new(key.Id)) : null,
        PolicyTable.Grant => key == Simple(key) ? Grants.GetValueOrDefault(new(key.Id))?.Row : null,
        PolicyTable.Workflow => key == Simple(key) ? Workflows.GetValueOrDefault(new(key.Id)) : null,
        PolicyTable.ExternalGroup => key == Simple(key) ? ExternalGroups.GetValueOrDefault(new(key.Id)) : null,
        PolicyTable.ExternalMember => FindExternalMember(key),
        PolicyTable.Membership => FindMembership(key),
        PolicyTable.GroupManager => FindManager(key),
        PolicyTable.GroupAdministrator => FindAdministrator(key),
        PolicyTable.GroupPermission => TechnicianGroups.TryGetValue(new(key.Id), out var group) ? Array.Find(group.Own, row => row.Key == key) : null,
        PolicyTable.DeviceAccount => Devices.TryGetValue(new(key.Id), out var device) ? Array.Find(device.Accounts, row => row.Key == key) : null,
        PolicyTable.DeviceService => Devices.TryGetValue(new(key.Id), out var served) ? Array.Find(served.Services, row => row.Key == key) : null,
        PolicyTable.Setting => Array.Find(SettingsOf(key.Id), setting => setting.Row.Key == key)?.Row,
        _ => null,
    };

    public IEnumerable<PolicyRow> All(PolicyTable table) => table switch
    {
        PolicyTable.Person => People.Values.Select(person => person.Row),
        PolicyTable.TechnicianGroup => TechnicianGroups.Values.Select(group => group.Row),
        PolicyTable.Membership => People.Values.SelectMany(person => person.DirectMemberships.Select(group => new MembershipRow(group.Id, person.Id))),
        PolicyTable.GroupManager => People.Values.SelectMany(person => person.Manages.Select(group => new GroupManagerRow(group, person.Id))),
        PolicyTable.GroupAdministrator => People.Values.SelectMany(person => person.Administers.Select(group => new GroupAdministratorRow(group, person.Id))),
        PolicyTable.GroupPermission => TechnicianGroups.Values.SelectMany(group => group.Own),
        PolicyTable.DeviceGroup => DeviceGroups.Values.Select(group => group.Row),
        PolicyTable.Device => Devices.Values.Select(device => device.Row),
        PolicyTable.DeviceAccount => Devices.Values.SelectMany(device => device.Accounts),
        PolicyTable.DeviceService => Devices.Values.SelectMany(device => device.Services),
        PolicyTable.Role => CustomRoles.Values,
        PolicyTable.Workflow => Workflows.Values,
        PolicyTable.ExternalGroup => ExternalGroups.Values,
        PolicyTable.ExternalMember => People.Values.SelectMany(person => person.ExternalGroups.Select(group => new ExternalMemberRow(group, person.Id))),
        PolicyTable.Grant => Grants.Values.Select(grant => grant.Row),
        PolicyTable.Setting => OrganizationSettings
            .Concat(DeviceGroups.Values.SelectMany(group => group.Own))
            .Concat(Devices.Values.SelectMany(device => device.Own))
            .Select(setting => setting.Row),
        _ => [],
    };

    private static RowKey Simple(RowKey key) => new(key.Table, key.Id);

    private ParsedSetting[] SettingsOf(Guid node) =>
        node == Guid.Empty ? OrganizationSettings
        : DeviceGroups.TryGetValue(new(node), out var group) ? group.Own
        : Devices.TryGetValue(new(node), out var device) ? device.Own
        : [];

    private MembershipRow? FindMembership(RowKey key)
    {
        var row = new MembershipRow(new(key.Id), new(key.Id2));
        return row.Key == key && People.TryGetValue(row.Person, out var person) && Array.Exists(person.DirectMemberships, group => group.Id == row.Group) ? row : null;
    }

    private ExternalMemberRow? FindExternalMember(RowKey key)
    {
        var row = new ExternalMemberRow(new(key.Id), new(key.Id2));
        return row.Key == key && People.TryGetValue(row.Person, out var person) && Array.IndexOf(person.ExternalGroups, row.Group) >= 0 ? row : null;
    }

    private GroupManagerRow? FindManager(RowKey key)
    {
        var row = new GroupManagerRow(new(key.Id), new(key.Id2));
        return row.Key == key && People.TryGetValue(row.Person, out var person) && Array.IndexOf(person.Manages, row.Group) >= 0 ? row : null;
    }

    private GroupAdministratorRow? FindAdministrator(RowKey key)
    {
        var row = new GroupAdministratorRow(new(key.Id), new(key.Id2));
        return row.Key == key && People.TryGetValue(row.Person, out var person) && Array.IndexOf(person.Administers, row.Group) >= 0 ? row : null;
    }
}
