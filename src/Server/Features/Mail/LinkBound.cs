using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Mail;

/// <summary>So many links were mailed within the hour that no more are; nothing of what one belonged to is stored.</summary>
internal sealed class TooManyLinksException(string recipient, TimeSpan after, string message) : Exception(message)
{
    public string Recipient => recipient;

    /// <summary>How long until there is room again.</summary>
    public TimeSpan After => after;
}

/// <summary>
/// How many links somebody has mailed: whoever administers an organization, and where strangers may register one that is anybody, must not fill the mailbox of whom
/// they like by it, nor make this server's mails pass for junk. Links for signing in are asked for by others and bounded by themselves.
/// </summary>
internal sealed class LinkBound(SignInLimits limits, RepeatedRefusals refusals, TimeProvider time)
{
    /// <summary>In the log.</summary>
    public const string Kind = "mail.refused";

    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);

    /// <summary>On the writer, before one more is mailed on behalf of the context's organization.</summary>
    /// <exception cref="TooManyLinksException">There is no room for it.</exception>
    public async Task HoldAsync(CountersignDb db, string recipient, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var since = now - _hour;
        var lately = await db.Set<OutgoingMail>().AsNoTracking()
            .Where(row => row.Created > since && (row.Kind == Letters.InvitationKind || row.Kind == Letters.PasswordLinkKind))
            .Select(row => new { row.Recipient, row.Created })
            .ToListAsync(cancellation);
        Hold([.. lately.Where(mail => string.Equals(mail.Recipient, recipient, StringComparison.OrdinalIgnoreCase)).Select(mail => mail.Created)], limits.LinksToAnAddress, "to this address");
        Hold([.. lately.Select(mail => mail.Created)], limits.LinksOfAnOrganization, "by this organization");

        void Hold(List<DateTimeOffset> mailed, int most, string what)
        {
            if (mailed.Count >= most) throw new TooManyLinksException(recipient, mailed.Order().ElementAt(mailed.Count - most) + _hour - now, $"{mailed.Count} links were mailed {what} within an hour.");
        }
    }

    /// <summary>The answer to who wanted it, and a record of it, however often they try.</summary>
    public async Task<ProblemHttpResult> RefuseAsync(TooManyLinksException tooMany, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        var entry = AuditEntry.By(caller, Kind) with { Subject = tooMany.Recipient, Outcome = AuditOutcome.Refused, Details = new() { ["because"] = "too many links within an hour" } };
        await refusals.WriteFirstAsync(caller.Organization, entry, cancellation);
        return Problems.TooMany(context, tooMany.After, "Too many links were mailed", tooMany.Message);
    }
}
