using System.Diagnostics.CodeAnalysis;
using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Contacts;

internal sealed record LinkRequest(string Mail)
{
    public override string ToString() => nameof(LinkRequest);
}

/// <param name="Token">From the link.</param>
internal sealed record LinkUse(string Token, string? Label = null, SignInAs As = SignInAs.Token)
{
    public override string ToString() => nameof(LinkUse);
}

/// <summary>Contacts have no password: a link to their address signs them in, once, and with a second factor where they have one.</summary>
internal sealed class ContactSignIn(
    ContactLinks links, MailedLinks mailed, Outbox outbox, SignInThrottle throttle, SignInTickets tickets, SignInGrant grant, SignInFailures failures, PolicySource policy, PolicyWriter writer,
    WriteQueue queue, TimeProvider time)
{
    private const string Method = "mailed link";

    /// <summary>The same answer, as quickly, whether there is such a contact or not. Asking is counted like failing to sign in: by address, and by where it comes from.</summary>
    public Results<Accepted, ProblemHttpResult> Ask(LinkRequest request, HttpContext context)
    {
        var mail = request.Mail.Trim();
        if (!Names.IsMail(mail)) return Problems.Invalid("mail", "This is no mail address: one such as ann@example.org is wanted.");
        if (!outbox.Sends) return Problems.Conflict("This server was told no mail server, so that it can't mail links.");
        var (asked, source) = (Asked(mail), Source(context));
        if (throttle.Wait(asked, source) is var wait && wait > TimeSpan.Zero)
        {
            failures.Note("", source, "api", Method);
            return Problems.TooManyAttempts(context, wait);
        }

        throttle.Asked(asked, source);
        links.Ask(new(mail, source, context.TraceIdentifier));
        return TypedResults.Accepted((string?)null);
    }

    public async Task<Results<Ok<SignInAnswer>, Accepted<CodeWanted>, ProblemHttpResult>> UseAsync(LinkUse use, HttpContext context, CancellationToken cancellation)
    {
        if (SignInPlace.Problem(use.Label, use.As, context) is { } unfit) return unfit;
        if (await mailed.FindAsync(use.Token, LinkPurpose.SignIn, cancellation) is not { } link) return Refused();
        var organization = link.OrganizationId;
        if (!MaySignIn(policy.Current(organization), link.Person, Source(context), out _)) return Refused();

        IssuedToken? issued = null;
        var result = await queue.WriteAsync<Results<Ok<SignInAnswer>, Accepted<CodeWanted>, ProblemHttpResult>>(
            organization,
            async (db, stop) =>
            {
                // Changes of policy that stand before this in the same transaction count.
                if (!MaySignIn(writer.ForWriter(organization), link.Person, Source(context), out var contact) || !await mailed.UseAsync(db, link, stop)) return Refused();
                throttle.Redeemed(Asked(contact.Mail));
                if (await SecondFactor.IsEnabledAsync(db, contact.Id, stop))
                    return TypedResults.Accepted((string?)null, new CodeWanted(tickets.Issue(new(organization, contact.Id, default)), time.GetUtcNow() + SignInTickets.Life, await SecondFactor.HasPasskeyAsync(db, contact.Id, stop)));
                var granted = new SignInGranted
                {
                    Organization = organization,
                    Person = contact,
                    Method = Method,
                    Strength = SignInStrength.OneFactor,
                    MustChangePassword = false,
                };
                (issued, var answer) = await grant.AddAsync(db, granted, new(use.Label, use.As), context, stop);
                return TypedResults.Ok(answer);
            },
            cancellation);
        if (issued is not null && use.As == SignInAs.Cookie) SessionCookie.Give(context, issued);
        return result;
    }

    private bool MaySignIn(PolicySnapshot? inForce, PersonId id, IPAddress source, [NotNullWhen(true)] out PersonRow? contact)
    {
        contact = inForce?.Person(id) is { Kind: PersonKind.Contact, TakesPart: true } person ? person : null;
        if (contact is null) return false;
        if (SignInRules.Of(inForce).Allows(source)) return true;
        failures.Note(contact.Login, source, "api", Method);
        return false;
    }

    /// <summary>Whoever asks is counted under words of their own.</summary>
    private static string Asked(string mail) => $"link for {mail.ToLowerInvariant()}";

    private static IPAddress Source(HttpContext context) => context.Connection.RemoteIpAddress ?? IPAddress.None;

    /// <summary>One answer: whether the link is none, was used or replaced, is too old, or its contact is out.</summary>
    private static ProblemHttpResult Refused() =>
        TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "The link is not good, or not any more", detail: "Ask for another one: each works once, for a quarter of an hour.");
}
