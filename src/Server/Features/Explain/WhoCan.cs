using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Explain;

/// <param name="State">What they would be answered at this moment: never <c>denied</c>.</param>
/// <param name="Permissions">All that is effective for them there, on whichever account; and what access approved ahead lets them do now, on the one asked about.</param>
/// <param name="Until">When the wanted permission stops holding; null: no end is known.</param>
internal sealed record WhoCanEntry(Guid Person, string Login, string Name, DecisionKind State, IReadOnlyList<Permission> Permissions, DateTimeOffset? Until);

internal static class WhoCan
{
    /// <summary>Who gets in to a device, needs an approval, or may ask for it; of the people that the caller may see, by login.</summary>
    /// <param name="device">A device's name.</param>
    /// <param name="permission">Left out: Terminal.</param>
    /// <param name="account">Left out: the device's default account; of what is no connection, the device itself.</param>
    public static async Task<Results<Ok<Page<WhoCanEntry>>, ProblemHttpResult>> Handle(
        [AsParameters] PageQuery page,
        Caller caller,
        CallersPolicy policy,
        IApprovalDesk desk,
        string device,
        string? permission = null,
        string? account = null,
        CancellationToken cancellation = default)
    {
        var wanted = Permission.Terminal;
        if (permission is not null && !PermissionText.TryRead(permission, out wanted))
            return Problems.Invalid("permission", "There is no such permission.");
        if (policy.Snapshot.DeviceByName(device) is not { } target || !policy.MaySee(target.Id)) return Problems.NotFound();
        var ahead = (await desk.PreapprovedAsync(caller.Organization, target.Id, cancellation)).ToLookup(request => request.Person);
        var held = policy.Snapshot.PeopleOf(target.Id, policy.At).ToDictionary(listing => listing.Person.Id, listing => listing.Permissions);

        // What was approved ahead lets in by itself, whatever became of the grant by which it was asked for.
        return page.Cut(
            from id in held.Keys.Union(ahead.Select(request => request.Key))
            where policy.MaySee(id)
            let decision = policy.Snapshot.Decide(ExplainAccess.Question(caller, policy, id, target.Id, account, wanted, [.. ahead[id]]))
            where decision.Kind != DecisionKind.Denied
            select (Person: policy.Snapshot.Person(id)!, Permissions: held.GetValueOrDefault(id) | decision.Permissions, decision),
            found => found.Person.Login,
            found => new WhoCanEntry(
                found.Person.Id.Value, found.Person.Login, found.Person.Name, found.decision.Kind, [.. found.Permissions], found.decision.Until));
    }
}
