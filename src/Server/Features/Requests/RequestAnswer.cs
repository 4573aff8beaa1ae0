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

/// <param name="Name">Null: it is gone, or was renamed where the caller can't see it.</param>
internal sealed record RequestedDevice(Guid Id, string? Name);

/// <summary>What there is besides to a request for access ahead.</summary>
/// <param name="Devices">Those that it is about; once approved, for good.</param>
/// <param name="DeviceGroup">Asked for as a group: until it is approved its devices are those of now.</param>
/// <param name="FirstUsed">Of a time from the first use: when that was.</param>
/// <param name="Extends">The request for which it asks for more time.</param>
/// <param name="Edits">What approvers have made less of, before and after.</param>
/// <param name="MayExtend">The caller may ask for more time.</param>
internal sealed record RequestAhead(
    RequestRole Role,
    RequestTimeForm Time,
    IReadOnlyList<RequestedDevice> Devices,
    Guid? DeviceGroup,
    DateTimeOffset? FirstUsed,
    long? Extends,
    IReadOnlyList<RequestEdit> Edits,
    bool MayExtend)
{
    public static RequestAhead? Of(RequestSight sight, PolicySnapshot policy)
    {
        var request = sight.Request;
        if (!request.IsAhead) return null;
        var devices = sight.Devices;
        var extent = RequestExtent.Of(request, devices);
        return new(
            extent.Role, extent.Time, [.. devices.Select(device => new RequestedDevice(device.Value, policy.Device(device)?.Name))], request.DeviceGroup?.Value, request.FirstUsed,
            request.Extends, RequestEdits.Of(request), sight.MayExtend);
    }
}

/// <param name="DeviceName">Of access ahead for several: what they are called together.</param>
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
/// <param name="Ahead">Null: it is for an approval at connect time.</param>
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
    bool MayMend,
    RequestAhead? Ahead)
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
            sight.MayApprove, sight.MayReject, sight.MayCancel, sight.MayRevoke, sight.MayMend, RequestAhead.Of(sight, policy));
    }
}

/// <param name="Comment">Shown to the requester, at most 400 characters.</param>
/// <param name="Only">Of access asked for ahead: less than that, which is then approved.</param>
internal sealed record ApproveRequest(string? Comment = null, RequestLess? Only = null);

/// <param name="Reason">Shown to the requester, at most 400 characters.</param>
internal sealed record RefuseRequest(string? Reason = null);

[JsonSerializable(typeof(RequestAnswer))]
[JsonSerializable(typeof(Page<RequestAnswer>))]
[JsonSerializable(typeof(ApproveRequest))]
[JsonSerializable(typeof(AskAhead))]
[JsonSerializable(typeof(AskForMoreTime))]
[JsonSerializable(typeof(RequestsAsked))]
[JsonSerializable(typeof(RefuseRequest))]
internal sealed partial class RequestJson : JsonSerializerContext;
