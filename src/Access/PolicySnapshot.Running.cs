namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// Whether a session that was allowed may go on: as <see cref="Decide"/>, but for what binds only the next connection. An approval rule or
    /// a consent setting that is new ends nothing that runs.
    /// </summary>
    public AccessDecision DecideRunning(in AccessQuestion question)
    {
        // Both are answered only where everything before them is in order, so that what is wanted is still held.
        var decision = Decide(question);
        return decision.Reason is DenialReason.ApprovalNeeded or DenialReason.ConsentImpossible
            ? decision with { Kind = DecisionKind.Allowed, Reason = DenialReason.None, Permissions = question.Wanted }
            : decision;
    }
}
