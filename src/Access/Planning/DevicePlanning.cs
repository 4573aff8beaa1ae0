namespace Countersign.Access;

internal sealed partial class Planner
{
    private const int MostAccounts = 100;

    private PlanResult Plan(PolicyCommand.AddDevice command)
    {
        if (VisibleDeviceGroup(command.Group) is not { } group) return NotFound("device group");
        if (!MayAddTo(group)) return Lacking(Permission.ModifyDevice, Describe.Path(group));
        if (WrongWith(command, out var row, out var services) is { } invalid) return invalid;
        if (_model.Devices.ContainsKey(command.Id)) return Conflict("There is a device with this id already.");
        if (_model.DevicesByName.ContainsKey(command.Name)) return Conflict($"The name '{command.Name}' is taken.");

        _draft.Add(row);
        foreach (var service in services) _draft.Add(service);
        foreach (var (index, account) in command.Accounts.Index()) _draft.Add(new DeviceAccountRow(command.Id, account, IsDefault: index == 0));
        return _draft.Planned($"Added the device {command.Name} to {Describe.Path(group)}.");
    }

    /// <param name="row">As it would be added, like its services; of no use where something is wrong.</param>
    public static PlanResult? WrongWith(PolicyCommand.AddDevice command, out DeviceRow row, out IReadOnlyList<DeviceServiceRow> services)
    {
        var invalid = Fields.All(
            Fields.Id(command.Id.Value),
            Fields.DeviceName(command.Name),
            Fields.Description(command.Description, out var description),
            Fields.Host(command.Host),
            ServicePlanning.Read(command.Id, [], command.Services, out services),
            CheckAccounts(command.Accounts),
            Fields.Tags(command.Tags, out var tags));
        row = new(command.Id, command.Group, command.Name, description, Enabled: true, command.Host) { Tags = tags };
        return invalid;
    }

    private PlanResult Plan(PolicyCommand.EditDevice command)
    {
        if (VisibleDevice(command.Id) is not { } device) return NotFound("device");
        if (VisibleDeviceGroup(command.Group ?? device.Row.Group) is not { } group) return NotFound("device group");
        if (!MayModify(device)) return Lacking(Permission.ModifyDevice, device.Row.Name);
        if (group.Index != device.GroupIndex && !MayAddTo(group)) return Lacking(Permission.ModifyDevice, Describe.Path(group));
        if (Edited(device, group, command, out var row, out var services) is { } invalid) return invalid;
        if (_model.DevicesByName.TryGetValue(row.Name, out var named) && named.Id != device.Id) return Conflict($"The name '{row.Name}' is taken.");

        _draft.Put(row);
        if (services is not null)
        {
            _draft.RemoveAll(device.Services.Where(service => services.All(other => other.Protocol != service.Protocol)));
            foreach (var service in services) _draft.Put(service);
        }

        if (command.Accounts is { } accounts)
        {
            _draft.RemoveAll(device.Accounts.Where(account => !accounts.Contains(account.Name, StringComparer.Ordinal)));
            foreach (var (index, account) in accounts.Index()) _draft.Put(new DeviceAccountRow(device.Id, account, IsDefault: index == 0));
        }

        return _draft.Planned($"Edited the device {row.Name}.");
    }

    private static PlanResult? Edited(DeviceNode device, DeviceGroupNode group, PolicyCommand.EditDevice command, out DeviceRow row, out IReadOnlyList<DeviceServiceRow>? services)
    {
        var tags = (command.Tags ?? DeviceTags.Read(device.Row.Tags)).Concat(command.AddedTags)
            .Where(tag => !command.RemovedTags.Contains(tag, StringComparer.OrdinalIgnoreCase))
            .Distinct(StringComparer.OrdinalIgnoreCase);
        row = device.Row with
        {
            Group = group.Id,
            Name = command.Name ?? device.Row.Name,
            Enabled = command.Enabled ?? device.Row.Enabled,
            Host = command.Host ?? device.Row.Host,
        };
        var invalid = Fields.All(
            Fields.DeviceName(row.Name),
            Fields.Description(command.Description ?? device.Row.Description, out var description),
            Fields.Host(row.Host),
            ServicePlanning.Read(device, command, out services),
            command.Accounts is null ? null : CheckAccounts(command.Accounts),
            Fields.Tags(tags, out var written));
        row = row with { Description = description, Tags = written };
        return invalid;
    }

    private PlanResult Plan(PolicyCommand.PinHostKey command)
    {
        if (VisibleDevice(command.Device) is not { } device) return NotFound("device");
        if (_snapshot.HostTrust.Unpinned != HostKeyTrust.FirstUse) return new PlanResult.Forbidden("The organization does not trust host keys that are seen for the first time.");
        if (device.Service(ServiceProtocol.Ssh) is not { } ssh) return Conflict($"{device.Row.Name} has no service by ssh.");
        if (ssh.Pin.Length > 0) return Conflict($"{device.Row.Name} has a pinned host key already.");
        if (!ServiceProtocols.TryPin(ServiceProtocol.Ssh, command.HostKey, out var hostKey, out var problem)) return Fields.Invalid("hostKey", problem);
        if (hostKey.Length == 0) return Fields.Invalid("hostKey", "A host key is missing.");
        _draft.Put(ssh with { Pin = hostKey });
        return _draft.Planned($"Pinned the host key that {device.Row.Name} showed at its first connection.");
    }

    private PlanResult Plan(PolicyCommand.DeleteDevice command)
    {
        if (VisibleDevice(command.Id) is not { } device) return NotFound("device");
        if (!_authority.IsMaster && !_authority.Over(device).Contains(Permission.DeleteDevice)) return Lacking(Permission.DeleteDevice, device.Row.Name);
        RemoveScope(device.Grants, device.Own);
        _draft.RemoveAll(device.Accounts);
        _draft.RemoveAll(device.Services);
        _draft.Remove(device.Row);
        return _draft.Planned($"Deleted the device {device.Row.Name}.");
    }

    private PlanResult Plan(PolicyCommand.AddAccount command)
    {
        if (VisibleDevice(command.Device) is not { } device) return NotFound("device");
        if (!MayModify(device)) return Lacking(Permission.ModifyDevice, device.Row.Name);
        if (Fields.Account(command.Name, "name") is { } badName) return badName;
        if (device.HasAccount(command.Name)) return Conflict($"{device.Row.Name} has the account '{command.Name}' already.");
        if (device.Accounts.Length >= MostAccounts) return Conflict($"A device has at most {MostAccounts} accounts.");
        var becomesDefault = command.MakeDefault || device.DefaultAccount is null;
        if (becomesDefault)
        {
            foreach (var account in device.Accounts) _draft.Put(account with { IsDefault = false });
        }

        _draft.Add(new DeviceAccountRow(device.Id, command.Name, IsDefault: becomesDefault));
        return _draft.Planned($"Added the account {command.Name} to {device.Row.Name}.");
    }

    private PlanResult Plan(PolicyCommand.RemoveAccount command)
    {
        if (VisibleDevice(command.Device) is not { } device) return NotFound("device");
        if (!MayModify(device)) return Lacking(Permission.ModifyDevice, device.Row.Name);
        if (Array.Find(device.Accounts, account => account.Name == command.Name) is not { } row) return NotFound("account");
        if (row.IsDefault && device.Accounts.Length > 1)
        {
            return Conflict($"'{row.Name}' is the default account of {device.Row.Name}: make another one the default first.");
        }
        _draft.Remove(row);
        return _draft.Planned($"Removed the account {row.Name} from {device.Row.Name}.");
    }

    private PlanResult Plan(PolicyCommand.SetDefaultAccount command)
    {
        if (VisibleDevice(command.Device) is not { } device) return NotFound("device");
        if (!MayModify(device)) return Lacking(Permission.ModifyDevice, device.Row.Name);
        if (!device.Accounts.Any(account => account.Name == command.Name)) return NotFound("account");
        foreach (var account in device.Accounts) _draft.Put(account with { IsDefault = account.Name == command.Name });
        return _draft.Planned($"Made {command.Name} the default account of {device.Row.Name}.");
    }

    private bool MayModify(DeviceNode device) => _authority.IsMaster || _authority.Over(device).Contains(Permission.ModifyDevice);

    private bool MayAddTo(DeviceGroupNode group) => _authority.IsMaster || _authority.Over(group).Contains(Permission.ModifyDevice);

    private static PlanResult.Forbidden Lacking(Permission permission, string where) => new($"This needs {Describe.Label(permission)} on {where}.");

    private static PlanResult? CheckAccounts(IReadOnlyList<string>? accounts)
    {
        if (accounts is null || accounts.Count > MostAccounts) return Fields.Invalid("accounts", $"A device has at most {MostAccounts} accounts.");
        foreach (var account in accounts)
        {
            if (Fields.Account(account, "accounts") is { } invalid) return invalid;
        }

        return accounts.Distinct(StringComparer.Ordinal).Count() == accounts.Count ? null : Fields.Invalid("accounts", "An account is named twice.");
    }
}
