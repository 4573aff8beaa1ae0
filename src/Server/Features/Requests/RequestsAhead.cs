using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>What came of asking for access ahead.</summary>
internal abstract record AheadOutcome
{
    private AheadOutcome()
    {
    }

    /// <param name="Requests">One for each set of approvers that is needed.</param>
    public sealed record Asked(IReadOnlyList<RequestSight> Requests) : AheadOutcome;

    public sealed record Invalid(string Field, string Message) : AheadOutcome;

    /// <summary>Not there, or not the caller's to know of.</summary>
    public sealed record NotFound : AheadOutcome;

    public sealed record Forbidden(string Reason) : AheadOutcome;

    public sealed record Conflict(string Reason) : AheadOutcome;
}

/// <summary>The requester's side of access ahead: asking, and asking for more time. Everything is read and stored in one unit on the writer.</summary>
internal sealed class RequestsAhead(WriteQueue queue, PolicySource policy, PolicyWriter writer, RequestTransitions transitions, RequestSettling settling, RequestClock clock)
{
    public Task<AheadOutcome> AskAsync(Caller caller, AskAhead asked, CancellationToken cancellation)
    {
        var problem = ReasonProblem(caller, asked.Reason);
        return queue.WriteAsync(
            async (unit, stop) =>
            {
                var (db, snapshot, now) = (unit.Db.Of(caller.Organization), ForWriter(caller), transitions.Now);
                if (AheadWish.Read(asked, snapshot, caller.Person, now, out var wrong) is not { } wish) return new AheadOutcome.Invalid(wrong!.Value.Field, wrong.Value.Message);
                if (problem is not null) return problem;
                var parts = AheadDevices.Split(snapshot, caller.Person, wish.Devices, now);
                if (await TooManyAsync(db, caller, parts.Count, stop) is { } conflict) return conflict;

                // What is split is no group any more: each part is the devices that it has now.
                var terms = new Terms(wish.Role.Id, wish.Role.Name, wish.Role.Permissions, wish.Account, asked.Reason, wish.Time)
                {
                    Duration = wish.Duration,
                    Group = parts.Count == 1 ? wish.Group : null,
                };
                var number = await RequestUnit.NextNumberAsync(db, stop);
                return (AheadOutcome)new AheadOutcome.Asked(parts.Select((part, index) => Add(unit, New(caller, snapshot, number + index, part, terms), caller, snapshot)).ToList());
            },
            cancellation);
    }

    /// <summary>A linked request for the same, with a later end. It begins now, so that a session goes over from one into the other.</summary>
    public Task<AheadOutcome> ExtendAsync(Caller caller, long number, AskForMoreTime asked, CancellationToken cancellation)
    {
        var problem = ReasonProblem(caller, asked.Reason);
        return queue.WriteAsync(
            async (unit, stop) =>
            {
                var (db, snapshot, now) = (unit.Db.Of(caller.Organization), ForWriter(caller), transitions.Now);
                if (await RequestUnit.FindAsync(unit, caller.Organization, number, stop) is not { } found) return new AheadOutcome.NotFound();
                if (MayNotExtend(found, snapshot, caller) is { } refusal) return refusal;
                var request = found.Request;
                if (Until(asked, request.Due!.Value, snapshot.RequestLongest, now, out var until) is { } invalid) return invalid;
                if (problem is not null) return problem;
                if (await db.Set<AccessRequest>().Where(row => row.Extends == number && row.State == RequestState.Waiting).Select(row => (long?)row.Number).FirstOrDefaultAsync(stop) is { } waiting)
                    return new AheadOutcome.Conflict($"Request #{waiting} asks for more time already.");
                var devices = request.Devices.Where(device => AheadDevices.MayBeAsked(snapshot, caller.Person, device, request.Account, now)).ToList();
                if (devices.Count == 0) return new AheadOutcome.Conflict("None of its devices may be asked for any more.");
                if (await TooManyAsync(db, caller, 1, stop) is { } conflict) return conflict;
                var time = new RequestTimeForm(RequestTimeKind.Fixed, AheadWish.ToTheSecond(now), until);
                var terms = new Terms(request.Role!.Value, request.RoleName ?? "", request.Permissions, request.Account, asked.Reason, time) { Extends = number };
                return (AheadOutcome)new AheadOutcome.Asked([Add(unit, New(caller, snapshot, await RequestUnit.NextNumberAsync(db, stop), devices, terms), caller, snapshot)]);
            },
            cancellation);
    }

    private AheadOutcome? MayNotExtend(RequestUnit found, PolicySnapshot snapshot, Caller caller)
    {
        var sight = found.Sight(snapshot, caller.Person, transitions.Now);
        if (!sight.MaySee) return new AheadOutcome.NotFound();
        if (found.Request.Person != caller.Person) return new AheadOutcome.Forbidden("Only who has asked may ask for more time.");
        if (!sight.MayExtend) return new AheadOutcome.Conflict("Only access that was asked for ahead, is approved and not over yet can be extended.");
        return found.Request is { TimeKind: RequestTimeKind.FromFirstUse, FirstUsed: null } ? new AheadOutcome.Conflict("Its time has not begun to count yet.") : null;
    }

    private sealed record Terms(RoleId Role, string RoleName, PermissionSet Permissions, string Account, string Reason, RequestTimeForm Time)
    {
        /// <summary>In seconds.</summary>
        public long? Duration { get; init; }

        public DeviceGroupRow? Group { get; init; }

        public long? Extends { get; init; }
    }

    private AccessRequest New(Caller caller, PolicySnapshot snapshot, long number, IReadOnlyList<DeviceId> devices, Terms terms) => new()
    {
        OrganizationId = caller.Organization,
        Number = number,
        Person = caller.Person,
        Login = caller.Login,
        Device = devices[0],
        DeviceName = terms.Group is null ? Called(snapshot, devices) : $"the group {terms.Group.Name}",
        Account = terms.Account,
        Permissions = terms.Permissions,
        Source = caller.Source,
        Reason = PlainLine.Clean(terms.Reason, ApprovalWish.LongestReason),
        Created = transitions.Now,
        State = RequestState.Waiting,
        Changed = transitions.Now,
        ChangedThrough = caller.Channel,
        TimeKind = terms.Time.Kind,
        WindowFrom = terms.Time.From,
        WindowTo = terms.Time.To,
        Duration = terms.Duration,
        LatestStart = terms.Time.LatestStart,
        Role = terms.Role,
        RoleName = terms.RoleName,
        DeviceGroup = terms.Group?.Id,
        DeviceList = terms.Group is null ? string.Join(',', devices) : null,
        Extends = terms.Extends,
    };

    private static AheadOutcome.Invalid? Until(AskForMoreTime asked, DateTimeOffset ends, TimeSpan? longest, DateTimeOffset now, out DateTimeOffset until)
    {
        until = default;
        if (asked.To is null == asked.Duration is null) return new("to", "Say until when, or for how much longer.");
        var field = asked.To is null ? "duration" : "to";
        if (asked.Duration is { } text)
        {
            if (!Access.Settings.TryDuration(text, out var more, out var problem) || more is null) return new(field, problem.Length > 0 ? problem : "Say how much longer.");
            until = ends + more.Value;
        }
        else
        {
            until = AheadWish.ToTheSecond(asked.To)!.Value;
        }

        if (until <= ends) return new(field, "It holds until then already.");
        return until - now > (longest ?? AheadWish.Farthest) ? new(field, "It would last longer than may be asked for.") : null;
    }

    private RequestSight Add(WriteUnit unit, AccessRequest request, Caller caller, PolicySnapshot snapshot)
    {
        var asked = RequestUnit.New(unit, request, preapproved: []);
        transitions.Note(asked, "asked", RequestActor.Of(caller, snapshot.Person(caller.Person)?.Name ?? caller.Login));
        settling.Settle(asked, snapshot);
        unit.Committed += () => clock.Wake(request.Due);
        return asked.Sight(snapshot, caller.Person, transitions.Now);
    }

    private static async Task<AheadOutcome.Conflict?> TooManyAsync(CountersignDb db, Caller caller, int more, CancellationToken cancellation) =>
        await db.Set<AccessRequest>().CountAsync(row => row.Person == caller.Person && row.State == RequestState.Waiting, cancellation) + more > RequestDesk.MostWaiting
            ? new($"At most {RequestDesk.MostWaiting} requests of yours may wait: let some be decided, or cancel them.")
            : null;

    /// <summary>Off the writer: it has others to serve than patterns.</summary>
    private AheadOutcome.Invalid? ReasonProblem(Caller caller, string reason)
    {
        var approving = (policy.Current(caller.Organization) ?? throw NoPolicy(caller)).Approving;
        if (approving.Accepts(PlainLine.Clean(reason, ApprovalWish.LongestReason))) return null;
        return new("reason", approving.ReasonAsked.Length > 0 ? $"It has to be {approving.ReasonAsked}." : "Say why.");
    }

    private static string Called(PolicySnapshot snapshot, IReadOnlyList<DeviceId> devices)
    {
        var first = snapshot.Device(devices[0])?.Name ?? devices[0].ToString();
        if (devices.Count == 1) return first;
        var rest = $" and {devices.Count - 1} more";
        return first.Length + rest.Length > 253 ? first[..(253 - rest.Length)] + rest : first + rest;
    }

    private PolicySnapshot ForWriter(Caller caller) => writer.ForWriter(caller.Organization) ?? throw NoPolicy(caller);

    private static InvalidOperationException NoPolicy(Caller caller) => new($"Organization {caller.Organization} has no policy.");
}
