using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Policy;

/// <param name="Id">The version of policy that the change led to.</param>
/// <param name="Login">The actor's; null: the person is gone.</param>
internal sealed record PolicyChangeAnswer(long Id, DateTimeOffset At, Guid Actor, string? Login, string Summary);

/// <param name="Rows">What it did to which rows.</param>
internal sealed record PolicyChangeWhole(long Id, DateTimeOffset At, Guid Actor, string? Login, string Summary, IReadOnlyList<TouchedRow> Rows);

/// <param name="Version">Of the policy that the undoing led to.</param>
/// <param name="Left">Settings that were changed since, and stay as they are.</param>
internal sealed record UndoAnswer(long Version, string Summary, IReadOnlyList<TouchedRow> Left);

/// <summary>How policy came to be what it is, and the way back.</summary>
public static class PolicyComposition
{
    public static IServiceCollection AddPolicy(this IServiceCollection services) => services.AddApiTypes(PolicyJson.Default);

    public static void MapPolicy(this IEndpointRouteBuilder routes)
    {
        var changes = routes.MapGroup("/changes").WithTags("Policy");
        changes.MapGet("/", ListChanges.HandleAsync).Requires(TokenScopes.PolicyRead);
        changes.MapGet("/{number:long}", ListChanges.HandleOneAsync).Requires(TokenScopes.PolicyRead);
        changes.MapPost("/{number:long}/undo", UndoChange.HandleAsync).ChangesPolicy(TokenScopes.Policy);
    }
}

internal static class ListChanges
{
    /// <summary>Newest first.</summary>
    public static async Task<Results<Ok<Page<PolicyChangeAnswer>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation)
    {
        if (!MaySee(policy)) return Problems.Forbidden("Only master administrators and auditors see the changes of policy.");
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
            items, changes.Count > limit ? PageQuery.Write(items[^1].Id.ToString(CultureInfo.InvariantCulture)) : null));
    }

    /// <param name="number">The change's id.</param>
    public static async Task<Results<Ok<PolicyChangeWhole>, ProblemHttpResult>> HandleOneAsync(
        long number, Caller caller, CallersPolicy policy, Database database, CancellationToken cancellation)
    {
        if (!MaySee(policy)) return Problems.NotFound();
        await using var db = database.Read(caller.Organization);
        return await db.Set<PolicyChange>().AsNoTracking().FirstOrDefaultAsync(row => row.Version == number, cancellation) is { } change
            ? TypedResults.Ok(new PolicyChangeWhole(
                change.Version,
                change.At,
                change.Actor.Value,
                policy.Snapshot.Person(change.Actor)?.Login,
                change.Summary,
                [.. DeltaJson.Read(change.Delta).Select(TouchedRow.Of)]))
            : Problems.NotFound();
    }

    private static bool MaySee(CallersPolicy policy) => policy.MayReadLog || policy.IsMasterAdministrator;
}

internal static class UndoChange
{
    /// <summary>Puts every row back as it was before the change, if none was changed since; only of settings, those are left and told.</summary>
    /// <param name="number">The change's id.</param>
    public static async Task<Results<Ok<UndoAnswer>, ProblemHttpResult>> HandleAsync(
        long number, Caller caller, PolicyWriter writer, AccountNews news, TimeProvider time, CancellationToken cancellation)
    {
        var (tooFarBack, replacedSecret) = (false, false);
        TouchedRows? touched = null;
        var outcome = await writer.ApplyPlannedAheadAsync(
            caller,
            async (db, policy, stop) =>
            {
                if (await db.Set<PolicyChange>().AsNoTracking().FirstOrDefaultAsync(row => row.Version == number, stop) is not { } change) return null;
                PolicyDelta undone = new(caller.Organization, number - 1, change.Summary, DeltaJson.Read(change.Delta));

                // Rights first: for who has none nothing is read of what came since, and they are told nothing of it.
                var ifUntouched = new PolicyCommand.Undo(undone, ImmutableHashSet<RowKey>.Empty);
                if (policy.Plan(ifUntouched, caller.Person, time.GetUtcNow()) is PlanResult.Forbidden or PlanResult.NotFound) return ifUntouched;
                var keys = undone.Changes.Select(row => row.Key).ToHashSet();

                // What belonged to a row and is no policy is kept by nobody: as if all of it had been changed.
                replacedSecret = undone.Changes.Any(row => row.Before == row.After);
                if (replacedSecret) return new PolicyCommand.Undo(undone, keys);
                tooFarBack = policy.Version - number > RowVersions.MostChangesSince;
                if (tooFarBack) return new PolicyCommand.Undo(undone, keys);
                touched ??= new(number, keys);
                var since = await touched.ReadOnAsync(db, policy.Version, stop);
                tooFarBack = since is null;
                return new PolicyCommand.Undo(undone, since ?? keys);
            },
            cancellation,
            (db, delta, stop) => news.TellOfAddressAsync(db, caller, delta, stop));
        return outcome switch
        {
            PolicyOutcome.Applied applied =>
                TypedResults.Ok(new UndoAnswer(applied.Version, applied.Delta.Summary, [.. applied.Left.Select(key => TouchedRow.Of(RowFate.Left, key))])),
            PolicyOutcome.Refused { Reason: PlanResult.Conflict } when replacedSecret => Problems.Conflict("What opened an account before is kept by nobody: store it again."),
            PolicyOutcome.Refused { Reason: PlanResult.Conflict } when tooFarBack => Problems.Conflict("It is too far back: too much was changed since."),
            _ => outcome.Refusal(),
        };
    }
}

[JsonSerializable(typeof(Page<PolicyChangeAnswer>))]
[JsonSerializable(typeof(PolicyChangeWhole))]
[JsonSerializable(typeof(UndoAnswer))]
internal sealed partial class PolicyJson : JsonSerializerContext;
