using System.Globalization;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Audit;

/// <summary>What a record has to be like to be shown; all that is given counts.</summary>
internal readonly record struct AuditFilter
{
    private const int LongestKind = 64;

    /// <summary>By or about this person.</summary>
    [FromQuery(Name = "person")]
    public Guid? Person { get; init; }

    /// <summary>About this device.</summary>
    [FromQuery(Name = "device")]
    public Guid? Device { get; init; }

    /// <summary>A kind such as session.began, or its beginning up to a dot, such as session.</summary>
    [FromQuery(Name = "kind")]
    public string? Kind { get; init; }

    /// <summary>done, refused or failed.</summary>
    [FromQuery(Name = "outcome")]
    public string? Outcome { get; init; }

    /// <summary>Not earlier.</summary>
    [FromQuery(Name = "from")]
    public DateTimeOffset? From { get; init; }

    /// <summary>Earlier.</summary>
    [FromQuery(Name = "to")]
    public DateTimeOffset? To { get; init; }

    public bool TryApply(IQueryable<AuditRecord> all, out IQueryable<AuditRecord> found, out ProblemHttpResult? problem)
    {
        found = all;
        problem = null;
        if (Person is { } id)
        {
            var person = new PersonId(id);
            found = found.Where(record => record.Actor == person || record.SubjectId == id);
        }

        if (Device is { } device) found = found.Where(record => record.SubjectId == device);
        if (Kind is { } kind)
        {
            if (kind.Length is 0 or > LongestKind) problem = Problems.Invalid("kind", $"It has 1 to {LongestKind} characters.");

            // All that begins with the kind and a dot, and no wildcard in it means anything: the next character behind the dot is the slash.
            var (first, behind) = (kind + ".", kind + "/");
            found = found.Where(record => record.Kind == kind || record.Kind.CompareTo(first) > 0 && record.Kind.CompareTo(behind) < 0);
        }

        if (Outcome is { } text)
        {
            AuditOutcome? outcome = text switch { "done" => AuditOutcome.Done, "refused" => AuditOutcome.Refused, "failed" => AuditOutcome.Failed, _ => null };
            if (outcome is null) problem = Problems.Invalid("outcome", "It is done, refused or failed.");
            found = found.Where(record => record.Outcome == outcome);
        }

        if (From is { } from) found = found.Where(record => record.At >= from);
        if (To is { } to) found = found.Where(record => record.At < to);
        return problem is null;
    }
}

internal static class ListAudit
{
    /// <summary>Newest first; with <paramref name="after"/>, what came since that record, oldest first, for following the log.</summary>
    /// <param name="after">The id of a record; 0: from the beginning.</param>
    public static async Task<Results<Ok<Page<AuditAnswer>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageQuery page, [AsParameters] AuditFilter filter, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation,
        long? after = null)
    {
        if (!policy.MayReadLog) return AuditRefusal.Forbidden();
        if (!page.TryRead(out var limit, out var cursor, out var problem)) return problem!;
        var from = 0L;
        if (cursor is not null && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out from))
            return Problems.Invalid("cursor", "It is not a cursor of this list.");
        await using var db = database.Read(caller.Organization);
        if (!filter.TryApply(db.Set<AuditRecord>().AsNoTracking(), out var records, out problem)) return problem!;
        var start = cursor is null ? after : from;
        var found = after is null
            ? await records.Where(record => start == null || record.Id < start).OrderByDescending(record => record.Id).Take(limit + 1).ToListAsync(cancellation)
            : await records.Where(record => record.Id > start).OrderBy(record => record.Id).Take(limit + 1).ToListAsync(cancellation);
        var shown = found.Take(limit).ToList();
        var ids = shown.Select(record => record.Id).ToList();
        var numbers = await db.Set<AuditSeal>().AsNoTracking().Where(seal => ids.Contains(seal.Record)).ToDictionaryAsync(seal => seal.Record, seal => seal.Number, cancellation);
        var items = shown.Select(record => AuditAnswer.Of(record, numbers.TryGetValue(record.Id, out var number) ? number : null)).ToList();
        return TypedResults.Ok(new Page<AuditAnswer>(items, found.Count > limit ? PageQuery.Write(items[^1].Id.ToString(CultureInfo.InvariantCulture)) : null));
    }
}

internal static class AuditRefusal
{
    public static ProblemHttpResult Forbidden() => Problems.Forbidden("Only the owner and auditors read the audit log.");
}
