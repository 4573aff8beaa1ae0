using System.Globalization;

namespace Countersign.Access.Tests;

/// <summary>An organization under construction: an owner (olga), Everyone with every value allowed, one device group (Servers), one device (web01).</summary>
internal sealed class Sample
{
    public static readonly DateTimeOffset Noon = At("2026-01-05T12:00:00Z"); // a Monday

    public static readonly OrganizationId Organization = new(Guid.Parse("0a000000-0000-0000-0000-000000000001"));

    private readonly Dictionary<RowKey, PolicyRow> _rows = [];
    private int _made;
    private PolicySnapshot? _compiled;

    public Sample()
    {
        Olga = new(Next());
        Everyone = new(Next());
        foreach (var change in PolicySnapshot.Bootstrap(Organization, Olga, "olga", "Olga", "", Everyone).Changes) Put(change.After!);
        Servers = DeviceGroup("Servers");
        Web01 = Device("web01", Servers, "deploy", "root");
    }

    public PersonId Olga { get; }

    public TechnicianGroupId Everyone { get; }

    public DeviceGroupId Servers { get; }

    /// <summary>With the accounts deploy (default) and root.</summary>
    public DeviceId Web01 { get; }

    public PolicySnapshot Snapshot => _compiled ??= PolicySnapshot.Compile(Organization, 1, _rows.Values);

    public static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    public void Put(PolicyRow row)
    {
        _rows[row.Key] = row;
        _compiled = null;
    }

    public void Remove(RowKey key)
    {
        _rows.Remove(key).ShouldBeTrue();
        _compiled = null;
    }

    public T Row<T>(RowKey key)
        where T : PolicyRow => (T)_rows[key];

    public PersonId Technician(string login) => Person(login, PersonKind.Technician);

    public PersonId Contact(string login) => Person(login, PersonKind.Contact);

    public TechnicianGroupId Group(string name, TechnicianGroupId? parent = null)
    {
        var id = new TechnicianGroupId(Next());
        Put(new TechnicianGroupRow(id, parent ?? Everyone, name, "", true, false, GroupConsent.None, false));
        return id;
    }

    public void Change(TechnicianGroupId group, Func<TechnicianGroupRow, TechnicianGroupRow> change) =>
        Put(change(Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, group.Value))));

    public void Disable(PersonId person) => Put(Row<PersonRow>(new(PolicyTable.Person, person.Value)) with { Status = PersonStatus.Disabled });

    public void Member(PersonId person, params TechnicianGroupId[] groups)
    {
        foreach (var group in groups) Put(new MembershipRow(group, person));
    }

    public void Manager(PersonId person, TechnicianGroupId group) => Put(new GroupManagerRow(group, person));

    public void Administrator(PersonId person, TechnicianGroupId group) => Put(new GroupAdministratorRow(group, person));

    public void Deny(TechnicianGroupId group, Permission permission, bool locked = false) =>
        Put(new GroupPermissionRow(group, permission, PolicyValue.Deny, locked));

    public void Allow(TechnicianGroupId group, Permission permission, bool locked = false) =>
        Put(new GroupPermissionRow(group, permission, PolicyValue.Allow, locked));

    public DeviceGroupId DeviceGroup(string name, DeviceGroupId? parent = null)
    {
        var id = new DeviceGroupId(Next());
        Put(new DeviceGroupRow(id, parent, name));
        return id;
    }

    /// <param name="accounts">The first is the default one.</param>
    public DeviceId Device(string name, DeviceGroupId group, params string[] accounts)
    {
        var id = new DeviceId(Next());
        Put(new DeviceRow(id, group, name, "", true, "127.0.0.1"));
        Put(new DeviceServiceRow(id, ServiceProtocol.Ssh, 22, ""));
        for (var index = 0; index < accounts.Length; index++) Put(new DeviceAccountRow(id, accounts[index], index == 0));
        return id;
    }

    public RoleId Role(params Permission[] permissions)
    {
        var id = new RoleId(Next());
        Put(new RoleRow(id, $"Role {_made}", RolePurpose.DevicesAndGroups, PermissionSet.Of(permissions)));
        return id;
    }

    public GrantId Grant(GrantSubject subject, GrantScope scope, RoleId role, GrantAccounts? accounts = null, GrantWindow? window = null)
    {
        var id = new GrantId(Next());
        Put(new GrantRow(id, subject, scope, role, accounts ?? GrantAccounts.Default, window ?? GrantWindow.Always));
        return id;
    }

    public GrantId Grant(PersonId person, DeviceId device, params Permission[] permissions) =>
        Grant(GrantSubject.To(person), GrantScope.Of(device), Role(permissions));

    public void Set(SettingNode node, SettingKind setting, string value)
    {
        Settings.TryCanonical(setting, value, out var canonical, out var problem).ShouldBeTrue(problem);
        Put(new SettingRow(node, setting, canonical, 1));
    }

    public AccessQuestion Question(PersonId person, Permission[] wanted, DeviceId? device = null, string? account = null, DateTimeOffset? at = null) =>
        new(person, device ?? Web01, account, PermissionSet.Of(wanted), at ?? Noon, null, SignInStrength.OneFactor, EndUserPresence.CannotBeAsked);

    public AccessDecision Decide(PersonId person, params Permission[] wanted) => Snapshot.Decide(Question(person, wanted));

    public Guid Next() => new(0x5a, 0, 0, 0, 0, 0, 0, (byte)(_made >> 24), (byte)(_made >> 16), (byte)(_made >> 8), (byte)++_made);

    private PersonId Person(string login, PersonKind kind)
    {
        var id = new PersonId(Next());
        Put(new PersonRow(id, kind, login, char.ToUpperInvariant(login[0]) + login[1..], "", PersonState.Activated, PersonStatus.Active));
        return id;
    }
}
