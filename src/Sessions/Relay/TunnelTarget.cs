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
    private const int LongestHost = 253;

    /// <summary>The most that a socket's path has on any system.</summary>
    private const int LongestPath = 107;

    /// <summary>RFC 4254 section 7.2; OpenSSH's PROTOCOL, 2.4.</summary>
    public static bool TryParse(string type, ReadOnlySpan<byte> extra, [NotNullWhen(true)] out TunnelTarget? target)
    {
        target = null;
        var reader = new SshReader(extra);
        switch (type)
        {
            case "direct-tcpip":
                if (!reader.TryReadText(out var host, LongestHost) || !reader.TryReadUInt32(out var port) || host.Length == 0 || port is 0 or > ushort.MaxValue || !PlainLine.IsPlain(host)) return false;
                if (!reader.TryReadString(out _) || !reader.TryReadUInt32(out _) || !reader.IsAtEnd) return false;
                var text = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
                target = new(type, new SshWriter().String(host).UInt32(port).String("127.0.0.1").UInt32(0).Written, string.Create(CultureInfo.InvariantCulture, $"{text}:{port}"));
                return true;
            case "direct-streamlocal@openssh.com":
                if (!reader.TryReadText(out var path, LongestPath) || path.Length == 0 || !PlainLine.IsPlain(path)) return false;
                if (!reader.TryReadString(out _) || !reader.TryReadUInt32(out _) || !reader.IsAtEnd) return false;
                target = new(type, new SshWriter().String(path).String("").UInt32(0).Written, path);
                return true;
            default:
                return false;
        }
    }
}
