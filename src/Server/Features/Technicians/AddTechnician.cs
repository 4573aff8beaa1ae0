using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Technicians;

/// <param name="Password">With one the person is activated at once, and has to choose another one at the first sign-in; without they are invited.</param>
internal sealed record AddTechnicianRequest(PersonKind Kind, string Login, string Name, string Mail = "", string? Password = null)
{
    /// <summary>Nothing of the password.</summary>
    public override string ToString() => $"{nameof(AddTechnicianRequest)} {Login}";
}

internal static class AddTechnician
{
    public static async Task<Results<Created<TechnicianAnswer>, ProblemHttpResult>> HandleAsync(
        AddTechnicianRequest request,
        Caller caller,
        PolicyWriter writer,
        Passwords passwords,
        PolicySource policy,
        LoginGuesses guesses,
        TimeProvider time,
        HttpContext context,
        CancellationToken cancellation)
    {
        // One way for contacts, who have an address and no password: POST /contacts.
        if (request.Kind == PersonKind.Contact) return Problems.Invalid("kind", "Contacts are added as contacts, with their mail address.");
        if (Logins.Problem(request.Login) is { } wrong) return Problems.Invalid("login", wrong);
        if (guesses.Wait(LoginGuesses.By(caller), caller.Source ?? IPAddress.None) is var wait && wait > TimeSpan.Zero) return Problems.TooManyAttempts(context, wait);
        var id = new PersonId(Guid.CreateVersion7(time.GetUtcNow()));
        var state = request.Password is null ? PersonState.Invited : PersonState.Activated;
        var command = new PolicyCommand.AddPerson(id, request.Kind, request.Login, request.Name, request.Mail, state);
        AlongWithChange? along = null;
        if (request.Password is { } password)
        {
            // Before anything is worked out from the password: who may not add people must not have the server hash for them.
            if (policy.Current(caller.Organization)?.Plan(command, caller.Person, time.GetUtcNow()) is not PlanResult.Planned)
                return (await ApplyAsync(null)).Refusal();
            var strength = SignInRules.Of(policy.Current(caller.Organization)).PasswordStrength;
            if (PasswordRules.Problem(password, strength, request.Login, request.Name, request.Mail) is { } problem) return Problems.Invalid("password", problem);
            try
            {
                var hash = await passwords.HashAsync(password, cancellation);
                along = (db, _, stop) => passwords.SetAsync(db, id, hash, PasswordChoice.First, stop);
            }
            catch (PasswordsBusyException)
            {
                return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
            }
        }

        var outcome = await ApplyAsync(along);
        return outcome.AnswerCreated($"/api/v1/technicians/{id}", snapshot => TechnicianAnswer.Of(snapshot, caller, id, time));

        async Task<PolicyOutcome> ApplyAsync(AlongWithChange? together)
        {
            var applied = await writer.ApplyAsync(caller, command, cancellation, together);
            guesses.NoteIfTaken(caller, command.Login, applied);
            return applied;
        }
    }
}
