using System.Security.Cryptography;
using System.Text;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Organizations;

/// <summary>
/// The one page that the server has before there is a console: a form for the first organization. It loads nothing and runs only its own script;
/// the set-up token stays in the fragment of the address, which browsers send to nobody, and so is in no log.
/// </summary>
internal static class SetupPage
{
    private static readonly string _html = Read();

    private static readonly string _policy =
        $"default-src 'none'; script-src '{HashOf("script")}'; style-src '{HashOf("style")}'; connect-src 'self'; "
        + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    public static Results<ContentHttpResult, ProblemHttpResult> Show(HttpContext context, OrganizationSetup setup)
    {
        if (!setup.IsOpen) return Problems.NotFound();
        context.Response.Headers.ContentSecurityPolicy = _policy;
        return TypedResults.Content(_html, "text/html; charset=utf-8");
    }

    /// <summary>What stands between an element's tags is allowed by its hash (CSP level 3, section 2.3.1), so that nothing else can run.</summary>
    private static string HashOf(string element)
    {
        var start = _html.IndexOf($"<{element}>", StringComparison.Ordinal) + element.Length + 2;
        var end = _html.IndexOf($"</{element}>", start, StringComparison.Ordinal);
        return "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(_html[start..end])));
    }

    private static string Read()
    {
        using var stream = typeof(SetupPage).Assembly.GetManifestResourceStream("SetupPage.html")
            ?? throw new InvalidOperationException("The set-up page is not part of the program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // The hashes are of what is sent: line ends must be those of the file as committed.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
