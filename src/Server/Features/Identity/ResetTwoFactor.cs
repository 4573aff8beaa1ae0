using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Told">They are mailed that it was reset. False: this server was told no mail server, or they have no address; tell them yourself.</param>
internal sealed record TwoFactorResetAnswer(long Version, bool Told);

/// <summary>Takes the second factor from somebody who has lost theirs, for whoever administers them.</summary>
internal static class ResetTwoFactor
{
    /// <summary>
    /// For whoever may edit the person, so that nobody resets the owner's: the engine is asked with the command that changes nothing. Nor one's
    /// own: that takes the password and a code. They are told by mail, and all that the person is signed in with, and every token, ends.
    /// </summary>
    public static async Task<Results<Ok<TwoFactorResetAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, Caller caller, PolicyWriter writer, LiveSignIns live, AuditLog audit, AccountNews news, CancellationToken cancellation)
    {
        var person = new PersonId(id);
        if (person == caller.Person) return Problems.Forbidden("Nobody resets their own second factor: disable it with the password and a code.");
        var (login, told) = ("", false);
        var outcome = await writer.ApplyAsync(
            caller,
            policy =>
            {
                if (policy.Person(person) is not { } row) return null;
                login = row.Login;
                return new PolicyCommand.EditPerson(person, row.Name, row.Mail);
            },
            cancellation,
            async (db, _, stop) =>
            {
                var (had, passkeys) = await SecondFactor.RemoveAsync(db, person, stop);
                told = await news.TellAsync(db, person, caller, AccountChange.TwoFactorReset, stop);
                var ended = await db.Set<ApiToken>().Where(row => row.Person == person).ExecuteDeleteAsync(stop);
                audit.Add(db, AuditEntry.By(caller, "two-factor.reset") with
                {
                    Subject = login,
                    SubjectId = id,
                    Details = new() { ["wasEnabled"] = had, ["passkeys"] = passkeys, ["tokensEnded"] = ended, ["told"] = told },
                });
            });

        // After the commit: a connection that was let in before it, with the old factor, is found here; what comes after it has none.
        if (outcome is PolicyOutcome.Applied) live.End(caller.Organization, person, _ => true, "your second factor was reset");
        return outcome.Answer(policy => new TwoFactorResetAnswer(policy.Version, told));
    }
}
