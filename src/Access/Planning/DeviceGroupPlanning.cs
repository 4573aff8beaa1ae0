namespace Countersign.Access;

internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.AddDeviceGroup command)
    {
        DeviceGroupNode? parent = null;
        if (command.Parent is { } parentId && (parent = VisibleDeviceGroup(parentId)) is null) return NotFound("device group");
        if (!_authority.IsMaster) return OnlyMasters("add device groups");
        if (Fields.Id(command.Id.Value) is { } noId) return noId;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (_model.DeviceGroups.ContainsKey(command.Id)) return Conflict("There is a device group with this id already.");
        if (NameTaken(parent, name, except: null) is { } taken) return taken;
        _draft.Add(new DeviceGroupRow(command.Id, command.Parent, name));
        return _draft.Planned($"Added the device group {name}.");
    }

    private PlanResult Plan(PolicyCommand.EditDeviceGroup command)
    {
        if (VisibleDeviceGroup(command.Id) is not { } group) return NotFound("device group");
        DeviceGroupNode? parent = null;
        if (command.Parent is { } parentId && (parent = VisibleDeviceGroup(parentId)) is null) return NotFound("device group");
        if (!_authority.IsMaster) return OnlyMasters("edit device groups");
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (parent is not null && parent.IsAtOrBelow(group)) return Fields.Invalid("parent", "A group can't be below itself.");
        if (NameTaken(parent, name, except: group) is { } taken) return taken;
        _draft.Put(new DeviceGroupRow(group.Id, command.Parent, name));
        return _draft.Planned($"Edited the device group {name}.");
    }

    private PlanResult Plan(PolicyCommand.DeleteDeviceGroup command)
    {
        if (VisibleDeviceGroup(command.Id) is not { } group) return NotFound("device group");
        if (!_authority.IsMaster) return OnlyMasters("delete device groups");
        if (_model.ContentOf(group) is not { Children: [], Devices: [] }) return Conflict($"{Describe.Path(group)} is not empty.");
        _draft.RemoveAll(_model.Workflows.Values.Where(workflow => workflow.Devices == group.Id));
        RemoveScope(_model.ContentOf(group).Grants, group.Own);
        _draft.Remove(group.Row);
        return _draft.Planned($"Deleted the device group {Describe.Path(group)}.");
    }

    private PlanResult.Conflict? NameTaken(DeviceGroupNode? parent, string name, DeviceGroupNode? except)
    {
        var siblings = parent is null ? _model.DeviceGroups.Values.Where(group => group.Parent is null) : _model.ChildrenOf(parent);
        return siblings.Any(sibling => sibling.Id != except?.Id && SameName(sibling.Row.Name, name))
            ? Conflict($"There is a device group '{name}' here already.")
            : null;
    }

    /// <summary>What hangs on a device or device group: grants on it, and its settings.</summary>
    private void RemoveScope(CompiledGrant[] grants, ParsedSetting[] settings)
    {
        _draft.RemoveAll(grants.Select(grant => grant.Row));
        foreach (var setting in settings) _draft.RemoveIfThere(KeyOf(setting.Effective.Source, setting.Kind));
    }
}
