using System.Diagnostics.CodeAnalysis;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

internal static class ListDevices
{
    /// <param name="search">Words that all have to fit: a part of the name, description or a tag, or (for who may change the device) of the host; tag:linux, tag:env:*, host:10.1., service:rdp, port:3390, group:"New York".</param>
    /// <param name="group">Only devices directly in this group.</param>
    /// <param name="under">Only devices in this group or one below it.</param>
    public static async Task<Results<Ok<Page<DeviceAnswer>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, IApprovalDesk desk, HostKeyBook hostKeys, CancellationToken cancellation,
        string? search = null, Guid? group = null, Guid? under = null)
    {
        if (!TryRead(search, group, under, out var query, out var problem)) return problem;
        var inHand = await WithPreapprovedAsync(caller, policy, desk, cancellation);
        var alerts = await hostKeys.AlertsAsync(caller.Organization, cancellation);
        return page.CutOrdered(
            after => policy.Snapshot.Search(policy.Person, query, policy.At, after),
            device => device.Name,
            device => DeviceAnswer.Of(inHand, device, alerts.GetValueOrDefault(device.Id)));
    }

    public static async Task<Results<Ok<DeviceAnswer>, ProblemHttpResult>> HandleOneAsync(
        Guid id, Caller caller, CallersPolicy policy, IApprovalDesk desk, HostKeyBook hostKeys, CancellationToken cancellation) => policy.MaySee(new DeviceId(id))
        ? TypedResults.Ok(DeviceAnswer.Of(
            await WithPreapprovedAsync(caller, policy, desk, cancellation),
            policy.Snapshot.Device(new(id))!,
            (await hostKeys.AlertsAsync(caller.Organization, cancellation)).GetValueOrDefault(new(id))))
        : Problems.NotFound();

    /// <summary>What is on request, and approved, is not on request any more while its time lasts.</summary>
    private static async Task<CallersPolicy> WithPreapprovedAsync(Caller caller, CallersPolicy policy, IApprovalDesk desk, CancellationToken cancellation) =>
        new(policy.Snapshot, caller, policy.At) { Preapproved = await desk.PreapprovedAsync(caller.Organization, caller.Person, cancellation) };

    public static bool TryRead(string? search, Guid? group, Guid? under, out DeviceQuery query, [NotNullWhen(false)] out ProblemHttpResult? problem)
    {
        problem = DeviceQuery.TryParse(search, out query, out var wrong) ? null : Problems.Invalid("search", wrong);
        query = query.In(group is { } directly ? new(directly) : null, under is { } top ? new(top) : null);
        return problem is null;
    }
}
