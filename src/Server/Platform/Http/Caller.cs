using System.Net;
using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>What a valid token says.</summary>
internal sealed record TokenIdentity(OrganizationId Organization, PersonId Person, Guid TokenId, TokenScopes Scopes, SignInStrength Strength)
{
    /// <summary>The one way in which it counts.</summary>
    public TokenCarrier Carrier { get; init; } = TokenCarrier.Header;
}

/// <summary>How a token comes with a request.</summary>
internal enum TokenCarrier
{
    /// <summary>In the header Authorization: a program put it there.</summary>
    Header = 0,

    /// <summary>In a cookie: a browser put it there by itself, whoever made the request.</summary>
    Cookie = 1,
}

/// <summary>Finds out whose a token is; null: nobody's, or not any more. Implemented by the identity feature; without one nobody gets in.</summary>
internal delegate ValueTask<TokenIdentity?> ValidateToken(string token, IPAddress? source, CancellationToken cancellation);

/// <summary>
/// Who calls the API. Made by <see cref="BearerGate"/>, after the person was found taking part in the policy in force; and, for the one change that
/// somebody who was invited makes, by the feature that their link leads to.
/// </summary>
internal sealed record Caller(
    OrganizationId Organization,
    PersonId Person,
    string Login,
    TokenScopes Scopes,
    Guid TokenId,
    IPAddress? Source,
    SignInStrength Strength,
    string Correlation)
{
    /// <summary>With a token, which may end before what they want is done. False: a feature speaks for somebody who has shown it something else, such as a mailed link.</summary>
    public bool CameByGate => TokenId != default;

    /// <summary>There when the change of policy that was sent is only to be shown.</summary>
    public PolicyPreview? Preview { get; init; }

    /// <summary>What the request has changed, once it has.</summary>
    public MadeChange Made { get; } = new();

    public PersonKind Kind { get; init; } = PersonKind.Technician;

    /// <summary>The version of policy that the caller has read, where they say so: rows that were changed since are not changed for them.</summary>
    public long? Read { get; init; }

    /// <summary>
    /// <c>cli</c>, <c>console</c> or <c>api</c>: what the client looks like. A label for those who read the log; nothing is decided by it.
    /// </summary>
    public string Channel { get; init; } = "api";

    /// <summary>How the token came that says so.</summary>
    public TokenCarrier Carrier { get; init; } = TokenCarrier.Header;

    /// <summary>Lets a handler take the caller as a parameter.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<Caller>());
}

/// <summary>For an answer that takes long: asks whether the caller would be let in still.</summary>
/// <param name="ask">Null: the token or the person is not what it was.</param>
internal sealed class CallersStanding(Func<CancellationToken, ValueTask<Caller?>> ask)
{
    /// <summary>Lets a handler take it as a parameter.</summary>
    public static ValueTask<CallersStanding?> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<CallersStanding>());

    public ValueTask<Caller?> AskAsync(CancellationToken cancellation) => ask(cancellation);
}
