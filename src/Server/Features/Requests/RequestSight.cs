using Countersign.Access;

namespace Countersign.Server.Features.Requests;

/// <summary>
/// A request as it stands under the policy of now: its steps, who can take them, and what one person may do with it. Approvers are worked out
/// when asked: who has left can't approve, who has joined can.
/// </summary>
internal sealed class RequestSight
{
    private readonly PolicySnapshot _policy;
    private readonly AccessRequest _request;
    private readonly IReadOnlyList<RequestApproval> _approvals;
    private readonly PersonId _viewer;
    private readonly DateTimeOffset _at;

    public RequestSight(PolicySnapshot policy, AccessRequest request, IReadOnlyList<RequestApproval> approvals, PersonId viewer, DateTimeOffset at)
    {
        _policy = policy;
        _request = request;
        _approvals = approvals;
        _viewer = viewer;
        _at = at;
        Steps = policy.ApprovalSteps(Question(request, at));
    }

    public AccessRequest Request => _request;

    public IReadOnlyList<RequestApproval> Approvals => _approvals;

    public IReadOnlyList<ApprovalStep> Steps { get; }

    /// <summary>Every step has one approval by a person of its own right; a request whose rules are all gone has.</summary>
    public bool IsComplete => Steps.All(step => !IsOpen(step));

    public bool MaySee => Concerns || _request.ChangedBy == _viewer || _policy.IsMasterAdministrator(_viewer, _at) || _policy.HoldsOverTeam(_viewer, Permission.AuditLog, _at);

    /// <summary>Whoever has asked, whoever decides or has, and whoever has to mend it.</summary>
    public bool Concerns => _request.Person == _viewer || MayTakeAny || _approvals.Any(approval => approval.Person == _viewer) || MayMend;

    /// <summary>Nobody can take it, and the viewer can appoint somebody.</summary>
    public bool MayMend => _request is { State: RequestState.Waiting, Blocked: not null } && _policy.IsMasterAdministrator(_viewer, _at);

    /// <summary>Nobody can take one of its open steps now.</summary>
    public bool HasBlockedStep => Steps.Any(IsBlocked);

    public bool MayApprove => _request.State == RequestState.Waiting && OpenForViewer.Any();

    public bool MayReject => _request.State == RequestState.Waiting && MayTakeAny;

    public bool MayCancel => _request.State == RequestState.Waiting && _request.Person == _viewer;

    /// <summary>Also once its time to connect is over, as sessions may live on it still.</summary>
    public bool MayRevoke =>
        _request.State is RequestState.Approved or RequestState.Used or RequestState.Ended && (MayTakeAny || _policy.IsMasterAdministrator(_viewer, _at));

    /// <summary>The steps that the viewer can take and that nobody has taken.</summary>
    public IEnumerable<ApprovalStep> OpenForViewer => Steps.Where(step => IsOpen(step) && step.Approvers.Contains(_viewer));

    private bool MayTakeAny => Steps.Any(step => step.Approvers.Contains(_viewer));

    public bool IsBlocked(ApprovalStep step) => IsOpen(step) && step.Approvers.Count == 0;

    public bool IsOpen(ApprovalStep step) => !_approvals.Any(approval => approval.Step == step.Id);

    /// <summary>The question that was asked, put anew.</summary>
    public static AccessQuestion Question(AccessRequest request, DateTimeOffset at) => new(
        request.Person, request.Device, request.Account, request.Permissions, at, request.Source, SignInStrength.OneFactor, EndUserPresence.CannotBeAsked);
}
