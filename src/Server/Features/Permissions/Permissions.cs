using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Permissions;

/// <param name="Purposes">Of the roles that it may appear in.</param>
/// <param name="Restrictable">Whether a technician group's policy can restrict it.</param>
internal sealed record PermissionAnswer(
    Permission Permission, string Label, PermissionHeading Heading, IReadOnlyList<RolePurpose> Purposes, bool Restrictable, IReadOnlyList<Permission> Prerequisites);

internal sealed record PermissionList(IReadOnlyList<PermissionAnswer> Items);

/// <summary>The fixed catalogue, in the order of the role manager.</summary>
public static class PermissionsComposition
{
    public static IServiceCollection AddPermissions(this IServiceCollection services) => services.AddApiTypes(PermissionsJson.Default);

    public static void MapPermissions(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/permissions", () => TypedResults.Ok(new PermissionList(
            [.. PermissionCatalogue.Entries.Select(entry => new PermissionAnswer(
                entry.Permission, entry.Label, entry.Heading, entry.Purposes, entry.Restrictable, [.. entry.Prerequisites]))])))
            .WithTags("Permissions").Requires(TokenScopes.PolicyRead);
}

[JsonSerializable(typeof(PermissionList))]
internal sealed partial class PermissionsJson : JsonSerializerContext;
