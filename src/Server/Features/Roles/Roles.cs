using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Countersign.Server.Features.Roles;

/// <param name="System">Built in: can be granted, not changed.</param>
internal sealed record RoleAnswer(Guid Id, string Name, RolePurpose Purpose, IReadOnlyList<Permission> Permissions, bool System, long Version) : IVersioned
{
    public static RoleAnswer Of(PolicySnapshot snapshot, RoleRow row) =>
        new(row.Id.Value, row.Name, row.Purpose, [.. row.Permissions], SystemRoles.IsSystem(row.Id), snapshot.Version);
}

/// <summary>Custom and system roles. What a role is called and holds is no secret among an organization's technicians.</summary>
public static class RolesComposition
{
    public static IServiceCollection AddRoles(this IServiceCollection services) => services.AddApiTypes(RolesJson.Default);

    public static void MapRoles(this IEndpointRouteBuilder routes)
    {
        var roles = routes.MapGroup("/roles").WithTags("Roles");
        roles.MapGet("/", ListRoles.Handle).Requires(TokenScopes.PolicyRead);
        roles.MapPost("/", AddRole.HandleAsync).ChangesPolicy(TokenScopes.Policy);
        roles.MapGet("/{id:guid}", ListRoles.HandleOne).Requires(TokenScopes.PolicyRead);
        roles.MapPatch("/{id:guid}", EditRole.HandleAsync).ChangesPolicy(TokenScopes.Policy);
        roles.MapDelete("/{id:guid}", DeleteRole.HandleAsync).ChangesPolicy(TokenScopes.Policy);
    }
}

internal static class ListRoles
{
    /// <param name="wanted">devicesAndGroups, invitations or administration; left out: all.</param>
    public static Results<Ok<Page<RoleAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, [FromQuery(Name = "purpose")] string? wanted, CallersPolicy policy)
    {
        if (!Choice.TryRead<RolePurpose>(wanted, "purpose", out var purpose, out var problem)) return problem!;
        return page.Cut(
            SystemRoles.All.Concat(policy.Snapshot.All<RoleRow>()).Where(role => (purpose ?? role.Purpose) == role.Purpose && policy.MaySee(role)),
            role => $"{role.Name}\n{role.Id}",
            role => RoleAnswer.Of(policy.Snapshot, role));
    }

    public static Results<Ok<RoleAnswer>, ProblemHttpResult> HandleOne(Guid id, CallersPolicy policy) =>
        policy.Snapshot.Role(new(id)) is { } role && policy.MaySee(role) ? TypedResults.Ok(RoleAnswer.Of(policy.Snapshot, role)) : Problems.NotFound();
}

[JsonSerializable(typeof(RoleAnswer))]
[JsonSerializable(typeof(Page<RoleAnswer>))]
[JsonSerializable(typeof(AddRoleRequest))]
[JsonSerializable(typeof(EditRoleRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class RolesJson : JsonSerializerContext;
