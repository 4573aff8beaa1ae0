using System.Collections.Frozen;

namespace Countersign.Access;

/// <summary>The headings of the role manager.</summary>
public enum PermissionHeading : byte
{
    Actions = 1,
    SessionOptions = 2,
    AccessToInvitations = 3,
    Invitations = 4,

    /// <summary>Not connections: session hours, approvals and consent don't bind what stands here.</summary>
    OtherOptions = 5,
    AdministratorFunctions = 6,
    Other = 7,
}

/// <summary>Kinds of session that a device's consent setting speaks of.</summary>
public enum ConsentKind : byte
{
    None = 0,
    Screen = 1,
    Terminal = 2,
    Files = 3,
    Web = 4,
    Actions = 5,
}

/// <param name="Label">What the console calls it.</param>
/// <param name="Restrictable">A technician group's policy can restrict it.</param>
/// <param name="Prerequisites">What it falls without.</param>
/// <param name="Consent">The kind of session that its use makes, for consent.</param>
public sealed record PermissionEntry(
    Permission Permission,
    string Label,
    PermissionHeading Heading,
    IReadOnlyList<RolePurpose> Purposes,
    bool Restrictable,
    PermissionSet Prerequisites,
    ConsentKind Consent);

/// <summary>What each permission is: where it may appear, who can restrict it, what it needs.</summary>
public static class PermissionCatalogue
{
    /// <summary>In the order of the role manager.</summary>
    public static IReadOnlyList<PermissionEntry> Entries { get; } = PermissionTable.Build();

    private static readonly FrozenDictionary<Permission, PermissionEntry> ByPermission = Entries.ToFrozenDictionary(entry => entry.Permission);

    /// <summary>Every permission of the catalogue.</summary>
    public static PermissionSet All { get; } = Where(_ => true);

    /// <summary>What a technician group's policy can restrict.</summary>
    public static PermissionSet Restrictable { get; } = Where(entry => entry.Restrictable);

    /// <summary>What makes a question one about a connection: everything that does not stand under <em>Other options</em>.</summary>
    public static PermissionSet Connections { get; } = Where(entry => entry.Heading != PermissionHeading.OtherOptions);

    /// <summary>All that a role for devices and groups can give.</summary>
    public static PermissionSet OnDevices { get; } = AllowedFor(RolePurpose.DevicesAndGroups);

    /// <summary>What the owner holds on every device: all that a device role can give, but not to be spared the asking.</summary>
    public static PermissionSet OwnerOnDevices { get; } = OnDevices.Without(Permission.SkipConsent);

    /// <summary>These two are about the device and count for every account on it.</summary>
    public static PermissionSet ForEveryAccount { get; } = PermissionSet.Of(Permission.RequestAccess, Permission.AcceptAccessRequests);

    /// <summary>All that a contact can hold by grant.</summary>
    public static PermissionSet GrantableToContacts { get; } = PermissionSet.Of(Permission.RequestAccess);

    /// <summary>What can't be recorded, and is refused where recording is required.</summary>
    public static PermissionSet Unrecordable { get; } = PermissionSet.Of(Permission.Tunnel);

    private static readonly PermissionSet[] ByConsentKind =
        [.. Enum.GetValues<ConsentKind>().Select(kind => Where(entry => entry.Consent == kind))];

    private static readonly (Permission Permission, PermissionSet Needs)[] Needing =
        [.. Entries.Where(entry => !entry.Prerequisites.IsEmpty).Select(entry => (entry.Permission, entry.Prerequisites))];

    /// <exception cref="ArgumentOutOfRangeException">It is not in the catalogue.</exception>
    public static PermissionEntry Get(Permission permission) =>
        ByPermission.TryGetValue(permission, out var entry)
            ? entry
            : throw new ArgumentOutOfRangeException(nameof(permission), permission, "not in the catalogue");

    public static bool Has(Permission permission) => ByPermission.ContainsKey(permission);

    /// <summary>What a role of the purpose can hold.</summary>
    public static PermissionSet AllowedFor(RolePurpose purpose) => Where(entry => entry.Purposes.Contains(purpose));

    /// <summary>The permissions whose use makes a session of the kind.</summary>
    public static PermissionSet Of(ConsentKind kind) => ByConsentKind[(int)kind];

    /// <summary>The set without those whose prerequisite is not in it. Prerequisites have none of their own, so that once is enough.</summary>
    public static PermissionSet WithoutUnmet(PermissionSet set)
    {
        var result = set;
        foreach (var (permission, needs) in Needing)
        {
            if (!set.Covers(needs)) result = result.Without(permission);
        }

        return result;
    }

    /// <summary>The set with what its members fall without.</summary>
    public static PermissionSet WithPrerequisites(PermissionSet set)
    {
        var result = set;
        foreach (var (permission, needs) in Needing)
        {
            if (set.Contains(permission)) result |= needs;
        }

        return result;
    }

    /// <summary>The set with what could come to life through it: permissions that fall without a member.</summary>
    internal static PermissionSet WithDependents(PermissionSet set)
    {
        var result = set;
        foreach (var (permission, needs) in Needing)
        {
            if (set.Intersects(needs)) result = result.With(permission);
        }

        return result;
    }

    private static PermissionSet Where(Func<PermissionEntry, bool> wanted) =>
        Entries.Where(wanted).Aggregate(PermissionSet.None, (set, entry) => set.With(entry.Permission));
}
