using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>The requester's side: connections ask here, wait here, and leave.</summary>
internal sealed class RequestDesk(
    WriteQueue queue, Database database, PolicySource policy, RequestTransitions transitions, WaitingConnections waiting, RequestNews news, RequestClock clock) : IApprovalDesk
{
    public async ValueTask<ImmutableArray<ApprovedRequest>> InHandAsync(ApprovalWish wish, CancellationToken cancellation)
    {
        await using var db = database.Read(wish.Organization);
        var found = ImmutableArray.CreateBuilder<ApprovedRequest>();
        var rows = await Like(db, wish)
            .Where(row => row.State == RequestState.Approved || row.State == RequestState.Used)
            .OrderByDescending(row => row.Number)
            .AsNoTracking()
            .Take(100)
            .ToListAsync(cancellation);
        foreach (var row in rows)
        {
            var until = await RequestClaims.OpenUntilAsync(db, row, cancellation);
            if (until <= transitions.Now) continue;
            var approvals = await ApprovalsAsync(db, row.Number, cancellation);
            found.Add(new(
                row.Number, row.Person, row.Device, row.Account, row.Permissions, row.Source, row.Approved!.Value, until,
                [.. approvals.Select(approval => approval.Step).Distinct()]));
        }

        return found.ToImmutable();
    }

    public async ValueTask<IPendingApproval?> AskAsync(ApprovalWish wish, string reason, CancellationToken cancellation) => await queue.WriteAsync(
        async (unit, stop) =>
        {
            var db = unit.Db.Of(wish.Organization);
            var request = await WaitingAsync(db, wish, stop);
            if (request is null)
            {
                if (reason.Length == 0 && Policy(wish.Organization).Approving.ReasonRequired) return null;
                request = await AddAsync(unit, db, wish, reason, stop);
            }

            var pending = new Pending(this, wish, request.Number);
            if (request.State == RequestState.Approved) pending.Outcome = Task.FromResult(new ApprovalOutcome(Approved: true, "approved automatically"));
            else unit.Saved += () =>
            {
                pending.Outcome = waiting.Enter(wish.Organization, request.Number);
                unit.Lost += () => waiting.Leave(wish.Organization, request.Number);
            };
            return (IPendingApproval?)pending;
        },
        cancellation);

    public async ValueTask<bool> StandsAsync(OrganizationId organization, long number, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        return await db.Set<AccessRequest>().AnyAsync(row => row.Number == number && row.State != RequestState.Revoked, cancellation);
    }

    internal static Task<List<RequestApproval>> ApprovalsAsync(CountersignDb db, long number, CancellationToken cancellation) =>
        db.Set<RequestApproval>().AsNoTracking().Where(row => row.Number == number).OrderBy(row => row.At).ToListAsync(cancellation);

    private static IQueryable<AccessRequest> Like(CountersignDb db, ApprovalWish wish) => db.Set<AccessRequest>().Where(row =>
        row.Person == wish.Person && row.Device == wish.Device && row.Account == wish.Account && row.Source == wish.Source);

    /// <summary>The request that the connection joins: for the same, or for more.</summary>
    private async Task<AccessRequest?> WaitingAsync(CountersignDb db, ApprovalWish wish, CancellationToken cancellation)
    {
        var rows = await Like(db, wish).Where(row => row.State == RequestState.Waiting).OrderBy(row => row.Number).ToListAsync(cancellation);
        return rows.Find(row => !(row.Due <= transitions.Now) && row.Permissions.Covers(wish.Permissions));
    }

    private async Task<AccessRequest> AddAsync(WriteUnit unit, CountersignDb db, ApprovalWish wish, string reason, CancellationToken cancellation)
    {
        var (now, snapshot) = (transitions.Now, Policy(wish.Organization));
        var request = new AccessRequest
        {
            OrganizationId = wish.Organization,
            Number = (await db.Set<AccessRequest>().MaxAsync(row => (long?)row.Number, cancellation) ?? 0) + 1,
            Person = wish.Person,
            Login = wish.Login,
            Device = wish.Device,
            DeviceName = wish.DeviceName,
            Account = wish.Account,
            Permissions = wish.Permissions,
            Source = wish.Source,
            Reason = reason,
            Created = now,
            State = RequestState.Waiting,
            Due = now + snapshot.Approving.ExpireAfter,
            Changed = now,
            Version = 1,
        };
        db.Add(request);
        var asking = Requester(wish);
        transitions.Record(db, request, "asked", asking);
        var automatic = snapshot.ApprovalSteps(RequestSight.Question(request, now)).Where(step => step.Automatic).Select(step => new RequestApproval
        {
            OrganizationId = wish.Organization,
            Number = request.Number,
            Kind = step.Id.Kind,
            Rule = step.Id.Rule,
            Through = step.Id.Through,
            Person = wish.Person,
            Name = asking.Name,
            At = now,
            Channel = "automatic",
            Comment = "",
        }).ToList();
        db.AddRange(automatic);
        var sight = new RequestSight(snapshot, request, automatic, wish.Person, now);
        if (automatic.Count > 0)
        {
            if (sight.IsComplete) transitions.Approve(db, request, snapshot.Approving, asking with { Channel = "automatic" });
            else transitions.Record(db, request, "step-approved", asking with { Channel = "automatic" });
        }

        var due = request.Due;
        unit.Committed += () =>
        {
            clock.Wake(due);
            news.Tell(request);
        };
        return request;
    }

    private async ValueTask LeaveAsync(ApprovalWish wish, long number)
    {
        if (!waiting.Leave(wish.Organization, number)) return;
        await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(wish.Organization);
                var request = await db.Set<AccessRequest>().SingleAsync(row => row.Number == number, stop);

                // Somebody may have come meanwhile, or it was decided.
                if (waiting.Has(wish.Organization, number) || request.State != RequestState.Waiting) return false;
                transitions.Move(db, request, RequestState.Cancelled, Requester(wish));
                unit.Committed += () => news.Tell(request);
                return true;
            },
            CancellationToken.None);
    }

    private RequestActor Requester(ApprovalWish wish) =>
        new(wish.Person, wish.Login, Policy(wish.Organization).Person(wish.Person)?.Name ?? wish.Login, "ssh", wish.Source);

    private PolicySnapshot Policy(OrganizationId organization) =>
        policy.Current(organization) ?? throw new InvalidOperationException($"Organization {organization} has no policy.");

    private sealed class Pending(RequestDesk desk, ApprovalWish wish, long number) : IPendingApproval
    {
        private int _left;

        public long Number => number;

        /// <summary>Set before anybody gets the object.</summary>
        public Task<ApprovalOutcome> Outcome { get; set; } = null!;

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) await desk.LeaveAsync(wish, number);
        }
    }
}
