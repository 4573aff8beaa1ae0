namespace Countersign.Access.Tests.Naive;

/// <summary>
/// The access model once more, as plain as can be: one method for each sentence of the specification, tables that are scanned from end to end whenever something is
/// asked, but where one row is meant, which is looked up by what it is known by; nothing that was worked out is remembered. The engine must say the same.
/// </summary>
internal sealed partial class NaivePolicy
{
    private readonly List<PolicyRow> _all;
    private readonly List<PersonRow> _people;
    private readonly Dictionary<PersonId, PersonRow> _peopleById;
    private readonly Dictionary<TechnicianGroupId, TechnicianGroupRow> _groups;
    private readonly List<MembershipRow> _memberships;
    private readonly List<GroupManagerRow> _managers;
    private readonly List<GroupAdministratorRow> _administrators;
    private readonly Dictionary<(TechnicianGroupId, Permission), GroupPermissionRow> _groupPermissions;
    private readonly Dictionary<DeviceGroupId, DeviceGroupRow> _deviceGroups;
    private readonly List<DeviceRow> _devices;
    private readonly Dictionary<DeviceId, DeviceRow> _devicesById;
    private readonly List<DeviceAccountRow> _accounts;
    private readonly List<RoleRow> _roles;
    private readonly List<GrantRow> _grants;
    private readonly Dictionary<(SettingNode, SettingKind), SettingRow> _settings;
    private readonly List<WorkflowRow> _workflows;
    private readonly List<ExternalMemberRow> _externalMembers;

    public NaivePolicy(IEnumerable<PolicyRow> rows)
    {
        var all = _all = rows.ToList();
        _people = [.. all.OfType<PersonRow>()];
        _peopleById = _people.ToDictionary(person => person.Id);
        _groups = all.OfType<TechnicianGroupRow>().ToDictionary(group => group.Id);
        _memberships = [.. all.OfType<MembershipRow>()];
        _managers = [.. all.OfType<GroupManagerRow>()];
        _administrators = [.. all.OfType<GroupAdministratorRow>()];
        _groupPermissions = all.OfType<GroupPermissionRow>().ToDictionary(row => (row.Group, row.Permission));
        _deviceGroups = all.OfType<DeviceGroupRow>().ToDictionary(group => group.Id);
        _devices = [.. all.OfType<DeviceRow>()];
        _devicesById = _devices.ToDictionary(device => device.Id);
        _accounts = [.. all.OfType<DeviceAccountRow>()];
        _roles = [.. all.OfType<RoleRow>(), .. SystemRoles.All];
        _grants = [.. all.OfType<GrantRow>()];
        _settings = all.OfType<SettingRow>().ToDictionary(row => (row.Node, row.Setting));
        _workflows = [.. all.OfType<WorkflowRow>()];
        _externalMembers = [.. all.OfType<ExternalMemberRow>()];
    }

    public IReadOnlyList<PersonRow> People => _people;

    public IReadOnlyList<DeviceRow> Devices => _devices;

    public PersonRow? Person(PersonId id) => _peopleById.GetValueOrDefault(id);

    public DeviceRow? Device(DeviceId id) => _devicesById.GetValueOrDefault(id);

    /// <summary>Active technicians and contacts take part, and nobody else.</summary>
    public static bool TakesPart(PersonRow person) => person is { State: PersonState.Activated, Status: PersonStatus.Active };

    /// <summary>The group and the groups above it, up to Everyone.</summary>
    private IEnumerable<TechnicianGroupRow> Upwards(TechnicianGroupId? from)
    {
        for (var id = from; id is not null;)
        {
            var group = _groups[id.Value];
            yield return group;
            id = group.ParentId;
        }
    }

    private TechnicianGroupRow Everyone => _groups.Values.Single(group => group.ParentId is null);

    /// <summary>A disabled group is disabled with everything below it.</summary>
    private bool IsEnabled(TechnicianGroupId group) => Upwards(group).All(row => row.Enabled);

    private IEnumerable<TechnicianGroupId> AppointedMemberships(PersonRow person) =>
        _memberships.Where(row => row.Person == person.Id).Select(row => row.Group);

    /// <summary>Their direct memberships, disabled ones included; Everyone alone if there is none.</summary>
    private List<TechnicianGroupId> DirectMemberships(PersonRow person) =>
        AppointedMemberships(person).ToList() is { Count: > 0 } appointed ? appointed : [Everyone.Id];

    /// <summary>In Everyone is everybody but contacts.</summary>
    private IEnumerable<TechnicianGroupId> MembershipsInside(PersonRow person) =>
        person.Kind == PersonKind.Contact ? AppointedMemberships(person) : DirectMemberships(person);

    /// <summary>The device group and the device groups above it.</summary>
    private IEnumerable<DeviceGroupRow> Upwards(DeviceGroupId? from)
    {
        for (var id = from; id is not null;)
        {
            var group = _deviceGroups[id.Value];
            yield return group;
            id = group.ParentId;
        }
    }

    private IEnumerable<string> AccountsOf(DeviceRow device) => _accounts.Where(row => row.Device == device.Id).Select(row => row.Name);

    public string? DefaultAccount(DeviceId device) => DefaultAccount(Device(device)!);

    private string? DefaultAccount(DeviceRow device) => _accounts.SingleOrDefault(row => row.Device == device.Id && row.IsDefault)?.Name;
}
