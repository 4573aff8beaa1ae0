using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Countersign.Access;

/// <summary>
/// Networks of addresses, IPv4 and IPv6, as <c>10.0.0.0/8, 192.0.2.7/32, 2001:db8::/32</c>. None lies within another. An IPv4 address that comes in
/// the clothes of IPv6 (<c>::ffff:192.0.2.7</c>, as sockets for both give it) is that IPv4 address, and no IPv6 network has it, not even <c>::/0</c>.
/// </summary>
public sealed class NetworkList
{
    /// <summary>Most networks in one list.</summary>
    public const int Most = 64;

    private readonly Network[] _networks;

    private NetworkList(Network[] networks) => _networks = networks;

    /// <summary>The first address of the first network.</summary>
    public IPAddress First => _networks[0].Address;

    /// <summary>
    /// Reads networks with commas between. An address without a length stands for itself alone. What is not exactly a network is refused, and so is
    /// one that another has in it already: a slip in who may come in must not pass for what was meant.
    /// </summary>
    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out NetworkList? list, out string problem)
    {
        list = null;
        problem = $"Write 1 to {Most} networks such as 10.0.0.0/8 or 2001:db8::/32, with commas between.";
        var parts = text.Split(',', Most + 1, StringSplitOptions.TrimEntries);
        if (parts.Length > Most) return false;
        var networks = new List<Network>(parts.Length);
        foreach (var part in parts)
        {
            if (!TryRead(part, out var network, ref problem)) return false;
            networks.Add(network);
        }

        // Networks lie within each other or have nothing in common: in this order one that lies within another follows it, or others that do.
        networks.Sort();
        for (var next = 1; next < networks.Count; next++)
        {
            if (!networks[next - 1].Contains(networks[next])) continue;
            problem = networks[next - 1] == networks[next] ? $"{networks[next]} stands there twice." : $"{networks[next]} lies within {networks[next - 1]} already.";
            return false;
        }

        problem = "";
        list = new([.. networks]);
        return true;
    }

    /// <summary>Allocates nothing.</summary>
    public bool Contains(IPAddress address)
    {
        var sought = Network.Of(address);
        foreach (var network in _networks)
        {
            if (network.Contains(sought)) return true;
        }

        return false;
    }

    /// <summary>The one spelling: IPv4 first, each in the form of RFC 5952, in the order of addresses.</summary>
    public override string ToString() => string.Join(", ", _networks);

    private static bool TryRead(string text, out Network network, ref string problem)
    {
        network = default;
        var parts = text.Split('/');
        if (parts.Length > 2 || !TryRead(parts[0], out var address)) return false;
        var isMapped = address.Width == 32 && parts[0].Contains(':', StringComparison.Ordinal);
        var widest = isMapped ? 128 : address.Width;
        var length = widest;
        if (parts.Length == 2 && (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > widest)) return false;
        if (isMapped && (length -= 96) < 0) return false;
        var whole = address with { Length = length };
        network = whole with { Start = whole.Start - (whole.Start & whole.HostMask) };
        if (network == whole) return true;
        problem = $"{text} is no network: the one that it lies in begins at {network.Address}.";
        return false;
    }

    /// <summary>The usual ways of writing only: what else passes for an address (<c>10.1</c>, octal numbers, zones, ports) is a slip here.</summary>
    private static bool TryRead(string text, out Network address)
    {
        address = default;
        if (text.Length is 0 or > 45 || !text.All(character => char.IsAsciiHexDigit(character) || character is '.' or ':')) return false;
        if (!IPAddress.TryParse(text, out var read)) return false;
        if (!text.Contains(':', StringComparison.Ordinal) && read.ToString() != text) return false;
        address = Network.Of(read);
        return true;
    }

    /// <param name="Width">In bits: 32 or 128.</param>
    /// <param name="Start">The first address; the bits behind <paramref name="Length"/> are 0.</param>
    private readonly record struct Network(int Width, UInt128 Start, int Length) : IComparable<Network>
    {
        public UInt128 HostMask => Length == Width ? UInt128.Zero : UInt128.MaxValue >> (128 - (Width - Length));

        public IPAddress Address
        {
            get
            {
                Span<byte> bytes = stackalloc byte[16];
                BinaryPrimitives.WriteUInt128BigEndian(bytes, Start);
                return new(bytes[(16 - (Width / 8))..]);
            }
        }

        /// <summary>The network that has only this address in it.</summary>
        public static Network Of(IPAddress address)
        {
            Span<byte> bytes = stackalloc byte[16];
            bytes.Clear();
            address.TryWriteBytes(bytes, out var written);
            if (written == 16 && !address.IsIPv4MappedToIPv6) return new(128, BinaryPrimitives.ReadUInt128BigEndian(bytes), 128);
            return new(32, BinaryPrimitives.ReadUInt32BigEndian(bytes[(written - 4)..]), 32);
        }

        public bool Contains(in Network other) => Width == other.Width && Length <= other.Length && (Length == 0 || (Start ^ other.Start) >> (Width - Length) == 0);

        public int CompareTo(Network other) => (Width, Start, Length).CompareTo((other.Width, other.Start, other.Length));

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{Length}");
    }
}
