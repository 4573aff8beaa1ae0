using Countersign.Access;

namespace Countersign.Bench.Access;

internal sealed record TimedChange(string Name, double Milliseconds);

/// <summary>Changes of each kind, one after the other on the version that the one before made: planned by the owner and applied.</summary>
internal static class Changes
{
    private const int Times = 15;

    /// <summary>Rounds of all kinds before the clock runs: what a server changes at first is carried out by code that the runtime has not yet compiled for good.</summary>
    private const int Warming = 60;

    public static List<TimedChange> Run(LargeOrganization organization, PolicySnapshot policy)
    {
        var random = new Random(4);
        T Any<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];
        var shallow = organization.Groups.Take(3).ToList();
        var kinds = new Dictionary<string, Func<PolicyCommand>>
        {
            ["grant_person"] = () => Grant(organization, GrantSubject.To(Any(organization.People)), GrantScope.Of(Any(organization.Devices))),
            ["grant_group"] = () => Grant(organization, GrantSubject.To(Any(organization.Groups)), GrantScope.Of(Any(organization.DeviceGroups))),
            ["grant_wide"] = () => Grant(organization, GrantSubject.To(Any(shallow)), GrantScope.AllDevices),
            ["grant_everyone"] = () => Grant(organization, GrantSubject.To(organization.Everyone), GrantScope.Of(Any(organization.DeviceGroups))),
            ["membership"] = () => new PolicyCommand.AddMember(Any(organization.Groups), Any(organization.People)),
            ["disable_person"] = () => new PolicyCommand.SetPersonStatus(Any(organization.People), PersonStatus.Disabled),
            ["lock"] = () => new PolicyCommand.SetGroupPermission(Any(shallow), Any([.. PermissionCatalogue.Restrictable]), PolicyValue.Deny, Locked: true),
            ["setting_device"] = () => new PolicyCommand.SetSetting(SettingNode.Of(Any(organization.Devices)), SettingKind.MaxSession, $"{random.Next(1, 300)}m"),
            ["setting_root"] = () => new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.MaxSession, $"{random.Next(1, 300)}m"),
            ["device"] = () => new PolicyCommand.AddDevice(new(organization.NewId()), Any(organization.DeviceGroups), $"new{organization.NewId():N}", "", "192.0.2.2", ["root"]) { Services = [new(ServiceProtocol.Ssh)] },
            ["delete_device"] = () => new PolicyCommand.DeleteDevice(Any(organization.Devices)),
            ["device_group"] = () => new PolicyCommand.AddDeviceGroup(new(organization.NewId()), Any(organization.DeviceGroups), $"New {organization.NewId():N}"),
        };
        for (var round = 0; round < Warming; round++)
        {
            foreach (var kind in kinds.Values) Once(ref policy, organization.Owner, kind());
        }

        return [.. kinds.Select(kind => new TimedChange(kind.Key, AccessBenchmark.Median(Times, () => Once(ref policy, organization.Owner, kind.Value()))))];
    }

    private static double Once(ref PolicySnapshot policy, PersonId actor, PolicyCommand command)
    {
        var before = policy;
        PolicySnapshot? after = null;
        var spent = AccessBenchmark.Time(() =>
        {
            if (before.Plan(command, actor, LargeOrganization.Noon) is PlanResult.Planned { Delta: var delta }) after = before.Apply(delta);
        });
        policy = after ?? before;
        return spent;
    }

    private static PolicyCommand.AddGrant Grant(LargeOrganization organization, GrantSubject subject, GrantScope scope) =>
        new(new(organization.NewId()), subject, scope, organization.Roles[1], GrantAccounts.Default, GrantWindow.Always);
}
