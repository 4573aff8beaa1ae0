using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Server.Platform.Events;
using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>Who hears of what became of a request, once it is durable.</summary>
internal sealed class RequestNews(WaitingConnections waiting, EventHub events)
{
    /// <summary>A request has come, or has changed, and that is durable. On the writer: return quickly.</summary>
    public event Action<AccessRequest>? Told;

    public void Tell(RequestUnit unit)
    {
        var request = unit.Request;
        if (Outcome(request) is { } outcome) waiting.Tell(request.OrganizationId, request.Number, outcome);
        else if (unit.BlockChanged) waiting.Note(request.OrganizationId, request.Number, $"request #{request.Number}: {Block(request)}");
        events.Publish(new RequestEvent(request, unit.Approvals, unit.Preapproved, unit.BlockChanged));
        Told?.Invoke(request);
    }

    /// <summary>What waiting connections are told; null: they go on waiting.</summary>
    private static ApprovalOutcome? Outcome(AccessRequest request) => request.State switch
    {
        RequestState.Approved when request.ChangedThrough == "automatic" => new(Approved: true, "approved automatically"),
        RequestState.Approved => new(Approved: true, With(request.ChangedByName.Length > 0 ? $"approved by {request.ChangedByName}" : "approved", request.Comment)),
        RequestState.Rejected => new(Approved: false, With($"rejected by {request.ChangedByName}", request.Comment)),
        RequestState.Expired => new(Approved: false, "expired: nobody approved it in time"),
        RequestState.Cancelled => new(Approved: false, $"cancelled by {request.ChangedByName}") { Cancelled = true },
        _ => null,
    };

    private static string Block(AccessRequest request) => request.Blocked is null
        ? "there is somebody again who can approve it"
        : "nobody can approve it now; the master administrators are told, and can appoint somebody";

    private static string With(string said, string comment) => comment.Length > 0 ? $"{said}: {comment}" : said;
}

/// <summary>A request has come, or has changed. Each reader is shown it as the request itself would be, if it concerns them at that moment.</summary>
/// <param name="request">As it was stored; nobody changes it any more.</param>
/// <param name="blockChanged">Then it concerns those who can mend it, blocked or not any more.</param>
internal sealed class RequestEvent(AccessRequest request, IReadOnlyList<RequestApproval> approvals, ImmutableArray<PreapprovedRequest> preapproved, bool blockChanged)
    : LiveEvent(request.OrganizationId, "request")
{
    public override byte[]? Show(EventReader reader)
    {
        var sight = new RequestSight(reader.Policy.Snapshot, request, approvals, preapproved, reader.Policy.Person, reader.Policy.At);
        return sight.Concerns || (blockChanged && reader.Policy.IsMasterAdministrator) ? reader.Json(RequestAnswer.Of(sight, reader.Policy.Snapshot)) : null;
    }
}
