using System.Buffers.Binary;
using System.Net;

namespace Countersign.Gateway.SshDoor.Proxy;

/// <summary>What a header says.</summary>
/// <param name="Source">Where the client is; null: the proxy speaks for itself (LOCAL), or does not know.</param>
internal readonly record struct ProxyHeader(IPAddress? Source);

/// <summary>
/// The header that a TCP proxy puts in front of a connection: the binary form, version 2, of HAProxy's <em>The PROXY protocol</em>, section 2.2. Version 1,
/// a line of text, is not understood.
/// </summary>
internal static class ProxyHeaderFormat
{
    /// <summary>Signature, version and command, family, and the length of the rest.</summary>
    public const int FixedLength = 16;

    /// <summary>Of what follows: addresses and the proxy's further fields (TLVs), which are skipped.</summary>
    public const int MostBehind = 2048;

    private const byte Version = 0x20;
    private const byte Tcp4 = 0x11;
    private const byte Tcp6 = 0x21;
    private const int Tcp4Length = 12;
    private const int Tcp6Length = 36;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Whether these first bytes can be the beginning of a header.</summary>
    public static bool MayBegin(ReadOnlySpan<byte> first)
    {
        var length = Math.Min(first.Length, Signature.Length);
        return first[..length].SequenceEqual(Signature[..length]);
    }

    /// <summary>How many bytes follow the fixed part; null: it is no header that is understood here.</summary>
    public static int? LengthBehind(ReadOnlySpan<byte> fixedPart)
    {
        if (!MayBegin(fixedPart) || (fixedPart[12] & 0xF0) != Version) return null;
        var length = BinaryPrimitives.ReadUInt16BigEndian(fixedPart[14..]);
        return length <= MostBehind ? length : null;
    }

    /// <summary>Null: it is broken, or of another family than TCP over IP. <em>Unspecified</em>, and a connection of the proxy itself, say nothing of where the client is.</summary>
    public static ProxyHeader? Read(ReadOnlySpan<byte> fixedPart, ReadOnlySpan<byte> behind)
    {
        switch (fixedPart[12] & 0x0F)
        {
            case 0:
                return new(null);
            case 1:
                break;
            default:
                return null;
        }

        switch (fixedPart[13])
        {
            case 0:
                return new(null);
            case Tcp4:
                return behind.Length < Tcp4Length ? null : new(new IPAddress(behind[..4]));
            case Tcp6:
                if (behind.Length < Tcp6Length) return null;
                var address = new IPAddress(behind[..16]);
                return new(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
            default:
                return null;
        }
    }
}
