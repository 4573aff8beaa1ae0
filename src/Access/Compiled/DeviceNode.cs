namespace Countersign.Access;

/// <summary>A device group with the scopes that reach it and the settings in force there.</summary>
internal sealed class DeviceGroupNode(DeviceGroupRow row, DeviceGroupNode? parent, DeviceRules rules)
{
    public DeviceGroupRow Row { get; } = row;

    public DeviceGroupNode? Parent { get; } = parent;

    public DeviceGroupId Id => Row.Id;

    public DeviceRules Rules { get; } = rules;

    /// <summary>Scopes that cover what is in the group: its own, those above, all devices.</summary>
    public GrantScope[] Scopes { get; } = [GrantScope.Of(row.Id), .. parent is null ? [GrantScope.AllDevices] : parent.Scopes];

    public List<DeviceGroupNode> Children { get; } = [];

    public List<DeviceNode> Devices { get; } = [];

    public IEnumerable<DeviceGroupNode> Downwards() => Children.SelectMany(child => child.Downwards()).Prepend(this);

    public bool IsAtOrBelow(DeviceGroupNode other)
    {
        for (var group = this; group is not null; group = group.Parent)
        {
            if (group == other) return true;
        }

        return false;
    }
}

/// <summary>A device with its accounts, the scopes that reach it and the settings in force there.</summary>
internal sealed class DeviceNode(DeviceRow row, DeviceGroupNode? group, DeviceAccountRow[] accounts, DeviceRules rules)
{
    private static readonly GrantScope[] Root = [GrantScope.AllDevices];

    public DeviceRow Row { get; } = row;

    public DeviceId Id => Row.Id;

    /// <summary>Null only for the phantom that questions about unknown devices are asked of.</summary>
    public DeviceGroupNode? Group { get; } = group;

    /// <summary>By name.</summary>
    public DeviceAccountRow[] Accounts { get; } = accounts;

    public string? DefaultAccount { get; } = Array.Find(accounts, account => account.IsDefault)?.Name;

    public DeviceRules Rules { get; } = rules;

    public GrantScope OwnScope { get; } = GrantScope.Of(row.Id);

    public GrantScope[] ScopesAbove { get; } = group is null ? Root : group.Scopes;

    // A loop, since a lambda that captures the name would allocate in every decision.
    public bool HasAccount(string name)
    {
        foreach (var account in Accounts)
        {
            if (string.Equals(account.Name, name, StringComparison.Ordinal)) return true;
        }

        return false;
    }

    public bool IsCoveredBy(GrantScope scope) => scope == OwnScope || Array.IndexOf(ScopesAbove, scope) >= 0;
}
