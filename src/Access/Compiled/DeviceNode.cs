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

/// <summary>A device with its accounts and services, and the settings in force there if it has some of its own.</summary>
internal sealed class DeviceNode
{
    private readonly AccountNames _names;
    private DeviceRules? _rules;

    public DeviceNode(
        DeviceRow row,
        int number,
        int groupIndex,
        DeviceAccountRow[] accounts,
        DeviceServiceRow[] services,
        AccountNames names,
        ParsedSetting[] own,
        CompiledGrant[] grants)
    {
        _names = names;
        (Row, Number, GroupIndex, Enabled) = (row, number, groupIndex, row.Enabled);
        (Accounts, Services, Own, Grants) = (accounts, services, own, grants);
        foreach (var account in accounts)
        {
            var bit = names.BitOf(account.Name);
            AccountBits |= bit;
            if (account.IsDefault) (DefaultAccount, DefaultBit) = (account.Name, bit);
        }

        foreach (var grant in grants) GrantMarks |= Mark(grant.Row.Subject.Id);
    }

    public DeviceRow Row { get; }

    public DeviceId Id => Row.Id;

    /// <summary>What tables of grants know it by; 0 only for the phantom that questions about unknown devices are asked of.</summary>
    public int Number { get; }

    public int GroupIndex { get; }

    public bool Enabled { get; }

    /// <summary>By name.</summary>
    public DeviceAccountRow[] Accounts { get; }

    /// <summary>By the number of their protocol. No decision asks for them.</summary>
    public DeviceServiceRow[] Services { get; }

    public string? DefaultAccount { get; }

    /// <summary>Of the accounts' names, those that have bits; see <see cref="AccountNames"/>.</summary>
    public ulong AccountBits { get; }

    public ulong DefaultBit { get; }

    public ParsedSetting[] Own { get; }

    /// <summary>On exactly this device.</summary>
    public CompiledGrant[] Grants { get; }

    /// <summary>Marks of the subjects of <see cref="Grants"/>: who has none of them has no grant on this very device.</summary>
    public ulong GrantMarks { get; }

    /// <summary>The default account.</summary>
    public AccountAsked AskedByDefault => new(DefaultAccount, IsDefault: true, DefaultBit);

    public AccountAsked Asked(string? name)
    {
        if (name is null) return AskedByDefault;
        var isDefault = string.Equals(name, DefaultAccount, StringComparison.Ordinal);
        return new(name, isDefault, isDefault ? DefaultBit : _names.KnownBitOf(name));
    }

    /// <summary>
    /// The settings in force here when those are in force at the group. Worked out when asked and kept until the group's change, so that a
    /// setting far above does not touch every device below that has one of its own.
    /// </summary>
    public DeviceRules RulesUnder(DeviceRules group)
    {
        if (Own.Length == 0) return group;
        var known = Volatile.Read(ref _rules);
        if (known?.Above == group) return known;
        var rules = group.With(Own);
        Volatile.Write(ref _rules, rules);
        return rules;
    }

    /// <summary>Null: it has none.</summary>
    public DeviceServiceRow? Service(ServiceProtocol protocol) => Array.Find(Services, service => service.Protocol == protocol);

    /// <summary>One bit out of 64 for a subject.</summary>
    public static ulong Mark(Guid subject) => 1UL << (subject.GetHashCode() * -1640531535 >> 26);

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
