namespace Countersign.Access;

/// <summary>What preapproved access in hand adds to the answer.</summary>
public sealed partial class PolicySnapshot
{
    /// <summary>How access that begins with its first use, and has not begun, is looked at.</summary>
    private enum Pending : byte
    {
        /// <summary>As it is: open until its latest start.</summary>
        Counts,

        /// <summary>As if it had begun with this question and lasted for ever.</summary>
        Stays,

        /// <summary>Not at all.</summary>
        Ignored,
    }

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
        return Reach.Effective(who, _model.RulesOf(node), Reach.Of(_model, who, node, node.Asked(account), at).Granted | role) & role;
    }

    /// <summary>The devices of a group and of those below it; none where there is no such group.</summary>
    public IReadOnlyList<DeviceRow> DevicesIn(DeviceGroupId group) => _model.DeviceGroups.TryGetValue(group, out var node)
        ? [.. _model.Downwards(node).SelectMany(below => _model.ContentOf(below).Devices).Select(device => device.Row)]
        : [];

    internal PermissionSet GrantedWithEvidence(in AccessQuestion question, PersonNode person, DeviceNode device, in AccountAsked account) =>
        ReachWithEvidence(question, person, device, account, question.At).Granted;

    private Reach ReachWithEvidence(
        in AccessQuestion question,
        PersonNode person,
        DeviceNode device,
        in AccountAsked account,
        DateTimeOffset at)
    {
        var reach = Reach.Of(_model, person, device, account, at);
        if (question.Preapprovals.IsDefaultOrEmpty) return reach;
        var (granted, anywhere, timeless, next) = reach;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(person.Id, device.Id)) continue;
            next = Reach.Earlier(next, request.NextChange(at));
            if (!request.IsOpen(at)) continue;

            // Nothing gives the owner SkipConsent.
            var given = person.IsOwner ? request.Permissions.Without(Permission.SkipConsent) : request.Permissions;
            if (device.HasAccount(request.Account)) anywhere |= given;
            if (request.IsFor(account.Name)) granted |= given;
        }

        return new(granted | (anywhere & PermissionCatalogue.ForEveryAccount), anywhere, timeless, next);
    }
}
