using System.Security.Cryptography;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Vault;

/// <summary>
/// The organizations' SSH certificate authorities: an Ed25519 key for each purpose, made when it is first needed. After a change of keys the one before
/// goes on beside the new one until it is removed, so that devices can be told of the new key while they still accept the old one.
/// </summary>
internal sealed partial class SshAuthorities(
    MasterKey master, Database database, WriteQueue queue, AuditLog audit, TimeProvider time, ILogger<SshAuthorities> log) : IDisposable
{
    /// <summary>The one that signs first, and the one before it.</summary>
    private const int Most = 2;

    private readonly Envelope _envelope = new(master, "ssh-authority");

    /// <summary>The newest first; makes one where there is none.</summary>
    public async Task<IReadOnlyList<SshAuthority>> ListAsync(OrganizationId organization, AuthorityPurpose purpose, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        var there = await ReadAsync(db, purpose, cancellation);
        return there.Count > 0 ? there : await queue.WriteAsync(organization, (writing, stop) => EnsureAsync(writing, purpose, stop), cancellation);
    }

    /// <summary>The keys that count now; unlike <see cref="ListAsync"/> it makes none.</summary>
    public async Task<IReadOnlyList<SshPublicKey>> TrustedAsync(OrganizationId organization, AuthorityPurpose purpose, CancellationToken cancellation)
    {
        await using var db = database.Read(organization);
        return [.. (await ReadAsync(db, purpose, cancellation)).Select(PublicKey)];
    }

    /// <summary>Whether a key is one that counts, in the transaction of whoever asks.</summary>
    public static async Task<bool> TrustsAsync(CountersignDb db, AuthorityPurpose purpose, SshPublicKey key, CancellationToken cancellation) =>
        (await ReadAsync(db, purpose, cancellation)).Any(authority => PublicKey(authority).Equals(key));

    /// <summary>One certificate of each authority, the newest's first. A key that does not open certifies nothing.</summary>
    public async Task<IReadOnlyList<SshCertificate>> IssueAsync(
        OrganizationId organization, AuthorityPurpose purpose, SshPublicKey key, SshCertificateTerms terms, CancellationToken cancellation)
    {
        var issued = new List<SshCertificate>(Most);
        foreach (var authority in await ListAsync(organization, purpose, cancellation))
        {
            using var signing = Open(authority);
            if (signing is not null) issued.Add(SshCertificate.Issue(signing, key, terms));
        }

        return issued;
    }

    /// <summary>A new key from now on.</summary>
    /// <param name="policy">Says on the writer whether the caller is a master administrator, which this is for.</param>
    public Task<AuthorityChange> RotateAsync(PolicyWriter policy, Caller caller, AuthorityPurpose purpose, CancellationToken cancellation) => queue.WriteAsync(
        caller.Organization,
        async (db, stop) =>
        {
            if (!policy.IsMasterAdministrator(caller)) return AuthorityChange.Forbidden;
            var there = await EnsureAsync(db, purpose, stop);
            if (there.Count >= Most) return AuthorityChange.InTheWay;
            Add(db, purpose, AuditEntry.By(caller, "authority.rotated"));
            return AuthorityChange.Done;
        },
        cancellation);

    /// <summary>The key before the newest goes, with its private half.</summary>
    /// <param name="policy">As for <see cref="RotateAsync"/>.</param>
    /// <param name="gone">Called when that is durable, before what is written next.</param>
    public Task<AuthorityChange> RemoveAsync(
        PolicyWriter policy, Caller caller, AuthorityPurpose purpose, Guid id, Action<SshPublicKey> gone, CancellationToken cancellation) => queue.WriteAsync(
        async (unit, stop) =>
        {
            if (!policy.IsMasterAdministrator(caller)) return AuthorityChange.Forbidden;
            var db = unit.Db.Of(caller.Organization);
            var there = await ReadAsync(db, purpose, stop);
            var index = there.FindIndex(authority => authority.Id == id);
            if (index <= 0) return index < 0 ? AuthorityChange.NotThere : AuthorityChange.InTheWay;
            await db.Set<SshAuthority>().Where(row => row.Id == id).ExecuteDeleteAsync(stop);
            var key = PublicKey(there[index]);
            audit.Add(db, About(AuditEntry.By(caller, "authority.removed"), purpose, key));
            unit.Committed = () => gone(key);
            return AuthorityChange.Done;
        },
        cancellation);

    public static SshPublicKey PublicKey(SshAuthority authority) =>
        SshPublicKey.TryParse(authority.PublicKey, out var key) ? key : throw new InvalidOperationException($"The public key of authority {authority.Id} is none.");

    /// <summary>Not to be guessed, so that it is nobody's but this certificate's. Positive as a signed number, too, which some tools take it for.</summary>
    public static ulong NewSerial() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) >> 1;

    public void Dispose() => _envelope.Dispose();

    private static Task<List<SshAuthority>> ReadAsync(CountersignDb db, AuthorityPurpose purpose, CancellationToken cancellation) =>
        db.Set<SshAuthority>().AsNoTracking().Where(row => row.Purpose == purpose).OrderByDescending(row => row.Created).ThenByDescending(row => row.Id).ToListAsync(cancellation);

    private async Task<IReadOnlyList<SshAuthority>> EnsureAsync(CountersignDb db, AuthorityPurpose purpose, CancellationToken cancellation)
    {
        // Read again on the writer: of many that need one at once the first makes it.
        var there = await ReadAsync(db, purpose, cancellation);
        return there.Count > 0 ? there : [Add(db, purpose, new() { Kind = "authority.created", Channel = "system" })];
    }

    private SshAuthority Add(CountersignDb db, AuthorityPurpose purpose, AuditEntry entry)
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var text = key.Export();
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var authority = new SshAuthority
        {
            OrganizationId = db.Organization,
            Id = id,
            Purpose = purpose,
            PublicKey = key.PublicKey.Blob.ToArray(),
            Ciphertext = _envelope.Seal(text.Expose(), Place(db.Organization, id, purpose)),
            Created = time.GetUtcNow(),
        };
        db.Add(authority);
        audit.Add(db, About(entry, purpose, key.PublicKey));
        return authority;
    }

    private SshPrivateKey? Open(SshAuthority authority)
    {
        try
        {
            using var text = _envelope.Open(authority.Ciphertext, Place(authority.OrganizationId, authority.Id, authority.Purpose));
            return SshPrivateKey.Parse(text);
        }
        catch (CryptographicException)
        {
            LogDoesNotOpen(authority.OrganizationId, authority.Id);
            return null;
        }
    }

    /// <summary>Authenticated with the key, so that it opens in its own row only, and for its own purpose.</summary>
    private static byte[][] Place(OrganizationId organization, Guid id, AuthorityPurpose purpose) =>
        [organization.Value.ToByteArray(bigEndian: true), id.ToByteArray(bigEndian: true), [(byte)purpose]];

    private static AuditEntry About(AuditEntry entry, AuthorityPurpose purpose, SshPublicKey key) => entry with
    {
        Subject = key.Fingerprint,
        Details = new() { ["purpose"] = purpose == AuthorityPurpose.Accounts ? "accounts" : "front door", ["fingerprint"] = key.Fingerprint },
    };

    [LoggerMessage(1, LogLevel.Error, "The authority {Authority} of organization {Organization} does not open: the database was changed by hand, or the master key is another one")]
    private partial void LogDoesNotOpen(OrganizationId organization, Guid authority);
}

internal enum AuthorityChange
{
    Done = 1,

    /// <summary>The caller is no master administrator.</summary>
    Forbidden = 2,

    NotThere = 3,

    /// <summary>There are two keys already, and the old one has to be removed first; or it is the newest one, which stays.</summary>
    InTheWay = 4,
}
