using System.Globalization;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>Requests as the API shows and decides them.</summary>
internal static class RequestEndpoints
{
    private const int LongestComment = 400;

    /// <summary>Rows read at once.</summary>
    private const int Batch = 200;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/requests").WithTags("Requests");
        group.MapGet("", ListAsync).Requires(TokenScopes.RequestsRead).WithSummary("One's own requests, newest first; with for=me those that wait for the caller's approval, or for the caller to appoint somebody").ForContactsToo();
        group.MapGet("/{number:long}", FindAsync).Requires(TokenScopes.RequestsRead).WithSummary("One request, with its steps and who can take them").ForContactsToo();
        AheadEndpoints.Map(group);
        group.MapPost("/{number:long}/approve", ApproveAsync).Requires(TokenScopes.Requests).WithSummary("Takes every open step that the caller can take; of access asked for ahead perhaps only a part");
        group.MapPost("/{number:long}/reject", RejectAsync).Requires(TokenScopes.Requests).WithSummary("Rejects the request");
        group.MapPost("/{number:long}/cancel", CancelAsync).Requires(TokenScopes.Requests).WithSummary("Takes one's own request back").ForContactsToo();
        group.MapPost("/{number:long}/revoke", RevokeAsync).Requires(TokenScopes.Requests).WithSummary("Takes an approval back and ends the sessions that live on it");
    }

    private static async Task<Results<Ok<Page<RequestAnswer>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation, string? @for = null)
    {
        if (@for is not (null or "me")) return Problems.Invalid("for", "It is me, or left out.");
        if (!page.TryRead(out var limit, out var cursor, out var problem)) return problem!;
        var before = long.MaxValue;
        if (cursor is not null && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            return Problems.Invalid("cursor", "It is not a cursor of this list.");

        await using var db = database.Read(caller.Organization);
        var query = db.Set<AccessRequest>().AsNoTracking();
        query = @for is null ? query.Where(row => row.Person == caller.Person) : query.Where(row => row.State == RequestState.Waiting);

        // A page is full, or it is the last. Those that wait are few: each person has at most RequestDesk.MostWaiting.
        var items = new List<RequestAnswer>();
        for (var last = 0L; ; before = last)
        {
            var rows = await query.Where(row => row.Number < before).OrderByDescending(row => row.Number).Take(Batch).ToListAsync(cancellation);
            var approvals = await RequestUnit.ApprovalsAsync(db, rows, cancellation);
            var preapproved = await RequestUnit.PreapprovedAsync(db, rows, cancellation);
            foreach (var row in rows)
            {
                var sight = new RequestSight(policy.Snapshot, row, [.. approvals[row.Number]], [.. preapproved[row.Person]], caller.Person, policy.At);
                if (@for is not null && !sight.MayApprove && !sight.MayMend) continue;
                if (items.Count == limit) return TypedResults.Ok(new Page<RequestAnswer>(items, PageQuery.Write(last.ToString(CultureInfo.InvariantCulture))));
                items.Add(RequestAnswer.Of(sight, policy.Snapshot));
                last = row.Number;
            }

            if (rows.Count < Batch) return TypedResults.Ok(new Page<RequestAnswer>(items, null));
            last = rows[^1].Number;
        }
    }

    private static async Task<Results<Ok<RequestAnswer>, ProblemHttpResult>> FindAsync(
        long number, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        var row = await db.Set<AccessRequest>().AsNoTracking().SingleOrDefaultAsync(request => request.Number == number, cancellation);
        if (row is null) return Problems.NotFound();
        var preapproved = await RequestUnit.PreapprovedAsync(db, [row], cancellation);
        var sight = new RequestSight(policy.Snapshot, row, await RequestUnit.ApprovalsAsync(db, number, cancellation), [.. preapproved[row.Person]], caller.Person, policy.At);
        return sight.MaySee ? TypedResults.Ok(RequestAnswer.Of(sight, policy.Snapshot)) : Problems.NotFound();
    }

    private static async Task<Results<Ok<RequestAnswer>, ProblemHttpResult>> ApproveAsync(
        long number, ApproveRequest? body, Caller caller, CallersPolicy policy, RequestDecisions decisions, CancellationToken cancellation) =>
        Refusal("comment", body?.Comment) is { } refusal ? refusal : Answer(await decisions.ApproveAsync(caller, number, body?.Comment ?? "", cancellation, body?.Only), policy);

    private static async Task<Results<Ok<RequestAnswer>, ProblemHttpResult>> RejectAsync(
        long number, RefuseRequest? body, Caller caller, CallersPolicy policy, RequestDecisions decisions, CancellationToken cancellation) =>
        Refusal("reason", body?.Reason) is { } refusal ? refusal : Answer(await decisions.RejectAsync(caller, number, body?.Reason ?? "", cancellation), policy);

    private static async Task<Results<Ok<RequestAnswer>, ProblemHttpResult>> CancelAsync(
        long number, Caller caller, CallersPolicy policy, RequestDecisions decisions, CancellationToken cancellation) =>
        Answer(await decisions.CancelAsync(caller, number, cancellation), policy);

    private static async Task<Results<Ok<RequestAnswer>, ProblemHttpResult>> RevokeAsync(
        long number, RefuseRequest? body, Caller caller, CallersPolicy policy, RequestDecisions decisions, CancellationToken cancellation) =>
        Refusal("reason", body?.Reason) is { } refusal ? refusal : Answer(await decisions.RevokeAsync(caller, number, body?.Reason ?? "", cancellation), policy);

    public static ProblemHttpResult? Refusal(string field, string? text)
    {
        if (text is null) return null;
        if (text.Length > LongestComment) return Problems.Invalid(field, $"It has at most {LongestComment} characters.");
        return PlainLine.IsPlain(text) ? null : Problems.Invalid(field, "It has no control characters, nor marks that turn the direction of writing.");
    }

    private static Results<Ok<RequestAnswer>, ProblemHttpResult> Answer(RequestOutcome outcome, CallersPolicy policy) => outcome switch
    {
        RequestOutcome.Done(var sight) => TypedResults.Ok(RequestAnswer.Of(sight, policy.Snapshot)),
        RequestOutcome.NotFound => Problems.NotFound(),
        RequestOutcome.Forbidden(var reason) => Problems.Forbidden(reason),
        RequestOutcome.Conflict(var reason) => Problems.Conflict(reason),
        RequestOutcome.Invalid(var field, var message) => Problems.Invalid(field, message),
        _ => throw new ArgumentException("There is no other outcome.", nameof(outcome)),
    };
}
