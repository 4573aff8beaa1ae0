namespace Countersign.Access;

/// <summary>
/// A device group with the settings in force there. What it holds is in <see cref="GroupContent"/>, so that a device that comes or goes
/// does not touch the groups above it.
/// </summary>
/// <param name="index">Its place in the tables of the model.</param>
/// <param name="own">Its own values of settings.</param>
internal sealed class DeviceGroupNode(DeviceGroupRow row, DeviceGroupNode? parent, int index, DeviceRules rules, ParsedSetting[] own)
{
    public DeviceGroupRow Row { get; } = row;

    public DeviceGroupId Id => Row.Id;

    public DeviceGroupNode? Parent { get; } = parent;

    public int Index { get; } = index;

    public DeviceRules Rules { get; } = rules;

    public ParsedSetting[] Own { get; } = own;

    /// <summary>Labels number the groups so that all that is below one has labels from its own up to <see cref="End"/>. 0 is no group's. Set while it is made.</summary>
    public uint Start { get; set; }

    public uint End { get; set; }

    public bool IsAtOrBelow(DeviceGroupNode other) => other.Start <= Start && Start < other.End;

    /// <summary>This group and those above it, itself first.</summary>
    public IEnumerable<DeviceGroupNode> Upwards()
    {
        for (var group = this; group is not null; group = group.Parent) yield return group;
    }
}

/// <summary>What a device group holds.</summary>
/// <param name="Grants">On exactly this group.</param>
internal sealed record GroupContent(DeviceGroupId[] Children, DeviceNode[] Devices, CompiledGrant[] Grants)
{
    public static GroupContent Nothing { get; } = new([], [], []);
}

/// <summary>A device with its accounts, and the settings in force there if it has some of its own.</summary>
/// <param name="number">What tables of grants know it by; 0 only for the phantom that questions about unknown devices are asked of.</param>
/// <param name="rules">Null: its group's.</param>
/// <param name="grants">On exactly this device.</param>
internal sealed class DeviceNode(DeviceRow row, int number, int groupIndex, DeviceAccountRow[] accounts, ParsedSetting[] own, DeviceRules? rules, CompiledGrant[] grants)
{
    public DeviceRow Row { get; } = row;

    public DeviceId Id => Row.Id;

    public int Number { get; } = number;

    public int GroupIndex { get; } = groupIndex;

    public bool Enabled { get; } = row.Enabled;

    /// <summary>By name.</summary>
    public DeviceAccountRow[] Accounts { get; } = accounts;

    public string? DefaultAccount { get; } = Array.Find(accounts, account => account.IsDefault)?.Name;

    public ParsedSetting[] Own { get; } = own;

    public DeviceRules? OwnRules { get; } = rules;

    public CompiledGrant[] Grants { get; } = grants;

    // A loop, since a lambda that captures the name would allocate in every decision.
    public bool HasAccount(string name)
    {
        foreach (var account in Accounts)
        {
            if (string.Equals(account.Name, name, StringComparison.Ordinal)) return true;
        }

        return false;
    }
}
