using System.Net;

namespace Countersign.Gateway.SshDoor.Proxy;

internal static class ProxyReader
{
    /// <summary>
    /// Reads a header from the stream and not a byte more. Null: there is none that is understood, or the stream ends within it.
    /// </summary>
    /// <param name="proxy">Whose header it is: where the connection comes from if the header does not say otherwise.</param>
    /// <exception cref="IOException">The network.</exception>
    public static async ValueTask<IPAddress?> SourceAsync(Stream stream, IPAddress proxy, CancellationToken cancellation)
    {
        var start = new byte[ProxyHeaderFormat.FixedLength];
        for (var length = 0; length < start.Length;)
        {
            var read = await stream.ReadAsync(start.AsMemory(length), cancellation);
            length += read;
            if (read == 0 || !ProxyHeaderFormat.MayBegin(start.AsSpan(0, length))) return null;
        }

        if (ProxyHeaderFormat.LengthBehind(start) is not { } rest) return null;
        var behind = new byte[rest];
        if (await stream.ReadAtLeastAsync(behind, rest, throwOnEndOfStream: false, cancellation) < rest) return null;
        return ProxyHeaderFormat.Read(start, behind) is { } header ? header.Source ?? proxy : null;
    }
}
