using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.TechnicianGroups;

internal static class ListTechnicianGroups
{
    public static Results<Ok<Page<TechnicianGroupAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, CallersPolicy policy)
    {
        var people = new GroupPeople(policy.Snapshot, policy.MaySee);
        return page.Cut(
            policy.Snapshot.All<TechnicianGroupRow>().Where(group => policy.MaySee(group.Id)),
            group => $"{group.Name}\n{group.Id}",
            people.Show);
    }
}

internal static class GetTechnicianGroup
{
    public static Results<Ok<TechnicianGroupAnswer>, ProblemHttpResult> Handle(Guid id, CallersPolicy policy)
    {
        var group = new TechnicianGroupId(id);
        return policy.MaySee(group) ? TypedResults.Ok(GroupPeople.Show(policy.Snapshot, group, policy.MaySee)) : Problems.NotFound();
    }
}
