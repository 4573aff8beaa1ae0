using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Notifications;

/// <summary>
/// Mails events to whom the setting Notifications has told of them, in the transaction of their records. A mail says what happened, where and when: who it was is for
/// those to look up who may read it. Of one event so many are mailed to one address in an hour, and the last of them says so; where nobody gets one although
/// somebody is named, that is a record of its own, at most one in an hour for each device, event and reason.
/// </summary>
internal sealed class EventNews(Outbox outbox, EventCounts counts, PolicySource policy, TimeProvider time)
{
    /// <summary>Of one event to one address.</summary>
    public const int MostInAnHour = 20;

    /// <summary>A record of it says that nobody was mailed.</summary>
    public const string Undelivered = "notification.undelivered";

    private const string NoRoom = "too many different addresses and events within an hour";

    /// <summary>With every record, where it is written; returns at once for those that are no events.</summary>
    public void Tell(AuditLog audit, CountersignDb db, AuditEntry entry)
    {
        if (!NotificationRules.Events.Contains(entry.Kind) || policy.Current(db.Organization) is not { } inForce) return;
        var device = entry.SubjectId is { } id ? inForce.Device(new(id)) : inForce.DeviceByName(entry.Subject);
        if (device is null) return;
        var now = time.GetUtcNow();
        var audience = inForce.NotificationsFor(device.Id, entry.Kind, entry.Concerned ?? entry.Actor, now);
        if (!audience.IsAnybodyNamed) return;
        List<(string Mail, PersonRow? Person)> told =
        [
            .. from person in audience.People.Select(inForce.Person).OfType<PersonRow>() where Names.IsMail(person.Mail) select (person.Mail, person),
            .. from address in audience.Addresses select (address, (PersonRow?)null),
        ];
        if (told.Count == 0 || !outbox.Sends)
        {
            var because = !outbox.Sends ? "the server sends no mail"
                : audience.People.Count == 0 ? "nobody who is named takes part and may see the device"
                : "nobody who is named has a mail address";
            Note(because, counts.Next(db.Organization, $"{device.Id} {because}", entry.Kind, now));
            return;
        }

        foreach (var (mail, person) in told.DistinctBy(one => one.Mail, StringComparer.OrdinalIgnoreCase))
        {
            var count = counts.Next(db.Organization, mail, entry.Kind, now);
            if (count is null) Note(NoRoom, null);
            if (count is null or > MostInAnHour) continue;
            var letter = Letters.Event(entry.Kind, device.Name, now, isLast: count == MostInAnHour);
            if (person is null) outbox.Add(db, mail, letter);
            else outbox.Add(db, person, letter);
        }

        // Where there is no room to count for whom, the event as a whole is counted, so that it is told all the same.
        void Note(string because, int? count)
        {
            var isFirst = count is null ? counts.NextWithoutRoom(db.Organization, entry.Kind, now) == 1 : count == 1;
            if (isFirst) audit.Add(db, Nobody(entry, device, count is null ? NoRoom : because));
        }
    }

    private static AuditEntry Nobody(AuditEntry entry, DeviceRow device, string because) => new()
    {
        Kind = Undelivered,
        Channel = "system",
        Subject = device.Name,
        SubjectId = device.Id.Value,
        Outcome = AuditOutcome.Failed,
        Correlation = entry.Correlation,
        Details = new() { ["event"] = entry.Kind, ["because"] = because },
    };
}

internal static class NotificationsFeature
{
    public static IServiceCollection AddNotifications(this IServiceCollection services)
    {
        services.AddSingleton<EventCounts>();
        services.AddSingleton<EventNews>();
        return services.AddSingleton<AlongWithRecord>(provider => provider.GetRequiredService<EventNews>().Tell);
    }
}
