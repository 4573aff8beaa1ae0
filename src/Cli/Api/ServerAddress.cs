using System.Net;

namespace Countersign.Cli.Api;

/// <summary>Where a server is: over HTTPS, or over HTTP to this machine itself. Anywhere else a password or a token would travel in the clear.</summary>
internal sealed record ServerAddress
{
    private ServerAddress(Uri root) => Root = root;

    /// <summary>Ends with a slash.</summary>
    public Uri Root { get; }

    /// <summary>Nothing leaves the machine, so no proxy has business in between either.</summary>
    public bool IsLocal => Root.Scheme == Uri.UriSchemeHttp;

    public static Answer<ServerAddress> Parse(string text)
    {
        // "gate.example.org" is meant as HTTPS. A scheme that is given is taken at its word.
        var full = text.Contains("://", StringComparison.Ordinal) ? text : "https://" + text;
        if (!Uri.TryCreate(full, UriKind.Absolute, out var uri)
            || uri.Host.Length == 0
            || uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp
            || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            return new Failure(ExitCode.Usage, $"\"{text}\" is not the address of a server.", "An address looks like https://gate.example.org.");
        }

        if (uri.Scheme == Uri.UriSchemeHttp && !IsThisMachine(uri))
        {
            return new Failure(
                ExitCode.Usage, $"{uri} is plain HTTP: passwords and tokens would travel in the clear.", $"Use https://{uri.Authority}. Plain HTTP is for this machine only.");
        }

        return new ServerAddress(uri.AbsolutePath.EndsWith('/') ? uri : new UriBuilder(uri) { Path = uri.AbsolutePath + "/" }.Uri);
    }

    public override string ToString() => Root.AbsoluteUri.TrimEnd('/');

    private static bool IsThisMachine(Uri uri) =>
        uri.HostNameType == UriHostNameType.Dns
            ? uri.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            : IPAddress.TryParse(uri.DnsSafeHost, out var address) && IPAddress.IsLoopback(address);
}
