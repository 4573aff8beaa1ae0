using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Tells people by mail what was changed about how they sign in, whoever did it, in the transaction of the change: whoever stole a password or a session does
/// it in their name. Of keys and tokens, which a token alone adds and removes, so many are mailed in an hour, and the last of them says so: nobody fills a mailbox,
/// or the queue that everybody's mails wait in, by making tokens and removing them again; nor does an administrator by giving somebody one address after the other, or
/// by resetting what was reset, which are counted apart. Whatever else there is takes the person's password, and is always mailed: nobody uses a bound up so that it goes
/// untold.
/// </summary>
internal sealed class AccountNews(Outbox outbox, TimeProvider time)
{
    /// <summary>Of each sort that is bounded.</summary>
    public const int MostInAnHour = 20;

    /// <summary>Stored with the context, in its organization.</summary>
    /// <param name="by">Who does it, to themselves or to somebody else.</param>
    /// <returns>False: they are not told, because the server was told no mail server, they have no address, or were told enough of that sort in this hour.</returns>
    public async Task<bool> TellAsync(CountersignDb db, PersonId person, Caller by, AccountChange change, CancellationToken cancellation)
    {
        if (!outbox.Sends) return false;
        var people = await db.Set<PersonRow>().AsNoTracking().Where(row => row.Id == person || row.Id == by.Person).ToListAsync(cancellation);
        if (people.Find(row => row.Id == person) is not { } told) return false;
        return await AddAsync(db, told, by.Person == person ? null : people.Find(row => row.Id == by.Person)?.Name ?? by.Login, by, change, cancellation);
    }

    /// <summary>At the address before: who could change it unseen would be told themselves of whatever they did next.</summary>
    public async Task TellOfAddressAsync(CountersignDb db, Caller by, PolicyDelta delta, CancellationToken cancellation)
    {
        foreach (var change in delta.Changes)
        {
            if (change is not { Before: PersonRow { State: PersonState.Activated } before, After: PersonRow after } || before.Mail == after.Mail) continue;
            var name = before.Id == by.Person ? null : await db.Set<PersonRow>().Where(row => row.Id == by.Person).Select(row => row.Name).SingleAsync(cancellation);
            await AddAsync(db, before, name, by, AccountChange.AddressChanged, cancellation);
        }
    }

    /// <param name="name">Of who does it; null: the person themselves.</param>
    private async Task<bool> AddAsync(CountersignDb db, PersonRow told, string? name, Caller by, AccountChange change, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var isBounded = change.Sort is AccountChangeSort.KeyOrToken or AccountChangeSort.Address or AccountChangeSort.FactorReset;
        var before = isBounded ? await CountAsync(db, told.Id, Letters.KindOf(change.Sort), now - TimeSpan.FromHours(1), cancellation) : 0;
        if (before >= MostInAnHour) return false;
        return outbox.Add(db, told, Letters.AccountChanged(await OrganizationNames.OfAsync(db, cancellation), change, told.Kind, name, now, by.Source, isLast: before == MostInAnHour - 1)) is not null;
    }

    private static Task<int> CountAsync(CountersignDb db, PersonId told, string kind, DateTimeOffset since, CancellationToken cancellation) =>
        db.Set<OutgoingMail>().CountAsync(row => row.Person == told && row.Created > since && row.Kind == kind, cancellation);
}
