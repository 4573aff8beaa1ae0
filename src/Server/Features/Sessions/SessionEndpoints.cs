using System.Globalization;
using System.Text.Json.Serialization;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Sessions.Recording;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Sessions;

internal enum SessionState : byte
{
    Live = 1,
    Ended = 2,
}

/// <summary>What there is of a session's recording.</summary>
internal enum RecordingAnswer : byte
{
    /// <summary>It was not to be recorded, or is of a kind that is not.</summary>
    None = 0,

    /// <summary>It is being recorded.</summary>
    Running = 1,
    Complete = 2,

    /// <summary>It was begun, and cut.</summary>
    Incomplete = 3,

    /// <summary>It was to be recorded, and could not be.</summary>
    Failed = 4,

    /// <summary>It was deleted.</summary>
    Deleted = 5,
}

/// <summary>Somebody who watches a session that runs.</summary>
internal sealed record WatcherAnswer(string Login, string Name, DateTimeOffset Since);

/// <param name="BytesIn">From the technician to the device; of a live session, so far.</param>
/// <param name="Watchers">Who watches it now; empty once it has ended.</param>
/// <param name="EndsAt">Of a live session: when it ends whatever is done in it; null: no end is known. Standing still may end it before.</param>
/// <param name="EndsBecause">What is over then: <c>windowOver</c> or <c>maximumTime</c>.</param>
/// <param name="MayEnd">Whether the caller may end it now.</param>
internal sealed record SessionAnswer(
    Guid Id,
    SessionState State,
    string Login,
    Guid Device,
    string DeviceName,
    string Account,
    SessionKind Kind,
    string Command,
    string? Source,
    DateTimeOffset Started,
    DateTimeOffset? Ended,
    EndReason? Reason,
    string Detail,
    int? ExitStatus,
    long BytesIn,
    long BytesOut,
    RecordingAnswer Recording,
    IReadOnlyList<WatcherAnswer> Watchers,
    DateTimeOffset? EndsAt,
    EndReason? EndsBecause,
    bool MayEnd);

internal sealed record SessionPage(IReadOnlyList<SessionAnswer> Items, string? Next);

/// <param name="Reason">Shown to the technician, at most 200 characters.</param>
internal sealed record EndSessionRequest(string? Reason = null);

[JsonSerializable(typeof(SessionAnswer))]
[JsonSerializable(typeof(SessionPage))]
[JsonSerializable(typeof(EndSessionRequest))]
internal sealed partial class SessionJson : JsonSerializerContext;

/// <summary>Sessions as the API shows them: one's own, and those on devices where one may watch, end or look back.</summary>
internal static class SessionEndpoints
{
    private const int LongestReason = 200;

    /// <summary>
    /// Rows read at once, however few are wanted. A page is full, or it is the last: the database leaves out what is not for the caller, so that what is looked at in vain
    /// is at most the sessions that run now.
    /// </summary>
    private const int Batch = 500;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/sessions").WithTags("Sessions");
        group.MapGet("", ListAsync).Requires(TokenScopes.SessionsRead).WithSummary("Sessions, newest first");
        group.MapGet("/{id:guid}", FindAsync).Requires(TokenScopes.SessionsRead).WithSummary("One session");
        group.MapPost("/{id:guid}/end", EndAsync).Requires(TokenScopes.Sessions).WithSummary("Ends a running session");
        JournalEndpoints.Map(group);
    }

    private static async Task<Results<Ok<SessionPage>, ProblemHttpResult>> ListAsync(
        Caller caller, CallersPolicy policy, Database database, LiveSessions live, CancellationToken cancellation,
        string? state = null, int limit = 100, string? cursor = null)
    {
        if (state is not (null or "live" or "ended")) return Problems.Invalid("state", "It is live or ended.");
        if (limit is < 1 or > 1000) return Problems.Invalid("limit", "It is a number from 1 to 1000.");
        Guid? before = null;
        if (cursor is not null)
        {
            if (!Guid.TryParse(cursor, CultureInfo.InvariantCulture, out var id)) return Problems.Invalid("cursor", "It is the \"next\" of the page before.");
            before = id;
        }

        var sight = new SessionSight(caller, policy);
        var items = new List<SessionAnswer>(limit);
        await using var db = database.Read(caller.Organization);
        var query = db.Set<SessionRecord>().AsNoTracking();
        if (state == "live") query = query.Where(row => row.Ended == null);
        else query = query.Where(sight.MayBeSeen());
        if (state == "ended") query = query.Where(row => row.Ended != null);
        while (true)
        {
            // Ids grow with time (RFC 9562 version 7), and their text sorts as they do: the newest first.
            var rows = await (before is { } last ? query.Where(row => row.Id.CompareTo(last) < 0) : query).OrderByDescending(row => row.Id).Take(Batch).ToListAsync(cancellation);
            foreach (var row in rows.Where(sight.MaySee))
            {
                if (items.Count == limit) return TypedResults.Ok(new SessionPage(items, items[^1].Id.ToString()));
                items.Add(Answer(row, live, sight));
            }

            if (rows.Count < Batch) return TypedResults.Ok(new SessionPage(items, null));
            before = rows[^1].Id;
        }
    }

    private static async Task<Results<Ok<SessionAnswer>, ProblemHttpResult>> FindAsync(
        Guid id, Caller caller, CallersPolicy policy, Database database, LiveSessions live, CancellationToken cancellation)
    {
        var sight = new SessionSight(caller, policy);
        await using var db = database.Read(caller.Organization);
        var row = await db.Set<SessionRecord>().AsNoTracking().SingleOrDefaultAsync(session => session.Id == id, cancellation);
        return row is not null && sight.MaySee(row) ? TypedResults.Ok(Answer(row, live, sight)) : Problems.NotFound();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EndAsync(
        Guid id, EndSessionRequest? request, Caller caller, CallersPolicy policy, Database database, LiveSessions live, WriteQueue queue, AuditLog audit,
        CancellationToken cancellation)
    {
        var reason = request?.Reason ?? "";
        if (reason.Length > LongestReason) return Problems.Invalid("reason", $"It has at most {LongestReason} characters.");
        if (!PlainLine.IsPlain(reason)) return Problems.Invalid("reason", "It has no control characters, nor marks that turn the direction of writing.");
        var sight = new SessionSight(caller, policy);
        await using var db = database.Read(caller.Organization);
        var row = await db.Set<SessionRecord>().AsNoTracking().SingleOrDefaultAsync(session => session.Id == id, cancellation);
        if (row is null || !sight.MaySee(row)) return Problems.NotFound();
        if (!sight.MayEnd(row)) return Problems.Forbidden("Ending this session needs Terminate sessions on its device.");
        if (live.Find(caller.Organization, new(id)) is not { } session) return Problems.Conflict("The session has ended.");
        var name = policy.Snapshot.Person(caller.Person)!.Name;
        session.Finish(EndReason.Terminated, reason.Length > 0 ? $"terminated by {name}: {reason}" : $"terminated by {name}");

        // Ended first: a database that is away keeps nobody in. The record names the person by more than the name that the technician is shown.
        await queue.AppendAsync(
            caller.Organization,
            db => audit.Add(db, AuditEntry.By(caller, "session.terminated") with
            {
                Subject = row.DeviceName,
                SubjectId = row.Device.Value,
                Concerned = row.Person,
                Correlation = id.ToString(),
                Details = new() { ["technician"] = row.Login, ["reason"] = reason },
            }),
            CancellationToken.None);
        return TypedResults.NoContent();
    }

    private static SessionAnswer Answer(SessionRecord row, LiveSessions live, SessionSight sight) =>
        Answer(row, row.Ended is null ? live.Find(row.OrganizationId, new(row.Id)) : null, sight);

    /// <param name="running">What runs of it in this process, if that is known.</param>
    internal static SessionAnswer Answer(SessionRecord row, LiveSession? running, SessionSight sight)
    {
        var deadline = running?.Deadline;
        return new(
            row.Id, row.Ended is null ? SessionState.Live : SessionState.Ended, row.Login, row.Device.Value, row.DeviceName, row.Account, row.Kind, row.Command,
            row.Source?.ToString(), row.Started, row.Ended, row.Reason, row.Detail, row.ExitStatus, running?.Traffic.In ?? row.BytesIn, running?.Traffic.Out ?? row.BytesOut,
            RecordingOf(row, running), [.. (running?.Watchers.Present ?? []).Select(one => new WatcherAnswer(one.Login, one.Name, one.Since))], deadline?.At, deadline?.Reason,
            row.Ended is null && sight.MayEnd(row));
    }

    internal static RecordingAnswer RecordingOf(SessionRecord row, LiveSession? running) => row.Recording switch
    {
        not null when row.RecordingGone is not null => RecordingAnswer.Deleted,
        RecordingState.Complete => RecordingAnswer.Complete,
        RecordingState.Incomplete => RecordingAnswer.Incomplete,
        RecordingState.Failed => RecordingAnswer.Failed,
        null when running?.Recording is not null => RecordingAnswer.Running,
        _ => RecordingAnswer.None,
    };
}
