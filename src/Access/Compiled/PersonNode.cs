namespace Countersign.Access;

/// <summary>A person with the groups that count for them and everything that those bring.</summary>
internal sealed class PersonNode(PersonRow row)
{
    public PersonRow Row { get; } = row;

    public PersonId Id => Row.Id;

    public bool IsOwner => Row.Kind == PersonKind.Owner;

    public bool IsContact => Row.Kind == PersonKind.Contact;

    /// <summary>Direct memberships, disabled ones included; Everyone alone if there is none.</summary>
    public TechnicianGroupNode[] Groups { get; private set; } = [];

    /// <summary>Where grants come from: the person's own and those of groups through which they reach.</summary>
    public GrantIndex[] Sources { get; private set; } = [];

    /// <summary>What any grant can give this person at all.</summary>
    public PermissionSet Grantable { get; private set; }

    public PermissionSet Ceiling { get; private set; }

    public PermissionSet LockedDenied { get; private set; }

    public GroupConsent Consent { get; private set; }

    /// <summary>A technician group's rule asks for managerial approval of this person's connections.</summary>
    public bool NeedsApproval { get; private set; }

    /// <summary>Only where all of the person's groups agree.</summary>
    public bool SinglePrompt { get; private set; }

    public List<TechnicianGroupNode> DirectMemberships { get; } = [];

    /// <summary>Groups that name this person as administrator.</summary>
    public List<TechnicianGroupNode> Administers { get; } = [];

    /// <summary>Groups that name this person as manager.</summary>
    public List<TechnicianGroupNode> Manages { get; } = [];

    public GrantIndex OwnGrants { get; set; } = GrantIndex.Empty;

    public void Resolve(TechnicianGroupNode everyone)
    {
        Groups = DirectMemberships.Count == 0 ? [everyone] : [.. DirectMemberships];
        ResolveCeiling();
        ResolveSources(everyone);
        foreach (var group in Groups)
        {
            if (group.Consent > Consent) Consent = group.Consent;
            if (group.ApprovalRule is not null) NeedsApproval = true;
        }

        SinglePrompt = Array.TrueForAll(Groups, group => group.Row.SinglePrompt);
    }

    private void ResolveCeiling()
    {
        var allowed = PermissionSet.None;
        foreach (var group in Groups)
        {
            LockedDenied |= group.LockedDenied;
            if (group.IsEnabled) allowed |= group.Allowed;
        }

        Ceiling = IsOwner ? PermissionCatalogue.All : (PermissionCatalogue.All - PermissionCatalogue.Restrictable) | (allowed - LockedDenied);
    }

    private void ResolveSources(TechnicianGroupNode everyone)
    {
        Grantable = IsContact ? PermissionCatalogue.GrantableToContacts : PermissionCatalogue.All;
        var reaching = new HashSet<TechnicianGroupNode>();
        foreach (var group in Groups)
        {
            // A group that is disabled, or below one that is, gives nothing; so the way up is all enabled or of no use.
            if (group.IsEnabled) reaching.UnionWith(group.Upwards());
        }

        if (everyone.IsEnabled) reaching.Add(everyone);
        if (IsContact) reaching.Remove(everyone);
        Sources = [.. reaching.Select(group => group.Grants).Prepend(OwnGrants).Where(grants => grants.All.Length > 0)];
    }
}
