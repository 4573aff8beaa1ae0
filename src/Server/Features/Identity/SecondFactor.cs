using System.Net;
using System.Security.Cryptography;
using Countersign.Access;
using Countersign.Server.Features.Identity.Passkeys;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

internal abstract record CodeAnswer
{
    private CodeAnswer()
    {
    }

    public sealed record Accepted(CodeKind Kind) : CodeAnswer;

    /// <summary>Wrong, used before, or there is nothing that it could be a code of.</summary>
    public sealed record Refused : CodeAnswer;

    /// <summary>Not looked at.</summary>
    public sealed record Later(TimeSpan After) : CodeAnswer;
}

/// <summary>What follows an accepted code, in the transaction in which the code is used up. False: it comes too late, and nobody is let in.</summary>
internal delegate Task<bool> AfterCode(WriteUnit unit, CodeKind kind, CancellationToken cancellation);

/// <summary>
/// Takes the codes of authenticators and recovery codes, each once. It does so on the one writer: that the throttle lets it pass, that the code is
/// right and that it is used up are one step, also for attempts that come at once.
/// </summary>
internal sealed partial class SecondFactor(
    MasterKey master, WriteQueue queue, PolicyWriter writer, SignInThrottle throttle, SignInFailures failures, TimeProvider time, ILogger<SecondFactor> log) : IDisposable
{
    private readonly Envelope _envelope = new(master, "authenticator");

    /// <summary>Whether one is asked for at sign-in: a confirmed app, or a passkey. One query, whichever it is, so that its time tells nothing.</summary>
    public static Task<bool> IsEnabledAsync(CountersignDb db, PersonId person, CancellationToken cancellation) =>
        db.Set<Authenticator>().Where(row => row.Person == person && row.Confirmed != null).Select(row => row.Person)
            .Concat(db.Set<Passkey>().Where(row => row.Person == person).Select(row => row.Person))
            .AnyAsync(cancellation);

    /// <summary>A confirmed one.</summary>
    public static Task<bool> HasAppAsync(CountersignDb db, PersonId person, CancellationToken cancellation) =>
        db.Set<Authenticator>().AnyAsync(row => row.Person == person && row.Confirmed != null, cancellation);

    public static Task<bool> HasPasskeyAsync(CountersignDb db, PersonId person, CancellationToken cancellation) =>
        db.Set<Passkey>().AnyAsync(row => row.Person == person, cancellation);

    /// <param name="proven">Whose first factor has been proven; that they still take part, and may sign in from there, is looked at here.</param>
    /// <param name="channel">For the audit log.</param>
    /// <param name="then">Stores what the code was given for.</param>
    public async Task<CodeAnswer> VerifyAsync(
        (OrganizationId Organization, PersonRow Person) proven, string typed, IPAddress source, string channel, AfterCode then, CancellationToken cancellation)
    {
        var (organization, person) = proven;

        // Before the queue, too: attempts that can't be right must not hold up what others write.
        if (throttle.Wait(Key(person), source) is var early && early > TimeSpan.Zero) return Refuse(person, source, channel, early);
        var code = SecondFactorCode.Read(typed);
        return await queue.WriteAsync<CodeAnswer>(
            async (unit, stop) =>
            {
                if (throttle.Wait(Key(person), source) is var wait && wait > TimeSpan.Zero) return Refuse(person, source, channel, wait);
                var db = unit.Db.Of(organization);
                var inForce = writer.ForWriter(organization);
                if (inForce?.Person(person.Id) is not { TakesPart: true } || !SignInRules.Of(inForce).Allows(source) || !await TakeAsync(db, person.Id, code, stop))
                {
                    throttle.Failed(Key(person), source);
                    failures.Note(person.Login, source, channel, "code");
                    return new CodeAnswer.Refused();
                }

                if (!await then(unit, code.Kind, stop)) return new CodeAnswer.Refused();
                throttle.Succeeded(Key(person));
                return new CodeAnswer.Accepted(code.Kind);
            },
            cancellation);
    }

    /// <summary>A secret that counts for nothing until a code of it has come. One that waited before is replaced. The caller disposes it.</summary>
    public async Task<Secret> EnrolAsync(CountersignDb db, PersonId person, CancellationToken cancellation)
    {
        Span<byte> random = stackalloc byte[Totp.SecretLength];
        RandomNumberGenerator.Fill(random);
        var secret = new Secret(random);
        CryptographicOperations.ZeroMemory(random);
        var ciphertext = _envelope.Seal(secret.Expose(), Place(db.Organization, person));
        await db.Set<Authenticator>().Where(row => row.Person == person).ExecuteDeleteAsync(cancellation);
        db.Add(new Authenticator { OrganizationId = db.Organization, Person = person, Ciphertext = ciphertext, LastStep = 0 });
        return secret;
    }

    /// <summary>The first code of an authenticator that waits for it. The code is used up.</summary>
    public async Task<bool> ConfirmAsync(CountersignDb db, PersonId person, string typed, CancellationToken cancellation)
    {
        if (SecondFactorCode.Read(typed) is not { Kind: CodeKind.Authenticator, Text: var code }) return false;
        var row = await db.Set<Authenticator>().SingleOrDefaultAsync(row => row.Person == person && row.Confirmed == null, cancellation);
        if (row is null || Match(row, code) is not { } step) return false;
        row.Confirmed = time.GetUtcNow();
        row.LastStep = step;
        return true;
    }

    /// <summary>In place of all that there were. Stored hashed; this is the one time that they are seen.</summary>
    public static async Task<IReadOnlyList<string>> RenewRecoveryCodesAsync(CountersignDb db, PersonId person, CancellationToken cancellation)
    {
        await db.Set<RecoveryCode>().Where(row => row.Person == person).ExecuteDeleteAsync(cancellation);
        var codes = Enumerable.Range(0, RecoveryCodes.Count).Select(_ => RecoveryCodes.Make()).ToList();
        db.AddRange(codes.Select(code => new RecoveryCode
        {
            OrganizationId = db.Organization,
            Person = person,
            Hash = RecoveryCodes.Hash(db.Organization, person, SecondFactorCode.Read(code).Text),
        }));
        return codes;
    }

    /// <summary>All that there is: app, passkeys, recovery codes.</summary>
    /// <returns>Whether there was something, and how many passkeys.</returns>
    public static async Task<(bool Had, int Passkeys)> RemoveAsync(CountersignDb db, PersonId person, CancellationToken cancellation)
    {
        var had = await IsEnabledAsync(db, person, cancellation);
        await db.Set<RecoveryCode>().Where(row => row.Person == person).ExecuteDeleteAsync(cancellation);
        await db.Set<Authenticator>().Where(row => row.Person == person).ExecuteDeleteAsync(cancellation);
        return (had, await db.Set<Passkey>().Where(row => row.Person == person).ExecuteDeleteAsync(cancellation));
    }

    /// <summary>The app; and the recovery codes, where there is no passkey that they could stand in for.</summary>
    public static async Task RemoveAppAsync(CountersignDb db, PersonId person, CancellationToken cancellation)
    {
        await db.Set<Authenticator>().Where(row => row.Person == person).ExecuteDeleteAsync(cancellation);
        if (!await HasPasskeyAsync(db, person, cancellation)) await db.Set<RecoveryCode>().Where(row => row.Person == person).ExecuteDeleteAsync(cancellation);
    }

    /// <summary>Without a second factor nobody has proven two, also not before: what a person is signed in with counts as one from here on.</summary>
    public static Task ForgetAsync(CountersignDb db, PersonId person, CancellationToken cancellation) =>
        db.Set<ApiToken>().Where(row => row.Person == person).ExecuteUpdateAsync(set => set.SetProperty(row => row.Strength, SignInStrength.OneFactor), cancellation);

    public static async Task ForgetWhereGoneAsync(CountersignDb db, PersonId person, CancellationToken cancellation)
    {
        if (!await IsEnabledAsync(db, person, cancellation)) await ForgetAsync(db, person, cancellation);
    }

    public void Dispose() => _envelope.Dispose();

    private async Task<bool> TakeAsync(CountersignDb db, PersonId person, SecondFactorCode code, CancellationToken cancellation)
    {
        switch (code.Kind)
        {
            case CodeKind.Authenticator:
                var row = await db.Set<Authenticator>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == person && row.Confirmed != null, cancellation);
                if (row is null || Match(row, code.Text) is not { } step) return false;
                return await db.Set<Authenticator>().Where(kept => kept.Person == person && kept.LastStep < step)
                    .ExecuteUpdateAsync(set => set.SetProperty(kept => kept.LastStep, step), cancellation) == 1;
            case CodeKind.Recovery:
                var hash = RecoveryCodes.Hash(db.Organization, person, code.Text);
                return await db.Set<RecoveryCode>().Where(kept => kept.Person == person && kept.Hash == hash).ExecuteDeleteAsync(cancellation) == 1;
            default:
                return false;
        }
    }

    /// <summary>Null also where the secret does not open in its row: somebody changed the database, and nobody is let in with it.</summary>
    private long? Match(Authenticator row, string code)
    {
        try
        {
            using var secret = _envelope.Open(row.Ciphertext, Place(row.OrganizationId, row.Person));
            return Totp.Match(secret.Expose(), code, time.GetUtcNow(), row.LastStep);
        }
        catch (CryptographicException)
        {
            LogDoesNotOpen(row.Person, row.OrganizationId);
            return null;
        }
    }

    private CodeAnswer.Later Refuse(PersonRow person, IPAddress source, string channel, TimeSpan wait)
    {
        failures.Note(person.Login, source, channel, "code");
        return new(wait);
    }

    /// <summary>
    /// Codes are counted apart from passwords: a right password must not wipe out the wrong codes after it, and whoever does not have the password
    /// must not be able to lock anybody's codes. No login holds a space.
    /// </summary>
    private static string Key(PersonRow person) => $"code of {person.Login}";

    private static byte[][] Place(OrganizationId organization, PersonId person) => [organization.Value.ToByteArray(bigEndian: true), person.Value.ToByteArray(bigEndian: true)];

    [LoggerMessage(
        1,
        LogLevel.Error,
        "The authenticator of person {Person} of organization {Organization} does not open: the database was changed by hand, or the master key is another one")]
    private partial void LogDoesNotOpen(PersonId person, OrganizationId organization);
}
