using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>A technician group with everything that comes down to it from above. What hangs on it is in <see cref="GroupPeople"/>.</summary>
internal sealed class TechnicianGroupNode
{
    /// <summary>Up to so many grants of groups above are put in one table with a group's own, so that a question looks once instead of at each level.</summary>
    private const int MostMerged = 4096;

    private readonly PermissionSet _nearAllowed;
    private readonly PermissionSet _locked;
    private readonly PermissionSet _lockedAllowed;

    public TechnicianGroupNode(TechnicianGroupRow row, TechnicianGroupNode? parent, int index, GroupPermissionRow[] own, CompiledGrant[] ownGrants, WorkflowRow[] workflows)
    {
        Row = row;
        Parent = parent;
        Index = index;
        Own = own;
        OwnGrants = ownGrants;
        ApprovalRule = row.RequiresManagerialApproval ? this : parent?.ApprovalRule;
        Marks = DeviceNode.Mark(row.Id.Value) | (parent?.Marks ?? 0);
        Options = GroupOptions.Below(parent?.Options, own);
        ApprovedExternals = row.ApprovedExternals is { } externals ? ApprovedBy(row, externals) : parent?.ApprovedExternals ?? [];
        OwnWorkflows = workflows;
        WorkflowNode[] above = parent?.Workflows ?? [];
        Workflows = workflows.Length == 0 ? above : [.. above, .. workflows.Select(workflow => new WorkflowNode(workflow, StepsOf(workflow), this))];
        IsEnabled = row.Enabled && (parent is null || parent.IsEnabled);
        Consent = parent is null || row.Consent > parent.Consent ? row.Consent : parent.Consent;
        var (said, allowed, locked) = (PermissionSet.None, PermissionSet.None, PermissionSet.None);
        foreach (var value in own)
        {
            said = said.With(value.Permission);
            if (value.Value == PolicyValue.Allow) allowed = allowed.With(value.Permission);
            if (value.Locked) locked = locked.With(value.Permission);
        }

        var (nearAbove, lockedAbove, lockedAllowedAbove) = parent is null ? default : (parent._nearAllowed, parent._locked, parent._lockedAllowed);
        _nearAllowed = (nearAbove - said) | allowed;
        _locked = lockedAbove | locked;
        _lockedAllowed = lockedAllowedAbove | ((locked & allowed) - lockedAbove);
        Allowed = _lockedAllowed | (_nearAllowed - _locked);
        LockedDenied = _locked - _lockedAllowed;
    }

    public TechnicianGroupRow Row { get; }

    public TechnicianGroupNode? Parent { get; }

    public TechnicianGroupId Id => Row.Id;

    /// <summary>Its place in the tables of the model.</summary>
    public int Index { get; }

    public bool IsEveryone => Parent is null;

    /// <summary>A disabled group disables everything below it.</summary>
    public bool IsEnabled { get; }

    /// <summary>The nearest group on the way up that asks for managerial approval; null: none does.</summary>
    public TechnicianGroupNode? ApprovalRule { get; }

    /// <summary>The strictest value of this group and those above.</summary>
    public GroupConsent Consent { get; }

    /// <summary>Explicit values.</summary>
    public GroupPermissionRow[] Own { get; }

    public CompiledGrant[] OwnGrants { get; }

    /// <summary>Of this group and those above it; see <see cref="DeviceNode.GrantMarks"/>.</summary>
    public ulong Marks { get; }

    public GroupOptions Options { get; }

    /// <summary>By the nearest group on the way up that says.</summary>
    public ImmutableArray<ExternalGroupId> ApprovedExternals { get; }

    public WorkflowRow[] OwnWorkflows { get; }

    /// <summary>Of this group and those above it.</summary>
    public WorkflowNode[] Workflows { get; }

    /// <summary>Own grants and those of the groups above, Everyone's aside; nothing where the group is disabled.</summary>
    public GrantTable[] Tables { get; private set; } = [];

    /// <summary>What the resolved values allow; a value that is missing at the root denies.</summary>
    public PermissionSet Allowed { get; }

    /// <summary>Denied by the upper lock on the way up: binds members even where the group is disabled.</summary>
    public PermissionSet LockedDenied { get; }

    private static ImmutableArray<ExternalGroupId> ApprovedBy(TechnicianGroupRow row, string externals) =>
        ExternalGroups.TryRead(externals, out var groups) ? groups.Value : throw new PolicyException($"{row.Key}: '{externals}' is no list of external groups");

    private static ImmutableArray<WorkflowStep> StepsOf(WorkflowRow row) =>
        WorkflowSteps.TryParse(row.Steps, out var steps, out var problem) ? steps.Value : throw new PolicyException($"{row.Key}: {problem}");

    /// <summary>This group and those above it, itself first.</summary>
    public IEnumerable<TechnicianGroupNode> Upwards()
    {
        for (var group = this; group is not null; group = group.Parent) yield return group;
    }

    public bool IsAtOrBelow(TechnicianGroupNode other)
    {
        for (var group = this; group is not null; group = group.Parent)
        {
            if (group.Index == other.Index) return true;
        }

        return false;
    }

    public GroupPermissionRow? OwnValue(Permission permission) => Array.Find(Own, row => row.Permission == permission);

    /// <summary>The row that decides: the upper lock, else the nearest explicit value; null: nothing is said up to the root.</summary>
    public GroupPermissionRow? Resolve(Permission permission)
    {
        GroupPermissionRow? nearest = null, locked = null;
        foreach (var group in Upwards())
        {
            if (group.OwnValue(permission) is not { } own) continue;
            nearest ??= own;
            if (own.Locked) locked = own;
        }

        return locked ?? nearest;
    }

    /// <summary>Puts the grants of the way up together; those above must have theirs.</summary>
    /// <param name="before">The version before, whose tables are good while nothing on the way changed them.</param>
    public void MakeTables(TechnicianGroupNode? before)
    {
        if (!IsEnabled || Parent is null) return;
        if (before is { IsEnabled: true, Parent: not null } && before.OwnGrants == OwnGrants && before.Parent.Tables == Parent.Tables) Tables = before.Tables;
        else if (OwnGrants.Length == 0) Tables = Parent.Tables;
        else if (Parent.Tables is [.. var others, var last] && last.Count + OwnGrants.Length <= MostMerged) Tables = [.. others, new(last, OwnGrants)];
        else Tables = [.. Parent.Tables, new(null, OwnGrants)];
    }
}

/// <summary>Who and what hangs on a technician group.</summary>
internal sealed record GroupPeople(PersonId[] Members, PersonId[] Managers, PersonId[] Administrators, TechnicianGroupId[] Children)
{
    public static GroupPeople Nobody { get; } = new([], [], [], []);
}
