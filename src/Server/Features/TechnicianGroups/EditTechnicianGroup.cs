using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.TechnicianGroups;

/// <param name="MembersApprove">Where approval is required its members give it, in the place of managers.</param>
internal sealed record AddTechnicianGroupRequest(
    Guid Parent,
    string Name,
    string Description = "",
    bool Enabled = true,
    bool RequiresManagerialApproval = false,
    GroupConsent Consent = GroupConsent.None,
    bool SinglePrompt = false,
    bool MembersApprove = false);

internal static class AddTechnicianGroup
{
    public static async Task<Results<Created<TechnicianGroupAnswer>, ProblemHttpResult>> HandleAsync(
        AddTechnicianGroupRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var id = new TechnicianGroupId(Guid.CreateVersion7(time.GetUtcNow()));
        var command = new PolicyCommand.AddTechnicianGroup(
            id, new(request.Parent), request.Name, request.Description, request.Enabled, request.RequiresManagerialApproval, request.Consent, request.SinglePrompt,
            request.MembersApprove);
        var outcome = await writer.ApplyAsync(caller, command, cancellation);
        return outcome.AnswerCreated($"/api/v1/technician-groups/{id}", snapshot => GroupPeople.Show(snapshot, id, Nobody));
    }

    private static bool Nobody(PersonId person) => false;
}

/// <summary>What is left out stays.</summary>
internal sealed record EditTechnicianGroupRequest(
    Guid? Parent = null,
    string? Name = null,
    string? Description = null,
    bool? Enabled = null,
    bool? RequiresManagerialApproval = null,
    GroupConsent? Consent = null,
    bool? SinglePrompt = null,
    bool? MembersApprove = null);

internal static class EditTechnicianGroup
{
    public static async Task<Results<Ok<TechnicianGroupAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditTechnicianGroupRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var outcome = await writer.ApplyAsync(caller, snapshot => Command(snapshot, id, request), cancellation);
        return outcome.Answer(snapshot => GroupPeople.Show(snapshot, new(id), new CallersPolicy(snapshot, caller, time.GetUtcNow()).MaySee));
    }

    private static PolicyCommand.EditTechnicianGroup? Command(PolicySnapshot snapshot, Guid id, EditTechnicianGroupRequest request) =>
        snapshot.Find(new(PolicyTable.TechnicianGroup, id)) is TechnicianGroupRow row
            ? new(
                row.Id,
                request.Parent is { } parent ? new(parent) : row.ParentId,
                request.Name ?? row.Name,
                request.Description ?? row.Description,
                request.Enabled ?? row.Enabled,
                request.RequiresManagerialApproval ?? row.RequiresManagerialApproval,
                request.Consent ?? row.Consent,
                request.SinglePrompt ?? row.SinglePrompt,
                request.MembersApprove)
            : null;
}

internal static class DeleteTechnicianGroup
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeleteTechnicianGroup(new(id)), cancellation)).Answer();
}
