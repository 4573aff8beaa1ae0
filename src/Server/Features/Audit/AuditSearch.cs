using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// Finds a page of the log so that it costs the same however long the log is: what a filter asks for is taken apart into queries of which each reads
/// one index in the order of the ids and stops when the page is full; their results are put together in that order.
/// </summary>
internal static class AuditSearch
{
    /// <summary>How far a record's id can be behind or ahead of its time, in microseconds, without being in the index of those that are out of step.</summary>
    private const long Step = 60_000_000;

    /// <summary>Under one beginning there are fewer kinds; more are searched through without an index.</summary>
    private const int MostKinds = 64;

    /// <param name="from">Records behind this id, oldest first; null: newest first.</param>
    /// <param name="before">Records before this id; null: from the newest on.</param>
    public static async Task<List<AuditRecord>> FindAsync(
        CountersignDb db, AuditFilter filter, long? from, long? before, int count, CancellationToken cancellation)
    {
        var found = new List<AuditRecord>();
        foreach (var arm in await ArmsAsync(db, filter, cancellation))
        {
            var ordered = from is { } start
                ? arm.Where(record => record.Id > start).OrderBy(record => record.Id)
                : arm.Where(record => before == null || record.Id < before).OrderByDescending(record => record.Id);
            found.AddRange(await ordered.Take(count).ToListAsync(cancellation));
        }

        var distinct = found.DistinctBy(record => record.Id);
        return [.. (from is null ? distinct.OrderByDescending(record => record.Id) : distinct.OrderBy(record => record.Id)).Take(count)];
    }

    /// <summary>Queries that together find what the filter asks for, one record perhaps in two of them.</summary>
    public static async Task<IReadOnlyList<IQueryable<AuditRecord>>> ArmsAsync(CountersignDb db, AuditFilter filter, CancellationToken cancellation)
    {
        var kinds = filter.Kind is { } kind ? await KindsAsync(db, kind, cancellation) : null;
        return [.. InTime(db, filter).SelectMany(records => OfPeopleAndThings(records, filter, kinds))];
    }

    private static IEnumerable<IQueryable<AuditRecord>> OfPeopleAndThings(IQueryable<AuditRecord> records, AuditFilter filter, List<string>? kinds)
    {
        if (filter.OutcomeValue is { } outcome) records = records.Where(record => record.Outcome == outcome);
        if (filter.Device is { } device) records = records.Where(record => record.SubjectId == device);
        if (filter.Person is null && filter.Device is null && kinds is { Count: > 0 and <= MostKinds })
            return kinds.Select(one => records.Where(record => record.Kind == one));

        if (filter.Kind is { } kind) records = records.Where(OfKind(kind));
        if (filter.Person is not { } id) return [records];
        var person = new PersonId(id);
        return [records.Where(record => record.Actor == person), records.Where(record => record.SubjectId == id)];
    }

    /// <summary>
    /// A record's id is the microsecond in which it was made, or a later one where the clock had been set back: these few have an index of their own.
    /// </summary>
    private static IEnumerable<IQueryable<AuditRecord>> InTime(CountersignDb db, AuditFilter filter)
    {
        var all = db.Set<AuditRecord>().AsNoTracking();
        var outOfStep = db.Set<AuditRecord>().FromSqlRaw($"select * from audit_record where {AuditRecordMapping.OutOfStep}").AsNoTracking();
        if (filter.From is { } from)
        {
            var first = (from.UtcTicks / TimeSpan.TicksPerMicrosecond) - Step;
            all = all.Where(record => record.Id >= first && record.At >= from);
            outOfStep = outOfStep.Where(record => record.At >= from);
        }

        if (filter.To is not { } to) return [all];
        var last = (to.UtcTicks / TimeSpan.TicksPerMicrosecond) + Step;
        return [all.Where(record => record.Id <= last && record.At < to), outOfStep.Where(record => record.At < to)];
    }

    /// <summary>The kind itself and those that begin with it and a dot, as far as there are records of them: a look into the index for each.</summary>
    private static async Task<List<string>> KindsAsync(CountersignDb db, string kind, CancellationToken cancellation)
    {
        var kinds = new List<string> { kind };
        var (last, behind) = (kind + ".", kind + "/");
        while (kinds.Count <= MostKinds)
        {
            var next = await db.Set<AuditRecord>()
                .Where(record => record.Kind.CompareTo(last) > 0 && record.Kind.CompareTo(behind) < 0)
                .MinAsync(record => (string?)record.Kind, cancellation);
            if (next is null) break;
            kinds.Add(next);
            last = next;
        }

        return kinds;
    }

    /// <summary>No wildcard in it means anything: behind the dot comes the slash.</summary>
    private static System.Linq.Expressions.Expression<Func<AuditRecord, bool>> OfKind(string kind)
    {
        var (first, behind) = (kind + ".", kind + "/");
        return record => record.Kind == kind || record.Kind.CompareTo(first) > 0 && record.Kind.CompareTo(behind) < 0;
    }
}
