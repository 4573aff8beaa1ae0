using System.Diagnostics.CodeAnalysis;

namespace Countersign.Ssh;

/// <summary>
/// Names of what asks for a forwarding: channel types and global requests (RFC 4254 section 7, OpenSSH's PROTOCOL section 2.4). The library grants
/// none of it by itself; payloads are read and built by the records of this file.
/// </summary>
public static class Forwardings
{
    public const string DirectTcpIp = "direct-tcpip";
    public const string ForwardedTcpIp = "forwarded-tcpip";
    public const string TcpIpForward = "tcpip-forward";
    public const string CancelTcpIpForward = "cancel-tcpip-forward";
    public const string DirectStreamLocal = "direct-streamlocal@openssh.com";
    public const string ForwardedStreamLocal = "forwarded-streamlocal@openssh.com";
    public const string StreamLocalForward = "streamlocal-forward@openssh.com";
    public const string CancelStreamLocalForward = "cancel-streamlocal-forward@openssh.com";

    internal const int MaxHost = 255;
    internal const int MaxPath = 4096;

    internal static bool TryReadPort(ref SshReader reader, out ushort port)
    {
        port = 0;
        if (!reader.TryReadUInt32(out var number) || number > ushort.MaxValue) return false;
        port = (ushort)number;
        return true;
    }

    /// <summary>A path ends nowhere but at its end: what follows a zero would be seen by one reader and not by another.</summary>
    internal static bool TryReadPath(ref SshReader reader, out string path) =>
        reader.TryReadText(out path, MaxPath) && path.Length > 0 && !path.Contains('\0', StringComparison.Ordinal);
}

/// <summary>What a direct-tcpip channel is to be connected with (RFC 4254 section 7.2); also the extra data of forwarded-tcpip, with the server's end first.</summary>
/// <param name="Host">A name or an address, at most 255 bytes, as sent.</param>
/// <param name="OriginatorAddress">As the peer says, and no more than that.</param>
public sealed record TcpIpOpen(string Host, ushort Port, string OriginatorAddress, ushort OriginatorPort)
{
    public byte[] Encode() => new SshWriter().String(Host).UInt32(Port).String(OriginatorAddress).UInt32(OriginatorPort).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> extra, [NotNullWhen(true)] out TcpIpOpen? open)
    {
        open = null;
        var reader = new SshReader(extra);
        if (!reader.TryReadText(out var host, Forwardings.MaxHost) || host.Length == 0 || !Forwardings.TryReadPort(ref reader, out var port) || port == 0
            || !reader.TryReadText(out var originator, Forwardings.MaxHost) || !Forwardings.TryReadPort(ref reader, out var originatorPort) || !reader.IsAtEnd)
        {
            return false;
        }

        open = new TcpIpOpen(host, port, originator, originatorPort);
        return true;
    }
}

/// <summary>The socket that a direct-streamlocal channel is to be connected with (OpenSSH's PROTOCOL section 2.4).</summary>
public sealed record StreamLocalOpen(string Path)
{
    public byte[] Encode() => new SshWriter().String(Path).String("").UInt32(0).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> extra, [NotNullWhen(true)] out StreamLocalOpen? open)
    {
        open = null;
        var reader = new SshReader(extra);
        if (!Forwardings.TryReadPath(ref reader, out var path) || !reader.TryReadString(out _, Forwardings.MaxHost) || !reader.TryReadUInt32(out _) || !reader.IsAtEnd) return false;
        open = new StreamLocalOpen(path);
        return true;
    }
}

/// <summary>Where a client wants the server to listen, or to stop listening (RFC 4254 section 7.1).</summary>
/// <param name="Address">Empty for every address; as sent.</param>
/// <param name="Port">Zero: any, which the answer tells (<see cref="BoundPort"/>).</param>
public sealed record TcpIpForwardRequest(string Address, ushort Port)
{
    public byte[] Encode() => new SshWriter().String(Address).UInt32(Port).Written.ToArray();

    /// <summary>The payload of the answer to a request for any port.</summary>
    public static byte[] BoundPort(ushort port) => new SshWriter().UInt32(port).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out TcpIpForwardRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadText(out var address, Forwardings.MaxHost) || !Forwardings.TryReadPort(ref reader, out var port) || !reader.IsAtEnd) return false;
        request = new TcpIpForwardRequest(address, port);
        return true;
    }
}

/// <summary>The socket on which a client wants the server to listen, or to stop listening (OpenSSH's PROTOCOL section 2.4).</summary>
public sealed record StreamLocalForwardRequest(string Path)
{
    public byte[] Encode() => new SshWriter().String(Path).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out StreamLocalForwardRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!Forwardings.TryReadPath(ref reader, out var path) || !reader.IsAtEnd) return false;
        request = new StreamLocalForwardRequest(path);
        return true;
    }
}
