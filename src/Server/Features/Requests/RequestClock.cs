using System.Data.Common;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Requests;

/// <summary>
/// Moves what nobody decides: waiting requests whose time is over expire, approved ones end, and what a change of policy makes of those that wait is
/// looked at. The instants are in the rows, so that a restart resumes every clock.
/// </summary>
internal sealed partial class RequestClock(
    WriteQueue queue, Database database, PolicySource policy, RequestTransitions transitions, RequestSettling settling, TimeProvider time, ILogger<RequestClock> log)
    : BackgroundService
{
    /// <summary>It looks at least so often, so that a wall clock that was set is noticed, too.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    /// <summary>After a failure of the database.</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(2);

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
        var reviewed = DateTimeOffset.MinValue;
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
                // Rights come and go with the hour, too; and before the first look policy may have changed and nobody been there to see it.
                if (time.GetUtcNow() - reviewed >= LongestRest || reviewed > time.GetUtcNow())
                {
                    lock (_gate) _changed.UnionWith(policy.All.Select(snapshot => snapshot.Organization));
                    reviewed = time.GetUtcNow();
                }

                await ReviewAsync(stoppingToken);
                var next = await SweepAsync(stoppingToken);
                lock (_gate) _next = next ?? DateTimeOffset.MaxValue;
                if (next - time.GetUtcNow() is { } until && until < rest) rest = until;

                // Timers count milliseconds: rounding up keeps it from looking just before the instant, and then again.
                rest = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(rest.TotalMilliseconds)));
            }
            catch (Exception failure) when (failure is DbException or DbUpdateException)
            {
                // The disk is full, the file is locked: it will look again. Until then whoever decides or connects finds the time over by itself.
                LogFailed(failure);
                rest = Breath;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
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

    /// <summary>Where policy has changed, or may say something else by now.</summary>
    private async Task ReviewAsync(CancellationToken cancellation)
    {
        OrganizationId[] changed;
        lock (_gate)
        {
            changed = [.. _changed];
            _changed.Clear();
        }

        var done = 0;
        try
        {
            for (; done < changed.Length; done++) await ReviewAsync(changed[done], cancellation);
        }
        finally
        {
            // What was not looked at, because something failed, is still owed.
            lock (_gate) _changed.UnionWith(changed[done..]);
        }
    }

    private async Task ReviewAsync(OrganizationId organization, CancellationToken cancellation)
    {
        if (policy.Current(organization) is not { } snapshot) return;
        var due = new List<long>();
        await using (var db = database.Read(organization))
        {
            var rows = await db.Set<AccessRequest>().AsNoTracking().Where(row => row.State == RequestState.Waiting).ToListAsync(cancellation);
            var approvals = await RequestUnit.ApprovalsAsync(db, rows, cancellation);
            var preapproved = await RequestUnit.PreapprovedAsync(db, rows, cancellation);
            foreach (var row in rows)
            {
                var sight = new RequestSight(snapshot, row, [.. approvals[row.Number]], [.. preapproved[row.Person]], row.Person, transitions.Now);
                if (RequestSettling.IsDue(sight)) due.Add(row.Number);
            }
        }

        foreach (var number in due) await queue.WriteAsync((unit, stop) => SettleAsync(unit, organization, number, stop), cancellation);
    }

    private async Task<bool> SettleAsync(WriteUnit unit, OrganizationId organization, long number, CancellationToken cancellation)
    {
        var request = await RequestUnit.FindAsync(unit, organization, number, cancellation);
        if (request is not { Request.State: RequestState.Waiting } || policy.Current(organization) is not { } snapshot) return false;
        settling.Settle(request, snapshot);
        unit.Committed += () => Wake(request.Request.Due);
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

                transitions.Move(await RequestUnit.OfAsync(unit, request, stop), Next(request.State), RequestActor.Clock);
            }

            return next;
        },
        cancellation);

    [LoggerMessage(1, LogLevel.Error, "Requests whose time is over could not be written down")]
    private partial void LogFailed(Exception failure);
}
