using System.Net;
using Countersign.Gateway.SshDoor.Proxy;

namespace Countersign.Fuzz.Targets;

/// <summary>The PROXY protocol's header, held against the specification written down once more.</summary>
internal sealed class ProxyTarget : Target
{
    private static readonly IPAddress Proxy = IPAddress.Parse("192.0.2.1");

    public override string Name => "proxy-header";

    public override IReadOnlyList<byte[]> Words { get; } = [.. Targets.Words.Hostile, .. (byte[][])[[.. "\r\n\r\n\0\r\nQUIT\n"u8], [0x21, 0x11, 0, 12], [0x21, 0x21, 0, 36], [0x20, 0, 0, 0], [0x21, 0x11, 8, 0], [0x21, 0x11, 8, 1], [.. "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"u8]]];

    public override async ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        byte[] bytes = [.. steps.SelectMany(step => step.Bytes)];
        await using var stream = new Cut(bytes, chance);
        var read = await ProxyReader.SourceAsync(stream, Proxy, CancellationToken.None);
        var (expected, length) = Expected(bytes);
        Require(Equals(read, expected), $"read as {read}, and is {expected}");
        Require(expected is null || stream.Position == length, $"{stream.Position} bytes were taken of {length}");
    }

    private static (IPAddress? Source, int Length) Expected(byte[] bytes)
    {
        if (bytes.Length < 16 || !bytes.AsSpan(0, 12).SequenceEqual("\r\n\r\n\0\r\nQUIT\n"u8) || bytes[12] >> 4 != 2) return default;
        var length = (bytes[14] << 8) + bytes[15];
        if (length > 2048 || bytes.Length < 16 + length) return default;
        IPAddress? source = (bytes[12] & 15, bytes[13]) switch
        {
            (0, _) or (1, 0) => Proxy,
            (1, 0x11) when length >= 12 => new IPAddress(bytes[16..20]),
            (1, 0x21) when length >= 36 => new IPAddress(bytes[16..32]),
            _ => null,
        };
        return (source is { IsIPv4MappedToIPv6: true } ? source.MapToIPv4() : source, 16 + length);
    }

    /// <summary>Comes in pieces.</summary>
    private sealed class Cut(byte[] bytes, Chance chance) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 1 + chance.Below(24))], cancellationToken);
    }
}
