using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http.Features;

namespace Countersign.Server.Platform;

/// <summary>
/// Stands before every handler: looks at what the route declares, at the token, and at the person's row in the policy that is in force now, so
/// that a disabled or deleted person's token stops at once.
/// </summary>
internal sealed class BearerGate(RequestDelegate next, ValidateToken validate, PolicySource policy)
{
    private const string Scheme = "Bearer ";
    private const int LongestToken = 512;

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
            if (caller is null)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                await Problems.Unauthorized().ExecuteAsync(context);
                return;
            }

            if ((caller.Scopes & scope) != scope)
            {
                await Problems.Forbidden($"The token does not have the scope {scope.ToString().ToLower(CultureInfo.InvariantCulture)}.").ExecuteAsync(context);
                return;
            }

            context.Features.Set(caller);
            context.Features.Set(new CallersStanding(
                async cancellation => await IdentifyAsync(shown!, cancellation) is { } again && (again.Scopes & scope) == scope ? again : null));
        }

        await next(context);
    }

    private static ShownToken? Shown(HttpContext context)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var token = value[Scheme.Length..].Trim();
        if (token.Length is 0 or > LongestToken) return null;
        return new(token, context.Connection.RemoteIpAddress, context.Features.GetRequiredFeature<IHttpRequestIdentifierFeature>().TraceIdentifier);
    }

    private async ValueTask<Caller?> IdentifyAsync(ShownToken shown, CancellationToken cancellation)
    {
        if (await validate(shown.Token, shown.Source, cancellation) is not { } identity) return null;
        if (policy.Current(identity.Organization)?.Person(identity.Person) is not { TakesPart: true } person) return null;
        return new(
            identity.Organization, identity.Person, person.Login, identity.Scopes, identity.TokenId, shown.Source, identity.Strength, shown.Correlation);
    }

    /// <summary>What is kept of a request so that its caller can be identified again. Not a record: its text form would show the token.</summary>
    private sealed class ShownToken(string token, IPAddress? source, string correlation)
    {
        public string Token => token;

        public IPAddress? Source => source;

        public string Correlation => correlation;
    }
}
