using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions.Recording;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Recordings;

internal static class DeleteRecording
{
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id, Caller caller, CallersPolicy policy, Database database, RecordingRemoval removal, CancellationToken cancellation)
    {
        var sight = new SessionSight(caller, policy);
        await using var db = database.Read(caller.Organization);
        var row = await RecordedSessions.FindAsync(db, id, cancellation);
        if (row is null || !sight.MayDelete(row)) return Problems.NotFound();
        if (sight.TookPart(row)) return Problems.Forbidden("Nobody deletes the recording of a session that they took part in.");
        if (row.Ended is null) return Problems.Conflict("The session runs: its recording can be deleted once it has ended.");
        return await removal.RemoveAsync(id, AuditEntry.By(caller, RecordingRemoval.Kind), caller.Organization, cancellation) ? TypedResults.NoContent() : Problems.NotFound();
    }
}

/// <summary>
/// Deletes recordings: first the row says so, with its audit record, in one transaction, and then the file goes. Between the two the recording is
/// gone for everybody already; a file that is left is removed at the next start, or at the next look.
/// </summary>
internal sealed partial class RecordingRemoval(WriteQueue queue, AuditLog audit, RecordingStore store, TimeProvider time, ILogger<RecordingRemoval> log)
{
    public const string Kind = "recording.deleted";

    /// <summary>In one transaction: others write in between.</summary>
    private const int Most = 100;

    /// <summary>False: there is none, or not any more.</summary>
    /// <param name="entry">By whom.</param>
    public async Task<bool> RemoveAsync(Guid session, AuditEntry entry, OrganizationId organization, CancellationToken cancellation)
    {
        var marked = await queue.WriteAsync(
            organization,
            async (db, stop) =>
            {
                if (await RecordedSessions.KeptAsync(db, session, stop) is not { } row) return false;
                Mark(db, row, entry, null);
                return true;
            },
            cancellation);
        if (marked) RemoveFile(organization, session);
        return marked;
    }

    /// <summary>Whatever ended longer ago than an organization keeps recordings.</summary>
    /// <returns>How many.</returns>
    public async Task<int> RemoveOldAsync(OrganizationId organization, TimeSpan retention, CancellationToken cancellation)
    {
        var removed = 0;
        while (true)
        {
            var sessions = await queue.WriteAsync(
                organization,
                async (db, stop) =>
                {
                    var rows = await RecordedSessions.KeptBeforeAsync(db, time.GetUtcNow() - retention, Most, stop);
                    foreach (var row in rows) Mark(db, row, new() { Kind = Kind, Channel = "system" }, retention);
                    return rows.ConvertAll(row => row.Id);
                },
                cancellation);
            foreach (var session in sessions) RemoveFile(organization, session);
            removed += sessions.Count;
            if (sessions.Count < Most) return removed;
        }
    }

    /// <summary>False: the disk does not let go of it. The row says that it is gone all the same.</summary>
    public void RemoveFile(OrganizationId organization, Guid session)
    {
        try
        {
            store.Delete(organization, new(session));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogLeft(failure, session);
        }
    }

    private void Mark(CountersignDb db, SessionRecord row, AuditEntry entry, TimeSpan? retention)
    {
        row.RecordingGone = time.GetUtcNow();
        var details = new JsonObject { ["technician"] = row.Login, ["size"] = row.RecordingSize, ["hash"] = row.RecordingHash };
        if (retention is { } kept) details["keptDays"] = (int)kept.TotalDays;
        audit.Add(db, entry with { Subject = row.DeviceName, SubjectId = row.Device.Value, Correlation = row.Id.ToString(), Details = details });
    }

    [LoggerMessage(1, LogLevel.Error, "The recording of session {Session} is deleted, but its file can't be removed; it is tried again")]
    private partial void LogLeft(Exception failure, Guid session);
}
