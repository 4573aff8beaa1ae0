using System.Buffers;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// Takes fields out of sealed records and leaves their commitments: the log proves all else as before. Each batch is one transaction with the record
/// that tells of it.
/// </summary>
internal sealed class AuditEraser(Database database, WriteQueue queue, AuditLog audit)
{
    /// <summary>The record of an erasure.</summary>
    public const string Kind = "audit.erased";

    private const int Batch = 500;
    private const int LongestMember = 64;

    private static readonly SearchValues<char> _member = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    public static bool IsField(string name)
    {
        if (name is "actor" or "actorLogin" or "source" or "subject" or "subjectId") return true;
        if (!name.StartsWith(PersonalPart.DetailsPrefix, StringComparison.Ordinal)) return false;
        var member = name.AsSpan(PersonalPart.DetailsPrefix.Length);
        return member.Length is > 0 and <= LongestMember && !member.ContainsAnyExcept(_member);
    }

    /// <returns>How many records lost something; of a preview, how many would.</returns>
    public async Task<long> EraseAsync(Caller caller, ErasureRequest request, CancellationToken cancellation)
    {
        var (total, after) = (0L, long.MinValue);
        while (true)
        {
            await using var reading = database.Read(caller.Organization);
            var batch = await OfPerson(reading, request.Person, after).Take(Batch).ToListAsync(cancellation);
            if (batch.Count == 0) break;
            after = batch[^1];
            total += request.Preview
                ? (await FindAsync(reading, request, batch, cancellation)).Count
                : await queue.WriteAsync(caller.Organization, (db, stop) => EraseAsync(db, caller, request, batch, stop), cancellation);
        }

        if (total > 0 && !request.Preview) await ForgetAsync(cancellation);
        return total;
    }

    private static IQueryable<long> OfPerson(CountersignDb db, Guid id, long after)
    {
        var person = new PersonId(id);
        var records = db.Set<AuditRecord>().AsNoTracking().Where(record => record.Id > after);
        return records.Where(record => record.Actor == person).Select(record => record.Id)
            .Union(records.Where(record => record.SubjectId == id).Select(record => record.Id))
            .Order();
    }

    private async Task<int> EraseAsync(CountersignDb db, Caller caller, ErasureRequest request, List<long> batch, CancellationToken cancellation)
    {
        var found = await FindAsync(db, request, batch, cancellation);
        if (found.Count == 0) return 0;

        // What is overwritten is zeroed in the file, too.
        await db.Database.ExecuteSqlRawAsync("PRAGMA secure_delete = ON", cancellation);
        foreach (var (record, seal, names) in found) await EraseAsync(db, record, seal, names, cancellation);
        await db.Database.ExecuteSqlRawAsync("PRAGMA secure_delete = OFF", cancellation);
        audit.Add(db, AuditEntry.By(caller, Kind) with
        {
            Subject = "personal data in the log",
            SubjectId = request.Person,
            Details = new() { ["fields"] = new JsonArray([.. request.Fields.Select(name => JsonValue.Create(name))]), ["records"] = found.Count, ["reason"] = request.Reason },
        });
        return found.Count;
    }

    private static async Task EraseAsync(CountersignDb db, AuditRecord record, AuditSeal seal, IReadOnlySet<string> names, CancellationToken cancellation)
    {
        var before = SealedForm.Exported(record, seal, []);
        var values = before.Personal.Fields().ToDictionary(field => field.Name, field => field.Value);
        var openings = (before.Openings ?? RecordSeal.Open(before.Personal, seal.Salt))
            .Select(opening => names.Contains(opening.Name) ? RecordSeal.Erase(opening, values[opening.Name]) : opening).ToList();
        var text = ExportLines.Write(openings);
        var left = before.Personal.Without(names);
        var actor = left.Actor is { } id ? new PersonId(id) : (PersonId?)null;
        var source = left.Source is null ? null : record.Source;
        await db.Set<AuditRecord>().Where(row => row.Id == record.Id).ExecuteUpdateAsync(
            set => set
                .SetProperty(row => row.Actor, actor)
                .SetProperty(row => row.ActorLogin, left.ActorLogin)
                .SetProperty(row => row.Source, source)
                .SetProperty(row => row.Subject, left.Subject)
                .SetProperty(row => row.SubjectId, left.SubjectId)
                .SetProperty(row => row.Details, left.Details),
            cancellation);
        await db.Set<AuditSeal>().Where(row => row.Number == seal.Number).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Salt, Array.Empty<byte>()).SetProperty(row => row.Openings, text), cancellation);
    }

    /// <summary>The records of the batch that have something to lose, and what.</summary>
    private static async Task<List<(AuditRecord Record, AuditSeal Seal, IReadOnlySet<string> Names)>> FindAsync(
        CountersignDb db, ErasureRequest request, List<long> batch, CancellationToken cancellation)
    {
        // That somebody erased something stays, whomever it is about.
        var rows = await db.Set<AuditRecord>().AsNoTracking()
            .Where(record => batch.Contains(record.Id) && record.Kind != Kind)
            .Join(db.Set<AuditSeal>().AsNoTracking(), record => record.Id, seal => seal.Record, (record, seal) => new { Record = record, Seal = seal })
            .OrderBy(row => row.Record.Id)
            .ToListAsync(cancellation);
        var found = new List<(AuditRecord Record, AuditSeal Seal, IReadOnlySet<string> Names)>();
        foreach (var row in rows)
        {
            var (by, about) = (row.Record.Actor?.Value == request.Person, row.Record.SubjectId == request.Person);
            var names = SealedForm.Personal(row.Record).Fields()
                .Where(field => !string.IsNullOrEmpty(field.Value) && request.Fields.Contains(field.Name))
                .Select(field => field.Name)
                .Where(name => name switch { "actor" or "actorLogin" or "source" => by, "subject" or "subjectId" => about, _ => true })
                .ToHashSet(StringComparer.Ordinal);
            if (names.Count > 0) found.Add((row.Record, row.Seal, names));
        }

        return found;
    }

    /// <summary>The log of changes beside the database holds what was overwritten until it is written back.</summary>
    private async Task ForgetAsync(CancellationToken cancellation)
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint(TRUNCATE)", cancellation);
    }
}
