namespace Countersign.Server.Platform;

/// <summary>
/// Whether a request that a browser authenticates by itself, with a cookie, was made by a page of this server. Browsers say where a request comes
/// from in headers that no page can set (Fetch Metadata; RFC 6454 section 7): those are looked at, and a request without them is refused.
/// </summary>
internal static class SameOrigin
{
    public const string Refusal = "A request with a cookie must come from a page of this server.";

    /// <summary>What only reads needs no proof: its answer can't be read elsewhere. An upgrade is not read only, whatever its method says.</summary>
    public static bool NeedsProof(HttpRequest request) =>
        !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) || request.Headers.ContainsKey("Upgrade");

    public static bool Sent(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"];
        if (site.Count > 0) return site.Count == 1 && site[0] == "same-origin";

        // The scheme is not compared: behind a proxy that ends TLS it is another one here. The host is what the browser asked for.
        var origin = request.Headers.Origin;
        return origin.Count == 1 && Uri.TryCreate(origin[0], UriKind.Absolute, out var page) && request.Host.HasValue
            && string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>Whether the browser speaks TLS, with this server or with a proxy before it.</summary>
internal static class Scheme
{
    /// <summary>
    /// A proxy's word is taken by whoever says it, of several proxies any one's, because all that hangs on it makes things stricter, for that client
    /// alone: a cookie that is sent over TLS only, and the demand to come with TLS from now on.
    /// </summary>
    public static bool IsHttps(HttpRequest request) =>
        request.IsHttps || request.Headers.GetCommaSeparatedValues("X-Forwarded-Proto").Contains("https", StringComparer.OrdinalIgnoreCase);

    /// <summary>Where people are told to come with TLS, all requests count as come so: no proxy has to say it, and none can unsay it.</summary>
    public static void UsePublicScheme(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ServerOptions>().Public?.Scheme != Uri.UriSchemeHttps) return;
        app.Use((context, next) =>
        {
            context.Request.IsHttps = true;
            return next(context);
        });
    }
}

/// <summary>What the session's cookie is called.</summary>
internal static class SessionCookieName
{
    /// <summary>With TLS under a name that browsers take only from this very host, with TLS, for all of its paths (RFC 6265bis section 4.1.3.2).</summary>
    public static string Of(HttpRequest request) => Scheme.IsHttps(request) ? "__Host-countersign" : "countersign";
}
