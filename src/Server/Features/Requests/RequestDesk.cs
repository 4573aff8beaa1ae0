using System.Collections.Immutable;
using System.Data.Common;
using Countersign.Access;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>The requester's side: connections ask here, wait here, and leave.</summary>
internal sealed partial class RequestDesk(
    WriteQueue queue,
    Database database,
    PolicySource policy,
    PolicyWriter writer,
    RequestTransitions transitions,
    RequestSettling settling,
    WaitingConnections waiting,
    RequestClock clock,
    ILogger<RequestDesk> log) : IApprovalDesk
{
    /// <summary>Requests of one person that wait at once. Each lands before somebody who decides.</summary>
    public const int MostWaiting = 64;

    /// <summary>Approved requests that are looked at for one connection, the newest first.</summary>
    private const int MostInHand = 20;

    /// <summary>What was approved ahead and is looked at for one person, the newest first.</summary>
    private const int MostPreapproved = 200;
    private const int MostPreapprovedOn = 2000;

    public async ValueTask<ImmutableArray<ApprovedRequest>> InHandAsync(ApprovalWish wish, CancellationToken cancellation)
    {
        await using var db = database.Read(wish.Organization);
        var now = transitions.Now;
        var joinable = now - RequestClaims.JoinFor;
        var live = SessionLedger.Live(db);
        var rows = await Like(db, wish)
            .Where(row => (row.State == RequestState.Approved && !(row.Due <= now)) || (row.State == RequestState.Used
                && (row.Claimed > joinable || db.Set<RequestSession>().Any(session => session.Number == row.Number && live.Contains(session.Session)))))
            .OrderByDescending(row => row.Number)
            .AsNoTracking()
            .Take(MostInHand)
            .ToListAsync(cancellation);
        var approvals = await RequestUnit.ApprovalsAsync(db, rows, cancellation);
        var inForce = InForce(wish.Organization);
        var found = ImmutableArray.CreateBuilder<ApprovedRequest>(rows.Count);
        foreach (var row in rows)
        {
            var until = await RequestClaims.OpenUntilAsync(db, row, cancellation);
            if (until <= transitions.Now) continue;
            found.Add(new(
                row.Number, row.Person, row.Device, row.Account, row.Permissions, row.Source, row.Approved!.Value, until,
                [.. new RequestSight(inForce, row, [.. approvals[row.Number]], preapproved: [], row.Person, now).Taken]));
        }

        return found.DrainToImmutable();
    }

    public async ValueTask<ImmutableArray<PreapprovedRequest>> PreapprovedAsync(OrganizationId organization, PersonId person, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        return await PreapprovedAsync(db.Set<AccessRequest>().Where(row => row.Person == person), transitions.Now, MostPreapproved, cancellation);
    }

    public async ValueTask<ImmutableArray<PreapprovedRequest>> PreapprovedAsync(OrganizationId organization, DeviceId device, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        var listed = device.ToString();
        return await PreapprovedAsync(db.Set<AccessRequest>().Where(row => row.DeviceList != null && row.DeviceList.Contains(listed)), transitions.Now, MostPreapprovedOn, cancellation);
    }

    /// <summary>All of a person's, as <see cref="ApprovedAhead"/> demands.</summary>
    public static ValueTask<ImmutableArray<PreapprovedRequest>> ApprovedAheadAsync(CountersignDb db, PersonId person, DateTimeOffset now, CancellationToken cancellation) =>
        PreapprovedAsync(db.Set<AccessRequest>().Where(row => row.Person == person), now, int.MaxValue, cancellation);

    private static async ValueTask<ImmutableArray<PreapprovedRequest>> PreapprovedAsync(IQueryable<AccessRequest> requests, DateTimeOffset now, int most, CancellationToken cancellation)
    {
        var rows = await requests
            .Where(row => row.TimeKind != null && row.State == RequestState.Approved && row.Due > now)
            .OrderByDescending(row => row.Number)
            .AsNoTracking()
            .Take(most)
            .ToListAsync(cancellation);
        return [.. rows.Select(row => row.Evidence)];
    }

    public async ValueTask<ApprovalAsked> AskAsync(ApprovalWish wish, string reason, Action<string> tell, CancellationToken cancellation)
    {
        var clean = PlainLine.Clean(reason, ApprovalWish.LongestReason);

        // Off the writer: it has others to serve. What was accepted a moment ago is good enough.
        var approving = InForce(wish.Organization).Approving;
        var accepted = approving.Accepts(clean);
        return await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(wish.Organization);
                var request = await WaitingAsync(db, wish, stop);
                if (request is null)
                {
                    if (!accepted) return new ApprovalAsked.NeedsReason(approving.ReasonAsked);
                    if (await db.Set<AccessRequest>().CountAsync(row => row.Person == wish.Person && row.State == RequestState.Waiting, stop) >= MostWaiting)
                        return new ApprovalAsked.Refused($"{MostWaiting} requests of yours wait already: let them be decided, or cancel some");
                    request = await AddAsync(unit, db, wish, clean, stop);
                }
                else if (waiting.IsFull(wish.Organization, request.Number))
                {
                    return new ApprovalAsked.Refused($"request #{request.Number}: {WaitingConnections.Most} connections wait for it already");
                }

                var pending = new Pending(this, wish, request.Number);
                if (request.State == RequestState.Approved) pending.Outcome = Task.FromResult(new ApprovalOutcome(Approved: true, "approved automatically"));
                else unit.Saved += () =>
                {
                    (pending.Place, pending.Outcome) = waiting.Enter(wish.Organization, request.Number, tell);
                    unit.Lost += () => pending.Place.Leave();
                };
                return (ApprovalAsked)new ApprovalAsked.Waits(pending);
            },
            cancellation);
    }

    public async ValueTask<bool> StandsAsync(OrganizationId organization, long number, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        return await db.Set<AccessRequest>().AnyAsync(row => row.Number == number && row.State != RequestState.Revoked, cancellation);
    }

    private static IQueryable<AccessRequest> Like(CountersignDb db, ApprovalWish wish) => db.Set<AccessRequest>().Where(row =>
        row.TimeKind == null && row.Person == wish.Person && row.Device == wish.Device && row.Account == wish.Account && row.Source == wish.Source);

    /// <summary>The request that the connection joins: for the same, or for more.</summary>
    private async Task<AccessRequest?> WaitingAsync(CountersignDb db, ApprovalWish wish, CancellationToken cancellation)
    {
        var rows = await Like(db, wish).Where(row => row.State == RequestState.Waiting).OrderBy(row => row.Number).ToListAsync(cancellation);
        return rows.Find(row => !(row.Due <= transitions.Now) && row.Permissions.Covers(wish.Permissions));
    }

    private async Task<AccessRequest> AddAsync(WriteUnit unit, CountersignDb db, ApprovalWish wish, string reason, CancellationToken cancellation)
    {
        var (now, snapshot) = (transitions.Now, ForWriter(wish.Organization));
        var request = new AccessRequest
        {
            OrganizationId = wish.Organization,
            Number = await RequestUnit.NextNumberAsync(db, cancellation),
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
            ChangedThrough = "ssh",
        };
        var preapproved = await RequestUnit.PreapprovedAsync(db, [request], cancellation);
        var asked = RequestUnit.New(unit, request, [.. preapproved[wish.Person]]);
        transitions.Note(asked, "asked", Requester(wish));
        settling.Settle(asked, snapshot);
        var due = request.Due;
        unit.Committed += () => clock.Wake(due);
        return request;
    }

    private async ValueTask LeaveAsync(ApprovalWish wish, long number)
    {
        try
        {
            await queue.WriteAsync(
                async (unit, stop) =>
                {
                    // Somebody may have come meanwhile, or it was decided.
                    var left = await RequestUnit.FindAsync(unit, wish.Organization, number, stop);
                    if (left is null || waiting.Has(wish.Organization, number) || left.Request.State != RequestState.Waiting) return false;
                    transitions.Move(left, RequestState.Cancelled, Requester(wish));
                    return true;
                },
                CancellationToken.None);
        }
        catch (Exception failure) when (failure is DbException or DbUpdateException)
        {
            // The request goes on waiting until it expires or is decided; the connection has its own answer already.
            LogNotCancelled(failure, number);
        }
    }

    private RequestActor Requester(ApprovalWish wish) =>
        new(wish.Person, wish.Login, InForce(wish.Organization).Person(wish.Person)?.Name ?? wish.Login, "ssh", wish.Source);

    private PolicySnapshot InForce(OrganizationId organization) => policy.Current(organization) ?? throw NoPolicy(organization);

    private PolicySnapshot ForWriter(OrganizationId organization) => writer.ForWriter(organization) ?? throw NoPolicy(organization);

    private static InvalidOperationException NoPolicy(OrganizationId organization) => new($"Organization {organization} has no policy.");

    [LoggerMessage(1, LogLevel.Error, "Request #{Number} has lost its last connection, and that could not be written down")]
    private partial void LogNotCancelled(Exception failure, long number);

    private sealed class Pending(RequestDesk desk, ApprovalWish wish, long number) : IPendingApproval
    {
        private int _left;

        public long Number => number;

        /// <summary>Null: nobody waits, it is decided. Set before anybody gets the object, as the outcome is.</summary>
        public WaitingConnections.Place? Place { get; set; }

        public Task<ApprovalOutcome> Outcome { get; set; } = null!;

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0 && Place?.Leave() == true) await desk.LeaveAsync(wish, number);
        }
    }
}
