namespace Countersign.Access;

/// <summary>Who may administer and see what. Ids that are not there, and people who take no part, are answered with false.</summary>
public sealed partial class PolicySnapshot
{
    /// <summary>The owner, or whoever holds ManageTechnicians over the section Team.</summary>
    public bool IsMasterAdministrator(PersonId person, DateTimeOffset at) => new Authority(_model, person, at).IsMaster;

    /// <summary>
    /// Until when what the person may administer and see stays what it is at the instant, while the policy stays: the earliest later instant at which a grant that
    /// reaches them comes into force or ends. Null: no such instant is known, nor is there one for who takes no part.
    /// </summary>
    public DateTimeOffset? AuthorityHoldsUntil(PersonId person, DateTimeOffset at) => new Authority(_model, person, at).Person is { } found
        ? _model.GrantsOf(found).Aggregate((DateTimeOffset?)null, (until, grant) => Reach.Earlier(until, grant.NextChange(at)))
        : null;

    /// <summary>A permission for <em>Administration</em>, over the section Team.</summary>
    public bool HoldsOverTeam(PersonId person, Permission permission, DateTimeOffset at) => new Authority(_model, person, at).OverTeam(permission);

    /// <summary>A permission on the device as such (no account is meant, and none of the rules for connections bind).</summary>
    public bool HoldsOn(PersonId person, DeviceId device, Permission permission, DateTimeOffset at) =>
        _model.Devices.TryGetValue(device, out var node) && new Authority(_model, person, at).Over(node).Contains(permission);

    /// <summary>A permission over everything in the device group; null: over all devices.</summary>
    public bool HoldsOver(PersonId person, DeviceGroupId? group, Permission permission, DateTimeOffset at)
    {
        DeviceGroupNode? node = null;
        return (group is not { } id || _model.DeviceGroups.TryGetValue(id, out node)) && new Authority(_model, person, at).Over(node).Contains(permission);
    }

    /// <summary>Edit the group itself: master administrators, and administrators of a group above it.</summary>
    public bool MayAdministerGroup(PersonId person, TechnicianGroupId group, DateTimeOffset at) =>
        _model.TechnicianGroups.TryGetValue(group, out var node) && new Authority(_model, person, at).Administers(node);

    /// <summary>Edit the group's members and make groups below it: master administrators, and administrators of it or of a group above it.</summary>
    public bool MayAdministerMembers(PersonId person, TechnicianGroupId group, DateTimeOffset at) =>
        _model.TechnicianGroups.TryGetValue(group, out var node) && new Authority(_model, person, at).AdministersBranchFrom(node);

    public bool MayModifyDevice(PersonId person, DeviceId device, DateTimeOffset at) => MayOn(person, device, Permission.ModifyDevice, at);

    public bool MayDeleteDevice(PersonId person, DeviceId device, DateTimeOffset at) => MayOn(person, device, Permission.DeleteDevice, at);

    /// <summary>Add devices to the group, and move devices into it.</summary>
    public bool MayAddDevices(PersonId person, DeviceGroupId group, DateTimeOffset at)
    {
        if (!_model.DeviceGroups.TryGetValue(group, out var node)) return false;
        var authority = new Authority(_model, person, at);
        return authority.IsMaster || authority.Over(node).Contains(Permission.ModifyDevice);
    }

    /// <summary>Edit the settings from the node down.</summary>
    public bool MayManageSecurity(PersonId person, SettingNode node, DateTimeOffset at)
    {
        var authority = new Authority(_model, person, at);
        return RulesAt(node) is not null && (authority.IsMaster || HeldAt(authority, node).Contains(Permission.ManageSecurity));
    }

    /// <summary>Name further recipients of notifications from the node down; who may manage security there may take them away as well.</summary>
    public bool MayModifyNotifications(PersonId person, SettingNode node, DateTimeOffset at)
    {
        var authority = new Authority(_model, person, at);
        return RulesAt(node) is not null && (authority.IsMaster || HeldAt(authority, node).Intersects(PermissionSet.Of(Permission.ManageSecurity, Permission.ModifyNotifications)));
    }

    /// <summary>Oneself; everybody to master administrators; a branch to its administrators.</summary>
    public bool MaySeePerson(PersonId asker, PersonId person, DateTimeOffset at) =>
        _model.People.TryGetValue(person, out var node) && new Authority(_model, asker, at).Sees(node);

    public bool MaySeeTechnicianGroup(PersonId asker, TechnicianGroupId group, DateTimeOffset at) =>
        _model.TechnicianGroups.TryGetValue(group, out var node) && new Authority(_model, asker, at).Sees(node);

    /// <summary>Whoever holds anything effective there, on any account; all devices to master administrators.</summary>
    public bool MaySeeDevice(PersonId asker, DeviceId device, DateTimeOffset at) =>
        _model.Devices.TryGetValue(device, out var node) && new Authority(_model, asker, at).Sees(node);

    public bool MaySeeDeviceGroup(PersonId asker, DeviceGroupId group, DateTimeOffset at) =>
        _model.DeviceGroups.TryGetValue(group, out var node) && new Authority(_model, asker, at).Sees(node);

    /// <summary>The same for many groups, one after the other: what was looked at for one is not looked at again for the next. Not for several threads at once.</summary>
    public Func<DeviceGroupId, bool> DeviceGroupsSeenBy(PersonId asker, DateTimeOffset at)
    {
        var authority = new Authority(_model, asker, at);
        return group => _model.DeviceGroups.TryGetValue(group, out var node) && authority.Sees(node);
    }

    internal PermissionSet HeldAt(Authority authority, SettingNode node) => node.Kind switch
    {
        SettingNodeKind.Organization => authority.Over(group: null),
        SettingNodeKind.DeviceGroup when _model.DeviceGroups.TryGetValue(new(node.Id), out var group) => authority.Over(group),
        SettingNodeKind.Device when _model.Devices.TryGetValue(new(node.Id), out var device) => authority.Over(device),
        _ => PermissionSet.None,
    };

    private bool MayOn(PersonId person, DeviceId device, Permission permission, DateTimeOffset at)
    {
        if (!_model.Devices.TryGetValue(device, out var node)) return false;
        var authority = new Authority(_model, person, at);
        return authority.IsMaster || authority.Over(node).Contains(permission);
    }
}
