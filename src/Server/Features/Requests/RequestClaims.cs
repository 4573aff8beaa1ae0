using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>What an approved request is still good for.</summary>
internal sealed class RequestClaims(RequestTransitions transitions)
{
    /// <summary>After the first claim of an approval that is good once, other connections join for so long, or while one of its sessions lives.</summary>
    public static readonly TimeSpan JoinFor = TimeSpan.FromSeconds(30);

    /// <summary>Claims or joins the request that the opening names, in the transaction of the session's row. False: it is not to be had.</summary>
    public async Task<bool> TakeAsync(WriteUnit unit, SessionOpening opening, CancellationToken cancellation)
    {
        if (opening.Request is not { } number) return true;
        if (await RequestUnit.FindAsync(unit, opening.Organization, number, cancellation) is not { } claimed) return false;
        var (db, request) = (claimed.Db, claimed.Request);
        if (request.Person != opening.Person || request.Device != opening.Device || request.Account != opening.Account || !Equals(request.Source, opening.Source)) return false;
        var until = await OpenUntilAsync(db, request, cancellation);
        if (until <= transitions.Now || request.State is not (RequestState.Approved or RequestState.Used)) return false;
        if (request is { State: RequestState.Approved, Once: true })
        {
            transitions.Move(claimed, RequestState.Used, new(opening.Person, opening.Login, "", "ssh", opening.Source, opening.Id.ToString()));
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
