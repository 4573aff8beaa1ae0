using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.DeviceGroups;

/// <param name="Parent">Null: directly below the organization.</param>
internal sealed record AddDeviceGroupRequest(string Name, Guid? Parent = null);

internal static class AddDeviceGroup
{
    public static async Task<Results<Created<DeviceGroupAnswer>, ProblemHttpResult>> HandleAsync(
        AddDeviceGroupRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var outcome = await writer.ApplyAsync(caller, new PolicyCommand.AddDeviceGroup(new(id), Group(request.Parent), request.Name), cancellation);
        return outcome.AnswerCreated($"/api/v1/device-groups/{id}", snapshot => DeviceGroupAnswer.Of(snapshot, caller, new(id), time));
    }

    public static DeviceGroupId? Group(Guid? id) => id is { } value ? new(value) : null;
}

/// <summary>What is left out stays; a parent of null moves the group to directly below the organization.</summary>
internal sealed class EditDeviceGroupRequest
{
    public string? Name { get; set; }

    public Guid? Parent
    {
        get;
        set
        {
            field = value;
            Moves = true;
        }
    }

    /// <summary>Whether the parent was given at all.</summary>
    [JsonIgnore]
    public bool Moves { get; private set; }
}

internal static class EditDeviceGroup
{
    public static async Task<Results<Ok<DeviceGroupAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditDeviceGroupRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var outcome = await writer.ApplyAsync(
            caller,
            snapshot => snapshot.Find(new(PolicyTable.DeviceGroup, id)) is DeviceGroupRow row
                ? new PolicyCommand.EditDeviceGroup(row.Id, request.Moves ? AddDeviceGroup.Group(request.Parent) : row.ParentId, request.Name ?? row.Name)
                : null,
            cancellation);
        return outcome.Answer(snapshot => DeviceGroupAnswer.Of(snapshot, caller, new(id), time));
    }
}

internal static class DeleteDeviceGroup
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeleteDeviceGroup(new(id)), cancellation)).Answer();
}
