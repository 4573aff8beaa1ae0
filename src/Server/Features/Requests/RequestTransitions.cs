using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Requests;

/// <summary>Who moves a request, and through what.</summary>
/// <param name="Person">Null: the clock, or the system itself.</param>
/// <param name="Channel"><c>api</c>, <c>ssh</c>, <c>automatic</c>, <c>system</c>.</param>
internal sealed record RequestActor(PersonId? Person, string Login, string Name, string Channel, IPAddress? Source = null, string Correlation = "")
{
    public static RequestActor Clock { get; } = new(null, "", "", "system");

    public static RequestActor Of(Caller caller, string name) => new(caller.Person, caller.Login, name, "api", caller.Source, caller.Correlation);
}

/// <summary>The state machine: each transition once, and together with its audit record in the transaction of the context.</summary>
internal sealed class RequestTransitions(AuditLog audit, TimeProvider time)
{
    public DateTimeOffset Now => time.GetUtcNow();

    /// <exception cref="InvalidOperationException">There is no such transition; callers ask before.</exception>
    public void Move(CountersignDb db, AccessRequest request, RequestState to, RequestActor actor, string comment = "")
    {
        if (!IsAllowed(request.State, to)) throw new InvalidOperationException($"A request that is {request.State} does not become {to}.");
        request.State = to;
        request.Due = null;
        request.Changed = Now;
        request.ChangedBy = actor.Person;
        request.ChangedByName = actor.Name;
        request.Comment = comment;
        request.Version++;
        Record(db, request, Verb(to), actor, comment);
    }

    /// <summary>All steps are taken: connections may begin.</summary>
    public void Approve(CountersignDb db, AccessRequest request, ApprovalSettings settings, RequestActor actor, string comment = "")
    {
        Move(db, request, RequestState.Approved, actor, comment);
        request.Approved = request.Changed;
        request.Due = request.Changed + settings.ValidFor;
        request.Once = settings.Once;
    }

    /// <summary>Writes down what happened to the request.</summary>
    public void Record(CountersignDb db, AccessRequest request, string verb, RequestActor actor, string comment = "") => audit.Add(db, new AuditEntry
    {
        Kind = $"request.{verb}",
        Actor = actor.Person,
        ActorLogin = actor.Login,
        Channel = actor.Channel,
        Source = actor.Source,
        Subject = string.Create(CultureInfo.InvariantCulture, $"#{request.Number} {request.Login} on {request.DeviceName}"),
        SubjectId = request.Device.Value,
        Correlation = actor.Correlation,
        Details = new JsonObject
        {
            ["number"] = request.Number,
            ["requester"] = request.Login,
            ["account"] = request.Account,
            ["permissions"] = request.Permissions.ToString(),
            ["reason"] = request.Reason,
            ["comment"] = comment,
        },
    });

    private static bool IsAllowed(RequestState from, RequestState to) => (from, to) switch
    {
        (RequestState.Waiting, RequestState.Approved or RequestState.Rejected or RequestState.Expired or RequestState.Cancelled) => true,
        (RequestState.Approved, RequestState.Used or RequestState.Ended or RequestState.Revoked) => true,
        (RequestState.Used, RequestState.Revoked) => true,
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
