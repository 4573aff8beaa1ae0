namespace Countersign.Access.Tests.Naive;

/// <summary>What the law against self-escalation compares.</summary>
internal sealed partial class NaivePolicy
{
    public IEnumerable<string> AccountsAt(DeviceRow device) => AccountsOf(device);

    public string? DefaultOf(DeviceRow device) => DefaultAccount(device);

    /// <summary>The same policy, where the device has that account too.</summary>
    public NaivePolicy WithAccount(DeviceRow device, string account) =>
        AccountsOf(device).Contains(account) ? this : new([.. _all, new DeviceAccountRow(device.Id, account, IsDefault: false)]);

    /// <summary>What there is to use: nothing for people who take no part, on devices that are disabled, or as accounts that are not there.</summary>
    public PermissionSet Held(PersonRow person, DeviceRow device, string account, DateTimeOffset at) =>
        TakesPart(person) && device.Enabled && AccountsOf(device).Contains(account) ? Effective(person, device, account, at) : PermissionSet.None;

    /// <summary>What is granted and within the ceiling, whatever it needs and whatever is recorded.</summary>
    /// <param name="account">Null: the device as such.</param>
    public PermissionSet Given(PersonId subject, DeviceId target, string? account, DateTimeOffset at) =>
        Person(subject) is { } person && Device(target) is { Enabled: true } device && TakesPart(person) && (account is null || AccountsOf(device).Contains(account))
            ? WithinCeiling(person, Granted(person, device, account, at))
            : PermissionSet.None;

    /// <summary>The same over the team, of which the owner holds everything.</summary>
    public PermissionSet GivenOverTeam(PersonId subject, DateTimeOffset at) => Person(subject) is not { } person || !TakesPart(person)
        ? PermissionSet.None
        : PermissionSet.Of([.. NaiveCatalogue.For('A').Where(permission => person.Kind == PersonKind.Owner || HoldsOverTeam(person, permission, at))]);

    /// <summary>Whether the end user is asked nothing by SkipConsent, whenever there is anything to ask about; an approval may leave it out.</summary>
    public bool IsSpared(PersonRow person, DeviceRow device, IReadOnlyList<DateTimeOffset> instants)
    {
        if (Steps(person, device, instants[0]).Count > 0) return false;
        var some = false;
        foreach (var account in AccountsOf(device).DefaultIfEmpty(null))
        {
            foreach (var given in instants.Select(at => Given(person.Id, device.Id, account, at)))
            {
                var spares = given.Contains(Permission.SkipConsent);
                some |= spares;
                if (!spares && given.Any(permission => NaiveCatalogue.Get(permission).Kind != ConsentKind.None)) return false;
            }
        }

        return some;
    }

    /// <summary>Instants between which nothing that the policy grants begins or ends, in the nine days after each of the given ones and about the ends of windows.</summary>
    /// <param name="known">What hours do after a day was worked out before.</param>
    public IEnumerable<DateTimeOffset> Edges(IReadOnlyList<DateTimeOffset> around, Dictionary<(string, DateTime), List<DateTimeOffset>> known)
    {
        foreach (var window in _grants.Select(grant => grant.Window).Distinct())
        {
            DateTimeOffset[] bounds = [.. new[] { window.From, window.To }.OfType<DateTimeOffset>()];
            foreach (var bound in bounds)
            {
                yield return bound;
                yield return bound.AddTicks(-1);
            }

            if (window.Hours.Length == 0) continue;
            foreach (var day in around.Concat(bounds).Concat(bounds.Select(bound => bound.AddDays(-8))).Select(start => start.UtcDateTime.Date).Distinct())
            {
                if (!known.TryGetValue((window.Hours, day), out var changes)) known.Add((window.Hours, day), changes = [.. new NaiveHours(window.Hours).MayChange(new(day, TimeSpan.Zero))]);
                foreach (var change in changes) yield return change;
            }
        }

        foreach (var start in around) yield return start;
    }

    /// <summary>What the person waits for: an approval through each technician group, a workflow's, the one of the device side wherever it stands.</summary>
    public IEnumerable<Guid> Rules(PersonRow person, DeviceRow device, DateTimeOffset at) =>
        Steps(person, device, at).Select(step => step.Id.Kind switch
        {
            ApprovalStepKind.TechnicianGroup => step.Id.Through,
            ApprovalStepKind.Workflow => step.Id.Rule,
            _ => Guid.Empty,
        }).Distinct();

    /// <summary>All that the person is granted on the device at some time, for some account, within their ceiling.</summary>
    public PermissionSet MayHold(PersonRow person, DeviceRow device)
    {
        if (person.Kind == PersonKind.Owner) return Granted(person, device, null, default);
        var granted = Bearing(person, device).Aggregate(PermissionSet.None, (all, grant) => all | PermissionsOf(grant.Role, RolePurpose.DevicesAndGroups));
        return WithinCeiling(person, person.Kind == PersonKind.Contact ? granted & ForContacts : granted);
    }

    /// <summary>Whether the device's settings bind the person: something lets them connect, or ask to, at some time.</summary>
    public bool IsBound(PersonRow person, DeviceRow device)
    {
        var effective = NaiveCatalogue.WithoutUnmet(MayHold(person, device));
        return NaiveCatalogue.IsConnection(effective) || effective.Contains(Permission.RequestAccess);
    }

    /// <summary>Whether settings that bind everybody bind less here than there: recording, the longest session, standing still, session hours.</summary>
    public bool IsLooser(DeviceRow device, NaivePolicy other, DeviceRow there) =>
        Recording(device) < other.Recording(there)
        || (Duration(device, SettingKind.MaxSession) ?? TimeSpan.MaxValue) > (other.Duration(there, SettingKind.MaxSession) ?? TimeSpan.MaxValue)
        || (Duration(device, SettingKind.IdleTimeout) ?? TimeSpan.MaxValue) > (other.Duration(there, SettingKind.IdleTimeout) ?? TimeSpan.MaxValue)
        || OpensMore(Setting(device, SettingKind.SessionHours).Value, other.Setting(there, SettingKind.SessionHours).Value);

    private static bool OpensMore(string hours, string others)
    {
        if (others == "always") return false;
        if (hours == "always") return true;
        var (now, then) = (new NaiveHours(hours), new NaiveHours(others));
        return Enumerable.Range(0, 7 * 24).Select(hour => DateTimeOffset.UnixEpoch.AddHours(hour)).Any(at => now.IsOpen(at) && !then.IsOpen(at));
    }
}
