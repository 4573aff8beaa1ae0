using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

/// <param name="Services">At most one of a protocol; none where it is left out, and then it is not reached.</param>
/// <param name="Accounts">The first is the default one.</param>
/// <param name="Tags">At most 32 of <c>[a-z0-9][a-z0-9._:=/-]*</c>, each of at most 64 characters; none where it is left out.</param>
internal sealed record AddDeviceRequest(
    Guid Group, string Name, string Host, IReadOnlyList<string> Accounts, IReadOnlyList<DeviceServiceRequest>? Services = null, string Description = "", IReadOnlyList<string>? Tags = null);

internal static class AddDevice
{
    public static async Task<Results<Created<DeviceAnswer>, ProblemHttpResult>> HandleAsync(
        AddDeviceRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var id = new DeviceId(Guid.CreateVersion7(time.GetUtcNow()));
        var command = new PolicyCommand.AddDevice(id, new(request.Group), request.Name, request.Description, request.Host, request.Accounts)
        {
            Services = DeviceServiceRequest.Wishes(request.Services),
            Tags = request.Tags ?? [],
        };
        var outcome = await writer.ApplyAsync(caller, command, cancellation);
        return outcome.AnswerCreated($"/api/v1/devices/{id}", snapshot => DeviceAnswer.Of(snapshot, caller, id, time));
    }
}

/// <summary>
/// What is left out stays. A new host, and whatever changes of the services, drops the stored secrets of the device's accounts. A host key that is given,
/// also the one that is pinned, is confirmed by that: what stood against it is settled.
/// </summary>
/// <param name="Services">All of them, at most one of a protocol.</param>
/// <param name="Accounts">All of them; the first is the default one. The secrets of those that go, go with them.</param>
/// <param name="Tags">All of them.</param>
internal sealed record EditDeviceRequest(
    Guid? Group = null, string? Name = null, string? Description = null, bool? Enabled = null, string? Host = null,
    IReadOnlyList<DeviceServiceRequest>? Services = null, IReadOnlyList<string>? Accounts = null, IReadOnlyList<string>? Tags = null);

internal static class EditDevice
{
    public static async Task<Results<Ok<DeviceAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditDeviceRequest request, Caller caller, PolicyWriter writer, HostKeyBook hostKeys, TimeProvider time, CancellationToken cancellation)
    {
        DeviceGroupId? group = request.Group is { } moved ? new(moved) : null;
        var command = new PolicyCommand.EditDevice(new(id), group, request.Name, request.Description, request.Enabled, request.Host)
        {
            Services = request.Services is null ? null : DeviceServiceRequest.Wishes(request.Services),
            Accounts = request.Accounts,
            Tags = request.Tags,
        };
        var outcome = await writer.ApplyAsync(
            caller, command, cancellation, (db, _, stop) => command.Services?.Any(HostKeyBook.NamesHostKey) == true ? HostKeyBook.ConfirmAsync(db, new(id), stop) : Task.CompletedTask);
        var alerts = await hostKeys.AlertsAsync(caller.Organization, cancellation);
        return outcome.Answer(snapshot => DeviceAnswer.Of(snapshot, caller, new(id), time) with { HostKeyAlert = alerts.GetValueOrDefault(new(id)) });
    }
}

internal static class DeleteDevice
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeleteDevice(new(id)), cancellation)).Answer();
}
