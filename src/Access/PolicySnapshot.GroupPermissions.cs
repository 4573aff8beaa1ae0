namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// The row that decides about a permission at a technician group: the upper lock on the way up, else the nearest explicit value.
    /// Null: nothing is said up to the root, which denies, or the group is not there.
    /// </summary>
    public GroupPermissionRow? PermissionAt(TechnicianGroupId group, Permission permission) =>
        _model.TechnicianGroups.GetValueOrDefault(group)?.Resolve(permission);
}
