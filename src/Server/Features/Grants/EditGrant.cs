using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Grants;

/// <param name="Accounts">Left out: the device's default account only.</param>
/// <param name="Window">Left out: always.</param>
internal sealed record AddGrantRequest(
    GrantSubjectForm Subject, GrantScopeForm Scope, Guid Role, GrantAccountsForm? Accounts = null, GrantWindowForm? Window = null);

internal static class AddGrant
{
    public const string BadAccounts = "An account's name has 1 to 64 characters, none of them a blank, a comma, a plus or a control character.";

    public static async Task<Results<Created<GrantAnswer>, ProblemHttpResult>> HandleAsync(
        AddGrantRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        if (request.Accounts is { IsWellFormed: false }) return Problems.Invalid("accounts", BadAccounts);
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var command = new PolicyCommand.AddGrant(
            new(id),
            new(request.Subject.Kind, request.Subject.Id),
            new(request.Scope.Kind, request.Scope.Id ?? default),
            new(request.Role),
            request.Accounts?.Read() ?? GrantAccounts.Default,
            request.Window?.Read() ?? GrantWindow.Always);
        var outcome = await writer.ApplyAsync(caller, command, cancellation);
        return outcome.AnswerCreated($"/api/v1/grants/{id}", snapshot => GrantAnswer.Of(snapshot, id));
    }
}

/// <summary>What is left out stays; a window that is given replaces the whole window.</summary>
internal sealed record EditGrantRequest(Guid? Role = null, GrantAccountsForm? Accounts = null, GrantWindowForm? Window = null);

internal static class EditGrant
{
    public static async Task<Results<Ok<GrantAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditGrantRequest request, Caller caller, PolicyWriter writer, CancellationToken cancellation)
    {
        if (request.Accounts is { IsWellFormed: false }) return Problems.Invalid("accounts", AddGrant.BadAccounts);
        var outcome = await writer.ApplyAsync(
            caller,
            snapshot => snapshot.Find(new(PolicyTable.Grant, id)) is GrantRow row
                ? new PolicyCommand.EditGrant(
                    row.Id, request.Role is { } role ? new(role) : row.Role, request.Accounts?.Read() ?? row.Accounts, request.Window?.Read() ?? row.Window)
                : null,
            cancellation);
        return outcome.Answer(snapshot => GrantAnswer.Of(snapshot, id));
    }
}

internal static class RemoveGrant
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.RemoveGrant(new(id)), cancellation)).Answer();
}
