using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

/// <param name="HostKey">The pinned key as <c>type base64</c>; empty: nothing is pinned and nothing is opened.</param>
/// <param name="Accounts">The first is the default one.</param>
internal sealed record AddDeviceRequest(
    Guid Group, string Name, string Host, IReadOnlyList<string> Accounts, int Port = 22, string HostKey = "", string Description = "");

internal static class AddDevice
{
    public static async Task<Results<Created<DeviceAnswer>, ProblemHttpResult>> HandleAsync(
        AddDeviceRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var id = new DeviceId(Guid.CreateVersion7(time.GetUtcNow()));
        var command = new PolicyCommand.AddDevice(
            id, new(request.Group), request.Name, request.Description, request.Host, request.Port, request.HostKey, request.Accounts);
        var outcome = await writer.ApplyAsync(caller, command, cancellation);
        return outcome.AnswerCreated($"/api/v1/devices/{id}", snapshot => DeviceAnswer.Of(snapshot, caller, id, time));
    }
}

/// <summary>
/// What is left out stays. A new host, port or host key drops the stored secrets of the device's accounts. A host key that is given, also the one that is
/// pinned, is confirmed by that: what stood against it is settled.
/// </summary>
internal sealed record EditDeviceRequest(
    Guid? Group = null, string? Name = null, string? Description = null, bool? Enabled = null, string? Host = null, int? Port = null, string? HostKey = null);

internal static class EditDevice
{
    public static async Task<Results<Ok<DeviceAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditDeviceRequest request, Caller caller, PolicyWriter writer, HostKeyBook hostKeys, TimeProvider time, CancellationToken cancellation)
    {
        var outcome = await writer.ApplyAsync(
            caller,
            snapshot => Command(snapshot, new(id), request),
            cancellation,
            (db, _, stop) => request.HostKey is null ? Task.CompletedTask : HostKeyBook.ConfirmAsync(db, new(id), stop));
        var alerts = await hostKeys.AlertsAsync(caller.Organization, cancellation);
        return outcome.Answer(snapshot => DeviceAnswer.Of(snapshot, caller, new(id), time) with { HostKeyAlert = alerts.GetValueOrDefault(new(id)) });
    }

    private static PolicyCommand.EditDevice? Command(PolicySnapshot snapshot, DeviceId id, EditDeviceRequest request) =>
        snapshot.Device(id) is { } row
            ? new(
                id,
                request.Group is { } group ? new(group) : row.Group,
                request.Name ?? row.Name,
                request.Description ?? row.Description,
                request.Enabled ?? row.Enabled,
                request.Host ?? row.Host,
                request.Port ?? row.Port,
                request.HostKey ?? row.HostKey)
            : null;
}

internal static class DeleteDevice
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeleteDevice(new(id)), cancellation)).Answer();
}
