using System.Buffers;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// Takes fields out of sealed records and leaves their commitments: the log proves all else as before. Each batch is one transaction with the record
/// that tells of it, and is done only while the caller may: an erasure can take minutes.
/// </summary>
internal sealed class AuditEraser(Database database, WriteQueue queue, PolicySource source, PolicyWriter writer, AuditLog audit, TimeProvider time)
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

    /// <summary>By the policy in force, or by a change that has removed them.</summary>
    public async Task<bool> IsOrWasPersonAsync(PolicySnapshot policy, PersonId person, CancellationToken cancellation)
    {
        if (policy.Person(person) is not null) return true;
        var key = new RowKey(PolicyTable.Person, person.Value);
        var text = person.ToString();
        await using var db = database.Read(policy.Organization);
        var deltas = db.Set<PolicyChange>().AsNoTracking().Where(row => row.Delta.Contains(text)).Select(row => row.Delta).AsAsyncEnumerable();
        await foreach (var delta in deltas.WithCancellation(cancellation))
        {
            if (DeltaJson.Read(delta).Any(change => change.Key == key)) return true;
        }

        return false;
    }

    /// <returns>How many records lost something; of a preview, how many would. With why it went no further; null: it is done.</returns>
    public async Task<(long Records, ProblemHttpResult? Ended)> EraseAsync(Caller caller, ErasureRequest request, CancellationToken cancellation)
    {
        var (total, after) = (0L, long.MinValue);
        ProblemHttpResult? ended = null;
        while (ended is null)
        {
            await using var reading = database.Read(caller.Organization);
            var batch = await OfPerson(reading, request.Person, after).Take(Batch).ToListAsync(cancellation);
            if (batch.Count == 0) break;
            after = batch[^1];
            (var records, ended) = request.Preview
                ? await DoAsync(reading, source.Current(caller.Organization), caller, request, batch, cancellation)
                : await queue.WriteAsync(caller.Organization, (db, stop) => DoAsync(db, writer.ForWriter(caller.Organization), caller, request, batch, stop), cancellation);
            total += records;
        }

        if (total > 0 && !request.Preview) await ForgetAsync(cancellation);
        return (total, ended);
    }

    private async Task<(int Records, ProblemHttpResult? Ended)> DoAsync(
        CountersignDb db, PolicySnapshot? policy, Caller caller, ErasureRequest request, List<long> batch, CancellationToken cancellation)
    {
        if (policy is null || !await writer.IsSignedInAsync(db, policy, caller, cancellation)) return (0, Problems.Unauthorized());
        if (EraseAudit.Refusal(policy, caller.Person, request.Person, time.GetUtcNow()) is { } refused) return (0, refused);
        var found = await FindAsync(db, policy, request, batch, cancellation);
        if (!request.Preview) await EraseAsync(db, caller, request, found, cancellation);
        return (found.Count, null);
    }

    private static IQueryable<long> OfPerson(CountersignDb db, Guid id, long after)
    {
        var person = new PersonId(id);
        var records = db.Set<AuditRecord>().AsNoTracking().Where(record => record.Id > after);
        return records.Where(record => record.Actor == person).Select(record => record.Id)
            .Union(records.Where(record => record.SubjectId == id).Select(record => record.Id))
            .Order();
    }

    private async Task EraseAsync(
        CountersignDb db, Caller caller, ErasureRequest request, List<(AuditRecord Record, AuditSeal Seal, IReadOnlySet<string> Names)> found, CancellationToken cancellation)
    {
        if (found.Count == 0) return;

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
        CountersignDb db, PolicySnapshot policy, ErasureRequest request, List<long> batch, CancellationToken cancellation)
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

            // What somebody who is in has done is theirs to answer for, whomever they did it to.
            var isKept = !by && row.Record.Actor is { } actor && EraseAudit.IsIn(policy, actor);
            var names = SealedForm.Personal(row.Record).Fields()
                .Where(field => !string.IsNullOrEmpty(field.Value) && request.Fields.Contains(field.Name))
                .Select(field => field.Name)
                .Where(name => name switch { "actor" or "actorLogin" or "source" => by, "subject" or "subjectId" => about && !isKept, _ => !isKept })
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
