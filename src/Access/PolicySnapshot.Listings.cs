namespace Countersign.Access;

/// <summary>A device that a person may know of.</summary>
/// <param name="Permissions">
/// All that is effective there on some account; what of it may be used when is for <see cref="PolicySnapshot.Decide"/> to say.
/// </param>
public readonly record struct DeviceListing(DeviceRow Device, PermissionSet Permissions);

/// <summary>A person who may know of a device.</summary>
/// <param name="Permissions">All that is effective there on some account.</param>
public readonly record struct PersonListing(PersonRow Person, PermissionSet Permissions);

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// The devices that are visible to the person at that instant, by name; none for people who take no part. Takes time in proportion to
    /// what the person's grants cover.
    /// </summary>
    public IReadOnlyList<DeviceListing> DevicesOf(PersonId person, DateTimeOffset at)
    {
        if (!_model.People.TryGetValue(person, out var node) || !node.TakesPart) return [];
        var listings = new List<DeviceListing>();
        foreach (var device in DevicesWithin(node, at))
        {
            var effective = EffectiveOnSomeAccount(node, device, at);
            if (!effective.IsEmpty) listings.Add(new(device.Row, effective));
        }

        listings.Sort((one, other) => string.CompareOrdinal(one.Device.Name, other.Device.Name));
        return listings;
    }

    /// <summary>All that is effective for the person on the device at that instant, on whichever account; nothing where either is not there.</summary>
    public PermissionSet HeldOn(PersonId person, DeviceId device, DateTimeOffset at) =>
        _model.People.TryGetValue(person, out var node) && node.TakesPart && _model.Devices.TryGetValue(device, out var place)
            ? EffectiveOnSomeAccount(node, place, at)
            : PermissionSet.None;

    /// <summary>The people to whom the device is visible at that instant, by login.</summary>
    public IReadOnlyList<PersonListing> PeopleOf(DeviceId device, DateTimeOffset at)
    {
        if (!_model.Devices.TryGetValue(device, out var node)) return [];
        var listings = new List<PersonListing>();
        foreach (var person in PeopleWithin(node, at))
        {
            var effective = person.TakesPart ? EffectiveOnSomeAccount(person, node, at) : PermissionSet.None;
            if (!effective.IsEmpty) listings.Add(new(person.Row, effective));
        }

        listings.Sort((one, other) => string.CompareOrdinal(one.Person.Login, other.Person.Login));
        return listings;
    }

    /// <summary>
    /// The devices that a grant in force covers, seen or not: all in these groups, each of which stands there itself, and single ones. Null: all of them.
    /// </summary>
    internal (HashSet<DeviceGroupId> Groups, HashSet<DeviceId> Devices)? CoveredBy(PersonId person, DateTimeOffset at)
    {
        if (!_model.People.TryGetValue(person, out var node) || !node.TakesPart) return ([], []);
        return CoverOf(node, at) is var (tops, devices) ? ([.. tops.SelectMany(_model.Downwards).Select(group => group.Id)], [.. devices.Keys]) : null;
    }

    /// <summary>Devices that a grant in force covers, each once; all of them for the owner.</summary>
    private IEnumerable<DeviceNode> DevicesWithin(PersonNode person, DateTimeOffset at)
    {
        if (CoverOf(person, at) is not var (tops, devices)) return _model.Devices.Values;
        var starts = tops.ConvertAll(top => top.Start);
        var alone = devices.Values.Where(device => !IsBelowOne(_model.GroupOf(device)));
        return tops.SelectMany(_model.Downwards).SelectMany(group => _model.ContentOf(group).Devices).Concat(alone);

        bool IsBelowOne(DeviceGroupNode group)
        {
            var place = starts.BinarySearch(group.Start);
            return place >= 0 || (~place > 0 && group.Start < tops[~place - 1].End);
        }
    }

    /// <summary>
    /// Where grants in force are: groups, none of them below another one, in the order of their labels; and single devices, below such a group or not.
    /// Null: everywhere, as for the owner.
    /// </summary>
    private (List<DeviceGroupNode> Tops, Dictionary<DeviceId, DeviceNode> Devices)? CoverOf(PersonNode person, DateTimeOffset at)
    {
        if (person.IsOwner) return null;
        var groups = new List<DeviceGroupNode>();
        var devices = new Dictionary<DeviceId, DeviceNode>();
        foreach (var grant in _model.GrantsOf(person))
        {
            if (!grant.InForce(at) || !(grant.Permissions & person.Grantable).Intersects(person.Ceiling)) continue;
            switch (grant.Row.Scope.Kind)
            {
                case ScopeKind.AllDevices:
                    return null;
                case ScopeKind.DeviceGroup:
                    groups.Add(_model.DeviceGroups.GetValueOrDefault(new(grant.Row.Scope.Id))!);
                    break;
                case ScopeKind.Device:
                    devices.TryAdd(new(grant.Row.Scope.Id), _model.Devices.GetValueOrDefault(new(grant.Row.Scope.Id))!);
                    break;
            }
        }

        groups.Sort((one, other) => one.Start.CompareTo(other.Start));
        var tops = new List<DeviceGroupNode>();
        foreach (var group in groups)
        {
            if (tops.Count == 0 || group.Start >= tops[^1].End) tops.Add(group);
        }

        return (tops, devices);
    }

    /// <summary>People whom a grant in force on the device reaches, each once, and the owner.</summary>
    private IEnumerable<PersonNode> PeopleWithin(DeviceNode device, DateTimeOffset at)
    {
        var found = new HashSet<PersonId>();
        var groups = new HashSet<TechnicianGroupId>();
        foreach (var grant in _model.GrantsOn(device))
        {
            if (!grant.InForce(at)) continue;
            if (grant.Row.Subject.Kind == SubjectKind.Person) found.Add(new(grant.Row.Subject.Id));
            else groups.Add(new(grant.Row.Subject.Id));
        }

        if (_model.Everyone is { } everyone && groups.Contains(everyone.Id)) return _model.People.Values;
        foreach (var id in groups.ToList())
        {
            foreach (var below in _model.Downwards(_model.TechnicianGroups.GetValueOrDefault(id)!))
            {
                if (below.Id == id || groups.Add(below.Id)) found.UnionWith(_model.PeopleOf(below).Members);
            }
        }

        if (_model.Owner is { } owner) found.Add(owner);
        return found.Select(id => _model.People.GetValueOrDefault(id)!);
    }

    /// <summary>
    /// Account by account: a permission on one account and its prerequisite on another don't make it effective on either.
    /// </summary>
    private PermissionSet EffectiveOnSomeAccount(PersonNode person, DeviceNode device, DateTimeOffset at)
    {
        var itself = Reach.Of(_model, person, device, device.AskedByDefault, at);
        if (itself.OnAnyAccount.IsEmpty) return PermissionSet.None;
        var rules = _model.RulesOf(device);
        var effective = Reach.Effective(person, rules, itself.Granted);
        if (itself.OnAnyAccount == itself.Granted) return effective;
        foreach (var account in device.Accounts)
        {
            if (!account.IsDefault) effective |= Reach.Effective(person, rules, Reach.Of(_model, person, device, device.Asked(account.Name), at).Granted);
        }

        return effective;
    }
}
