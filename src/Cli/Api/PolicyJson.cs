namespace Countersign.Cli.Api;

// Policy as the API tells it and wants it: groups, roles, grants, workflows.

/// <param name="Parent">Null: there is none above it.</param>
internal sealed record TreeGroup(string? Id, string? Parent, string? Name);
