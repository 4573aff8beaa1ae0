using System.Text.Json.Nodes;
using Countersign.Server.Features.Requests;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Sessions;

/// <summary>Writes sessions down, each step with its audit record in one transaction.</summary>
internal sealed class SessionLedger(
    WriteQueue queue, Database database, RecordingStore recordings, JournalStore journals, AuditLog audit, RepeatedRefusals refusals, RequestClaims claims, EventHub events,
    TimeProvider time) : ISessionLedger
{
    private const int LongestDetail = 400;

    public async ValueTask<bool> BeginAsync(SessionOpening opening, CancellationToken cancellation)
    {
        try
        {
            return await WriteOpeningAsync(opening, cancellation);
        }
        catch (Exception away) when (IsAway(away))
        {
            throw new LedgerAwayException(away);
        }
    }

    /// <summary>That the database takes nothing now, and later may; whether it says so itself, or the writer for it. What is wrong with the row is a fault.</summary>
    internal static bool IsAway(Exception failure) => DatabaseFailure.Cause(failure) is
    {
        SqliteErrorCode: SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED or SQLitePCL.raw.SQLITE_FULL or SQLitePCL.raw.SQLITE_IOERR or SQLitePCL.raw.SQLITE_NOMEM
        or SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_PROTOCOL or SQLitePCL.raw.SQLITE_READONLY,
    };

    private Task<bool> WriteOpeningAsync(SessionOpening opening, CancellationToken cancellation) => queue.WriteAsync(
        async (unit, stop) =>
        {
            var db = unit.Db.Of(opening.Organization);
            if (!await claims.TakeAsync(unit, opening, stop)) return false;
            var row = new SessionRecord
            {
                OrganizationId = opening.Organization,
                Id = opening.Id.Value,
                Person = opening.Person,
                Login = opening.Login,
                Device = opening.Device,
                DeviceName = opening.DeviceName,
                Account = opening.Account,
                Kind = opening.Kind,
                Command = opening.Command,
                Source = opening.Source,
                Started = opening.At,
                PolicyVersion = opening.PolicyVersion,
            };
            db.Add(row);
            unit.Committed += () => events.Publish(new SessionEvent(row));
            audit.Add(db, new AuditEntry
            {
                Kind = "session.began",
                Actor = opening.Person,
                ActorLogin = opening.Login,
                Channel = "ssh",
                Source = opening.Source,
                Subject = opening.DeviceName,
                SubjectId = opening.Device.Value,
                Correlation = opening.Id.ToString(),
                Details = new JsonObject { ["account"] = opening.Account, ["kind"] = opening.Kind.ToString(), ["command"] = opening.Command, ["request"] = opening.Request, ["preapproved"] = new JsonArray([.. opening.Preapproved.Select(claim => (JsonNode)claim.Number)]) },
            });
            return true;
        },
        cancellation);

    public async ValueTask EndAsync(SessionEnd end, CancellationToken cancellation) => await queue.WriteAsync(
        async (unit, stop) =>
        {
            var db = unit.Db.Of(end.Organization);
            var row = await db.Set<SessionRecord>().SingleAsync(session => session.Id == end.Id.Value, stop);
            if (row.Ended is not null) return false;
            Close(db, row, end);
            unit.Committed += () => events.Publish(new SessionEvent(row));
            return true;
        },
        cancellation);

    public ValueTask RecordingFailedAsync(SessionOpening opening, string why, CancellationToken cancellation) =>
        FailedAsync("recording.failed", opening, why, cancellation);

    public ValueTask JournalFailedAsync(SessionOpening opening, string why, CancellationToken cancellation) =>
        FailedAsync("journal.failed", opening, why, cancellation);

    public async ValueTask RefuseAsync(SessionRefusal refusal, CancellationToken cancellation)
    {
        var entry = new AuditEntry
        {
            Kind = "session.refused",
            Actor = refusal.Person,
            ActorLogin = refusal.Login,
            Channel = "ssh",
            Source = refusal.Source,
            Subject = refusal.Device,
            Outcome = AuditOutcome.Refused,
            Details = new JsonObject
            {
                ["account"] = refusal.Account,
                ["wanted"] = refusal.Wanted.ToString(),
                ["decision"] = refusal.Decision.ToString(),
                ["reason"] = refusal.Reason.ToString(),
            },
        };
        await refusals.WriteFirstAsync(refusal.Organization, entry, cancellation);
    }

    /// <summary>Whether any of these sessions has not ended.</summary>
    public static Task<bool> IsAnyLiveAsync(CountersignDb db, IQueryable<Guid> sessions, CancellationToken cancellation) =>
        db.Set<SessionRecord>().AnyAsync(session => session.Ended == null && sessions.Contains(session.Id), cancellation);

    /// <summary>The ids of those that have not ended.</summary>
    public static IQueryable<Guid> Live(CountersignDb db) => db.Set<SessionRecord>().Where(session => session.Ended == null).Select(session => session.Id);

    /// <summary>At start: what was running when the server stopped without saying so did not survive it, and is closed with that as the reason.</summary>
    public async Task CloseLeftOversAsync(CancellationToken cancellation)
    {
        List<Organization> organizations;
        await using (var db = database.Open()) organizations = await db.Set<Organization>().AsNoTracking().ToListAsync(cancellation);
        foreach (var organization in organizations)
        {
            await queue.WriteAsync(
                organization.Id,
                async (db, stop) =>
                {
                    foreach (var row in await db.Set<SessionRecord>().Where(session => session.Ended == null).ToListAsync(stop))
                    {
                        Close(db, row, await LeftOverAsync(row, stop));
                    }
                },
                cancellation);
        }
    }

    /// <summary>How a session ended whose server is gone: as its journal says, if that came to its end, and else with the server.</summary>
    private async Task<SessionEnd> LeftOverAsync(SessionRecord row, CancellationToken cancellation)
    {
        var id = new SessionId(row.Id);
        var recorded = await recordings.InspectAsync(row.OrganizationId, id, cancellation);
        var journal = await journals.InspectAsync(row.OrganizationId, id, cancellation);
        var end = journal?.End is { } told
            ? new SessionEnd(id, row.OrganizationId, told.Reason, told.Detail, told.ExitStatus, told.BytesIn, told.BytesOut, told.At)
            : new(id, row.OrganizationId, EndReason.GatewayStopped, "the gateway stopped while the session ran", null, row.BytesIn, row.BytesOut, time.GetUtcNow());
        end = end with { Journal = journal?.Summary };
        return recorded is null ? end : end with { Recording = RecordingSummary.Of(recorded) };
    }

    private async ValueTask FailedAsync(string kind, SessionOpening opening, string why, CancellationToken cancellation) => await queue.AppendAsync(
        opening.Organization,
        db => audit.Add(db, new AuditEntry
        {
            Kind = kind,
            Actor = opening.Person,
            ActorLogin = opening.Login,
            Channel = "system",
            Source = opening.Source,
            Subject = opening.DeviceName,
            SubjectId = opening.Device.Value,
            Outcome = AuditOutcome.Failed,
            Correlation = opening.Id.ToString(),
            Details = new JsonObject { ["failure"] = why },
        }),
        cancellation);

    private void Close(CountersignDb db, SessionRecord row, SessionEnd end)
    {
        row.Ended = end.At;
        row.Reason = end.Reason;
        row.Detail = end.Detail.Length > LongestDetail ? end.Detail[..LongestDetail] : end.Detail;
        row.ExitStatus = end.ExitStatus;
        row.BytesIn = end.BytesIn;
        row.BytesOut = end.BytesOut;
        row.Recording = end.Recording.State;
        row.RecordingSize = end.Recording.Size;
        row.RecordingLength = (long?)end.Recording.Length?.TotalMicroseconds;
        row.RecordingHash = end.Recording.Hash is { } hash ? Convert.ToHexStringLower(hash.Span) : null;
        audit.Add(db, new AuditEntry
        {
            Kind = "session.ended",
            Actor = row.Person,
            ActorLogin = row.Login,
            Channel = "ssh",
            Source = row.Source,
            Subject = row.DeviceName,
            SubjectId = row.Device.Value,
            Correlation = row.Id.ToString(),
            Details = new JsonObject
            {
                ["reason"] = end.Reason.ToString(),
                ["detail"] = row.Detail,
                ["exitStatus"] = end.ExitStatus,
                ["bytesIn"] = end.BytesIn,
                ["bytesOut"] = end.BytesOut,
                ["recording"] = end.Recording.State.ToString(),
                ["recordingSize"] = row.RecordingSize,
                ["recordingHash"] = row.RecordingHash,
                ["recordingFailure"] = end.Recording.Failure,
                ["journal"] = end.Journal is { } journal ? JournalAnchors.Anchor(journal) : null,
            },
        });
    }
}
