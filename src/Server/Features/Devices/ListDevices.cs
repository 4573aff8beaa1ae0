using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

internal static class ListDevices
{
    /// <param name="search">A part of the name or description.</param>
    /// <param name="group">Only devices directly in this group.</param>
    public static Results<Ok<Page<DeviceAnswer>>, ProblemHttpResult> Handle(
        [AsParameters] PageQuery page, CallersPolicy policy, string? search = null, Guid? group = null) => page.Cut(
        policy.Snapshot.All<DeviceRow>().Where(device => (group is null || device.Group.Value == group) && Matches(device, search) && policy.MaySee(device.Id)),
        device => device.Name,
        device => DeviceAnswer.Of(policy, device));

    public static Results<Ok<DeviceAnswer>, ProblemHttpResult> HandleOne(Guid id, CallersPolicy policy) =>
        policy.MaySee(new DeviceId(id)) ? TypedResults.Ok(DeviceAnswer.Of(policy, policy.Snapshot.Device(new(id))!)) : Problems.NotFound();

    private static bool Matches(DeviceRow device, string? search) =>
        string.IsNullOrEmpty(search)
        || device.Name.Contains(search, StringComparison.OrdinalIgnoreCase)
        || device.Description.Contains(search, StringComparison.OrdinalIgnoreCase);
}
