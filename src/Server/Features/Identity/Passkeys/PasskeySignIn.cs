using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity.Passkeys;

/// <param name="Ticket">From the answer to login and password, or to a mailed link; null: the passkey is all there is.</param>
internal sealed record PasskeySignInOptionsRequest(string? Ticket = null)
{
    public override string ToString() => nameof(PasskeySignInOptionsRequest);
}

/// <param name="Ceremony">To be given back with what the passkey has signed.</param>
/// <param name="PublicKey">For <c>navigator.credentials.get</c>.</param>
internal sealed record PasskeySignInOptions(string Ceremony, DateTimeOffset Expires, PasskeyWanted PublicKey)
{
    public override string ToString() => nameof(PasskeySignInOptions);
}

internal sealed record PasskeySignInRequest(string Ceremony, SignedCredential Credential, string? Label = null, SignInAs As = SignInAs.Token)
{
    public override string ToString() => nameof(PasskeySignInRequest);
}

/// <summary>
/// Signing in with a passkey: after a password or a mailed link, or with nothing else. By itself it has to have verified its person, with a PIN or a
/// finger, and so stands for two factors; nobody says who they are before, so that nothing is told of accounts.
/// </summary>
internal sealed class PasskeySignIn(
    RelyingParty party, PasskeyCeremonies ceremonies, SignInTickets tickets, SignInGrant grant, SignInThrottle throttle, SignInFailures failures, PolicySource policy,
    PolicyWriter writer, Database database, WriteQueue queue, AuditLog audit, TimeProvider time)
{
    private const string Method = "passkey";

    public async Task<Results<Ok<PasskeySignInOptions>, ProblemHttpResult>> AskAsync(PasskeySignInOptionsRequest request, CancellationToken cancellation)
    {
        if (party.Id is null) return Problems.Conflict(RelyingParty.Missing);
        if (request.Ticket is null) return Answer(new() { Kind = CeremonyKind.OnlyStep }, []);
        if (tickets.Read(request.Ticket) is not { } ticket) return Refused();
        await using var db = database.Read(ticket.Organization);
        var mine = await db.Set<Passkey>().Where(row => row.Person == ticket.Person).Select(row => row.CredentialId).ToListAsync(cancellation);
        if (mine.Count == 0) return Refused();
        return Answer(new() { Kind = CeremonyKind.SecondStep, Organization = ticket.Organization, Person = ticket.Person, PasswordChanged = ticket.PasswordChanged }, mine);
    }

    public async Task<Results<Ok<SignInAnswer>, ProblemHttpResult>> UseAsync(PasskeySignInRequest request, HttpContext context, CancellationToken cancellation)
    {
        if (SignInPlace.Problem(request.Label, request.As, context) is { } unfit) return unfit;
        if (party.Id is null || ceremonies.Read(request.Ceremony) is not { Kind: CeremonyKind.SecondStep or CeremonyKind.OnlyStep } ceremony) return Refused();
        if (PasskeyBytes.Read(request.Credential.RawId) is not { Length: > 0 and <= Passkey.LongestCredentialId } id) return Refused();
        var (attempts, source) = ($"passkey {PasskeyBytes.Write(id)}", context.Connection.RemoteIpAddress ?? IPAddress.None);
        if (throttle.Wait(attempts, source) is var wait && wait > TimeSpan.Zero) return Problems.TooManyAttempts(context, wait);
        var passkey = await FindAsync(id, ceremony, cancellation);
        var person = passkey is null ? null : policy.Current(passkey.OrganizationId)?.Person(passkey.Person);
        var signature = passkey is null ? null : await party.ReadAsync(ceremony, passkey, request.Credential, cancellation);
        if (passkey is null || signature is null || person is null || !MaySignIn(policy.Current(passkey.OrganizationId), person, ceremony, source)) return Fail(person, attempts, source);

        IssuedToken? issued = null;
        var place = new SignInPlace(request.Label, request.As);
        var answer = await queue.WriteAsync(
            passkey.OrganizationId,
            async (db, stop) =>
            {
                if (!await ceremonies.SpendAsync(db, ceremony, stop) || await StillAsync(db, passkey, stop) is not { } kept) return null;
                if (!Counts(db, person, kept, signature, source)) return null;
                if (await GrantedAsync(db, ceremony, person.Id, source, stop) is not { } granted) return null;
                (issued, var answer) = await grant.AddAsync(db, granted, place, context, stop);
                return answer;
            },
            cancellation);
        if (answer is null) return Fail(person, attempts, source);
        throttle.Succeeded(attempts);
        if (request.As == SignInAs.Cookie) SessionCookie.Give(context, issued!);
        return TypedResults.Ok(answer);
    }

    /// <summary>The one query across organizations: a passkey says nothing but its id, which is unique on the server.</summary>
    private async Task<Passkey?> FindAsync(byte[] id, PasskeyCeremony ceremony, CancellationToken cancellation)
    {
        await using var db = database.Open();
        var passkey = await db.Set<Passkey>().IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.CredentialId == id, cancellation);
        return ceremony.Kind == CeremonyKind.OnlyStep || (passkey?.OrganizationId == ceremony.Organization && passkey.Person == ceremony.Person) ? passkey : null;
    }

    /// <summary>A contact's address is what they are known by: a passkey stands beside the mailed link and not in its place.</summary>
    private static bool MaySignIn(PolicySnapshot? policy, PersonRow person, PasskeyCeremony ceremony, IPAddress source) =>
        person.TakesPart && SignInRules.Of(policy).Allows(source) && (ceremony.Kind == CeremonyKind.SecondStep || person.Kind != PersonKind.Contact);

    private static Task<Passkey?> StillAsync(CountersignDb db, Passkey found, CancellationToken cancellation) =>
        db.Set<Passkey>().SingleOrDefaultAsync(row => row.Id == found.Id && row.Person == found.Person, cancellation);

    /// <summary>
    /// False: the authenticator has counted less than before, so that there are two of what there should be one (section 6.1.1). Nobody is let in with
    /// either, as long as the one that is shown is behind; it is written down, and the person can remove the passkey.
    /// </summary>
    private bool Counts(CountersignDb db, PersonRow person, Passkey passkey, PasskeySignature signature, IPAddress source)
    {
        var doesNotCount = signature.SignCount == 0 && passkey.SignCount == 0;
        if (!doesNotCount && signature.SignCount <= passkey.SignCount)
        {
            audit.Add(db, new()
            {
                Kind = "passkey.counter-went-back",
                Actor = person.Id,
                ActorLogin = person.Login,
                Channel = "api",
                Source = source,
                Subject = person.Login,
                SubjectId = person.Id.Value,
                Outcome = AuditOutcome.Refused,
                Details = new() { ["passkey"] = passkey.Id.ToString(), ["label"] = passkey.Label, ["before"] = passkey.SignCount, ["shown"] = signature.SignCount },
            });
            return false;
        }

        (passkey.SignCount, passkey.BackedUp, passkey.LastUsed) = (signature.SignCount, signature.BackedUp, time.GetUtcNow());
        return true;
    }

    /// <summary>Null: what the first step proved is not so any more, or the person is out.</summary>
    private async Task<SignInGranted?> GrantedAsync(CountersignDb db, PasskeyCeremony ceremony, PersonId id, IPAddress source, CancellationToken cancellation)
    {
        var inForce = writer.ForWriter(db.Organization);
        if (inForce?.Person(id) is not { } person || !MaySignIn(inForce, person, ceremony, source)) return null;
        var credential = await db.Set<Credential>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == person.Id, cancellation);
        var isSecond = ceremony.Kind == CeremonyKind.SecondStep;
        if (isSecond && (credential?.Changed ?? default) != ceremony.PasswordChanged) return null;
        var rules = SignInRules.Of(inForce);

        // A password that is too old is in nobody's way who did not use it; one that somebody else chose has to go in any case.
        var mustChange = credential is not null && (credential.MustChange || (isSecond && rules.IsTooOld(credential.Changed, time.GetUtcNow())));
        return new()
        {
            Organization = db.Organization,
            Person = person,
            Method = !isSecond ? Method : credential is null ? $"mailed link and {Method}" : $"password and {Method}",
            Strength = SignInStrength.TwoFactor,
            MustChangePassword = mustChange,
        };
    }

    private Ok<PasskeySignInOptions> Answer(PasskeyCeremony wanted, IReadOnlyList<byte[]> mine)
    {
        var (text, ceremony) = ceremonies.Begin(wanted);
        return TypedResults.Ok(new PasskeySignInOptions(text, ceremony.Expires, party.Wanted(ceremony, mine)));
    }

    private ProblemHttpResult Fail(PersonRow? person, string attempts, IPAddress source)
    {
        throttle.Failed(attempts, source);
        failures.Note(person?.Login ?? "", source, "api", Method);
        return Refused();
    }

    /// <summary>One answer: whether the ceremony is none, used or too old, the passkey unknown, its signature wrong, or its person out.</summary>
    private static ProblemHttpResult Refused() =>
        TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "The passkey is not good here, or comes too late");
}
