using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>What came of deciding.</summary>
internal abstract record RequestOutcome
{
    private RequestOutcome()
    {
    }

    public sealed record Done(RequestSight Sight) : RequestOutcome;

    /// <summary>Not there, or not the caller's to know of.</summary>
    public sealed record NotFound : RequestOutcome;

    public sealed record Forbidden(string Reason) : RequestOutcome;

    public sealed record Conflict(string Reason) : RequestOutcome;

    public sealed record Invalid(string Field, string Message) : RequestOutcome;
}

/// <summary>
/// The approvers' side. Decisions run one after the other on the writer and read the request as it is then: of two at the same moment one decides,
/// and the other is told by whom.
/// </summary>
internal sealed class RequestDecisions(
    WriteQueue queue, PolicyWriter policy, RequestTransitions transitions, RequestSettling settling, RequestClock clock, LiveSessions sessions)
{
    /// <summary>Counts for every open step that the caller can take.</summary>
    /// <param name="less">What is left of access that is asked for ahead; null: all of it.</param>
    public Task<RequestOutcome> ApproveAsync(Caller caller, long number, string comment, CancellationToken cancellation, RequestLess? less = null) => DecideAsync(
        "approve",
        caller,
        number,
        (unit, sight, by) =>
        {
            if (NotWaiting(sight) is { } conflict) return conflict;
            if (!sight.FilledByViewer.Any()) return new RequestOutcome.Forbidden("None of its open steps is yours to take.");
            var (inForce, now) = (Policy(caller.Organization), transitions.Now);
            if (less is not null)
            {
                if (RequestEdits.Apply(unit.Request, less, inForce, by, now) is var (field, message)) return new RequestOutcome.Invalid(field, message);
                transitions.Note(unit, "edited", by, comment);
            }

            // With fewer devices there may be fewer steps.
            unit.Fill(unit.Sight(inForce, caller.Person, now).FilledByViewer.ToList(), by, comment, now);
            if (unit.Sight(inForce, caller.Person, now).IsComplete) transitions.Approve(unit, inForce, by, comment);
            else transitions.Note(unit, "step-approved", by, comment);
            if (unit.Request.State == RequestState.Waiting) settling.Settle(unit, inForce);
            unit.Unit.Committed += () => clock.Wake(unit.Request.Due);
            return new RequestOutcome.Done(unit.Sight(inForce, caller.Person, now));
        },
        cancellation);

    public Task<RequestOutcome> RejectAsync(Caller caller, long number, string reason, CancellationToken cancellation) => DecideAsync(
        "reject",
        caller,
        number,
        (unit, sight, by) =>
        {
            if (NotWaiting(sight) is { } conflict) return conflict;
            if (!sight.MayReject) return new RequestOutcome.Forbidden("None of its steps is yours to take.");
            transitions.Move(unit, RequestState.Rejected, by, reason);
            return new RequestOutcome.Done(sight);
        },
        cancellation);

    public Task<RequestOutcome> CancelAsync(Caller caller, long number, CancellationToken cancellation) => DecideAsync(
        "cancel",
        caller,
        number,
        (unit, sight, by) =>
        {
            if (sight.Request.Person != caller.Person) return new RequestOutcome.Forbidden("Only who has asked may cancel it.");
            if (NotWaiting(sight) is { } conflict) return conflict;
            transitions.Move(unit, RequestState.Cancelled, by);
            return new RequestOutcome.Done(sight);
        },
        cancellation);

    /// <summary>Takes an approval back with all the time that it was extended by, and ends the sessions that live on it.</summary>
    public Task<RequestOutcome> RevokeAsync(Caller caller, long number, string reason, CancellationToken cancellation) => DecideAsync(
        "revoke",
        caller,
        number,
        async (unit, sight, by, stop) =>
        {
            if (!Holds(sight.Request)) return new RequestOutcome.Conflict(Told(sight));
            if (!sight.MayRevoke) return new RequestOutcome.Forbidden("Revoking it needs one of its approvers or a master administrator.");
            Revoke(unit, by, reason);
            if (sight.Request.IsAhead) await RevokeExtensionsAsync(unit, number, by, reason, stop);
            return new RequestOutcome.Done(sight);
        },
        cancellation);

    private void Revoke(RequestUnit unit, RequestActor by, string reason)
    {
        var request = unit.Request;
        transitions.Move(unit, RequestState.Revoked, by, reason);
        var told = reason.Length > 0 ? $"the approval was revoked by {by.Name}: {reason}" : $"the approval was revoked by {by.Name}";
        unit.Unit.Committed += () =>
        {
            if (request.IsAhead) sessions.Withdraw(request.OrganizationId, request.Number, told);
            else foreach (var session in Living(request)) session.Finish(EndReason.PermissionRevoked, told);
        };
    }

    /// <summary>More time is more of the same: with what it extends it goes, and the more that was asked for beyond it.</summary>
    private async Task RevokeExtensionsAsync(RequestUnit unit, long number, RequestActor by, string reason, CancellationToken cancellation)
    {
        var found = await unit.Db.Set<AccessRequest>().Where(row => row.Extends == number).Select(row => row.Number).ToListAsync(cancellation);
        foreach (var one in found)
        {
            var extension = (await RequestUnit.FindAsync(unit.Unit, unit.Request.OrganizationId, one, cancellation))!;
            if (extension.Request.State == RequestState.Waiting) transitions.Move(extension, RequestState.Rejected, by, $"#{number} was revoked");
            else if (Holds(extension.Request)) Revoke(extension, by, reason);
            await RevokeExtensionsAsync(extension, one, by, reason, cancellation);
        }
    }

    private bool Holds(AccessRequest request) =>
        request.State is RequestState.Approved or RequestState.Used || (request.State == RequestState.Ended && Living(request).Any());

    private IEnumerable<LiveSession> Living(AccessRequest request) => sessions.Of(request.OrganizationId)
        .Where(session => session.Opening.Request == request.Number || session.Question.Preapprovals.Any(one => one.Number == request.Number));

    private Task<RequestOutcome> DecideAsync(
        string verb, Caller caller, long number, Func<RequestUnit, RequestSight, RequestActor, RequestOutcome> decide, CancellationToken cancellation) =>
        DecideAsync(verb, caller, number, (unit, sight, by, _) => Task.FromResult(decide(unit, sight, by)), cancellation);

    private Task<RequestOutcome> DecideAsync(
        string verb,
        Caller caller,
        long number,
        Func<RequestUnit, RequestSight, RequestActor, CancellationToken, Task<RequestOutcome>> decide,
        CancellationToken cancellation) => queue.WriteAsync(
        async (unit, stop) =>
        {
            var inForce = Policy(caller.Organization);
            var found = await RequestUnit.FindAsync(unit, caller.Organization, number, stop);
            if (found is null) return new RequestOutcome.NotFound();
            var sight = found.Sight(inForce, caller.Person, transitions.Now);
            if (!sight.MaySee || inForce.Person(caller.Person) is not { TakesPart: true } person) return new RequestOutcome.NotFound();

            // The clock may not have come round yet: what is due has happened.
            if (found.Request.Due <= transitions.Now) transitions.Move(found, RequestClock.Next(found.Request.State), RequestActor.Clock);
            var by = RequestActor.Of(caller, person.Name);
            var outcome = await decide(found, sight, by, stop);
            if (outcome is RequestOutcome.Forbidden(var why)) transitions.Refuse(found, verb, by, why);
            return outcome;
        },
        cancellation);

    private static RequestOutcome.Conflict? NotWaiting(RequestSight sight) => sight.Request.State == RequestState.Waiting ? null : new(Told(sight));

    /// <summary>Who was first, for those who come after.</summary>
    private static string Told(RequestSight sight)
    {
        var request = sight.Request;
        var state = request.State.ToString().ToLowerInvariant();

        // A client that waited goes in at once: whoever is late may find it used, and is told who approved.
        var approvers = string.Join(", ", sight.Approvals.Select(approval => approval.Name).Where(name => name.Length > 0).Distinct());
        if (request.State is RequestState.Used or RequestState.Ended && approvers.Length > 0) return $"It is {state} already, approved by {approvers}.";
        return request.ChangedByName.Length > 0 ? $"It is {state} already, by {request.ChangedByName}." : $"It is {state} already.";
    }

    private PolicySnapshot Policy(OrganizationId organization) =>
        policy.ForWriter(organization) ?? throw new InvalidOperationException($"Organization {organization} has no policy.");
}
