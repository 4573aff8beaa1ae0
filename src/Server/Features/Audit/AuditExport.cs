using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Audit;

internal static class GetCheckpoint
{
    public static async Task<Results<Ok<CheckpointAnswer>, ProblemHttpResult>> HandleAsync(
        Caller caller, CallersPolicy policy, AuditSealer sealer, CancellationToken cancellation)
    {
        if (!policy.MayReadLog) return AuditRefusal.Forbidden();
        var signed = await sealer.CheckpointAsync(caller.Organization, cancellation);
        return TypedResults.Ok(new CheckpointAnswer(signed.Organization, signed.Size, signed.Root, signed.At, signed.Key, signed.Signature));
    }
}

/// <summary>How an export is wanted beside its filter.</summary>
internal readonly record struct ExportQuery
{
    /// <summary>jsonl, with proofs, or csv, without.</summary>
    [FromQuery(Name = "format")]
    public string? Format { get; init; }

    /// <summary>The size of a checkpoint that was kept: an excerpt then proves that the log has grown out of it.</summary>
    [FromQuery(Name = "since")]
    public long? Since { get; init; }
}

internal static class ExportAudit
{
    public const string ContentType = "application/jsonl";

    /// <summary>The record of the export is the last one in it, where it is asked for.</summary>
    public static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> HandleAsync(
        [AsParameters] AuditFilter filter, [AsParameters] ExportQuery query, Caller caller, CallersPolicy policy, WriteQueue queue, AuditLog audit, AuditSealer sealer,
        AuditExport export, LongAnswer answer, CancellationToken cancellation)
    {
        if (!policy.MayReadLog) return AuditRefusal.Forbidden();
        if (filter.Problem() is { } wrong) return wrong;
        if (query.Format is not (null or "jsonl" or "csv")) return Problems.Invalid("format", "It is jsonl or csv.");
        if (query.Since is < 0) return Problems.Invalid("since", "It is the size of a checkpoint.");
        var csv = query.Format == "csv";
        await queue.WriteAsync(
            caller.Organization,
            (db, _) =>
            {
                var details = new JsonObject { ["format"] = csv ? "csv" : "jsonl" };
                foreach (var (name, value) in filter.Told()) details[name] = value;
                audit.Add(db, AuditEntry.By(caller, "audit.exported") with { Subject = filter.IsEmpty ? "the whole log" : "an excerpt of the log", Details = details });
                return Task.CompletedTask;
            },
            cancellation);
        var checkpoint = await sealer.CheckpointAsync(caller.Organization, cancellation);
        if (query.Since > checkpoint.Size)
            return Problems.Invalid("since", $"The log has {checkpoint.Size} records. A checkpoint of more is not of this log, or the log was cut.");
        return csv
            ? answer.Send((stream, stop) => export.WriteCsvAsync(checkpoint, filter, stream, stop), May, Csv.ContentType, "audit.csv")
            : answer.Send(
                (stream, stop) => filter.IsEmpty ? export.WriteAsync(checkpoint, stream, stop) : export.WriteExcerptAsync(checkpoint, filter, query.Since, stream, stop), May, ContentType, "audit.jsonl");

        static bool May(Caller caller, CallersPolicy inForce) => inForce.MayReadLog;
    }
}

/// <summary>
/// Writes the log up to a checkpoint as <see cref="ExportLines"/>. Reads in small pieces, since what is sealed does not change, and holds one of them.
/// </summary>
/// <remarks>
/// What the database holds goes out as it is: should somebody have changed or removed a row there, it is the verifier that says so.
/// </remarks>
internal sealed class AuditExport(Database database, AuditTrees trees)
{
    private const int Batch = 500;

    public async Task WriteAsync(Checkpoint checkpoint, Stream stream, CancellationToken cancellation)
    {
        var organization = new OrganizationId(checkpoint.Organization);
        var proofs = new ExportProofs();
        for (var first = 1L; first <= checkpoint.Size; first += ExportProofs.ChunkSize)
        {
            await using var db = database.Read(organization);
            proofs.Learn(await LeavesAsync(db, first, Last(first, checkpoint), cancellation));
        }

        await LineAsync(stream, ExportLines.Write(checkpoint), cancellation);
        for (var first = 1L; first <= checkpoint.Size; first += ExportProofs.ChunkSize)
        {
            await using var db = database.Read(organization);
            var last = Last(first, checkpoint);
            var leaves = await LeavesAsync(db, first, last, cancellation);
            var rows = (await db.Set<AuditSeal>().AsNoTracking()
                .Where(seal => seal.Number >= first && seal.Number <= last)
                .Join(db.Set<AuditRecord>().AsNoTracking(), seal => seal.Record, record => record.Id, (seal, record) => new { Seal = seal, Record = record })
                .ToListAsync(cancellation)).ToDictionary(row => row.Seal.Number);
            for (var number = first; number <= last; number++)
            {
                var proof = proofs.Next(leaves);
                if (rows.TryGetValue(number, out var row)) await LineAsync(stream, ExportLines.Write(SealedForm.Exported(row.Record, row.Seal, proof)), cancellation);
            }
        }
    }

    /// <summary>What the filter finds, each record with the proof that it is in the tree.</summary>
    /// <param name="since">The size of a tree that this one has grown out of, to be proved, too.</param>
    public async Task WriteExcerptAsync(Checkpoint checkpoint, AuditFilter filter, long? since, Stream stream, CancellationToken cancellation)
    {
        await LineAsync(stream, ExportLines.Write(checkpoint), cancellation);
        await stream.FlushAsync(cancellation);
        var organization = new OrganizationId(checkpoint.Organization);
        var numbers = await NumbersAsync(checkpoint, filter, cancellation);
        await using (var db = database.Read(organization))
        {
            var tree = await trees.GrownAsync(db, checkpoint.Size, cancellation);
            var consistency = since is > 0 and var first ? await tree.ConsistencyAsync(db, first, checkpoint.Size, cancellation) : [];
            await LineAsync(stream, ExportLines.Write(new Excerpt { Filter = filter.Told(), Records = numbers.Count, Since = since, Consistency = consistency }), cancellation);
        }

        await foreach (var (db, record, seal) in RowsAsync(organization, numbers, cancellation))
        {
            var tree = await trees.GrownAsync(db, checkpoint.Size, cancellation);
            var proof = await tree.InclusionAsync(db, seal.Number - 1, checkpoint.Size, cancellation);
            await LineAsync(stream, ExportLines.Write(SealedForm.Exported(record, seal, proof)), cancellation);
        }
    }

    public async Task WriteCsvAsync(Checkpoint checkpoint, AuditFilter filter, Stream stream, CancellationToken cancellation)
    {
        await stream.WriteAsync(AuditCsv.Heading, cancellation);
        await stream.FlushAsync(cancellation);
        await foreach (var (_, record, seal) in RowsAsync(new(checkpoint.Organization), await NumbersAsync(checkpoint, filter, cancellation), cancellation))
            await stream.WriteAsync(AuditCsv.Row(record, seal.Number), cancellation);
    }

    /// <summary>Eight bytes for each record that is found.</summary>
    private async Task<List<long>> NumbersAsync(Checkpoint checkpoint, AuditFilter filter, CancellationToken cancellation)
    {
        await using var db = database.Read(new(checkpoint.Organization));
        var numbers = new HashSet<long>();
        foreach (var arm in await AuditSearch.ArmsAsync(db, filter, cancellation))
        {
            var found = arm.Join(db.Set<AuditSeal>(), record => record.Id, seal => seal.Record, (_, seal) => seal.Number).Where(number => number <= checkpoint.Size);
            await foreach (var number in found.AsAsyncEnumerable().WithCancellation(cancellation)) numbers.Add(number);
        }

        return [.. numbers.Order()];
    }

    private async IAsyncEnumerable<(CountersignDb Db, AuditRecord Record, AuditSeal Seal)> RowsAsync(
        OrganizationId organization, List<long> numbers, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var batch in numbers.Chunk(Batch))
        {
            await using var db = database.Read(organization);
            var rows = await db.Set<AuditSeal>().AsNoTracking()
                .Where(seal => batch.Contains(seal.Number))
                .Join(db.Set<AuditRecord>().AsNoTracking(), seal => seal.Record, record => record.Id, (seal, record) => new { Seal = seal, Record = record })
                .OrderBy(row => row.Seal.Number)
                .ToListAsync(cancellation);
            foreach (var row in rows) yield return (db, row.Record, row.Seal);
        }
    }

    private static long Last(long first, Checkpoint checkpoint) => Math.Min(first + ExportProofs.ChunkSize - 1, checkpoint.Size);

    /// <summary>In place of one that is gone stands nothing that could be a leaf: its neighbours keep their places.</summary>
    internal static async Task<byte[][]> LeavesAsync(CountersignDb db, long first, long last, CancellationToken cancellation)
    {
        var found = await db.Set<AuditSeal>().AsNoTracking()
            .Where(seal => seal.Number >= first && seal.Number <= last)
            .Select(seal => new { seal.Number, seal.Leaf })
            .ToDictionaryAsync(seal => seal.Number, seal => seal.Leaf, cancellation);
        var leaves = new byte[last - first + 1][];
        for (var number = first; number <= last; number++)
            leaves[number - first] = found.GetValueOrDefault(number) is { Length: MerkleTree.HashLength } leaf ? leaf : new byte[MerkleTree.HashLength];
        return leaves;
    }

    private static async ValueTask LineAsync(Stream stream, byte[] line, CancellationToken cancellation)
    {
        await stream.WriteAsync(line, cancellation);
        await stream.WriteAsync("\n"u8.ToArray(), cancellation);
    }
}
