namespace Countersign.Access;

/// <summary>Access that is asked for ahead.</summary>
public sealed partial class PolicySnapshot
{
    /// <summary>May ask for access to the device ahead of time.</summary>
    public bool MayRequestAccess(PersonId person, DeviceId device, DateTimeOffset at) =>
        _model.Devices.TryGetValue(device, out var node) && new Authority(_model, person, at).Over(node).Contains(Permission.RequestAccess);

    /// <summary>
    /// What of a role would be effective for the person on the account, were it given to them ahead of time: within their ceiling and what the
    /// device's recording rule allows, and without what falls for lack of a prerequisite. Empty also where one of the three is not there.
    /// </summary>
    public PermissionSet WouldHold(PersonId person, DeviceId device, string account, PermissionSet role, DateTimeOffset at)
    {
        if (!_model.People.TryGetValue(person, out var who) || !_model.Devices.TryGetValue(device, out var node) || !node.HasAccount(account)) return PermissionSet.None;
        return Reach.Effective(who, _model.RulesOf(node), Reach.Of(_model, who, node, node.Asked(account), at).Granted | (role & who.Requestable)) & role;
    }

    /// <summary>The devices of a group and of those below it; none where there is no such group.</summary>
    public IReadOnlyList<DeviceRow> DevicesIn(DeviceGroupId group) => _model.DeviceGroups.TryGetValue(group, out var node)
        ? [.. _model.Downwards(node).SelectMany(below => _model.ContentOf(below).Devices).Select(device => device.Row)]
        : [];
}
