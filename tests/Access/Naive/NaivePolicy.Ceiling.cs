namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    private PermissionSet WithinCeiling(PersonRow person, PermissionSet set) =>
        PermissionSet.Of([.. set.Where(permission => IsWithinCeiling(person, permission))]);

    /// <summary>
    /// Within, if any enabled membership allows it and no locked deny reaches them through any, enabled or not. Only what is marked G can be
    /// restricted. The owner has no ceiling.
    /// </summary>
    public bool IsWithinCeiling(PersonRow person, Permission permission)
    {
        if (person.Kind == PersonKind.Owner || !NaiveCatalogue.IsRestrictable(permission)) return true;
        return DirectMemberships(person).Any(group => IsEnabled(group) && ValueAt(group, permission) is { Value: PolicyValue.Allow })
            && !HasLockedDeny(person, permission);
    }

    /// <summary>A lock that an upper lock overrules reaches nobody.</summary>
    public bool HasLockedDeny(PersonRow person, Permission permission) =>
        DirectMemberships(person).Any(group => ValueAt(group, permission) is { Locked: true, Value: PolicyValue.Deny });

    /// <summary>The upper lock wins; else the nearest explicit value on the way up. Nothing at all allows nothing.</summary>
    public GroupPermissionRow? ValueAt(TechnicianGroupId group, Permission permission)
    {
        var values = Upwards(group).Select(above => ExplicitAt(above.Id, permission)).OfType<GroupPermissionRow>().ToList();
        return values.LastOrDefault(value => value.Locked) ?? values.FirstOrDefault();
    }

    private GroupPermissionRow? ExplicitAt(TechnicianGroupId group, Permission permission) =>
        _groupPermissions.GetValueOrDefault((group, permission));
}
