using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Audit;

internal sealed record AuditActor(Guid? Id, string Login);

internal sealed record AuditAnswer(
    long Id,
    DateTimeOffset At,
    string Kind,
    AuditActor Actor,
    string Channel,
    string? Source,
    string Subject,
    Guid? SubjectId,
    AuditOutcome Outcome,
    JsonElement Details,
    string Correlation)
{
    public static AuditAnswer Of(AuditRecord record)
    {
        using var details = JsonDocument.Parse(record.Details);
        return new(
            record.Id, record.At, record.Kind, new(record.Actor?.Value, record.ActorLogin), record.Channel, record.Source?.ToString(), record.Subject,
            record.SubjectId, record.Outcome, details.RootElement.Clone(), record.Correlation);
    }
}

/// <summary>Reading the audit log: for the owner and for whoever holds AuditLog.</summary>
public static class AuditComposition
{
    public static IServiceCollection AddAudit(this IServiceCollection services) => services.AddApiTypes(AuditJson.Default);

    public static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/audit", ListAudit.HandleAsync).WithTags("Audit").Requires(TokenScopes.Read);
}

internal static class ListAudit
{
    /// <summary>Newest first; with <paramref name="after"/>, what came since that record, oldest first, for following the log.</summary>
    /// <param name="after">The id of a record; 0: from the beginning.</param>
    public static async Task<Results<Ok<Page<AuditAnswer>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation, long? after = null)
    {
        if (!policy.MayReadLog) return Problems.Forbidden("Only the owner and auditors read the audit log.");
        if (!page.TryRead(out var limit, out var cursor, out var problem)) return problem!;
        var from = 0L;
        if (cursor is not null && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out from))
            return Problems.Invalid("cursor", "It is not a cursor of this list.");
        await using var db = database.Read(caller.Organization);
        var records = db.Set<AuditRecord>().AsNoTracking();
        var start = cursor is null ? after : from;
        var found = after is null
            ? await records.Where(record => start == null || record.Id < start).OrderByDescending(record => record.Id).Take(limit + 1).ToListAsync(cancellation)
            : await records.Where(record => record.Id > start).OrderBy(record => record.Id).Take(limit + 1).ToListAsync(cancellation);
        var items = found.Take(limit).Select(AuditAnswer.Of).ToList();
        return TypedResults.Ok(new Page<AuditAnswer>(items, found.Count > limit ? PageQuery.Write(items[^1].Id.ToString(CultureInfo.InvariantCulture)) : null));
    }
}

[JsonSerializable(typeof(Page<AuditAnswer>))]
internal sealed partial class AuditJson : JsonSerializerContext;
