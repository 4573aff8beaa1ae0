using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>What an approved request is still good for.</summary>
internal sealed class RequestClaims(RequestTransitions transitions, RequestClock clock)
{
    /// <summary>After the first claim of an approval that is good once, other connections join for so long, or while one of its sessions lives.</summary>
    public static readonly TimeSpan JoinFor = TimeSpan.FromSeconds(30);

    /// <summary>Claims or joins the requests that the opening names, in the transaction of the session's row. False: one is not to be had, and nothing was written.</summary>
    public async Task<bool> TakeAsync(WriteUnit unit, SessionOpening opening, CancellationToken cancellation)
    {
        var ahead = new List<(RequestUnit Request, PreapprovalClaim Claim)>();
        foreach (var claim in opening.Preapproved)
        {
            if (await RequestUnit.FindAsync(unit, opening.Organization, claim.Number, cancellation) is not { } found || !IsToBeHad(found.Request, claim, opening)) return false;
            ahead.Add((found, claim));
        }

        if (!await TakeApprovalAsync(unit, opening, cancellation)) return false;
        foreach (var (request, _) in ahead.Where(one => one.Claim.FirstUse == FirstUse.Begins))
        {
            transitions.Begin(request, Actor(opening), opening.At);
            unit.Committed += () => clock.Wake(request.Request.Due);
        }

        if (opening.Request is null && ahead.Count > 0) unit.Db.Add(new RequestSession { OrganizationId = opening.Organization, Session = opening.Id.Value, Number = ahead[0].Claim.Number });
        return true;
    }

    private bool IsToBeHad(AccessRequest request, PreapprovalClaim claim, SessionOpening opening) =>
        request is { IsAhead: true, State: RequestState.Approved }
        && request.Due > transitions.Now
        && request.Evidence.IsFor(opening.Person, opening.Device, opening.Account)
        && (claim.FirstUse == FirstUse.Begins) == (request.TimeKind == RequestTimeKind.FromFirstUse && request.FirstUsed is null);

    private static RequestActor Actor(SessionOpening opening) => new(opening.Person, opening.Login, "", "ssh", opening.Source, opening.Id.ToString());

    private async Task<bool> TakeApprovalAsync(WriteUnit unit, SessionOpening opening, CancellationToken cancellation)
    {
        if (opening.Request is not { } number) return true;
        if (await RequestUnit.FindAsync(unit, opening.Organization, number, cancellation) is not { } claimed) return false;
        var (db, request) = (claimed.Db, claimed.Request);
        if (request.IsAhead || request.Person != opening.Person || request.Device != opening.Device || request.Account != opening.Account || !Equals(request.Source, opening.Source)) return false;
        var until = await OpenUntilAsync(db, request, cancellation);
        if (until <= transitions.Now || request.State is not (RequestState.Approved or RequestState.Used)) return false;
        if (request is { State: RequestState.Approved, Once: true })
        {
            transitions.Move(claimed, RequestState.Used, Actor(opening));
            request.Claimed = request.Changed;
        }

        db.Add(new RequestSession { OrganizationId = opening.Organization, Session = opening.Id.Value, Number = number });
        return true;
    }

    /// <summary>Until when connections may begin on it; null: no end is known, as one of its sessions lives.</summary>
    public static async Task<DateTimeOffset?> OpenUntilAsync(CountersignDb db, AccessRequest request, CancellationToken cancellation)
    {
        if (request.State != RequestState.Used) return request.Due;
        var sessions = db.Set<RequestSession>().Where(row => row.Number == request.Number).Select(row => row.Session);
        return await SessionLedger.IsAnyLiveAsync(db, sessions, cancellation) ? null : request.Claimed + JoinFor;
    }
}
