namespace Countersign.Server.Platform;

/// <summary>What a route demands of its caller before the handler runs. A route that declares none is not served.</summary>
/// <param name="Scope">Null: anybody may call it.</param>
/// <param name="Why">Why it is open to anybody.</param>
internal sealed record RouteAccess(TokenScopes? Scope, string Why);

internal static class RouteAccessDeclaration
{
    /// <summary>The caller must show a token with this scope. What they may do with the thing itself is the engine's answer.</summary>
    public static TBuilder Requires<TBuilder>(this TBuilder builder, TokenScopes scope) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RouteAccess(scope, ""));

    /// <summary>Open to anybody; the reason stands beside it.</summary>
    public static TBuilder Anonymous<TBuilder>(this TBuilder builder, string why) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RouteAccess(null, why));
}
