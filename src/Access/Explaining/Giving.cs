using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>
/// Changes that may let in whom something keeps out: they begin with whatever the decision stopped at, rights, then approvals, then consent. Only changes to what the
/// person has: who approves for them, and what binds everybody on the device, stays. Locks are taken off, and none is put on: to lock what an upper group allows would lift
/// every lock below it, for everybody there.
/// </summary>
internal sealed class Giving
{
    private const int MostGroups = 10;
    private const int MostRoles = 10;

    /// <summary>What may help beside what is needed: to be asked less, to ask, and to fill one's own place where that counts.</summary>
    private static readonly PermissionSet Helping = PermissionSet.Of(Permission.SkipConsent, Permission.RequestAccess, Permission.AcceptAccessRequests);

    private readonly FlipState _state;
    private readonly Func<GrantId> _fresh;
    private readonly AccessQuestion _question;
    private readonly PolicySnapshot _policy;
    private readonly PolicyModel _model;
    private readonly PersonNode _person;
    private readonly DeviceNode _device;
    private readonly PermissionSet _granted;
    private readonly PermissionSet _effective;

    public Giving(FlipState state, Func<GrantId> fresh)
    {
        _state = state;
        _fresh = fresh;
        _question = state.Question;
        _policy = state.Policy;
        _model = state.Policy.Model;
        _person = state.Person!;
        _device = state.Device!;
        _granted = _policy.GrantedWithEvidence(_question, _person, _device, PolicySnapshot.AccountOf(_question, _device));
        _effective = Reach.Effective(_person, _model.RulesOf(_device), _granted);
    }

    public IEnumerable<ElementaryChange> Changes() => _state.Reason switch
    {
        DenialReason.ApprovalNeeded => [.. AtConnectTime(), .. Ahead(_state.Needed), .. Left(), .. Joined(), .. Granted(Helping)],
        DenialReason.ConsentImpossible => [.. AtConnectTime(), .. Rights(PermissionSet.Of(Permission.SkipConsent)), .. Left()],
        _ => Rights(_state.Needed),
    };

    private IEnumerable<ElementaryChange> Rights(PermissionSet wanted)
    {
        var above = wanted - _person.Ceiling;
        return [.. Ahead(wanted - _granted), .. Granted(wanted), .. Unlocked(above), .. above.IsEmpty ? [] : Left(), .. Bringing(wanted - _granted, above)];
    }

    /// <summary>Roles for the person on the device: of those that bring the same the least one, and those that bring all first.</summary>
    private IEnumerable<ElementaryChange> Granted(PermissionSet wanted)
    {
        if (_person.IsOwner) return [];
        var lacking = (wanted - _granted) & _person.Grantable;
        var interesting = ((wanted | Helping) - _granted) & _person.Grantable;
        var accounts = _question.Account is { } named ? new GrantAccounts(AccountRule.Named, named) : GrantAccounts.Default;
        var roles = SystemRoles.All.Concat(_model.CustomRoles.Values)
            .Where(role => role.Purpose == RolePurpose.DevicesAndGroups && role.Permissions.Intersects(interesting))
            .OrderBy(role => role.Permissions.Count)
            .ThenBy(role => role.Id.Value)
            .DistinctBy(role => role.Permissions & interesting)
            .OrderByDescending(role => (role.Permissions & lacking).Count);
        return roles.Take(MostRoles).Select(role => new ElementaryChange(
            $"Grant {role.Name} on {_device.Row.Name} to {_person.Row.Name}.",
            new PolicyCommand.AddGrant(_fresh(), GrantSubject.To(_person.Id), GrantScope.Of(_device.Id), role.Id, accounts, GrantWindow.Always), null, null));
    }

    /// <summary>What denies, where it stands.</summary>
    private IEnumerable<ElementaryChange> Unlocked(PermissionSet above)
    {
        var rows = new HashSet<RowKey>();
        foreach (var permission in above)
        {
            foreach (var group in _person.Groups)
            {
                var row = group.Resolve(permission);
                var label = Describe.Label(permission);
                var at = row is null ? _model.Everyone! : _model.TechnicianGroups.GetValueOrDefault(row.Group)!;
                if (row is { Value: PolicyValue.Allow } || (row is { Locked: false } && !group.IsEnabled)) continue;
                if (!rows.Add(new GroupPermissionRow(at.Id, permission, default, default).Key)) continue;
                if (row is { Locked: true })
                    yield return new($"Unlock {label} at {Describe.Path(at)}.", new PolicyCommand.SetGroupPermission(at.Id, permission, row.Value, Locked: false), null, null);
                yield return new($"Allow {label} at {Describe.Path(at)}, not locked.", new PolicyCommand.SetGroupPermission(at.Id, permission, PolicyValue.Allow, Locked: false), null, null);
            }
        }
    }

    private IEnumerable<ElementaryChange> Left() => _person.DirectMemberships.Take(MostGroups).Select(group => Taking.Leaving(_person, group));

    private IEnumerable<TechnicianGroupNode> Others() => _person.IsContact
        ? []
        : _model.TechnicianGroups.Values.Where(group => !group.IsEveryone && !Array.Exists(_person.DirectMemberships, own => own.Id == group.Id));

    /// <summary>Groups that bring a grant, or allow what the person's own don't.</summary>
    private IEnumerable<ElementaryChange> Bringing(PermissionSet lacking, PermissionSet above)
    {
        if (lacking.IsEmpty && above.IsEmpty) return [];
        var account = PolicySnapshot.AccountOf(_question, _device);
        var given = _model.GrantsOn(_device)
            .Where(grant => grant.Row.Subject.Kind == SubjectKind.TechnicianGroup && grant.InForce(_question.At) && grant.IsForAnyOf(_device))
            .ToLookup(grant => grant.Row.Subject.Id, grant => grant.IsFor(account) ? grant.Permissions : grant.Permissions & PermissionCatalogue.ForEveryAccount);
        return
            from @group in Others()
            where @group.IsEnabled
            let brought = @group.Upwards().SelectMany(upper => given[upper.Id.Value]).Aggregate(PermissionSet.None, (all, some) => all | some)
            let helps = ((brought & lacking) | (@group.Allowed & above)).Count
            where helps > 0
            orderby helps descending, @group.Id.Value
            select Taking.Joining(_person, @group);
    }

    /// <summary>A step that nobody can take may have approvers, or a workflow in its place, for members of another group.</summary>
    private IEnumerable<ElementaryChange> Joined() => Others()
        .OrderByDescending(group => Array.Exists(group.Workflows, workflow => _model.Covers(GrantScope.Of(workflow.Row.Devices), _device)))
        .ThenBy(group => group.Id.Value)
        .Take(MostGroups)
        .Select(group => Taking.Joining(_person, group));

    /// <summary>With all the steps, as long as none of them is blocked: what nobody can approve is not worth asking for.</summary>
    private IEnumerable<ElementaryChange> AtConnectTime()
    {
        var steps = _policy.ApprovalSteps(_question);
        if (_device.Asked(_question.Account).Name is not { } account || steps.Count == 0 || steps.Any(step => step.Blocked)) yield break;
        ImmutableArray<ApprovalStepId> taken = [.. steps.Select(step => step.Id)];
        var covered = _state.Needed | _question.Wanted.With(Permission.UnattendedAccess);
        if (_state.Reason == DenialReason.ApprovalNeeded) yield return new($"Approve a request for the connection to {_device.Row.Name}.", null, Approved(covered), null);

        // Where an approval is needed, to be spared the consent counts as far as it is covered.
        if (_effective.Contains(Permission.SkipConsent) && _question.EndUser != EndUserPresence.CanBeAsked)
            yield return new($"Approve a request for the connection to {_device.Row.Name}, with {Describe.Label(Permission.SkipConsent)}.", null, Approved(covered.With(Permission.SkipConsent)), null);

        ApprovedRequest Approved(PermissionSet permissions) => new(0, _person.Id, _device.Id, account, permissions, _question.Source, _question.At, null, taken);
    }

    /// <summary>By whoever may ask, for what may be asked for, where it can be approved: those that bring all first.</summary>
    private IEnumerable<ElementaryChange> Ahead(PermissionSet wanted)
    {
        if (!_effective.Contains(Permission.RequestAccess) || _device.Asked(_question.Account).Name is not { } account || !_device.HasAccount(account)) return [];
        if (_policy.PreapprovalSteps(_person.Id, _device.Id, _question.At).Any(step => step.Blocked)) return [];
        return
            from role in _policy.RequestableRoles
            let brought = (role.Permissions & wanted & _person.Ceiling & _person.Requestable).Count
            where brought > 0
            orderby brought descending, role.Permissions.Count
            let time = new RequestTime.FromApproval(TimeSpan.FromHours(1))
            let ahead = new PreapprovedRequest(0, _person.Id, [_device.Id], account, role.Permissions, _question.At, time, [])
            select new ElementaryChange($"Approve a request for {role.Name} on {_device.Row.Name}.", null, null, ahead);
    }
}
