namespace Countersign.Access;

/// <summary>Changes that may take away what is allowed.</summary>
internal sealed class Taking(FlipState state)
{
    private const int MostGrants = 20;
    private const int MostGroups = 8;

    private readonly AccessQuestion _question = state.Question;
    private readonly PolicySnapshot _policy = state.Policy;
    private readonly PersonNode _person = state.Person!;
    private readonly DeviceNode _device = state.Device!;

    public IEnumerable<ElementaryChange> Changes() => [.. Ungranted(), .. Left().Take(MostGroups), .. Revoked(), .. Locked(), .. Joined().Take(MostGroups)];

    private IEnumerable<ElementaryChange> Ungranted()
    {
        var account = PolicySnapshot.AccountOf(_question, _device);
        var giving =
            from grant in _person.IsOwner ? [] : _policy.Model.GrantsOf(_person)
            let given = grant.Permissions & state.Needed
            where _policy.Model.Covers(grant.Row.Scope, _device) && grant.InForce(_question.At)
                && (given.Intersects(PermissionCatalogue.ForEveryAccount) || (!given.IsEmpty && grant.IsFor(account)))
            select grant;
        return giving.Take(MostGrants).Select(grant => new ElementaryChange(
            $"Take away the grant of {grant.Role.Name} on {Describe.Scope(_policy, grant.Row.Scope)}.", new PolicyCommand.RemoveGrant(grant.Row.Id), null, null));
    }

    private IEnumerable<ElementaryChange> Left() => _person.DirectMemberships.Select(group => Leaving(_person, group));

    internal static ElementaryChange Leaving(PersonNode person, TechnicianGroupNode group) =>
        new($"Take {person.Row.Name} out of {Describe.Path(group)}.", new PolicyCommand.RemoveMember(group.Id, person.Id), null, null);

    /// <summary>Each request that is in hand is one.</summary>
    private IEnumerable<ElementaryChange> Revoked()
    {
        var approvals = _question.Approvals.IsDefault ? [] : _question.Approvals.Select(approved => approved.Number);
        var ahead = _question.Preapprovals.IsDefault ? [] : _question.Preapprovals.Select(preapproved => preapproved.Number);
        return approvals.Concat(ahead).Distinct().Select(number => new ElementaryChange($"Revoke request #{number}.", null, null, null) { Revoked = number });
    }

    private IEnumerable<ElementaryChange> Locked()
    {
        if (_person.IsOwner) yield break;
        foreach (var permission in state.Needed & PermissionCatalogue.Restrictable)
        {
            // Below a lock there is nothing to say: it is turned where it stands.
            var own = _person.Groups[0];
            var group = own.Resolve(permission) is { Locked: true } upper ? _policy.Model.TechnicianGroups.GetValueOrDefault(upper.Group)! : own;
            var command = new PolicyCommand.SetGroupPermission(group.Id, permission, PolicyValue.Deny, Locked: true);
            yield return new($"Deny {Describe.Label(permission)} at {Describe.Path(group)}, locked.", command, null, null);
        }
    }

    /// <summary>Whom no lock binds, approval and consent bind all the same. To others the lock does it alone.</summary>
    private IEnumerable<ElementaryChange> Joined()
    {
        if (!_person.IsOwner || !_question.Wanted.Intersects(PermissionCatalogue.Connections)) return [];
        return
            from @group in _policy.Model.TechnicianGroups.Values
            where !@group.IsEveryone && !Array.Exists(_person.DirectMemberships, own => own.Id == @group.Id)
            where @group.ApprovalRule is not null || @group.Consent == GroupConsent.Ask || @group.Workflows.Length > 0
            select Joining(_person, @group);
    }

    internal static ElementaryChange Joining(PersonNode person, TechnicianGroupNode group) =>
        new($"Add {person.Row.Name} to {Describe.Path(group)}.", new PolicyCommand.AddMember(group.Id, person.Id), null, null);
}
