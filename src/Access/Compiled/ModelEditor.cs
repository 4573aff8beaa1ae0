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
    private readonly PolicyPool _pool;
    private List<ParsedSetting>? _organizationSettings;

    private ModelEditor(PolicyModel before)
    {
        _before = before;
        _people = before.People.ToBuilder();
        _pool = before.Pool.Next();
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
        _workflows = before.Workflows.ToBuilder();
        _externalGroups = before.ExternalGroups.ToBuilder();
    }

    /// <exception cref="PolicyException">Something dangles, goes round in a circle or contradicts itself.</exception>
    public static PolicyModel Build(IEnumerable<PolicyRow> rows)
    {
        var editor = new ModelEditor(Nothing());
        foreach (var row in rows) editor.Take(null, row);
        return editor.Finish();
    }

    /// <exception cref="PolicyException">
    /// Something dangles, goes round in a circle or contradicts itself, or a row is not what the change takes it to be.
    /// </exception>
    public static PolicyModel Edit(PolicyModel before, IReadOnlyList<RowChange> changes)
    {
        var editor = new ModelEditor(before);
        var changed = new Dictionary<RowKey, PolicyRow?>();
        foreach (var change in changes)
        {
            if (change is { Before: null, After: null }) throw new PolicyException("a change has neither before nor after");
            var key = change.Key;
            if (change is { Before: { } was, After: not null } && was.Key != key) throw new PolicyException($"a change turns {was.Key} into {key}");
            if (!changed.TryGetValue(key, out var now)) now = before.Find(key);
            if (!Equals(now, change.Before)) throw new PolicyException($"the row {key} is not what the change starts from");
            changed[key] = change.After;
            editor.Take(now, change.After);
        }

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
            Pool = PolicyPool.Empty,
            Requestable = [],
            Owner = null,
            GrantsOnAllDevices = [],
            Workflows = ChunkedMap<WorkflowId, WorkflowRow>.Empty,
            ExternalGroups = ChunkedMap<ExternalGroupId, ExternalGroupRow>.Empty,
            Everyone = null,
            EveryoneGrants = GrantTable.Empty,
            OrganizationSettings = [],
            OrganizationRules = rules,
            Phantom = new(new(default, default, "", "", true, ""), 0, 0, [], [], PolicyPool.Empty.AccountNames, [], []),
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
        PlaceGrants();
        EditTechnicianGroups();
        EditPeople();
        CheckWorkflows();
        CheckExternalMembers();
        CheckNamed();
        if (_people.Count == 0 && IsAnythingThere()) throw new PolicyException("an organization has one owner, and here are 0");
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
            Pool = _pool,
            Requestable = Requestable(),
            Owner = _owner,
            GrantsOnAllDevices = _grantsOnAllDevices,
            Workflows = _workflows.ToImmutable(),
            ExternalGroups = _externalGroups.ToImmutable(),
            Everyone = _everyone,
            EveryoneGrants = _everyoneGrants,
            OrganizationSettings = _organizationSettings is { } settings ? [.. settings] : _before.OrganizationSettings,
            OrganizationRules = _organizationRules,
            Phantom = _before.Phantom,
        };
    }

    private bool IsAnythingThere() =>
        _technicianGroups.Count + _deviceGroups.Count + _devices.Count + _roles.Count + _grants.Count > 0 || (_organizationSettings ?? [.. _before.OrganizationSettings]).Count > 0;

    /// <param name="before">As it is in the version before; null: not there.</param>
    private void Take(PolicyRow? before, PolicyRow? after)
    {
        switch (after ?? before)
        {
            case PersonRow row:
                if (after is not null) RowRules.Check(row);
                var person = Draft(row.Id, row);
                if (before is null && person.Row is not null) throw Twice(row);
                person.Row = (PersonRow?)after;
                break;
            case TechnicianGroupRow row:
                if (after is not null) RowRules.Check(row);
                var group = Draft(row.Id, row);
                if (before is null && group.Row is not null) throw Twice(row);
                (group.Row, group.IsChanged) = ((TechnicianGroupRow?)after, true);
                break;
            case MembershipRow row:
                Replace(row, Draft(row.Person, row).Groups, row.Group, before, after);
                Draft(row.Group, row).Members.Replace(row.Person, before, after);
                break;
            case GroupManagerRow row:
                Replace(row, Draft(row.Person, row).Manages, row.Group, before, after);
                Draft(row.Group, row).Managers.Replace(row.Person, before, after);
                break;
            case GroupAdministratorRow row:
                Replace(row, Draft(row.Person, row).Administers, row.Group, before, after);
                Draft(row.Group, row).Administrators.Replace(row.Person, before, after);
                break;
            case GroupPermissionRow row:
                TakeValue(row, (GroupPermissionRow?)before, (GroupPermissionRow?)after);
                break;
            case DeviceGroupRow row:
                var devices = Draft(row.Id, row);
                if (before is null && devices.Row is not null) throw Twice(row);
                (devices.Row, devices.IsChanged) = ((DeviceGroupRow?)after, true);
                break;
            case DeviceRow row:
                if (after is not null) RowRules.Check(row);
                var device = Draft(row.Id, row);
                if (before is null && device.Row is not null) throw Twice(row);
                device.Row = (DeviceRow?)after;
                break;
            case DeviceAccountRow row:
                TakeAccount(row, (DeviceAccountRow?)after, before is null);
                break;
            case DeviceServiceRow row:
                TakeService(row, (DeviceServiceRow?)after, before is null);
                break;
            case RoleRow row:
                TakeRole(row, (RoleRow?)after, before is null);
                break;
            case GrantRow:
                _grantChanges.Add((before, after));
                break;
            case WorkflowRow row:
                TakeWorkflow((WorkflowRow?)before, (WorkflowRow?)after);
                break;
            case ExternalGroupRow row:
                TakeExternalGroup(row, (ExternalGroupRow?)after, before is null);
                break;
            case ExternalMemberRow row:
                Replace(row, Draft(row.Person, row).ExternalGroups, row.Group, before, after);
                break;
            case SettingRow row:
                TakeSetting(row, (SettingRow?)after, before is null);
                break;
        }
    }

    private void TakeValue(GroupPermissionRow row, GroupPermissionRow? before, GroupPermissionRow? after)
    {
        if (!PermissionCatalogue.Restrictable.Contains(row.Permission)) throw new PolicyException($"{row.Key}: no group can restrict {row.Permission}");
        if (!Enum.IsDefined(row.Value)) throw new PolicyException($"{row.Key}: neither allows nor denies");
        if (row.Option.Length > 0 && !PermissionOption.TryParse(row.Permission, row.Option, out _, out var problem)) throw new PolicyException($"{row.Key}: {problem}");
        var draft = Draft(row.Group, row);
        draft.IsChanged = true;
        if (before is null && draft.Own.Exists(own => own.Permission == row.Permission)) throw Twice(row);
        if (before is not null) draft.Own.Remove(before);
        if (after is not null) draft.Own.Add(after);
    }

    private void TakeRole(RoleRow row, RoleRow? after, bool isNew)
    {
        if (SystemRoles.IsSystem(row.Id)) throw new PolicyException($"role '{row.Name}' has the id of a system role");
        if (!Enum.IsDefined(row.Purpose)) throw new PolicyException($"role '{row.Name}' is for no known purpose");
        var beside = row.Permissions - PermissionCatalogue.AllowedFor(row.Purpose);
        if (!beside.IsEmpty) throw new PolicyException($"role '{row.Name}' is for {row.Purpose} and can't hold {beside}");
        if (isNew && _roles.ContainsKey(row.Id)) throw Twice(row);
        _changedRoles.Add(row.Id);
        if (after is null) _roles.Remove(row.Id);
        else _roles.Set(row.Id, after);
    }

    private void TakeSetting(SettingRow row, SettingRow? after, bool isNew)
    {
        if (!Enum.IsDefined(row.Setting)) throw new PolicyException($"{row.Key}: no such setting");
        if (after is not null && !Settings.IsCanonical(row.Setting, row.Value, out var problem)) throw new PolicyException($"{row.Key}: {problem}");
        if (Settings.IsOfOrganization(row.Setting) && row.Node != SettingNode.Organization) throw new PolicyException($"{row.Key}: only the organization has it");
        switch (row.Node.Kind)
        {
            case SettingNodeKind.Organization when row.Node.Id == Guid.Empty:
                Put(_organizationSettings ??= [.. _before.OrganizationSettings], row, after, isNew);
                break;
            case SettingNodeKind.DeviceGroup:
                var group = Draft(new DeviceGroupId(row.Node.Id), row);
                group.IsChanged = true;
                Put(group.Settings, row, after, isNew);
                break;
            case SettingNodeKind.Device:
                Put(Draft(new DeviceId(row.Node.Id), row).Settings, row, after, isNew);
                break;
            default:
                throw new PolicyException($"settings are for {row.Node.Kind} {row.Node.Id}, which is not there");
        }
    }

    private void TakeAccount(DeviceAccountRow row, DeviceAccountRow? after, bool isNew)
    {
        if (after is not null) RowRules.Check(after);
        var draft = Draft(row.Device, row);
        var others = Array.FindAll(draft.Accounts, account => !string.Equals(account.Name, row.Name, StringComparison.Ordinal));
        if (isNew && others.Length < draft.Accounts.Length) throw Twice(row);
        draft.Accounts = after is null ? others : [.. others, after];
    }

    private void TakeService(DeviceServiceRow row, DeviceServiceRow? after, bool isNew)
    {
        if (!Enum.IsDefined(row.Protocol)) throw new PolicyException($"{row.Key}: no such protocol");
        if (row.Port is < 1 or > 65535) throw new PolicyException($"{row.Key}: no port has the number {row.Port}");
        if (row.Pin is not "" && !ServiceProtocols.IsCanonicalPin(row.Protocol, row.Pin)) throw new PolicyException($"{row.Key}: what is pinned is not of its form");
        var draft = Draft(row.Device, row);
        if (after is not null && draft.Services.Length == 0)
        {
            draft.Services = [after];
            return;
        }

        var others = Array.FindAll(draft.Services, service => service.Protocol != row.Protocol);
        if (isNew && others.Length < draft.Services.Length) throw Twice(row);
        draft.Services = after is null ? others : [.. others, after];
    }

    private void Put(List<ParsedSetting> settings, SettingRow row, SettingRow? after, bool isNew)
    {
        if (settings.RemoveAll(setting => setting.Kind == row.Setting) > 0 && isNew) throw Twice(row);
        if (after is not null) settings.Add(ParsedSetting.Read(after, _pool));
    }

    private static void Replace<T>(PolicyRow row, List<T> list, T value, PolicyRow? before, PolicyRow? after)
    {
        if (before is null && list.Contains(value)) throw Twice(row);
        list.Replace(value, before, after);
    }

    private static PolicyException Twice(PolicyRow row) => new($"two rows have the key {row.Key}");

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
