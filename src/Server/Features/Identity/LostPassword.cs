using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Mail">Where the link goes.</param>
/// <param name="Expires">It is good once, and not any more from then on.</param>
internal sealed record PasswordLinkSent(string Mail, DateTimeOffset Expires);

/// <param name="Token">From the link.</param>
internal sealed record NewPasswordRequest(string Token, string Password)
{
    public override string ToString() => nameof(NewPasswordRequest);
}

/// <summary>
/// Another password for somebody who has lost theirs, or was restored without one: by a link to their own address, so that who has it sent never knows
/// the password. A second factor stays as it is.
/// </summary>
internal sealed class LostPassword(
    PolicyWriter writer, PolicySource policy, Outbox outbox, MailedLinks links, LinkBound bound, Passwords passwords, SignInFailures failures, PasswordSignIn signIn, LiveSignIns live, AccountNews news, WriteQueue queue, AuditLog audit, TimeProvider time)
{
    private const string SendsNothing = "This server was told no mail server, so that it can't mail a link.";

    private static readonly TimeSpan _life = TimeSpan.FromHours(24);

    /// <summary>
    /// For whoever may edit the person, so never for the owner: the engine is asked with the command that changes nothing. Nor for oneself: that takes the
    /// password. Until the link is used all stays as it was; the one before is void.
    /// </summary>
    public async Task<Results<Ok<PasswordLinkSent>, ProblemHttpResult>> SendAsync(Guid id, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        if (caller.Person.Value == id) return Problems.Forbidden("Nobody has a link sent to themselves: change the password with the one that you have.");
        if (!outbox.Sends) return Problems.Conflict(SendsNothing);
        PersonRow? person = null;
        PasswordLinkSent? sent = null;
        try
        {
            var outcome = await writer.ApplyAsync(
                caller,
                inForce => (person = inForce.Person(new(id))) is null ? null : new PolicyCommand.EditPerson(person.Id, person.Name, person.Mail),
                cancellation,
                async (db, _, stop) => sent = IsFor(person!) ? await SendAsync(db, person!, caller, stop) : null);
            if (outcome is not PolicyOutcome.Applied) return outcome.Refusal();
        }
        catch (TooManyLinksException tooMany)
        {
            return await bound.RefuseAsync(tooMany, caller, context, cancellation);
        }

        return sent is not null ? TypedResults.Ok(sent) : Problems.Conflict("A link is for technicians who have joined, are not disabled and have an address.");
    }

    /// <summary>Uses the link up. Whatever the person was signed in with ends: with the old password, or what came of it, somebody else may be.</summary>
    public async Task<Results<NoContent, ProblemHttpResult>> ChooseAsync(NewPasswordRequest request, HttpContext context, CancellationToken cancellation)
    {
        var source = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (await FindAsync(request.Token, source, cancellation) is not var (link, person)) return Problems.NotFound();
        var strength = SignInRules.Of(policy.Current(link.OrganizationId)).PasswordStrength;
        if (PasswordRules.Problem(request.Password, strength, person.Login, person.Name, person.Mail) is { } problem) return Problems.Invalid("password", problem);
        string hash;
        try
        {
            hash = await passwords.HashAsync(request.Password, cancellation);
        }
        catch (PasswordsBusyException)
        {
            return Problems.TooManyAttempts(context, TimeSpan.FromSeconds(1));
        }

        var caller = new Caller(link.OrganizationId, person.Id, person.Login, TokenScopes.None, Guid.Empty, source, SignInStrength.None, context.TraceIdentifier);
        return await queue.WriteAsync<Results<NoContent, ProblemHttpResult>>(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(link.OrganizationId);
                var inForce = writer.ForWriter(link.OrganizationId);
                if (inForce?.Person(person.Id) is not { } now || !IsFor(now) || !SignInRules.Of(inForce).Allows(source)) return Problems.NotFound();
                if (SignInRules.Of(inForce).ProblemSince(strength, request.Password, now.Login, now.Name, now.Mail) is { } tooWeak) return Problems.Invalid("password", tooWeak);
                if (!await links.UseAsync(db, link, stop)) return Problems.NotFound();
                await passwords.SetAsync(db, person.Id, hash, PasswordChoice.Own, stop);
                var ended = await db.Set<ApiToken>().Where(row => row.Person == person.Id).ExecuteDeleteAsync(stop);
                await news.TellAsync(db, person.Id, caller, AccountChange.PasswordReplaced, stop);
                audit.Add(db, AuditEntry.By(caller, "password.replaced") with { Subject = now.Login, SubjectId = person.Id.Value, Details = new() { ["tokensEnded"] = ended } });
                unit.Committed = () =>
                {
                    signIn.Recognize(now.Login, source);
                    live.End(link.OrganizationId, person.Id, _ => true, "the password was replaced");
                };
                return TypedResults.NoContent();
            },
            cancellation);
    }

    private static bool IsFor(PersonRow person) => person is { Kind: PersonKind.Technician, TakesPart: true, Mail: not "" };

    private async Task<PasswordLinkSent?> SendAsync(CountersignDb db, PersonRow person, Caller caller, CancellationToken cancellation)
    {
        var expires = time.GetUtcNow() + _life;
        var by = await db.Set<PersonRow>().Where(row => row.Id == caller.Person).Select(row => row.Name).SingleAsync(cancellation);
        var organization = await OrganizationNames.OfAsync(db, cancellation);
        if (await links.SendAsync(db, person, LinkPurpose.Password, "new-password", expires, link => Letters.PasswordLink(organization, by, link, _life), cancellation) is null) return null;
        audit.Add(db, AuditEntry.By(caller, "password.link-sent") with { Subject = person.Login, SubjectId = person.Id.Value, Details = new() { ["expires"] = expires.ToString("O") } });
        return new(person.Mail, expires);
    }

    private async Task<(MailedLink Link, PersonRow Person)?> FindAsync(string token, IPAddress source, CancellationToken cancellation)
    {
        if (await links.FindAsync(token, LinkPurpose.Password, cancellation) is not { } link) return null;
        var inForce = policy.Current(link.OrganizationId);
        if (inForce?.Person(link.Person) is not { } person || !IsFor(person)) return null;

        // Whoever may not sign in from there chooses no password from there: a mailbox that is read elsewhere is not enough.
        if (SignInRules.Of(inForce).Allows(source)) return (link, person);
        failures.Note(person.Login, source, "api", "password link");
        return null;
    }
}
