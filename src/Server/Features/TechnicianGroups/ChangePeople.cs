using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.TechnicianGroups;

/// <summary>Who is in a group, manages it, runs its branch. Naming somebody who is already named changes nothing.</summary>
internal static class ChangePeople
{
    public static Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> AddMemberAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        ApplyAsync(new PolicyCommand.AddMember(new(id), new(person)), caller, writer, cancellation);

    public static Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> RemoveMemberAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        ApplyAsync(new PolicyCommand.RemoveMember(new(id), new(person)), caller, writer, cancellation);

    public static Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> AddManagerAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        ApplyAsync(new PolicyCommand.AddManager(new(id), new(person)), caller, writer, cancellation);

    public static Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> RemoveManagerAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        ApplyAsync(new PolicyCommand.RemoveManager(new(id), new(person)), caller, writer, cancellation);

    public static Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> AddAdministratorAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        ApplyAsync(new PolicyCommand.AddAdministrator(new(id), new(person)), caller, writer, cancellation);

    public static Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> RemoveAdministratorAsync(
        Guid id, Guid person, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        ApplyAsync(new PolicyCommand.RemoveAdministrator(new(id), new(person)), caller, writer, cancellation);

    private static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> ApplyAsync(
        PolicyCommand command, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, command, cancellation)).Answer();
}
