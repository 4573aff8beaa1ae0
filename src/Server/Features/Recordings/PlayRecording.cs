using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Sessions.Recording;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Recordings;

/// <summary>What playing, exporting and watching all need.</summary>
internal sealed class Playback(Caller caller, CallersPolicy policy, CallersStanding standing, Database database, RecordingStore store, WriteQueue queue, AuditLog audit, Screening screening)
{
    public Caller Caller { get; } = caller;

    public CallersPolicy Policy { get; } = policy;

    public SessionSight Sight { get; } = new(caller, policy);

    public RecordingStore Store { get; } = store;

    /// <summary>Lets a handler take it as a parameter.</summary>
    public static async ValueTask<Playback?> BindAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var (caller, policy, standing) = (await Caller.BindAsync(context), await CallersPolicy.BindAsync(context), await CallersStanding.BindAsync(context));
        return caller is null || policy is null || standing is null ? null : new(
            caller, policy, standing, services.GetRequiredService<Database>(), services.GetRequiredService<RecordingStore>(), services.GetRequiredService<WriteQueue>(),
            services.GetRequiredService<AuditLog>(), services.GetRequiredService<Screening>());
    }

    public async Task<SessionRecord?> FindAsync(Guid id, CancellationToken cancellation)
    {
        await using var db = database.Read(Caller.Organization);
        return await RecordedSessions.FindAsync(db, id, cancellation);
    }

    public IDisposable? TakeSeat() => screening.TakeSeat(Caller.Person);

    public static ProblemHttpResult NoSeat() => Problems.Conflict($"You have {Screening.MostOfPerson} recordings open already: close one first.");

    /// <summary>Returns once the record is durable: nothing of a recording goes out before.</summary>
    public Task WriteDownAsync(SessionRecord row, string kind, System.Text.Json.Nodes.JsonObject details, CancellationToken cancellation) => queue.AppendAsync(
        Caller.Organization,
        db => audit.Add(db, AuditEntry.By(Caller, kind) with
        {
            Subject = row.DeviceName,
            SubjectId = row.Device.Value,
            Correlation = row.Id.ToString(),
            Details = details,
        }),
        cancellation);

    public Task<Closing?> RunAsync(HttpContext context, Show show) => screening.RunAsync(context, standing, show);
}

/// <summary>The recording of a session that has ended: its events to play, or as a file to keep.</summary>
internal static class PlayRecording
{
    public static Task<Results<EmptyHttpResult, ProblemHttpResult>> EventsAsync(
        Guid id, Playback playback, HttpContext context, CancellationToken cancellation, bool input = false) =>
        RunAsync(id, playback, context, "recording.played", input, new EventLines(new(id), input), cancellation);

    public static Task<Results<EmptyHttpResult, ProblemHttpResult>> AsciicastAsync(
        Guid id, Playback playback, HttpContext context, CancellationToken cancellation, bool input = false) =>
        RunAsync(id, playback, context, "recording.exported", input, new AsciicastLines(input), cancellation);

    private static async Task<Results<EmptyHttpResult, ProblemHttpResult>> RunAsync(
        Guid id, Playback playback, HttpContext context, string kind, bool input, RecordingForm form, CancellationToken cancellation)
    {
        var row = await playback.FindAsync(id, cancellation);
        if (row is not { Ended: not null, RecordingSize: not null, RecordingGone: null } || !playback.Sight.MayPlay(row)) return Problems.NotFound();
        using var seat = playback.TakeSeat();
        if (seat is null) return Playback.NoSeat();
        using var stored = playback.Store.Open(playback.Caller.Organization, new(id));
        if (stored is null) return Problems.Conflict("The recording's file is missing.");
        await playback.WriteDownAsync(row, kind, new() { ["technician"] = row.Login, ["input"] = input }, cancellation);
        if (form is AsciicastLines)
        {
            context.Response.ContentType = RecordingForm.Asciicast;
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"{id:D}.cast\"";
        }
        else
        {
            context.Response.ContentType = RecordingForm.Lines;
        }

        await playback.RunAsync(context, new(row, stored.Reader, Live: null, form, sight => sight.MayPlay(row)));
        return TypedResults.Empty;
    }
}

/// <summary>A session that runs, from its beginning into live. The technician is told who watches.</summary>
internal static class WatchSession
{
    public static async Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        Guid id, Playback playback, HttpContext context, LiveSessions live, TimeProvider time, CancellationToken cancellation)
    {
        var (caller, now) = (playback.Caller, time.GetUtcNow());
        var row = await playback.FindAsync(id, cancellation);
        if (row is null || !playback.Sight.MayWatch(row)) return Problems.NotFound();
        if (row.Ended is not null || live.Find(caller.Organization, new(id)) is not { } session) return Problems.Conflict("The session has ended.");
        if (session.Recording is not { } recording) return Problems.Conflict("The session is not recorded: there is nothing to read along with.");
        using var seat = playback.TakeSeat();
        if (seat is null) return Playback.NoSeat();
        using var stored = playback.Store.Open(caller.Organization, new(id));
        if (stored is null) return Problems.Conflict("The recording's file is missing.");
        var details = new System.Text.Json.Nodes.JsonObject { ["technician"] = row.Login };
        await playback.WriteDownAsync(row, "session.watched", details, cancellation);
        context.Response.ContentType = RecordingForm.Lines;
        var person = playback.Policy.Snapshot.Person(caller.Person)!;
        Closing? closing;
        using (session.Watchers.Join(new(caller.Person, caller.Login, person.Name, now)))
        {
            // What is typed is never part of watching.
            closing = await playback.RunAsync(context, new(row, stored.Reader, recording, new EventLines(new(id), input: false), sight => sight.MayWatch(row)));
        }

        details = new() { ["technician"] = row.Login, ["why"] = closing is { } why ? why.ToString() : "Left", ["seconds"] = (long)(time.GetUtcNow() - now).TotalSeconds };
        await playback.WriteDownAsync(row, "session.unwatched", details, CancellationToken.None);
        return TypedResults.Empty;
    }
}
