using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Sessions;

/// <summary>Sessions with regard to their recordings: what the feature Recordings asks of this one.</summary>
internal static class RecordedSessions
{
    public static Task<SessionRecord?> FindAsync(CountersignDb db, Guid session, CancellationToken cancellation) =>
        db.Set<SessionRecord>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == session, cancellation);

    /// <summary>Those that have ended and have a recording, or had one, newest first.</summary>
    /// <param name="before">Only older ones than this.</param>
    public static Task<List<SessionRecord>> ListAsync(CountersignDb db, Guid? before, int most, CancellationToken cancellation)
    {
        var query = db.Set<SessionRecord>().AsNoTracking().Where(row => row.Ended != null && row.RecordingSize != null);
        if (before is { } last) query = query.Where(row => row.Id.CompareTo(last) < 0);
        return query.OrderByDescending(row => row.Id).Take(most).ToListAsync(cancellation);
    }

    /// <summary>To be changed, on the writer: the recordings, still kept, of sessions that ended before the instant.</summary>
    public static Task<List<SessionRecord>> KeptBeforeAsync(CountersignDb db, DateTimeOffset instant, int most, CancellationToken cancellation) =>
        db.Set<SessionRecord>().Where(row => row.Ended < instant && row.RecordingSize != null && row.RecordingGone == null)
            .OrderBy(row => row.Ended).Take(most).ToListAsync(cancellation);

    /// <summary>To be changed, on the writer; null: there is no recording any more, or the session runs.</summary>
    public static Task<SessionRecord?> KeptAsync(CountersignDb db, Guid session, CancellationToken cancellation) =>
        db.Set<SessionRecord>().SingleOrDefaultAsync(row => row.Id == session && row.Ended != null && row.RecordingSize != null && row.RecordingGone == null, cancellation);

    /// <summary>Every session of which a recording is kept, a bounded number at a time.</summary>
    public static async IAsyncEnumerable<SessionRecord> AllKeptAsync(
        Database database, OrganizationId organization, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        const int Batch = 1000;
        Guid? after = null;
        while (true)
        {
            List<SessionRecord> rows;
            await using (var db = database.Read(organization))
            {
                var query = db.Set<SessionRecord>().AsNoTracking().Where(row => row.RecordingSize != null && row.RecordingGone == null);
                if (after is { } last) query = query.Where(row => row.Id.CompareTo(last) > 0);
                rows = await query.OrderBy(row => row.Id).Take(Batch).ToListAsync(cancellation);
            }

            foreach (var row in rows) yield return row;
            if (rows.Count < Batch) yield break;
            after = rows[^1].Id;
        }
    }

    /// <summary>Of these sessions, those that are not known, and those whose recording is deleted.</summary>
    public static async Task<(List<Guid> Unknown, List<Guid> Deleted)> StraysAsync(CountersignDb db, IReadOnlyList<Guid> sessions, CancellationToken cancellation)
    {
        var known = await db.Set<SessionRecord>().AsNoTracking().Where(row => sessions.Contains(row.Id)).Select(row => new { row.Id, row.RecordingGone }).ToListAsync(cancellation);
        return ([.. sessions.Except(known.Select(row => row.Id))], [.. known.Where(row => row.RecordingGone != null).Select(row => row.Id)]);
    }
}
