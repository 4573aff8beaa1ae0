namespace Countersign.Access;

internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.SetSetting command)
    {
        if (CheckNode(command.Node, command.Setting, out var where) is { } refusal) return refusal;
        if (CheckValue(command.Node, command.Setting, command.Value, out var value) is { } badValue) return badValue;
        Write(command.Node, command.Setting, value);
        return _draft.Planned($"Set {command.Setting} on {where} to {value}.");
    }

    private PlanResult Plan(PolicyCommand.ClearSetting command)
    {
        if (CheckNode(command.Node, command.Setting, out var where) is { } refusal) return refusal;
        if (command.Node.Kind == SettingNodeKind.Organization)
        {
            Write(command.Node, command.Setting, Settings.Default(command.Setting));
            return _draft.Planned($"Set {command.Setting} on {where} back to its default.");
        }

        _draft.RemoveIfThere(KeyOf(command.Node, command.Setting));
        return _draft.Planned($"{where} inherits {command.Setting}.");
    }

    private PlanResult Plan(PolicyCommand.ForceSetting command)
    {
        if (CheckNode(command.Node, command.Setting, out var where) is { } refusal) return refusal;
        if (!MayManageSecurity(command.Node)) return Lacking(Permission.ManageSecurity, where);
        if (CheckValue(command.Node, command.Setting, command.Value, out var value) is { } badValue) return badValue;
        Write(command.Node, command.Setting, value);
        var removed = 0;
        foreach (var node in NodesBelow(command.Node))
        {
            if (_snapshot.Find(KeyOf(node, command.Setting)) is not { } row) continue;
            _draft.Remove(row);
            removed++;
        }

        return _draft.Planned($"Forced {command.Setting} from {where} down to {value}; overrides removed: {removed}.");
    }

    private void Write(SettingNode node, SettingKind setting, string value)
    {
        if (_snapshot.Find(KeyOf(node, setting)) is SettingRow own && own.Value == value) return;
        _draft.Put(new SettingRow(node, setting, value, Touched: _snapshot.Version + 1));
    }

    private PlanResult? CheckNode(SettingNode node, SettingKind setting, out string where)
    {
        where = "the organization";
        switch (node.Kind)
        {
            case SettingNodeKind.Organization when node.Id == Guid.Empty:
                break;
            case SettingNodeKind.DeviceGroup:
                if (VisibleDeviceGroup(new(node.Id)) is not { } group) return NotFound("node");
                where = Describe.Path(group);
                break;
            case SettingNodeKind.Device:
                if (VisibleDevice(new(node.Id)) is not { } device) return NotFound("node");
                where = device.Row.Name;
                break;
            default:
                return NotFound("node");
        }

        if (Settings.IsOfOrganization(setting))
        {
            if (node.Kind != SettingNodeKind.Organization) return Fields.Invalid("setting", "Only the organization has this setting.");
            if (!_authority.IsMaster) return OnlyMasters(setting switch
            {
                SettingKind.RecordingRetention => "change how long recordings are kept",
                SettingKind.AccessRequestRoles or SettingKind.AccessRequestLongest => "change what may be asked for ahead",
                SettingKind.HostKeyTrust or SettingKind.TrustedHostAuthorities => "change how devices are recognized",
                >= SettingKind.TwoFactorRequired and <= SettingKind.SignInIdle => "change how people sign in",
                _ => "change how the organization approves",
            });
        }

        if (setting == SettingKind.Notifications) return MayModifyNotifications(node) ? null : Lacking(Permission.ModifyNotifications, where);
        if (!MayManageSecurity(node)) return Lacking(Permission.ManageSecurity, where);
        return Fields.Defined(setting, "setting");
    }

    private PlanResult? CheckValue(SettingNode node, SettingKind setting, string? text, out string value)
    {
        value = "";
        if (text is null) return Fields.Invalid("value", "A value is missing.");
        if (!Settings.TryCanonical(setting, text, out var canonical, out var problem)) return Fields.Invalid("value", problem);
        value = canonical;
        return setting == SettingKind.Notifications ? CheckRecipients(node, canonical) : CheckNamed(setting, canonical);
    }

    private IEnumerable<SettingNode> NodesBelow(SettingNode node)
    {
        switch (node.Kind)
        {
            case SettingNodeKind.Organization:
                return Nodes(_model.DeviceGroups.Values, _model.Devices.Values);
            case SettingNodeKind.DeviceGroup:
                var groups = _model.Downwards(_model.DeviceGroups.GetValueOrDefault(new(node.Id))!).ToList();
                return Nodes(groups.Skip(1), groups.SelectMany(group => _model.ContentOf(group).Devices));
            default:
                return [];
        }
    }

    /// <summary>Those with settings of their own.</summary>
    private static IEnumerable<SettingNode> Nodes(IEnumerable<DeviceGroupNode> groups, IEnumerable<DeviceNode> devices) =>
        groups.Where(group => group.Own.Length > 0).Select(group => SettingNode.Of(group.Id))
            .Concat(devices.Where(device => device.Own.Length > 0).Select(device => SettingNode.Of(device.Id)));

    private static RowKey KeyOf(SettingNode node, SettingKind setting) => new SettingRow(node, setting, "", 0).Key;
}
