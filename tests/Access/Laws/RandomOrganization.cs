using System.Net;
using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests;

/// <summary>
/// An organization drawn from a seed: small, so that things meet, and rich in what makes rules collide (locks under locks, disabled groups,
/// several memberships, windows that touch, hours over midnight and over shifts of the clock).
/// </summary>
internal sealed class RandomOrganization
{
    private static readonly DateTimeOffset Start = Sample.At("2026-03-27T00:00:00Z"); // Europe shifts its clocks on the 29th

    /// <summary>Those that rules speak of, or that stand for their kind: they meet in every organization.</summary>
    private static readonly Permission[] Usual =
    [
        Permission.ScreenView, Permission.ScreenControl, Permission.FileManager, Permission.ManageFiles, Permission.Terminal, Permission.Tunnel,
        Permission.UnattendedAccess, Permission.Chat, Permission.SkipConsent, Permission.Reboot, Permission.ConnectionHistory, Permission.ModifyDevice,
        Permission.ManageSecurity, Permission.RequestAccess, Permission.AcceptAccessRequests,
    ];

    private static readonly string[] Hours =
    [
        "UTC; Mon-Fri 08:00-18:00", "Europe/Berlin; Sat-Sun 22:00-06:00", "Europe/Berlin; Sun 01:30-02:30; Mon 00:00-24:00",
        "America/New_York; Mon-Sun 06:00-18:00", "UTC; Mon-Sun 18:00-06:00", "UTC; Mon-Sun 06:00-18:00", "UTC; Mon-Sun 00:00-24:00",
    ];

    private static readonly (SettingKind Kind, string[] Values)[] SettingValues =
    [
        (SettingKind.RemoteControlApproval, ["terminal=ask", "screen=ask; terminal=notify; unanswered=connect", "files=ask; actions=notify", ""]),
        (SettingKind.ManagerialApproval, ["required", "not", "not"]),
        (SettingKind.Recording, ["off", "on", "required"]),
        (SettingKind.MaxSession, ["none", "8h", "90s"]),
        (SettingKind.IdleTimeout, ["none", "10m", "2d"]),
        (SettingKind.EndWarning, ["none", "1m"]),
        (SettingKind.AutoApproveWhenRequesterIsApprover, ["true", "true", "false"]),
        (SettingKind.AccessRequestRoles, ["none", $"{SystemRoles.FullDeviceAccess.Id}", $"{SystemRoles.OnlyDeviceConnection.Id},{SystemRoles.AcceptsAccessRequests.Id}", "ROLE", $"{SystemRoles.RequestsAccess.Id},ROLE"]),
        (SettingKind.Notifications, ["none", "session.began: managers, holders:Terminal, mail:a@example.org", "session.began: master, person:PERSON", "request.asked: managers; session.began: person:PERSON, managers"]),
        (SettingKind.TwoFactorRequired, ["true", "false"]),
        (SettingKind.AllowedNetworks, ["none", "192.0.2.0/24, 2001:db8::/33", "::/0, 192.0.2.1", "0.0.0.0/0"]),
        (SettingKind.HostKeyTrust, ["pinned", "firstUse"]),
        (SettingKind.TrustedHostAuthorities, ["none", "ssh-ed25519 AAAA", "ssh-rsa BBBB,ssh-ed25519 AAAA"]),
        (SettingKind.SessionHours, ["always", "UTC; Mon-Sun 05:00-23:00", "Europe/Berlin; Sat-Mon 00:00-24:00"]),
    ];

    private static readonly RemoteControlApproval[] Floors =
    [
        new(ConsentMode.AskOrRefuse, ConsentMode.Off, ConsentMode.Off, ConsentMode.Off, ConsentMode.Off, TimeSpan.FromSeconds(30)),
        new(ConsentMode.Notify, ConsentMode.AskThenConnect, ConsentMode.Notify, ConsentMode.AskOrRefuse, ConsentMode.Notify, TimeSpan.FromSeconds(30)),
    ];

    private static readonly IPAddress?[] Addresses =
        [null, .. ((string[])["192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1", "::ffff:198.51.100.1", "2001:db8:8000::1", "2001:db8:7fff::1"]).Select(IPAddress.Parse)];

    private readonly Random _random;

    /// <summary>For roles on devices: the usual ones, and a few of the others, which are others in each organization.</summary>
    private readonly Permission[] _usual;

    /// <summary>For questions: these, and some that no device role can hold.</summary>
    private readonly Permission[] _wanted;

    /// <summary>For technician groups.</summary>
    private readonly Permission[] _restrictable;
    private readonly Dictionary<RowKey, PolicyRow> _rows = [];
    private int _made;

    public RandomOrganization(int seed, int size)
    {
        _random = new(seed);
        _usual = [.. Usual, .. Few(3, PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups))];
        _wanted = [.. _usual, .. Few(1, PermissionCatalogue.All)];
        _restrictable = [.. _usual.Where(PermissionCatalogue.Restrictable.Contains), .. Few(1, PermissionCatalogue.Restrictable)];
        var owner = new PersonId(NextId());
        Everyone = new(NextId());
        foreach (var change in PolicySnapshot.Bootstrap(Sample.Organization, owner, "owner", "Owner", "", Everyone).Changes) Put(change.After!);
        Owner = owner;
        People.Add(owner);
        Groups.Add(Everyone);
        if (Chance(8)) UseUpNames();
        MakeGroups(size);
        MakePeople(size);
        MakeDevices(size);
        for (var count = _random.Next(3); count > 0; count--) Roles.Add(MakeRole());
        for (var count = _random.Next(4 * size); count > 0; count--) Put(RandomGrant());
        for (var count = _random.Next(3 * size); count > 0; count--) Put(RandomSetting());
        for (var count = _random.Next(3); count > 0; count--) Put(RandomTeamGrant());
        for (var count = _random.Next(size) - 2; count > 0; count--) PutWorkflow();
        MakeExternalGroups();
    }

    public PersonId Owner { get; }

    public TechnicianGroupId Everyone { get; }

    public List<PersonId> People { get; } = [];

    /// <summary>The owner is one of them.</summary>
    public List<PersonId> Technicians => People.FindAll(id => Row<PersonRow>(new(PolicyTable.Person, id.Value)).Kind != PersonKind.Contact);

    public List<TechnicianGroupId> Groups { get; } = [];

    public List<DeviceGroupId> DeviceGroups { get; } = [];

    public List<DeviceId> Devices { get; } = [];

    public List<ExternalGroupId> ExternalGroups { get; } = [];

    public List<RoleId> Roles { get; } =
        [.. SystemRoles.All.Where(role => role.Purpose == RolePurpose.DevicesAndGroups).Select(role => role.Id)];

    private static RoleRow[] Inviting { get; } = [.. SystemRoles.All.Where(role => role.Purpose == RolePurpose.Invitations)];

    public IReadOnlyCollection<PolicyRow> Rows => _rows.Values;

    public Random Random => _random;

    public PolicySnapshot Compile() => PolicySnapshot.Compile(Sample.Organization, 1, Rows);

    public NaivePolicy Naive() => new(Rows);

    public void Put(PolicyRow row) => _rows[row.Key] = row;

    public void Remove(PolicyRow row) => _rows.Remove(row.Key).ShouldBeTrue();

    public T Row<T>(RowKey key)
        where T : PolicyRow => (T)_rows[key];

    public Guid NextId() => new(0x7a, 0, 0, 0, 0, 0, 0, 0, 0, (byte)(_made >> 8), (byte)++_made);

    public T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    public bool Chance(int percent) => _random.Next(100) < percent;

    public DateTimeOffset Instant() => Start.AddMinutes(15 * _random.Next(5 * 24 * 4)).AddTicks(Chance(30) ? _random.Next(3) - 1 : 0);

    public AccessQuestion Question() => new(
        Chance(2) ? new(NextId()) : Pick(People),
        Chance(2) ? new(NextId()) : Pick(Devices),
        Chance(50) ? null : Pick((string[])["a", "b", "c", "d"]),
        Some(_wanted, Chance(3) ? 0 : 1 + _random.Next(2)),
        Instant(),
        Source(),
        Chance(3) ? SignInStrength.None : Chance(70) ? SignInStrength.TwoFactor : SignInStrength.OneFactor,
        Pick(Enum.GetValues<EndUserPresence>()));

    /// <summary>
    /// A question with approved requests in hand, most of which nearly fit: one thing about each may be otherwise.
    /// </summary>
    public AccessQuestion Question(NaivePolicy naive)
    {
        var question = Question();
        if (!_rows.TryGetValue(new(PolicyTable.Person, question.Subject.Value), out var person)) return question;
        if (!_rows.TryGetValue(new(PolicyTable.Device, question.Device.Value), out var device)) return question;
        var account = question.Account ?? _rows.Values.OfType<DeviceAccountRow>().FirstOrDefault(row => row.Device == question.Device && row.IsDefault)?.Name ?? "a";
        var steps = naive.Steps((PersonRow)person, (DeviceRow)device, question.At).Select(step => step.Id).ToList();
        var approvals = Enumerable.Range(1, _random.Next(4)).Select(number =>
        {
            var approved = new ApprovedRequest(
                number, question.Subject, question.Device, account, question.Wanted | Some(_usual, 1), question.Source, question.At.AddMinutes(-_random.Next(30)),
                Chance(20) ? null : question.At.AddMinutes(1 + _random.Next(90)), [.. steps]);
            return _random.Next(14) switch
            {
                0 => approved with { Person = Pick(People) },
                1 => approved with { Device = Pick(Devices) },
                2 => approved with { Account = Pick((string[])["a", "b", "c"]) },
                3 => approved with { Source = Source() },
                4 => approved with { Permissions = Some(_usual, 1) },
                5 => approved with { OpenUntil = question.At.AddTicks(_random.Next(3) - 1) },
                6 => approved with { ApprovedAt = question.At.AddTicks(_random.Next(3) - 1) },
                7 => approved with { Steps = [.. steps.Where(_ => Chance(60))] },
                8 or 9 => approved with { IsBeside = true },
                _ => approved,
            };
        });
        return question with { Approvals = [.. approvals], Preapprovals = [.. Preapprovals(question, account)], ConsentFloor = Chance(80) ? null : Pick(Floors), Consents = [.. Consents(question)] };
    }

    /// <summary>Some of them are for somebody or something else.</summary>
    private IEnumerable<GivenConsent> Consents(AccessQuestion question)
    {
        for (var count = _random.Next(5) - 2; count > 0; count--)
            yield return new(Chance(90) ? question.Subject : Pick(People), Chance(90) ? question.Device : Pick(Devices), Pick(Enum.GetValues<ConsentKind>()));
    }

    private IEnumerable<PreapprovedRequest> Preapprovals(AccessQuestion question, string account)
    {
        for (var number = _random.Next(6) - 3; number > 0; number--)
        {
            var (from, duration) = (question.At.AddMinutes(15 * (_random.Next(9) - 6)), TimeSpan.FromMinutes(15 * _random.Next(1, 12)));
            RequestTime time = _random.Next(3) switch
            {
                0 => new RequestTime.FromApproval(duration),
                1 => new RequestTime.FromFirstUse(duration, from + duration, Chance(50) ? from : null),
                _ => new RequestTime.Fixed(from, from + duration),
            };
            var request = new PreapprovedRequest(
                100 + number, question.Subject, [question.Device, Pick(Devices)], account, question.Wanted | Some(_usual, _random.Next(3)),
                question.At.AddMinutes(Chance(90) ? -_random.Next(90) : 15), time, []);
            yield return _random.Next(10) switch
            {
                0 => request with { Person = Pick(People) },
                1 => request with { Devices = [Pick(Devices)] },
                2 => request with { Account = Pick((string[])["a", "b", "c"]) },
                3 => request with { Permissions = Some(_usual, 2) },
                _ => request,
            };
        }
    }

    /// <summary>Mostly one and the same, so that rules about networks let most in.</summary>
    private IPAddress? Source() => Chance(70) ? Addresses[1] : Pick(Addresses);

    public GrantRow RandomGrant()
    {
        var subject = Chance(50) ? GrantSubject.To(Pick(People)) : GrantSubject.To(Pick(Groups));
        if (Chance(6)) return new(new(NextId()), subject, GrantScope.QuickSupport, Pick(Inviting).Id, GrantAccounts.Default, RandomWindow());
        var scope = _random.Next(4) switch { 0 => GrantScope.AllDevices, 1 => GrantScope.Of(Pick(Devices)), _ => GrantScope.Of(Pick(DeviceGroups)) };
        var accounts = _random.Next(3) switch
        {
            0 => GrantAccounts.Any,
            1 => new GrantAccounts(AccountRule.Named, Pick((string[])["a", "b", "a,b", "d"])),
            _ => GrantAccounts.Default,
        };
        return new(new(NextId()), subject, scope, Pick(Roles), accounts, RandomWindow());
    }

    public GrantRow RandomTeamGrant()
    {
        var subject = Chance(50) ? GrantSubject.To(Pick(People)) : GrantSubject.To(Pick(Groups));
        var role = Pick((RoleRow[])[SystemRoles.TeamAdministrator, SystemRoles.TeamAdministrator, SystemRoles.Auditor, SystemRoles.DevicesList, SystemRoles.BrandingAdministrator, SystemRoles.BillingAdministrator]);
        return new(new(NextId()), subject, GrantScope.Team, role.Id, GrantAccounts.Default, RandomWindow());
    }

    public SettingRow RandomSetting()
    {
        var node = _random.Next(5) switch { 0 => SettingNode.Organization, 1 or 2 => SettingNode.Of(Pick(DeviceGroups)), _ => SettingNode.Of(Pick(Devices)) };
        var (kind, values) = Pick(SettingValues);
        if (Settings.IsOfOrganization(kind)) node = SettingNode.Organization;
        var text = Pick(values).Replace("PERSON", Pick(People).ToString(), StringComparison.Ordinal).Replace("ROLE", (Any<RoleRow>() ?? SystemRoles.FullDeviceAccess).Id.ToString(), StringComparison.Ordinal);
        Settings.TryCanonical(kind, text, out var value, out var problem).ShouldBeTrue(problem);
        return new(node, kind, value, 1);
    }

    public GroupPermissionRow RandomValue() =>
        new(Pick(Groups), Pick(_restrictable), Chance(50) ? PolicyValue.Allow : PolicyValue.Deny, Chance(30));

    public GroupPermissionRow RandomOption()
    {
        var permission = Pick(PermissionOption.Having);
        var named = string.Join(',', Groups.Where(_ => Chance(40)).Select(group => group.Value).Order());
        var option = permission switch
        {
            Permission.Chat => Pick((string[])["on", "off"]),
            Permission.RecordSessions => Pick((string[])["allowed", "consent"]),
            Permission.InviteExternal => Pick((string[])["anyone", "approved"]),
            _ => named.Length > 0 && Chance(80) ? $"named:{named}" : "any",
        };
        return new(Pick(Groups), permission, Chance(85) ? PolicyValue.Allow : PolicyValue.Deny, Chance(30)) { Option = option };
    }

    /// <summary>The same pair of groups twice is no policy.</summary>
    public void PutWorkflow()
    {
        var workflow = RandomWorkflow();
        if (!_rows.Values.OfType<WorkflowRow>().Any(row => row.Group == workflow.Group && row.Devices == workflow.Devices)) Put(workflow);
    }

    public WorkflowRow RandomWorkflow()
    {
        var (group, devices) = (Pick(Groups), Pick(DeviceGroups));
        var steps = Enumerable.Range(0, _random.Next(1, 3)).Select(_ => new WorkflowStep(
            Chance(70) ? 1 : 2, null, [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => RandomApprover()).Distinct()]));
        return new(new(NextId()), group, devices, $"Workflow {_made}", WorkflowSteps.Write(steps), Chance(30), Chance(70), Chance(40));
    }

    private Approver RandomApprover() => _random.Next(4) switch
    {
        0 => new(ApproverKind.Person, Pick(Technicians).Value),
        1 => new(ApproverKind.Managers, Pick(Groups).Value),
        2 => new(ApproverKind.Members, Pick(Groups).Value),
        _ => new(ApproverKind.DeviceApprovers),
    };

    private GrantWindow RandomWindow()
    {
        if (Chance(50)) return GrantWindow.Always;
        DateTimeOffset? from = Chance(40) ? Whole(Instant()) : null, to = Chance(40) ? Whole(Chance(25) ? Instant().AddDays(10 + _random.Next(50)) : Instant()) : null;
        if (to <= from) (from, to) = (to, from?.AddHours(1));
        return new(from, to, Chance(50) ? Pick(Hours) : "");
    }

    private static DateTimeOffset Whole(DateTimeOffset at) => new(at.Ticks - (at.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero);

    private void MakeGroups(int size)
    {
        for (var count = _random.Next(size + 2); count > 0; count--)
        {
            var id = new TechnicianGroupId(NextId());
            var consent = Chance(85) ? GroupConsent.None : Pick(Enum.GetValues<GroupConsent>());
            Put(new TechnicianGroupRow(id, Pick(Groups), $"Group {_made}", "", !Chance(15), Chance(8), consent, Chance(20)) { MembersApprove = Chance(30) });
            Groups.Add(id);
        }

        if (Chance(25)) ChangeEveryone();
        for (var count = _random.Next(3 * size); count > 0; count--) Put(RandomValue());
        for (var count = _random.Next(size) - 1; count > 0; count--) Put(RandomOption());
        if (Chance(5)) _rows.Remove(new GroupPermissionRow(Everyone, Permission.Terminal, default, default).Key);
    }

    private void ChangeEveryone() => Put(Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, Everyone.Value)) with
    {
        RequiresManagerialApproval = Chance(50),
        MembersApprove = Chance(50),
        Consent = Pick(Enum.GetValues<GroupConsent>()),
        SinglePrompt = Chance(30),
    });

    /// <summary>A policy may speak of more account names than the engine can tell from each other by bits: here it has none left for those of the devices.</summary>
    private void UseUpNames()
    {
        var names = Enumerable.Range(0, 64).Select(number => $"n{(char)('a' + (number / 26))}{(char)('a' + (number % 26))}");
        Put(new GrantRow(
            new(NextId()), GrantSubject.To(Everyone), GrantScope.AllDevices, SystemRoles.OnlyDeviceConnection.Id, new(AccountRule.Named, string.Join(',', names)), GrantWindow.Always));
    }

    private void MakeExternalGroups()
    {
        for (var count = _random.Next(4); count > 0; count--)
        {
            var id = new ExternalGroupId(NextId());
            Put(new ExternalGroupRow(id, $"Partners {_made}", ""));
            ExternalGroups.Add(id);
            foreach (var contact in _rows.Values.OfType<PersonRow>().Where(row => row.Kind == PersonKind.Contact && Chance(50)).ToList()) Put(new ExternalMemberRow(id, contact.Id));
        }

        foreach (var group in _rows.Values.OfType<TechnicianGroupRow>().Where(_ => Chance(40)).ToList())
            Put(group with { ApprovedExternals = Access.ExternalGroups.Write(ExternalGroups.Where(_ => Chance(50))) });
    }

    private void MakePeople(int size)
    {
        for (var count = 2 + _random.Next(size); count > 0; count--)
        {
            var id = new PersonId(NextId());
            var kind = Chance(20) ? PersonKind.Contact : PersonKind.Technician;
            var state = Chance(5) ? PersonState.Invited : PersonState.Activated;
            var status = Chance(5) ? PersonStatus.Disabled : PersonStatus.Active;
            Put(new PersonRow(id, kind, $"p{_made}", $"Person {_made}", "", state, status));
            People.Add(id);
            for (var memberships = _random.Next(4); memberships > 0; memberships--)
            {
                var group = Groups.Count > 1 ? Pick(Groups[1..]) : Everyone;
                if (kind == PersonKind.Technician && group != Everyone) Put(new MembershipRow(group, id));
            }

            if (kind == PersonKind.Technician && Chance(30)) Put(new GroupManagerRow(Pick(Groups), id));
            if (kind == PersonKind.Technician && Chance(30)) Put(new GroupAdministratorRow(Pick(Groups), id));
        }

        for (var memberships = _random.Next(4) - 1; memberships > 0 && Groups.Count > 1; memberships--) Put(new MembershipRow(Pick(Groups[1..]), Owner));
    }

    private void MakeDevices(int size)
    {
        for (var count = 1 + _random.Next(size + 1); count > 0; count--)
        {
            var id = new DeviceGroupId(NextId());
            Put(new DeviceGroupRow(id, DeviceGroups.Count == 0 || Chance(30) ? null : Pick(DeviceGroups), $"Devices {_made}"));
            DeviceGroups.Add(id);
        }

        for (var count = 1 + _random.Next(size + 1); count > 0; count--)
        {
            var id = new DeviceId(NextId());
            Put(new DeviceRow(id, Pick(DeviceGroups), $"d{_made}", "", !Chance(5), "localhost"));
            foreach (var protocol in ServiceProtocols.All.Where(_ => Chance(30))) Put(new DeviceServiceRow(id, protocol, ServiceProtocols.UsualPort(protocol), ""));
            Devices.Add(id);
            string[] names = ["a", "b", "c"];
            var standard = Chance(90) ? _random.Next(3) : -1;
            for (var name = 0; name < 3; name++)
            {
                if (name == standard || Chance(50)) Put(new DeviceAccountRow(id, names[name], name == standard));
            }
        }
    }

    /// <summary>One of the rows of the kind, or null.</summary>
    public T? Any<T>()
        where T : PolicyRow => _rows.Values.OfType<T>().ToList() is { Count: > 0 } some ? Pick(some) : null;

    private RoleId MakeRole()
    {
        var id = new RoleId(NextId());
        Put(new RoleRow(id, $"Role {_made}", RolePurpose.DevicesAndGroups, Some(_usual, 1 + _random.Next(6))));
        return id;
    }

    private IEnumerable<Permission> Few(int count, PermissionSet from)
    {
        Permission[] others = [.. from.Where(permission => !Usual.Contains(permission))];
        for (; count > 0; count--) yield return Pick(others);
    }

    public PermissionSet SomeUsual(int count) => Some(_usual, count);

    private PermissionSet Some(Permission[] from, int count)
    {
        var some = PermissionSet.None;
        for (; count > 0; count--) some = some.With(Pick(from));
        return some;
    }
}
