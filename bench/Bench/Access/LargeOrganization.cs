using System.Globalization;
using Countersign.Access;

namespace Countersign.Bench.Access;

/// <summary>
/// An organization of the size that the model promises to be fast at: technicians in technician groups six deep, devices in device groups
/// eight deep, grants of all kinds, overrides. The same every time.
/// </summary>
internal sealed class LargeOrganization
{
    public const int HeavyGrants = 2000;

    private static readonly int[] TechnicianLevels = [3, 12, 45, 140, 300, 499];
    private static readonly int[] DeviceLevels = [5, 20, 75, 250, 600, 1000, 1400, 1650];

    private static readonly string[] Hours = ["Europe/Berlin; Mon-Fri 08:00-18:00", "America/New_York; Mon-Sun 06:00-22:00", "UTC; Sat-Sun 00:00-24:00"];

    private readonly Random _random = new(20261121);
    private readonly List<TechnicianGroupId> _groups = [];
    private readonly List<DeviceGroupId> _deviceGroups = [];
    private readonly List<RoleId> _roles = [];
    private long _made;

    public LargeOrganization(int people, int devices, int grants, int overrides)
    {
        Everyone = new(NewId());
        Owner = new(NewId());
        foreach (var change in PolicySnapshot.Bootstrap(Organization, Owner, "owner", "Owner", "", Everyone).Changes) Rows.Add(change.After!);
        Make(people, devices, grants, overrides);
    }

    /// <summary>What is added to an organization that has been founded already.</summary>
    public LargeOrganization(PolicySnapshot founded, int people, int devices, int grants, int overrides)
    {
        Everyone = founded.All<TechnicianGroupRow>().Single(group => group.ParentId is null).Id;
        Owner = founded.All<PersonRow>().Single(person => person.Kind == PersonKind.Owner).Id;
        Make(people, devices, grants, overrides);
    }

    public static OrganizationId Organization { get; } = new(new Guid("0a000000-0000-0000-0000-0000000000be"));

    public static DateTimeOffset Noon { get; } = DateTimeOffset.Parse("2026-01-05T12:00:00Z", CultureInfo.InvariantCulture);

    public PersonId Owner { get; }

    public TechnicianGroupId Everyone { get; }

    public List<PolicyRow> Rows { get; } = [];

    public List<PersonId> People { get; } = [];

    public List<DeviceId> Devices { get; } = [];

    public IReadOnlyList<TechnicianGroupId> Groups => _groups;

    public IReadOnlyList<DeviceGroupId> DeviceGroups => _deviceGroups;

    public IReadOnlyList<RoleId> Roles => _roles;

    /// <summary>Has grants on <see cref="HeavyGrants"/> single devices.</summary>
    public PersonId Heavy { get; private set; }

    public List<DeviceId> HeavyDevices { get; } = [];

    public Guid NewId()
    {
        // Random, as ids are in life; drawn here so that they are the same every time.
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        BitConverter.TryWriteBytes(bytes, ++_made);
        return new(bytes);
    }

    /// <summary>As the default account, which is named where the question would be about the device itself otherwise: every grant covers it.</summary>
    public static AccessQuestion Ask(PersonId person, DeviceId device, Permission wanted) => new(
        person, device, PermissionCatalogue.Connections.Contains(wanted) ? null : "root", PermissionSet.Of(wanted), Noon, null, SignInStrength.TwoFactor, EndUserPresence.CanBeAsked);

    /// <summary>People and devices drawn uniformly.</summary>
    public AccessQuestion[] RandomQuestions(int count, int seed)
    {
        var random = new Random(seed);
        Permission[] wanted = [Permission.Terminal, Permission.ScreenView, Permission.SendFiles, Permission.WebAccess, Permission.ConnectionHistory];
        return [.. Enumerable.Range(0, count).Select(_ => Ask(People[random.Next(People.Count)], Devices[random.Next(Devices.Count)], wanted[random.Next(wanted.Length)]))];
    }

    private void Make(int people, int devices, int grants, int overrides)
    {
        MakeGroups();
        MakePeople(people);
        MakeDevices(devices);
        MakeRoles();
        MakeGrants(grants);
        MakeOverrides(overrides);
    }

    private void MakeGroups()
    {
        var above = new List<TechnicianGroupId> { Everyone };
        foreach (var count in TechnicianLevels)
        {
            var level = new List<TechnicianGroupId>();
            for (var number = 0; number < count; number++)
            {
                var id = new TechnicianGroupId(NewId());
                level.Add(id);
                var consent = Chance(3) ? GroupConsent.Notify : GroupConsent.None;
                Rows.Add(new TechnicianGroupRow(id, Pick(above), $"Group {_made}", "", !Chance(2), Chance(1), consent, SinglePrompt: false));
                foreach (var permission in PermissionCatalogue.Restrictable)
                {
                    if (Chance(4)) Rows.Add(new GroupPermissionRow(id, permission, Chance(60) ? PolicyValue.Deny : PolicyValue.Allow, Chance(10)));
                }
            }

            _groups.AddRange(level);
            above = level;
        }
    }

    private void MakePeople(int count)
    {
        for (var number = 0; number < count; number++)
        {
            var id = new PersonId(NewId());
            People.Add(id);
            Rows.Add(new PersonRow(id, PersonKind.Technician, $"p{number}", $"Person {number}", "", PersonState.Activated, PersonStatus.Active));
            var own = new HashSet<TechnicianGroupId>();
            for (var memberships = 1 + _random.Next(3); memberships > 0; memberships--) own.Add(Pick(_groups));
            foreach (var group in own) Rows.Add(new MembershipRow(group, id));
            if (Chance(5)) Rows.Add(new GroupManagerRow(Pick(_groups), id));
        }

        Heavy = People[count / 2];
    }

    private void MakeDevices(int count)
    {
        var above = new List<DeviceGroupId>();
        foreach (var width in DeviceLevels)
        {
            var level = new List<DeviceGroupId>();
            for (var number = 0; number < width; number++)
            {
                var id = new DeviceGroupId(NewId());
                level.Add(id);
                Rows.Add(new DeviceGroupRow(id, above.Count == 0 ? null : Pick(above), $"Devices {_made}"));
            }

            _deviceGroups.AddRange(level);
            above = level;
        }

        for (var number = 0; number < count; number++)
        {
            var id = new DeviceId(NewId());
            Devices.Add(id);
            Rows.Add(new DeviceRow(id, Pick(_deviceGroups), $"d{number}", "", Enabled: true, "192.0.2.1"));
            Rows.Add(new DeviceServiceRow(id, ServiceProtocol.Ssh, 22, ""));
            Rows.Add(new DeviceAccountRow(id, "root", IsDefault: true));
            if (Chance(50)) Rows.Add(new DeviceAccountRow(id, "deploy", IsDefault: false));
        }
    }

    private void MakeRoles()
    {
        _roles.AddRange([SystemRoles.FullDeviceAccess.Id, SystemRoles.OnlyDeviceConnection.Id, SystemRoles.RequestsAccess.Id]);
        Permission[] pool = [.. PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups)];
        for (var number = 0; number < 20; number++)
        {
            var id = new RoleId(NewId());
            var set = PermissionSet.Of(Permission.ScreenView);
            for (var more = 3 + _random.Next(10); more > 0; more--) set = set.With(Pick(pool));
            Rows.Add(new RoleRow(id, $"Role {number}", RolePurpose.DevicesAndGroups, set));
            _roles.Add(id);
        }
    }

    private void MakeGrants(int count)
    {
        foreach (var device in Devices.Take(HeavyGrants * 3).Where((_, index) => index % 3 == 0))
        {
            HeavyDevices.Add(device);
            AddGrant(GrantSubject.To(Heavy), GrantScope.Of(device));
        }

        AddGrant(GrantSubject.To(Everyone), GrantScope.AllDevices, SystemRoles.RequestsAccess.Id);
        for (var number = HeavyGrants + 1; number < count; number++)
        {
            var subject = Chance(40) ? GrantSubject.To(Pick(People)) : GrantSubject.To(Pick(_groups));
            AddGrant(subject, Chance(50) ? GrantScope.Of(Pick(Devices)) : GrantScope.Of(Pick(_deviceGroups)));
        }
    }

    private void AddGrant(GrantSubject subject, GrantScope scope, RoleId? role = null)
    {
        var accounts = _random.Next(10) switch { 0 => new GrantAccounts(AccountRule.Named, "deploy,root"), < 5 => GrantAccounts.Any, _ => GrantAccounts.Default };
        var window = _random.Next(100) switch
        {
            < 2 => new GrantWindow(Noon.AddDays(-_random.Next(30, 100)), Noon.AddDays(_random.Next(-20, 100))),
            < 3 => new GrantWindow(null, null, Pick(Hours)),
            _ => GrantWindow.Always,
        };
        Rows.Add(new GrantRow(new(NewId()), subject, scope, role ?? Pick(_roles), accounts, window));
    }

    private void MakeOverrides(int count)
    {
        var made = new HashSet<RowKey>();
        while (made.Count < count)
        {
            var node = Chance(15) ? SettingNode.Of(Pick(_deviceGroups)) : SettingNode.Of(Pick(Devices));
            var row = _random.Next(6) switch
            {
                0 => new SettingRow(node, SettingKind.Recording, Pick(["off", "on", "required"]), 1),
                1 => new SettingRow(node, SettingKind.MaxSession, Pick(["none", "1h", "8h"]), 1),
                2 => new SettingRow(node, SettingKind.IdleTimeout, Pick(["10m", "1h"]), 1),
                3 => new SettingRow(node, SettingKind.ManagerialApproval, Chance(20) ? "required" : "not", 1),
                4 => new SettingRow(node, SettingKind.SessionHours, Pick(["always", "always", Hours[0]]), 1),
                _ => new SettingRow(node, SettingKind.RemoteControlApproval, Consent(Pick(["off", "notify", "ask"])), 1),
            };
            if (made.Add(row.Key)) Rows.Add(row);
        }
    }

    private static string Consent(string terminal) => $"screen=notify; terminal={terminal}; files=off; web=off; actions=off; unanswered=refuse; answer=30s";

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    private bool Chance(int percent) => _random.Next(100) < percent;
}
