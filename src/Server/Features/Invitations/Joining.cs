using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Invitations;

/// <param name="Token">From the link.</param>
internal sealed record LookRequest(string Token)
{
    public override string ToString() => nameof(LookRequest);
}

/// <summary>What whoever holds the link is shown before they join.</summary>
internal sealed record JoinShown(string Organization, string Name, string Mail, DateTimeOffset Expires);

/// <param name="Name">Null: as they were invited.</param>
internal sealed record JoinRequest(string Token, string Login, string Password, string? Name = null)
{
    public override string ToString() => nameof(JoinRequest);
}

/// <summary>From a mailed link to an account. The link is used up in the transaction in which its holder becomes activated, and only there.</summary>
internal sealed class Joining(PolicyWriter writer, PolicySource policy, MailedLinks links, Passwords passwords, SignInFailures failures, LoginGuesses guesses, Database database, AuditLog audit)
{
    public async Task<Results<Ok<JoinShown>, ProblemHttpResult>> LookAsync(LookRequest request, HttpContext context, CancellationToken cancellation)
    {
        if (await FindAsync(request.Token, context, cancellation) is not var (link, person)) return Problems.NotFound();
        await using var db = database.Read(link.OrganizationId);
        return TypedResults.Ok(new JoinShown(await OrganizationNames.OfAsync(db, cancellation), person.Name, person.Mail, link.Expires));
    }

    public async Task<Results<Ok<PersonShown>, ProblemHttpResult>> JoinAsync(JoinRequest request, HttpContext context, CancellationToken cancellation)
    {
        if (await FindAsync(request.Token, context, cancellation) is not var (link, person)) return Problems.NotFound();
        var organization = link.OrganizationId;
        var caller = new Caller(
            organization, person.Id, person.Login, TokenScopes.None, Guid.Empty, context.Connection.RemoteIpAddress, SignInStrength.None, context.TraceIdentifier);
        if (guesses.Wait(LoginGuesses.By(caller), Source(context)) is var wait && wait > TimeSpan.Zero) return Problems.TooManyAttempts(context, wait);
        var name = request.Name ?? person.Name;
        if (Logins.Problem(request.Login) is { } wrong) return Problems.Invalid("login", wrong);
        var strength = SignInRules.Of(policy.Current(organization)).PasswordStrength;
        if (PasswordRules.Problem(request.Password, strength, request.Login, name, person.Mail) is { } problem) return Problems.Invalid("password", problem);
        string hash;
        try
        {
            hash = await passwords.HashAsync(request.Password, cancellation);
        }
        catch (PasswordsBusyException)
        {
            return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
        }

        string? tooWeak = null;
        var outcome = await writer.ApplyAsync(
            caller,
            async (db, inForce, stop) =>
            {
                // The rules may be others by now.
                var rules = SignInRules.Of(inForce);
                if (!rules.Allows(Source(context)) || !await links.IsGoodAsync(db, link, stop)) return null;
                tooWeak = rules.ProblemSince(strength, request.Password, request.Login, name, person.Mail);
                return tooWeak is null ? new PolicyCommand.ActivatePerson(person.Id, request.Login, name) : null;
            },
            cancellation,
            async (db, _, stop) =>
            {
                await passwords.SetAsync(db, person.Id, hash, PasswordChoice.Own, stop);
                await links.UseAsync(db, link, stop);
                await db.Set<Invitation>().Where(row => row.Person == person.Id).ExecuteDeleteAsync(stop);
                audit.Add(db, AuditEntry.By(caller, "invitation.accepted") with { ActorLogin = request.Login, Subject = person.Mail, SubjectId = person.Id.Value });
            });
        guesses.NoteIfTaken(caller, request.Login, outcome);
        return outcome switch
        {
            PolicyOutcome.Applied applied => TypedResults.Ok(PersonShown.Of(applied.Snapshot.Person(person.Id)!)),
            _ when tooWeak is not null => Problems.Invalid("password", tooWeak),
            PolicyOutcome.Refused { Reason: PlanResult.Invalid } refused => Problems.Of(refused.Reason),
            // Used, withdrawn, sent anew or disabled meanwhile: as if the link had never been good.
            _ => Problems.NotFound(),
        };
    }

    private async Task<(MailedLink Link, PersonRow Person)?> FindAsync(string token, HttpContext context, CancellationToken cancellation)
    {
        if (await links.FindAsync(token, LinkPurpose.Join, cancellation) is not { } link) return null;
        var inForce = policy.Current(link.OrganizationId);
        if (inForce?.Person(link.Person) is not { State: PersonState.Invited, Status: PersonStatus.Active } person) return null;

        // Whoever may not sign in from there does not join from there: a mailbox that is read elsewhere is not enough.
        var source = Source(context);
        if (SignInRules.Of(inForce).Allows(source)) return (link, person);
        failures.Note(person.Login, source, "api", "invitation");
        return null;
    }

    private static IPAddress Source(HttpContext context) => context.Connection.RemoteIpAddress ?? IPAddress.None;
}
