using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Roles;

internal sealed record AddRoleRequest(string Name, RolePurpose Purpose, IReadOnlyList<Permission> Permissions);

internal static class AddRole
{
    public static async Task<Results<Created<RoleAnswer>, ProblemHttpResult>> HandleAsync(
        AddRoleRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var id = new RoleId(Guid.CreateVersion7(time.GetUtcNow()));
        var command = new PolicyCommand.AddRole(id, request.Name, request.Purpose, PermissionSet.Of([.. request.Permissions]));
        var outcome = await writer.ApplyAsync(caller, command, cancellation);
        return outcome.AnswerCreated($"/api/v1/roles/{id}", snapshot => RoleAnswer.Of(snapshot, snapshot.Role(id)!));
    }
}

/// <summary>What is left out stays.</summary>
internal sealed record EditRoleRequest(string? Name = null, IReadOnlyList<Permission>? Permissions = null);

internal static class EditRole
{
    public static async Task<Results<Ok<RoleAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditRoleRequest request, Caller caller, PolicyWriter writer, CancellationToken cancellation)
    {
        var role = new RoleId(id);
        var outcome = await writer.ApplyAsync(
            caller,
            snapshot => snapshot.Role(role) is { } row
                ? new PolicyCommand.EditRole(role, request.Name ?? row.Name, request.Permissions is { } permissions ? PermissionSet.Of([.. permissions]) : row.Permissions)
                : null,
            cancellation);
        return outcome.Answer(snapshot => RoleAnswer.Of(snapshot, snapshot.Role(role)!));
    }
}

internal static class DeleteRole
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeleteRole(new(id)), cancellation)).Answer();
}
