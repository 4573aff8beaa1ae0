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
        audit.Add(db, by with
        {
            Kind = "key.added",
            Subject = login,
            SubjectId = person.Value,
            Details = new() { ["fingerprint"] = fingerprint, ["label"] = label },
        });
        return registered;
    }
}
