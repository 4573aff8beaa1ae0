namespace Countersign.Access;

/// <summary>
/// What two policies let people do differently, over all instants and without evidence: permissions granted and within the ceiling, and what
/// restricts them. Every pair of a person and a device is in at most one rectangle, and in one only if something that counts for it differs, so that
/// counts are exact. Not told: who can approve, as long as enough people can (and who accepts requests on the device, at all); which of several reasons a
/// denial has; what is held on devices that are disabled before and after; when an answer that stays may be another one.
/// </summary>
/// <param name="Sections">The same for the sections, which have no devices.</param>
public sealed record PolicyDifference(IReadOnlyList<DifferenceRectangle> Rectangles, IReadOnlyList<SectionDifference> Sections)
{
    /// <summary>It was more than was to be compared: all that stands here differs, and more may.</summary>
    public bool IsPartial { get; init; }

    public bool IsEmpty => Rectangles.Count == 0 && Sections.Count == 0;

    /// <summary>How many pairs of a person and a device differ.</summary>
    public long Pairs => Rectangles.Sum(rectangle => rectangle.Count);
}

/// <summary>All of these people, on all of these devices.</summary>
public sealed record DifferenceRectangle(IReadOnlyList<PersonId> People, IReadOnlyList<DeviceId> Devices, AccessDifference Difference)
{
    public long Count => (long)People.Count * Devices.Count;
}

public sealed record SectionDifference(IReadOnlyList<PersonId> People, ScopeKind Section, IReadOnlyList<HeldPermissions> Gained, IReadOnlyList<HeldPermissions> Lost);

/// <summary>What differs for one person on one device.</summary>
public sealed record AccessDifference(IReadOnlyList<HeldPermissions> Gained, IReadOnlyList<HeldPermissions> Lost, IReadOnlyList<RestrictionDifference> Restrictions);

/// <summary>Permissions with the accounts that they are for and when.</summary>
/// <param name="Accounts">Null: all (the owner), or a section's.</param>
public sealed record HeldPermissions(PermissionSet Permissions, GrantAccounts? Accounts, GrantWindow Window);

public enum RestrictionKind : byte
{
    Approval = 1,
    Consent = 2,
    Recording = 3,
    MaxSession = 4,
    IdleTimeout = 5,
    SessionHours = 6,
    Requests = 7,
    Options = 8,
    TwoFactor = 9,
    Networks = 10,
    EndWarning = 11,
}

/// <param name="Before">In the form of settings, or what the restriction is made of; empty: none.</param>
public sealed record RestrictionDifference(RestrictionKind Kind, string Before, string After);
