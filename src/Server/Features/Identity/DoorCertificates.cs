using System.Globalization;
using System.Net;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Certificates by which somebody who has signed in at the API signs in at the SSH front door. One says which sign-in it stands for, and nothing else is
/// taken from it: whether that sign-in still counts, and how strong it was, is read from the sign-in's own row at each use. The authority is one that no
/// device is told to trust, and the principal is a person's id, which is no account's name.
/// </summary>
internal sealed class DoorCertificates(SshAuthorities authorities, PolicySource policy, Database database, WriteQueue queue, AuditLog audit, TimeProvider time)
{
    /// <summary>However long the sign-in lasts: the key is a file on the technician's machine.</summary>
    private static readonly TimeSpan _longest = TimeSpan.FromHours(12);

    /// <summary>The client's clock plays no part; two nodes of ours may differ.</summary>
    private static readonly TimeSpan _before = TimeSpan.FromSeconds(30);

    /// <summary>For whoever came in by a certificate of a key that was removed.</summary>
    public const string AuthorityIsGone = "the key that signed your certificate was removed: sign in again";

    public static string PrincipalOf(PersonId person) => person.Value.ToString("D");

    /// <summary>Null: the caller holds no token of a sign-in by a program, or it counts no more.</summary>
    public async Task<SshCertificate?> IssueAsync(Caller caller, SshPublicKey key, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        if (await StandingAsync(db, caller.TokenId, caller.Person, cancellation) is not { } signIn) return null;
        var now = time.GetUtcNow();
        var terms = new SshCertificateTerms
        {
            Kind = SshCertificateKind.User,
            KeyId = $"{caller.Login} {signIn.Id}",
            Principals = [PrincipalOf(caller.Person)],
            ValidAfter = now - _before,
            ValidBefore = Earliest(now + _longest, signIn.Expires, signIn.Created + Rules(caller.Organization).Lifetime),
            Serial = SshAuthorities.NewSerial(),
        };

        // Less than a second is left of it.
        if (terms.ValidBefore.ToUnixTimeSeconds() <= now.ToUnixTimeSeconds()) return null;
        if ((await authorities.IssueAsync(caller.Organization, AuthorityPurpose.FrontDoor, key, terms, cancellation)) is not [var certificate, ..]) return null;
        await queue.WriteAsync(
            caller.Organization,
            (writing, _) =>
            {
                audit.Add(writing, AuditEntry.By(caller, "sign-in.certificate-issued") with
                {
                    Subject = caller.Login,
                    SubjectId = caller.Person.Value,
                    Details = new()
                    {
                        ["serial"] = terms.Serial.ToString(CultureInfo.InvariantCulture),
                        ["fingerprint"] = key.Fingerprint,
                        ["signIn"] = signIn.Id.ToString(),
                        ["until"] = certificate.ValidBefore.ToString("O", CultureInfo.InvariantCulture),
                    },
                });
                return Task.CompletedTask;
            },
            cancellation);
        return certificate;
    }

    /// <summary>Whose it is, where it and the sign-in that it stands for count now, and from there. Null tells nothing of why not.</summary>
    public async Task<(FirstFactor Proven, PersonRow Person, bool HasSecondFactor)?> FindAsync(
        string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation)
    {
        var known = policy.TryFindLogin(login, out var organization, out var person);
        var id = person?.Id ?? default;
        await using var db = database.Read(organization);
        var trusted = await authorities.TrustedAsync(organization, AuthorityPurpose.FrontDoor, cancellation);
        var signIn = await StandingAsync(db, SignInOf(certificate), id, cancellation);
        var hasSecondFactor = await SecondFactor.IsEnabledAsync(db, id, cancellation);
        if (!known || person is not { TakesPart: true } || signIn is null || !trusted.Contains(certificate.Authority)) return null;

        // Asked by the library as well, for whom the login was then.
        if (certificate.Judge(SshCertificateKind.User, PrincipalOf(id), time.GetUtcNow(), source) != SshCertificateVerdict.Good) return null;
        return Rules(organization).Allows(source)
            ? (new(organization, id, person.Login, $"certificate {certificate.Serial}", new SignInProof.Certificate(signIn.Id, signIn.Strength, signIn.Created, certificate.Authority)), person, hasSecondFactor)
            : null;
    }

    /// <summary>Null: there is no such sign-in by a program of this person's that is good for everything.</summary>
    private async Task<ApiToken?> StandingAsync(CountersignDb db, Guid id, PersonId person, CancellationToken cancellation)
    {
        var token = await db.Set<ApiToken>().AsNoTracking()
            .SingleOrDefaultAsync(row => row.Id == id && row.Person == person && row.Origin == TokenOrigin.SignIn && row.Scopes == TokenScopes.Write, cancellation);
        return token is not null && ApiTokens.Stands(token, Rules(token.OrganizationId), time.GetUtcNow()) ? token : null;
    }

    /// <summary>As <see cref="IssueAsync"/> writes it; empty: it is none of those.</summary>
    private static Guid SignInOf(SshCertificate certificate) =>
        certificate.KeyId.Split(' ') is [_, var id] && Guid.TryParseExact(id, "D", out var signIn) ? signIn : Guid.Empty;

    private SignInSettings Rules(OrganizationId organization) => SignInRules.Of(policy.Current(organization));

    private static DateTimeOffset Earliest(params ReadOnlySpan<DateTimeOffset> instants)
    {
        var earliest = instants[0];
        foreach (var instant in instants) earliest = instant < earliest ? instant : earliest;
        return earliest;
    }
}
