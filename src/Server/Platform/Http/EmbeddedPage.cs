using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>
/// A page that is part of the program, for whoever comes with a link and has no account yet. It loads nothing and runs only what is in it; the token
/// stays in the fragment of the address, which browsers send to nobody, and so is in no log.
/// </summary>
internal sealed class EmbeddedPage
{
    private const string Style = "<style></style>";
    private const string Script = "<script></script>";

    private static readonly string _style = Read("Page.css");
    private static readonly string _script = Read("Page.js");

    private readonly string _html;
    private readonly string _policy;

    /// <param name="name">Of the resource. Its empty style and its first, empty script are those that all pages have in common.</param>
    public EmbeddedPage(string name)
    {
        _html = Read(name).Replace(Style, $"<style>{_style}</style>", StringComparison.Ordinal).Replace(Script, $"<script>{_script}</script>", StringComparison.Ordinal);
        _policy =
            $"default-src 'none'; script-src {HashesOf("script")}; style-src {HashesOf("style")}; connect-src 'self'; "
            + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    }

    public ContentHttpResult Show(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = _policy;
        return TypedResults.Content(_html, "text/html; charset=utf-8");
    }

    /// <summary>What stands between an element's tags is allowed by its hash (CSP level 3, section 2.3.1), so that nothing else can run.</summary>
    private string HashesOf(string element)
    {
        var hashes = new List<string>();
        for (var start = _html.IndexOf($"<{element}>", StringComparison.Ordinal); start >= 0; start = _html.IndexOf($"<{element}>", start, StringComparison.Ordinal))
        {
            start += element.Length + 2;
            var end = _html.IndexOf($"</{element}>", start, StringComparison.Ordinal);
            hashes.Add($"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(_html[start..end])))}'");
        }

        return string.Join(' ', hashes);
    }

    private static string Read(string name)
    {
        using var stream = typeof(EmbeddedPage).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not part of the program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // The hashes are of what is sent: line ends must be those of the file as committed.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
