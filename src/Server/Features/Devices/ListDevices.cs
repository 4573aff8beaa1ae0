using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

internal static class ListDevices
{
    /// <param name="search">A part of the name or description.</param>
    /// <param name="group">Only devices directly in this group.</param>
    public static async Task<Results<Ok<Page<DeviceAnswer>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, IApprovalDesk desk, CancellationToken cancellation, string? search = null, Guid? group = null)
    {
        var inHand = await WithPreapprovedAsync(caller, policy, desk, cancellation);
        return page.CutOrdered(
            policy.Snapshot.DevicesByName,
            device => device.Name,
            device => (group is null || device.Group.Value == group) && Matches(device, search) && policy.MaySee(device.Id),
            device => DeviceAnswer.Of(inHand, device));
    }

    public static async Task<Results<Ok<DeviceAnswer>, ProblemHttpResult>> HandleOneAsync(
        Guid id, Caller caller, CallersPolicy policy, IApprovalDesk desk, CancellationToken cancellation) => policy.MaySee(new DeviceId(id))
        ? TypedResults.Ok(DeviceAnswer.Of(await WithPreapprovedAsync(caller, policy, desk, cancellation), policy.Snapshot.Device(new(id))!))
        : Problems.NotFound();

    /// <summary>What is on request, and approved, is not on request any more while its time lasts.</summary>
    private static async Task<CallersPolicy> WithPreapprovedAsync(Caller caller, CallersPolicy policy, IApprovalDesk desk, CancellationToken cancellation) =>
        new(policy.Snapshot, caller, policy.At) { Preapproved = await desk.PreapprovedAsync(caller.Organization, caller.Person, cancellation) };

    private static bool Matches(DeviceRow device, string? search) =>
        string.IsNullOrEmpty(search)
        || device.Name.Contains(search, StringComparison.OrdinalIgnoreCase)
        || device.Description.Contains(search, StringComparison.OrdinalIgnoreCase);
}
