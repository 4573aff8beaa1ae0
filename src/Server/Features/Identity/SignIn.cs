using System.Net;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Who the SSH front door lets in. Keys are not throttled: nobody guesses one, and a login that an attacker has locked with wrong passwords
/// stays usable by key. A key that is only asked about and refused is not written down, because clients offer all that they have.
/// </summary>
internal sealed class SignIn(
    PasswordSignIn passwords, PolicySource policy, Database database, WriteQueue queue, SignInFailures failures, AuditLog audit) : ISignIn
{
    private const string Channel = "ssh";

    public async ValueTask<SignedIn?> WithPasswordAsync(string login, Secret password, IPAddress source, CancellationToken cancellation)
    {
        var answer = await passwords.VerifyAsync(login, password.ExposeText(), source, Channel, cancellation);
        if (answer is not PasswordAnswer.Accepted(var organization, var person, var mustChange)) return null;
        if (mustChange)
        {
            failures.Note(login, source, Channel, "password to be changed");
            return null;
        }

        return await AcceptAsync(organization, person, source, "password", cancellation);
    }

    public async ValueTask<bool> WouldAcceptKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation) =>
        await FindAsync(login, key, cancellation) is not null;

    public async ValueTask<SignedIn?> WithKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation)
    {
        if (await FindAsync(login, key, cancellation) is var (organization, person))
            return await AcceptAsync(organization, person, source, key.Fingerprint, cancellation);
        failures.Note(login, source, Channel, "public key");
        return null;
    }

    /// <summary>The key is registered for the login, and its person takes part.</summary>
    private async Task<(OrganizationId Organization, PersonRow Person)?> FindAsync(string login, SshPublicKey key, CancellationToken cancellation)
    {
        policy.TryFindLogin(login, out var organization, out var person);
        var id = person?.Id ?? default;
        var fingerprint = key.Fingerprint;
        await using var db = database.Read(organization);
        var blob = await db.Set<RegisteredKey>()
            .Where(row => row.Person == id && row.Fingerprint == fingerprint).Select(row => row.Blob).SingleOrDefaultAsync(cancellation);
        return person is { TakesPart: true } && blob is not null && key.Blob.Span.SequenceEqual(blob) ? (organization, person) : null;
    }

    /// <summary>Nobody is let in without a record of it.</summary>
    private async Task<SignedIn> AcceptAsync(OrganizationId organization, PersonRow person, IPAddress source, string method, CancellationToken cancellation)
    {
        await queue.WriteAsync(
            organization,
            (db, _) =>
            {
                audit.Add(db, Succeeded(person, source, Channel, method));
                return Task.CompletedTask;
            },
            cancellation);
        return new(organization, person.Id, person.Login, SignInStrength.OneFactor);
    }

    public static AuditEntry Succeeded(PersonRow person, IPAddress source, string channel, string method) => new()
    {
        Kind = "sign-in.succeeded",
        Actor = person.Id,
        ActorLogin = person.Login,
        Channel = channel,
        Source = source,
        Subject = person.Login,
        SubjectId = person.Id.Value,
        Details = new() { ["method"] = method },
    };
}
