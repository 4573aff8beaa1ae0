using Countersign.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>The version of policy that a change led to.</summary>
internal sealed record PolicyVersion(long Version);

/// <summary>What a handler answers with when a command was applied or refused.</summary>
internal static class PolicyAnswers
{
    public static Results<Ok<PolicyVersion>, ProblemHttpResult> Answer(this PolicyOutcome outcome) =>
        outcome.Answer(snapshot => new PolicyVersion(snapshot.Version));

    /// <param name="show">Gets the snapshot right after the change, whatever came since.</param>
    public static Results<Ok<T>, ProblemHttpResult> Answer<T>(this PolicyOutcome outcome, Func<PolicySnapshot, T> show) => outcome switch
    {
        PolicyOutcome.Applied applied => TypedResults.Ok(show(applied.Snapshot)),
        _ => outcome.Refusal(),
    };

    public static Results<Created<T>, ProblemHttpResult> AnswerCreated<T>(this PolicyOutcome outcome, string location, Func<PolicySnapshot, T> show) => outcome switch
    {
        PolicyOutcome.Applied applied => TypedResults.Created(location, show(applied.Snapshot)),
        _ => outcome.Refusal(),
    };

    /// <param name="outcome">Not applied.</param>
    public static ProblemHttpResult Refusal(this PolicyOutcome outcome) => outcome switch
    {
        PolicyOutcome.Refused refused => Problems.Of(refused.Reason),
        PolicyOutcome.Stale stale => Problems.Stale(stale),
        PolicyOutcome.SignInEnded => Problems.Unauthorized(),
        _ => throw new ArgumentException("It is no refusal.", nameof(outcome)),
    };
}
