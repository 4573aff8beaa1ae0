using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>
/// Moves what nobody decides: waiting requests whose time is over expire, approved ones end, and rules that fall may complete one. The instants are in the rows, so that a restart resumes every clock.
/// </summary>
internal sealed partial class RequestClock(
    WriteQueue queue, Database database, PolicySource policy, RequestTransitions transitions, RequestNews news, TimeProvider time, ILogger<RequestClock> log)
    : BackgroundService
{
    /// <summary>It looks at least so often, so that a wall clock that was set is noticed, too.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<OrganizationId> _changed = [];
    private DateTimeOffset _next = DateTimeOffset.MaxValue;

    /// <summary>What becomes of a request when its time is over.</summary>
    public static RequestState Next(RequestState state) => state == RequestState.Waiting ? RequestState.Expired : RequestState.Ended;

    /// <summary>A request is due then.</summary>
    public void Wake(DateTimeOffset? due)
    {
        lock (_gate)
        {
            if (due is { } instant && instant < _next) _woken.TrySetResult();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listening = policy.OnChange(snapshot =>
        {
            lock (_gate)
            {
                _changed.Add(snapshot.Organization);
                _woken.TrySetResult();
            }
        });
        while (!stoppingToken.IsCancellationRequested)
        {
            Task woken;
            lock (_gate)
            {
                _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
                woken = _woken.Task;
                _next = DateTimeOffset.MaxValue;
            }

            var rest = LongestRest;
            try
            {
                await ReviewAsync(stoppingToken);
                var next = await SweepAsync(stoppingToken);
                lock (_gate) _next = next ?? DateTimeOffset.MaxValue;
                if (next - time.GetUtcNow() is { } until && until < rest) rest = until;

                // Timers count milliseconds: rounding up keeps it from looking just before the instant, and then again.
                rest = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(rest.TotalMilliseconds)));
            }
            catch (DbUpdateException failure)
            {
                // The disk is full, the file is locked: it will look again. Until then whoever decides or connects finds the time over by itself.
                LogFailed(failure);
            }

            try
            {
                await woken.WaitAsync(rest, time, stoppingToken);
            }
            catch (TimeoutException)
            {
                // The rest is over.
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Where policy has changed: a request whose open steps are gone with their rules is approved by what was taken of it.</summary>
    private async Task ReviewAsync(CancellationToken cancellation)
    {
        OrganizationId[] changed;
        lock (_gate)
        {
            changed = [.. _changed];
            _changed.Clear();
        }

        foreach (var organization in changed)
        {
            await using var db = database.Read(organization);
            if (!await db.Set<AccessRequest>().AnyAsync(row => row.State == RequestState.Waiting, cancellation)) continue;
            await queue.WriteAsync((unit, stop) => ReviewAsync(unit, organization, stop), cancellation);
        }
    }

    private async Task<bool> ReviewAsync(WriteUnit unit, OrganizationId organization, CancellationToken cancellation)
    {
        if (policy.Current(organization) is not { } snapshot) return false;
        var db = unit.Db.Of(organization);
        foreach (var request in await db.Set<AccessRequest>().Where(row => row.State == RequestState.Waiting).ToListAsync(cancellation))
        {
            var approvals = await RequestDesk.ApprovalsAsync(db, request.Number, cancellation);
            var sight = new RequestSight(snapshot, request, approvals, request.Person, transitions.Now);
            if (approvals.Count == 0 || sight.Steps.Count == 0 || !sight.IsComplete) continue;
            transitions.Approve(db, request, snapshot.Approving, RequestActor.Clock);
            unit.Committed += () => news.Tell(request);
        }

        return true;
    }

    /// <returns>When the next request is due; null: none is.</returns>
    private async Task<DateTimeOffset?> SweepAsync(CancellationToken cancellation)
    {
        DateTimeOffset? next = null;
        foreach (var organization in policy.All.Select(snapshot => snapshot.Organization))
        {
            await using var db = database.Read(organization);
            var due = await db.Set<AccessRequest>()
                .Where(row => (row.State == RequestState.Waiting || row.State == RequestState.Approved) && row.Due != null)
                .OrderBy(row => row.Due).Select(row => row.Due).FirstOrDefaultAsync(cancellation);
            if (due <= transitions.Now) due = await ExpireAsync(organization, cancellation);
            if (due is not null && !(next < due)) next = due;
        }

        return next;
    }

    private Task<DateTimeOffset?> ExpireAsync(OrganizationId organization, CancellationToken cancellation) => queue.WriteAsync(
        async (unit, stop) =>
        {
            DateTimeOffset? next = null;
            var (db, now) = (unit.Db.Of(organization), transitions.Now);
            var rows = await db.Set<AccessRequest>()
                .Where(row => (row.State == RequestState.Waiting || row.State == RequestState.Approved) && row.Due != null)
                .ToListAsync(stop);
            foreach (var request in rows)
            {
                if (request.Due > now)
                {
                    if (!(next < request.Due)) next = request.Due;
                    continue;
                }

                transitions.Move(db, request, Next(request.State), RequestActor.Clock);
                unit.Committed += () => news.Tell(request);
            }

            return next;
        },
        cancellation);

    [LoggerMessage(1, LogLevel.Error, "Requests whose time is over could not be written down")]
    private partial void LogFailed(Exception failure);
}
