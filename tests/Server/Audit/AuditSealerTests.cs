using System.Net;
using Countersign.Audit;
using Countersign.Server.Features.Audit;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Audit;

public sealed class AuditSealerTests : IAsyncLifetime
{
    private RunningServer _running = null!;
    private Tenant _tenant = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private AuditSealer Sealer => Service<AuditSealer>();

    private string DataDirectory => Service<ServerOptions>().DataDirectory;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task Sealers_and_writers_at_once_number_every_record_once_without_gaps()
    {
        await Task.WhenAll(Enumerable.Range(0, 300).SelectMany(number => (Task[])
        [
            LogAsync($"record {number}"),
            Sealer.SealAsync(_tenant.Id, Stop),
            Should.ThrowAsync<InvalidDataException>(() => LogAsync("never stored", () => throw new InvalidDataException())),
        ]));
        await Sealer.SealAsync(_tenant.Id, Stop);

        var (records, seals, head) = await ReadAsync();
        records.Count.ShouldBe(301);
        seals.Select(seal => seal.Number).ShouldBe(Enumerable.Range(1, records.Count).Select(number => (long)number));
        seals.Select(seal => seal.Record).ShouldBe(records.Select(record => record.Id));
        head.Size.ShouldBe(records.Count);
        MerkleFrontier.FromBytes(head.Size, head.Frontier).Root().ShouldBe(MerkleTree.Root(seals.Select(seal => seal.Leaf).ToArray()));
        foreach (var (record, seal) in records.Zip(seals))
            seal.Leaf.ShouldBe(RecordSeal.Leaf(SealedForm.Logged(record, seal.Number), RecordSeal.Commit(SealedForm.Personal(record), seal.Salt)));
    }

    [Fact]
    public async Task A_second_sealer_that_has_read_an_old_head_can_not_fork_the_log()
    {
        await Sealer.SealAsync(_tenant.Id, Stop);
        await LogAsync("one");
        await using var other = _running.Database.Read(_tenant.Id);
        (await AuditSealer.SealBatchAsync(other, AuditSealer.SealWhat.New, Stop)).ShouldBe(1);
        await LogAsync("two");
        await Sealer.SealAsync(_tenant.Id, Stop);

        await Should.ThrowAsync<DbUpdateException>(() => other.SaveChangesAsync(Stop));
        var (records, seals, head) = await ReadAsync();
        seals.Count.ShouldBe(records.Count);
        head.Size.ShouldBe(records.Count);
    }

    [Fact]
    public async Task Two_sealers_at_once_on_connections_of_their_own_fork_nothing()
    {
        await Sealer.SealAsync(_tenant.Id, Stop);
        for (var round = 0; round < 20; round++)
        {
            await LogAsync($"round {round}");
            await using var one = _running.Database.Read(_tenant.Id);
            await using var other = _running.Database.Read(_tenant.Id);

            // The server's own sealer runs, too, and may be before both.
            var batches = (await AuditSealer.SealBatchAsync(one, AuditSealer.SealWhat.New, Stop), await AuditSealer.SealBatchAsync(other, AuditSealer.SealWhat.New, Stop));
            var outcomes = await Task.WhenAll(SavedAsync(one), SavedAsync(other));
            if (batches == (1, 1)) outcomes.Count(saved => saved).ShouldBeLessThanOrEqualTo(1, $"round {round}");
        }

        await Sealer.SealAsync(_tenant.Id, Stop);
        var (records, seals, head) = await ReadAsync();
        seals.Select(seal => seal.Number).ShouldBe(Enumerable.Range(1, records.Count).Select(number => (long)number));
        MerkleFrontier.FromBytes(head.Size, head.Frontier).Root().ShouldBe(MerkleTree.Root(seals.Select(seal => seal.Leaf).ToArray()));

        static async Task<bool> SavedAsync(CountersignDb db)
        {
            try
            {
                await db.SaveChangesAsync(Stop);
                return true;
            }
            catch (DbUpdateException)
            {
                return false;
            }
        }
    }

    [Theory]
    [InlineData("update audit_head set Frontier = x'00'", "does not fit")]
    [InlineData("update audit_head set Size = Size + 1", "counts")]
    [InlineData("update audit_head set Frontier = randomblob(length(Frontier))", "not what its checkpoint")]
    [InlineData("delete from audit_head", "is gone")]
    [InlineData("delete from audit_seal where Number = (select max(Number) from audit_seal)", "counts")]
    public async Task With_a_damaged_head_the_server_does_not_start_and_says_why(string sql, string why)
    {
        await LogAsync("one");
        await Sealer.CheckpointAsync(_tenant.Id, Stop);
        var (options, file) = (Service<ServerOptions>(), _running.Database.File);
        await _running.Server.DisposeAsync();
        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Foreign Keys=False;Pooling=False"))
        {
            await connection.OpenAsync(Stop);
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the text is one of this test's own
            command.CommandText = sql;
#pragma warning restore CA2100
            (await command.ExecuteNonQueryAsync(Stop)).ShouldBeGreaterThan(0);
        }

        var damage = await Should.ThrowAsync<AuditDamagedException>(() => CountersignServer.StartAsync(options, Stop));
        damage.Message.ShouldContain("audit_head");
        damage.Message.ShouldContain(why);
        damage.Message.ShouldContain("Restore the database from a backup");
    }

    [Fact]
    public async Task A_head_that_is_damaged_while_the_server_runs_is_not_sealed_over()
    {
        await Sealer.CheckpointAsync(_tenant.Id, Stop);
        await Service<WriteQueue>().WriteAsync(_tenant.Id, (db, stop) => db.Set<AuditHead>().ExecuteUpdateAsync(set => set.SetProperty(head => head.Frontier, new byte[] { 1 }), stop), Stop);
        await LogAsync("one");
        await Should.ThrowAsync<AuditDamagedException>(() => Sealer.SealAsync(_tenant.Id, Stop));
        await Should.ThrowAsync<AuditDamagedException>(() => Sealer.CheckpointAsync(_tenant.Id, Stop));
    }

    [Fact]
    public async Task What_waits_is_sealed_by_the_server_itself()
    {
        await LogAsync("one");
        await Sealer.TickAsync(Stop);
        var (records, seals, _) = await ReadAsync();
        seals.Count.ShouldBe(records.Count);
    }

    [Fact]
    public async Task A_record_that_came_with_an_older_id_is_not_skipped()
    {
        await Sealer.SealAsync(_tenant.Id, Stop);
        await Service<WriteQueue>().WriteAsync(
            _tenant.Id,
            (db, _) => Task.FromResult(db.Add(new AuditRecord
            {
                OrganizationId = _tenant.Id,
                Id = 5,
                At = default,
                Kind = "restored",
                Actor = null,
                ActorLogin = "",
                Channel = "system",
                Source = null,
                Subject = "",
                SubjectId = null,
                Outcome = AuditOutcome.Done,
                Details = "{}",
                Correlation = "",
            })),
            Stop);
        await _running.RestartAsync();

        var (records, seals, head) = await ReadAsync();
        seals.Count.ShouldBe(records.Count);
        seals[^1].Record.ShouldBe(5);
        head.LastRecord.ShouldBe(records.Max(record => record.Id));
    }

    [Fact]
    public async Task A_stop_seals_everything_and_signs_it_into_a_file_that_goes_on_after_a_line_that_was_cut_off()
    {
        var file = Path.Combine(DataDirectory, CheckpointFile.FileName);
        await LogAsync("one");
        await _running.RestartAsync();
        var (records, _, _) = await ReadAsync();
        var last = (await CheckpointsAsync(file))[^1];
        last.Size.ShouldBe(records.Count);
        last.Organization.ShouldBe(_tenant.Id.Value);

        await File.AppendAllTextAsync(file, "{\"organization\":\"", Stop);
        await LogAsync("two");
        await _running.RestartAsync();
        var checkpoints = await CheckpointsAsync(file);
        checkpoints[^1].Size.ShouldBe(records.Count + 1);
        checkpoints.ShouldAllBe(checkpoint => checkpoint.IsGenuine());
    }

    [Fact]
    public async Task The_same_checkpoint_stands_until_something_comes()
    {
        var one = await Sealer.CheckpointAsync(_tenant.Id, Stop);
        (await Sealer.CheckpointAsync(_tenant.Id, Stop)).Signature.ShouldBe(one.Signature);
        await LogAsync("one");
        var two = await Sealer.CheckpointAsync(_tenant.Id, Stop);
        two.Size.ShouldBe(one.Size + 1);
        two.Key.ShouldBe(one.Key);
        await using var db = _running.Database.Read(_tenant.Id);
        (await db.Set<AuditCheckpoint>().AsNoTracking().SingleAsync(row => row.Size == two.Size, Stop)).Signed().IsGenuine().ShouldBeTrue();
    }

    [Fact]
    public async Task Without_the_key_that_signed_so_far_the_server_does_not_start()
    {
        await Sealer.CheckpointAsync(_tenant.Id, Stop);
        var key = Path.Combine(DataDirectory, CheckpointKeyFile.FileName);
        var options = Service<ServerOptions>();
        await _running.Server.DisposeAsync();
        File.Move(key, key + ".away");
        (await Should.ThrowAsync<KeyFileException>(() => CountersignServer.StartAsync(options, Stop))).Message.ShouldContain("audit.key is missing");
        File.Exists(key).ShouldBeFalse();
        File.Move(key + ".away", key, overwrite: true);
        await using var again = await CountersignServer.StartAsync(options, Stop);
    }

    [Fact]
    public async Task A_checkpoint_is_signed_every_minute_in_which_something_came()
    {
        await using var lab = await IdentityLab.StartAsync();
        var sealer = lab.Server.Services.GetRequiredService<AuditSealer>();
        var file = Path.Combine(lab.DataDirectory, CheckpointFile.FileName);
        await sealer.CheckpointAsync(lab.Organization, Stop);
        await sealer.TickAsync(Stop);
        var before = (await CheckpointsAsync(file)).Count;
        lab.Clock.Advance(AuditSealer.CheckpointEvery);
        await sealer.TickAsync(Stop);
        (await CheckpointsAsync(file)).Count.ShouldBe(before);

        await lab.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            lab.Organization,
            (db, _) =>
            {
                lab.Server.Services.GetRequiredService<AuditLog>().Add(db, new AuditEntry { Kind = "test.happened", Channel = "system" });
                return Task.CompletedTask;
            },
            Stop);
        await sealer.TickAsync(Stop);
        (await CheckpointsAsync(file)).Count.ShouldBe(before);
        lab.Clock.Advance(AuditSealer.CheckpointEvery);
        await sealer.TickAsync(Stop);
        (await CheckpointsAsync(file)).Count.ShouldBe(before + 1);
    }

    private static async Task<List<Checkpoint>> CheckpointsAsync(string file)
    {
        // Shared, as whoever ships it reads it: the server may be appending.
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var lines = (await reader.ReadToEndAsync(Stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => ExportLines.TryReadCheckpoint(System.Text.Encoding.UTF8.GetBytes(line), out var checkpoint) ? checkpoint : throw new InvalidDataException(line))];
    }

    private T Service<T>() where T : notnull => _running.Server.Services.GetRequiredService<T>();

    private Task LogAsync(string subject, Action? then = null) => Service<WriteQueue>().WriteAsync(
        _tenant.Id,
        (db, _) =>
        {
            Service<AuditLog>().Add(db, new AuditEntry { Kind = "test.happened", Channel = "system", Subject = subject, Source = IPAddress.Loopback, Actor = _tenant.OwnerId });
            then?.Invoke();
            return Task.CompletedTask;
        },
        Stop);

    private async Task<(List<AuditRecord> Records, List<AuditSeal> Seals, AuditHead Head)> ReadAsync()
    {
        await using var db = _running.Database.Read(_tenant.Id);
        return (
            await db.Set<AuditRecord>().AsNoTracking().OrderBy(record => record.Id).ToListAsync(Stop),
            await db.Set<AuditSeal>().AsNoTracking().OrderBy(seal => seal.Number).ToListAsync(Stop),
            await db.Set<AuditHead>().AsNoTracking().SingleAsync(Stop));
    }
}
