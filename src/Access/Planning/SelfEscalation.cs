namespace Countersign.Access;

/// <summary>
/// Law 10: no change that anyone short of master administrator makes gives anybody a permission, or frees them of a restriction, that the
/// one making it does not hold, or is not free of, there. Compares policy before and after; where it can't be sure it refuses, so that it
/// may refuse a change that would have been harmless, never the other way round.
/// </summary>
/// <remarks>
/// What comes into being with the change is not measured: a device added to a group, or an account added to a device, is reached by whoever
/// policy already lets reach the whole of which it becomes a part; ModifyDevice is the right to do that. An account that comes as another default is measured:
/// the rule that is moved to it is not new. Nor is a setting that a device brings along.
/// The owner holds everything on devices and over the team as it is; what is over Quick Support, and what binds, is theirs like anybody's.
/// </remarks>
internal sealed partial class SelfEscalation
{
    private static readonly PermissionSet Connecting = PermissionCatalogue.Connections.With(Permission.RequestAccess);

    private readonly PolicyModel _before;
    private readonly PolicyModel _after;
    private readonly PersonNode _actor;
    private readonly PreapprovedRequest[] _inHand;
    private readonly Dictionary<WorkflowId, bool> _bindingWorkflows = [];
    private readonly Veil _veil;

    private SelfEscalation(PolicyModel before, PolicyModel after, PersonNode actor, IEnumerable<PreapprovedRequest> inHand, Veil veil)
    {
        _inHand = [.. inHand.Where(request => (request.GivenTo(actor) & actor.Ceiling).Intersects(Connecting))];
        _before = before;
        _after = after;
        _actor = actor;
        _veil = veil;
    }

    /// <returns>Why the actor may not make the change, in one sentence; null: they may.</returns>
    /// <param name="actor">As before the change.</param>
    /// <param name="inHand">What was approved ahead for the actor and is not over.</param>
    /// <param name="veil">The actor's, before the change.</param>
    public static string? Refusal(
        PolicyModel before, PolicyModel after, PersonNode actor, IEnumerable<PreapprovedRequest> inHand, Veil veil, IReadOnlyList<RowChange> changes)
    {
        changes = WithoutWhatGoes([.. changes.Where(change => !IsNameAlone(change))]);
        var check = new SelfEscalation(before, after, actor, inHand, veil);
        var devicesOnly = changes.All(change => IsOfDevice(change) || change.Key.Table == PolicyTable.Setting);
        return (devicesOnly ? null : check.OverPeople() ?? check.OverApprovers()) ?? check.OverDevices(check.Concerned(changes)) ?? check.OverPlaces(changes);
    }

    /// <summary>What one device is changes nothing on another one, and a setting nothing beside the node that it is at.</summary>
    private IEnumerable<DeviceNode> Concerned(IReadOnlyList<RowChange> changes)
    {
        var settings = NodesIn(changes);
        if (settings.Contains(SettingNode.Organization) || changes.Any(change => change.Key.Table == PolicyTable.DeviceGroup)) return _after.Devices.Values;
        var devices = changes.Where(IsOfDevice).Select(change => change.Key.Id).Concat(settings.Where(node => node.Kind == SettingNodeKind.Device).Select(node => node.Id));
        var groups = settings.Where(node => node.Kind == SettingNodeKind.DeviceGroup).Select(node => _after.DeviceGroups.GetValueOrDefault(new(node.Id))).OfType<DeviceGroupNode>();
        return devices.Select(id => _after.Devices.GetValueOrDefault(new(id))).OfType<DeviceNode>()
            .Concat(groups.SelectMany(_after.Downwards).SelectMany(group => _after.ContentOf(group).Devices))
            .DistinctBy(device => device.Id);
    }

    private static HashSet<SettingNode> NodesIn(IReadOnlyList<RowChange> changes) =>
        changes.Select(change => change.After ?? change.Before).OfType<SettingRow>().Select(row => row.Node).ToHashSet();

    /// <summary>What people are called gives nobody anything, and is not looked for over everybody.</summary>
    private static bool IsNameAlone(RowChange change) => change is { Before: PersonRow before, After: PersonRow after } && after == before with { Name = after.Name };

    /// <summary>What one device is: no other one is another by it. The key's id is the device's.</summary>
    public static bool IsOfDevice(RowChange change) => change.Key.Table is PolicyTable.Device or PolicyTable.DeviceAccount or PolicyTable.DeviceService;

    /// <summary>Less the devices that go, and what goes with them: what is nowhere any more gives nobody anything, and is not looked for over everybody.</summary>
    private static IReadOnlyList<RowChange> WithoutWhatGoes(IReadOnlyList<RowChange> changes)
    {
        var gone = changes.Where(change => change is { Before: DeviceRow, After: null }).Select(change => change.Key.Id).ToHashSet();
        return gone.Count == 0 ? changes : [.. changes.Where(change => change.After is not null || DeviceOf(change.Before) is not { } device || !gone.Contains(device))];
    }

    /// <summary>The one device that the row is about; null: it is about something else, or about more.</summary>
    private static Guid? DeviceOf(PolicyRow? row) => row switch
    {
        DeviceRow device => device.Id.Value,
        DeviceAccountRow account => account.Device.Value,
        DeviceServiceRow service => service.Device.Value,
        SettingRow { Node: { Kind: SettingNodeKind.Device, Id: var id } } => id,
        GrantRow { Scope: { Kind: ScopeKind.Device, Id: var id } } => id,
        _ => null,
    };

    private string? OverPeople()
    {
        // Few are made anew by a change. In the order of logins, so that the same refusal always names the same person.
        foreach (var person in _after.People.Values.Where(IsLookedAt).OrderBy(person => person.Row.Login, StringComparer.Ordinal))
        {
            if (!_before.People.TryGetValue(person.Id, out var earlier)) return "Only master administrators may add people.";
            if (Gained(earlier, person) is { } gained) return gained;
            if (Freed(earlier, person) is { } freed) return freed;
        }

        return null;
    }

    /// <summary>What a person holds and is bound by is all in their node, but for Everyone's grants, and for who approves for them.</summary>
    private bool IsLookedAt(PersonNode person) =>
        !ReferenceEquals(_before.People.GetValueOrDefault(person.Id), person)
        || !ReferenceEquals(_before.EveryoneGrants, _after.EveryoneGrants)
        || (_actor.NeedsApproval && person.NeedsApproval);

    private string? Gained(PersonNode earlier, PersonNode person)
    {
        var raised = person.Ceiling - earlier.Ceiling;
        if (!_actor.Ceiling.Covers(raised))
        {
            return $"It would allow {_veil.Name(person)} {Describe.Labels(raised - _actor.Ceiling)}, which your own groups don't allow you.";
        }

        var held = _before.GrantsOf(earlier).ToDictionary(grant => grant.Row.Id);
        var all = _after.GrantsOf(person).Aggregate(PermissionSet.None, (set, grant) => set | grant.Permissions);
        foreach (var grant in _after.GrantsOf(person))
        {
            var isOld = held.TryGetValue(grant.Row.Id, out var old) && old.Row == grant.Row && old.Permissions == grant.Permissions;
            if ((isOld && raised.IsEmpty) || (person.IsOwner && grant.Row.Scope.Kind != ScopeKind.QuickSupport)) continue;
            var flowing = Flowing(person, isOld ? grant.Permissions & raised : grant.Permissions, all);
            var uncovered = flowing - HeldOver(grant);
            if (!uncovered.IsEmpty) return $"It would give {_veil.Name(person)} {Describe.Labels(uncovered)}, which you don't hold there yourself.";
        }

        return null;
    }

    private string? Freed(PersonNode earlier, PersonNode person)
    {
        if (_actor.NeedsApproval && IsFreedOfApproval(earlier, person))
        {
            return $"It would free {_veil.Name(person)} of an approval, and you are not free of approvals yourself.";
        }
        if (person.Consent < earlier.Consent && person.Consent < _actor.Consent)
        {
            return $"It would spare {_veil.Name(person)} the asking for consent, which you are not spared yourself.";
        }
        if (ChangedWorkflows(earlier, person).Any(BindsActor))
        {
            return $"It would change by which workflows {_veil.Name(person)} is approved, and you are not free of approvals yourself.";
        }
        if (LosesStep(earlier, person))
        {
            return $"It would have a workflow count for {_veil.Name(person)} in place of another approval, and you are not free of approvals yourself: that is for master administrators.";
        }

        foreach (var permission in PermissionOption.Having)
        {
            var (was, now, own) = (earlier.Options[permission], person.Options[permission], _actor.Options[permission]);
            if (!was.Wider(now).Equals(was) && !own.Wider(now).Equals(own))
            {
                return $"It would let {_veil.Name(person)} use {Describe.Label(permission)} more freely than you may yourself.";
            }
        }

        if (NewlyApproved(earlier, person) is { } group)
        {
            return $"It would let {_veil.Name(person)} invite members of {_veil.Name(group)}, which you may not yourself.";
        }

        return person.SinglePrompt && !earlier.SinglePrompt && !_actor.SinglePrompt
            ? $"It would let {_veil.Name(person)} ask once for all, which you may not yourself."
            : null;
    }

    /// <summary>An external group whose members the person could not invite before, nor the actor; null: there is none.</summary>
    private ExternalGroupRow? NewlyApproved(PersonNode earlier, PersonNode person)
    {
        if (new[] { earlier, person, _actor }.Any(one => !one.Options[Permission.InviteExternal].IsStrict)) return null;
        return person.Options.ApprovedExternals.Except(earlier.Options.ApprovedExternals).Except(_actor.Options.ApprovedExternals)
            .Select(id => _after.ExternalGroups.GetValueOrDefault(id))
            .FirstOrDefault(group => group is not null);
    }

    /// <summary>The workflows that count for the person on one side of the change only, or otherwise.</summary>
    private static IEnumerable<WorkflowRow> ChangedWorkflows(PersonNode earlier, PersonNode person)
    {
        var (was, now) = (earlier.Workflows.Select(workflow => workflow.Row).ToHashSet(), person.Workflows.Select(workflow => workflow.Row).ToHashSet());
        return was.Except(now).Concat(now.Except(was));
    }

    /// <summary>
    /// Whether the actor is bound by what the workflow may stand for, or be stood for by: a technician group's rule or a workflow, wherever; and the rule of a device
    /// in its devices, or of a group for what will be there, that the actor may connect to, or ask for.
    /// </summary>
    private bool BindsActor(WorkflowRow workflow)
    {
        if (_actor.NeedsApproval || _actor.Workflows.Length > 0) return true;
        if (_bindingWorkflows.TryGetValue(workflow.Id, out var binds)) return binds;
        binds = _before.DeviceGroups.TryGetValue(workflow.Devices, out var devices)
            && _before.Downwards(devices).Any(group => (group.Rules.RequiresApproval && Binds(_before, group))
                || Array.Exists(_before.ContentOf(group).Devices, device => _before.RulesOf(device).RequiresApproval && Binds(_before, device)));
        return _bindingWorkflows[workflow.Id] = binds;
    }

    /// <summary>A step that a technician group asked for is gone, is for others to approve, or has come unblocked.</summary>
    private bool IsFreedOfApproval(PersonNode earlier, PersonNode person)
    {
        foreach (var (through, approvers) in Duties(_before, earlier))
        {
            if (!Duties(_after, person).TryGetValue(through, out var now) || now?.Id != approvers?.Id) return true;
            if (now is { IsEnabled: true } && approvers is { IsEnabled: false }) return true;
        }

        return false;
    }

    /// <summary>The groups through which an approval rule reaches the person, and the group whose people approve there.</summary>
    private static Dictionary<TechnicianGroupId, TechnicianGroupNode?> Duties(PolicyModel model, PersonNode person) =>
        person.Groups.Where(group => group.ApprovalRule is not null).ToDictionary(
            group => group.Id,
            group => model.ApprovingGroup(group, group.ApprovalRule!));

    /// <summary>What really comes to the person: within their ceiling, with what comes to life through it.</summary>
    private static PermissionSet Flowing(PersonNode person, PermissionSet permissions, PermissionSet all) =>
        (permissions | (PermissionCatalogue.WithDependents(permissions) & all)) & person.Grantable & person.Ceiling;

    /// <summary>What the actor holds wherever, for whatever account and whenever the grant is for.</summary>
    private PermissionSet HeldOver(CompiledGrant grant)
    {
        Func<GrantScope, bool> reaches = grant.Row.Scope.Kind switch
        {
            ScopeKind.Device when _before.Devices.TryGetValue(new(grant.Row.Scope.Id), out var device) => scope => _before.Covers(scope, device),

            // A device that comes back with it: what is held over all of the group that it comes to.
            ScopeKind.Device when _after.Devices.TryGetValue(new(grant.Row.Scope.Id), out var device)
                && _before.DeviceGroups.TryGetValue(device.Row.Group, out var place) => scope => _before.Covers(scope, place),
            ScopeKind.DeviceGroup when _before.DeviceGroups.TryGetValue(new(grant.Row.Scope.Id), out var group) => scope => _before.Covers(scope, group),
            ScopeKind.AllDevices or ScopeKind.QuickSupport => scope => scope == grant.Row.Scope,
            _ => _ => false,
        };
        return Held(reaches, own => CoversAccounts(own, grant) && CoversWindow(own, grant));
    }

    private PermissionSet Held(Func<GrantScope, bool> reaches, Func<CompiledGrant, bool> counts)
    {
        var granted = from grant in _before.GrantsOf(_actor) where reaches(grant.Row.Scope) && counts(grant) select grant.Permissions;
        return PermissionCatalogue.WithoutUnmet(granted.Aggregate(PermissionSet.None, (set, more) => set | more) & _actor.Grantable & _actor.Ceiling);
    }

    private static bool CoversAccounts(CompiledGrant own, CompiledGrant other) => own.Row.Accounts.Rule switch
    {
        AccountRule.Any => true,
        AccountRule.Default => other.Row.Accounts.Rule == AccountRule.Default,
        AccountRule.Named => other.Row.Accounts.Rule == AccountRule.Named && other.AccountNames.All(own.AccountNames.Contains),
        _ => false,
    };

    private static bool CoversWindow(CompiledGrant own, CompiledGrant other)
    {
        var (mine, theirs) = (own.Row.Window, other.Row.Window);
        return (mine.From is null || theirs.From >= mine.From)
            && (mine.To is null || theirs.To <= mine.To)
            && (own.Hours is null || (other.Hours is not null && own.Hours.Covers(other.Hours)));
    }
}
