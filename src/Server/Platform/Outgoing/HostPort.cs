using System.Globalization;
using System.Net;

namespace Countersign.Server.Platform;

/// <summary>A server elsewhere, as operators write it: <c>HOST</c>, <c>HOST:PORT</c>, <c>[ADDRESS]:PORT</c>.</summary>
/// <param name="Port">0: what was written is none.</param>
internal readonly record struct HostPort(string Host, int Port)
{
    /// <param name="otherwise">The port where none is written.</param>
    public static HostPort Read(string text, int otherwise)
    {
        var colon = text.LastIndexOf(':');
        var isAddress = colon != text.IndexOf(':', StringComparison.Ordinal) && !text.StartsWith('[');
        if (colon < 0 || isAddress || text.EndsWith(']')) return new(text.Trim('[', ']'), otherwise);
        var port = int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 0;
        return new(text[..colon].Trim('[', ']'), port);
    }

    /// <summary>Nothing is looked up: what a name leads to is somebody else's to say.</summary>
    public static bool IsThisMachine(string host) => host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
