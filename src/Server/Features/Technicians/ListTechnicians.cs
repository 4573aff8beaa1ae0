using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Countersign.Server.Features.Technicians;

/// <summary>Who of the list is wanted; what is left out narrows nothing.</summary>
internal readonly record struct TechnicianQuery
{
    /// <summary>A part of login, name or mail address.</summary>
    [FromQuery(Name = "search")]
    public string? Search { get; init; }

    /// <summary>invited or activated.</summary>
    [FromQuery(Name = "state")]
    public string? State { get; init; }

    /// <summary>active, disabled or disabledByPlan.</summary>
    [FromQuery(Name = "status")]
    public string? Status { get; init; }

    /// <summary>owner, technician or contact.</summary>
    [FromQuery(Name = "kind")]
    public string? Kind { get; init; }

    /// <summary>Only those who are in this group directly.</summary>
    [FromQuery(Name = "group")]
    public Guid? Group { get; init; }

    public bool TryRead(out Predicate<PersonRow> takes, out ProblemHttpResult? problem)
    {
        takes = _ => false;
        if (!Choice.TryRead<PersonState>(State, "state", out var state, out problem)) return false;
        if (!Choice.TryRead<PersonStatus>(Status, "status", out var status, out problem)) return false;
        if (!Choice.TryRead<PersonKind>(Kind, "kind", out var kind, out problem)) return false;
        var search = Search is null ? null : Names.Composed(Search);
        takes = person => (state ?? person.State) == person.State && (status ?? person.Status) == person.Status && (kind ?? person.Kind) == person.Kind && Matches(person, search);
        return true;
    }

    private static bool Matches(PersonRow person, string? search) =>
        string.IsNullOrEmpty(search)
        || person.Login.Contains(search, StringComparison.OrdinalIgnoreCase)
        || person.Name.Contains(search, StringComparison.OrdinalIgnoreCase)
        || person.Mail.Contains(search, StringComparison.OrdinalIgnoreCase);
}

internal static class ListTechnicians
{
    public static Results<Ok<Page<TechnicianAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, [AsParameters] TechnicianQuery wanted, CallersPolicy policy)
    {
        if (!wanted.TryRead(out var takes, out var problem)) return problem!;
        var visible = policy.Snapshot.All<TechnicianGroupRow>().Select(row => row.Id).Where(policy.MaySee).ToHashSet();
        var groups = policy.Snapshot.All<MembershipRow>().Where(row => visible.Contains(row.Group)).ToLookup(row => row.Person, row => row.Group);
        var external = TechnicianAnswer.ExternalGroupsOf(policy);
        return page.Cut(
            policy.Snapshot.All<PersonRow>().Where(person =>
                takes(person) && (wanted.Group is not { } group || groups[person.Id].Contains(new(group)))
                && policy.MaySee(person.Id)),
            person => person.Login,
            person => TechnicianAnswer.Of(policy.Snapshot, person, groups[person.Id], external[person.Id]));
    }
}

internal static class GetTechnician
{
    public static Results<Ok<TechnicianAnswer>, ProblemHttpResult> Handle(Guid id, CallersPolicy policy)
    {
        var person = new PersonId(id);
        return policy.MaySee(person) ? TypedResults.Ok(TechnicianAnswer.Of(policy, policy.Snapshot.Person(person)!)) : Problems.NotFound();
    }
}
