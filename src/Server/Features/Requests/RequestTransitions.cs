using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Requests;

/// <summary>Who moves a request, and through what.</summary>
/// <param name="Person">Null: the clock, or the system itself.</param>
/// <param name="Channel"><c>api</c>, <c>cli</c>, <c>ssh</c>, <c>automatic</c>, <c>system</c>.</param>
internal sealed record RequestActor(PersonId? Person, string Login, string Name, string Channel, IPAddress? Source = null, string Correlation = "")
{
    public static RequestActor Clock { get; } = new(null, "", "", "system");

    public static RequestActor Of(Caller caller, string name) => new(caller.Person, caller.Login, name, caller.Channel, caller.Source, caller.Correlation);

    /// <summary>The requester, whose own place the organization's setting fills.</summary>
    public static RequestActor Automatic(AccessRequest request, PolicySnapshot policy) =>
        new(request.Person, request.Login, policy.Person(request.Person)?.Name ?? request.Login, "automatic", request.Source);
}

/// <summary>The state machine: each transition once, and together with its audit record in the transaction of the unit.</summary>
internal sealed class RequestTransitions(AuditLog audit, RequestNews news, TimeProvider time)
{
    public DateTimeOffset Now => time.GetUtcNow();

    /// <exception cref="InvalidOperationException">There is no such transition; callers ask before.</exception>
    public void Move(RequestUnit unit, RequestState to, RequestActor actor, string comment = "")
    {
        var request = unit.Request;
        if (!IsAllowed(request.State, to)) throw new InvalidOperationException($"A request that is {request.State} does not become {to}.");
        request.State = to;
        request.Due = null;
        request.Blocked = null;
        request.Changed = Now;
        request.ChangedBy = actor.Person;
        request.ChangedByName = actor.Name;
        request.ChangedThrough = actor.Channel;
        request.Comment = comment;
        Note(unit, Verb(to), actor, comment);
    }

    /// <summary>All steps are taken: connections may begin.</summary>
    public void Approve(RequestUnit unit, PolicySnapshot policy, RequestActor actor, string comment = "")
    {
        var request = unit.Request;
        if (request.IsAhead) request.Devices = AheadDevices.Frozen(policy, request, unit.Approvals, Now);
        Move(unit, RequestState.Approved, actor, comment);
        request.Approved = request.Changed;
        request.Due = request.IsAhead ? request.Time.Closes(request.Changed) : request.Changed + policy.Approving.ValidFor;
        request.Once = !request.IsAhead && policy.Approving.Once;
    }

    /// <summary>The first connection begins: its time counts from here.</summary>
    public void Begin(RequestUnit unit, RequestActor actor, DateTimeOffset at)
    {
        unit.Request.FirstUsed = at;
        unit.Request.Due = unit.Request.Time.Closes(unit.Request.Approved!.Value);
        Note(unit, "first-used", actor);
    }

    /// <summary>Writes down what happened to the request.</summary>
    public void Note(RequestUnit unit, string verb, RequestActor actor, string comment = "")
    {
        unit.Request.Version++;
        unit.Changed(news.Tell);
        audit.Add(unit.Db, Entry(unit.Request, verb, actor, comment));
    }

    /// <summary>Somebody tried what is not theirs to do. The request is as it was.</summary>
    public void Refuse(RequestUnit unit, string verb, RequestActor actor, string why) =>
        audit.Add(unit.Db, Entry(unit.Request, $"{verb}-refused", actor, why) with { Outcome = AuditOutcome.Refused });

    private static AuditEntry Entry(AccessRequest request, string verb, RequestActor actor, string comment) => new()
    {
        Kind = $"request.{verb}",
        Actor = actor.Person,
        ActorLogin = actor.Login,
        Concerned = request.Person,
        Channel = actor.Channel,
        Source = actor.Source,
        Subject = string.Create(CultureInfo.InvariantCulture, $"#{request.Number} {request.Login} on {request.DeviceName}"),
        SubjectId = request.Device.Value,
        Correlation = actor.Correlation,
        Details = Details(request, comment),
    };

    private static JsonObject Details(AccessRequest request, string comment)
    {
        var details = new JsonObject
        {
            ["number"] = request.Number,
            ["requester"] = request.Login,
            ["account"] = request.Account,
            ["permissions"] = request.Permissions.ToString(),
            ["reason"] = request.Reason,
            ["comment"] = comment,
        };
        if (!request.IsAhead) return details;
        details["role"] = request.RoleName;
        details["devices"] = request.DeviceList;
        details["deviceGroup"] = request.DeviceGroup?.ToString();
        details["time"] = request.TimeKind.ToString();
        details["from"] = Instant(request.WindowFrom);
        details["to"] = Instant(request.WindowTo);
        details["duration"] = request.Duration;
        details["latestStart"] = Instant(request.LatestStart);
        details["firstUsed"] = Instant(request.FirstUsed);
        details["extends"] = request.Extends;
        details["edits"] = string.IsNullOrEmpty(request.Edits) ? null : JsonNode.Parse(request.Edits);
        return details;
    }

    private static string? Instant(DateTimeOffset? at) => at?.ToString("O", CultureInfo.InvariantCulture);

    private static bool IsAllowed(RequestState from, RequestState to) => (from, to) switch
    {
        (RequestState.Waiting, RequestState.Approved or RequestState.Rejected or RequestState.Expired or RequestState.Cancelled) => true,
        (RequestState.Approved, RequestState.Used or RequestState.Ended or RequestState.Revoked) => true,
        (RequestState.Used or RequestState.Ended, RequestState.Revoked) => true,
        _ => false,
    };

    private static string Verb(RequestState state) => state switch
    {
        RequestState.Approved => "approved",
        RequestState.Rejected => "rejected",
        RequestState.Expired => "expired",
        RequestState.Cancelled => "cancelled",
        RequestState.Used => "used",
        RequestState.Ended => "ended",
        RequestState.Revoked => "revoked",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "nothing leads there"),
    };
}
