namespace Countersign.Access;

/// <summary>A person with the groups that count for them and everything that those bring.</summary>
internal sealed class PersonNode
{
    // Two threads that work it out at once come to the same.
    private PermissionOptions? _options;

    /// <param name="groups">Direct memberships.</param>
    /// <param name="administers">Groups that name the person as administrator.</param>
    /// <param name="manages">Groups that name the person as manager.</param>
    /// <param name="externalGroups">Of a contact.</param>
    public PersonNode(
        PersonRow row,
        TechnicianGroupNode[] groups,
        TechnicianGroupNode everyone,
        TechnicianGroupId[] administers,
        TechnicianGroupId[] manages,
        ExternalGroupId[] externalGroups,
        CompiledGrant[] ownGrants,
        GrantTable ownTable)
    {
        Row = row;
        TakesPart = row.TakesPart;
        IsOwner = row.Kind == PersonKind.Owner;
        IsContact = row.Kind == PersonKind.Contact;
        DirectMemberships = groups;
        Administers = administers;
        Manages = manages;
        ExternalGroups = externalGroups;
        OwnGrants = ownGrants;
        OwnTable = ownTable;
        Groups = groups.Length == 0 ? [everyone] : groups;
        Grantable = IsContact ? PermissionCatalogue.GrantableToContacts : PermissionCatalogue.All;
        IsInEveryone = !IsContact && everyone.IsEnabled;
        SinglePrompt = Array.TrueForAll(Groups, group => group.Row.SinglePrompt) && Array.Exists(Groups, group => group.IsEnabled);
        var allowed = PermissionSet.None;
        var tables = 0;
        foreach (var group in Groups)
        {
            LockedDenied |= group.LockedDenied;
            if (group.Consent > Consent) Consent = group.Consent;
            if (group.ApprovalRule is not null) NeedsApproval = true;
            if (!group.IsEnabled) continue;
            allowed |= group.Allowed;
            tables += group.Tables.Length;
        }

        Workflows = Array.TrueForAll(Groups, group => group.Workflows.Length == 0)
            ? []
            : [.. Groups.SelectMany(group => group.Workflows).Where(workflow => !IsContact || !workflow.Group.IsEveryone).DistinctBy(workflow => workflow.Id).OrderBy(workflow => workflow.Id.Value)];
        Ceiling = IsOwner ? PermissionCatalogue.All : (PermissionCatalogue.All - PermissionCatalogue.Restrictable) | (allowed - LockedDenied);
        Marks = DeviceNode.Mark(row.Id.Value);
        foreach (var group in Groups) Marks |= group.Marks;
        Tables = tables == 0 ? ownTable.Count == 0 ? [] : [ownTable] : Gather(ownTable, Groups);
    }

    public PersonRow Row { get; }

    public PersonId Id => Row.Id;

    public bool TakesPart { get; }

    public bool IsOwner { get; }

    public bool IsContact { get; }

    /// <summary>The grants to Everyone reach them.</summary>
    public bool IsInEveryone { get; }

    /// <summary>Direct memberships, disabled ones included; Everyone alone if there is none.</summary>
    public TechnicianGroupNode[] Groups { get; }

    public TechnicianGroupNode[] DirectMemberships { get; }

    public TechnicianGroupId[] Administers { get; }

    public TechnicianGroupId[] Manages { get; }

    public ExternalGroupId[] ExternalGroups { get; }

    public CompiledGrant[] OwnGrants { get; }

    public GrantTable OwnTable { get; }

    /// <summary>The person's own grants and those of groups through which they reach; not Everyone's.</summary>
    public GrantTable[] Tables { get; }

    /// <summary>Of the subjects whose grants may reach the person; see <see cref="DeviceNode.GrantMarks"/>.</summary>
    public ulong Marks { get; }

    /// <summary>What any grant can give this person at all.</summary>
    public PermissionSet Grantable { get; }

    /// <summary>What an approved request can give this person at all: a role on devices holds nothing else, and nothing gives the owner SkipConsent.</summary>
    public PermissionSet Requestable => IsOwner ? PermissionCatalogue.OwnerOnDevices : PermissionCatalogue.OnDevices;

    public PermissionSet Ceiling { get; }

    public PermissionSet LockedDenied { get; }

    public GroupConsent Consent { get; }

    /// <summary>A technician group's rule asks for managerial approval of this person's connections.</summary>
    public bool NeedsApproval { get; }

    /// <summary>Worked out when first asked.</summary>
    public PermissionOptions Options => _options ??= new([.. IsOwner ? PermissionOptions.Widest : GroupOptions.Of(Groups)]) { SinglePrompt = SinglePrompt, ApprovedExternals = IsOwner ? [] : GroupOptions.ApprovedExternals(Groups) };

    /// <summary>Those for a group that the person is a member of, whatever devices they are for. In Everyone are technicians, no contacts.</summary>
    public WorkflowNode[] Workflows { get; }

    /// <summary>Asking once is a relief for whoever connects: only where all of the person's groups give it, and one of those is enabled.</summary>
    public bool SinglePrompt { get; }

    // Memberships of groups below each other bring the upper one's table twice.
    private static GrantTable[] Gather(GrantTable own, TechnicianGroupNode[] groups)
    {
        var tables = new List<GrantTable>(groups.Length + 1);
        if (own.Count > 0) tables.Add(own);
        foreach (var group in groups)
        {
            if (!group.IsEnabled) continue;
            foreach (var table in group.Tables)
            {
                if (!tables.Contains(table)) tables.Add(table);
            }
        }

        return [.. tables];
    }
}
