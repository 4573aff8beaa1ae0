using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Identity.Passkeys;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <param name="Enabled">One is asked for at sign-in: the app, or a passkey.</param>
/// <param name="Since">Since when the app has been set up; null: there is none.</param>
/// <param name="Required">The organization demands a second factor.</param>
internal sealed record TwoFactorShown(bool Enabled, DateTimeOffset? Since, int Passkeys, int RecoveryCodesLeft, bool Required);

internal sealed record EnrolRequest(string Password)
{
    public override string ToString() => nameof(EnrolRequest);
}

/// <param name="Secret">In base32, for typing; shown here and never again.</param>
/// <param name="Uri">The same for a QR code.</param>
internal sealed record EnrolAnswer(string Secret, string Uri)
{
    public override string ToString() => nameof(EnrolAnswer);
}

internal sealed record ConfirmRequest(string Code)
{
    public override string ToString() => nameof(ConfirmRequest);
}

/// <param name="Code">From the authenticator, or a recovery code. Whoever has a passkey may leave it out within 10 minutes of signing in with both factors.</param>
internal sealed record SecondFactorRequest(string Password, string? Code = null)
{
    public override string ToString() => nameof(SecondFactorRequest);
}

/// <param name="RecoveryCodes">Shown here and never again; each is good once.</param>
internal sealed record RecoveryCodesMade(IReadOnlyList<string> RecoveryCodes)
{
    public override string ToString() => nameof(RecoveryCodesMade);
}

/// <summary>A person's own second factor.</summary>
internal sealed class MyTwoFactor(
    SecondFactor secondFactor, OwnProof proof, PolicySource policy, Database database, WriteQueue queue, SignInThrottle throttle, AccountNews news, AuditLog audit)
{
    private const string WrongCode = "The code is wrong, or was used before.";
    private const string Required = "A second factor is required here.";
    private const string NoApp = "There is no authenticator app: passkeys are removed one by one.";
    private const string OnAlready = "There is an authenticator app already: disable it first.";

    public async Task<Ok<TwoFactorShown>> GetAsync(Caller caller, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        var since = await db.Set<Authenticator>().Where(row => row.Person == caller.Person).Select(row => row.Confirmed).SingleOrDefaultAsync(cancellation);
        var left = await db.Set<RecoveryCode>().CountAsync(row => row.Person == caller.Person, cancellation);
        var passkeys = await db.Set<Passkey>().CountAsync(row => row.Person == caller.Person, cancellation);
        return TypedResults.Ok(new TwoFactorShown(since is not null || passkeys > 0, since, passkeys, left, RulesOf(caller).TwoFactorRequired));
    }

    /// <summary>A secret for an authenticator app. It counts once a code of it was given.</summary>
    public async Task<Results<Ok<EnrolAnswer>, ProblemHttpResult>> EnrolAsync(EnrolRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        // Before the password is looked at: what is good for none of this is no way to try passwords either.
        if (await proof.UnfitAsync(caller, cancellation) is { } unfitAhead) return unfitAhead;

        // A stolen token must not be a way to shut its owner out.
        var (proven, wrong) = await proof.ProveAsync(caller, request.Password, context, cancellation);
        if (proven is null) return wrong!;
        return await queue.WriteAsync<Results<Ok<EnrolAnswer>, ProblemHttpResult>>(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                if (await UnfitAsync(db, caller, stop) is { } unfit) return unfit;
                if (!await OwnProof.StandsAsync(db, caller, proven, stop)) return Problems.Unauthorized();
                using var secret = await secondFactor.EnrolAsync(db, caller.Person, stop);
                var name = await db.Set<Organization>().Where(row => row.Id == caller.Organization).Select(row => row.Name).SingleAsync(stop);
                var text = Base32.Encode(secret.Expose());
                return TypedResults.Ok(new EnrolAnswer(text, Address(name, caller.Login, text)));
            },
            cancellation);
    }

    /// <summary>From here on the code is asked for. The token that this is done with has proven both factors; the person's other sign-ins end.</summary>
    public async Task<Results<Ok<RecoveryCodesMade>, ProblemHttpResult>> ConfirmAsync(
        ConfirmRequest request, Caller caller, HttpContext context, LiveSignIns live, CancellationToken cancellation)
    {
        var attempts = $"set-up of {caller.Login}";
        var source = caller.Source ?? IPAddress.None;
        return await queue.WriteAsync<Results<Ok<RecoveryCodesMade>, ProblemHttpResult>>(
            async (unit, stop) =>
            {
                if (throttle.Wait(attempts, source) is var wait && wait > TimeSpan.Zero) return Problems.TooManyAttempts(context, wait);
                var db = unit.Db.Of(caller.Organization);
                if (await UnfitAsync(db, caller, stop) is { } unfit) return unfit;
                if (!await secondFactor.ConfirmAsync(db, caller.Person, request.Code, stop))
                {
                    throttle.Failed(attempts, source);
                    return Problems.Invalid("code", "The code does not come from the secret that was shown last.");
                }

                throttle.Succeeded(attempts);
                var codes = await SecondFactor.RenewRecoveryCodesAsync(db, caller.Person, stop);
                await db.Set<ApiToken>().Where(row => row.Id == caller.TokenId)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.Strength, SignInStrength.TwoFactor), stop);
                var ended = await SignInEnds.EndOthersAsync(db, caller.Person, caller, stop);
                audit.Add(db, About(caller, "two-factor.enabled", new() { ["signInsEnded"] = ended }));
                await news.TellAsync(db, caller.Person, caller, AccountChange.AppAdded, stop);
                unit.Committed = () => live.End(caller.Organization, caller.Person, _ => true, "a second factor was set up");
                return TypedResults.Ok(new RecoveryCodesMade(codes));
            },
            cancellation);
    }

    public async Task<Results<Ok<RecoveryCodesMade>, ProblemHttpResult>> RenewCodesAsync(
        SecondFactorRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        IReadOnlyList<string> codes = [];
        return await WithBothAsync(
            request,
            caller,
            context,
            async (unit, _, stop) =>
            {
                codes = await SecondFactor.RenewRecoveryCodesAsync(unit.Db, caller.Person, stop);
                audit.Add(unit.Db, About(caller, "two-factor.codes-renewed", []));
                await news.TellAsync(unit.Db, caller.Person, caller, AccountChange.CodesRenewed, stop);
                return true;
            },
            cancellation) is { } problem
            ? problem
            : TypedResults.Ok(new RecoveryCodesMade(codes));
    }

    public async Task<Results<NoContent, ProblemHttpResult>> DisableAsync(SecondFactorRequest request, Caller caller, HttpContext context, CancellationToken cancellation)
    {
        await using (var db = database.Read(caller.Organization))
        {
            if (!await MayDisableAsync(db, caller, cancellation)) return Problems.Conflict(Required);
            if (await SecondFactor.HasPasskeyAsync(db, caller.Person, cancellation) && !await SecondFactor.HasAppAsync(db, caller.Person, cancellation)) return Problems.Conflict(NoApp);
        }

        return await WithBothAsync(
            request,
            caller,
            context,
            async (unit, _, stop) =>
            {
                // The last passkey may have gone meanwhile.
                if (!await MayDisableAsync(unit.Db, caller, stop)) return false;
                await SecondFactor.RemoveAppAsync(unit.Db, caller.Person, stop);
                await SecondFactor.ForgetWhereGoneAsync(unit.Db, caller.Person, stop);
                audit.Add(unit.Db, About(caller, "two-factor.disabled", []));
                await news.TellAsync(unit.Db, caller.Person, caller, AccountChange.AppRemoved, stop);
                return true;
            },
            cancellation) is { } problem
            ? problem
            : TypedResults.NoContent();
    }

    private async Task<ProblemHttpResult?> WithBothAsync(
        SecondFactorRequest request, Caller caller, HttpContext context, AfterCode then, CancellationToken cancellation)
    {
        var (proven, wrong) = await proof.ProveAsync(caller, request.Password, context, cancellation);
        if (proven is null) return wrong;
        if (policy.Current(caller.Organization)?.Person(caller.Person) is not { } person) return Problems.NotFound();
        if (request.Code is not { } code) return await WithoutCodeAsync(caller, proven, then, cancellation);
        var stands = true;
        var answer = await secondFactor.VerifyAsync(
            (caller.Organization, person),
            code,
            caller.Source ?? IPAddress.None,
            "api",
            async (unit, kind, stop) => (stands = await OwnProof.StandsAsync(unit.Db.Of(caller.Organization), caller, proven, stop)) && await then(unit, kind, stop),
            cancellation);
        return answer switch
        {
            _ when !stands => Problems.Unauthorized(),
            CodeAnswer.Accepted => null,
            CodeAnswer.Later(var after) => Problems.TooManyAttempts(context, after),
            _ => Problems.Invalid("code", WrongCode),
        };
    }

    private async Task<ProblemHttpResult?> WithoutCodeAsync(Caller caller, OwnProven proven, AfterCode then, CancellationToken cancellation)
    {
        ProblemHttpResult? problem = null;
        await queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(caller.Organization);
                problem = await proof.WithoutCodeAsync(db, caller, stop) ?? (await OwnProof.StandsAsync(db, caller, proven, stop) ? null : Problems.Unauthorized());
                if (problem is null && !await then(unit, CodeKind.Neither, stop)) problem = Problems.Conflict(Required);
                return true;
            },
            cancellation);
        return problem;
    }

    /// <summary>
    /// Why no app is to be set up; null: it may be. Whoever has a passkey shows it first, so that one factor is not enough for another one; and a program's token,
    /// which has the strength of the sign-in that it was made by, shows nobody.
    /// </summary>
    private static async Task<ProblemHttpResult?> UnfitAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        await OwnProof.UnfitAsync(db, caller, cancellation) ?? (await SecondFactor.HasAppAsync(db, caller.Person, cancellation) ? Problems.Conflict(OnAlready) : null);

    private async Task<bool> MayDisableAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        !RulesOf(caller).TwoFactorRequired || await SecondFactor.HasPasskeyAsync(db, caller.Person, cancellation);

    private SignInSettings RulesOf(Caller caller) => SignInRules.Of(policy.Current(caller.Organization));

    private static AuditEntry About(Caller caller, string kind, System.Text.Json.Nodes.JsonObject details) =>
        AuditEntry.By(caller, kind) with { Subject = caller.Login, SubjectId = caller.Person.Value, Details = details };

    /// <summary>As authenticator apps read it: the label is what their list shows, and a colon parts its halves.</summary>
    private static string Address(string organization, string login, string secret)
    {
        var issuer = Uri.EscapeDataString($"Countersign {organization}".Replace(':', ' '));
        return $"otpauth://totp/{issuer}:{Uri.EscapeDataString(login)}?secret={secret}&issuer={issuer}";
    }
}
