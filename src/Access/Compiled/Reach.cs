using System.Runtime.CompilerServices;

namespace Countersign.Access;

/// <summary>What grants give a person on a device at one instant.</summary>
/// <param name="Granted">For the account asked about.</param>
/// <param name="OnAnyAccount">For any account that the device has.</param>
/// <param name="Timeless">Of <paramref name="Granted"/> what does not depend on the instant.</param>
/// <param name="Next">The earliest instant after this one at which either may be otherwise; null: never.</param>
internal readonly record struct Reach(PermissionSet Granted, PermissionSet OnAnyAccount, PermissionSet Timeless, DateTimeOffset? Next)
{
    public static Reach Of(PolicyModel model, PersonNode person, DeviceNode device, in AccountAsked account, DateTimeOffset at)
    {
        if (person.IsOwner) return new(PermissionCatalogue.OwnerOnDevices, PermissionCatalogue.OwnerOnDevices, PermissionCatalogue.OwnerOnDevices, null);
        var gathering = new Gathering(device, account, at);
        Gather(model, person, device, ref gathering);
        var anywhere = (gathering.Always | gathering.ByDefault | gathering.Somewhere) & person.Grantable;
        var timeless = gathering.Always | (account.IsDefault ? gathering.ByDefault : PermissionSet.None);
        var here = (timeless | gathering.Here) & person.Grantable;
        return new(here | (anywhere & PermissionCatalogue.ForEveryAccount), anywhere, (timeless | gathering.Timeless) & person.Grantable, gathering.Next);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gather(PolicyModel model, PersonNode person, DeviceNode device, ref Gathering gathering)
    {
        var label = model.GroupOf(device).Start;
        foreach (var table in person.Tables) table.GatherAt(label, ref gathering);
        if (person.IsInEveryone) model.EveryoneGrants.GatherAt(label, ref gathering);
        if ((device.GrantMarks & person.Marks) == 0) return;
        foreach (var table in person.Tables) table.GatherOn(device.Number, ref gathering);
        if (person.IsInEveryone) model.EveryoneGrants.GatherOn(device.Number, ref gathering);
    }

    /// <summary>What is left of the granted under the person's ceiling and the device's recording rule.</summary>
    public static PermissionSet Effective(PersonNode person, DeviceRules rules, PermissionSet granted)
    {
        var within = granted & person.Ceiling;
        if (rules.Recording == RecordingRule.Required) within -= PermissionCatalogue.Unrecordable;
        return PermissionCatalogue.WithoutUnmet(within);
    }

    /// <summary>The same, whatever has to be recorded.</summary>
    public static PermissionSet WithinCeiling(PersonNode person, PermissionSet granted) => PermissionCatalogue.WithoutUnmet(granted & person.Ceiling);

    /// <summary>
    /// Until when grants that are in force at the instant give the permission: the end of the one that lasts longest; the greatest instant: no end is
    /// known; the least one: none gives it.
    /// </summary>
    public static DateTimeOffset Lasts(PolicyModel model, PersonNode person, DeviceNode device, in AccountAsked account, Permission permission, DateTimeOffset at)
    {
        if (person.IsOwner) return PermissionCatalogue.OwnerOnDevices.Contains(permission) ? DateTimeOffset.MaxValue : DateTimeOffset.MinValue;
        if (!person.Grantable.Contains(permission)) return DateTimeOffset.MinValue;
        var gathering = new Gathering(device, account, at) { Sought = PermissionSet.None.With(permission) };
        Gather(model, person, device, ref gathering);
        var isForEvery = PermissionCatalogue.ForEveryAccount.Contains(permission);
        var isTimeless = gathering.Always.Contains(permission) || ((account.IsDefault || isForEvery) && gathering.ByDefault.Contains(permission));
        return isTimeless ? DateTimeOffset.MaxValue : gathering.Lasts;
    }

    public static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;
}
