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

    /// <summary>What the person waits for: an approval through each technician group, a workflow's, the one of the device side wherever it stands.</summary>
    public IEnumerable<Guid> Rules(PersonRow person, DeviceRow device, DateTimeOffset at) =>
        Steps(person, device, at).Select(step => step.Id.Kind switch
        {
            ApprovalStepKind.TechnicianGroup => step.Id.Through,
            ApprovalStepKind.Workflow => step.Id.Rule,
            _ => Guid.Empty,
        }).Distinct();

    /// <summary>Whether the device's settings bind the person: something lets them connect, or ask to, at some time.</summary>
    public bool IsBound(PersonRow person, DeviceRow device)
    {
        var granted = Bearing(person, device).Aggregate(PermissionSet.None, (all, grant) => all | PermissionsOf(grant.Role, RolePurpose.DevicesAndGroups));
        if (person.Kind == PersonKind.Contact) granted &= ForContacts;
        var effective = NaiveCatalogue.WithoutUnmet(WithinCeiling(person, granted));
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
