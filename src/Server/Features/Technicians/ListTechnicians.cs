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
        if (policy.Snapshot.Person(person) is not { } row || !policy.MaySee(person)) return Problems.NotFound();
        var groups = policy.Snapshot.All<MembershipRow>().Where(member => member.Person == person && policy.MaySee(member.Group)).Select(member => member.Group);
        return TypedResults.Ok(TechnicianAnswer.Of(policy.Snapshot, row, groups));
    }
}
