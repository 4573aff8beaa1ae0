using Countersign.Server.Platform;

namespace Countersign.Server.Features.Identity;

/// <summary>The cookie of a browser that signed in: what <see cref="SessionCookieName"/> says of its name, unseen by scripts, sent to nobody else's pages.</summary>
internal static class SessionCookie
{
    public static void Give(HttpContext context, IssuedToken token) =>
        context.Response.Cookies.Append(SessionCookieName.Of(context.Request), token.Text, Options(context, token.Expires));

    public static void Forget(HttpContext context)
    {
        var name = SessionCookieName.Of(context.Request);
        if (context.Request.Cookies.ContainsKey(name)) context.Response.Cookies.Delete(name, Options(context, null));
    }

    /// <summary>Of the session that the request brings, whether it counts or not; null: none that could.</summary>
    public static byte[]? Hash(HttpContext context) =>
        context.Request.Cookies.TryGetValue(SessionCookieName.Of(context.Request), out var text) ? TokenText.Hash(text) : null;

    private static CookieOptions Options(HttpContext context, DateTimeOffset? expires) => new()
    {
        Path = "/",
        HttpOnly = true,
        Secure = Scheme.IsHttps(context.Request),
        SameSite = SameSiteMode.Strict,
        IsEssential = true,
        Expires = expires,
    };
}
