namespace Countersign.Access;

/// <summary>What grants give a person on a device at one instant.</summary>
/// <param name="Granted">For the account asked about.</param>
/// <param name="OnAnyAccount">For any account that the device has.</param>
/// <param name="Next">The earliest instant after this one at which either may be otherwise; null: never.</param>
internal readonly record struct Reach(PermissionSet Granted, PermissionSet OnAnyAccount, DateTimeOffset? Next)
{
    public static Reach Of(PersonNode person, DeviceNode device, in AccountAsked account, DateTimeOffset at)
    {
        if (person.IsOwner) return new(PermissionCatalogue.OwnerOnDevices, PermissionCatalogue.OwnerOnDevices, null);
        var reach = default(Reach);
        foreach (var source in person.Sources)
        {
            reach = reach.With(source.At(device.OwnScope), device, account, at);
            foreach (var scope in device.ScopesAbove) reach = reach.With(source.At(scope), device, account, at);
        }

        var anywhere = reach.OnAnyAccount & person.Grantable;
        return new((reach.Granted & person.Grantable) | (anywhere & PermissionCatalogue.ForEveryAccount), anywhere, reach.Next);
    }

    /// <summary>What is left of the granted under the person's ceiling and the device's recording rule.</summary>
    public static PermissionSet Effective(PersonNode person, DeviceNode device, PermissionSet granted)
    {
        var within = granted & person.Ceiling;
        if (device.Rules.Recording == RecordingRule.Required) within -= PermissionCatalogue.Unrecordable;
        return PermissionCatalogue.WithoutUnmet(within);
    }

    public static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    private Reach With(CompiledGrant[] grants, DeviceNode device, in AccountAsked account, DateTimeOffset at)
    {
        var (granted, anywhere, next) = this;
        foreach (var grant in grants)
        {
            if (!grant.IsForAnyOf(device)) continue;
            if (!grant.IsUnlimited)
            {
                next = Earlier(next, grant.NextChange(at));
                if (!grant.InForce(at)) continue;
            }

            anywhere |= grant.Permissions;
            if (grant.IsFor(account)) granted |= grant.Permissions;
        }

        return new(granted, anywhere, next);
    }
}
