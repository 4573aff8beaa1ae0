using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.ExternalGroups;

internal sealed record AddExternalGroupRequest(string Name, string Description = "");

internal static class AddExternalGroup
{
    public static async Task<Results<Created<ExternalGroupAnswer>, ProblemHttpResult>> HandleAsync(
        AddExternalGroupRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var outcome = await writer.ApplyAsync(caller, new PolicyCommand.AddExternalGroup(new(id), request.Name, request.Description), cancellation);
        return outcome.AnswerCreated($"/api/v1/external-groups/{id}", snapshot => ExternalGroupAnswer.Of(snapshot, id, Nobody));
    }

    private static bool Nobody(PersonId person) => false;
}

/// <summary>What is left out stays.</summary>
internal sealed record EditExternalGroupRequest(string? Name = null, string? Description = null);

internal static class EditExternalGroup
{
    public static async Task<Results<Ok<ExternalGroupAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditExternalGroupRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var outcome = await writer.ApplyAsync(
            caller,
            snapshot => snapshot.Find(new(PolicyTable.ExternalGroup, id)) is ExternalGroupRow row
                ? new PolicyCommand.EditExternalGroup(row.Id, request.Name ?? row.Name, request.Description ?? row.Description)
                : null,
            cancellation);
        return outcome.Answer(snapshot => ExternalGroupAnswer.Of(snapshot, id, new CallersPolicy(snapshot, caller, time.GetUtcNow()).MaySee));
    }
}

internal static class DeleteExternalGroup
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeleteExternalGroup(new(id)), cancellation)).Answer();
}

/// <summary>Naming somebody who is in it already changes nothing.</summary>
internal static class ExternalMembers
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> AddAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.AddExternalMember(new(id), new(person)), cancellation)).Answer();

    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> RemoveAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.RemoveExternalMember(new(id), new(person)), cancellation)).Answer();
}
