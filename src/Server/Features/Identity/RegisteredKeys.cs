using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>The person has it already, or too many, or has not joined.</summary>
internal sealed class KeyRefusedException(string message) : Exception(message);

/// <summary>Registers public keys, also for other features.</summary>
internal sealed class RegisteredKeys(AuditLog audit, TimeProvider time)
{
    private const int Most = 50;

    /// <summary>Stored with the context, in its organization, together with a record.</summary>
    /// <param name="by">The one who registers it, for the record.</param>
    /// <exception cref="KeyRefusedException">The transaction must not go on.</exception>
    public async Task<RegisteredKey> AddAsync(
        CountersignDb db, PersonId person, string login, SshPublicKey key, string label, AuditEntry by, CancellationToken cancellation)
    {
        var fingerprint = key.Fingerprint;
        // The person's own alone: public keys are public, and somebody else's must neither be taken from its owner nor tell that they are here.
        if (await db.Set<RegisteredKey>().AnyAsync(row => row.Person == person && row.Fingerprint == fingerprint, cancellation))
            throw new KeyRefusedException("This key is registered already.");
        if (await db.Set<RegisteredKey>().CountAsync(row => row.Person == person, cancellation) >= Most)
            throw new KeyRefusedException($"There are {Most} keys already: remove one that is not used any more.");
        var registered = new RegisteredKey
        {
            OrganizationId = db.Organization,
            Id = Guid.CreateVersion7(time.GetUtcNow()),
            Person = person,
            Blob = key.Blob.ToArray(),
            Fingerprint = fingerprint,
            Label = label,
            Added = time.GetUtcNow(),
        };
        db.Add(registered);
        Note(db, registered, login, by with { Kind = "key.added" });
        return registered;
    }

    /// <summary>Together with a record.</summary>
    /// <param name="by">The one who removes it, for the record.</param>
    /// <returns>Null: the person has no such key.</returns>
    public async Task<RegisteredKey?> RemoveAsync(CountersignDb db, PersonId person, string login, Guid id, AuditEntry by, CancellationToken cancellation)
    {
        if (await db.Set<RegisteredKey>().SingleOrDefaultAsync(row => row.Id == id && row.Person == person, cancellation) is not { } registered) return null;
        db.Remove(registered);
        Note(db, registered, login, by);
        return registered;
    }

    private void Note(CountersignDb db, RegisteredKey key, string login, AuditEntry by) => audit.Add(db, by with
    {
        Subject = login,
        SubjectId = key.Person.Value,
        Details = new() { ["fingerprint"] = key.Fingerprint, ["label"] = key.Label },
    });
}
