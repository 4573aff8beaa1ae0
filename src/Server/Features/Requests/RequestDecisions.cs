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
}

/// <summary>
/// The approvers' side. Decisions run one after the other on the writer and read the request as it is then: of two at the same moment one decides,
/// and the other is told by whom.
/// </summary>
internal sealed class RequestDecisions(
    WriteQueue queue, PolicySource policy, RequestTransitions transitions, RequestNews news, RequestClock clock, LiveSessions sessions)
{
    /// <summary>Counts for every open step that the caller can take.</summary>
    public Task<RequestOutcome> ApproveAsync(Caller caller, long number, string comment, CancellationToken cancellation) => DecideAsync(
        caller,
        number,
        (unit, db, sight) =>
        {
            if (NotWaiting(sight) is { } conflict) return conflict;
            var (request, now, name) = (sight.Request, transitions.Now, Name(caller));
            var taken = sight.OpenForViewer.Select(step => new RequestApproval
            {
                OrganizationId = caller.Organization,
                Number = number,
                Kind = step.Id.Kind,
                Rule = step.Id.Rule,
                Through = step.Id.Through,
                Person = caller.Person,
                Name = name,
                At = now,
                Channel = "api",
                Comment = comment,
            }).ToList();
            if (taken.Count == 0) return new RequestOutcome.Forbidden("None of its open steps is yours to take.");
            db.AddRange(taken);
            var policyNow = Policy(caller.Organization);
            var after = new RequestSight(policyNow, request, [.. sight.Approvals, .. taken], caller.Person, now);
            if (after.IsComplete) transitions.Approve(db, request, policyNow.Approving, RequestActor.Of(caller, name), comment);
            else transitions.Record(db, request, "step-approved", RequestActor.Of(caller, name), comment);
            unit.Committed += () => clock.Wake(request.Due);
            return new RequestOutcome.Done(after);
        },
        cancellation);

    public Task<RequestOutcome> RejectAsync(Caller caller, long number, string reason, CancellationToken cancellation) => DecideAsync(
        caller,
        number,
        (_, db, sight) =>
        {
            if (NotWaiting(sight) is { } conflict) return conflict;
            if (!sight.MayReject) return new RequestOutcome.Forbidden("None of its steps is yours to take.");
            transitions.Move(db, sight.Request, RequestState.Rejected, RequestActor.Of(caller, Name(caller)), reason);
            return new RequestOutcome.Done(sight);
        },
        cancellation);

    public Task<RequestOutcome> CancelAsync(Caller caller, long number, CancellationToken cancellation) => DecideAsync(
        caller,
        number,
        (_, db, sight) =>
        {
            if (sight.Request.Person != caller.Person) return new RequestOutcome.Forbidden("Only who has asked may cancel it.");
            if (NotWaiting(sight) is { } conflict) return conflict;
            transitions.Move(db, sight.Request, RequestState.Cancelled, RequestActor.Of(caller, Name(caller)));
            return new RequestOutcome.Done(sight);
        },
        cancellation);

    /// <summary>Takes an approval back, and ends the sessions that live on it.</summary>
    public Task<RequestOutcome> RevokeAsync(Caller caller, long number, string reason, CancellationToken cancellation) => DecideAsync(
        caller,
        number,
        (unit, db, sight) =>
        {
            var request = sight.Request;
            if (request.State is not (RequestState.Approved or RequestState.Used)) return new RequestOutcome.Conflict(Told(request));
            if (!sight.MayRevoke) return new RequestOutcome.Forbidden("Revoking it needs one of its approvers or a master administrator.");
            var name = Name(caller);
            transitions.Move(db, request, RequestState.Revoked, RequestActor.Of(caller, name), reason);
            var told = reason.Length > 0 ? $"the approval was revoked by {name}: {reason}" : $"the approval was revoked by {name}";
            unit.Committed += () =>
            {
                foreach (var session in sessions.Of(caller.Organization).Where(session => session.Opening.Request == number))
                {
                    session.Finish(EndReason.PermissionRevoked, told);
                }
            };
            return new RequestOutcome.Done(sight);
        },
        cancellation);

    private Task<RequestOutcome> DecideAsync(
        Caller caller, long number, Func<WriteUnit, CountersignDb, RequestSight, RequestOutcome> decide, CancellationToken cancellation) => queue.WriteAsync(
        async (unit, stop) =>
        {
            var db = unit.Db.Of(caller.Organization);
            var request = await db.Set<AccessRequest>().SingleOrDefaultAsync(row => row.Number == number, stop);
            if (request is null) return new RequestOutcome.NotFound();
            var approvals = await RequestDesk.ApprovalsAsync(db, number, stop);
            var sight = new RequestSight(Policy(caller.Organization), request, approvals, caller.Person, transitions.Now);
            if (!sight.MaySee) return new RequestOutcome.NotFound();

            // The clock may not have come round yet: what is due has happened.
            if (request.Due <= transitions.Now) transitions.Move(db, request, RequestClock.Next(request.State), RequestActor.Clock);
            var outcome = decide(unit, db, sight);
            unit.Committed += () => news.Tell(request);
            return outcome;
        },
        cancellation);

    private static RequestOutcome.Conflict? NotWaiting(RequestSight sight) => sight.Request.State == RequestState.Waiting ? null : new(Told(sight.Request));

    /// <summary>Who was first, for those who come after.</summary>
    private static string Told(AccessRequest request)
    {
        var state = request.State.ToString().ToLowerInvariant();
        return request.ChangedByName.Length > 0 ? $"It is {state} already, by {request.ChangedByName}." : $"It is {state} already.";
    }

    private string Name(Caller caller) => Policy(caller.Organization).Person(caller.Person)!.Name;

    private PolicySnapshot Policy(OrganizationId organization) =>
        policy.Current(organization) ?? throw new InvalidOperationException($"Organization {organization} has no policy.");
}
