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
/// Who the SSH front door lets in. Keys are not throttled: nobody guesses one, and a login that an attacker has locked with wrong passwords
/// stays usable by key. A key that is only asked about and refused is not written down, because clients offer all that they have.
/// </summary>
internal sealed class SignIn(
    PasswordSignIn passwords, SecondFactor secondFactor, DoorCertificates certificates, LiveSignIns live, PolicySource policy, PolicyWriter writer, Database database, WriteQueue queue,
    SignInFailures failures, AuditLog audit, TimeProvider time) : ISignIn
{
    private const string Channel = "ssh";

    public async ValueTask<SignInStep> WithPasswordAsync(string login, Secret password, IPAddress source, CancellationToken cancellation)
    {
        var answer = await passwords.VerifyAsync(login, password.ExposeText(), source, Channel, cancellation);
        if (answer is not PasswordAnswer.Accepted accepted) return new SignInStep.Refused();
        if (accepted.MustChange)
        {
            failures.Note(login, source, Channel, "password to be changed");
            return new SignInStep.Barred("Your password has to be changed first. Run: countersign login");
        }

        var proven = new FirstFactor(accepted.Organization, accepted.Person.Id, accepted.Person.Login, "password", new SignInProof.Password(accepted.Changed));
        return await ProceedAsync(proven, accepted.Person, accepted.HasSecondFactor, source, cancellation);
    }

    public async ValueTask<bool> WouldAcceptKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation) =>
        await FindAsync(login, key, source, cancellation) is not null;

    public async ValueTask<SignInStep> WithKeyAsync(string login, SshPublicKey key, IPAddress source, CancellationToken cancellation)
    {
        if (await FindAsync(login, key, source, cancellation) is var (proven, person, hasSecondFactor))
            return await ProceedAsync(proven, person, hasSecondFactor, source, cancellation);
        failures.Note(login, source, Channel, "public key");
        return new SignInStep.Refused();
    }

    public string PrincipalOf(string login) => policy.TryFindLogin(login, out _, out var person) ? DoorCertificates.PrincipalOf(person.Id) : "";

    public async ValueTask<bool> WouldAcceptCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation) =>
        await certificates.FindAsync(login, certificate, source, cancellation) is not null;

    public async ValueTask<SignInStep> WithCertificateAsync(string login, SshCertificate certificate, IPAddress source, CancellationToken cancellation)
    {
        if (await certificates.FindAsync(login, certificate, source, cancellation) is var (proven, person, hasSecondFactor))
            return await ProceedAsync(proven, person, hasSecondFactor, source, cancellation);
        failures.Note(login, source, Channel, "certificate");
        return new SignInStep.Refused();
    }

    public async ValueTask<SignInStep> WithCodeAsync(FirstFactor proven, Secret code, IPAddress source, CancellationToken cancellation)
    {
        if (policy.Current(proven.Organization)?.Person(proven.Person) is not { TakesPart: true } person) return new SignInStep.Refused();
        SignedIn? signedIn = null;
        var answer = await secondFactor.VerifyAsync(
            (proven.Organization, person),
            code.ExposeText(),
            source,
            Channel,
            async (unit, kind, stop) =>
                await StandsAsync(unit.Db, proven, stop)
                && LetIn(unit, proven, person, SignInStrength.TwoFactor, CodeMethods.With(proven.Method, kind), source, done => signedIn = done),
            cancellation);
        return answer is CodeAnswer.Accepted && signedIn is not null ? new SignInStep.Done(signedIn) : new SignInStep.Refused();
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

    /// <summary>In the transaction that lets somebody in: whether what they have proven still counts.</summary>
    private async Task<bool> StandsAsync(CountersignDb db, FirstFactor proven, CancellationToken cancellation) => proven.Proof switch
    {
        SignInProof.Key(var key) => await db.Set<RegisteredKey>().AnyAsync(row => row.Id == key && row.Person == proven.Person, cancellation),
        SignInProof.Password(var changed) => await Passwords.IsStillAsync(db, proven.Person, changed, cancellation),
        SignInProof.Certificate(var signIn, _, _, var authority) => await SshAuthorities.TrustsAsync(db, AuthorityPurpose.FrontDoor, authority, cancellation)
            && await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == signIn && row.Person == proven.Person, cancellation) is { } token
            && ApiTokens.Stands(token, SignInRules.Of(policy.Current(proven.Organization)), time.GetUtcNow()),
        _ => false,
    };

    /// <summary>The key is registered for the login, and its person takes part and may sign in from there.</summary>
    private async Task<(FirstFactor Proven, PersonRow Person, bool HasSecondFactor)?> FindAsync(
        string login, SshPublicKey key, IPAddress source, CancellationToken cancellation)
    {
        var known = policy.TryFindLogin(login, out var organization, out var person);
        var id = person?.Id ?? default;
        var fingerprint = key.Fingerprint;
        await using var db = database.Read(organization);
        var found = await db.Set<RegisteredKey>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == id && row.Fingerprint == fingerprint, cancellation);
        var hasSecondFactor = await SecondFactor.IsEnabledAsync(db, id, cancellation);
        if (!known || person is not { TakesPart: true } || found is null || !key.Blob.Span.SequenceEqual(found.Blob)) return null;
        return SignInRules.Of(policy.Current(organization)).Allows(source)
            ? (new(organization, id, person.Login, fingerprint, new SignInProof.Key(found.Id)), person, hasSecondFactor)
            : null;
    }

    /// <summary>What comes after the first factor.</summary>
    private async Task<SignInStep> ProceedAsync(FirstFactor proven, PersonRow person, bool hasSecondFactor, IPAddress source, CancellationToken cancellation)
    {
        var strength = proven.Proof is SignInProof.Certificate certificate ? certificate.Strength : SignInStrength.OneFactor;
        if (strength != SignInStrength.TwoFactor && hasSecondFactor) return new SignInStep.CodeWanted(proven);
        if (strength != SignInStrength.TwoFactor && SignInRules.Of(policy.Current(proven.Organization)).TwoFactorRequired)
        {
            failures.Note(person.Login, source, Channel, "no second factor");
            return new SignInStep.Barred("A second factor is required here. Set one up first. Run: countersign login");
        }

        SignedIn? signedIn = null;
        await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(proven.Organization);

                // Read again on the writer: what it hangs on may have been taken away, or a second factor set up, just now.
                return writer.ForWriter(proven.Organization) is { } inForce && inForce.Person(person.Id) is { TakesPart: true } && SignInRules.Of(inForce).Allows(source)
                    && await StandsAsync(db, proven, stop) && (strength == SignInStrength.TwoFactor || !await SecondFactor.IsEnabledAsync(db, person.Id, stop))
                    && LetIn(unit, proven, person, strength, proven.Method, source, done => signedIn = done);
            },
            cancellation);
        return signedIn is null ? new SignInStep.Refused() : new SignInStep.Done(signedIn);
    }

    /// <summary>Nobody is let in without a record of it.</summary>
    /// <param name="done">Called when the record is durable.</param>
    private bool LetIn(
        WriteUnit unit, FirstFactor proven, PersonRow person, SignInStrength strength, string method, IPAddress source, Action<SignedIn> done)
    {
        audit.Add(unit.Db, Succeeded(person, source, Channel, method));
        unit.Committed = () => done(live.Add(person, proven, strength, method, source));
        return true;
    }
}
