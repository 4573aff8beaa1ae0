namespace Countersign.Access;

/// <summary>Who is to be told of an event.</summary>
/// <param name="People">Each once, in the order of their ids.</param>
/// <param name="Addresses">Mail addresses that the setting names themselves, each once; those of people are not among them.</param>
public sealed record NotificationAudience(IReadOnlyList<PersonId> People, IReadOnlyList<string> Addresses)
{
    public static NotificationAudience Nobody { get; } = new([], []);

    /// <summary>The setting names somebody for the event, whether or not they count now.</summary>
    public bool IsAnybodyNamed { get; init; }
}

public sealed partial class PolicySnapshot
{
    /// <summary>Whether the setting Notifications names anybody for an event on the device, whether or not they count now. False for a device or an event that is not there.</summary>
    /// <param name="name">One of <see cref="NotificationRules.Events"/>.</param>
    public bool NamesAnybodyFor(DeviceId device, string name) =>
        _model.Devices.TryGetValue(device, out var node) && _model.RulesOf(node).Notifications.For(name).Count > 0;

    /// <summary>
    /// Whom the setting Notifications has told of an event on the device: of those it names the people who take part and may see the device at
    /// that instant. Nobody for a device or an event that is not there. Takes time in proportion to the people of the organization.
    /// </summary>
    /// <param name="name">One of <see cref="NotificationRules.Events"/>.</param>
    /// <param name="concerned">Whose session or request it is; null or not there: managers are nobody.</param>
    public NotificationAudience NotificationsFor(DeviceId device, string name, PersonId? concerned, DateTimeOffset at)
    {
        if (!_model.Devices.TryGetValue(device, out var node)) return NotificationAudience.Nobody;
        var recipients = _model.RulesOf(node).Notifications.For(name);
        if (recipients.Count == 0) return NotificationAudience.Nobody;
        var people = recipients.SelectMany(recipient => Named(recipient, concerned, at)).Where(person => MaySeeDevice(person, device, at)).ToHashSet();

        // Who holds anything there sees it.
        foreach (var recipient in recipients)
        {
            if (recipient is { Kind: NotificationRecipientKind.Holders, Permission: { } permission }) people.UnionWith(HoldersOn(node, permission, at));
        }

        return new(
            [.. people.OrderBy(person => person.Value)],
            [.. recipients.Where(recipient => recipient.Kind == NotificationRecipientKind.Mail).Select(recipient => recipient.Address)])
        {
            IsAnybodyNamed = true,
        };
    }

    internal NotificationRules? NotificationsAt(SettingNode node) => RulesAt(node)?.Notifications;

    private IEnumerable<PersonId> Named(NotificationRecipient recipient, PersonId? concerned, DateTimeOffset at) => recipient switch
    {
        { Kind: NotificationRecipientKind.Managers } when concerned is { } id && _model.People.TryGetValue(id, out var person) =>
            person.Groups.SelectMany(ManagersFor).Select(manager => manager.Id),
        { Kind: NotificationRecipientKind.MasterAdministrators } => _model.People.Values.Where(MayBeMaster).Select(person => person.Id).Where(person => IsMasterAdministrator(person, at)),
        { Kind: NotificationRecipientKind.Person, Person: { } person } => [person],
        _ => [],
    };

    /// <summary>Somebody whom a grant over a section reaches: few among all people.</summary>
    private bool MayBeMaster(PersonNode person) =>
        person.IsOwner || (person.IsInEveryone && _model.EveryoneGrants.Sections.Length > 0) || Array.Exists(person.Tables, static table => table.Sections.Length > 0);

    /// <summary>Without the order of a listing: whoever is told waits for nobody, but what writes an event down waits for this.</summary>
    private IEnumerable<PersonId> HoldersOn(DeviceNode device, Permission permission, DateTimeOffset at) =>
        from person in PeopleWithin(device, at)
        where person.TakesPart && (person.IsOwner || person.Ceiling.Contains(permission)) && EffectiveOnSomeAccount(person, device, at).Contains(permission)
        select person.Id;

    /// <summary>As for approvals: of the nearest group upwards that has any, and nobody if that one is disabled.</summary>
    private IEnumerable<PersonNode> ManagersFor(TechnicianGroupNode group) =>
        group.Upwards().FirstOrDefault(above => _model.PeopleOf(above).Managers.Length > 0) is { IsEnabled: true } managed ? _model.ManagersOf(managed) : [];
}
