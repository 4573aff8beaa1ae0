using System.Collections.Immutable;
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

    /// <param name="preapproved">What the requester has in hand, approved ahead: for a connection within it only workflows that insist ask for approvals.</param>
    public RequestSight(
        PolicySnapshot policy,
        AccessRequest request,
        IReadOnlyList<RequestApproval> approvals,
        ImmutableArray<PreapprovedRequest> preapproved,
        PersonId viewer,
        DateTimeOffset at)
    {
        _policy = policy;
        _request = request;
        _approvals = approvals;
        _viewer = viewer;
        _at = at;
        Steps = request.IsAhead ? AheadDevices.Steps(policy, request, at, policy.VeilFor(viewer, at)) : StepsToConnect(preapproved);
    }

    public AccessRequest Request => _request;

    public IReadOnlyList<RequestApproval> Approvals => _approvals;

    /// <summary>In sentences for the viewer's eyes.</summary>
    public IReadOnlyList<ApprovalStep> Steps { get; }

    /// <summary>Of access ahead: those that it is about now.</summary>
    public IReadOnlyList<DeviceId> Devices => AheadDevices.Of(_policy, _request, _at);

    /// <summary>Every step is taken; those of a request whose rules are all gone are.</summary>
    public bool IsComplete => Steps.All(IsTaken);

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

    /// <summary>Ask for more time.</summary>
    public bool MayExtend => _request is { IsAhead: true, State: RequestState.Approved } && _request.Person == _viewer && _request.Due > _at;

    /// <summary>Also once its time to connect is over, as sessions may live on it still.</summary>
    public bool MayRevoke =>
        _request.State is RequestState.Approved or RequestState.Used or RequestState.Ended && (MayTakeAny || _policy.IsMasterAdministrator(_viewer, _at));

    /// <summary>The open steps of which the viewer can fill a place.</summary>
    public IEnumerable<ApprovalStep> OpenForViewer => Steps.Where(step => IsOpen(step) && Fillable(step));

    /// <summary>
    /// Those of which the viewer fills a place by approving now: the open ones, and where a workflow lets an approval count for later steps, its later ones, too.
    /// </summary>
    public IEnumerable<ApprovalStep> FilledByViewer
    {
        get
        {
            var open = OpenForViewer.ToList();
            return Steps.Where(step => open.Contains(step)
                || (!IsTaken(step) && Fillable(step) && open.Exists(now => now.CountsForLater && now.Workflow == step.Workflow && now.Number < step.Number)));
        }
    }

    /// <summary>The open steps of which the organization's setting fills one place with the requester.</summary>
    public IEnumerable<ApprovalStep> OpenForRequester => Steps.Where(step => step.Automatic && IsOpen(step) && !HasFilled(step, _request.Person));

    /// <summary>What the request is evidence for: steps of which all places are filled, as many as rules ask for now.</summary>
    public IEnumerable<ApprovalStepId> Taken => Steps.Where(IsTaken).Select(step => step.Id);

    private bool MayTakeAny => Steps.Any(step => step.Approvers.Contains(_viewer));

    /// <summary>Fewer can fill its places than have to.</summary>
    public bool IsBlocked(ApprovalStep step) => IsOpen(step) && Filled(step) + step.Approvers.Count(approver => !HasFilled(step, approver)) < step.Needed;

    /// <summary>Not taken, and the steps of its workflow that come before are.</summary>
    public bool IsOpen(ApprovalStep step) => !IsTaken(step) && Before(step).All(IsTaken);

    /// <summary>How many have filled a place: each of them once.</summary>
    public int Filled(ApprovalStep step) => _approvals.Where(approval => approval.Step == step.Id).Select(approval => approval.Person).Distinct().Count();

    /// <summary>
    /// When the first of its open steps expires, each counted from when it opened; or when an approval would be too late for the time asked for. Null: never.
    /// </summary>
    public DateTimeOffset? Due(TimeSpan? organizations) => Steps.Where(IsOpen)
        .Select(step => Opened(step) + (step.ExpireAfter ?? organizations))
        .Append(Steps.Any() ? null : _request.Created + organizations)
        .Append(_request.WindowTo)
        .Append(_request.LatestStart)
        .Min();

    private bool IsTaken(ApprovalStep step) => Filled(step) >= step.Needed;

    private bool Fillable(ApprovalStep step) => step.Approvers.Contains(_viewer) && !HasFilled(step, _viewer);

    private bool HasFilled(ApprovalStep step, PersonId person) => _approvals.Any(approval => approval.Step == step.Id && approval.Person == person);

    private IEnumerable<ApprovalStep> Before(ApprovalStep step) =>
        step.Workflow is { } workflow ? Steps.Where(other => other.Workflow == workflow && other.Number < step.Number) : [];

    private DateTimeOffset Opened(ApprovalStep step)
    {
        var before = Before(step).Select(other => other.Id).ToHashSet();
        return _approvals.Where(approval => before.Contains(approval.Step)).Select(approval => approval.At).Append(_request.Created).Max();
    }

    /// <summary>
    /// Where nothing insists there is nothing left to approve beside what was approved ahead, and a connection would not wait; one that does, since that came later,
    /// is let in by whoever could without it.
    /// </summary>
    private IReadOnlyList<ApprovalStep> StepsToConnect(ImmutableArray<PreapprovedRequest> preapproved)
    {
        var question = Question(_request, _at);
        if (preapproved.Length > 0 && _policy.ApprovalSteps(question with { Preapprovals = preapproved }, _viewer) is { Count: > 0 } insisting) return insisting;
        return _policy.ApprovalSteps(question, _viewer);
    }

    /// <summary>The question that was asked, put anew.</summary>
    public static AccessQuestion Question(AccessRequest request, DateTimeOffset at) => new(
        request.Person, request.Device, request.Account, request.Permissions, at, request.Source, SignInStrength.OneFactor, EndUserPresence.CannotBeAsked);
}
