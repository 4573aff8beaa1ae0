using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Grants;

internal sealed record GrantSubjectForm(SubjectKind Kind, Guid Id);

/// <param name="Id">Of the device or device group; left out for the other kinds.</param>
internal sealed record GrantScopeForm(ScopeKind Kind, Guid? Id = null);

/// <param name="Names">For the rule <c>named</c>; else left out.</param>
internal sealed record GrantAccountsForm(AccountRule Rule, IReadOnlyList<string>? Names = null)
{
    public static GrantAccountsForm Of(GrantAccounts accounts) =>
        new(accounts.Rule, accounts.Rule == AccountRule.Named ? accounts.Names.Split(',') : []);

    /// <summary>Names are sorted and given once; what is no account's name stays and is refused where the command is planned.</summary>
    public GrantAccounts Read() => new(Rule, string.Join(',', (Names ?? []).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)));

    /// <summary>A name with a comma would read as two.</summary>
    public bool IsWellFormed => Names is null || Names.All(name => Access.Names.IsAccount(name));
}

/// <param name="From">Included.</param>
/// <param name="To">Not included.</param>
/// <param name="Hours">Weekly hours; empty: always.</param>
internal sealed record GrantWindowForm(DateTimeOffset? From = null, DateTimeOffset? To = null, string Hours = "")
{
    public static GrantWindowForm Of(GrantWindow window) => new(window.From, window.To, window.Hours);

    public GrantWindow Read() => new(From?.ToUniversalTime(), To?.ToUniversalTime(), Hours);
}

/// <summary>A technician group through which a grant reaches somebody.</summary>
/// <param name="Group">They are in it; it is the grant's subject, or below it.</param>
/// <param name="InForce">It and every group above it are enabled; where one is not, nothing comes this way.</param>
internal sealed record GrantWay(Guid Group, bool InForce)
{
    public static GrantWay Of(ReachingGroup way) => new(way.Group.Value, way.InForce);
}

/// <param name="Through">Where it was asked for what reaches a person: the groups through which it does, none where it is their own. Else left out.</param>
internal sealed record GrantAnswer(
    Guid Id, GrantSubjectForm Subject, GrantScopeForm Scope, Guid Role, GrantAccountsForm Accounts, GrantWindowForm Window, long Version, IReadOnlyList<GrantWay>? Through = null) : IVersioned
{
    public static GrantAnswer Of(PolicySnapshot snapshot, GrantRow row) => new(
        row.Id.Value,
        new(row.Subject.Kind, row.Subject.Id),
        new(row.Scope.Kind, row.Scope.Kind is ScopeKind.Device or ScopeKind.DeviceGroup ? row.Scope.Id : null),
        row.Role.Value,
        GrantAccountsForm.Of(row.Accounts),
        GrantWindowForm.Of(row.Window),
        snapshot.Version);

    public static GrantAnswer Of(PolicySnapshot snapshot, Guid id) => Of(snapshot, (GrantRow)snapshot.Find(new(PolicyTable.Grant, id))!);
}

/// <summary>Who holds which role on what, with which accounts and when.</summary>
public static class GrantsComposition
{
    public static IServiceCollection AddGrants(this IServiceCollection services) => services.AddApiTypes(GrantsJson.Default);

    public static void MapGrants(this IEndpointRouteBuilder routes)
    {
        var grants = routes.MapGroup("/grants").WithTags("Grants");
        grants.MapGet("/", ListGrants.Handle).Requires(TokenScopes.PolicyRead);
        grants.MapPost("/", AddGrant.HandleAsync).ChangesPolicy(TokenScopes.Policy);
        grants.MapGet("/{id:guid}", ListGrants.HandleOne).Requires(TokenScopes.PolicyRead);
        grants.MapPatch("/{id:guid}", EditGrant.HandleAsync).ChangesPolicy(TokenScopes.Policy);
        grants.MapDelete("/{id:guid}", RemoveGrant.HandleAsync).ChangesPolicy(TokenScopes.Policy);
    }
}

internal static class ListGrants
{
    /// <param name="subject">Only grants to this person or technician group.</param>
    /// <param name="scope">Only grants on this device or device group.</param>
    /// <param name="for">Only grants that reach this person: their own, and those of the groups that they are in and of the groups above, in force or not.</param>
    public static Results<Ok<Page<GrantAnswer>>, ProblemHttpResult> Handle(
        [AsParameters] PageQuery page, CallersPolicy policy, Guid? subject = null, Guid? scope = null, Guid? @for = null)
    {
        // Somebody whom the caller may not see is not there.
        if (@for is { } person && !policy.MaySee(new PersonId(person))) return Problems.NotFound();
        var grants = @for is { } reached
            ? policy.Snapshot.GrantsReaching(new(reached)).Select(one => (one.Grant, Through: (IReadOnlyList<ReachingGroup>?)one.Through))
            : policy.Snapshot.All<GrantRow>().Select(grant => (Grant: grant, Through: (IReadOnlyList<ReachingGroup>?)null));
        return page.Cut(
            grants.Where(one => (subject is null || one.Grant.Subject.Id == subject) && (scope is null || one.Grant.Scope.Id == scope) && policy.MaySee(one.Grant)),
            one => one.Grant.Id.ToString(),
            one => GrantAnswer.Of(policy.Snapshot, one.Grant) with { Through = one.Through?.Where(way => policy.MaySee(way.Group)).Select(GrantWay.Of).ToList() });
    }

    public static Results<Ok<GrantAnswer>, ProblemHttpResult> HandleOne(Guid id, CallersPolicy policy) =>
        policy.Snapshot.Find(new(PolicyTable.Grant, id)) is GrantRow grant && policy.MaySee(grant)
            ? TypedResults.Ok(GrantAnswer.Of(policy.Snapshot, grant))
            : Problems.NotFound();
}

[JsonSerializable(typeof(GrantAnswer))]
[JsonSerializable(typeof(Page<GrantAnswer>))]
[JsonSerializable(typeof(AddGrantRequest))]
[JsonSerializable(typeof(EditGrantRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class GrantsJson : JsonSerializerContext;
