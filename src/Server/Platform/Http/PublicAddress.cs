namespace Countersign.Server.Platform;

/// <summary>
/// Where links lead that the server gives away. It is told, or where the server listens, and never what a request calls the server: whoever makes a
/// request could have somebody else's link lead to a server of their own.
/// </summary>
internal sealed class PublicAddress(ServerOptions options)
{
    private Uri? _listens;

    public void ListensAt(Uri address) => _listens = address;

    /// <summary>Ends with a slash.</summary>
    public Uri Base => options.Public ?? _listens ?? throw new InvalidOperationException("The server does not listen yet.");

    /// <param name="path">With what stands behind it, such as a fragment.</param>
    public string Link(string path) => new Uri(Base, path).AbsoluteUri;
}
