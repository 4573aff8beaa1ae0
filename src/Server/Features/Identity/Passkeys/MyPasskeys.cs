using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity.Passkeys;

internal sealed record PasskeyOptionsRequest(string Password)
{
    public override string ToString() => nameof(PasskeyOptionsRequest);
}

/// <param name="Ceremony">To be given back with the new passkey.</param>
/// <param name="PublicKey">For <c>navigator.credentials.create</c>.</param>
internal sealed record PasskeyOptions(string Ceremony, DateTimeOffset Expires, PasskeyCreation PublicKey)
{
    public override string ToString() => nameof(PasskeyOptions);
}

/// <param name="Label">What it is called in the list of passkeys.</param>
internal sealed record PasskeyRequest(string Ceremony, string Label, CreatedCredential Credential)
{
    public override string ToString() => nameof(PasskeyRequest);
}

/// <param name="Synced">It was copied to other devices of its person when it was used last.</param>
internal sealed record PasskeyShown(Guid Id, string Label, DateTimeOffset Added, DateTimeOffset? LastUsed, bool Synced)
{
    public static PasskeyShown Of(Passkey row) => new(row.Id, row.Label, row.Added, row.LastUsed, row.BackedUp);
}

/// <param name="RecoveryCodes">With the first second factor: shown here and never again; each is good once. Empty: those that there are stay.</param>
internal sealed record PasskeyMade(Guid Id, PasskeyShown Passkey, IReadOnlyList<string> RecoveryCodes)
{
    public override string ToString() => nameof(PasskeyMade);
}

/// <param name="Label">What it is called from now on.</param>
internal sealed record PasskeyNaming(string Label);

internal sealed record PasskeyRemoval(string Password)
{
    public override string ToString() => nameof(PasskeyRemoval);
}

/// <summary>
/// A person's own passkeys. A stolen token is not enough for adding and removing: that takes the password, and the second factor where there is one. What they are
/// called is what a person tells them apart by, so that a token of a program's is not good for changing that either.
/// </summary>
internal sealed class MyPasskeys(
    RelyingParty party, PasskeyCeremonies ceremonies, OwnProof proof, PolicySource policy, Database database, WriteQueue queue, LiveSignIns live, AccountNews news, AuditLog audit,
    TimeProvider time)
{
    private const int Most = 20;
    private const string Required = "A second factor is required here, and this passkey is the last one.";

    public async Task<Results<Ok<Page<PasskeyShown>>, ProblemHttpResult>> ListAsync(PageQuery page, Caller caller, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        var mine = await db.Set<Passkey>().AsNoTracking().Where(row => row.Person == caller.Person).ToListAsync(cancellation);
        return page.Cut(mine, row => row.Id.ToString(), PasskeyShown.Of);
    }

    public async Task<Results<Ok<PasskeyOptions>, ProblemHttpResult>> AskAsync(PasskeyOptionsRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        if (party.Id is null) return Problems.Conflict(RelyingParty.Missing);
        if ((await proof.ProveAsync(caller, request.Password, context, cancellation)).Problem is { } wrong) return wrong;
        if (policy.Current(caller.Organization)?.Person(caller.Person) is not { } person) return Problems.NotFound();
        await using var db = database.Read(caller.Organization);
        if (await OwnProof.UnfitAsync(db, caller, cancellation) is { } unfit) return unfit;
        var mine = await db.Set<Passkey>().Where(row => row.Person == caller.Person).Select(row => row.CredentialId).ToListAsync(cancellation);
        var (text, ceremony) = ceremonies.Begin(new()
        {
            Kind = CeremonyKind.Add,
            Organization = caller.Organization,
            Person = caller.Person,
            Token = caller.TokenId,
        });
        return TypedResults.Ok(new PasskeyOptions(text, ceremony.Expires, party.Creation(ceremony, person, mine)));
    }

    /// <summary>From here on a second step is asked for. The sign-in that the first passkey is added with has proven both factors; the person's others end.</summary>
    public async Task<Results<Created<PasskeyMade>, ProblemHttpResult>> AddAsync(PasskeyRequest request, Caller caller, CancellationToken cancellation)
    {
        if (Labels.Problem(request.Label) is { } problem) return Problems.Invalid("label", problem);
        if (party.Id is null) return Problems.Conflict(RelyingParty.Missing);
        if (policy.Current(caller.Organization)?.Person(caller.Person) is not { } person) return Problems.NotFound();
        if (ceremonies.Read(request.Ceremony) is not { Kind: CeremonyKind.Add } ceremony || !IsOf(ceremony, caller)) return NotMade();
        if (await party.ReadAsync(ceremony, person, request.Credential, cancellation) is not { } made) return NotMade();
        return await queue.WriteAsync<Results<Created<PasskeyMade>, ProblemHttpResult>>(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                if (!await ceremonies.SpendAsync(db, ceremony, stop)) return NotMade();
                if (await OwnProof.UnfitAsync(db, caller, stop) is { } unfit) return unfit;
                if (await db.Set<Passkey>().CountAsync(row => row.Person == caller.Person, stop) >= Most) return Problems.Conflict($"There are {Most} passkeys already: remove one that is not used any more.");

                // Across organizations, because a passkey signs in one person on the whole server; the unique index holds it against anybody else.
                if (await db.Set<Passkey>().IgnoreQueryFilters().AnyAsync(row => row.CredentialId == made.CredentialId, stop)) return Problems.Conflict("This passkey is registered already.");
                var isFirst = !await SecondFactor.IsEnabledAsync(db, caller.Person, stop);
                var row = Row(caller, request.Label, made);
                db.Add(row);
                var codes = isFirst ? await SecondFactor.RenewRecoveryCodesAsync(db, caller.Person, stop) : [];
                var ended = isFirst ? await OnlyThisSignInAsync(db, caller, stop) : 0;
                audit.Add(db, About(caller, "passkey.added") with { Details = new() { ["passkey"] = row.Id.ToString(), ["label"] = row.Label, ["signInsEnded"] = ended } });
                await news.TellAsync(db, caller.Person, caller, isFirst ? AccountChange.FirstPasskeyAdded(row.Label) : AccountChange.PasskeyAdded(row.Label), stop);
                if (isFirst) unit.Committed = () => live.End(caller.Organization, caller.Person, _ => true, "a second factor was set up");
                return TypedResults.Created($"/api/v1/me/passkeys/{row.Id}", new PasskeyMade(row.Id, PasskeyShown.Of(row), codes));
            },
            cancellation);
    }

    public async Task<Results<Ok<PasskeyShown>, ProblemHttpResult>> RenameAsync(Guid id, PasskeyNaming request, Caller caller, CancellationToken cancellation)
    {
        if (Labels.Problem(request.Label) is { } problem) return Problems.Invalid("label", problem);
        return await queue.WriteAsync<Results<Ok<PasskeyShown>, ProblemHttpResult>>(
            caller.Organization,
            async (db, stop) =>
            {
                if (await db.Set<Passkey>().SingleOrDefaultAsync(row => row.Id == id && row.Person == caller.Person, stop) is not { } row) return Problems.NotFound();
                if (await OwnProof.UnfitAsync(db, caller, stop) is { } unfit) return unfit;
                audit.Add(db, About(caller, "passkey.renamed") with { Details = new() { ["passkey"] = id.ToString(), ["before"] = row.Label, ["label"] = request.Label } });
                row.Label = request.Label;
                return TypedResults.Ok(PasskeyShown.Of(row));
            },
            cancellation);
    }

    /// <summary>Ends every other sign-in of the person's, since one that was lost may have been used.</summary>
    public async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(Guid id, PasskeyRemoval request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        await using (var db = database.Read(caller.Organization))
            if (!await db.Set<Passkey>().AnyAsync(row => row.Id == id && row.Person == caller.Person, cancellation)) return Problems.NotFound();
        var (proven, wrong) = await proof.ProveAsync(caller, request.Password, context, cancellation);
        if (proven is null) return wrong!;
        return await queue.WriteAsync<Results<NoContent, ProblemHttpResult>>(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                if (await OwnProof.UnfitAsync(db, caller, stop) is { } unfit) return unfit;
                if (!await OwnProof.StandsAsync(db, caller, proven, stop)) return Problems.Unauthorized();
                if (await db.Set<Passkey>().SingleOrDefaultAsync(row => row.Id == id && row.Person == caller.Person, stop) is not { } row) return Problems.NotFound();
                var isLast = !await db.Set<Passkey>().AnyAsync(other => other.Person == caller.Person && other.Id != id, stop) && !await SecondFactor.HasAppAsync(db, caller.Person, stop);
                if (isLast && SignInRules.Of(policy.Current(caller.Organization)).TwoFactorRequired) return Problems.Conflict(Required);
                db.Remove(row);
                if (isLast)
                {
                    await db.Set<RecoveryCode>().Where(code => code.Person == caller.Person).ExecuteDeleteAsync(stop);
                    await SecondFactor.ForgetAsync(db, caller.Person, stop);
                }

                var ended = await SignInEnds.EndOthersAsync(db, caller.Person, caller, stop);
                audit.Add(db, About(caller, "passkey.removed") with { Details = new() { ["passkey"] = id.ToString(), ["label"] = row.Label, ["signInsEnded"] = ended } });
                await news.TellAsync(db, caller.Person, caller, AccountChange.PasskeyRemoved(row.Label), stop);
                unit.Committed = () => live.End(caller.Organization, caller.Person, _ => true, "a passkey was removed");
                return TypedResults.NoContent();
            },
            cancellation);
    }

    private static async Task<int> OnlyThisSignInAsync(CountersignDb db, Caller caller, CancellationToken cancellation)
    {
        await db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteUpdateAsync(set => set.SetProperty(row => row.Strength, SignInStrength.TwoFactor), cancellation);
        return await SignInEnds.EndOthersAsync(db, caller.Person, caller, cancellation);
    }

    private Passkey Row(Caller caller, string label, MadePasskey made) => new()
    {
        OrganizationId = caller.Organization,
        Id = Guid.CreateVersion7(time.GetUtcNow()),
        Person = caller.Person,
        CredentialId = made.CredentialId,
        PublicKey = made.PublicKey,
        Label = label,
        SignCount = made.SignCount,
        BackupEligible = made.BackupEligible,
        BackedUp = made.BackedUp,
        Added = time.GetUtcNow(),
    };

    private static bool IsOf(PasskeyCeremony ceremony, Caller caller) =>
        ceremony.Organization == caller.Organization && ceremony.Person == caller.Person && ceremony.Token == caller.TokenId;

    private static ProblemHttpResult NotMade() => Problems.Invalid("credential", "The passkey does not come from what was asked for last, or comes too late.");

    private static AuditEntry About(Caller caller, string kind) =>
        AuditEntry.By(caller, kind) with { Subject = caller.Login, SubjectId = caller.Person.Value };
}
