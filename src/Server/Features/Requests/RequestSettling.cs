using Countersign.Access;

namespace Countersign.Server.Features.Requests;

/// <summary>
/// What becomes of a waiting request by itself, from policy and from what was given: places that the requester's own setting fills, an approval
/// whose last open step went with its rule, a step that nobody can take.
/// </summary>
internal sealed class RequestSettling(RequestTransitions transitions)
{
    /// <summary>Whether there is anything to do, without doing it.</summary>
    public static bool IsDue(RequestSight sight) =>
        sight.OpenForRequester.Any() || CompletesByItself(sight) || sight.HasBlockedStep != sight.Request.Blocked is not null;

    /// <summary>Only for a request that waits.</summary>
    public void Settle(RequestUnit unit, PolicySnapshot policy)
    {
        var (request, at) = (unit.Request, transitions.Now);
        var sight = unit.Sight(policy, request.Person, at);
        if (sight.OpenForRequester.Any())
        {
            // Of a workflow each opens the next.
            var actor = RequestActor.Automatic(request, policy);
            while (sight.OpenForRequester.ToList() is { Count: > 0 } automatic)
            {
                unit.Fill(automatic, actor, "", at);
                sight = unit.Sight(policy, request.Person, at);
            }

            if (CompletesByItself(sight)) transitions.Approve(unit, policy, actor);
            else transitions.Note(unit, "step-approved", actor);
        }
        else if (CompletesByItself(sight))
        {
            transitions.Approve(unit, policy, RequestActor.Clock);
        }

        if (request.State != RequestState.Waiting) return;
        if (unit.IsChanged) request.Due = sight.Due(policy.Approving.ExpireAfter);
        if (sight.HasBlockedStep == request.Blocked is not null) return;
        request.Blocked = request.Blocked is null ? at : null;
        unit.BlockChanged = true;
        transitions.Note(unit, request.Blocked is null ? "unblocked" : "blocked", RequestActor.Clock);
    }

    /// <summary>All that rules ask for now was given. Where they ask for nothing any more the connections go in without an approval.</summary>
    private static bool CompletesByItself(RequestSight sight) => sight is { Steps.Count: > 0, Approvals.Count: > 0, IsComplete: true };
}
