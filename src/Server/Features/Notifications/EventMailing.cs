using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Notifications;

/// <summary>
/// Mails noted events to whom the setting Notifications has told of them, of each organization the oldest in turn, and everybody once. A mail says what happened,
/// where and when: who it was is for those to look up who may read it. Of one event so many are mailed to one address in an hour, and the last of them says
/// so; where nobody gets one although somebody is named, that is a record of its own, at most one in an hour for each device, event and reason.
/// </summary>
internal sealed partial class EventMailing(
    EventNews news, Outbox outbox, EventCounts counts, PolicySource policy, WriteQueue queue, Database database, AuditLog audit, TimeProvider time, ILogger<EventMailing> log)
    : BackgroundService
{
    /// <summary>Of one event to one address.</summary>
    public const int MostInAnHour = 20;

    /// <summary>So many addresses are mailed in one transaction; between two of them others write.</summary>
    public const int MostAtOnce = 50;

    /// <summary>A record of it says that nobody was mailed, or not everybody.</summary>
    public const string Undelivered = "notification.undelivered";

    private const string NoRoom = "too many different addresses and events within an hour";

    /// <summary>So long an organization is passed over whose events can't be told.</summary>
    private static readonly TimeSpan _rest = TimeSpan.FromMinutes(1);

    private readonly Dictionary<OrganizationId, Task> _resting = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await TellOneOfEachAsync(stoppingToken))
                {
                    // There may be more.
                }

                await RestAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // The disk is full, the file is locked, or what nobody has thought of: it must not end the server, and what is noted stays noted.
                LogFailed(failure);
                await Task.Delay(_rest, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>False: there is nothing to tell, but in organizations that rest.</summary>
    private async Task<bool> TellOneOfEachAsync(CancellationToken stopping)
    {
        // What woke this may not be committed yet: behind it on the one writer it is.
        await queue.WriteAsync((_, _) => Task.FromResult(true), stopping);
        List<OrganizationId> waiting;
        await using (var db = database.Open())
            waiting = await db.Set<EventToTell>().IgnoreQueryFilters().Select(row => row.OrganizationId).Distinct().ToListAsync(stopping);
        foreach (var (organization, rest) in _resting)
            if (rest.IsCompleted) _resting.Remove(organization);
        var told = false;
        foreach (var organization in waiting)
        {
            if (_resting.ContainsKey(organization)) continue;
            try
            {
                await TellOldestAsync(organization, stopping);
                told = true;
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                // Those of others go on.
                LogNotTold(failure, organization);
                _resting[organization] = Task.Delay(_rest, time, stopping);
            }
        }

        return told;
    }

    private async Task RestAsync(CancellationToken cancellation)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny([news.NotedAsync(waiting.Token), .. _resting.Values]);
        await waiting.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task TellOldestAsync(OrganizationId organization, CancellationToken cancellation)
    {
        EventToTell? told;
        await using (var db = database.Read(organization))
            told = await db.Set<EventToTell>().AsNoTracking().OrderBy(row => row.Id).FirstOrDefaultAsync(cancellation);
        if (told is null) return;
        var now = time.GetUtcNow();
        var inForce = policy.Current(organization);
        var audience = inForce?.NotificationsFor(told.Device, told.Kind, told.Concerned, now) ?? NotificationAudience.Nobody;
        var addresses = inForce is null ? [] : AddressesOf(audience, inForce);
        if (addresses.Count > 0 && outbox.Sends)
        {
            foreach (var piece in addresses.Where(one => string.CompareOrdinal(one.Key, told.Through) > 0).Chunk(MostAtOnce)) await MailAsync(told, piece, now, cancellation);
        }
        else
        {
            var because = !outbox.Sends ? "the server sends no mail"
                : !audience.IsAnybodyNamed ? "the device is gone by now, or nobody is named for it any more"
                : audience.People.Count == 0 ? "nobody who is named takes part and may see the device"
                : "nobody who is named has a mail address";
            await TellNobodyAsync(told, because, now, cancellation);
        }

        await queue.WriteAsync(organization, (db, stop) => db.Set<EventToTell>().Where(row => row.Id == told.Id).ExecuteDeleteAsync(stop), cancellation);
    }

    /// <summary>Each once, in the order of the alphabet, which is the same whenever it is asked.</summary>
    private static List<Addressed> AddressesOf(NotificationAudience audience, PolicySnapshot inForce)
    {
        IEnumerable<Addressed> all =
        [
            .. from person in audience.People.Select(inForce.Person).OfType<PersonRow>() where Names.IsMail(person.Mail) select new Addressed(person.Mail, person),
            .. from address in audience.Addresses select new Addressed(address, null),
        ];
        return [.. all.DistinctBy(one => one.Key).OrderBy(one => one.Key, StringComparer.Ordinal)];
    }

    /// <summary>One piece, and that it is done with, in one transaction.</summary>
    private async Task MailAsync(EventToTell told, Addressed[] piece, DateTimeOffset now, CancellationToken cancellation)
    {
        var organization = told.OrganizationId;
        var counted = piece.Select(one => (One: one, Count: counts.Next(organization, one.Key, told.Kind, now))).ToList();
        var lacksRoom = counted.Exists(one => one.Count is null);
        var isFirstToLackIt = lacksRoom && counts.NextWithoutRoom(organization, told.Kind, now) == 1;
        if (!isFirstToLackIt && counted.TrueForAll(one => one.Count is null or > MostInAnHour)) return;
        try
        {
            await queue.WriteAsync(
                organization,
                (db, stop) =>
                {
                    foreach (var (one, count) in counted)
                    {
                        if (count is null or > MostInAnHour) continue;
                        var letter = Letters.Event(told.Kind, told.DeviceName, told.At, isLast: count == MostInAnHour);
                        if (one.Person is { } person) outbox.Add(db, person, letter);
                        else outbox.Add(db, one.Mail, letter);
                    }

                    if (isFirstToLackIt) audit.Add(db, NotTold(told, NoRoom));
                    return db.Set<EventToTell>().Where(row => row.Id == told.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Through, piece[^1].Key), stop);
                },
                cancellation);
        }
        catch
        {
            foreach (var (one, count) in counted)
                if (count is not null) counts.TakeBack(organization, one.Key, told.Kind);
            if (lacksRoom) counts.TakeBackWithoutRoom(organization, told.Kind);
            throw;
        }
    }

    private async Task TellNobodyAsync(EventToTell told, string because, DateTimeOffset now, CancellationToken cancellation)
    {
        var (organization, key) = (told.OrganizationId, $"{told.Device} {because}");

        // Where there is no room to count for what reason, the event as a whole is counted, so that it is told all the same.
        var count = counts.Next(organization, key, told.Kind, now);
        var isFirst = (count ?? counts.NextWithoutRoom(organization, told.Kind, now)) == 1;
        if (!isFirst) return;
        try
        {
            await queue.AppendAsync(organization, db => audit.Add(db, NotTold(told, count is null ? NoRoom : because)), cancellation);
        }
        catch
        {
            if (count is null) counts.TakeBackWithoutRoom(organization, told.Kind);
            else counts.TakeBack(organization, key, told.Kind);
            throw;
        }
    }

    private static AuditEntry NotTold(EventToTell told, string because) => new()
    {
        Kind = Undelivered,
        Channel = "system",
        Subject = told.DeviceName,
        SubjectId = told.Device.Value,
        Outcome = AuditOutcome.Failed,
        Correlation = told.Correlation,
        Details = new() { ["event"] = told.Kind, ["because"] = because },
    };

    [LoggerMessage(1, LogLevel.Error, "Events could not be looked through")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(2, LogLevel.Error, "An event of organization {Organization} could not be told")]
    private partial void LogNotTold(Exception failure, OrganizationId organization);

    /// <param name="Person">Null: the address is nobody's here.</param>
    private sealed record Addressed(string Mail, PersonRow? Person)
    {
        public string Key { get; } = Mail.ToLowerInvariant();
    }
}
