using System.Globalization;
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

    /// <summary>Nothing is asked for: all are meant.</summary>
    public bool IsEmpty => Person is null && Device is null && Kind is null && Outcome is null && From is null && To is null;

    /// <summary>Null: none is asked for, or one that there isn't.</summary>
    public AuditOutcome? OutcomeValue => Outcome switch { "done" => AuditOutcome.Done, "refused" => AuditOutcome.Refused, "failed" => AuditOutcome.Failed, _ => null };

    /// <summary>Null: it can be searched for.</summary>
    public ProblemHttpResult? Problem() =>
        Kind is { Length: 0 or > LongestKind } ? Problems.Invalid("kind", $"It has 1 to {LongestKind} characters.")
        : Outcome is not null && OutcomeValue is null ? Problems.Invalid("outcome", "It is done, refused or failed.")
        : null;

    /// <summary>For people to read, and for the record of an export.</summary>
    public IReadOnlyDictionary<string, string> Told()
    {
        var all = new (string Name, string? Value)[]
        {
            ("person", Person?.ToString()),
            ("device", Device?.ToString()),
            ("kind", Kind),
            ("outcome", Outcome),
            ("from", From?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
            ("to", To?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
        };
        return all.Where(one => one.Value is not null).ToDictionary(one => one.Name, one => one.Value!);
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
        if (filter.Problem() is { } wrong) return wrong;
        await using var db = database.Read(caller.Organization);
        long? start = cursor is null ? after : from;
        var found = await AuditSearch.FindAsync(db, filter, after is null ? null : start, after is null ? start : null, limit + 1, cancellation);
        var shown = found.Take(limit).ToList();
        var ids = shown.Select(record => record.Id).ToList();
        var seals = await db.Set<AuditSeal>().AsNoTracking().Where(seal => ids.Contains(seal.Record))
            .Select(seal => new { seal.Record, seal.Number, seal.Openings })
            .ToDictionaryAsync(seal => seal.Record, cancellation);
        var items = shown.Select(record => seals.TryGetValue(record.Id, out var seal)
            ? AuditAnswer.Of(record, seal.Number, SealedForm.Erased(seal.Openings))
            : AuditAnswer.Of(record, null, [])).ToList();
        return TypedResults.Ok(new Page<AuditAnswer>(items, found.Count > limit ? PageQuery.Write(items[^1].Id.ToString(CultureInfo.InvariantCulture)) : null));
    }
}

internal static class AuditRefusal
{
    public static ProblemHttpResult Forbidden() => Problems.Forbidden("Only the owner and auditors read the audit log.");
}
