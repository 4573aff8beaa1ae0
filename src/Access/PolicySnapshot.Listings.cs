namespace Countersign.Access;

/// <summary>A device that a person may know of.</summary>
/// <param name="Permissions">
/// All that is effective there on some account; what of it may be used when is for <see cref="PolicySnapshot.Decide"/> to say.
/// </param>
public readonly record struct DeviceListing(DeviceRow Device, PermissionSet Permissions);

/// <summary>A person who may know of a device.</summary>
/// <param name="Permissions">All that is effective there on some account.</param>
public readonly record struct PersonListing(PersonRow Person, PermissionSet Permissions);

public sealed partial class PolicySnapshot
{
    /// <summary>The devices that are visible to the person at that instant, by name; none for people who take no part.</summary>
    public IReadOnlyList<DeviceListing> DevicesOf(PersonId person, DateTimeOffset at)
    {
        if (!_model.People.TryGetValue(person, out var node) || !node.Row.TakesPart) return [];
        var listings = new List<DeviceListing>();
        foreach (var device in _model.Devices.Values)
        {
            var effective = EffectiveOnSomeAccount(node, device, at);
            if (!effective.IsEmpty) listings.Add(new(device.Row, effective));
        }

        listings.Sort((one, other) => string.CompareOrdinal(one.Device.Name, other.Device.Name));
        return listings;
    }

    /// <summary>The people to whom the device is visible at that instant, by login.</summary>
    public IReadOnlyList<PersonListing> PeopleOf(DeviceId device, DateTimeOffset at)
    {
        if (!_model.Devices.TryGetValue(device, out var node)) return [];
        var listings = new List<PersonListing>();
        foreach (var person in _model.People.Values)
        {
            var effective = person.Row.TakesPart ? EffectiveOnSomeAccount(person, node, at) : PermissionSet.None;
            if (!effective.IsEmpty) listings.Add(new(person.Row, effective));
        }

        listings.Sort((one, other) => string.CompareOrdinal(one.Person.Login, other.Person.Login));
        return listings;
    }

    /// <summary>
    /// Account by account: a permission on one account and its prerequisite on another don't make it effective on either.
    /// </summary>
    private static PermissionSet EffectiveOnSomeAccount(PersonNode person, DeviceNode device, DateTimeOffset at)
    {
        var itself = Reach.Of(person, device, new(device.DefaultAccount, IsDefault: true), at);
        if (itself.OnAnyAccount.IsEmpty) return PermissionSet.None;
        var effective = Reach.Effective(person, device, itself.Granted);
        foreach (var account in device.Accounts)
        {
            if (!account.IsDefault) effective |= Reach.Effective(person, device, Reach.Of(person, device, new(account.Name, IsDefault: false), at).Granted);
        }

        return effective;
    }
}
