using System.Globalization;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions.Recording;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Recordings;

internal static class ListRecordings
{
    private const int Batch = 500;

    /// <summary>As with sessions: the work for somebody who may play few of many is bounded, and such a page is short and has a next one.</summary>
    private const int MostLookedAt = 5000;

    public static async Task<Results<Ok<Page<RecordingShown>>, ProblemHttpResult>> ListAsync(
        [Microsoft.AspNetCore.Mvc.FromQuery] int? limit, [Microsoft.AspNetCore.Mvc.FromQuery] string? cursor,
        Caller caller, CallersPolicy policy, Database database, RecordingStore store, CancellationToken cancellation)
    {
        var most = limit ?? 100;
        if (most is < 1 or > 1000) return Problems.Invalid("limit", "It is a number from 1 to 1000.");
        Guid? before = null;
        if (cursor is not null)
        {
            if (!Guid.TryParse(cursor, CultureInfo.InvariantCulture, out var id)) return Problems.Invalid("cursor", "It is the \"next\" of the page before.");
            before = id;
        }

        var sight = new SessionSight(caller, policy);
        var items = new List<RecordingShown>();
        await using var db = database.Read(caller.Organization);
        for (var lookedAt = Batch; ; lookedAt += Batch)
        {
            var rows = await RecordedSessions.ListAsync(db, before, Batch, cancellation);
            foreach (var row in rows)
            {
                before = row.Id;
                if (!sight.MayPlay(row)) continue;
                items.Add(Show(row, sight, store));
                if (items.Count == most) return TypedResults.Ok(new Page<RecordingShown>(items, row.Id.ToString()));
            }

            if (rows.Count < Batch) return TypedResults.Ok(new Page<RecordingShown>(items, null));
            if (lookedAt >= MostLookedAt) return TypedResults.Ok(new Page<RecordingShown>(items, before.ToString()));
        }
    }

    public static async Task<Results<Ok<RecordingShown>, ProblemHttpResult>> FindAsync(
        Guid id, Caller caller, CallersPolicy policy, Database database, RecordingStore store, CancellationToken cancellation)
    {
        var sight = new SessionSight(caller, policy);
        await using var db = database.Read(caller.Organization);
        var row = await RecordedSessions.FindAsync(db, id, cancellation);
        return row is { Ended: not null, RecordingSize: not null } && sight.MayPlay(row) ? TypedResults.Ok(Show(row, sight, store)) : Problems.NotFound();
    }

    private static RecordingShown Show(SessionRecord row, SessionSight sight, RecordingStore store) => new(
        row.Id, row.Login, row.Device.Value, row.DeviceName, row.Account, row.Kind, row.Command, row.Started, row.Ended, row.Reason,
        SessionEndpoints.RecordingOf(row, running: null), row.RecordingGone is null && !store.Has(row.OrganizationId, new(row.Id)),
        row.RecordingLength / 1_000_000.0, row.RecordingSize, row.RecordingHash, row.RecordingGone,
        row.RecordingGone is null && !sight.TookPart(row) && sight.MayDelete(row));
}
