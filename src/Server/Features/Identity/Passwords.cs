using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>Who chose a password, and so whether it may be kept.</summary>
internal enum PasswordChoice
{
    /// <summary>The person it belongs to.</summary>
    Own = 0,

    /// <summary>Somebody else: it is good for choosing another one.</summary>
    First = 1,
}

/// <summary>Stores passwords for other features, too: hash first, then set the hash in the transaction that makes or changes the person.</summary>
internal sealed class Passwords(PasswordHashing hashing, TimeProvider time)
{
    /// <param name="password">One in which <see cref="PasswordRules.Problem"/> finds none.</param>
    /// <exception cref="PasswordsBusyException">Too many are waiting.</exception>
    public Task<string> HashAsync(string password, CancellationToken cancellation) => hashing.HashAsync(password, cancellation);

    /// <summary>Whether the person's password is the one that was there when it was looked at. On the writer, so that what follows stands in the same transaction.</summary>
    /// <param name="changed">Which password it was: <see cref="PasswordAnswer.Accepted.Changed"/>.</param>
    public static async Task<bool> IsStillAsync(CountersignDb db, PersonId person, DateTimeOffset changed, CancellationToken cancellation) =>
        await db.Set<Credential>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == person, cancellation) is { } credential && credential.Changed == changed;

    /// <summary>Saved with the context; the person is one of its organization.</summary>
    /// <param name="hash">From <see cref="HashAsync"/>.</param>
    public async Task SetAsync(CountersignDb db, PersonId person, string hash, PasswordChoice choice, CancellationToken cancellation)
    {
        var credential = await db.Set<Credential>().SingleOrDefaultAsync(row => row.Person == person, cancellation);
        if (credential is null)
        {
            db.Add(new Credential
            {
                OrganizationId = db.Organization,
                Person = person,
                PasswordHash = hash,
                Changed = time.GetUtcNow(),
                MustChange = choice == PasswordChoice.First,
            });
            return;
        }

        credential.PasswordHash = hash;
        credential.Changed = time.GetUtcNow();
        credential.MustChange = choice == PasswordChoice.First;
    }
}
