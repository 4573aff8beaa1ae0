using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>Who has signed in through the API, with what, and what they get for it.</summary>
internal sealed record SignInGranted
{
    public required OrganizationId Organization { get; init; }

    public required PersonRow Person { get; init; }

    /// <summary>For the audit log: <c>password</c>, <c>password and code</c>, …</summary>
    public required string Method { get; init; }

    public required SignInStrength Strength { get; init; }

    public required bool MustChangePassword { get; init; }
}

/// <summary>Gives those who have signed in their token, with a record of it.</summary>
internal sealed class SignInGrant(ApiTokens tokens, AuditLog audit, PolicySource policy, TimeProvider time)
{
    /// <summary>Stored with the context, in its organization.</summary>
    public async Task<(IssuedToken Token, SignInAnswer Answer)> AddAsync(
        CountersignDb db, SignInGranted granted, SignInPlace place, HttpContext context, CancellationToken cancellation)
    {
        var (person, source) = (granted.Person, context.Connection.RemoteIpAddress ?? IPAddress.None);
        var rules = SignInRules.Of(policy.Current(granted.Organization));
        var origin = place.As == SignInAs.Cookie ? TokenOrigin.Browser : TokenOrigin.SignIn;

        // A browser that signs in again gets another session, whoever had put the old one there.
        if (SessionCookie.Hash(context) is { } old && origin == TokenOrigin.Browser)
            await db.Set<ApiToken>().Where(row => row.Hash == old).ExecuteDeleteAsync(cancellation);
        var token = await tokens.AddForSignInAsync(
            db,
            new()
            {
                Person = person.Id,
                Label = place.Label ?? "sign-in",
                Scopes = granted.MustChangePassword ? TokenScopes.None : TokenScopes.Write,
                Origin = origin,
                Strength = granted.Strength,
                Expires = time.GetUtcNow() + rules.Lifetime,
                Address = source,
                Client = CleanClient(context.Request.Headers.UserAgent.ToString()),
            },
            cancellation);
        audit.Add(db, SignIn.Succeeded(person, source, "api", granted.Method) with { Correlation = context.TraceIdentifier });
        var answer = new SignInAnswer(
            origin == TokenOrigin.Browser ? null : token.Text,
            token.Expires,
            PersonShown.Of(person),
            granted.MustChangePassword,
            rules.TwoFactorRequired && granted.Strength != SignInStrength.TwoFactor);
        return (token, answer);
    }

    /// <summary>What a client calls itself is shown in lists: nothing but what names may hold.</summary>
    public static string CleanClient(string text)
    {
        var clean = string.Concat(text.EnumerateRunes().Select(rune => rune.ToString()).Where(Names.IsPlain));
        if (clean.Length <= ApiToken.LongestClient) return clean;
        return char.IsHighSurrogate(clean[ApiToken.LongestClient - 1]) ? clean[..(ApiToken.LongestClient - 1)] : clean[..ApiToken.LongestClient];
    }
}

/// <summary>How the token of a sign-in comes back.</summary>
internal enum SignInAs
{
    /// <summary>In the answer, for programs.</summary>
    Token = 0,

    /// <summary>In a cookie that no script reads, for browsers.</summary>
    Cookie = 1,
}

/// <param name="Label">What it is called in the list of sign-ins.</param>
internal sealed record SignInPlace(string? Label, SignInAs As)
{
    /// <summary>A page elsewhere must not be able to sign a browser in, as somebody of its own choice.</summary>
    public static ProblemHttpResult? Problem(string? label, SignInAs wanted, HttpContext context)
    {
        if (Labels.Problem(label) is { } problem) return Problems.Invalid("label", problem);
        return wanted == SignInAs.Cookie && !SameOrigin.Sent(context.Request) ? Problems.Forbidden(SameOrigin.Refusal) : null;
    }
}
