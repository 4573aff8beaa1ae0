using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Countersign.Ssh;

namespace Countersign.Sessions.Relay;

/// <summary>Where a forwarded connection is to lead, from the device on.</summary>
/// <param name="Type">Of the channel.</param>
/// <param name="Extra">Of the channel's opening, for the device: where the client's own side is, it is not told.</param>
/// <param name="Text">For people: <c>host:port</c>, or the path of a socket.</param>
public sealed record TunnelTarget(string Type, ReadOnlyMemory<byte> Extra, string Text)
{
    /// <summary>Of a name in the DNS; addresses are shorter.</summary>
    private const int LongestHost = 253;

    /// <summary>The most that a socket's path has on any system.</summary>
    private const int LongestPath = 107;

    public static bool TryParse(string type, ReadOnlySpan<byte> extra, [NotNullWhen(true)] out TunnelTarget? target)
    {
        target = null;
        switch (type)
        {
            case Forwardings.DirectTcpIp when TcpIpOpen.TryParse(extra, out var open) && open.Host.Length <= LongestHost && PlainLine.IsPlain(open.Host):
                var host = open.Host.Contains(':', StringComparison.Ordinal) ? $"[{open.Host}]" : open.Host;
                var own = open with { OriginatorAddress = "127.0.0.1", OriginatorPort = 0 };
                target = new(type, own.Encode(), string.Create(CultureInfo.InvariantCulture, $"{host}:{open.Port}"));
                return true;
            case Forwardings.DirectStreamLocal when StreamLocalOpen.TryParse(extra, out var open) && open.Path.Length <= LongestPath && PlainLine.IsPlain(open.Path):
                target = new(type, open.Encode(), open.Path);
                return true;
            default:
                return false;
        }
    }
}
