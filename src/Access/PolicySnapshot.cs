namespace Countersign.Access;

/// <summary>All of an organization's policy at one version, immutable, compiled for questions. Any number of threads may ask it.</summary>
public sealed partial class PolicySnapshot
{
    private readonly PolicyModel _model;
    private DeviceOrder? _order;

    private PolicySnapshot(OrganizationId organization, long version, PolicyModel model)
    {
        Organization = organization;
        Version = version;
        _model = model;
    }

    public OrganizationId Organization { get; }

    public long Version { get; }

    internal PolicyModel Model => _model;

    /// <summary>Joins the rows of one version. Either all of them fit together or there is no snapshot.</summary>
    /// <exception cref="PolicyException">They don't; the message names what and where.</exception>
    public static PolicySnapshot Compile(OrganizationId organization, long version, IEnumerable<PolicyRow> rows) =>
        new(organization, version, ModelEditor.Build(rows));

    /// <summary>The next version: equal to compiling the changed rows anew, and sharing with this one what the change does not touch.</summary>
    /// <exception cref="PolicyException">The delta is for another organization or version, or starts from rows that are not these.</exception>
    public PolicySnapshot Apply(PolicyDelta delta)
    {
        if (delta.Organization != Organization) throw new PolicyException($"the change is for organization {delta.Organization}, and this is {Organization}");
        if (delta.FromVersion != Version) throw new PolicyException($"the change is for version {delta.FromVersion}, and this is {Version}");
        return new(Organization, delta.ToVersion, ModelEditor.Edit(_model, delta.Changes)) { _order = Volatile.Read(ref _order)?.After(delta.Changes) };
    }

    /// <summary>What the changes would lead to, for a plan to go on from: the version stays that of this one.</summary>
    internal PolicySnapshot With(IReadOnlyList<RowChange> changes) => changes.Count == 0 ? this : new(Organization, Version, ModelEditor.Edit(_model, changes));

    /// <summary>The rows of one table, in no particular order.</summary>
    public IEnumerable<T> All<T>()
        where T : PolicyRow => Tables.Where(table => typeof(T).IsAssignableFrom(table.Row)).SelectMany(table => _model.All(table.Table)).Cast<T>();

    /// <summary>Null: not there.</summary>
    public PolicyRow? Find(RowKey key) => _model.Find(key);

    public PersonRow? Person(PersonId id) => _model.People.GetValueOrDefault(id)?.Row;

    public PersonRow? PersonByLogin(string login) => _model.PeopleByLogin.GetValueOrDefault(login);

    public DeviceRow? Device(DeviceId id) => _model.Devices.GetValueOrDefault(id)?.Row;

    public DeviceRow? DeviceByName(string name) => _model.DevicesByName.GetValueOrDefault(name);

    /// <summary>The names of the device group and those above it, from the top; null: not there.</summary>
    public string? PathOf(DeviceGroupId group) => _model.DeviceGroups.TryGetValue(group, out var node) ? Describe.Path(node) : null;

    /// <summary>All devices in ordinal order of their names. The first call sorts them; later versions keep the order up.</summary>
    public IReadOnlyList<DeviceRow> DevicesByName
    {
        get
        {
            if (Volatile.Read(ref _order) is { } order) return order.Rows;
            order = DeviceOrder.Of(_model.Devices.Values.Select(device => device.Row));
            return (Interlocked.CompareExchange(ref _order, order, null) ?? order).Rows;
        }
    }

    /// <summary>By name; empty for a device that is not there.</summary>
    public IReadOnlyList<DeviceAccountRow> AccountsOf(DeviceId device) => _model.Devices.GetValueOrDefault(device)?.Accounts ?? [];

    /// <summary>By protocol; empty for a device that is not there.</summary>
    public IReadOnlyList<DeviceServiceRow> ServicesOf(DeviceId device) => _model.Devices.GetValueOrDefault(device)?.Services ?? [];

    /// <summary>Null: the device is not there, or has no such service.</summary>
    public DeviceEndpoint? Endpoint(DeviceId device, ServiceProtocol protocol) =>
        _model.Devices.TryGetValue(device, out var node) && node.Service(protocol) is { } service ? new(node.Row, service) : null;

    /// <summary>A custom or system role; null: not there.</summary>
    public RoleRow? Role(RoleId id) => _model.Role(id);

    /// <summary>The root technician group; null only in an organization that has no policy yet.</summary>
    public TechnicianGroupRow? Everyone => _model.Everyone?.Row;

    /// <summary>The value that counts at a node, and where it comes from; null: the node is not there.</summary>
    public EffectiveSetting? Setting(SettingNode node, SettingKind setting) => RulesAt(node)?[setting];

    private static IReadOnlyList<(PolicyTable Table, Type Row)> Tables { get; } =
    [
        (PolicyTable.Person, typeof(PersonRow)),
        (PolicyTable.TechnicianGroup, typeof(TechnicianGroupRow)),
        (PolicyTable.Membership, typeof(MembershipRow)),
        (PolicyTable.GroupManager, typeof(GroupManagerRow)),
        (PolicyTable.GroupAdministrator, typeof(GroupAdministratorRow)),
        (PolicyTable.GroupPermission, typeof(GroupPermissionRow)),
        (PolicyTable.DeviceGroup, typeof(DeviceGroupRow)),
        (PolicyTable.Device, typeof(DeviceRow)),
        (PolicyTable.DeviceAccount, typeof(DeviceAccountRow)),
        (PolicyTable.DeviceService, typeof(DeviceServiceRow)),
        (PolicyTable.Role, typeof(RoleRow)),
        (PolicyTable.Grant, typeof(GrantRow)),
        (PolicyTable.Setting, typeof(SettingRow)),
        (PolicyTable.Workflow, typeof(WorkflowRow)),
        (PolicyTable.ExternalGroup, typeof(ExternalGroupRow)),
        (PolicyTable.ExternalMember, typeof(ExternalMemberRow)),
    ];

    private DeviceRules? RulesAt(SettingNode node) => node.Kind switch
    {
        SettingNodeKind.Organization => _model.OrganizationRules,
        SettingNodeKind.DeviceGroup => _model.DeviceGroups.GetValueOrDefault(new(node.Id))?.Rules,
        SettingNodeKind.Device => _model.Devices.TryGetValue(new(node.Id), out var device) ? _model.RulesOf(device) : null,
        _ => null,
    };
}
