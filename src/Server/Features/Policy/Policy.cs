using System.Globalization;
using System.Text.Json.Serialization;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Policy;

/// <param name="Login">The actor's; null: the person is gone.</param>
internal sealed record PolicyChangeAnswer(long Version, DateTimeOffset At, Guid Actor, string? Login, string Summary);

/// <summary>How policy came to be what it is.</summary>
public static class PolicyComposition
{
    public static IServiceCollection AddPolicy(this IServiceCollection services) => services.AddApiTypes(PolicyJson.Default);

    public static void MapPolicy(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/policy/changes", ListChanges.HandleAsync).WithTags("Policy").Requires(TokenScopes.Read);
}

internal static class ListChanges
{
    /// <summary>Newest first.</summary>
    public static async Task<Results<Ok<Page<PolicyChangeAnswer>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation)
    {
        if (!policy.MayReadLog && !policy.IsMasterAdministrator) return Problems.Forbidden("Only master administrators and auditors see the changes of policy.");
        if (!page.TryRead(out var limit, out var after, out var problem)) return problem!;
        var before = long.MaxValue;
        if (after is not null && !long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            return Problems.Invalid("cursor", "It is not a cursor of this list.");
        await using var db = database.Read(caller.Organization);
        var changes = await db.Set<PolicyChange>().AsNoTracking()
            .Where(change => change.Version < before)
            .OrderByDescending(change => change.Version)
            .Take(limit + 1)
            .Select(change => new { change.Version, change.At, change.Actor, change.Summary })
            .ToListAsync(cancellation);
        var items = changes.Take(limit)
            .Select(change => new PolicyChangeAnswer(change.Version, change.At, change.Actor.Value, policy.Snapshot.Person(change.Actor)?.Login, change.Summary))
            .ToList();
        return TypedResults.Ok(new Page<PolicyChangeAnswer>(
            items, changes.Count > limit ? PageQuery.Write(items[^1].Version.ToString(CultureInfo.InvariantCulture)) : null));
    }
}

[JsonSerializable(typeof(Page<PolicyChangeAnswer>))]
internal sealed partial class PolicyJson : JsonSerializerContext;
