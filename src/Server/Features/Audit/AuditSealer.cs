using System.Data.Common;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// Numbers what was logged and makes it leaves of the organization's tree, at most a second behind, and signs checkpoints: every minute in which
/// something came, and when the server stops.
/// </summary>
/// <remarks>
/// Seals are written by the one writer, so that what was logged before is committed or in the same transaction, and with the head in one transaction:
/// a crash loses nothing and gives no number twice. A checkpoint is signed only of what is durable.
/// </remarks>
internal sealed partial class AuditSealer(
    WriteQueue queue, Database database, PolicySource policy, AuditLog audit, CheckpointKey key, CheckpointFile file, TimeProvider time, ILogger<AuditSealer> log)
    : BackgroundService
{
    public static readonly TimeSpan CheckpointEvery = TimeSpan.FromMinutes(1);

    /// <summary>Whoever writes a record meanwhile waits for it.</summary>
    private const int MostInBatch = 100;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim _signing = new(1);
    private readonly Dictionary<OrganizationId, DateTimeOffset> _signed = [];
    private long _sealed = -1;

    /// <summary>Before the server listens: with another key its exports would not fit the checkpoints that were kept.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var publicKey = key.Sign(default, 0, MerkleTree.EmptyRoot, default).Key;
        foreach (var organization in Organizations())
        {
            var newest = await NewestCheckpointAsync(organization, cancellationToken);
            if (newest is not null && !newest.Key.AsSpan().SequenceEqual(publicKey))
                throw new KeyFileException($"{CheckpointKeyFile.FileName} is not the key that signed the checkpoints so far. Restore it from a backup.");
            await using (var db = database.Read(organization)) await CheckAsync(db, newest, cancellationToken);
            await SealAsync(organization, SealWhat.Everything, cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            foreach (var organization in Organizations()) await CheckpointAsync(organization, cancellationToken);
        }
        catch (Exception failure) when (failure is DbException or DbUpdateException or IOException or AuditDamagedException)
        {
            // What is not sealed now is sealed first at the next start.
            LogFailed(failure);
        }
    }

    public override void Dispose()
    {
        _signing.Dispose();
        base.Dispose();
    }

    /// <summary>Everything that was logged before is sealed when it returns.</summary>
    public Task SealAsync(OrganizationId organization, CancellationToken cancellation) => SealAsync(organization, SealWhat.New, cancellation);

    /// <summary>Seals, and signs what is sealed; the same checkpoint again if nothing came since.</summary>
    public async Task<Checkpoint> CheckpointAsync(OrganizationId organization, CancellationToken cancellation)
    {
        await SealAsync(organization, cancellation);
        await _signing.WaitAsync(cancellation);
        try
        {
            // Read outside of the writer: only what is committed.
            await using var db = database.Read(organization);
            var head = await db.Set<AuditHead>().AsNoTracking().SingleOrDefaultAsync(cancellation);
            var newest = await NewestCheckpointAsync(organization, cancellation);
            if (newest is not null && newest.Size == (head?.Size ?? 0)) return newest.Signed();
            var root = head is null ? MerkleTree.EmptyRoot : Frontier(head).Root();
            if (newest is not null && newest.Size > (head?.Size ?? 0)) throw Behind(newest);
            var checkpoint = key.Sign(organization.Value, head?.Size ?? 0, root, time.GetUtcNow());

            // The file first: if a crash comes between, it has one checkpoint more, which is true.
            file.Append(checkpoint);
            await queue.WriteAsync(organization, (writing, _) => Task.FromResult(writing.Add(AuditCheckpoint.Of(checkpoint))), cancellation);
            lock (_signed) _signed[organization] = checkpoint.At;
            return checkpoint;
        }
        finally
        {
            _signing.Release();
        }
    }

    /// <summary>What is done every half second.</summary>
    public async Task TickAsync(CancellationToken cancellation)
    {
        var last = audit.Last;
        if (last != _sealed)
        {
            foreach (var organization in Organizations()) await SealAsync(organization, cancellation);
            _sealed = last;
        }

        foreach (var organization in Organizations())
        {
            DateTimeOffset signed;
            lock (_signed) signed = _signed.GetValueOrDefault(organization);
            if (time.GetUtcNow() - signed < CheckpointEvery) continue;
            await CheckpointAsync(organization, cancellation);
            lock (_signed) _signed[organization] = time.GetUtcNow();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await TickAsync(stoppingToken);
            }
            catch (Exception failure) when (failure is DbException or DbUpdateException or IOException or AuditDamagedException)
            {
                // The database or the disk: nothing is lost, and the next round tries again. What is damaged is not sealed over, and the server does not start on it again.
                LogFailed(failure);
            }
        }
    }

    private async Task SealAsync(OrganizationId organization, SealWhat what, CancellationToken cancellation)
    {
        while (await queue.WriteAsync(organization, (db, stop) => SealBatchAsync(db, what, stop), cancellation) == MostInBatch)
        {
        }
    }

    /// <returns>How many records were sealed.</returns>
    internal static async Task<int> SealBatchAsync(CountersignDb db, SealWhat what, CancellationToken cancellation)
    {
        var head = await db.Set<AuditHead>().SingleOrDefaultAsync(cancellation);
        var records = db.Set<AuditRecord>().AsNoTracking();
        if (what == SealWhat.New)
        {
            var last = head?.LastRecord ?? 0;
            records = records.Where(record => record.Id > last);
        }
        else
        {
            records = records.Where(record => !db.Set<AuditSeal>().Any(seal => seal.Record == record.Id));
        }

        var batch = await records.OrderBy(record => record.Id).Take(MostInBatch).ToListAsync(cancellation);
        if (batch.Count == 0) return 0;
        if (head is null && await db.Set<AuditSeal>().AnyAsync(cancellation)) throw new AuditDamagedException("it is gone, though records are sealed");
        if (head is null) db.Add(head = new() { OrganizationId = db.Organization, Size = 0, LastRecord = 0, Frontier = [] });
        var frontier = Frontier(head);
        foreach (var record in batch)
        {
            var salt = RecordSeal.NewSalt();
            var number = frontier.Size + 1;
            var leaf = RecordSeal.Leaf(SealedForm.Logged(record, number), RecordSeal.Commit(SealedForm.Personal(record), salt));
            db.Append(new AuditSeal { OrganizationId = db.Organization, Number = number, Record = record.Id, Salt = salt, Leaf = leaf });
            frontier.Add(leaf);
        }

        head.Size = frontier.Size;
        head.LastRecord = Math.Max(head.LastRecord, batch[^1].Id);
        head.Frontier = frontier.ToBytes();
        return batch.Count;
    }

    /// <summary>That the head goes on from the seals and the checkpoint that there are, as far as that can be told without reading all of them.</summary>
    private static async Task CheckAsync(CountersignDb db, AuditCheckpoint? newest, CancellationToken cancellation)
    {
        var head = await db.Set<AuditHead>().AsNoTracking().SingleOrDefaultAsync(cancellation);
        var last = await db.Set<AuditSeal>().MaxAsync(seal => (long?)seal.Number, cancellation) ?? 0;
        if (head is null && last > 0) throw new AuditDamagedException("it is gone, though records are sealed");
        if (head is not null && head.Size != last) throw new AuditDamagedException($"it counts {head.Size} records, and the last that is sealed is number {last}");
        if (newest is not null && newest.Size > last) throw Behind(newest);
        if (head is null) return;
        var root = Frontier(head).Root();
        if (newest?.Size == head.Size && !newest.Root.AsSpan().SequenceEqual(root)) throw new AuditDamagedException("it is not what its checkpoint was signed over");
    }

    private static AuditDamagedException Behind(AuditCheckpoint newest) => new($"a checkpoint was signed over {newest.Size} records, and it has fewer");

    private static MerkleFrontier Frontier(AuditHead head)
    {
        try
        {
            return MerkleFrontier.FromBytes(head.Size, head.Frontier);
        }
        catch (ArgumentException)
        {
            throw new AuditDamagedException($"what it keeps of the tree does not fit {head.Size} records");
        }
    }

    private async Task<AuditCheckpoint?> NewestCheckpointAsync(OrganizationId organization, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        return await db.Set<AuditCheckpoint>().AsNoTracking().OrderByDescending(row => row.Size).FirstOrDefaultAsync(cancellation);
    }

    private List<OrganizationId> Organizations() => [.. policy.All.Select(snapshot => snapshot.Organization)];

    [LoggerMessage(1, LogLevel.Error, "The audit log could not be sealed; it is tried again")]
    private partial void LogFailed(Exception failure);

    internal enum SealWhat
    {
        /// <summary>Behind the last one. Ids are given by the one writer, so that there is nothing else while a server runs.</summary>
        New,

        /// <summary>Whatever has no seal: also what came into the database in another way while no server ran.</summary>
        Everything,
    }
}

/// <summary>The log's head is not what it was. Nothing is sealed on it: that would prove what nobody sealed.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Without what is wrong the exception would say nothing.")]
internal sealed class AuditDamagedException(string what)
    : Exception($"The head of the audit log (audit_head) is damaged: {what}. Restore the database from a backup; until then verify the newest export.");
