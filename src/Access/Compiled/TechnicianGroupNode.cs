namespace Countersign.Access;

/// <summary>A technician group with everything that comes down to it from above.</summary>
internal sealed class TechnicianGroupNode(TechnicianGroupRow row, TechnicianGroupNode? parent)
{
    public TechnicianGroupRow Row { get; } = row;

    public TechnicianGroupNode? Parent { get; } = parent;

    public TechnicianGroupId Id => Row.Id;

    public bool IsEveryone => Parent is null;

    /// <summary>A disabled group disables everything below it.</summary>
    public bool IsEnabled { get; } = row.Enabled && (parent is null || parent.IsEnabled);

    /// <summary>The nearest group on the way up that asks for managerial approval; null: none does.</summary>
    public TechnicianGroupNode? ApprovalRule => Row.RequiresManagerialApproval ? this : Parent?.ApprovalRule;

    /// <summary>A rule of this group, one above or one below asks this group's managers for approval, or could.</summary>
    public bool IsUnderApproval => ApprovalRule is not null || Downwards().Any(below => below.Row.RequiresManagerialApproval);

    /// <summary>The strictest value of this group and those above.</summary>
    public GroupConsent Consent { get; } = parent is null || row.Consent > parent.Consent ? row.Consent : parent.Consent;

    public List<TechnicianGroupNode> Children { get; } = [];

    public List<PersonNode> Members { get; } = [];

    public List<PersonNode> Managers { get; } = [];

    public List<PersonNode> Administrators { get; } = [];

    public Dictionary<Permission, GroupPermissionRow> Own { get; } = [];

    public GrantIndex Grants { get; set; } = GrantIndex.Empty;

    /// <summary>What the resolved values allow; a value that is missing at the root denies.</summary>
    public PermissionSet Allowed { get; private set; }

    /// <summary>Denied by the upper lock on the way up: binds members even where the group is disabled.</summary>
    public PermissionSet LockedDenied { get; private set; }

    /// <summary>This group and those above it, itself first.</summary>
    public IEnumerable<TechnicianGroupNode> Upwards()
    {
        for (var group = this; group is not null; group = group.Parent) yield return group;
    }

    /// <summary>This group and those below it.</summary>
    public IEnumerable<TechnicianGroupNode> Downwards() => Children.SelectMany(child => child.Downwards()).Prepend(this);

    public bool IsAtOrBelow(TechnicianGroupNode other) => Upwards().Contains(other);

    /// <summary>The row that decides: the upper lock, else the nearest explicit value; null: nothing is said up to the root.</summary>
    public GroupPermissionRow? Resolve(Permission permission)
    {
        GroupPermissionRow? nearest = null, locked = null;
        foreach (var group in Upwards())
        {
            if (!group.Own.TryGetValue(permission, out var own)) continue;
            nearest ??= own;
            if (own.Locked) locked = own;
        }

        return locked ?? nearest;
    }

    /// <summary>Works out the values; those above must be worked out before.</summary>
    public void ResolveAll()
    {
        foreach (var permission in PermissionCatalogue.Restrictable)
        {
            if (Resolve(permission) is not { } value) continue;
            if (value.Value == PolicyValue.Allow) Allowed = Allowed.With(permission);
            else if (value.Locked) LockedDenied = LockedDenied.With(permission);
        }
    }
}
