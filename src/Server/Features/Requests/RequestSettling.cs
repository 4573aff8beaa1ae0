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
        sight.Steps.Any(step => step.Automatic && sight.IsOpen(step)) || CompletesByItself(sight) || sight.HasBlockedStep != sight.Request.Blocked is not null;

    /// <summary>Only for a request that waits.</summary>
    public void Settle(RequestUnit unit, PolicySnapshot policy)
    {
        var (request, at) = (unit.Request, transitions.Now);
        var sight = unit.Sight(policy, request.Person, at);
        var automatic = sight.Steps.Where(step => step.Automatic && sight.IsOpen(step)).ToList();
        if (automatic.Count > 0)
        {
            var actor = RequestActor.Automatic(request, policy);
            unit.Fill(automatic, actor, "", at);
            sight = unit.Sight(policy, request.Person, at);
            if (CompletesByItself(sight)) transitions.Approve(unit, policy.Approving, actor);
            else transitions.Note(unit, "step-approved", actor);
        }
        else if (CompletesByItself(sight))
        {
            transitions.Approve(unit, policy.Approving, RequestActor.Clock);
        }

        if (request.State != RequestState.Waiting || sight.HasBlockedStep == request.Blocked is not null) return;
        request.Blocked = request.Blocked is null ? at : null;
        unit.BlockChanged = true;
        transitions.Note(unit, request.Blocked is null ? "unblocked" : "blocked", RequestActor.Clock);
    }

    /// <summary>All that rules ask for now was given. Where they ask for nothing any more the connections go in without an approval.</summary>
    private static bool CompletesByItself(RequestSight sight) => sight is { Steps.Count: > 0, Approvals.Count: > 0, IsComplete: true };
}
