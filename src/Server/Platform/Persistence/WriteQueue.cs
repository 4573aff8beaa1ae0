using System.Threading.Channels;
using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Countersign.Server.Platform.Persistence;

/// <summary>
/// The one writer. SQLite lets one transaction write at a time and each commit waits for the disk, so that units of work that wait together are
/// committed together: each behind a savepoint of its own, so that one that fails spoils nothing of the others.
/// </summary>
/// <remarks>
/// Some failures SQLite answers by rolling the whole transaction back (lang_transaction, "Response To Errors Within A Transaction": a full disk, a read or write that fails, no
/// memory), whichever unit they meet. Each unit of such a group is then done once more by itself, so that nobody fails for another's fault: work may run twice, and
/// changes nothing outside of the transaction but by the callbacks of its <see cref="WriteUnit"/>.
/// </remarks>
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
    /// <exception cref="DbUpdateException">
    /// A constraint refuses what the work wants, or it could not be committed, which is then said by the inner exception; nothing of it is stored. Whatever the work itself throws comes
    /// back, too.
    /// </exception>
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
            await WriteGroupAsync(group);
        }
    }

    private async Task WriteGroupAsync(IReadOnlyList<Unit> group)
    {
        var reached = Reached.Nothing;
        try
        {
            await using var db = _database.Open();
            db.Database.AutoSavepointsEnabled = false;
            await using var transaction = await db.Database.BeginTransactionAsync();
            reached = Reached.Begun;
            await RunAsync(group, db, transaction);
            await transaction.CommitAsync();
            reached = Reached.Committed;
        }
        catch (Exception failure) when (reached != Reached.Committed)
        {
            // Not swallowed: everyone who waits gets it, unless it is done by itself. The writer itself must live on for those who come later.
            LogGroupFailed(failure, group.Count);
            foreach (var unit in group) Tell(unit.Lose);

            // Where no transaction can be begun, none can for one of them either: the file is locked, and each would wait for as long again.
            if (reached == Reached.Begun && group.Count > 1)
            {
                foreach (var unit in group) await WriteGroupAsync([unit]);
            }
            else
            {
                foreach (var unit in group) unit.Fail(failure);
            }

            return;
        }
        catch (Exception failure)
        {
            // Letting go of the connection. What is durable is not done again.
            LogAftermathFailed(failure);
        }

        foreach (var unit in group) Tell(unit.Committed);
        foreach (var unit in group) unit.Complete();
    }

    private static async Task RunAsync(IReadOnlyList<Unit> group, CountersignDb db, IDbContextTransaction transaction)
    {
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
    }

    private void Tell(Action what)
    {
        try
        {
            what();
        }
        catch (Exception failure)
        {
            // It is decided what became of the group: a fault in what follows from one unit must neither undo the others nor have anybody told something else.
            LogAftermathFailed(failure);
        }
    }

    /// <summary>Those of one organization that follow one another.</summary>
    private static List<Addition> AdditionsFrom(IReadOnlyList<Unit> group, int place)
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

    [LoggerMessage(2, LogLevel.Error, "What was to follow from a write failed")]
    private partial void LogAftermathFailed(Exception failure);

    /// <summary>How far a group has come.</summary>
    private enum Reached
    {
        Nothing = 0,
        Begun = 1,
        Committed = 2,
    }

    private abstract class Unit
    {
        public abstract Task RunAsync(CountersignDb db, IDbContextTransaction transaction);

        public abstract void Committed();

        public abstract void Complete();

        /// <summary>What it did is undone with its group. It may run again.</summary>
        public abstract void Lose();

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
            catch (Exception failure)
            {
                // Not swallowed: whoever it comes from gets it when each is run by itself.
                if (!await TryUndoAsync(transaction)) throw CouldNotCommit(failure);
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
                if (!await TryUndoAsync(transaction)) throw _failure = CouldNotCommit(failure);
                _unit?.Undone?.Invoke();
                _unit = null;
            }

            await transaction.ReleaseSavepointAsync(Savepoint, CancellationToken.None);
            db.Reset();
        }

        /// <summary>All but the saving. Begins anew what was lost.</summary>
        protected async Task WorkAsync(CountersignDb db)
        {
            (_unit, _failure, _value) = (null, null, default);
            cancellation.ThrowIfCancellationRequested();
            _unit = new(db);
            _value = await work(_unit, cancellation);
        }

        /// <summary>Back to before the unit. False: there is no transaction any more, the failure has ended it for the whole group.</summary>
        protected static async Task<bool> TryUndoAsync(IDbContextTransaction transaction)
        {
            try
            {
                await transaction.RollbackToSavepointAsync(Savepoint, CancellationToken.None);
                return true;
            }
            catch (Exception)
            {
                // Not swallowed: the failure before it, which says more than that there is nothing to go back to, ends the group.
                return false;
            }
        }

        /// <summary>One type, whatever has ended the transaction: those who go on when the database does catch that.</summary>
        protected static DbUpdateException CouldNotCommit(Exception cause) => cause as DbUpdateException ?? new("It could not be committed, and nothing of it is stored.", cause);

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

        public override void Lose()
        {
            _unit?.Lost?.Invoke();
            _unit?.Undone?.Invoke();
        }

        public override void Fail(Exception failure)
        {
            if (_failure is OperationCanceledException && cancellation.IsCancellationRequested) _result.TrySetCanceled(cancellation);
            else _result.TrySetException(_failure ?? CouldNotCommit(failure));
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

    /// <summary>The whole group was rolled back. The work may be done again, with a unit of its own.</summary>
    public Action? Lost { get; set; }

    /// <summary>Nothing that the unit did is stored: it failed, or its group was rolled back.</summary>
    public Action? Undone { get; set; }
}
