namespace Countersign.Cli.Api;

// Policy as the API tells it and wants it: groups, roles, grants, workflows.

internal sealed record CataloguedPermission(string? Permission, string? Label, IReadOnlyList<string>? Purposes, bool? Restrictable, IReadOnlyList<string>? Prerequisites);

internal sealed record PermissionCatalogue(IReadOnlyList<CataloguedPermission>? Items);

internal sealed record Role(string? Id, string? Name, string? Purpose, IReadOnlyList<string>? Permissions, bool? System, long? Version);

internal sealed record NewRole(string Name, string Purpose, IReadOnlyList<string> Permissions);

internal sealed record RoleChange(string? Name, IReadOnlyList<string>? Permissions);
