namespace Countersign.Access;

/// <summary>What one person may administer and see at one instant. Who is not there, or takes no part, may nothing. Not for several threads at once.</summary>
internal sealed class Authority
{
    /// <summary>Whether something is seen in a device group, without those below it; and with them.</summary>
    private Dictionary<DeviceGroupId, bool>? _seesIn;
    private Dictionary<DeviceGroupId, bool>? _sees;

    private readonly PolicyModel _model;
    private readonly PersonNode? _person;
    private readonly DateTimeOffset _at;

    public Authority(PolicyModel model, PersonId person, DateTimeOffset at)
    {
        _model = model;
        _person = model.People.TryGetValue(person, out var found) && found.Row.TakesPart ? found : null;
        _at = at;
        IsMaster = OverTeam(Permission.ManageTechnicians);
    }

    /// <summary>Null: not there, or takes no part.</summary>
    public PersonNode? Person => _person;

    /// <summary>The owner, or who holds ManageTechnicians over the section Team.</summary>
    public bool IsMaster { get; }

    /// <summary>A permission over the section Team. The owner holds them all.</summary>
    public bool OverTeam(Permission permission)
    {
        if (_person is null) return false;
        if (_person.IsOwner) return PermissionCatalogue.AllowedFor(RolePurpose.Administration).Contains(permission);
        return _person.Grantable.Contains(permission)
            && _person.Ceiling.Contains(permission)
            && (Array.Exists(_person.Tables, table => Gives(table, permission)) || (_person.IsInEveryone && Gives(_model.EveryoneGrants, permission)));
    }

    /// <summary>What the person holds on the device as such: for its default account.</summary>
    public PermissionSet Over(DeviceNode device)
    {
        if (_person is null) return PermissionSet.None;
        return Reach.Effective(_person, _model.RulesOf(device), Reach.Of(_model, _person, device, AccountAsked.TheDeviceItself, _at).Granted);
    }

    /// <summary>What the person holds over everything in a device group.</summary>
    /// <param name="group">Null: over all devices.</param>
    public PermissionSet Over(DeviceGroupNode? group)
    {
        if (_person is null) return PermissionSet.None;
        if (_person.IsOwner) return PermissionCatalogue.OwnerOnDevices;
        var gathering = new Gathering(_model.Phantom, AccountAsked.TheDeviceItself, _at);
        foreach (var table in _person.Tables) table.GatherAt(group?.Start ?? 0, ref gathering);
        if (_person.IsInEveryone) _model.EveryoneGrants.GatherAt(group?.Start ?? 0, ref gathering);
        var granted = gathering.Always | gathering.ByDefault | gathering.Here;
        return PermissionCatalogue.WithoutUnmet(granted & _person.Grantable & _person.Ceiling);
    }

    /// <summary>May edit the group, make groups below it and grant to it: strictly below a group that names the person as administrator.</summary>
    public bool Administers(TechnicianGroupNode group) => IsMaster || (group.Parent is { } parent && InBranch(parent));

    /// <summary>May edit the members of the group, and make groups below it: the assigned groups too.</summary>
    public bool AdministersBranchFrom(TechnicianGroupNode group) => IsMaster || InBranch(group);

    public bool AdministersSomeBranch => IsMaster || (_person is not null && Array.Exists(_person.Administers, group => _model.TechnicianGroups.GetValueOrDefault(group) is { IsEnabled: true }));

    public bool Sees(TechnicianGroupNode group) => IsMaster || InBranch(group);

    public bool Sees(PersonNode person) =>
        IsMaster
        || (_person is not null && (person.Id == _person.Id || Array.Exists(person.Groups, group => InBranch(group) && !(person.IsContact && group.IsEveryone))))
        || (!person.IsContact && _model.Everyone is { } everyone && InBranch(everyone));

    public bool Sees(DeviceNode device) =>
        IsMaster
        || (_person is not null && !Reach.Effective(_person, _model.RulesOf(device), Reach.Of(_model, _person, device, AccountAsked.TheDeviceItself, _at).OnAnyAccount).IsEmpty);

    /// <summary>
    /// A device group is seen by whoever holds anything over it or sees a device in it. What is held over it is cheap to say; below it may be everything there is, so that
    /// however many groups are asked about, and however often, no device is looked at twice.
    /// </summary>
    public bool Sees(DeviceGroupNode group)
    {
        if (IsMaster || !Over(group).IsEmpty) return true;
        var known = _sees ??= [];
        if (known.TryGetValue(group.Id, out var sees)) return sees;
        var passed = new List<DeviceGroupId>();
        foreach (var below in _model.Downwards(group))
        {
            if (SeesIn(below)) return known[group.Id] = true;
            passed.Add(below.Id);
        }

        // Nothing is seen in the whole of it, and so in no part.
        foreach (var below in passed) known[below] = false;
        return false;
    }

    private bool SeesIn(DeviceGroupNode group)
    {
        var known = _seesIn ??= [];
        if (known.TryGetValue(group.Id, out var sees)) return sees;
        return known[group.Id] = !Over(group).IsEmpty || Array.Exists(_model.ContentOf(group).Devices, Sees);
    }

    // A disabled group names no administrators.
    private bool InBranch(TechnicianGroupNode group) =>
        _person is { IsContact: false } && Array.Exists(
            _person.Administers,
            id => _model.TechnicianGroups.GetValueOrDefault(id) is { IsEnabled: true } assigned && group.IsAtOrBelow(assigned));

    private bool Gives(GrantTable table, Permission permission) =>
        Array.Exists(table.Sections, grant => grant.Row.Scope.Kind == ScopeKind.Team && grant.Permissions.Contains(permission) && grant.InForce(_at));
}
