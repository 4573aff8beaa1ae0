using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Technicians;

/// <summary>What is left out stays.</summary>
internal sealed record EditTechnicianRequest(string? Name = null, string? Mail = null);

internal static class EditTechnician
{
    public static async Task<Results<Ok<TechnicianAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditTechnicianRequest request, Caller caller, PolicyWriter writer, AccountNews news, TimeProvider time, CancellationToken cancellation)
    {
        var person = new PersonId(id);
        var outcome = await writer.ApplyAsync(
            caller,
            snapshot => snapshot.Person(person) is { } row ? new PolicyCommand.EditPerson(person, request.Name ?? row.Name, request.Mail ?? row.Mail) : null,
            cancellation,
            (db, delta, stop) => news.TellOfAddressAsync(db, caller, delta, stop));
        return outcome.Answer(snapshot => TechnicianAnswer.Of(snapshot, caller, person, time));
    }
}

internal static class DisableTechnician
{
    public static Task<Results<Ok<TechnicianAnswer>, ProblemHttpResult>> DisableAsync(
        Guid id, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation) =>
        SetAsync(id, PersonStatus.Disabled, caller, writer, time, cancellation);

    public static Task<Results<Ok<TechnicianAnswer>, ProblemHttpResult>> EnableAsync(
        Guid id, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation) =>
        SetAsync(id, PersonStatus.Active, caller, writer, time, cancellation);

    private static async Task<Results<Ok<TechnicianAnswer>, ProblemHttpResult>> SetAsync(
        Guid id, PersonStatus status, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        var person = new PersonId(id);
        var outcome = await writer.ApplyAsync(caller, new PolicyCommand.SetPersonStatus(person, status), cancellation);
        return outcome.Answer(snapshot => TechnicianAnswer.Of(snapshot, caller, person, time));
    }
}

internal static class DeleteTechnician
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeletePerson(new(id)), cancellation)).Answer();
}
