using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Technicians;

internal static class ListTechnicians
{
    public static Results<Ok<Page<TechnicianAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, CallersPolicy policy, string? search = null)
    {
        var groups = policy.Snapshot.All<MembershipRow>().Where(row => policy.MaySee(row.Group)).ToLookup(row => row.Person, row => row.Group);
        return page.Cut(
            policy.Snapshot.All<PersonRow>().Where(person => Matches(person, search) && policy.MaySee(person.Id)),
            person => person.Login,
            person => TechnicianAnswer.Of(policy.Snapshot, person, groups[person.Id]));
    }

    private static bool Matches(PersonRow person, string? search) =>
        string.IsNullOrEmpty(search)
        || person.Login.Contains(search, StringComparison.OrdinalIgnoreCase)
        || person.Name.Contains(search, StringComparison.OrdinalIgnoreCase)
        || person.Mail.Contains(search, StringComparison.OrdinalIgnoreCase);
}

internal static class GetTechnician
{
    public static Results<Ok<TechnicianAnswer>, ProblemHttpResult> Handle(Guid id, CallersPolicy policy)
    {
        var person = new PersonId(id);
        return policy.MaySee(person) ? TypedResults.Ok(TechnicianAnswer.Of(policy, policy.Snapshot.Person(person)!)) : Problems.NotFound();
    }
}
