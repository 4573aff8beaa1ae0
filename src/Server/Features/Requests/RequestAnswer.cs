using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Requests;

internal sealed record RequestPerson(Guid Id, string Name);

/// <param name="Channel">Through what: <c>api</c>, <c>cli</c> (as the client calls itself) or <c>automatic</c>.</param>
internal sealed record GivenApproval(RequestPerson By, DateTimeOffset At, string Channel, string Comment);

/// <param name="Rule">One sentence that names the rule.</param>
/// <param name="Approvers">Who can take the step now.</param>
/// <param name="Blocked">Too few can: a master administrator has to appoint somebody.</param>
/// <param name="Open">It can be taken now; a workflow's step opens when those before are taken.</param>
/// <param name="Needed">How many have to approve, each of them once.</param>
/// <param name="Given">How many have.</param>
internal sealed record RequestStep(string Rule, IReadOnlyList<RequestPerson> Approvers, bool Blocked, bool Open, int Needed, int Given);

/// <param name="Permissions">What the approval covers.</param>
/// <param name="Expires">Waiting: when it expires by itself; null: never.</param>
/// <param name="OpenUntil">Approved: until when a connection may begin.</param>
/// <param name="Once">Approved: whether it is good for one connection and those that join it.</param>
/// <param name="Blocked">Waiting: since when nobody can take one of its steps.</param>
/// <param name="ChangedBy">Who brought it to its state; null: the clock, or the system.</param>
/// <param name="ChangedThrough">Through what: <c>api</c>, <c>cli</c> (as the client calls itself), <c>ssh</c>, <c>automatic</c> or <c>system</c>.</param>
/// <param name="Steps">What the rules of now ask for.</param>
/// <param name="Approvals">What was given, whoever has left since.</param>
/// <param name="MayMend">Nobody can take a step of it, and the caller can appoint somebody.</param>
internal sealed record RequestAnswer(
    long Number,
    RequestState State,
    RequestPerson Person,
    string Login,
    Guid Device,
    string DeviceName,
    string Account,
    IReadOnlyList<Permission> Permissions,
    string? Source,
    string Reason,
    DateTimeOffset Created,
    DateTimeOffset? Expires,
    DateTimeOffset? OpenUntil,
    bool Once,
    DateTimeOffset? Blocked,
    DateTimeOffset Changed,
    RequestPerson? ChangedBy,
    string? ChangedThrough,
    string Comment,
    IReadOnlyList<RequestStep> Steps,
    IReadOnlyList<GivenApproval> Approvals,
    bool MayApprove,
    bool MayReject,
    bool MayCancel,
    bool MayRevoke,
    bool MayMend)
{
    public static RequestAnswer Of(RequestSight sight, PolicySnapshot policy)
    {
        var request = sight.Request;
        RequestPerson Named(PersonId id, string otherwise) => new(id.Value, policy.Person(id)?.Name ?? otherwise);
        return new(
            request.Number, request.State, Named(request.Person, request.Login), request.Login, request.Device.Value, request.DeviceName, request.Account,
            [.. request.Permissions], request.Source?.ToString(), request.Reason, request.Created,
            request.State == RequestState.Waiting ? request.Due : null,
            request.State == RequestState.Approved ? request.Due : null,
            request.Once, request.Blocked, request.Changed,
            request.ChangedBy is { } by ? new(by.Value, request.ChangedByName) : null,
            request.ChangedThrough,
            request.Comment,
            [.. sight.Steps.Select(step => new RequestStep(step.Rule, [.. step.Approvers.Select(id => Named(id, ""))], sight.IsBlocked(step), sight.IsOpen(step), step.Needed, sight.Filled(step)))],
            [.. sight.Approvals.Select(given => new GivenApproval(new(given.Person.Value, given.Name), given.At, given.Channel, given.Comment))],
            sight.MayApprove, sight.MayReject, sight.MayCancel, sight.MayRevoke, sight.MayMend);
    }
}

/// <param name="Comment">Shown to the requester, at most 400 characters.</param>
internal sealed record ApproveRequest(string? Comment = null);

/// <param name="Reason">Shown to the requester, at most 400 characters.</param>
internal sealed record RefuseRequest(string? Reason = null);

[JsonSerializable(typeof(RequestAnswer))]
[JsonSerializable(typeof(Page<RequestAnswer>))]
[JsonSerializable(typeof(ApproveRequest))]
[JsonSerializable(typeof(RefuseRequest))]
internal sealed partial class RequestJson : JsonSerializerContext;
