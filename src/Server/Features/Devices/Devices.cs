using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Reach;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Devices;

/// <summary>What the caller can do with a device right now.</summary>
public enum DeviceState : byte
{
    /// <summary>Seen, and no way to connect; without a service by ssh there is none.</summary>
    Visible = 0,
    OnRequest = 1,
    NeedsApproval = 2,
    Allowed = 3,
}

internal sealed record DeviceAccountAnswer(string Name, bool Default);

/// <param name="Host">Null, like the ports of services and what is pinned, unless the caller may change the device: addresses inside a network are not for everybody who connects.</param>
/// <param name="Permissions">What the caller holds there, on whichever account.</param>
internal sealed record DeviceAnswer(
    Guid Id,
    Guid Group,
    string Name,
    string Description,
    bool Enabled,
    string? Host,
    IReadOnlyList<DeviceServiceAnswer> Services,
    IReadOnlyList<DeviceAccountAnswer> Accounts,
    IReadOnlyList<string> Tags,
    IReadOnlyList<Permission> Permissions,
    DeviceState State,
    long Version) : IVersioned
{
    /// <summary>It has shown another key than the pinned one, and nobody has confirmed a key since. Null also for whoever may not change the device.</summary>
    public HostKeyAlertAnswer? HostKeyAlert { get; init; }

    /// <param name="alert">What stands against the device's host key.</param>
    public static DeviceAnswer Of(CallersPolicy policy, DeviceRow row, HostKeyAlertAnswer? alert = null)
    {
        var manages = policy.Snapshot.MayModifyDevice(policy.Person, row.Id, policy.At);
        var held = policy.HeldOn(row.Id);
        return new(
            row.Id.Value,
            row.Group.Value,
            row.Name,
            row.Description,
            row.Enabled,
            manages ? row.Host : null,
            [.. policy.Snapshot.ServicesOf(row.Id).Select(service => manages ? DeviceServiceAnswer.Whole(service, held) : DeviceServiceAnswer.Of(service, held))],
            [.. policy.Snapshot.AccountsOf(row.Id).Select(account => new DeviceAccountAnswer(account.Name, account.IsDefault))],
            DeviceTags.Read(row.Tags),
            [.. held],
            policy.Snapshot.Endpoint(row.Id, ServiceProtocol.Ssh) is null ? DeviceState.Visible : StateOf(policy.WayTo(row.Id)),
            policy.Version)
        {
            HostKeyAlert = manages ? alert : null,
        };
    }

    private static DeviceState StateOf(DecisionKind way) => way switch
    {
        DecisionKind.Allowed => DeviceState.Allowed,
        DecisionKind.NeedsApproval => DeviceState.NeedsApproval,
        DecisionKind.MayBeRequested => DeviceState.OnRequest,
        _ => DeviceState.Visible,
    };

    /// <summary>For the answer to somebody who has just changed the device.</summary>
    public static DeviceAnswer Of(PolicySnapshot snapshot, Caller caller, DeviceId id, TimeProvider time) =>
        Of(new CallersPolicy(snapshot, caller, time.GetUtcNow()), snapshot.Device(id)!);
}

/// <summary>Endpoint devices: where they are, by which services they are spoken to and what these show, which accounts they have.</summary>
public static class DevicesComposition
{
    public static IServiceCollection AddDevices(this IServiceCollection services) =>
        services.AddSingleton<HostKeyReader>()
            .AddSingleton<HostKeyBook>()
            .AddSingleton<IHostKeyBook>(provider => provider.GetRequiredService<HostKeyBook>())
            .AddSingleton<AlongWithChange>(HostKeyBook.DropWhereReachedElsewhereAsync)
            .AddApiTypes(DevicesJson.Default);

    public static void MapDevices(this IEndpointRouteBuilder routes)
    {
        var devices = routes.MapGroup("/devices").WithTags("Devices");
        devices.MapGet("/", ListDevices.HandleAsync).Requires(TokenScopes.DevicesRead).ForContactsToo();
        devices.MapPost("/", AddDevice.HandleAsync).ChangesPolicy(TokenScopes.Devices);
        devices.MapPost("/bulk", BulkDevices.HandleAsync).ChangesPolicy(TokenScopes.Devices);
        devices.MapPost("/import", ImportDevices.HandleAsync).Accepts<string>(Csv.ContentType).ChangesPolicy(TokenScopes.Devices);
        devices.MapGet("/export", ExportDevices.Handle).Requires(TokenScopes.DevicesRead);
        devices.MapGet("/{id:guid}", ListDevices.HandleOneAsync).Requires(TokenScopes.DevicesRead).ForContactsToo();
        devices.MapPatch("/{id:guid}", EditDevice.HandleAsync).ChangesPolicy(TokenScopes.Devices);
        devices.MapDelete("/{id:guid}", DeleteDevice.HandleAsync).ChangesPolicy(TokenScopes.Devices);
        devices.MapPost("/host-key", FetchHostKey.HandleAsync).Requires(TokenScopes.Devices);
    }
}

[JsonSerializable(typeof(DeviceAnswer))]
[JsonSerializable(typeof(Page<DeviceAnswer>))]
[JsonSerializable(typeof(AddDeviceRequest))]
[JsonSerializable(typeof(EditDeviceRequest))]
[JsonSerializable(typeof(BulkDevicesRequest))]
[JsonSerializable(typeof(BulkDevicesAnswer))]
[JsonSerializable(typeof(ImportAnswer))]
[JsonSerializable(typeof(ImportFault[]))]
[JsonSerializable(typeof(FetchHostKeyRequest))]
[JsonSerializable(typeof(HostKeyAnswer))]
[JsonSerializable(typeof(HostKeyChanged))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class DevicesJson : JsonSerializerContext;
