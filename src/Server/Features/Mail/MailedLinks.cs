using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Mail;

/// <summary>
/// Links that people are mailed and use once. A new one for joining or for a password makes the one before void. Those for signing in stay good side by side,
/// a few, since anybody may ask for them in a contact's name: whoever does so takes nothing from the contact. One that is used makes its like void, and so does
/// whatever makes it uncertain that who holds it is who was meant.
/// </summary>
internal sealed class MailedLinks(Outbox outbox, LinkBound bound, PublicAddress address, Database database, TimeProvider time)
{
    /// <summary>For signing in, of one contact, at once: what is asked for beyond them is not mailed until the time of one is over.</summary>
    public const int MostForSignIn = 4;

    /// <summary>Stored with the context, in its organization, together with the mail.</summary>
    /// <param name="page">The path of the page that the link opens; the token goes into the fragment.</param>
    /// <param name="letter">Made from the link.</param>
    /// <returns>The mail; null: nothing is mailed to this person, and what there was stays good.</returns>
    /// <exception cref="TooManyLinksException">Of those that are not for signing in: the caller stores nothing, and answers <see cref="LinkBound.RefuseAsync"/>.</exception>
    public async Task<Guid?> SendAsync(
        CountersignDb db, PersonRow person, LinkPurpose purpose, string page, DateTimeOffset expires, Func<string, Letter> letter, CancellationToken cancellation)
    {
        if (purpose == LinkPurpose.SignIn && !await HasRoomAsync(db, person.Id, cancellation)) return null;
        if (purpose != LinkPurpose.SignIn) await bound.HoldAsync(db, person.Mail, cancellation);
        var (text, hash) = OneTimeToken.Make();
        if (outbox.Add(db, person, letter(address.Link($"{page}#{text}")), expires) is not { } sent) return null;
        if (purpose != LinkPurpose.SignIn) await VoidAsync(db, person.Id, purpose, cancellation);
        db.Add(new MailedLink { OrganizationId = db.Organization, Person = person.Id, Purpose = purpose, Hash = hash, Expires = expires, Letter = sent });
        return sent;
    }

    /// <summary>Null: it is none, or not any more. The one query across organizations: a link says nothing but its token, whose hash is unique on the server.</summary>
    public async Task<MailedLink?> FindAsync(string token, LinkPurpose purpose, CancellationToken cancellation)
    {
        if (OneTimeToken.Hash(token) is not { } hash) return null;
        await using var db = database.Open();
        var now = time.GetUtcNow();
        return await db.Set<MailedLink>().IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Hash == hash && row.Purpose == purpose && row.Expires > now, cancellation);
    }

    /// <summary>On the writer: whether it is good still.</summary>
    public Task<bool> IsGoodAsync(CountersignDb db, MailedLink link, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        return db.Set<MailedLink>().AnyAsync(row => row.Person == link.Person && row.Hash == link.Hash && row.Expires > now, cancellation);
    }

    /// <summary>On the writer: true once, for whoever comes first. What the person was mailed for the same purpose is void with it.</summary>
    public async Task<bool> UseAsync(CountersignDb db, MailedLink link, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (await db.Set<MailedLink>().Where(row => row.Person == link.Person && row.Hash == link.Hash && row.Expires > now).ExecuteDeleteAsync(cancellation) != 1) return false;
        await VoidAsync(db, link.Person, link.Purpose, cancellation);
        return true;
    }

    /// <summary>Makes the links void, and withdraws their mails where those were not sent yet.</summary>
    public async Task VoidAsync(CountersignDb db, PersonId person, LinkPurpose purpose, CancellationToken cancellation)
    {
        var rows = await db.Set<MailedLink>().AsNoTracking().Where(row => row.Person == person && row.Purpose == purpose).ToListAsync(cancellation);
        if (rows.Count == 0) return;
        await db.Set<MailedLink>().Where(kept => kept.Person == person && kept.Purpose == purpose).ExecuteDeleteAsync(cancellation);
        foreach (var row in rows) await Outbox.WithdrawAsync(db, row.Letter, time.GetUtcNow(), cancellation);
    }

    /// <summary>Those whose time is over make room.</summary>
    private async Task<bool> HasRoomAsync(CountersignDb db, PersonId person, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var mine = db.Set<MailedLink>().Where(row => row.Person == person && row.Purpose == LinkPurpose.SignIn);
        await mine.Where(row => row.Expires <= now).ExecuteDeleteAsync(cancellation);
        return await mine.CountAsync(cancellation) < MostForSignIn;
    }

    /// <summary>With every change of policy: a link that went to an address which is somebody else's by now, or to somebody who is out, gone, or in already.</summary>
    public async Task VoidWhereNotMeantAsync(CountersignDb db, PolicyDelta delta, CancellationToken cancellation)
    {
        foreach (var before in delta.Changes.Where(change => change.Before is PersonRow && !IsMeant((PersonRow)change.Before, change.After)).Select(change => (PersonRow)change.Before!))
        {
            foreach (var purpose in Enum.GetValues<LinkPurpose>()) await VoidAsync(db, before.Id, purpose, cancellation);
        }
    }

    private static bool IsMeant(PersonRow before, PolicyRow? after) =>
        after is PersonRow { Status: PersonStatus.Active } now && now.Mail == before.Mail && now.State == before.State && now.Kind == before.Kind;
}
