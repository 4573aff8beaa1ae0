using Countersign.Access;
using Countersign.Reach;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Devices;

/// <param name="Offered">What the device showed last, as <c>type base64</c>.</param>
/// <param name="Refused">Connections that were refused for it.</param>
internal sealed record HostKeyAlertAnswer(string Offered, string Fingerprint, DateTimeOffset First, DateTimeOffset Last, long Refused)
{
    public static HostKeyAlertAnswer Of(HostKeyAlert alert) => new(alert.Offered, alert.Fingerprint, alert.First, alert.Last, alert.Count);
}

/// <summary>
/// Pins what devices show first, where the organization trusts that, and keeps what they show instead of it. An alert stays until somebody confirms a key,
/// also the one that was pinned; nothing is opened meanwhile but by the pinned key.
/// </summary>
internal sealed class HostKeyBook(PolicyWriter writer, PolicySource policy, Database database, WriteQueue queue, AuditLog audit, EventHub events, TimeProvider time) : IHostKeyBook
{
    public async ValueTask<string?> PinAsync(SessionOpening session, DeviceEndpoint endpoint, SshPublicKey seen, CancellationToken cancellation)
    {
        var device = endpoint.Device;
        // For the person whose connection gave the occasion; the engine asks for no right of theirs over the device.
        var onBehalf = new Caller(session.Organization, session.Person, session.Login, TokenScopes.None, default, session.Source, default, session.Id.ToString()) { Channel = "system" };
        await writer.ApplyAsync(
            onBehalf,
            now => Now(now, endpoint) is { Service.Pin.Length: 0 } && now.HostTrust.Authorities.Count == 0 ? new PolicyCommand.PinHostKey(device.Id, seen.ToString()) : null,
            cancellation,
            (db, delta, _) =>
            {
                audit.Add(db, AuditEntry.By(onBehalf, "device.hostKeyPinned") with
                {
                    Subject = device.Name,
                    SubjectId = device.Id.Value,
                    Details = new() { ["fingerprint"] = seen.Fingerprint, ["version"] = delta.ToVersion },
                });
                return Task.CompletedTask;
            });
        return Now(policy.Current(session.Organization), endpoint) is { Service.Pin: { Length: > 0 } pinned } ? pinned : null;
    }

    public async ValueTask ChangedAsync(SessionOpening session, DeviceEndpoint endpoint, SshPublicKey offered, CancellationToken cancellation) => await queue.WriteAsync(
        async (unit, stop) =>
        {
            var db = unit.Db.Of(session.Organization);
            var device = endpoint.Device;

            // Somebody may have confirmed this very key, or moved the device, while it was connected to.
            if (!endpoint.IsSameAs(Now(writer.ForWriter(session.Organization), endpoint))) return false;
            var alert = await db.Set<HostKeyAlert>().SingleOrDefaultAsync(row => row.Device == device.Id, stop);
            var isNew = alert?.Fingerprint != offered.Fingerprint;
            var at = time.GetUtcNow();
            if (alert is null)
            {
                alert = new() { OrganizationId = session.Organization, Device = device.Id, Offered = "", Fingerprint = "", First = at, Last = at, Count = 0 };
                db.Add(alert);
            }

            (alert.Offered, alert.Fingerprint, alert.Last) = (offered.ToString(), offered.Fingerprint, at);
            alert.Count++;
            if (!isNew) return true;

            // Once for each key, however many are refused: the session's own end tells of each.
            audit.Add(db, new()
            {
                Kind = "device.hostKeyChanged",
                Actor = session.Person,
                ActorLogin = session.Login,
                Channel = "system",
                Source = session.Source,
                Subject = device.Name,
                SubjectId = device.Id.Value,
                Outcome = AuditOutcome.Refused,
                Correlation = session.Id.ToString(),
                Details = new() { ["offered"] = offered.Fingerprint, ["pinned"] = SshPublicKey.TryParse(endpoint.Service.Pin, out var pinned) ? pinned.Fingerprint : "" },
            });
            var shown = HostKeyAlertAnswer.Of(alert);
            unit.Committed += () => events.Publish(new HostKeyEvent(session.Organization, device.Id, device.Name, shown));
            return true;
        },
        cancellation);

    /// <summary>Those that stand, by device.</summary>
    public async Task<IReadOnlyDictionary<DeviceId, HostKeyAlertAnswer>> AlertsAsync(OrganizationId organization, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        return await db.Set<HostKeyAlert>().AsNoTracking().ToDictionaryAsync(row => row.Device, HostKeyAlertAnswer.Of, cancellation);
    }

    /// <summary>Somebody has said which key is the device's.</summary>
    public static Task ConfirmAsync(CountersignDb db, DeviceId device, CancellationToken cancellation) =>
        db.Set<HostKeyAlert>().Where(row => row.Device == device).ExecuteDeleteAsync(cancellation);

    /// <summary>
    /// In the transaction of commands for many devices: whoever names a host key of a device, also the one that is pinned, has said which is the device's, as at the
    /// device itself.
    /// </summary>
    public static async Task ConfirmWhereNamedAsync(CountersignDb db, PolicyCommand.Several commands, CancellationToken cancellation)
    {
        var named = commands.Commands.OfType<PolicyCommand.EditDevice>().Where(edit => (edit.Services ?? []).Concat(edit.PutServices).Any(NamesHostKey)).Select(edit => edit.Id).ToHashSet();
        if (named.Count == 0) return;

        // There are few of those that stand, and may be thousands of the others.
        var standing = await db.Set<HostKeyAlert>().Select(row => row.Device).ToListAsync(cancellation);
        foreach (var device in standing.Where(named.Contains)) await ConfirmAsync(db, device, cancellation);
    }

    public static bool NamesHostKey(ServiceWish service) => service is { Protocol: ServiceProtocol.Ssh, HostKey.Length: > 0 };

    /// <summary>With every change of policy, in its transaction: what is reached elsewhere, or known by another key, has shown nothing wrong yet.</summary>
    public static async Task DropWhereReachedElsewhereAsync(CountersignDb db, PolicyDelta delta, CancellationToken cancellation)
    {
        foreach (var change in delta.Changes)
        {
            if (change is { Before: DeviceRow before, After: DeviceRow after } && before.Host != after.Host) await ConfirmAsync(db, after.Id, cancellation);
            if (change is { Before: DeviceServiceRow { Protocol: ServiceProtocol.Ssh } service } && service != change.After) await ConfirmAsync(db, service.Device, cancellation);
        }
    }

    /// <summary>Where it is reached now as it was; null: elsewhere, or not at all.</summary>
    private static DeviceEndpoint? Now(PolicySnapshot? policy, DeviceEndpoint endpoint) =>
        policy?.Endpoint(endpoint.Device.Id, endpoint.Service.Protocol) is { } now && now.IsReachedAlike(endpoint) ? now : null;
}

/// <param name="Device">Its id.</param>
internal sealed record HostKeyChanged(Guid Device, string Name, HostKeyAlertAnswer Alert);

/// <summary>A device has shown another host key than the pinned one: for those who may say which key is its own.</summary>
internal sealed class HostKeyEvent(OrganizationId organization, DeviceId device, string name, HostKeyAlertAnswer alert) : LiveEvent(organization, "hostKey")
{
    public override byte[]? Show(EventReader reader) => reader.Policy.Snapshot.MayModifyDevice(reader.Policy.Person, device, reader.Policy.At)
        ? reader.Json(new HostKeyChanged(device.Value, name, alert))
        : null;
}
