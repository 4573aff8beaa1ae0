namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    private static readonly PermissionSet CountForEveryAccount = PermissionSet.Of(Permission.AcceptAccessRequests, Permission.RequestAccess);

    private static readonly PermissionSet ForContacts = PermissionSet.Of(Permission.RequestAccess);

    /// <summary>The union of the providers in force at the instant for that device and account.</summary>
    private PermissionSet Granted(PersonRow person, DeviceRow device, string? account, DateTimeOffset at, IEnumerable<PreapprovedRequest>? inHand = null)
    {
        if (person.Kind == PersonKind.Owner) return NaiveCatalogue.For('D').Without(Permission.SkipConsent);
        var granted = PreapprovedOn(person, device, account, at, inHand ?? []);
        foreach (var grant in _grants)
        {
            if (!IsInForce(grant.Window, at) || !Reaches(grant, person) || !Covers(grant.Scope, device)) continue;
            if (grant.Accounts.Rule == AccountRule.Named && !AccountsOf(device).Any(there => IsFor(grant.Accounts, device, there))) continue;
            var gives = PermissionsOf(grant.Role, RolePurpose.DevicesAndGroups);
            if (!IsFor(grant.Accounts, device, account)) gives &= CountForEveryAccount;
            if (person.Kind == PersonKind.Contact) gives &= ForContacts;
            granted |= gives;
        }

        return granted;
    }

    /// <summary>A role that is not there gives nothing, nor does one whose purpose does not fit.</summary>
    private PermissionSet PermissionsOf(RoleId id, RolePurpose purpose) =>
        _roles.SingleOrDefault(role => role.Id == id && role.Purpose == purpose)?.Permissions ?? PermissionSet.None;

    /// <summary>From–to instants, half open, and weekly hours.</summary>
    private static bool IsInForce(GrantWindow window, DateTimeOffset at) =>
        !(at < window.From) && !(at >= window.To) && (window.Hours.Length == 0 || new NaiveHours(window.Hours).IsOpen(at));

    /// <summary>Directly, or through a membership whose groups are all enabled; Everyone's grants reach every technician, no contact.</summary>
    public bool Reaches(GrantRow grant, PersonRow person)
    {
        if (grant.Subject.Kind == SubjectKind.Person) return grant.Subject.Id == person.Id.Value;
        var subject = new TechnicianGroupId(grant.Subject.Id);
        if (subject == Everyone.Id) return person.Kind != PersonKind.Contact && IsEnabled(subject);
        return AppointedMemberships(person).Any(membership => IsEnabled(membership) && Upwards(membership).Any(group => group.Id == subject));
    }

    /// <summary>A device, a device group with everything below, all devices.</summary>
    private bool Covers(GrantScope scope, DeviceRow device) => scope.Kind switch
    {
        ScopeKind.Device => scope.Id == device.Id.Value,
        ScopeKind.DeviceGroup => Upwards(device.Group).Any(group => group.Id.Value == scope.Id),
        ScopeKind.AllDevices => true,
        _ => false,
    };

    /// <summary>The default one, named ones, or any. None is meant where the device as such is: then named ones don't count.</summary>
    private bool IsFor(GrantAccounts accounts, DeviceRow device, string? account) => accounts.Rule switch
    {
        AccountRule.Default => account is null || account == DefaultAccount(device),
        AccountRule.Named => account is not null && accounts.Names.Split(',').Contains(account),
        AccountRule.Any => true,
        _ => false,
    };

    /// <summary>Granted ∩ ceiling, without what Recording <em>required</em> forbids, then prerequisites.</summary>
    public PermissionSet Effective(PersonRow person, DeviceRow device, string? account, DateTimeOffset at, IEnumerable<PreapprovedRequest>? inHand = null) =>
        Within(person, device, Granted(person, device, account, at, inHand));

    private PermissionSet Within(PersonRow person, DeviceRow device, PermissionSet granted) =>
        NaiveCatalogue.WithoutUnmet(Recordable(device, WithinCeiling(person, granted)));

    /// <summary>What can't be recorded is refused where recording is required.</summary>
    private PermissionSet Recordable(DeviceRow device, PermissionSet set) =>
        Recording(device) == RecordingRule.Required ? set.Without(Permission.Tunnel) : set;
}
