using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.DeviceGroups;

/// <param name="Parent">Null: directly below the organization.</param>
internal sealed record DeviceGroupAnswer(Guid Id, Guid? Parent, string Name, long Version) : IVersioned
{
    public static DeviceGroupAnswer Of(PolicySnapshot snapshot, DeviceGroupRow row) => new(row.Id.Value, row.ParentId?.Value, row.Name, snapshot.Version);

    public static DeviceGroupAnswer Of(PolicySnapshot snapshot, Guid id) => Of(snapshot, (DeviceGroupRow)snapshot.Find(new(PolicyTable.DeviceGroup, id))!);
}

/// <summary>The tree of device groups.</summary>
public static class DeviceGroupsComposition
{
    public static IServiceCollection AddDeviceGroups(this IServiceCollection services) => services.AddApiTypes(DeviceGroupsJson.Default);

    public static void MapDeviceGroups(this IEndpointRouteBuilder routes)
    {
        var groups = routes.MapGroup("/device-groups").WithTags("Device groups");
        groups.MapGet("/", ListDeviceGroups.Handle).Requires(TokenScopes.DevicesRead);
        groups.MapPost("/", AddDeviceGroup.HandleAsync).ChangesPolicy(TokenScopes.Devices);
        groups.MapGet("/{id:guid}", ListDeviceGroups.HandleOne).Requires(TokenScopes.DevicesRead);
        groups.MapPatch("/{id:guid}", EditDeviceGroup.HandleAsync).ChangesPolicy(TokenScopes.Devices);
        groups.MapDelete("/{id:guid}", DeleteDeviceGroup.HandleAsync).ChangesPolicy(TokenScopes.Devices);
    }
}

internal static class ListDeviceGroups
{
    public static Results<Ok<Page<DeviceGroupAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, CallersPolicy policy) => page.Cut(
        policy.Snapshot.All<DeviceGroupRow>().Where(group => policy.MaySee(group.Id)),
        group => $"{group.Name}\n{group.Id}",
        group => DeviceGroupAnswer.Of(policy.Snapshot, group));

    public static Results<Ok<DeviceGroupAnswer>, ProblemHttpResult> HandleOne(Guid id, CallersPolicy policy) =>
        policy.MaySee(new DeviceGroupId(id)) ? TypedResults.Ok(DeviceGroupAnswer.Of(policy.Snapshot, id)) : Problems.NotFound();
}

[JsonSerializable(typeof(DeviceGroupAnswer))]
[JsonSerializable(typeof(Page<DeviceGroupAnswer>))]
[JsonSerializable(typeof(AddDeviceGroupRequest))]
[JsonSerializable(typeof(EditDeviceGroupRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class DeviceGroupsJson : JsonSerializerContext;
