using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

/// <summary>What is done to many devices alike.</summary>
internal enum BulkAction : byte
{
    /// <summary>Into a group.</summary>
    Move = 1,
    Enable = 2,
    Disable = 3,

    /// <summary>Tags that they get besides those that they have.</summary>
    Tag = 4,

    /// <summary>Tags that they lose, where they have them.</summary>
    Untag = 5,
    Delete = 6,

    /// <summary>Services that they get, also in the place of those of the same protocol that they have.</summary>
    PutServices = 7,

    /// <summary>Services that they lose, where they have them.</summary>
    RemoveServices = 8,
}

/// <summary>All of the devices or none; one change, that is previewed and undone as one.</summary>
/// <param name="Devices">1 to 1,000 ids, each once.</param>
/// <param name="Group">Where to; with move only.</param>
/// <param name="Tags">With tag and untag only.</param>
/// <param name="Services">With putServices only, each of another protocol.</param>
/// <param name="Protocols">With removeServices only.</param>
internal sealed record BulkDevicesRequest(
    IReadOnlyList<Guid> Devices,
    BulkAction Action,
    Guid? Group = null,
    IReadOnlyList<string>? Tags = null,
    IReadOnlyList<DeviceServiceRequest>? Services = null,
    IReadOnlyList<ServiceProtocol>? Protocols = null);

/// <param name="Changed">The devices that are not as they were.</param>
internal sealed record BulkDevicesAnswer(long Version, int Changed);

internal static class BulkDevices
{
    public const int Most = 1000;

    public static async Task<Results<Ok<BulkDevicesAnswer>, ProblemHttpResult>> HandleAsync(
        BulkDevicesRequest request, Caller caller, PolicyWriter writer, CancellationToken cancellation)
    {
        if (Wrong(request) is { } wrong) return wrong;
        PolicyCommand.Several? command = null;
        var outcome = await writer.ApplyPlannedAheadAsync(
            caller,
            (_, policy, _) => ValueTask.FromResult<PolicyCommand?>(command = Command(policy, request)),
            cancellation,
            (db, _, stop) => HostKeyBook.ConfirmWhereNamedAsync(db, command!, stop));
        return outcome switch
        {
            PolicyOutcome.Applied applied => TypedResults.Ok(new BulkDevicesAnswer(applied.Version, applied.Delta.Changes.Where(change => change.Key.Table is PolicyTable.Device or PolicyTable.DeviceService).DistinctBy(change => change.Key.Id).Count())),
            PolicyOutcome.Refused { Reason: PlanResult.SomeRefused some } => Problems.Of(some, Place),
            _ => outcome.Refusal(),
        };
    }

    private static ProblemHttpResult? Wrong(BulkDevicesRequest request)
    {
        if (request.Devices.Count is 0 or > Most) return Problems.Invalid("devices", $"Name 1 to {Most} devices.");
        var seen = new HashSet<Guid>();
        foreach (var (index, id) in request.Devices.Index())
        {
            if (!seen.Add(id)) return Problems.Invalid($"devices[{index}]", "It is named twice.");
        }

        if ((request.Group is null) == (request.Action is BulkAction.Move)) return Problems.Invalid("group", "A move has a group, and nothing else has one.");
        if ((request.Tags is null) == (request.Action is BulkAction.Tag or BulkAction.Untag)) return Problems.Invalid("tags", "Tag and untag have tags, and nothing else has them.");
        if (request.Tags is not null && !DeviceTags.TryWrite([.. request.Tags], out _, out var problem)) return Problems.Invalid("tags", problem);
        return WrongServices(request);
    }

    private static ProblemHttpResult? WrongServices(BulkDevicesRequest request)
    {
        if ((request.Services is null) == (request.Action is BulkAction.PutServices)) return Problems.Invalid("services", "PutServices has services, and nothing else has them.");
        if ((request.Protocols is null) == (request.Action is BulkAction.RemoveServices)) return Problems.Invalid("protocols", "RemoveServices has protocols, and nothing else has them.");
        if (request is { Services.Count: 0 }) return Problems.Invalid("services", "Name at least one.");
        if (request.Protocols is { } protocols && (protocols.Count == 0 || protocols.Count > ServiceProtocols.All.Count || !protocols.All(Enum.IsDefined))) return Problems.Invalid("protocols", $"Name some of {string.Join(", ", ServiceProtocols.All.Select(ServiceProtocols.Word))}.");
        return request.Services is { } services && PolicySnapshot.WrongWith(DeviceServiceRequest.Wishes(services)) is { } wrong ? Problems.Of(wrong) : null;
    }

    private static PolicyCommand.Several Command(PolicySnapshot policy, BulkDevicesRequest request) =>
        new(Summary(policy, request), [.. request.Devices.Select(id => Command(new DeviceId(id), request))]);

    private static PolicyCommand Command(DeviceId id, BulkDevicesRequest request) => request.Action switch
    {
        BulkAction.Move => new PolicyCommand.EditDevice(id, new(request.Group!.Value)),
        BulkAction.Enable => new PolicyCommand.EditDevice(id, Enabled: true),
        BulkAction.Disable => new PolicyCommand.EditDevice(id, Enabled: false),
        BulkAction.Tag => new PolicyCommand.EditDevice(id) { AddedTags = request.Tags! },
        BulkAction.Untag => new PolicyCommand.EditDevice(id) { RemovedTags = request.Tags! },
        BulkAction.PutServices => new PolicyCommand.EditDevice(id) { PutServices = DeviceServiceRequest.Wishes(request.Services) },
        BulkAction.RemoveServices => new PolicyCommand.EditDevice(id) { RemovedServices = request.Protocols! },
        _ => new PolicyCommand.DeleteDevice(id),
    };

    private static string Summary(PolicySnapshot policy, BulkDevicesRequest request)
    {
        var devices = request.Devices.Count == 1 ? "1 device" : $"{request.Devices.Count} devices";
        return request.Action switch
        {
            BulkAction.Move => $"Moved {devices} to the device group {policy.PathOf(new(request.Group!.Value)) ?? "that is not there"}.",
            BulkAction.Enable => $"Enabled {devices}.",
            BulkAction.Disable => $"Disabled {devices}.",
            BulkAction.Tag => $"Tagged {devices} with {string.Join(", ", request.Tags!)}.",
            BulkAction.Untag => $"Took {string.Join(", ", request.Tags!)} from the tags of {devices}.",
            BulkAction.PutServices => $"Gave {devices} services by {Words(request.Services!.Select(service => service.Protocol))}.",
            BulkAction.RemoveServices => $"Took services by {Words(request.Protocols!)} from {devices}.",
            _ => $"Deleted {devices}.",
        };
    }

    private static string Words(IEnumerable<ServiceProtocol> protocols) => string.Join(", ", protocols.Select(ServiceProtocols.Word));

    /// <summary>A group that is not there is told once, and not for each device.</summary>
    private static string Place(RefusedStep step, string field) => step.Reason is PlanResult.NotFound("device group") ? "group" : field.Length == 0 ? $"devices[{step.Index}]" : $"devices[{step.Index}].{field}";
}
