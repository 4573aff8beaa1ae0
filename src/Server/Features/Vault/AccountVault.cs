using System.Security.Cryptography;
using System.Text;
using Countersign.Access;
using Countersign.Reach;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Vault;

/// <summary>Keeps what opens the accounts on devices: sealed in the database, opened for the gateway alone.</summary>
internal sealed partial class AccountVault(
    MasterKey master, AccountCertificates certificates, PolicySource policy, Database database, AuditLog audit, TimeProvider time, ILogger<AccountVault> log) : IAccountVault, IDisposable
{
    /// <summary>Bytes of a password or of a private key's text.</summary>
    public const int LongestSecret = 16_384;

    private readonly Envelope _envelope = new(master, "account-secret");

    /// <summary>Null also for a secret that does not open where it lies: somebody changed the database, and nothing is opened with it.</summary>
    public async ValueTask<AccountCredential?> OpenAsync(SessionOpening session, CancellationToken cancellation)
    {
        await using var db = database.Read(session.Organization);
        var stored = await db.Set<AccountSecret>().AsNoTracking().SingleOrDefaultAsync(row => row.Device == session.Device && row.Account == session.Account, cancellation);
        if (stored is null || Open(stored) is not { } secret) return null;
        switch (stored.Kind)
        {
            case CredentialKind.Password:
                return new AccountCredential.Password(secret);
            case CredentialKind.PrivateKey:
                return new AccountCredential.PrivateKey(secret);
            default:
                secret.Dispose();
                return await certificates.IssueAsync(session, cancellation);
        }
    }

    /// <summary>What storing a secret does, for the list of changes and for who is only shown it.</summary>
    public static async Task<string> SummaryAsync(CountersignDb db, DeviceRow device, string account, CredentialKind kind, CancellationToken cancellation) =>
        await HasAsync(db, device.Id, account, cancellation)
            ? $"Replaced what opens {account} on {device.Name} by a {Word(kind)}."
            : $"Stored a {Word(kind)} that opens {account} on {device.Name}.";

    public static Task<bool> HasAsync(CountersignDb db, DeviceId device, string account, CancellationToken cancellation) =>
        db.Set<AccountSecret>().AnyAsync(row => row.Device == device && row.Account == account, cancellation);

    /// <summary>Stored with the context, in its organization, together with a record; the account is there or is added with it.</summary>
    public async Task StoreAsync(
        CountersignDb db, Caller caller, DeviceRow device, string account, CredentialKind kind, Secret secret, CancellationToken cancellation)
    {
        var ciphertext = _envelope.Seal(secret.Expose(), Place(db.Organization, device.Id, account, kind));
        var stored = await db.Set<AccountSecret>().SingleOrDefaultAsync(row => row.Device == device.Id && row.Account == account, cancellation);
        if (stored is null)
        {
            db.Add(new AccountSecret
            {
                OrganizationId = db.Organization,
                Device = device.Id,
                Account = account,
                Kind = kind,
                Ciphertext = ciphertext,
                Changed = time.GetUtcNow(),
            });
        }
        else
        {
            stored.Kind = kind;
            stored.Ciphertext = ciphertext;
            stored.Changed = time.GetUtcNow();
        }

        audit.Add(db, AuditEntry.By(caller, "account.secret-stored") with
        {
            Subject = $"{account} on {device.Name}",
            SubjectId = device.Id.Value,
            Details = new() { ["account"] = account, ["kind"] = Word(kind) },
        });
    }

    /// <summary>Removed with the context, in its organization, together with a record.</summary>
    public async Task RemoveAsync(CountersignDb db, Caller caller, DeviceRow device, string account, CancellationToken cancellation)
    {
        if (await db.Set<AccountSecret>().SingleOrDefaultAsync(row => row.Device == device.Id && row.Account == account, cancellation) is not { } stored) return;
        db.Remove(stored);
        audit.Add(db, AuditEntry.By(caller, "account.secret-removed") with
        {
            Subject = $"{account} on {device.Name}",
            SubjectId = device.Id.Value,
            Details = new() { ["account"] = account, ["kind"] = Word(stored.Kind) },
        });
    }

    /// <summary>
    /// With every change of policy, in its transaction: a device that is reached elsewhere, by other services, or that is to be known by another key,
    /// loses its secrets. Whoever may edit a device could otherwise have them sent to a server of their own. What is deleted takes its secrets with it
    /// by the foreign key.
    /// </summary>
    public async Task DropWhereReachedElsewhereAsync(CountersignDb db, PolicyDelta delta, CancellationToken cancellation)
    {
        // Where whoever is seen first is believed, what was stored for a device without a key was meant for whoever answers there.
        var trustsFirst = policy.Current(db.Organization)?.HostTrust.Unpinned == HostKeyTrust.FirstUse;
        foreach (var device in ReachedElsewhere(delta, trustsFirst))
        {
            var dropped = await db.Set<AccountSecret>().Where(row => row.Device == device).ExecuteDeleteAsync(cancellation);
            if (dropped == 0) continue;
            audit.Add(db, new()
            {
                Kind = "account.secrets-dropped",
                Channel = "system",
                Subject = NameOf(db.Organization, device, delta),
                SubjectId = device.Value,
                Details = new() { ["count"] = dropped, ["version"] = delta.ToVersion, ["reason"] = "host or services changed" },
            });
        }
    }

    /// <summary>Devices that stay, and are not where they were, each once: what comes has no secrets, and what goes takes its own along.</summary>
    private static IEnumerable<DeviceId> ReachedElsewhere(PolicyDelta delta, bool trustsFirst)
    {
        var comeOrGo = delta.Changes.Where(change => change.Key.Table == PolicyTable.Device && (change.Before is null || change.After is null)).Select(change => change.Key.Id).ToHashSet();
        return delta.Changes.Where(change => LeadsElsewhere(change, trustsFirst) && !comeOrGo.Contains(change.Key.Id)).Select(change => new DeviceId(change.Key.Id)).Distinct();
    }

    private static bool LeadsElsewhere(RowChange change, bool trustsFirst) => change switch
    {
        { Before: DeviceRow before, After: DeviceRow after } => before.Host != after.Host,
        { Before: DeviceServiceRow { Protocol: ServiceProtocol.Ssh, Pin: "" } before, After: DeviceServiceRow after } when trustsFirst => before.Port != after.Port,
        { Key.Table: PolicyTable.DeviceService } => change.Before != change.After,
        _ => false,
    };

    private string NameOf(OrganizationId organization, DeviceId device, PolicyDelta delta) =>
        delta.Changes.Select(change => change.After).OfType<DeviceRow>().FirstOrDefault(row => row.Id == device)?.Name ?? policy.Current(organization)?.Device(device)?.Name ?? "";

    /// <summary>Tries the key on a stored secret: a wrong one should be noticed at the start and not when somebody needs a device.</summary>
    /// <exception cref="KeyFileException">The master key is not the one that the secrets were sealed with.</exception>
    public async Task CheckKeyAsync(IEnumerable<OrganizationId> organizations, CancellationToken cancellation)
    {
        foreach (var organization in organizations)
        {
            await using var db = database.Read(organization);
            var stored = await db.Set<AccountSecret>().AsNoTracking().Take(16).ToListAsync(cancellation);
            if (stored.Count > 0 && !stored.Exists(Opens))
            {
                throw new KeyFileException(
                    $"The stored secrets do not open with {MasterKey.FileName}: it is not the one of this database. Restore both from the same backup.");
            }
        }
    }

    public void Dispose() => _envelope.Dispose();

    private bool Opens(AccountSecret stored)
    {
        using var secret = Open(stored);
        return secret is not null;
    }

    private Secret? Open(AccountSecret stored)
    {
        try
        {
            return _envelope.Open(stored.Ciphertext, Place(stored.OrganizationId, stored.Device, stored.Account, stored.Kind));
        }
        catch (CryptographicException)
        {
            LogDoesNotOpen(stored.OrganizationId, stored.Device);
            return null;
        }
    }

    private static string Word(CredentialKind kind) => kind switch
    {
        CredentialKind.Password => "password",
        CredentialKind.PrivateKey => "private key",
        _ => "certificate",
    };

    /// <summary>Authenticated with the secret, so that a ciphertext opens in its own row only and as what it was stored.</summary>
    private static byte[][] Place(OrganizationId organization, DeviceId device, string account, CredentialKind kind) =>
        [organization.Value.ToByteArray(bigEndian: true), device.Value.ToByteArray(bigEndian: true), Encoding.UTF8.GetBytes(account), [(byte)kind]];

    [LoggerMessage(
        1,
        LogLevel.Error,
        "A secret of device {Device} of organization {Organization} does not open: the database was changed by hand, or the master key is another one")]
    private partial void LogDoesNotOpen(OrganizationId organization, DeviceId device);
}
