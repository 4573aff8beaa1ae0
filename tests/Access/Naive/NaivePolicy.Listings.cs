namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    /// <summary>Whoever holds anything effective there, on any account.</summary>
    private bool IsListed(PersonRow person, DeviceRow device, DateTimeOffset at) => TakesPart(person) && !OnAnyAccount(person, device, at).IsEmpty;

    /// <summary>One's own visible devices; all of them to master administrators.</summary>
    public bool MaySee(PersonRow person, DeviceRow device, DateTimeOffset at) => IsMasterAdministrator(person, at) || IsListed(person, device, at);

    /// <summary>Account by account: a permission on one and what it needs on another make nothing effective. A device without accounts has none to tell apart.</summary>
    public PermissionSet OnAnyAccount(PersonRow person, DeviceRow device, DateTimeOffset at, IEnumerable<PreapprovedRequest>? inHand = null) =>
        AccountsOf(device).Append(DefaultAccount(device)).Select(account => Effective(person, device, account, at, inHand))
            .Aggregate(PermissionSet.None, (all, some) => all | some);

    public IEnumerable<(DeviceId Device, PermissionSet Permissions)> DevicesOf(PersonRow person, DateTimeOffset at) =>
        _devices.Where(device => IsListed(person, device, at)).Select(device => (device.Id, OnAnyAccount(person, device, at)));

    public IEnumerable<(PersonId Person, PermissionSet Permissions)> PeopleOf(DeviceRow device, DateTimeOffset at) =>
        _people.Where(person => IsListed(person, device, at)).Select(person => (person.Id, OnAnyAccount(person, device, at)));
}
