namespace Countersign.Server.Platform;

/// <summary>What a route demands of its caller before the handler runs. A route that declares none is not served.</summary>
/// <param name="Scope">Null: anybody may call it.</param>
/// <param name="Why">Why it is open to anybody.</param>
internal sealed record RouteAccess(TokenScopes? Scope, string Why);

/// <summary>What the route does is a change of policy, through the one writer: with <c>?preview=true</c> it is shown and not made.</summary>
internal sealed record PolicyRoute;

/// <summary>Open to contacts, too: people from outside, who are kept from every route that does not say so.</summary>
internal sealed record ContactRoute;

internal static class RouteAccessDeclaration
{
    public static TBuilder ForContactsToo<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ContactRoute());

    /// <summary>A change of policy by a caller whose token covers the area, or a look at what it would do.</summary>
    public static RouteHandlerBuilder ChangesPolicy(this RouteHandlerBuilder builder, TokenScopes area = TokenScopes.Policy) => builder
        .Requires(area)
        .WithMetadata(new PolicyRoute())
        .AddEndpointFilter(ChangeTold.TellAsync)
        .AddEndpointFilter(PolicyPreviewAnswer.InPlaceOfAsync);

    /// <summary>The caller must show a token that covers this scope: that of one area, to read there or to change something. What they may do with the thing itself is the engine's answer.</summary>
    public static TBuilder Requires<TBuilder>(this TBuilder builder, TokenScopes scope) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RouteAccess(scope, ""));

    /// <summary>Open to anybody; the reason stands beside it.</summary>
    public static TBuilder Anonymous<TBuilder>(this TBuilder builder, string why) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RouteAccess(null, why));
}
