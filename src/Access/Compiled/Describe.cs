namespace Countersign.Access;

/// <summary>Names for sentences, and the rows behind them.</summary>
internal static class Describe
{
    public static string Path(TechnicianGroupNode group) =>
        string.Join(" / ", group.Upwards().Reverse().Where(above => !above.IsEveryone || group.IsEveryone).Select(above => above.Row.Name));

    public static string Path(DeviceGroupNode group) => group.Parent is null ? group.Row.Name : $"{Path(group.Parent)} / {group.Row.Name}";

    /// <summary>Where a setting comes from, to follow the device's name; empty where it is the device's own.</summary>
    public static string Source(PolicySnapshot snapshot, DeviceNode device, SettingNode source) => source.Kind switch
    {
        SettingNodeKind.Device when source.Id == device.Id.Value => "",
        SettingNodeKind.DeviceGroup when snapshot.Model.DeviceGroups.TryGetValue(new(source.Id), out var group) => $" (inherited from {Path(group)})",
        _ => " (inherited from the organization)",
    };

    public static string Scope(PolicySnapshot snapshot, GrantScope scope) => scope.Kind switch
    {
        ScopeKind.Device when snapshot.Model.Devices.TryGetValue(new(scope.Id), out var device) => device.Row.Name,
        ScopeKind.DeviceGroup when snapshot.Model.DeviceGroups.TryGetValue(new(scope.Id), out var group) => Path(group),
        ScopeKind.AllDevices => "all devices",
        ScopeKind.QuickSupport => "the section Quick Support",
        ScopeKind.Team => "the section Team",
        _ => "something unknown",
    };

    public static string Accounts(GrantAccounts accounts) => accounts.Rule switch
    {
        AccountRule.Any => "any account",
        AccountRule.Default => "the default account",
        _ => $"the accounts {accounts.Names.Replace(",", ", ", StringComparison.Ordinal)}",
    };

    public static string Labels(PermissionSet permissions) => string.Join(", ", permissions.Select(Label));

    public static string Label(Permission permission) =>
        PermissionCatalogue.Has(permission) ? PermissionCatalogue.Get(permission).Label : $"permission {(int)permission}";

    /// <summary>The row of the direct membership; none for Everyone, in which nobody has one.</summary>
    public static IEnumerable<RowKey> Membership(PersonNode person, TechnicianGroupNode group) =>
        Array.Exists(person.DirectMemberships, own => own.Id == group.Id) ? [new MembershipRow(group.Id, person.Id).Key] : [];
}
