using System.Threading.Channels;
using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Countersign.Server.Platform.Persistence;

/// <summary>
/// The one writer. SQLite lets one transaction write at a time and each commit waits for the disk, so that units of work that wait together are
/// committed together: each behind a savepoint of its own, so that one that fails spoils nothing of the others.
/// </summary>
internal sealed partial class WriteQueue : IAsyncDisposable
{
    private const int MostInGroup = 128;

    private readonly Channel<Unit> _units = Channel.CreateBounded<Unit>(new BoundedChannelOptions(4096) { SingleReader = true });
    private readonly Database _database;
    private readonly ILogger<WriteQueue> _log;
    private readonly Task _writing;

    public WriteQueue(Database database, ILogger<WriteQueue> log)
    {
        _database = database;
        _log = log;
        _writing = Task.Run(RunAsync);
    }

    /// <summary>Runs the work on the writer's context, saves it and returns once it is durable. The context sees the organization only.</summary>
    /// <exception cref="DbUpdateException">A constraint refuses what the work wants; nothing of it is stored. Whatever the work itself throws comes back, too.</exception>
    public Task<T> WriteAsync<T>(OrganizationId organization, Func<CountersignDb, CancellationToken, Task<T>> work, CancellationToken cancellation) =>
        WriteAsync((unit, stop) => work(unit.Db.Of(organization), stop), cancellation);

    /// <summary>The same for work that yields nothing.</summary>
    public Task WriteAsync(OrganizationId organization, Func<CountersignDb, CancellationToken, Task> work, CancellationToken cancellation) =>
        WriteAsync(
            async (unit, stop) =>
            {
                await work(unit.Db.Of(organization), stop);
                return true;
            },
            cancellation);

    /// <summary>For work that adds rows and looks at nothing: what waits together is also saved together, which costs a fraction. Returns once it is durable.</summary>
    /// <exception cref="DbUpdateException">A constraint refuses what was added; nothing of it is stored, and all of what others added.</exception>
    public async Task AppendAsync(OrganizationId organization, Action<CountersignDb> add, CancellationToken cancellation)
    {
        var unit = new Addition(organization, add, cancellation);
        await _units.Writer.WriteAsync(unit, cancellation);
        await unit.Result;
    }

    /// <summary>For work that must know when it was saved and committed, or that chooses its organization itself.</summary>
    public async Task<T> WriteAsync<T>(Func<WriteUnit, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        var unit = new Unit<T>(work, cancellation);
        await _units.Writer.WriteAsync(unit, cancellation);
        return await unit.Result;
    }

    /// <summary>Takes no more work, and ends once all that was taken is durable.</summary>
    public async ValueTask DisposeAsync()
    {
        _units.Writer.TryComplete();
        await _writing;
    }

    private async Task RunAsync()
    {
        var group = new List<Unit>(MostInGroup);
        while (await _units.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < MostInGroup && _units.Reader.TryRead(out var unit)) group.Add(unit);
            try
            {
                await WriteGroupAsync(group);
            }
            catch (Exception failure)
            {
                // Not swallowed: everyone who waits gets it. The writer itself must live on for those who come later.
                LogGroupFailed(failure, group.Count);
                foreach (var unit in group) unit.Fail(failure);
            }
        }
    }

    private async Task WriteGroupAsync(List<Unit> group)
    {
        await using var db = _database.Open();
        db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync();
        for (var place = 0; place < group.Count;)
        {
            var additions = AdditionsFrom(group, place);
            if (additions.Count > 1 && await Addition.TrySaveTogetherAsync(additions, db, transaction))
            {
                place += additions.Count;
                continue;
            }

            // One of them can't be stored: each by itself, so that the others are.
            for (var end = place + Math.Max(1, additions.Count); place < end; place++) await group[place].RunAsync(db, transaction);
        }

        await transaction.CommitAsync();
        foreach (var unit in group) TellCommitted(unit);
        foreach (var unit in group) unit.Complete();
    }

    private void TellCommitted(Unit unit)
    {
        try
        {
            unit.Committed();
        }
        catch (Exception failure)
        {
            // The group is durable: a fault in what follows from one unit must neither undo the others nor have anybody told that their work was not done.
            LogAftermathFailed(failure);
        }
    }

    /// <summary>Those of one organization that follow one another.</summary>
    private static List<Addition> AdditionsFrom(List<Unit> group, int place)
    {
        var found = new List<Addition>();
        for (; place < group.Count && group[place] is Addition addition; place++)
        {
            if (found.Count > 0 && addition.Organization != found[0].Organization) break;
            found.Add(addition);
        }

        return found;
    }

    [LoggerMessage(1, LogLevel.Error, "A group of {Count} writes could not be committed")]
    private partial void LogGroupFailed(Exception failure, int count);

    [LoggerMessage(2, LogLevel.Error, "What was to follow from a committed write failed")]
    private partial void LogAftermathFailed(Exception failure);

    private abstract class Unit
    {
        public abstract Task RunAsync(CountersignDb db, IDbContextTransaction transaction);

        public abstract void Committed();

        public abstract void Complete();

        public abstract void Fail(Exception failure);
    }

    private sealed class Addition(OrganizationId organization, Action<CountersignDb> add, CancellationToken cancellation)
        : Unit<bool>((unit, _) => AddTo(unit.Db, organization, add), cancellation)
    {
        public OrganizationId Organization => organization;

        /// <summary>False: nothing was saved, and nobody has been told anything.</summary>
        public static async Task<bool> TrySaveTogetherAsync(List<Addition> additions, CountersignDb db, IDbContextTransaction transaction)
        {
            db.Reset();
            await transaction.CreateSavepointAsync(Savepoint, CancellationToken.None);
            var saved = false;
            try
            {
                foreach (var addition in additions) await addition.WorkAsync(db);
                await db.SaveChangesAsync(CancellationToken.None);
                saved = true;
            }
            catch (Exception)
            {
                // Not swallowed: whoever it comes from gets it when each is run by itself.
                await transaction.RollbackToSavepointAsync(Savepoint, CancellationToken.None);
            }

            await transaction.ReleaseSavepointAsync(Savepoint, CancellationToken.None);
            db.Reset();
            return saved;
        }

        private static Task<bool> AddTo(CountersignDb db, OrganizationId organization, Action<CountersignDb> add)
        {
            add(db.Of(organization));
            return Task.FromResult(true);
        }
    }

    private class Unit<T>(Func<WriteUnit, CancellationToken, Task<T>> work, CancellationToken cancellation) : Unit
    {
        protected const string Savepoint = "unit";

        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private WriteUnit? _unit;
        private T? _value;
        private Exception? _failure;

        public Task<T> Result => _result.Task;

        public override async Task RunAsync(CountersignDb db, IDbContextTransaction transaction)
        {
            db.Reset();
            await transaction.CreateSavepointAsync(Savepoint, CancellationToken.None);
            try
            {
                await WorkAsync(db);
                await db.SaveChangesAsync(cancellation);
                _unit!.Saved?.Invoke();
            }
            catch (Exception failure)
            {
                // Not swallowed: it is thrown where the work was handed in. What it did is undone, so that the group can go on.
                _failure = failure;
                await transaction.RollbackToSavepointAsync(Savepoint, CancellationToken.None);
            }

            await transaction.ReleaseSavepointAsync(Savepoint, CancellationToken.None);
            db.Reset();
        }

        /// <summary>All but the saving.</summary>
        protected async Task WorkAsync(CountersignDb db)
        {
            cancellation.ThrowIfCancellationRequested();
            _unit = new(db);
            _value = await work(_unit, cancellation);
        }

        public override void Committed()
        {
            if (_failure is null) _unit!.Committed?.Invoke();
        }

        public override void Complete()
        {
            if (_failure is OperationCanceledException && cancellation.IsCancellationRequested) _result.TrySetCanceled(cancellation);
            else if (_failure is not null) _result.TrySetException(_failure);
            else _result.TrySetResult(_value!);
        }

        public override void Fail(Exception failure)
        {
            _unit?.Lost?.Invoke();
            _result.TrySetException(_failure ?? failure);
        }
    }
}

/// <summary>One unit of work of the <see cref="WriteQueue"/> while it runs. The callbacks run on the writer, in the order of the units.</summary>
internal sealed class WriteUnit(CountersignDb db)
{
    public CountersignDb Db { get; } = db;

    /// <summary>The unit's changes are in the transaction: what runs after it in the same group sees them.</summary>
    public Action? Saved { get; set; }

    /// <summary>The unit is durable.</summary>
    public Action? Committed { get; set; }

    /// <summary>The whole group was rolled back.</summary>
    public Action? Lost { get; set; }
}
