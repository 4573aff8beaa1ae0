using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.TechnicianGroups;

/// <param name="Groups">All external groups that the group approves; null: those of the group above.</param>
internal sealed record SetApprovedExternalsRequest(IReadOnlyList<Guid>? Groups);

internal static class SetApprovedExternals
{
    public static async Task<Results<Ok<TechnicianGroupAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, SetApprovedExternalsRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        IReadOnlyList<ExternalGroupId>? groups = request.Groups is { } ids ? [.. ids.Select(group => new ExternalGroupId(group))] : null;
        var outcome = await writer.ApplyAsync(caller, new PolicyCommand.SetApprovedExternals(new(id), groups), cancellation);
        return outcome.Answer(snapshot => GroupPeople.Show(snapshot, new(id), new CallersPolicy(snapshot, caller, time.GetUtcNow()).MaySee));
    }
}
