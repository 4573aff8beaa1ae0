using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>Who hears of a request's new state, once it is durable.</summary>
internal sealed class RequestNews(WaitingConnections waiting)
{
    public void Tell(AccessRequest request)
    {
        if (Outcome(request) is { } outcome) waiting.Tell(request.OrganizationId, request.Number, outcome);
    }

    /// <summary>What waiting connections are told; null: they go on waiting.</summary>
    private static ApprovalOutcome? Outcome(AccessRequest request) => request.State switch
    {
        RequestState.Approved => new(Approved: true, With(request.ChangedByName.Length > 0 ? $"approved by {request.ChangedByName}" : "approved", request.Comment)),
        RequestState.Rejected => new(Approved: false, With($"rejected by {request.ChangedByName}", request.Comment)),
        RequestState.Expired => new(Approved: false, "expired: nobody approved it in time"),
        RequestState.Cancelled => new(Approved: false, $"cancelled by {request.ChangedByName}"),
        _ => null,
    };

    private static string With(string said, string comment) => comment.Length > 0 ? $"{said}: {comment}" : said;
}
