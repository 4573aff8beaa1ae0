using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>One request in the writer's hands, read as it is then: what is done to it is stored together, and told once, when it is durable.</summary>
internal sealed class RequestUnit
{
    private readonly List<RequestApproval> _approvals;

    private RequestUnit(WriteUnit unit, CountersignDb db, AccessRequest request, List<RequestApproval> approvals, ImmutableArray<PreapprovedRequest> preapproved)
    {
        Unit = unit;
        Db = db;
        Request = request;
        _approvals = approvals;
        Preapproved = preapproved;
    }

    public WriteUnit Unit { get; }

    public CountersignDb Db { get; }

    public AccessRequest Request { get; }

    public IReadOnlyList<RequestApproval> Approvals => _approvals;

    /// <summary>While it waits to connect: what the requester had in hand, approved ahead, when it was read.</summary>
    public ImmutableArray<PreapprovedRequest> Preapproved { get; }

    /// <summary>Something was written: it will be told.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>It was blocked, or is not any more.</summary>
    public bool BlockChanged { get; set; }

    /// <summary>Null: there is no such request.</summary>
    public static async Task<RequestUnit?> FindAsync(WriteUnit unit, OrganizationId organization, long number, CancellationToken cancellation)
    {
        var db = unit.Db.Of(organization);
        var request = await db.Set<AccessRequest>().SingleOrDefaultAsync(row => row.Number == number, cancellation);
        return request is null ? null : await OfAsync(unit, request, cancellation);
    }

    public static async Task<RequestUnit> OfAsync(WriteUnit unit, AccessRequest request, CancellationToken cancellation) =>
        new(unit, unit.Db, request, await ApprovalsAsync(unit.Db, request.Number, cancellation), [.. (await PreapprovedAsync(unit.Db, [request], cancellation))[request.Person]]);

    public static async Task<long> NextNumberAsync(CountersignDb db, CancellationToken cancellation) =>
        (await db.Set<AccessRequest>().MaxAsync(row => (long?)row.Number, cancellation) ?? 0) + 1;

    /// <param name="preapproved">Of a request to connect: what the requester has in hand, approved ahead.</param>
    public static RequestUnit New(WriteUnit unit, AccessRequest request, ImmutableArray<PreapprovedRequest> preapproved)
    {
        unit.Db.Add(request);
        return new(unit, unit.Db, request, [], preapproved);
    }

    /// <summary>
    /// What was approved ahead for those whose requests wait to connect, as it stands beside an approval; which of it is in force is for the question to say.
    /// </summary>
    public static async Task<ILookup<PersonId, PreapprovedRequest>> PreapprovedAsync(CountersignDb db, IEnumerable<AccessRequest> requests, CancellationToken cancellation)
    {
        var people = requests.Where(row => row is { IsAhead: false, State: RequestState.Waiting }).Select(row => row.Person).Distinct().ToList();
        List<AccessRequest> ahead = people.Count == 0
            ? []
            : await db.Set<AccessRequest>().AsNoTracking().Where(row => row.TimeKind != null && row.State == RequestState.Approved && people.Contains(row.Person)).ToListAsync(cancellation);
        return ahead.ToLookup(row => row.Person, row => row.Evidence);
    }

    public static Task<List<RequestApproval>> ApprovalsAsync(CountersignDb db, long number, CancellationToken cancellation) =>
        db.Set<RequestApproval>().AsNoTracking().Where(row => row.Number == number).OrderBy(row => row.At).ToListAsync(cancellation);

    /// <summary>Of several, in one query.</summary>
    public static async Task<ILookup<long, RequestApproval>> ApprovalsAsync(CountersignDb db, IEnumerable<AccessRequest> requests, CancellationToken cancellation)
    {
        var numbers = requests.Select(row => row.Number).ToList();
        var approvals = await db.Set<RequestApproval>().AsNoTracking().Where(row => numbers.Contains(row.Number)).OrderBy(row => row.At).ToListAsync(cancellation);
        return approvals.ToLookup(row => row.Number);
    }

    /// <summary>What the viewer sees of it, as it is now.</summary>
    public RequestSight Sight(PolicySnapshot policy, PersonId viewer, DateTimeOffset at) => new(policy, Request, [.. _approvals], Preapproved, viewer, at);

    /// <summary>Fills one place of each of the steps.</summary>
    public void Fill(IEnumerable<ApprovalStep> steps, RequestActor actor, string comment, DateTimeOffset at)
    {
        foreach (var step in steps)
        {
            var approval = new RequestApproval
            {
                OrganizationId = Request.OrganizationId,
                Number = Request.Number,
                Kind = step.Id.Kind,
                Rule = step.Id.Rule,
                Through = step.Id.Through,
                Person = actor.Person!.Value,
                Name = actor.Name,
                At = at,
                Channel = actor.Channel,
                Comment = comment,
            };
            Db.Add(approval);
            _approvals.Add(approval);
        }
    }

    /// <summary>Tells when the unit is durable, once, however much is done to the request in it.</summary>
    public void Changed(Action<RequestUnit> tell)
    {
        if (IsChanged) return;
        IsChanged = true;
        Unit.Committed += () => tell(this);
    }
}
