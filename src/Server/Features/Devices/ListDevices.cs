using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Countersign.Server.Features.Devices;

internal static class ListDevices
{
    public static async Task<Results<Ok<Page<DeviceAnswer>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageQuery page, [AsParameters] WantedDevices wanted, Caller caller, CallersPolicy policy, IApprovalDesk desk, HostKeyBook hostKeys, CancellationToken cancellation)
    {
        if (wanted.Problem(out var query) is { } wrong) return wrong;
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
}

/// <summary>Which devices are wanted of those that the caller may see.</summary>
internal readonly record struct WantedDevices
{
    /// <summary>Words that all have to fit: a part of the name, description, a tag or (for who may change the device) the host; tag:linux, tag:env:*, host:10.1., group:"New York".</summary>
    [FromQuery(Name = "search")]
    public string? Search { get; init; }

    /// <summary>Only devices directly in this group.</summary>
    [FromQuery(Name = "group")]
    public Guid? Group { get; init; }

    /// <summary>Only devices in this group or one below it.</summary>
    [FromQuery(Name = "under")]
    public Guid? Under { get; init; }

    public ProblemHttpResult? Problem(out DeviceQuery query)
    {
        if (!DeviceQuery.TryParse(Search, out query, out var problem)) return Problems.Invalid("search", problem);
        query = query.In(Group is { } group ? new(group) : null, Under is { } under ? new(under) : null);
        return null;
    }
}
