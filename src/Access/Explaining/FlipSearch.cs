using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>
/// Looks for elementary changes that turn an answer from allowed to not, or back: a grant, a membership, a lock or a request. One if one of those that are
/// tried does it, else two. Each is tried on the policy itself, so that what is suggested surely does it; that there are no fewer is sure only as far
/// as <see cref="MostTried"/> of them reach, of which grants to take away are half at most.
/// </summary>
internal sealed class FlipSearch
{
    private const int MostTried = 40;

    private readonly PolicySnapshot _snapshot;
    private readonly PolicyModel _model;
    private readonly AccessQuestion _question;
    private readonly GrantId _fresh;
    private readonly DecisionKind _kind;
    private readonly DenialReason _reason;

    public FlipSearch(PolicySnapshot snapshot, in AccessQuestion question, GrantId fresh)
    {
        _snapshot = snapshot;
        _model = snapshot.Model;
        _question = question;
        _fresh = fresh;
        var decision = snapshot.Decide(question);
        (_kind, _reason) = (decision.Kind, decision.Reason);
    }

    private bool IsAllowed => _kind == DecisionKind.Allowed;

    public SmallestChange? Find()
    {
        if (!IsMendable || !_model.People.TryGetValue(_question.Subject, out var person) || !_model.Devices.TryGetValue(_question.Device, out var device)) return null;
        var elements = (IsAllowed ? Taking(person, device) : Giving(person, device)).Take(MostTried).ToList();
        foreach (var element in elements)
        {
            if (Flips(element)) return new([element]);
        }

        for (var first = 0; first < elements.Count; first++)
        {
            for (var second = first + 1; second < elements.Count; second++)
            {
                if (Flips(elements[first], elements[second])) return new([elements[first], elements[second]]);
            }
        }

        return IsAllowed ? null : Asking(person, device);
    }

    /// <summary>Who may not ask yet, and then asks.</summary>
    private SmallestChange? Asking(PersonNode person, DeviceNode device)
    {
        if (device.Asked(_question.Account).Name is not { } account) return null;
        var mayAsk = new ElementaryChange(
            $"Grant {SystemRoles.RequestsAccess.Name} on {device.Row.Name} to {person.Row.Name}.",
            new PolicyCommand.AddGrant(_fresh, GrantSubject.To(person.Id), GrantScope.Of(device.Id), SystemRoles.RequestsAccess.Id, GrantAccounts.Default, GrantWindow.Always), null, null);
        foreach (var ahead in Ahead(person, device, account))
        {
            if (Flips(mayAsk, ahead)) return new([mayAsk, ahead]);
        }

        return null;
    }

    /// <summary>What comes before all rights is mended by none: how somebody signed in and from where, what is switched off, when it is.</summary>
    private bool IsMendable => _reason is DenialReason.None or >= DenialReason.NotGranted;

    private IEnumerable<ElementaryChange> Giving(PersonNode person, DeviceNode device)
    {
        var needed = PermissionCatalogue.WithPrerequisites(PolicySnapshot.Needed(_question));
        if (device.Asked(_question.Account).Name is { } account)
        {
            foreach (var request in Requests(person, device, account, needed)) yield return request;
        }

        // Where consent can't be had, nothing is lacking but to be spared it.
        var lacking = _reason == DenialReason.ConsentImpossible
            ? PermissionSet.Of(Permission.SkipConsent)
            : needed - _snapshot.GrantedWithEvidence(_question, person, device, device.Asked(_question.Account));
        if (lacking.IsEmpty) lacking = needed;
        var roles = SystemRoles.All.Concat(_model.CustomRoles.Values).Where(role => role.Purpose == RolePurpose.DevicesAndGroups && role.Permissions.Covers(lacking));
        if (!person.IsOwner && person.Grantable.Covers(lacking) && roles.MinBy(role => role.Permissions.Count) is { } role)
        {
            var accounts = _question.Account is { } named ? new GrantAccounts(AccountRule.Named, named) : GrantAccounts.Default;
            var command = new PolicyCommand.AddGrant(_fresh, GrantSubject.To(person.Id), GrantScope.Of(device.Id), role.Id, accounts, GrantWindow.Always);
            yield return new($"Grant {role.Name} on {device.Row.Name} to {person.Row.Name}.", command, null, null);
        }

        foreach (var group in person.DirectMemberships)
        {
            foreach (var permission in needed)
            {
                if (!PermissionCatalogue.Restrictable.Contains(permission) || group.Resolve(permission) is not { Value: PolicyValue.Deny } row) continue;
                foreach (var change in Unlock(row)) yield return change;
            }

            yield return Leave(person, group);
        }

        foreach (var permission in needed)
        {
            if (PermissionCatalogue.Restrictable.Contains(permission) && _model.Everyone?.OwnValue(permission) is { Value: PolicyValue.Deny } row)
            {
                foreach (var change in Unlock(row)) yield return change;
            }
        }

        if (person.IsContact || person.IsOwner) yield break;
        var bringing = _model.GrantsOn(device)
            .Where(grant => grant.Row.Subject.Kind == SubjectKind.TechnicianGroup && grant.Permissions.Intersects(needed) && grant.InForce(_question.At))
            .OrderByDescending(grant => (grant.Permissions & needed).Count)
            .Select(grant => _model.TechnicianGroups.GetValueOrDefault(new(grant.Row.Subject.Id))!)
            .Where(group => group is { IsEnabled: true, IsEveryone: false } && !Array.Exists(person.DirectMemberships, own => own.Id == group.Id))
            .DistinctBy(group => group.Id)
            .Take(10);
        foreach (var group in bringing)
        {
            yield return new($"Add {person.Row.Name} to {Describe.Path(group)}.", new PolicyCommand.AddMember(group.Id, person.Id), null, null);
        }
    }

    private IEnumerable<ElementaryChange> Taking(PersonNode person, DeviceNode device)
    {
        var needed = PermissionCatalogue.WithPrerequisites(_question.Wanted);
        var giving = _model.GrantsOf(person).Where(grant => grant.Permissions.Intersects(needed) && _model.Covers(grant.Row.Scope, device) && grant.InForce(_question.At));
        foreach (var grant in giving.Take(MostTried / 2))
        {
            yield return new($"Take away the grant of {grant.Role.Name} on {Describe.Scope(_snapshot, grant.Row.Scope)}.", new PolicyCommand.RemoveGrant(grant.Row.Id), null, null);
        }

        foreach (var group in person.DirectMemberships) yield return Leave(person, group);
        if (_question.Approvals is { IsDefaultOrEmpty: false } || _question.Preapprovals is { IsDefaultOrEmpty: false })
        {
            yield return new("Revoke the approved requests in hand.", null, null, null);
        }

        foreach (var permission in _question.Wanted & PermissionCatalogue.Restrictable)
        {
            // Below a lock there is nothing to say: it is turned where it stands.
            var group = person.Groups[0].Resolve(permission) is { Locked: true } upper ? _model.TechnicianGroups.GetValueOrDefault(upper.Group)! : person.Groups[0];
            var command = new PolicyCommand.SetGroupPermission(group.Id, permission, PolicyValue.Deny, Locked: true);
            yield return new($"Deny {Describe.Label(permission)} at {Describe.Path(group)}, locked.", command, null, null);
        }
    }

    private IEnumerable<ElementaryChange> Unlock(GroupPermissionRow row)
    {
        var path = Describe.Path(_model.TechnicianGroups.GetValueOrDefault(row.Group)!);
        var label = Describe.Label(row.Permission);
        if (row.Locked) yield return new($"Unlock {label} at {path}.", new PolicyCommand.SetGroupPermission(row.Group, row.Permission, row.Value, Locked: false), null, null);
        yield return new($"Allow {label} at {path}, not locked.", new PolicyCommand.SetGroupPermission(row.Group, row.Permission, PolicyValue.Allow, Locked: false), null, null);
    }

    private static ElementaryChange Leave(PersonNode person, TechnicianGroupNode group) =>
        new($"Take {person.Row.Name} out of {Describe.Path(group)}.", new PolicyCommand.RemoveMember(group.Id, person.Id), null, null);

    /// <summary>Requests that are approved: ahead of time where a role may be asked for, else at connect time with all the steps.</summary>
    private IEnumerable<ElementaryChange> Requests(PersonNode person, DeviceNode device, string account, PermissionSet needed)
    {
        if (_kind == DecisionKind.MayBeRequested) return Ahead(person, device, account);
        ImmutableArray<ApprovalStepId> steps = [.. _snapshot.ApprovalSteps(_question).Select(step => step.Id)];
        var approved = new ApprovedRequest(0, person.Id, device.Id, account, needed | _question.Wanted.With(Permission.UnattendedAccess), _question.Source, _question.At, null, steps);
        return [new($"Approve a request for the connection to {device.Row.Name}.", null, approved, null)];
    }

    private IEnumerable<ElementaryChange> Ahead(PersonNode person, DeviceNode device, string account) =>
        from role in _snapshot.Supplying(_question, person, device)
        let time = new RequestTime.FromApproval(TimeSpan.FromHours(1))
        let ahead = new PreapprovedRequest(0, person.Id, [device.Id], account, role.Permissions, _question.At, time, [])
        select new ElementaryChange($"Approve a request for {role.Name} on {device.Row.Name}.", null, null, ahead);

    private bool Flips(params ReadOnlySpan<ElementaryChange> changes)
    {
        var (policy, question) = (_snapshot, _question);
        foreach (var change in changes)
        {
            if (change is { Command: null, Approved: null, Preapproved: null }) question = question with { Approvals = [], Preapprovals = [] };
            if (change.Approved is { } approved) question = question with { Approvals = question.Approvals.IsDefault ? [approved] : question.Approvals.Add(approved) };
            if (change.Preapproved is { } ahead) question = question with { Preapprovals = question.Preapprovals.IsDefault ? [ahead] : question.Preapprovals.Add(ahead) };
            if (change.Command is null) continue;
            if (_model.Owner is not { } owner || policy.Plan(change.Command, owner, _question.At) is not PlanResult.Planned { Delta: var delta }) return false;
            policy = policy.Apply(delta);
        }

        return policy.Decide(question).Kind == DecisionKind.Allowed != IsAllowed;
    }
}
