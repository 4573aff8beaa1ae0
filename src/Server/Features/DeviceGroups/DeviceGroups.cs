using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.DeviceGroups;

/// <param name="Parent">Null: directly below the organization.</param>
/// <param name="Devices">Those directly in it that the caller may see.</param>
/// <param name="AllDevices">Those and the ones in all groups below it.</param>
internal sealed record DeviceGroupAnswer(Guid Id, Guid? Parent, string Name, int Devices, int AllDevices, long Version) : IVersioned
{
    public static DeviceGroupAnswer Of(DeviceGroupListing listing, long version) =>
        new(listing.Group.Id.Value, listing.Group.ParentId?.Value, listing.Group.Name, listing.Devices, listing.AllDevices, version);

    /// <summary>For the answer to somebody who has just changed the group, and so may see it.</summary>
    public static DeviceGroupAnswer Of(PolicySnapshot snapshot, Caller caller, DeviceGroupId id, TimeProvider time) =>
        Of(snapshot.DeviceTree(caller.Person, time.GetUtcNow(), id).Single(listing => listing.Group.Id == id), snapshot.Version);
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
    /// <param name="under">Only this group and those below it.</param>
    public static Results<Ok<Page<DeviceGroupAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, CallersPolicy policy, Guid? under = null) => page.Cut(
        policy.Snapshot.DeviceTree(policy.Person, policy.At, under is { } top ? new(top) : null),
        listing => $"{listing.Group.Name}\n{listing.Group.Id}",
        listing => DeviceGroupAnswer.Of(listing, policy.Version));

    public static Results<Ok<DeviceGroupAnswer>, ProblemHttpResult> HandleOne(Guid id, CallersPolicy policy)
    {
        foreach (var listing in policy.Snapshot.DeviceTree(policy.Person, policy.At, new(id)))
        {
            if (listing.Group.Id.Value == id) return TypedResults.Ok(DeviceGroupAnswer.Of(listing, policy.Version));
        }

        return Problems.NotFound();
    }
}

[JsonSerializable(typeof(DeviceGroupAnswer))]
[JsonSerializable(typeof(Page<DeviceGroupAnswer>))]
[JsonSerializable(typeof(AddDeviceGroupRequest))]
[JsonSerializable(typeof(EditDeviceGroupRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class DeviceGroupsJson : JsonSerializerContext;
