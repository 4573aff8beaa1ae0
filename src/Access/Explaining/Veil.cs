namespace Countersign.Access;

/// <summary>
/// What one person may see of policy, by id, and the names of it for sentences to them: of anything else there is only a mark. Approvers are
/// named to everybody: who can approve is always answered.
/// </summary>
public sealed class Veil
{
    /// <summary>Stands for what is there and not shown.</summary>
    public const string Mark = "…";

    private const string Unnamed = "What it changed";

    private readonly PolicySnapshot _snapshot;
    private readonly Authority? _asker;

    internal Veil(PolicySnapshot snapshot, Authority? asker)
    {
        _snapshot = snapshot;
        _asker = asker;
    }

    /// <summary>Whether it is a person, a device, a group or a workflow that the asker may see.</summary>
    public bool Shows(Guid id)
    {
        if (_asker is null || _asker.IsMaster) return true;
        var model = _snapshot.Model;
        return (model.People.TryGetValue(new(id), out var person) && _asker.Sees(person))
            || (model.Devices.TryGetValue(new(id), out var device) && _asker.Sees(device))
            || (model.TechnicianGroups.TryGetValue(new(id), out var group) && _asker.Sees(group))
            || (model.DeviceGroups.TryGetValue(new(id), out var devices) && _asker.Sees(devices))
            || (model.Workflows.TryGetValue(new(id), out var workflow) && Shows(workflow.Group.Value));
    }

    internal bool Shows(RowKey key) => _asker is null || _asker.IsMaster || key.Table switch
    {
        PolicyTable.Setting => key.Id == Guid.Empty || Shows(key.Id),
        PolicyTable.Membership or PolicyTable.GroupManager or PolicyTable.GroupAdministrator => Shows(key.Id) && Shows(key.Id2),
        PolicyTable.Role => _asker.Person is { IsContact: false, TakesPart: true },
        PolicyTable.ExternalGroup => _asker.AdministersSomeBranch,
        PolicyTable.ExternalMember => _asker.AdministersSomeBranch && Shows(key.Id2),
        PolicyTable.Grant => _snapshot.Find(key) is GrantRow grant && Shows(grant.Subject.Id) && (grant.Scope.Id == Guid.Empty || Shows(grant.Scope.Id)),
        _ => Shows(key.Id),
    };

    /// <summary>For a sentence that would say who, if it were not hidden.</summary>
    internal string Name(PersonNode person) => Shows(person.Id.Value) ? person.Row.Name : "somebody";

    internal string Name(DeviceNode device) => Shows(device.Id.Value) ? device.Row.Name : "a device";

    internal string Name(ExternalGroupRow group) => Shows(group.Key) ? group.Name : Mark;

    /// <summary>What a row is about, to begin a sentence with.</summary>
    internal string Row(RowKey key) => key.Table switch
    {
        _ when !Shows(key) => Unnamed,
        PolicyTable.Person when _snapshot.Model.People.TryGetValue(new(key.Id), out var person) => $"{person.Row.Name} ({person.Row.Login})",
        PolicyTable.TechnicianGroup or PolicyTable.GroupPermission or PolicyTable.Membership or PolicyTable.GroupManager or PolicyTable.GroupAdministrator
            when _snapshot.Model.TechnicianGroups.TryGetValue(new(key.Id), out var group) => $"The technician group {Path(group)}",
        PolicyTable.DeviceGroup when _snapshot.Model.DeviceGroups.TryGetValue(new(key.Id), out var group) => $"The device group {Path(group)}",
        PolicyTable.Device or PolicyTable.DeviceAccount or PolicyTable.DeviceService when _snapshot.Model.Devices.TryGetValue(new(key.Id), out var device) => $"The device {device.Row.Name}",
        PolicyTable.Role when _snapshot.Role(new(key.Id)) is { } role => $"The role {role.Name}",
        PolicyTable.Workflow when _snapshot.Model.Workflows.TryGetValue(new(key.Id), out var workflow) => $"The workflow {workflow.Name}",
        PolicyTable.ExternalGroup or PolicyTable.ExternalMember when _snapshot.Model.ExternalGroups.TryGetValue(new(key.Id), out var group) => $"The external group {group.Name}",
        PolicyTable.Grant => "A grant",
        _ => Unnamed,
    };

    internal string Path(TechnicianGroupNode group) => string.Join(
        " / ", group.Upwards().Reverse().Where(above => !above.IsEveryone || group.IsEveryone).Select(above => above.IsEveryone || Shows(above.Id.Value) ? above.Row.Name : Mark));

    internal string Path(DeviceGroupNode group) => string.Join(" / ", group.Upwards().Reverse().Select(above => Shows(above.Id.Value) ? above.Row.Name : Mark));

    /// <summary>What roles there are is no secret among an organization's own people; to others what may be requested is offered, and system roles are the same everywhere.</summary>
    internal string Role(RoleRow role) =>
        SystemRoles.IsSystem(role.Id) || Shows(role.Key) || _snapshot.RequestableRoles.Any(offered => offered.Id == role.Id) ? role.Name : Mark;

    internal string Workflow(WorkflowRow workflow) => Shows(workflow.Id.Value) ? workflow.Name : Mark;

    internal string Scope(GrantScope scope) => scope.Kind switch
    {
        ScopeKind.DeviceGroup when _snapshot.Model.DeviceGroups.TryGetValue(new(scope.Id), out var group) => Path(group),
        _ => Describe.Scope(_snapshot, scope),
    };

    /// <summary>As <see cref="Describe.Source"/>.</summary>
    internal string Source(DeviceNode device, SettingNode source) =>
        source.Kind == SettingNodeKind.DeviceGroup && _snapshot.Model.DeviceGroups.TryGetValue(new(source.Id), out var group)
            ? $" (inherited from {Path(group)})"
            : Describe.Source(_snapshot, device, source);
}
