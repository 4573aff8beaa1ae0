namespace Countersign.Access;

/// <summary>Joins rows into a <see cref="PolicyModel"/>; refuses what does not fit together.</summary>
internal sealed class ModelBuilder
{
    private readonly RowStore _rows;
    private readonly Dictionary<PersonId, PersonNode> _people = [];
    private readonly Dictionary<string, PersonNode> _logins = new(StringComparer.Ordinal);
    private readonly Dictionary<TechnicianGroupId, TechnicianGroupNode> _technicianGroups = [];
    private readonly Dictionary<DeviceGroupId, DeviceGroupNode> _deviceGroups = [];
    private readonly Dictionary<DeviceId, DeviceNode> _devices = [];
    private readonly Dictionary<string, DeviceNode> _deviceNames = new(StringComparer.Ordinal);
    private readonly Dictionary<RoleId, RoleRow> _roles = [];
    private readonly Dictionary<GrantId, CompiledGrant> _grants = [];
    private readonly Dictionary<SettingNode, Dictionary<SettingKind, SettingRow>> _settings = [];
    private TechnicianGroupNode? _everyone;
    private DeviceRules _organizationRules = null!;

    private ModelBuilder(RowStore rows) => _rows = rows;

    /// <exception cref="PolicyException">Something dangles, goes round in a circle or contradicts itself.</exception>
    public static PolicyModel Build(RowStore rows) => new ModelBuilder(rows).Build();

    private PolicyModel Build()
    {
        AddPeople();
        AddTechnicianGroups();
        AddMemberships();
        AddGroupPermissions();
        AddSettings();
        AddDeviceGroups();
        AddDevices();
        CheckSettingNodes();
        AddRoles();
        AddGrants();
        foreach (var person in _people.Values) person.Resolve(_everyone!);

        return new()
        {
            People = _people,
            PeopleByLogin = _logins,
            TechnicianGroups = _technicianGroups,
            DeviceGroups = _deviceGroups,
            Devices = _devices,
            DevicesByName = _deviceNames,
            CustomRoles = _roles,
            Grants = _grants,
            Everyone = _everyone,
            OrganizationRules = _organizationRules,
            Phantom = new(new(default, default, "", "", true, EndpointProtocol.Ssh, "", 0, ""), null, [], _organizationRules),
        };
    }

    private void AddPeople()
    {
        foreach (var row in _rows.All<PersonRow>())
        {
            if (!Enum.IsDefined(row.Kind)) throw new PolicyException($"person {row.Id} is of no known kind");
            var node = new PersonNode(row);
            _people.Add(row.Id, node);
            if (!_logins.TryAdd(row.Login, node)) throw new PolicyException($"two people have the login '{row.Login}'");
        }

        var owners = _people.Values.Count(person => person.IsOwner);
        if (owners != 1 && !_rows.IsEmpty) throw new PolicyException($"an organization has one owner, and here are {owners}");
    }

    private void AddTechnicianGroups()
    {
        foreach (var row in ParentsFirst(_rows.All<TechnicianGroupRow>(), row => row.Id, row => row.ParentId, "technician group"))
        {
            var parent = row.ParentId is { } above ? _technicianGroups[above] : null;
            if (parent is null && _everyone is not null) throw new PolicyException($"technician groups {_everyone.Id} and {row.Id} are both the root");
            var node = new TechnicianGroupNode(row, parent);
            parent?.Children.Add(node);
            if (parent is null) _everyone = node;
            _technicianGroups.Add(row.Id, node);
        }

        if (_everyone is null && !_rows.IsEmpty) throw new PolicyException("there is no root technician group");
    }

    private void AddMemberships()
    {
        foreach (var row in _rows.All<MembershipRow>())
        {
            var (group, person) = (Group(row.Group, row), Person(row.Person, row));
            group.Members.Add(person);
            person.DirectMemberships.Add(group);
        }

        foreach (var row in _rows.All<GroupManagerRow>())
        {
            var (group, person) = (Group(row.Group, row), Person(row.Person, row));
            group.Managers.Add(person);
            person.Manages.Add(group);
        }

        foreach (var row in _rows.All<GroupAdministratorRow>())
        {
            var (group, person) = (Group(row.Group, row), Person(row.Person, row));
            group.Administrators.Add(person);
            person.Administers.Add(group);
        }
    }

    private void AddGroupPermissions()
    {
        foreach (var row in _rows.All<GroupPermissionRow>())
        {
            if (!PermissionCatalogue.Restrictable.Contains(row.Permission)) throw new PolicyException($"{row.Key}: no group can restrict {row.Permission}");
            if (!Enum.IsDefined(row.Value)) throw new PolicyException($"{row.Key}: neither allows nor denies");
            Group(row.Group, row).Own.Add(row.Permission, row);
        }

        if (_everyone is null) return;
        foreach (var group in _everyone.Downwards()) group.ResolveAll();
    }

    private void AddSettings()
    {
        foreach (var row in _rows.All<SettingRow>())
        {
            if (!Enum.IsDefined(row.Setting)) throw new PolicyException($"{row.Key}: no such setting");
            if (!Settings.TryCanonical(row.Setting, row.Value, out var canonical, out var problem)) throw new PolicyException($"{row.Key}: {problem}");
            if (!string.Equals(canonical, row.Value, StringComparison.Ordinal)) throw new PolicyException($"{row.Key}: '{row.Value}' is not in canonical form");
            if (Settings.IsOfOrganization(row.Setting) && row.Node != SettingNode.Organization) throw new PolicyException($"{row.Key}: only the organization has it");
            if (!_settings.TryGetValue(row.Node, out var own)) _settings.Add(row.Node, own = []);
            own.Add(row.Setting, row);
        }

        _organizationRules = DeviceRules.ForOrganization(Own(SettingNode.Organization));
    }

    private void AddDeviceGroups()
    {
        foreach (var row in ParentsFirst(_rows.All<DeviceGroupRow>(), row => row.Id, row => row.ParentId, "device group"))
        {
            var parent = row.ParentId is { } above ? _deviceGroups[above] : null;
            var node = new DeviceGroupNode(row, parent, (parent?.Rules ?? _organizationRules).With(Own(SettingNode.Of(row.Id))));
            parent?.Children.Add(node);
            _deviceGroups.Add(row.Id, node);
        }
    }

    private void AddDevices()
    {
        var accounts = _rows.All<DeviceAccountRow>().GroupBy(row => row.Device).ToDictionary(
            group => group.Key,
            group => group.OrderBy(row => row.Name, StringComparer.Ordinal).ToArray());
        foreach (var row in _rows.All<DeviceRow>())
        {
            if (!_deviceGroups.TryGetValue(row.Group, out var group))
            {
                throw new PolicyException($"device '{row.Name}' is in the device group {row.Group}, which is not there");
            }
            accounts.Remove(row.Id, out var own);
            if (own?.Count(account => account.IsDefault) > 1) throw new PolicyException($"device '{row.Name}' has two default accounts");
            var node = new DeviceNode(row, group, own ?? [], group.Rules.With(Own(SettingNode.Of(row.Id))));
            group.Devices.Add(node);
            _devices.Add(row.Id, node);
            if (!_deviceNames.TryAdd(row.Name, node)) throw new PolicyException($"two devices have the name '{row.Name}'");
        }

        foreach (var dangling in accounts.Values) throw new PolicyException($"{dangling[0].Key}: its device is not there");
    }

    private void CheckSettingNodes()
    {
        foreach (var node in _settings.Keys)
        {
            var known = node.Kind switch
            {
                SettingNodeKind.Organization => node.Id == Guid.Empty,
                SettingNodeKind.DeviceGroup => _deviceGroups.ContainsKey(new(node.Id)),
                SettingNodeKind.Device => _devices.ContainsKey(new(node.Id)),
                _ => false,
            };
            if (!known) throw new PolicyException($"settings are for {node.Kind} {node.Id}, which is not there");
        }
    }

    private void AddRoles()
    {
        foreach (var row in _rows.All<RoleRow>())
        {
            if (SystemRoles.IsSystem(row.Id)) throw new PolicyException($"role '{row.Name}' has the id of a system role");
            if (!Enum.IsDefined(row.Purpose)) throw new PolicyException($"role '{row.Name}' is for no known purpose");
            var beside = row.Permissions - PermissionCatalogue.AllowedFor(row.Purpose);
            if (!beside.IsEmpty) throw new PolicyException($"role '{row.Name}' is for {row.Purpose} and can't hold {beside}");
            _roles.Add(row.Id, row);
        }
    }

    private void AddGrants()
    {
        var people = new Dictionary<PersonNode, List<CompiledGrant>>();
        var groups = new Dictionary<TechnicianGroupNode, List<CompiledGrant>>();
        foreach (var row in _rows.All<GrantRow>())
        {
            var grant = GrantCompiler.Compile(row, SystemRoles.Find(row.Role) ?? _roles.GetValueOrDefault(row.Role));
            CheckScope(row);
            _grants.Add(row.Id, grant);
            switch (row.Subject.Kind)
            {
                case SubjectKind.Person:
                    Collect(people, Person(new(row.Subject.Id), row), grant);
                    break;
                case SubjectKind.TechnicianGroup:
                    Collect(groups, Group(new(row.Subject.Id), row), grant);
                    break;
                default:
                    throw new PolicyException($"{row.Key}: its subject is of no known kind");
            }
        }

        foreach (var (person, grants) in people) person.OwnGrants = new(grants);
        foreach (var (group, grants) in groups) group.Grants = new(grants);
    }

    private static void Collect<T>(Dictionary<T, List<CompiledGrant>> into, T subject, CompiledGrant grant)
        where T : notnull
    {
        if (!into.TryGetValue(subject, out var grants)) into.Add(subject, grants = []);
        grants.Add(grant);
    }

    private void CheckScope(GrantRow row)
    {
        var known = row.Scope.Kind switch
        {
            ScopeKind.Device => _devices.ContainsKey(new(row.Scope.Id)),
            ScopeKind.DeviceGroup => _deviceGroups.ContainsKey(new(row.Scope.Id)),
            _ => row.Scope.Id == Guid.Empty,
        };
        if (!known) throw new PolicyException($"{row.Key}: its scope, {row.Scope.Kind} {row.Scope.Id}, is not there");
    }

    private PersonNode Person(PersonId id, PolicyRow row) =>
        _people.TryGetValue(id, out var person) ? person : throw new PolicyException($"{row.Key}: person {id} is not there");

    private TechnicianGroupNode Group(TechnicianGroupId id, PolicyRow row) =>
        _technicianGroups.TryGetValue(id, out var group) ? group : throw new PolicyException($"{row.Key}: technician group {id} is not there");

    private Dictionary<SettingKind, SettingRow> Own(SettingNode node) => _settings.TryGetValue(node, out var own) ? own : [];

    /// <summary>Every row after its parent; what can't be put so hangs on nothing or on itself.</summary>
    private static List<TRow> ParentsFirst<TRow, TId>(IEnumerable<TRow> rows, Func<TRow, TId> id, Func<TRow, TId?> parent, string what)
        where TId : struct
    {
        var all = rows.ToList();
        var ids = all.Select(id).ToHashSet();
        var below = all.Where(row => parent(row) is not null).ToLookup(row => parent(row)!.Value);
        var ordered = all.Where(row => parent(row) is null).ToList();
        for (var next = 0; next < ordered.Count; next++) ordered.AddRange(below[id(ordered[next])]);
        if (ordered.Count == all.Count) return ordered;

        var placed = ordered.Select(id).ToHashSet();
        var lost = all.First(row => !placed.Contains(id(row)));
        foreach (var row in all)
        {
            if (parent(row) is { } above && !ids.Contains(above)) throw new PolicyException($"{what} {id(row)} is below {above}, which is not there");
        }

        throw new PolicyException($"{what} {id(lost)} is below itself");
    }
}
