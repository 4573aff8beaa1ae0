namespace Countersign.Access;

/// <summary>All of an organization's policy at one version, immutable, compiled for questions. Any number of threads may ask it.</summary>
public sealed partial class PolicySnapshot
{
    private readonly RowStore _rows;
    private readonly PolicyModel _model;

    private PolicySnapshot(OrganizationId organization, long version, RowStore rows, PolicyModel model)
    {
        Organization = organization;
        Version = version;
        _rows = rows;
        _model = model;
    }

    public OrganizationId Organization { get; }

    public long Version { get; }

    internal PolicyModel Model => _model;

    /// <summary>Joins the rows of one version. Either all of them fit together or there is no snapshot.</summary>
    /// <exception cref="PolicyException">They don't; the message names what and where.</exception>
    public static PolicySnapshot Compile(OrganizationId organization, long version, IEnumerable<PolicyRow> rows)
    {
        var stored = RowStore.From(rows as IReadOnlyCollection<PolicyRow> ?? [.. rows]);
        return new(organization, version, stored, ModelEditor.Build(stored));
    }

    /// <summary>The next version: equal to compiling the changed rows anew, and sharing with this one what the change does not touch.</summary>
    /// <exception cref="PolicyException">The delta is for another organization or version, or starts from rows that are not these.</exception>
    public PolicySnapshot Apply(PolicyDelta delta)
    {
        if (delta.Organization != Organization) throw new PolicyException($"the change is for organization {delta.Organization}, and this is {Organization}");
        if (delta.FromVersion != Version) throw new PolicyException($"the change is for version {delta.FromVersion}, and this is {Version}");
        var rows = _rows.With(delta.Changes);
        return new(Organization, delta.ToVersion, rows, ModelEditor.Edit(_model, delta.Changes, rows));
    }

    /// <summary>The rows of one table, in no particular order.</summary>
    public IEnumerable<T> All<T>()
        where T : PolicyRow => _rows.All<T>();

    /// <summary>Null: not there.</summary>
    public PolicyRow? Find(RowKey key) => _rows.Find(key);

    public PersonRow? Person(PersonId id) => _model.People.GetValueOrDefault(id)?.Row;

    public PersonRow? PersonByLogin(string login) => _model.PeopleByLogin.GetValueOrDefault(login);

    public DeviceRow? Device(DeviceId id) => _model.Devices.GetValueOrDefault(id)?.Row;

    public DeviceRow? DeviceByName(string name) => _model.DevicesByName.GetValueOrDefault(name);

    /// <summary>By name; empty for a device that is not there.</summary>
    public IReadOnlyList<DeviceAccountRow> AccountsOf(DeviceId device) => _model.Devices.GetValueOrDefault(device)?.Accounts ?? [];

    /// <summary>A custom or system role; null: not there.</summary>
    public RoleRow? Role(RoleId id) => _model.Role(id);

    /// <summary>The root technician group; null only in an organization that has no policy yet.</summary>
    public TechnicianGroupRow? Everyone => _model.Everyone?.Row;

    /// <summary>The value that counts at a node, and where it comes from; null: the node is not there.</summary>
    public EffectiveSetting? Setting(SettingNode node, SettingKind setting) => RulesAt(node)?[setting];

    private DeviceRules? RulesAt(SettingNode node) => node.Kind switch
    {
        SettingNodeKind.Organization => _model.OrganizationRules,
        SettingNodeKind.DeviceGroup => _model.DeviceGroups.GetValueOrDefault(new(node.Id))?.Rules,
        SettingNodeKind.Device => _model.Devices.TryGetValue(new(node.Id), out var device) ? _model.RulesOf(device) : null,
        _ => null,
    };
}
