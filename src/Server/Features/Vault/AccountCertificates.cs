using System.Globalization;
using System.Text.Json.Nodes;
using Countersign.Reach;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Ssh;

namespace Countersign.Server.Features.Vault;

/// <summary>
/// Certifies the gateway at an account for one connection: a key that was made for it and lives in memory, for the account's name, for minutes. The key id
/// says whose session it is, and stands in the device's own log.
/// </summary>
internal sealed class AccountCertificates(SshAuthorities authorities, WriteQueue queue, AuditLog audit, TimeProvider time)
{
    /// <summary>The device's clock may be behind.</summary>
    private static readonly TimeSpan _before = TimeSpan.FromSeconds(30);

    /// <summary>To connect and to sign in; a session that has begun is not bound by it.</summary>
    private static readonly TimeSpan _after = TimeSpan.FromMinutes(2);

    /// <summary>Nothing is issued without a record of it. Null: no authority's key opens.</summary>
    public async Task<AccountCredential?> IssueAsync(SessionOpening session, CancellationToken cancellation)
    {
        var holder = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        try
        {
            var now = time.GetUtcNow();
            var terms = new SshCertificateTerms
            {
                Kind = SshCertificateKind.User,
                KeyId = $"{session.Login} {session.Id}",
                Principals = [session.Account],
                ValidAfter = now - _before,
                ValidBefore = now + _after,
                Serial = SshAuthorities.NewSerial(),
                Extensions = [.. Permits(session.Kind).Select(SshCertificateOption.Flag)],
            };
            var issued = await authorities.IssueAsync(session.Organization, AuthorityPurpose.Accounts, holder.PublicKey, terms, cancellation);
            if (issued.Count > 0)
            {
                await queue.AppendAsync(
                    session.Organization,
                    db => audit.Add(db, Record(session, holder.PublicKey, terms, issued)),
                    cancellation);
                return new AccountCredential.Certificates(holder, issued);
            }

            holder.Dispose();
            return null;
        }
        catch
        {
            holder.Dispose();
            throw;
        }
    }

    /// <summary>What the session's kind needs, and nothing else: no agent, no X11, no start-up file of the account's.</summary>
    private static string[] Permits(SessionKind kind) => kind switch
    {
        SessionKind.Shell or SessionKind.Command => ["permit-pty"],
        SessionKind.Tunnel => ["permit-port-forwarding"],
        _ => [],
    };

    private static AuditEntry Record(SessionOpening session, SshPublicKey key, SshCertificateTerms terms, IReadOnlyList<SshCertificate> issued) => new()
    {
        Kind = "account.certificate-issued",
        Actor = session.Person,
        ActorLogin = session.Login,
        Channel = "ssh",
        Source = session.Source,
        Subject = $"{session.Account} on {session.DeviceName}",
        SubjectId = session.Device.Value,
        Correlation = session.Id.ToString(),
        Details = new()
        {
            ["account"] = session.Account,
            ["serial"] = terms.Serial.ToString(CultureInfo.InvariantCulture),
            ["fingerprint"] = key.Fingerprint,
            ["authorities"] = new JsonArray([.. issued.Select(certificate => (JsonNode)certificate.Authority.Fingerprint)]),
            ["until"] = terms.ValidBefore.ToString("O", CultureInfo.InvariantCulture),
        },
    };
}
