using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>What a person has shown besides their token.</summary>
/// <param name="Password">Which password it was; null: a contact, who has none.</param>
internal sealed record OwnProven(PasswordAnswer.Accepted? Password);

/// <summary>That whoever shows a token is the person it belongs to, for what a stolen token must not be enough for.</summary>
internal sealed class OwnProof(PasswordSignIn passwords, Database database, TimeProvider time)
{
    private const string WithoutSecondFactor = "Sign in with your second factor first.";
    private const string ForPrograms = "A token that was made for a program is not good for that: sign in.";
    private const string CodeMissing = "A code of the authenticator app is wanted, or a recovery code.";
    private const string NotFresh = "You signed in too long ago for that: sign in again first.";

    /// <summary>So long after signing in what a person signs in with is changed without more.</summary>
    private static readonly TimeSpan _fresh = TimeSpan.FromMinutes(10);

    /// <summary>One of the two is null. Counted like signing in. A contact has no password: they have to have come by a link just now.</summary>
    public async Task<(OwnProven? Proven, ProblemHttpResult? Problem)> ProveAsync(Caller caller, string password, HttpContext context, CancellationToken cancellation)
    {
        if (caller.Kind == PersonKind.Contact)
        {
            await using var db = database.Read(caller.Organization);
            return await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == caller.TokenId && row.Person == caller.Person, cancellation) is { } token && IsFresh(token)
                ? (new(null), null)
                : (null, Problems.Invalid("password", "Sign in by a new link first."));
        }

        return await passwords.VerifyOwnAsync(caller, password, cancellation) switch
        {
            PasswordAnswer.Accepted accepted => (new(accepted), null),
            PasswordAnswer.Later(var after) => (null, Problems.TooManyAttempts(context, after)),
            _ => (null, Problems.Invalid("password", "This is not the password.")),
        };
    }

    /// <summary>On the writer: whether the caller's token and what they have shown besides it still count.</summary>
    public static async Task<bool> StandsAsync(CountersignDb db, Caller caller, OwnProven proven, CancellationToken cancellation) =>
        await ApiTokens.IsStillAsync(db, caller, cancellation) && (proven.Password is not { } password || await password.IsStillAsync(db, cancellation));

    /// <summary>
    /// Why the token is not good for changing what its person signs in with; null: it is. What lasts is not for a program's token, which is good for some things and for some time.
    /// </summary>
    public static async Task<ProblemHttpResult?> UnfitAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        Unfit(await TokenAsync(db, caller, cancellation)) ?? await WeakAsync(db, caller, cancellation);

    /// <summary>The same ahead of the writer's turn, where it is asked again.</summary>
    public async Task<ProblemHttpResult?> UnfitAsync(Caller caller, CancellationToken cancellation)
    {
        await using var db = database.Read(caller.Organization);
        return await UnfitAsync(db, caller, cancellation);
    }

    /// <summary>The same where nothing is asked for besides the token: then its person signed in with it just now.</summary>
    public async Task<ProblemHttpResult?> UnfitOrStaleAsync(CountersignDb db, Caller caller, CancellationToken cancellation)
    {
        var token = await TokenAsync(db, caller, cancellation);
        return Unfit(token) ?? (IsFresh(token!) ? await WeakAsync(db, caller, cancellation) : Problems.Forbidden(NotFresh));
    }

    /// <summary>
    /// What is wanted of a code that is left out: whoever has a passkey has no codes but recovery codes, which may be used up, and shows it by signing in. Null where the
    /// sign-in is of just now, with both factors; asked again on the writer.
    /// </summary>
    public async Task<ProblemHttpResult?> WithoutCodeAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        await SecondFactor.HasPasskeyAsync(db, caller.Person, cancellation) ? await UnfitOrStaleAsync(db, caller, cancellation) : Problems.Invalid("code", CodeMissing);

    private static Task<ApiToken?> TokenAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == caller.TokenId, cancellation);

    private static ProblemHttpResult? Unfit(ApiToken? token) => token switch
    {
        null => Problems.Unauthorized(),
        { Origin: TokenOrigin.Made } => Problems.Forbidden(ForPrograms),
        _ => null,
    };

    private static async Task<ProblemHttpResult?> WeakAsync(CountersignDb db, Caller caller, CancellationToken cancellation) =>
        caller.Strength != SignInStrength.TwoFactor && await SecondFactor.IsEnabledAsync(db, caller.Person, cancellation) ? Problems.Forbidden(WithoutSecondFactor) : null;

    private bool IsFresh(ApiToken token) => token.Origin != TokenOrigin.Made && token.Created > time.GetUtcNow() - _fresh;
}
