namespace Countersign.Access.Tests.Naive;

/// <summary>Which events go to whom.</summary>
internal sealed partial class NaivePolicy
{
    public (IReadOnlyList<PersonId> People, IReadOnlyList<string> Addresses) Told(DeviceRow device, string name, PersonRow? concerned, DateTimeOffset at)
    {
        var named = Recipients(Setting(device, SettingKind.Notifications).Value).Where(pair => pair.Event == name).Select(pair => pair.Recipient).ToList();
        var people = _people.Where(person => MaySee(person, device, at) && named.Any(recipient => IsMeant(recipient, person, device, concerned, at)));
        return (
            [.. people.Select(person => person.Id).OrderBy(id => id.Value)],
            [.. named.Where(recipient => recipient.StartsWith("mail:", StringComparison.Ordinal)).Select(recipient => recipient["mail:".Length..])]);
    }

    public static IEnumerable<(string Event, string Recipient)> Recipients(string value) =>
        value == "none" ? [] : value.Split("; ").Select(part => part.Split(": ")).SelectMany(part => part[1].Split(", ").Select(recipient => (part[0], recipient)));

    private bool IsMeant(string recipient, PersonRow person, DeviceRow device, PersonRow? concerned, DateTimeOffset at) => recipient.Split(':') switch
    {
        ["managers"] => concerned is not null && DirectMemberships(concerned).Any(group => IsNearestManager(person, group)),
        ["master"] => IsMasterAdministrator(person, at),
        ["holders", var permission] => OnAnyAccount(person, device, at).Contains(Enum.Parse<Permission>(permission)),
        ["person", var id] => person.Id.ToString() == id,
        _ => false,
    };

    /// <summary>Of the nearest group upwards that has managers; a disabled one gives none.</summary>
    private bool IsNearestManager(PersonRow person, TechnicianGroupId from) =>
        Upwards(from).FirstOrDefault(above => _managers.Exists(row => row.Group == above.Id)) is { } group
        && IsEnabled(group.Id)
        && _managers.Contains(new(group.Id, person.Id));
}
