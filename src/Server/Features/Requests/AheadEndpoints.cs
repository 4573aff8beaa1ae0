using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Requests;

/// <param name="To">Until when; or else:</param>
/// <param name="Duration">How much longer, such as <c>2h</c>.</param>
/// <param name="Reason">At most 400 characters.</param>
internal sealed record AskForMoreTime(DateTimeOffset? To = null, string? Duration = null, string Reason = "");

/// <param name="Items">One for each set of approvers: nobody could decide about all of it alone.</param>
internal sealed record RequestsAsked(IReadOnlyList<RequestAnswer> Items);

/// <summary>Asking for access ahead.</summary>
internal static class AheadEndpoints
{
    public static void Map(RouteGroupBuilder group)
    {
        group.MapPost("", AskAsync).Requires(TokenScopes.Requests).WithSummary("Asks for access ahead of time").ForContactsToo();
        group.MapPost("/{number:long}/extension", ExtendAsync).Requires(TokenScopes.Requests).WithSummary("Asks for more time for access that is approved: a linked request").ForContactsToo();
    }

    private static async Task<Results<Created<RequestsAsked>, ProblemHttpResult>> AskAsync(
        AskAhead body, Caller caller, CallersPolicy policy, RequestsAhead ahead, CancellationToken cancellation) =>
        RequestEndpoints.Refusal("reason", body.Reason) is { } refusal ? refusal : Answer(await ahead.AskAsync(caller, body, cancellation), policy);

    private static async Task<Results<Created<RequestsAsked>, ProblemHttpResult>> ExtendAsync(
        long number, AskForMoreTime body, Caller caller, CallersPolicy policy, RequestsAhead ahead, CancellationToken cancellation) =>
        RequestEndpoints.Refusal("reason", body.Reason) is { } refusal ? refusal : Answer(await ahead.ExtendAsync(caller, number, body, cancellation), policy);

    private static Results<Created<RequestsAsked>, ProblemHttpResult> Answer(AheadOutcome outcome, CallersPolicy policy) => outcome switch
    {
        AheadOutcome.Asked(var sights) => TypedResults.Created(
            $"/api/v1/requests/{sights[0].Request.Number}", new RequestsAsked([.. sights.Select(sight => RequestAnswer.Of(sight, policy.Snapshot))])),
        AheadOutcome.Invalid(var field, var message) => Problems.Invalid(field, message),
        AheadOutcome.NotFound => Problems.NotFound(),
        AheadOutcome.Forbidden(var reason) => Problems.Forbidden(reason),
        AheadOutcome.Conflict(var reason) => Problems.Conflict(reason),
        _ => throw new ArgumentException("There is no other outcome.", nameof(outcome)),
    };
}
