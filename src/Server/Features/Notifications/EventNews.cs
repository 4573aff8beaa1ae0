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
/// <remarks>The counts are of this process: a server that starts anew begins anew.</remarks>
internal sealed class EventNews(Outbox outbox, PolicySource policy, TimeProvider time)
{
    /// <summary>Of one event to one address.</summary>
    public const int MostInAnHour = 20;

    /// <summary>A record of it says that nobody was mailed.</summary>
    public const string Undelivered = "notification.undelivered";

    /// <summary>Counts that are kept at once; beyond, nothing is mailed until an hour is over for some.</summary>
    private const int MostCounts = 20_000;

    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<(OrganizationId Organization, string Whom, string Event), (DateTimeOffset Since, int Count)> _counts = [];

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
            if (Count(db.Organization, $"{device.Id} {because}", entry.Kind, now) == 1) audit.Add(db, Nobody(entry, device, because));
            return;
        }

        foreach (var (mail, person) in told.DistinctBy(one => one.Mail, StringComparer.OrdinalIgnoreCase))
        {
            if (Count(db.Organization, mail, entry.Kind, now) is not (<= MostInAnHour and var count)) continue;
            var letter = Letters.Event(entry.Kind, device.Name, now, isLast: count == MostInAnHour);
            if (person is null) outbox.Add(db, mail, letter);
            else outbox.Add(db, person, letter);
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

    /// <returns>The how manieth it is within the hour that began with the first.</returns>
    private int Count(OrganizationId organization, string whom, string name, DateTimeOffset now)
    {
        lock (_lock)
        {
            var key = (organization, whom.ToLowerInvariant(), name);
            if (_counts.Count >= MostCounts && !_counts.ContainsKey(key))
            {
                foreach (var over in _counts.Where(one => !Lasts(one.Value.Since, now)).Select(one => one.Key).ToList()) _counts.Remove(over);
                if (_counts.Count >= MostCounts) return int.MaxValue;
            }

            var (since, count) = _counts.TryGetValue(key, out var known) && Lasts(known.Since, now) ? known : (now, 0);
            _counts[key] = (since, count + 1);
            return count + 1;
        }
    }

    /// <summary>Also over for a clock that was set back behind its beginning.</summary>
    private static bool Lasts(DateTimeOffset since, DateTimeOffset now) => now >= since && now - since < _hour;
}

internal static class NotificationsFeature
{
    public static IServiceCollection AddNotifications(this IServiceCollection services)
    {
        services.AddSingleton<EventNews>();
        return services.AddSingleton<AlongWithRecord>(provider => provider.GetRequiredService<EventNews>().Tell);
    }
}
