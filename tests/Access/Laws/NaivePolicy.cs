using System.Globalization;

namespace Countersign.Access.Tests;

/// <summary>What the naive model says: enough of a verdict to compare.</summary>
internal sealed record NaiveVerdict(DecisionKind Kind, bool Visible, PermissionSet Permissions, ConsentMode Consent);

/// <summary>
/// The access model once more, as plainly as it reads: every answer is worked out from the rows, from scratch, by walking lists. Slow, and
/// sharing nothing with the engine but the rows and the table of permissions.
/// </summary>
internal sealed class NaivePolicy(IEnumerable<PolicyRow> rows)
{
    private static readonly PermissionSet RequestableRole = SystemRoles.OnlyDeviceConnection.Permissions;

    private readonly ILookup<Type, PolicyRow> _rows = rows.ToLookup(row => row.GetType());

    public NaiveVerdict Decide(AccessQuestion question)
    {
        var denied = new NaiveVerdict(DecisionKind.Denied, false, default, ConsentMode.Off);
        var person = Rows<PersonRow>().SingleOrDefault(row => row.Id == question.Subject);
        if (person is null || person.State != PersonState.Activated || person.Status != PersonStatus.Active) return denied;
        if (question.SignIn is not (SignInStrength.OneFactor or SignInStrength.TwoFactor)) return denied;
        var device = Rows<DeviceRow>().SingleOrDefault(row => row.Id == question.Device);
        if (device is null) return denied;

        denied = denied with { Visible = IsVisible(person, device, question.At) };
        var connection = question.Wanted.Any(permission => !IsOtherOption(permission));
        var account = question.Account ?? DefaultAccount(device);
        if (!device.Enabled) return denied;
        if (question.Account is not null && !Accounts(device).Contains(question.Account)) return denied;
        if (connection && account is null) return denied;
        if (question.Wanted.Count == 0) return denied;
        if (connection && Setting(device, SettingKind.SessionHours) is var hours && hours != "always" && !IsOpen(hours, question.At)) return denied;

        var wanted = question.Wanted;
        var screen = wanted.Contains(Permission.ScreenView) || wanted.Contains(Permission.ScreenControl);
        if (screen && question.EndUser == EndUserPresence.NobodyLoggedOn) wanted = wanted.With(Permission.UnattendedAccess);
        var granted = Granted(person, device, account, question.At);
        var effective = Limit(person, device, granted);
        if (!wanted.All(effective.Contains))
        {
            var withRequest = Limit(person, device, granted | RequestableRole);
            var mayRequest = effective.Contains(Permission.RequestAccess) && wanted.All(withRequest.Contains);
            return mayRequest ? denied with { Kind = DecisionKind.MayBeRequested } : denied;
        }

        if (connection && NeedsApproval(person, device))
        {
            var fitting = question.Approvals.Where(approved => Fits(approved, question, person, device, account, wanted)).ToList();
            if (fitting.Count == 0) return denied with { Kind = DecisionKind.NeedsApproval };
            var covered = fitting.Aggregate(PermissionSet.None, (set, approved) => set | WithNeeds(approved.Permissions));
            effective = PermissionSet.Of([.. effective.Where(covered.Contains)]);
        }

        var consent = connection ? Consent(person, device, question.Wanted, effective.Contains(Permission.SkipConsent)) : ConsentMode.Off;
        if (consent == ConsentMode.AskOrRefuse && question.EndUser != EndUserPresence.CanBeAsked) return denied;
        return denied with { Kind = DecisionKind.Allowed, Permissions = effective, Consent = consent };
    }

    /// <summary>Whether the person would still have all of that on the account at another instant, session hours included.</summary>
    public bool Holds(PersonId person, DeviceId device, string? account, PermissionSet wanted, DateTimeOffset at)
    {
        var (who, where) = (Rows<PersonRow>().Single(row => row.Id == person), Rows<DeviceRow>().Single(row => row.Id == device));
        var hours = Setting(where, SettingKind.SessionHours);
        if (wanted.Any(permission => !IsOtherOption(permission)) && hours != "always" && !IsOpen(hours, at)) return false;
        return wanted.All(Limit(who, where, Granted(who, where, account ?? DefaultAccount(where), at)).Contains);
    }

    /// <summary>What the person holds there, or would, were the device enabled.</summary>
    public PermissionSet Effective(PersonId person, DeviceId device, string? account, DateTimeOffset at)
    {
        var (who, where) = (Rows<PersonRow>().Single(row => row.Id == person), Rows<DeviceRow>().Single(row => row.Id == device));
        return Limit(who, where, Granted(who, where, account ?? DefaultAccount(where), at));
    }

    public bool NeedsApproval(PersonRow person, DeviceRow device) =>
        Memberships(person).SelectMany(Upwards).Any(group => group.RequiresManagerialApproval) || Setting(device, SettingKind.ManagerialApproval) == "required";

    /// <summary>The steps that rules ask for: one for each group through which one reaches, and one for the device.</summary>
    public IReadOnlyList<ApprovalStepId> Steps(PersonRow person, DeviceRow device)
    {
        var steps = new List<ApprovalStepId>();
        foreach (var group in Memberships(person))
        {
            var rule = Upwards(group).FirstOrDefault(above => above.RequiresManagerialApproval);
            if (rule is not null) steps.Add(new(ApprovalStepKind.TechnicianGroup, rule.Id.Value, group.Id.Value));
        }

        if (Setting(device, SettingKind.ManagerialApproval) != "required") return steps;
        var groups = DeviceGroups(device).Select(group => (Node: SettingNode.Of(group.Id), Step: new ApprovalStepId(ApprovalStepKind.DeviceGroup, group.Id.Value)));
        var nodes = groups.Prepend((SettingNode.Of(device.Id), new(ApprovalStepKind.Device, device.Id.Value)));
        var own = nodes.Where(node => Rows<SettingRow>().Any(row => row.Node == node.Node && row.Setting == SettingKind.ManagerialApproval)).ToList();
        steps.Add(own.Count > 0 ? own[0].Step : new(ApprovalStepKind.Organization, Guid.Empty));
        return steps;
    }

    public GroupConsent GroupConsent(PersonRow person) => Memberships(person).SelectMany(Upwards).Max(group => group.Consent);

    public bool HasLockedDeny(PersonRow person, Permission permission) =>
        Memberships(person).Any(group => Decisive(group, permission) is { Locked: true, Value: PolicyValue.Deny });

    private bool Fits(ApprovedRequest approved, AccessQuestion question, PersonRow person, DeviceRow device, string? account, PermissionSet wanted)
    {
        if (approved.Person != person.Id || approved.Device != device.Id || approved.Account != account) return false;
        if (!Equals(approved.Source, question.Source)) return false;
        if (question.At < approved.ApprovedAt || question.At >= approved.OpenUntil) return false;
        return wanted.All(WithNeeds(approved.Permissions).Contains) && Steps(person, device).All(approved.Steps.Contains);
    }

    private static PermissionSet WithNeeds(PermissionSet permissions)
    {
        if (permissions.Contains(Permission.ScreenControl)) permissions = permissions.With(Permission.ScreenView);
        return permissions.Contains(Permission.ManageFiles) ? permissions.With(Permission.FileManager) : permissions;
    }

    private IEnumerable<T> Rows<T>()
        where T : PolicyRow => _rows[typeof(T)].Cast<T>();

    private bool IsVisible(PersonRow person, DeviceRow device, DateTimeOffset at) =>
        Accounts(device).Cast<string?>().Append(DefaultAccount(device)).Any(account => Limit(person, device, Granted(person, device, account, at)).Count > 0);

    private string[] Accounts(DeviceRow device) => [.. Rows<DeviceAccountRow>().Where(row => row.Device == device.Id).Select(row => row.Name)];

    private string? DefaultAccount(DeviceRow device) => Rows<DeviceAccountRow>().SingleOrDefault(row => row.Device == device.Id && row.IsDefault)?.Name;

    private PermissionSet Granted(PersonRow person, DeviceRow device, string? account, DateTimeOffset at)
    {
        var forDevices = PermissionCatalogue.Entries.Where(entry => entry.Purposes.Contains(RolePurpose.DevicesAndGroups));
        var everyDevicePermission = PermissionSet.Of([.. forDevices.Select(entry => entry.Permission)]);
        if (person.Kind == PersonKind.Owner) return everyDevicePermission.Without(Permission.SkipConsent);
        var granted = PermissionSet.None;
        foreach (var grant in Rows<GrantRow>())
        {
            if (!Reaches(grant, person) || !Covers(grant.Scope, device) || !InForce(grant.Window, at)) continue;
            var role = SystemRoles.All.Concat(Rows<RoleRow>()).Single(row => row.Id == grant.Role);
            var names = grant.Accounts.Names.Split(',');
            var onThisAccount = grant.Accounts.Rule == AccountRule.Any
                || (grant.Accounts.Rule == AccountRule.Default && account == DefaultAccount(device))
                || (grant.Accounts.Rule == AccountRule.Named && account is not null && names.Contains(account));
            var onSomeAccount = grant.Accounts.Rule != AccountRule.Named || names.Intersect(Accounts(device)).Any();
            foreach (var permission in role.Permissions)
            {
                var forEvery = permission is Permission.RequestAccess or Permission.AcceptAccessRequests;
                if (person.Kind == PersonKind.Contact && permission != Permission.RequestAccess) continue;
                if (onThisAccount && onSomeAccount || (forEvery && onSomeAccount)) granted = granted.With(permission);
            }
        }

        return granted;
    }

    private PermissionSet Limit(PersonRow person, DeviceRow device, PermissionSet granted)
    {
        var left = granted;
        foreach (var permission in granted)
        {
            if (person.Kind != PersonKind.Owner && PermissionCatalogue.Get(permission).Restrictable && !IsWithinCeiling(person, permission))
            {
                left = left.Without(permission);
            }
        }

        if (Setting(device, SettingKind.Recording) == "required") left = left.Without(Permission.Tunnel);
        if (!left.Contains(Permission.ScreenView)) left = left.Without(Permission.ScreenControl);
        if (!left.Contains(Permission.FileManager)) left = left.Without(Permission.ManageFiles);
        return left;
    }

    private bool IsWithinCeiling(PersonRow person, Permission permission) =>
        !HasLockedDeny(person, permission)
        && Memberships(person).Any(group => IsEnabled(group) && Decisive(group, permission) is { Value: PolicyValue.Allow });

    /// <summary>The upper lock; without one the nearest explicit value.</summary>
    private GroupPermissionRow? Decisive(TechnicianGroupRow group, Permission permission)
    {
        var onTheWay = Upwards(group)
            .Select(above => Rows<GroupPermissionRow>().SingleOrDefault(row => row.Group == above.Id && row.Permission == permission))
            .Where(row => row is not null)
            .ToList();
        return onTheWay.LastOrDefault(row => row!.Locked) ?? onTheWay.FirstOrDefault();
    }

    private TechnicianGroupRow[] Memberships(PersonRow person)
    {
        var direct = Rows<MembershipRow>().Where(row => row.Person == person.Id).Select(row => Group(row.Group)).ToArray();
        return direct.Length > 0 ? direct : [Rows<TechnicianGroupRow>().Single(row => row.ParentId is null)];
    }

    private TechnicianGroupRow Group(TechnicianGroupId id) => Rows<TechnicianGroupRow>().Single(row => row.Id == id);

    private IEnumerable<TechnicianGroupRow> Upwards(TechnicianGroupRow group)
    {
        yield return group;
        while (group.ParentId is { } parent) yield return group = Group(parent);
    }

    private bool IsEnabled(TechnicianGroupRow group) => Upwards(group).All(above => above.Enabled);

    private bool Reaches(GrantRow grant, PersonRow person)
    {
        if (grant.Subject.Kind == SubjectKind.Person) return grant.Subject.Id == person.Id.Value;
        var subject = Group(new(grant.Subject.Id));
        if (subject.ParentId is null) return person.Kind != PersonKind.Contact && subject.Enabled;
        return Memberships(person).Any(group => IsEnabled(group) && Upwards(group).Contains(subject));
    }

    private bool Covers(GrantScope scope, DeviceRow device) => scope.Kind switch
    {
        ScopeKind.AllDevices => true,
        ScopeKind.Device => scope.Id == device.Id.Value,
        ScopeKind.DeviceGroup => DeviceGroups(device).Any(group => group.Id.Value == scope.Id),
        _ => false,
    };

    private IEnumerable<DeviceGroupRow> DeviceGroups(DeviceRow device)
    {
        for (DeviceGroupId? next = device.Group; next is { } id;)
        {
            var group = Rows<DeviceGroupRow>().Single(row => row.Id == id);
            yield return group;
            next = group.ParentId;
        }
    }

    private string Setting(DeviceRow device, SettingKind kind)
    {
        var nodes = DeviceGroups(device).Select(group => SettingNode.Of(group.Id)).Prepend(SettingNode.Of(device.Id)).Append(SettingNode.Organization);
        foreach (var node in nodes)
        {
            if (Rows<SettingRow>().SingleOrDefault(row => row.Node == node && row.Setting == kind) is { } own) return own.Value;
        }

        return Settings.Default(kind);
    }

    private ConsentMode Consent(PersonRow person, DeviceRow device, PermissionSet wanted, bool skip)
    {
        var setting = Setting(device, SettingKind.RemoteControlApproval)
            .Split("; ").Select(part => part.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        var strictest = ConsentMode.Off;
        foreach (var permission in wanted)
        {
            var kind = PermissionCatalogue.Get(permission).Consent;
            if (kind == ConsentKind.None) continue;
            var onDevice = setting[kind.ToString().ToLowerInvariant()] switch
            {
                "off" => ConsentMode.Off,
                "notify" => ConsentMode.Notify,
                _ => setting["unanswered"] == "connect" ? ConsentMode.AskThenConnect : ConsentMode.AskOrRefuse,
            };
            var byGroups = GroupConsent(person) switch
            {
                Access.GroupConsent.Ask => ConsentMode.AskOrRefuse,
                Access.GroupConsent.Notify => ConsentMode.Notify,
                _ => ConsentMode.Off,
            };
            var mode = skip ? (kind == ConsentKind.Screen ? ConsentMode.Notify : ConsentMode.Off) : (ConsentMode)Math.Max((int)onDevice, (int)byGroups);
            strictest = (ConsentMode)Math.Max((int)strictest, (int)mode);
        }

        return strictest;
    }

    private static bool IsOtherOption(Permission permission) => permission is >= Permission.ScreenPreview and <= Permission.AcceptAccessRequests;

    private static bool InForce(GrantWindow window, DateTimeOffset at) =>
        !(at < window.From) && !(at >= window.To) && (window.Hours.Length == 0 || IsOpen(window.Hours, at));

    private static bool IsOpen(string hours, DateTimeOffset at)
    {
        var parts = hours.Split("; ");
        var local = TimeZoneInfo.ConvertTime(at, TimeZoneInfo.FindSystemTimeZoneById(parts[0])).DateTime;
        return parts.Skip(1).Any(part => IsIn(part, local));
    }

    private static bool IsIn(string span, DateTime local)
    {
        string[] names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        var words = span.Split(' ');
        var days = words[0].Split('-').Select(name => Array.IndexOf(names, name)).ToArray();
        var times = words[1].Split('-').Select(time => time == "24:00" ? TimeSpan.FromDays(1) : TimeSpan.Parse(time, CultureInfo.InvariantCulture)).ToArray();
        var length = times[1] > times[0] ? times[1] - times[0] : times[1] + TimeSpan.FromDays(1) - times[0];
        foreach (var back in (int[])[0, 1])
        {
            var day = local.Date.AddDays(-back);
            var weekday = ((int)day.DayOfWeek + 6) % 7;
            var isNamed = days[0] <= days[^1] ? weekday >= days[0] && weekday <= days[^1] : weekday >= days[0] || weekday <= days[^1];
            if (isNamed && local >= day + times[0] && local < day + times[0] + length) return true;
        }

        return false;
    }
}
