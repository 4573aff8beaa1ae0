using System.Net;
using Countersign.Access;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>
/// Stands before every handler: looks at what the route declares, at the token, and at the person's row and the sign-in rules in the policy that is in
/// force now, so that a disabled or deleted person's token stops at once, and one that is shown from elsewhere than is allowed.
/// </summary>
internal sealed class BearerGate(RequestDelegate next, ValidateToken validate, PolicySource policy)
{
    private const string Bearer = "Bearer ";
    private const int LongestToken = 512;
    private const string CommandLine = "countersign-cli/";
    private const string SecondFactorMissing = "This organization requires a second factor: sign in with one.";
    private const string NotForContacts = "That is for the organization's own people.";
    private const string ElsewhereOnly = "This organization lets people in only from its own networks.";

    public async Task InvokeAsync(HttpContext context)
    {
        // Nothing of ours runs: there is no route, or routing itself answers that the route has no such method.
        if (context.GetEndpoint() is not RouteEndpoint endpoint)
        {
            await next(context);
            return;
        }

        var access = endpoint.Metadata.GetMetadata<RouteAccess>()
            ?? throw new InvalidOperationException($"{endpoint.DisplayName} does not declare who may call it.");
        if (access.Scope is { } scope)
        {
            var shown = Shown(context);
            var caller = shown is null ? null : await IdentifyAsync(shown, context.RequestAborted);
            if (shown is null || caller is null)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                await Problems.Unauthorized().ExecuteAsync(context);
                return;
            }

            var standing = Standing(caller);
            if (Refusal(context, endpoint, shown, caller, standing, scope) is { } refusal)
            {
                await refusal.ExecuteAsync(context);
                return;
            }

            var (preview, unclear) = PreviewOf(context, endpoint);
            if (unclear is not null)
            {
                await unclear.ExecuteAsync(context);
                return;
            }

            var (read, unkept) = Precondition.Of(context.Request, endpoint);
            if (unkept is not null)
            {
                await unkept.ExecuteAsync(context);
                return;
            }

            context.Features.Set(caller with { Preview = preview ? new() : null, Read = read });
            context.Features.Set(new CallersStanding(
                async cancellation => await IdentifyAsync(shown, cancellation) is { } again && again.Scopes.Cover(scope) && Standing(again) == standing ? again : null));
        }

        await next(context);
    }

    /// <summary>
    /// A filter for every route that changes something, once its body is there: a body that is kept waiting must not carry the rights of a token that
    /// has ended meanwhile.
    /// </summary>
    public static async ValueTask<object?> AskAgainAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) return await next(invocation);
        var stands = context.Features.Get<CallersStanding>() is not { } standing || await standing.AskAsync(context.RequestAborted) is not null;
        return stands ? await next(invocation) : Problems.Unauthorized();
    }

    private DenialReason Standing(Caller caller) =>
        policy.Current(caller.Organization)?.Standing(caller.Person, caller.Source, caller.Strength) ?? DenialReason.UnknownSubject;

    /// <summary>Why a caller who is known is not let through to this route; null: they are.</summary>
    private static ProblemHttpResult? Refusal(HttpContext context, Endpoint endpoint, ShownToken shown, Caller caller, DenialReason standing, TokenScopes scope)
    {
        if (shown.Carrier == TokenCarrier.Cookie && SameOrigin.NeedsProof(context.Request) && !SameOrigin.Sent(context.Request)) return Problems.Forbidden(SameOrigin.Refusal);

        if (caller.Kind == PersonKind.Contact && endpoint.Metadata.GetMetadata<ContactRoute>() is null) return Problems.Forbidden(NotForContacts);

        // Where a second factor is missing, what asks for no scope goes on: it is the way to get one.
        if (standing is not DenialReason.None && !(standing == DenialReason.TwoFactorMissing && scope == TokenScopes.None))
            return Problems.Forbidden(standing == DenialReason.TwoFactorMissing ? SecondFactorMissing : ElsewhereOnly);
        return caller.Scopes.Cover(scope) ? null : Problems.Forbidden($"The token does not have the scope {string.Join(", ", ScopeNames.Of(scope))}.");
    }

    /// <summary>Whoever asks to be shown a change must not find it made: what can't be shown, or is asked for in other words, is refused.</summary>
    private static (bool Wanted, ProblemHttpResult? Problem) PreviewOf(HttpContext context, Endpoint endpoint)
    {
        if (!context.Request.Query.TryGetValue(PolicyPreviewAnswer.Parameter, out var asked)) return (false, null);
        if (endpoint.Metadata.GetMetadata<PolicyRoute>() is null) return (false, Problems.Invalid(PolicyPreviewAnswer.Parameter, "This is no change of policy: it can't be shown beforehand."));
        return asked.Count == 1 && bool.TryParse(asked[0], out var wanted)
            ? (wanted, null)
            : (false, Problems.Invalid(PolicyPreviewAnswer.Parameter, "It is true or false."));
    }

    private static ShownToken? Shown(HttpContext context)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count == 0)
        {
            return context.Request.Cookies.TryGetValue(SessionCookieName.Of(context.Request), out var cookie) && cookie.Length is > 0 and <= LongestToken
                ? Shown(context, cookie, TokenCarrier.Cookie, "console")
                : null;
        }

        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return null;
        var token = value[Bearer.Length..].Trim();
        if (token.Length is 0 or > LongestToken) return null;
        var isCommandLine = context.Request.Headers.UserAgent.ToString().StartsWith(CommandLine, StringComparison.Ordinal);
        return Shown(context, token, TokenCarrier.Header, isCommandLine ? "cli" : "api");
    }

    private static ShownToken Shown(HttpContext context, string token, TokenCarrier carrier, string channel) =>
        new(token, carrier, channel, context.Connection.RemoteIpAddress, context.Features.GetRequiredFeature<IHttpRequestIdentifierFeature>().TraceIdentifier);

    private async ValueTask<Caller?> IdentifyAsync(ShownToken shown, CancellationToken cancellation)
    {
        if (await validate(shown.Token, shown.Source, cancellation) is not { } identity || identity.Carrier != shown.Carrier) return null;
        if (policy.Current(identity.Organization)?.Person(identity.Person) is not { TakesPart: true } person) return null;
        return new(
            identity.Organization, identity.Person, person.Login, identity.Scopes, identity.TokenId, shown.Source, identity.Strength, shown.Correlation)
        {
            Channel = shown.Channel,
            Carrier = shown.Carrier,
            Kind = person.Kind,
        };
    }

    /// <summary>What is kept of a request so that its caller can be identified again. Not a record: its text form would show the token.</summary>
    private sealed class ShownToken(string token, TokenCarrier carrier, string channel, IPAddress? source, string correlation)
    {
        public string Token => token;

        public TokenCarrier Carrier => carrier;

        public string Channel => channel;

        public IPAddress? Source => source;

        public string Correlation => correlation;
    }
}
