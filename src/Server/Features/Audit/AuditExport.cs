using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
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

internal static class ExportAudit
{
    public const string ContentType = "application/jsonl";

    /// <summary>The record of the export is the last one in it.</summary>
    public static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> HandleAsync(
        Caller caller, CallersPolicy policy, WriteQueue queue, AuditLog audit, AuditSealer sealer, AuditExport export, CancellationToken cancellation)
    {
        if (!policy.MayReadLog) return AuditRefusal.Forbidden();
        await queue.WriteAsync(
            caller.Organization,
            (db, _) =>
            {
                audit.Add(db, AuditEntry.By(caller, "audit.exported") with { Subject = "the whole log" });
                return Task.CompletedTask;
            },
            cancellation);
        var checkpoint = await sealer.CheckpointAsync(caller.Organization, cancellation);
        return TypedResults.Stream(stream => export.WriteAsync(checkpoint, stream, cancellation), ContentType, "audit.jsonl");
    }
}

/// <summary>
/// Writes the log up to a checkpoint as <see cref="ExportLines"/>. Reads in small pieces, since what is sealed does not change, and holds one of them.
/// </summary>
/// <remarks>
/// What the database holds goes out as it is: should somebody have changed or removed a row there, it is the verifier that says so.
/// </remarks>
internal sealed class AuditExport(Database database)
{
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
            var sealedRecords = await db.Set<AuditSeal>().AsNoTracking()
                .Where(seal => seal.Number >= first && seal.Number <= last)
                .Join(db.Set<AuditRecord>().AsNoTracking(), seal => seal.Record, record => record.Id, (seal, record) => new { seal.Number, seal.Salt, Record = record })
                .ToDictionaryAsync(row => row.Number, cancellation);
            for (var number = first; number <= last; number++)
            {
                var proof = proofs.Next(leaves);
                if (!sealedRecords.TryGetValue(number, out var row)) continue;
                var exported = new ExportedRecord
                {
                    Record = SealedForm.Logged(row.Record, number),
                    Personal = SealedForm.Personal(row.Record),
                    Salt = row.Salt,
                    Proof = proof,
                };
                await LineAsync(stream, ExportLines.Write(exported), cancellation);
            }
        }
    }

    private static long Last(long first, Checkpoint checkpoint) => Math.Min(first + ExportProofs.ChunkSize - 1, checkpoint.Size);

    /// <summary>In place of one that is gone stands nothing that could be a leaf: its neighbours keep their places.</summary>
    private static async Task<byte[][]> LeavesAsync(CountersignDb db, long first, long last, CancellationToken cancellation)
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
