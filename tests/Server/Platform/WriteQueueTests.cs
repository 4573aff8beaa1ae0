using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Server.Tests.Platform;

public sealed class WriteQueueTests : IAsyncLifetime
{
    /// <summary>In place of a subject, it ends the transaction as a full disk does.</summary>
    private const int Fatal = 5;

    private static readonly OrganizationId Organization = new(Guid.NewGuid());

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-queue");
    private readonly AuditLog _audit = new(TimeProvider.System, []);
    private Database _database = null!;
    private WriteQueue _queue = null!;

    public async ValueTask InitializeAsync()
    {
        _database = new(Path.Combine(_folder.FullName, "test.db"));
        await _database.MigrateAsync(TestContext.Current.CancellationToken);
        _queue = new(_database, NullLogger<WriteQueue>.Instance);
        await _queue.WriteAsync(
            Organization,
            (db, _) => Task.FromResult(db.Add(new Organization { Id = Organization, Name = "Acme", Version = 0, Created = default })),
            TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        _database.ReleaseFile();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task What_follows_from_one_unit_and_fails_changes_nothing_for_it_and_the_others()
    {
        using var gate = new SemaphoreSlim(0);
        var told = false;
        var blocker = _queue.WriteAsync(Organization, (_, stop) => gate.WaitAsync(stop), TestContext.Current.CancellationToken);
        var failing = _queue.WriteAsync(
            (unit, _) =>
            {
                unit.Committed = () => throw new InvalidDataException();
                return Task.FromResult(1);
            },
            TestContext.Current.CancellationToken);
        var behind = _queue.WriteAsync(
            (unit, _) =>
            {
                unit.Committed = () => told = true;
                return Task.FromResult(2);
            },
            TestContext.Current.CancellationToken);
        gate.Release();
        await blocker;
        (await failing, await behind, told).ShouldBe((1, 2, true));
    }

    [Fact]
    public async Task Of_many_units_in_one_group_the_failing_ones_fail_alone()
    {
        using var gate = new SemaphoreSlim(0);
        var blocker = _queue.WriteAsync(Organization, (_, stop) => gate.WaitAsync(stop), TestContext.Current.CancellationToken);
        var units = Enumerable.Range(0, 100).Select(number => _queue.WriteAsync(Organization, (db, _) => AddAsync(db, number), TestContext.Current.CancellationToken)).ToList();
        gate.Release();
        await blocker;

        for (var number = 0; number < units.Count; number++)
        {
            if (number % 3 == 0) (await Should.ThrowAsync<InvalidDataException>(units[number])).Message.ShouldBe($"{number}");
            else (await units[number]).ShouldBe(number);
        }

        await using var db = _database.Read(Organization);
        var kept = await db.Set<AuditRecord>().Select(record => record.Subject).ToListAsync(TestContext.Current.CancellationToken);
        kept.ShouldBe(Enumerable.Range(0, 100).Where(number => number % 3 != 0).Select(number => $"{number}"), ignoreOrder: true);
    }

    /// <summary>Those that are saved together are, whether they stand alone, beside others' work or beside one of theirs that is refused.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Additions_are_stored_each_once_and_the_failing_ones_fail_alone(int failing)
    {
        using var gate = new SemaphoreSlim(0);
        var blocker = _queue.WriteAsync(Organization, (_, stop) => gate.WaitAsync(stop), TestContext.Current.CancellationToken);
        var units = Enumerable.Range(0, 90).Select(number => number switch
        {
            _ when number % 30 == 7 => (Task)_queue.WriteAsync(Organization, (db, _) => AddAsync(db, 1000 + number), TestContext.Current.CancellationToken),
            _ when number % 20 < failing => _queue.AppendAsync(Organization, db => AddTwice(db, number), TestContext.Current.CancellationToken),
            _ => _queue.AppendAsync(Organization, db => Add(db, number), TestContext.Current.CancellationToken),
        }).ToList();
        gate.Release();
        await blocker;

        for (var number = 0; number < units.Count; number++)
        {
            if (number % 30 == 7) await units[number];
            else if (number % 20 < failing) await Should.ThrowAsync<DbUpdateException>(units[number]);
            else await units[number];
        }

        await using var db = _database.Read(Organization);
        var kept = await db.Set<AuditRecord>().Select(record => record.Subject).ToListAsync(TestContext.Current.CancellationToken);
        kept.Count.ShouldBe(kept.Distinct().Count());
        kept.Count(subject => subject.Length < 4).ShouldBe(Enumerable.Range(0, 90).Count(number => number % 30 != 7 && number % 20 >= failing));
    }

    [Fact]
    public async Task What_a_constraint_refuses_comes_back_to_the_one_who_asked()
    {
        var first = await _queue.WriteAsync(Organization, (db, _) => AddAsync(db, 1), TestContext.Current.CancellationToken);
        await Should.ThrowAsync<DbUpdateException>(() => _queue.WriteAsync(
            Organization,
            (db, _) => Task.FromResult(db.Add(new Organization { Id = Organization, Name = "Twice", Version = 0, Created = default })),
            TestContext.Current.CancellationToken));

        first.ShouldBe(1);
        (await _queue.WriteAsync(Organization, (db, _) => AddAsync(db, 2), TestContext.Current.CancellationToken)).ShouldBe(2);
    }

    [Fact]
    public async Task A_unit_can_not_write_rows_of_another_organization()
    {
        var other = new OrganizationId(Guid.NewGuid());
        var failure = await Should.ThrowAsync<InvalidOperationException>(() => _queue.WriteAsync(
            other,
            (db, _) =>
            {
                db.Of(Organization);
                _audit.Add(db, new AuditEntry { Kind = "test", Channel = "system" });
                db.Of(other);
                return Task.CompletedTask;
            },
            TestContext.Current.CancellationToken));
        failure.Message.ShouldContain("another organization");
    }

    [Fact]
    public async Task Work_that_was_given_up_before_it_began_is_not_done()
    {
        using var gate = new SemaphoreSlim(0);
        using var giveUp = new CancellationTokenSource();
        var blocker = _queue.WriteAsync(Organization, (_, stop) => gate.WaitAsync(stop), TestContext.Current.CancellationToken);
        var given = _queue.WriteAsync(Organization, (db, _) => AddAsync(db, 1), giveUp.Token);
        await giveUp.CancelAsync();
        gate.Release();
        await blocker;

        await Should.ThrowAsync<OperationCanceledException>(given);
        await using var db = _database.Read(Organization);
        (await db.Set<AuditRecord>().CountAsync(TestContext.Current.CancellationToken)).ShouldBe(0);
    }

    /// <summary>A full disk, a page that can't be read: SQLite then rolls all of the transaction back by itself.</summary>
    [Fact]
    public async Task What_ends_the_transaction_of_a_group_fails_alone_and_the_others_are_stored_each_once()
    {
        await TriggerAsync();
        var (committed, lost) = (new List<int>(), new List<int>());
        var (held, go) = await HoldAsync();
        var units = Enumerable.Range(0, 60).Select(number => IsAddition(number)
            ? _queue.AppendAsync(Organization, db => Add(db, number), TestContext.Current.CancellationToken)
            : _queue.WriteAsync(
                async (unit, _) =>
                {
                    unit.Committed += () => committed.Add(number);
                    unit.Lost += () => lost.Add(number);
                    Add(unit.Db.Of(Organization), number);
                    if (number == 35) await unit.Db.SaveChangesAsync(TestContext.Current.CancellationToken);
                    return number;
                },
                TestContext.Current.CancellationToken)).ToList();
        go.SetResult();
        await held;
        for (var number = 0; number < units.Count; number++)
        {
            if (IsFatal(number)) (await Should.ThrowAsync<DbUpdateException>(units[number])).InnerException.ShouldBeOfType<SqliteException>();
            else await units[number];
        }

        committed.ShouldBe(Enumerable.Range(0, 60).Where(number => !IsAddition(number) && !IsFatal(number)));
        lost.ShouldContain(1, "it was undone with the others once");
        (await KeptAsync()).ShouldBe(Enumerable.Range(0, 60).Where(number => !IsFatal(number)).Select(number => $"{number}"), ignoreOrder: true);
    }

    [Fact]
    public async Task What_ends_the_transaction_where_nothing_else_is_in_it_comes_back_as_what_could_not_be_stored()
    {
        await TriggerAsync();
        var raw = _queue.WriteAsync(
            Organization, (db, stop) => db.Database.ExecuteSqlRawAsync($"UPDATE organization SET Name = '{Fatal}'", stop), TestContext.Current.CancellationToken);
        (await Should.ThrowAsync<DbUpdateException>(raw)).InnerException.ShouldBeOfType<SqliteException>();
        await Should.ThrowAsync<DbUpdateException>(_queue.AppendAsync(Organization, db => Add(db, Fatal), TestContext.Current.CancellationToken));
        (await _queue.WriteAsync(Organization, (db, _) => AddAsync(db, 1), TestContext.Current.CancellationToken)).ShouldBe(1);
    }

    [Fact]
    public async Task What_can_not_be_committed_fails_alone_and_the_others_are_stored()
    {
        await using (var db = _database.Open())
            await db.Database.ExecuteSqlRawAsync("CREATE TABLE late (id BLOB REFERENCES organization (Id) DEFERRABLE INITIALLY DEFERRED)", TestContext.Current.CancellationToken);
        var (held, go) = await HoldAsync();
        var before = _queue.WriteAsync(Organization, (db, _) => AddAsync(db, 1), TestContext.Current.CancellationToken);
        var late = _queue.WriteAsync(Organization, (db, stop) => db.Database.ExecuteSqlRawAsync("INSERT INTO late VALUES (x'00')", stop), TestContext.Current.CancellationToken);
        var behind = _queue.AppendAsync(Organization, db => Add(db, 2), TestContext.Current.CancellationToken);
        go.SetResult();
        await held;
        await before;
        await behind;
        await Should.ThrowAsync<DbUpdateException>(late);
        (await KeptAsync()).ShouldBe(["1", "2"], ignoreOrder: true);
    }

    /// <summary>What comes while the writer is held is one group.</summary>
    private async Task<(Task Held, TaskCompletionSource Go)> HoldAsync()
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = _queue.WriteAsync(
            Organization,
            (_, _) =>
            {
                entered.SetResult();
                return go.Task;
            },
            TestContext.Current.CancellationToken);
        await entered.Task;
        return (held, go);
    }

    /// <summary>Some in rows, with one among them that is fatal.</summary>
    private static bool IsAddition(int number) => number < 30 && number % 10 is 4 or 5 or 6;

    private static bool IsFatal(int number) => number % 10 == Fatal;

    private async Task TriggerAsync()
    {
        await using var db = _database.Open();
        await db.Database.ExecuteSqlRawAsync(
            $"""
            CREATE TRIGGER fatal BEFORE INSERT ON audit_record WHEN NEW.Subject LIKE '%{Fatal}' BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END;
            CREATE TRIGGER fatal_name BEFORE UPDATE ON organization WHEN NEW.Name = '{Fatal}' BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END;
            """,
            TestContext.Current.CancellationToken);
    }

    private async Task<List<string>> KeptAsync()
    {
        await using var db = _database.Read(Organization);
        return await db.Set<AuditRecord>().Select(record => record.Subject).ToListAsync(TestContext.Current.CancellationToken);
    }

    private void Add(CountersignDb db, int number) => _audit.Add(db, new AuditEntry { Kind = "test", Channel = "system", Subject = $"{number}" });

    /// <summary>The organization is there already.</summary>
    private void AddTwice(CountersignDb db, int number)
    {
        Add(db, number);
        db.Add(new Organization { Id = Organization, Name = "Twice", Version = 0, Created = default });
    }

    private async Task<int> AddAsync(CountersignDb db, int number)
    {
        Add(db, number);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return number % 3 == 0 ? throw new InvalidDataException($"{number}") : number;
    }
}
