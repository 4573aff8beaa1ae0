namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    /// <summary>The owner, or whoever holds ManageTechnicians over the section Team.</summary>
    public bool IsMasterAdministrator(PersonRow person, DateTimeOffset at) =>
        TakesPart(person) && (person.Kind == PersonKind.Owner || HoldsOverTeam(person, Permission.ManageTechnicians, at));

    /// <summary>By a grant over the section, with a role for administration; no contact can hold that.</summary>
    public bool HoldsOverTeam(PersonRow person, Permission permission, DateTimeOffset at) =>
        TakesPart(person) && person.Kind != PersonKind.Contact && _grants.Any(grant =>
            grant.Scope.Kind == ScopeKind.Team
            && IsInForce(grant.Window, at)
            && Reaches(grant, person)
            && PermissionsOf(grant.Role, RolePurpose.Administration).Contains(permission));

    /// <summary>What grants over the section give, within the ceiling; contacts can hold none of it.</summary>
    public PermissionSet HeldOverQuickSupport(PersonRow person, DateTimeOffset at)
    {
        if (!TakesPart(person) || person.Kind == PersonKind.Contact) return PermissionSet.None;
        var granted = _grants.Where(grant => grant.Scope.Kind == ScopeKind.QuickSupport && IsInForce(grant.Window, at) && Reaches(grant, person))
            .Aggregate(PermissionSet.None, (all, grant) => all | PermissionsOf(grant.Role, RolePurpose.Invitations));
        return NaiveCatalogue.WithoutUnmet(WithinCeiling(person, granted));
    }

    /// <summary>A group administrator edits groups strictly below the assigned ones; master administrators do so anywhere.</summary>
    public bool MayAdministerGroup(PersonRow person, TechnicianGroupId group, DateTimeOffset at) =>
        IsMasterAdministrator(person, at) || Upwards(group).Skip(1).Any(above => IsAdministratorOf(person, above));

    /// <summary>… and the members of the assigned group.</summary>
    public bool MayAdministerMembers(PersonRow person, TechnicianGroupId group, DateTimeOffset at) =>
        IsMasterAdministrator(person, at) || Upwards(group).Any(above => IsAdministratorOf(person, above));

    /// <summary>A disabled group, and everything below it, gives no administrators.</summary>
    private bool IsAdministratorOf(PersonRow person, TechnicianGroupRow group) =>
        TakesPart(person) && IsEnabled(group.Id) && _administrators.Contains(new(group.Id, person.Id));

    /// <summary>Oneself; everybody to master administrators; a branch to its administrators. In Everyone is everybody but contacts.</summary>
    public bool MaySeePerson(PersonRow asker, PersonRow person, DateTimeOffset at) =>
        TakesPart(asker)
        && (asker.Id == person.Id
            || IsMasterAdministrator(asker, at)
            || MembershipsInside(person).SelectMany(group => Upwards(group)).Any(group => IsAdministratorOf(asker, group)));

    /// <summary>Edited by master administrators and by ManageSecurity within its scope: a grant for named accounts is for those, not for the device.</summary>
    public bool MayManageSecurity(PersonRow person, DeviceRow device, DateTimeOffset at) =>
        TakesPart(person) && (IsMasterAdministrator(person, at) || Effective(person, device, null, at).Contains(Permission.ManageSecurity));

    /// <summary>The same people, and whoever holds ModifyNotifications there.</summary>
    public bool MayModifyNotifications(PersonRow person, DeviceRow device, DateTimeOffset at) =>
        MayManageSecurity(person, device, at) || (TakesPart(person) && Effective(person, device, null, at).Contains(Permission.ModifyNotifications));
}
