using System.Threading.Channels;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Notifications;

/// <summary>
/// Notes, in the transaction of an event's record, that somebody is to be told of it. That is one row, however many they are: whom it goes to is found out
/// and mailed by <see cref="EventMailing"/>, so that no event holds up the one writer, and none fails for want of a mail.
/// </summary>
internal sealed class EventNews(PolicySource policy, TimeProvider time)
{
    private readonly Channel<bool> _noted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>With every record, where it is written; returns at once for those that are no events, or that nobody is named for.</summary>
    public void Note(AuditLog audit, CountersignDb db, AuditEntry entry)
    {
        if (!NotificationRules.Events.Contains(entry.Kind) || policy.Current(db.Organization) is not { } inForce) return;
        var device = entry.SubjectId is { } id ? inForce.Device(new(id)) : inForce.DeviceByName(entry.Subject);
        if (device is null || !inForce.NamesAnybodyFor(device.Id, entry.Kind)) return;
        var now = time.GetUtcNow();
        db.Append(new EventToTell
        {
            OrganizationId = db.Organization,
            Id = Guid.CreateVersion7(now),
            Kind = entry.Kind,
            Device = device.Id,
            DeviceName = device.Name,
            Concerned = entry.Concerned ?? entry.Actor,
            At = now,
            Correlation = entry.Correlation,
            Through = "",
        });
        _noted.Writer.TryWrite(true);
    }

    /// <summary>Returns when something was noted since it returned last. What was noted is found behind the transaction that holds it.</summary>
    public async Task NotedAsync(CancellationToken cancellation) => await _noted.Reader.ReadAsync(cancellation);
}

internal static class NotificationsFeature
{
    public static IServiceCollection AddNotifications(this IServiceCollection services)
    {
        services.AddSingleton<EventCounts>();
        services.AddSingleton<EventNews>();
        services.AddHostedService<EventMailing>();
        return services.AddSingleton<AlongWithRecord>(provider => provider.GetRequiredService<EventNews>().Note);
    }
}
