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
    private const string ChangedMeanwhile = "Something was changed at the same time: try it again.";

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
        if (request.Password is not { } password) return Answer(await ApplyAsync(_ => command, null));

        // Before anything is worked out from the password: who may not add people must not have the server hash for them.
        if (!IsPlanned(policy.Current(caller.Organization)))
        {
            // On the writer, where a refusal is written down; there it may be planned by now, and without a password nobody is added.
            var refused = await ApplyAsync(inForce => IsPlanned(inForce) ? null : command, null);
            return refused is PolicyOutcome.Refused { Reason: PlanResult.NotFound("") } ? Problems.Conflict(ChangedMeanwhile) : refused.Refusal();
        }

        var strength = SignInRules.Of(policy.Current(caller.Organization)).PasswordStrength;
        if (PasswordRules.Problem(password, strength, request.Login, request.Name, request.Mail) is { } problem) return Problems.Invalid("password", problem);
        string hash;
        try
        {
            hash = await passwords.HashAsync(password, cancellation);
        }
        catch (PasswordsBusyException)
        {
            return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
        }

        string? tooWeak = null;
        var outcome = await ApplyAsync(
            inForce => (tooWeak = SignInRules.Of(inForce).ProblemSince(strength, password, request.Login, request.Name, request.Mail)) is null ? command : null,
            (db, _, stop) => passwords.SetAsync(db, id, hash, PasswordChoice.First, stop));
        return tooWeak is null ? Answer(outcome) : Problems.Invalid("password", tooWeak);

        bool IsPlanned(PolicySnapshot? inForce) => inForce?.Plan(command, caller.Person, time.GetUtcNow()) is PlanResult.Planned;

        Results<Created<TechnicianAnswer>, ProblemHttpResult> Answer(PolicyOutcome made) =>
            made.AnswerCreated($"/api/v1/technicians/{id}", snapshot => TechnicianAnswer.Of(snapshot, caller, id, time));

        async Task<PolicyOutcome> ApplyAsync(Func<PolicySnapshot, PolicyCommand?> make, AlongWithChange? along)
        {
            var applied = await writer.ApplyAsync(caller, make, cancellation, along);
            guesses.NoteIfTaken(caller, command.Login, applied);
            return applied;
        }
    }
}
