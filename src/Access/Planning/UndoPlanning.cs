namespace Countersign.Access;

internal sealed partial class Planner
{
    /// <summary>
    /// The change turned round: the same rows with the same ids. What was changed since is in the way, and refuses the whole; only settings are
    /// independent of one another, so that one which was touched since, or whose device or group has gone, is left as it is and the others come back.
    /// </summary>
    private PlanResult Plan(PolicyCommand.Undo command)
    {
        var left = new List<RowKey>();
        var restored = command.Change.Changes.Where(change => change.After is null).Select(change => change.Key).ToHashSet();
        foreach (var change in command.Change.Changes)
        {
            var touched = command.TouchedSince.Contains(change.Key);
            if (change.Key.Table == PolicyTable.Setting && (touched || IsOfNothing(change, restored))) left.Add(change.Key);
            else if (touched || !Equals(_snapshot.Find(change.Key), change.After)) return ChangedSince(change, restored);
            else Restore(change);
        }

        if (left.Count > 0 && left.Count == command.Change.Changes.Count) return Conflict("Everything that it changed was changed again since.");
        var except = left.Count == 0 ? "" : $"; settings that were changed since, and stay as they are: {left.Count}";

        // What was changed was said to whoever changed it, who may see more.
        var what = _authority.IsMaster ? $": {command.Change.Summary}" : ".";
        if (_draft.Planned($"Undid change {command.Change.ToVersion}{except}{what}") is not PlanResult.Planned { Delta: var delta }) return NotFound("change");
        foreach (var change in delta.Changes)
        {
            if (CheckRow(change, restored) is { } refusal) return refusal;
        }

        foreach (var change in delta.Changes)
        {
            if (change.After is { } row && NameTaken(row, delta.Changes) is { } taken) return taken;
        }

        try
        {
            _ = _snapshot.Apply(delta);
        }
        catch (PolicyException misfit)
        {
            return Conflict($"It does not fit what is there now{(_authority.IsMaster ? $": {misfit.Message}" : "")}.");
        }

        return new PlanResult.Planned(delta) { Left = left };
    }

    /// <summary>A setting that would come back on what has gone since.</summary>
    private bool IsOfNothing(RowChange change, HashSet<RowKey> restored) =>
        change.Before is SettingRow { Node: var node } && KeyOf(node) is { } key && _snapshot.Find(key) is null && !restored.Contains(key);

    /// <summary>Null: the organization, which is always there.</summary>
    private static RowKey? KeyOf(SettingNode node) => node.Kind switch
    {
        SettingNodeKind.Device => new(PolicyTable.Device, node.Id),
        SettingNodeKind.DeviceGroup => new(PolicyTable.DeviceGroup, node.Id),
        _ => null,
    };

    private void Restore(RowChange change)
    {
        switch (change)
        {
            case { Before: SettingRow setting }:
                _draft.Put(setting with { Touched = _snapshot.Version + 1 });
                break;
            case { Before: { } before }:
                _draft.Put(before);
                break;
            case { After: { } after }:
                _draft.Remove(after);
                break;
        }
    }

    /// <summary>Told only to those who could have undone it.</summary>
    private PlanResult ChangedSince(RowChange change, HashSet<RowKey> restored) =>
        CheckRow(new(change.After, change.Before), restored) ?? Conflict($"{Veil.Row(change.Key)} was changed since.");

    /// <summary>
    /// Whether the actor may change such a row so: the rules of the commands that change one. What hangs on a device or group that comes back with it is for
    /// whoever may add that there, as far as it gives nobody more than they hold; but managers, administrators and locks are for master administrators, and
    /// settings for whoever manages security there.
    /// </summary>
    /// <param name="restored">What was there before the change that is undone, and not after it.</param>
    private PlanResult? CheckRow(RowChange change, HashSet<RowKey> restored) => (change.After ?? change.Before) switch
    {
        DeviceAccountRow { Device: var device } when restored.Contains(new(PolicyTable.Device, device.Value)) => null,
        DeviceServiceRow { Device: var device } when restored.Contains(new(PolicyTable.Device, device.Value)) => null,
        GrantRow { Scope: { Kind: ScopeKind.Device, Id: var device } } when restored.Contains(new(PolicyTable.Device, device)) => null,
        GrantRow { Subject: { Kind: SubjectKind.TechnicianGroup, Id: var group }, Scope: var scope } when restored.Contains(new(PolicyTable.TechnicianGroup, group)) =>
            _authority.IsMaster ? null : CheckScope(scope),
        MembershipRow { Group: var group } when restored.Contains(new(PolicyTable.TechnicianGroup, group.Value)) => null,
        PersonRow when IsOwnProfile(change) => null,
        PersonRow or RoleRow or WorkflowRow or DeviceGroupRow or GroupManagerRow or GroupAdministratorRow or ExternalGroupRow or ExternalMemberRow when !_authority.IsMaster => HiddenOr(change.Key, restored, OnlyMasters("undo this")),
        PersonRow { Kind: PersonKind.Owner } when !_authority.Person!.IsOwner => new PlanResult.Forbidden("Nobody but the owner edits the owner."),
        PersonRow when change is { Before: PersonRow { Kind: var was }, After: PersonRow { Kind: var now } } && was != now =>
            new PlanResult.Forbidden("Who owns the organization is handed over, and not undone."),
        PersonRow when change is { Before: PersonRow { Status: PersonStatus.DisabledByPlan } disabled, After: PersonRow { Status: not PersonStatus.DisabledByPlan } } => DisabledByPlan(disabled),
        PersonRow { Kind: PersonKind.Owner } when change is { Before: null } or { After: null } => new PlanResult.Forbidden("How the organization began can't be undone."),
        TechnicianGroupRow { ParentId: null } when change is { Before: null } or { After: null } => new PlanResult.Forbidden("How the organization began can't be undone."),
        TechnicianGroupRow when !_authority.IsMaster && SaysMembersApprove(change.Before) != SaysMembersApprove(change.After) => OnlyMasters("say that members approve"),
        TechnicianGroupRow row => CheckGroup(row.Id, change.Before is null) ?? (row.ParentId is { } parent ? CheckMembersOf(parent) : null),
        GroupPermissionRow row => CheckGroupPermission(row, change, restored),
        MembershipRow row => VisiblePerson(row.Person) is null && !_authority.IsMaster ? NotFound("person") : CheckMembersOf(row.Group),
        DeviceRow row => CheckDevice(row, change),
        DeviceAccountRow row => CheckDeviceOf(row.Device),
        DeviceServiceRow row => CheckDeviceOf(row.Device),
        GrantRow row => CheckGrant(row),
        SettingRow row => _authority.IsMaster ? null : CheckNode(NodeOrPlace(row.Node, restored), row.Setting, out _),
        _ => null,
    };

    /// <summary>The node, or the group that a device comes back to, which is not there to be asked about.</summary>
    private SettingNode NodeOrPlace(SettingNode node, HashSet<RowKey> restored) =>
        node.Kind == SettingNodeKind.Device && restored.Contains(new(PolicyTable.Device, node.Id))
            && _draft.After(new(PolicyTable.Device, node.Id)) is DeviceRow device
            ? SettingNode.Of(device.Group)
            : node;

    /// <summary>What <see cref="PolicyCommand.EditOwnProfile"/> could change, and nothing else.</summary>
    private bool IsOwnProfile(RowChange change) =>
        change is { Before: PersonRow before, After: PersonRow after } && after.Id == _actor.Id && !_authority.Person!.IsContact && after == before with { Name = after.Name };

    private static bool SaysMembersApprove(PolicyRow? row) => row is TechnicianGroupRow { MembersApprove: true };

    private PlanResult? CheckGroup(TechnicianGroupId id, bool isNew) =>
        _authority.IsMaster || isNew ? null
        : VisibleGroup(id) is not { } group ? NotFound("technician group")
        : _authority.Administers(group) ? null : OutsideBranch();

    private PlanResult? CheckMembersOf(TechnicianGroupId id) =>
        _authority.IsMaster ? null
        : VisibleGroup(id) is not { } group ? NotFound("technician group")
        : _authority.AdministersBranchFrom(group) ? null : OutsideBranch();

    private PlanResult? CheckGroupPermission(GroupPermissionRow row, RowChange change, HashSet<RowKey> restored)
    {
        if (CheckGroup(row.Group, restored.Contains(new(PolicyTable.TechnicianGroup, row.Group.Value))) is { } refusal) return refusal;
        if (!_authority.IsMaster && change is { Before: GroupPermissionRow { Locked: true } } or { After: GroupPermissionRow { Locked: true } })
            return OnlyMasters("lock and unlock permissions");

        // A group that goes or comes back takes its values along, also those that an upper lock keeps from counting.
        // So does what an option names of a group that goes or comes back.
        var comesWithItsGroup = !_model.TechnicianGroups.TryGetValue(row.Group, out var group)
            || _draft.Changes(group.Row.Key)
            || NamedIn(change.Before as GroupPermissionRow).Concat(NamedIn(change.After as GroupPermissionRow)).Any(named => _draft.Changes(new(PolicyTable.TechnicianGroup, named)));
        return !comesWithItsGroup && group!.Parent?.Resolve(row.Permission) is { Locked: true }
            ? Conflict($"{Describe.Label(row.Permission)} is locked above {Veil.Path(group)} now.")
            : null;
    }

    private PlanResult? CheckDevice(DeviceRow row, RowChange change)
    {
        if (_authority.IsMaster) return null;
        if (VisibleDeviceGroup(row.Group) is not { } group) return NotFound("device group");
        if (change.Before is null) return MayAddTo(group) ? null : Lacking(Permission.ModifyDevice, Describe.Path(group));
        if (VisibleDevice(row.Id) is not { } device) return NotFound("device");
        if (change.After is null) return _authority.Over(device).Contains(Permission.DeleteDevice) ? null : Lacking(Permission.DeleteDevice, device.Row.Name);
        if (!MayModify(device)) return Lacking(Permission.ModifyDevice, device.Row.Name);
        return row.Group == device.Row.Group || MayAddTo(group) ? null : Lacking(Permission.ModifyDevice, Describe.Path(group));
    }

    private PlanResult? CheckDeviceOf(DeviceId id) =>
        _authority.IsMaster ? null
        : VisibleDevice(id) is not { } device ? NotFound("device")
        : MayModify(device) ? null : Lacking(Permission.ModifyDevice, device.Row.Name);

    private PlanResult? CheckGrant(GrantRow row)
    {
        if (_authority.IsMaster) return null;
        return CheckSubject(row.Subject, out _) ?? CheckScope(row.Scope);
    }

    private PlanResult HiddenOr(RowKey key, HashSet<RowKey> restored, PlanResult refusal) => key.Table switch
    {
        PolicyTable.Person when VisiblePerson(new(key.Id)) is null => NotFound("person"),
        PolicyTable.DeviceGroup when VisibleDeviceGroup(new(key.Id)) is null => NotFound("device group"),
        PolicyTable.GroupManager or PolicyTable.GroupAdministrator when VisibleGroup(new(key.Id)) is null && !restored.Contains(new(PolicyTable.TechnicianGroup, key.Id)) =>
            NotFound("technician group"),
        PolicyTable.Role when !_authority.AdministersSomeBranch => NotFound("role"),
        PolicyTable.Workflow when !_authority.AdministersSomeBranch => NotFound("workflow"),
        PolicyTable.ExternalGroup or PolicyTable.ExternalMember when !_authority.AdministersSomeBranch => NotFound("external group"),
        _ => refusal,
    };

    /// <summary>Names are one of a kind only by planning: those that compiling does not hold are looked at here.</summary>
    private PlanResult.Conflict? NameTaken(PolicyRow row, IReadOnlyList<RowChange> changes)
    {
        var others = row switch
        {
            PersonRow person => LoginTaken(person.Login, person.Id) is not null ? person.Login
                : person.Kind == PersonKind.Contact && ContactMailTaken(person.Mail, person.Id) is not null ? person.Mail : null,
            RoleRow role => RoleNameTaken(role.Name, role.Id) is not null ? role.Name : null,
            ExternalGroupRow group => ExternalGroupNamed(group.Name, group.Id),
            TechnicianGroupRow group => Sibling(_snapshot.All<TechnicianGroupRow>(), other => other.Id != group.Id && other.ParentId == group.ParentId && SameName(other.Name, group.Name)),
            DeviceGroupRow group => Sibling(_snapshot.All<DeviceGroupRow>(), other => other.Id != group.Id && other.ParentId == group.ParentId && SameName(other.Name, group.Name)),
            _ => null,
        };
        return others is null ? null : Conflict($"The name '{others}' is taken now.");

        string? Sibling<T>(IEnumerable<T> rows, Func<T, bool> isOther)
            where T : PolicyRow =>
            rows.FirstOrDefault(other => isOther(other) && changes.All(change => change.Key != other.Key)) switch
            {
                TechnicianGroupRow taken => taken.Name,
                DeviceGroupRow taken => taken.Name,
                _ => null,
            };
    }
}
