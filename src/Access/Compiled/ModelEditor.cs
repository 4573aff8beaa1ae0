namespace Countersign.Access;

/// <summary>
/// Makes a version of the model from another one and the rows that differ; refuses what does not fit together. Building from all rows is the
/// same with nothing before. What the rows name is gathered in drafts first, in whatever order they come; then trees are resolved from the
/// top down, and only where a draft or something above it changed.
/// </summary>
internal sealed partial class ModelEditor
{
    private readonly PolicyModel _before;
    private readonly Dictionary<PersonId, PersonDraft> _personDrafts = [];
    private readonly Dictionary<TechnicianGroupId, TechnicianGroupDraft> _technicianGroupDrafts = [];
    private readonly Dictionary<DeviceGroupId, DeviceGroupDraft> _deviceGroupDrafts = [];
    private readonly Dictionary<DeviceId, DeviceDraft> _deviceDrafts = [];
    private readonly List<(PolicyRow? Before, PolicyRow? After)> _grantChanges = [];
    private readonly HashSet<RoleId> _changedRoles = [];
    private readonly bool _isEmpty;
    private List<ParsedSetting>? _organizationSettings;

    private ModelEditor(PolicyModel before, bool isEmpty)
    {
        _before = before;
        _isEmpty = isEmpty;
        _people = before.People.ToBuilder();
        _owner = before.Owner;
        _logins = before.PeopleByLogin.ToBuilder();
        _technicianGroups = before.TechnicianGroups.ToBuilder();
        _groupPeople = before.GroupPeople;
        _nextTechnicianGroup = before.GroupPeople.Length;
        _everyone = before.Everyone;
        _everyoneGrants = before.EveryoneGrants;
        _deviceGroups = before.DeviceGroups.ToBuilder();
        _deviceGroupAt = before.DeviceGroupAt;
        _contents = before.Contents;
        _labels = before.Labels;
        _devices = before.Devices.ToBuilder();
        _names = before.DevicesByName.ToBuilder();
        _nextDeviceNumber = before.NextDeviceNumber;
        _roles = before.CustomRoles.ToBuilder();
        _grants = before.Grants.ToBuilder();
        _grantsOnAllDevices = before.GrantsOnAllDevices;
    }

    /// <exception cref="PolicyException">Something dangles, goes round in a circle or contradicts itself.</exception>
    public static PolicyModel Build(RowStore rows)
    {
        var editor = new ModelEditor(Nothing(), rows.IsEmpty);
        foreach (var row in rows.Rows) editor.Take(null, row);
        return editor.Finish();
    }

    /// <param name="rows">As they are after the changes.</param>
    /// <exception cref="PolicyException">Something dangles, goes round in a circle or contradicts itself.</exception>
    public static PolicyModel Edit(PolicyModel before, IReadOnlyList<RowChange> changes, RowStore rows)
    {
        var editor = new ModelEditor(before, rows.IsEmpty);
        foreach (var change in changes) editor.Take(change.Before, change.After);
        return editor.Finish();
    }

    private static PolicyModel Nothing()
    {
        var rules = DeviceRules.ForOrganization([]);
        return new()
        {
            People = ChunkedMap<PersonId, PersonNode>.Empty,
            PeopleByLogin = ChunkedMap<string, PersonRow>.Empty,
            TechnicianGroups = ChunkedMap<TechnicianGroupId, TechnicianGroupNode>.Empty,
            GroupPeople = [],
            DeviceGroups = ChunkedMap<DeviceGroupId, DeviceGroupNode>.Empty,
            DeviceGroupAt = [OutsideAllGroups(rules)],
            Contents = [GroupContent.Nothing],
            Labels = LabelSpace.Empty,
            Devices = ChunkedMap<DeviceId, DeviceNode>.Empty,
            DevicesByName = ChunkedMap<string, DeviceRow>.Empty,
            NextDeviceNumber = 1,
            CustomRoles = ChunkedMap<RoleId, RoleRow>.Empty,
            Grants = ChunkedMap<GrantId, CompiledGrant>.Empty,
            Owner = null,
            GrantsOnAllDevices = [],
            Everyone = null,
            EveryoneGrants = GrantTable.Empty,
            OrganizationSettings = [],
            OrganizationRules = rules,
            Phantom = new(new(default, default, "", "", true, EndpointProtocol.Ssh, "", 0, ""), 0, 0, [], [], null, []),
        };
    }

    private static DeviceGroupNode OutsideAllGroups(DeviceRules rules) => new(new(default, null, ""), null, 0, rules, []);

    private PolicyModel Finish()
    {
        EditRoles();
        EditGrants();
        EditOrganizationSettings();
        EditDeviceGroups();
        EditDevices();
        EditTechnicianGroups();
        EditPeople();
        if (_people.Count > 0 && _everyone is null) throw new PolicyException("there is no root technician group");
        return new()
        {
            People = _people.ToImmutable(),
            PeopleByLogin = _logins.ToImmutable(),
            TechnicianGroups = _technicianGroups.ToImmutable(),
            GroupPeople = _groupPeople,
            DeviceGroups = _deviceGroups.ToImmutable(),
            DeviceGroupAt = _deviceGroupAt,
            Contents = _contents,
            Labels = _labels,
            Devices = _devices.ToImmutable(),
            DevicesByName = _names.ToImmutable(),
            NextDeviceNumber = _nextDeviceNumber,
            CustomRoles = _roles.ToImmutable(),
            Grants = _grants.ToImmutable(),
            Owner = _owner,
            GrantsOnAllDevices = _grantsOnAllDevices,
            Everyone = _everyone,
            EveryoneGrants = _everyoneGrants,
            OrganizationSettings = _organizationSettings is { } settings ? [.. settings] : _before.OrganizationSettings,
            OrganizationRules = _organizationRules,
            Phantom = _before.Phantom,
        };
    }

    private void Take(PolicyRow? before, PolicyRow? after)
    {
        switch (after ?? before)
        {
            case PersonRow row:
                Draft(row.Id, row).Row = (PersonRow?)after;
                break;
            case TechnicianGroupRow row:
                var group = Draft(row.Id, row);
                (group.Row, group.IsChanged) = ((TechnicianGroupRow?)after, true);
                break;
            case MembershipRow row:
                Replace(Draft(row.Person, row).Groups, before is null ? null : row.Group, after is null ? null : row.Group);
                Replace(Draft(row.Group, row).Members, before is null ? null : row.Person, after is null ? null : row.Person);
                break;
            case GroupManagerRow row:
                Replace(Draft(row.Person, row).Manages, before is null ? null : row.Group, after is null ? null : row.Group);
                Replace(Draft(row.Group, row).Managers, before is null ? null : row.Person, after is null ? null : row.Person);
                break;
            case GroupAdministratorRow row:
                Replace(Draft(row.Person, row).Administers, before is null ? null : row.Group, after is null ? null : row.Group);
                Replace(Draft(row.Group, row).Administrators, before is null ? null : row.Person, after is null ? null : row.Person);
                break;
            case GroupPermissionRow row:
                TakeValue(row, (GroupPermissionRow?)before, (GroupPermissionRow?)after);
                break;
            case DeviceGroupRow row:
                var devices = Draft(row.Id, row);
                (devices.Row, devices.IsChanged) = ((DeviceGroupRow?)after, true);
                break;
            case DeviceRow row:
                Draft(row.Id, row).Row = (DeviceRow?)after;
                break;
            case DeviceAccountRow row:
                var accounts = Draft(row.Device, row).Accounts;
                accounts.RemoveAll(account => account == before);
                if (after is DeviceAccountRow added) accounts.Add(added);
                break;
            case RoleRow row:
                TakeRole(row, (RoleRow?)after);
                break;
            case GrantRow:
                _grantChanges.Add((before, after));
                break;
            case SettingRow row:
                TakeSetting(row, (SettingRow?)after);
                break;
        }
    }

    private void TakeValue(GroupPermissionRow row, GroupPermissionRow? before, GroupPermissionRow? after)
    {
        if (!PermissionCatalogue.Restrictable.Contains(row.Permission)) throw new PolicyException($"{row.Key}: no group can restrict {row.Permission}");
        if (!Enum.IsDefined(row.Value)) throw new PolicyException($"{row.Key}: neither allows nor denies");
        var draft = Draft(row.Group, row);
        draft.IsChanged = true;
        if (before is not null) draft.Own.Remove(before);
        if (after is not null) draft.Own.Add(after);
    }

    private void TakeRole(RoleRow row, RoleRow? after)
    {
        if (SystemRoles.IsSystem(row.Id)) throw new PolicyException($"role '{row.Name}' has the id of a system role");
        if (!Enum.IsDefined(row.Purpose)) throw new PolicyException($"role '{row.Name}' is for no known purpose");
        var beside = row.Permissions - PermissionCatalogue.AllowedFor(row.Purpose);
        if (!beside.IsEmpty) throw new PolicyException($"role '{row.Name}' is for {row.Purpose} and can't hold {beside}");
        _changedRoles.Add(row.Id);
        if (after is null) _roles.Remove(row.Id);
        else _roles.Set(row.Id, after);
    }

    private void TakeSetting(SettingRow row, SettingRow? after)
    {
        if (!Enum.IsDefined(row.Setting)) throw new PolicyException($"{row.Key}: no such setting");
        if (!Settings.TryCanonical(row.Setting, row.Value, out var canonical, out var problem)) throw new PolicyException($"{row.Key}: {problem}");
        if (!string.Equals(canonical, row.Value, StringComparison.Ordinal)) throw new PolicyException($"{row.Key}: '{row.Value}' is not in canonical form");
        if (Settings.IsOfOrganization(row.Setting) && row.Node != SettingNode.Organization) throw new PolicyException($"{row.Key}: only the organization has it");
        switch (row.Node.Kind)
        {
            case SettingNodeKind.Organization when row.Node.Id == Guid.Empty:
                Put(_organizationSettings ??= [.. _before.OrganizationSettings], row, after);
                break;
            case SettingNodeKind.DeviceGroup:
                var group = Draft(new DeviceGroupId(row.Node.Id), row);
                group.IsChanged = true;
                Put(group.Settings, row, after);
                break;
            case SettingNodeKind.Device:
                Put(Draft(new DeviceId(row.Node.Id), row).Settings, row, after);
                break;
            default:
                throw new PolicyException($"settings are for {row.Node.Kind} {row.Node.Id}, which is not there");
        }
    }

    private static void Put(List<ParsedSetting> settings, SettingRow row, SettingRow? after)
    {
        settings.RemoveAll(setting => setting.Kind == row.Setting);
        if (after is not null) settings.Add(ParsedSetting.Read(after.Setting, after.Value, after.Node));
    }

    private static void Replace<T>(List<T> list, T? before, T? after)
        where T : struct
    {
        if (before is { } gone) list.Remove(gone);
        if (after is { } come) list.Add(come);
    }

    private void EditOrganizationSettings()
    {
        _organizationRules = _organizationSettings is { } settings ? DeviceRules.ForOrganization([.. settings]) : _before.OrganizationRules;
        if (_organizationSettings is null) return;
        Own(ref _deviceGroupAt, _before.DeviceGroupAt);
        _deviceGroupAt[0] = OutsideAllGroups(_organizationRules);
    }

    /// <summary>Copies a table of the version before when it is first written to.</summary>
    private static void Own<T>(ref T[] table, T[] before)
    {
        if (ReferenceEquals(table, before)) table = [.. before];
    }
}
