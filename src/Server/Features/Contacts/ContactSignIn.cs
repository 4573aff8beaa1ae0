using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

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
    ContactLinks links, SignInThrottle throttle, SignInTickets tickets, SignInGrant grant, SignInFailures failures, PolicySource policy, Database database, WriteQueue queue, TimeProvider time)
{
    private const string Method = "mailed link";

    /// <summary>The same answer, as quickly, whether there is such a contact or not. Asking is counted like failing to sign in: by address, and by where it comes from.</summary>
    public Results<Accepted, ProblemHttpResult> Ask(LinkRequest request, HttpContext context)
    {
        var mail = request.Mail.Trim();
        if (!Names.IsMail(mail)) return Problems.Invalid("mail", "This is no mail address: one such as ann@example.org is wanted.");
        var (asked, source) = ($"link for {mail.ToLowerInvariant()}", Source(context));
        if (throttle.Wait(asked, source) is var wait && wait > TimeSpan.Zero) return Problems.TooManyAttempts(context, wait);
        throttle.Failed(asked, source);
        links.Ask(mail);
        return TypedResults.Accepted((string?)null);
    }

    public async Task<Results<Ok<SignInAnswer>, Accepted<CodeWanted>, ProblemHttpResult>> UseAsync(LinkUse use, HttpContext context, CancellationToken cancellation)
    {
        if (SignInPlace.Problem(use.Label, use.As, context) is { } unfit) return unfit;
        if (OneTimeToken.Hash(use.Token) is not { } hash || await FindAsync(hash, cancellation) is not var (organization, contact)) return Refused();
        if (!SignInRules.Of(policy.Current(organization)).Allows(Source(context)))
        {
            failures.Note(contact.Login, Source(context), "api", Method);
            return Refused();
        }

        IssuedToken? issued = null;
        var result = await queue.WriteAsync<Results<Ok<SignInAnswer>, Accepted<CodeWanted>, ProblemHttpResult>>(
            organization,
            async (db, stop) =>
            {
                var now = time.GetUtcNow();
                if (await db.Set<ContactLink>().Where(row => row.Hash == hash && row.Expires > now).ExecuteDeleteAsync(stop) != 1) return Refused();
                if (await SecondFactor.IsEnabledAsync(db, contact.Id, stop))
                    return TypedResults.Accepted((string?)null, new CodeWanted(tickets.Issue(new(organization, contact.Id, default)), now + SignInTickets.Life, await SecondFactor.HasPasskeyAsync(db, contact.Id, stop)));
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

    /// <summary>The one query across organizations: a link says nothing but its token, whose hash is unique on the server.</summary>
    private async Task<(OrganizationId Organization, PersonRow Contact)?> FindAsync(byte[] hash, CancellationToken cancellation)
    {
        await using var db = database.Open();
        var row = await db.Set<ContactLink>().IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Hash == hash, cancellation);
        if (row is null || row.Expires <= time.GetUtcNow()) return null;
        return policy.Current(row.OrganizationId)?.Person(row.Person) is { Kind: PersonKind.Contact, TakesPart: true } contact ? (row.OrganizationId, contact) : null;
    }

    private static IPAddress Source(HttpContext context) => context.Connection.RemoteIpAddress ?? IPAddress.None;

    /// <summary>One answer: whether the link is none, was used or replaced, is too old, or its contact is out.</summary>
    private static ProblemHttpResult Refused() =>
        TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "The link is not good, or not any more", detail: "Ask for another one: each works once, for a quarter of an hour.");
}
