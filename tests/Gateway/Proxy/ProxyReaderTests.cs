using System.Buffers.Binary;
using System.Net;
using Countersign.Gateway.SshDoor.Proxy;

namespace Countersign.Gateway.Tests.Proxy;

public sealed class ProxyReaderTests
{
    private static readonly IPAddress Balancer = IPAddress.Parse("10.0.0.1");
    private static readonly byte[] Signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

    public static TheoryData<string, byte[], string?> Headers => new()
    {
        { "TCP over IPv4", Header(0x21, 0x11, V4("192.0.2.7")), "192.0.2.7" },
        { "TCP over IPv6", Header(0x21, 0x21, V6("2001:db8::7")), "2001:db8::7" },
        { "IPv4 in the clothes of IPv6", Header(0x21, 0x21, V6("::ffff:192.0.2.7")), "192.0.2.7" },
        { "LOCAL", Header(0x20, 0x00, []), "10.0.0.1" },
        { "LOCAL with addresses, which are to be ignored", Header(0x20, 0x11, V4("192.0.2.7")), "10.0.0.1" },
        { "unspecified", Header(0x21, 0x00, [1, 2, 3]), "10.0.0.1" },
        { "TLVs behind", Header(0x21, 0x11, [.. V4("192.0.2.7"), 0x04, 0x00, 0x03, 1, 2, 3, 0x20, 0xff, 0xff]), "192.0.2.7" },
        { "as many TLVs as there may be", Header(0x21, 0x11, [.. V4("192.0.2.7"), .. new byte[ProxyHeaderFormat.MostBehind - 12]]), "192.0.2.7" },
        { "more than that", Header(0x21, 0x11, [.. V4("192.0.2.7"), .. new byte[ProxyHeaderFormat.MostBehind - 11]]), null },
        { "addresses that are cut", Header(0x21, 0x11, V4("192.0.2.7")[..11]), null },
        { "IPv6 addresses that are cut", Header(0x21, 0x21, V6("2001:db8::7")[..35]), null },
        { "UDP", Header(0x21, 0x12, V4("192.0.2.7")), null },
        { "a socket's path", Header(0x21, 0x31, new byte[216]), null },
        { "another command", Header(0x22, 0x11, V4("192.0.2.7")), null },
        { "another version", Header(0x11, 0x11, V4("192.0.2.7")), null },
        { "version 1", "PROXY TCP4 192.0.2.7 10.0.0.2 56324 2222\r\n"u8.ToArray(), null },
        { "no header", "SSH-2.0-OpenSSH_9.2p1\r\n"u8.ToArray(), null },
        { "nothing", [], null },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task A_header_tells_the_source_or_is_refused_wherever_it_is_cut(string what, byte[] header, string? source)
    {
        var expected = source is null ? null : IPAddress.Parse(source);
        byte[] sent = [.. header, .. "SSH-2.0-x\r\n"u8];
        var last = Math.Min(sent.Length, 300);
        for (var cut = 1; cut < last; cut++)
        {
            using var stream = new Pieces(sent, cut);
            (await ReadAsync(stream)).ShouldBe(expected, $"{what}, cut at {cut}");
            if (expected is not null) stream.Position.ShouldBe(header.Length, "not a byte more is read");
        }

        using var drops = new Pieces(sent, 1, 1);
        (await ReadAsync(drops)).ShouldBe(expected, $"{what}, byte by byte");
    }

    [Fact]
    public async Task A_header_that_ends_within_is_none()
    {
        var header = Header(0x21, 0x21, V6("2001:db8::7"));
        for (var length = 0; length < header.Length; length++)
        {
            using var stream = new MemoryStream(header[..length]);
            (await ReadAsync(stream)).ShouldBeNull($"{length} bytes");
        }
    }

    [Fact]
    public async Task What_is_no_header_is_refused_at_its_first_wrong_byte()
    {
        for (var wrong = 0; wrong < Signature.Length; wrong++)
        {
            byte[] sent = [.. Signature, 0x21, 0x11, 0, 12, .. V4("192.0.2.7")];
            sent[wrong] ^= 1;
            using var stream = new Pieces(sent, 1, 1);
            (await ReadAsync(stream)).ShouldBeNull();
            stream.Position.ShouldBe(wrong + 1);
        }
    }

    [Fact]
    public async Task Random_bytes_behind_the_signature_harm_nothing()
    {
        var random = new Random(20261128);
        for (var round = 0; round < 5000; round++)
        {
            var noise = new byte[random.Next(80)];
            random.NextBytes(noise);
            using var stream = new MemoryStream([.. Signature, .. noise]);
            await ReadAsync(stream);
            stream.Position.ShouldBeLessThanOrEqualTo(ProxyHeaderFormat.FixedLength + ProxyHeaderFormat.MostBehind);
        }
    }

    private static ValueTask<IPAddress?> ReadAsync(Stream stream) => ProxyReader.SourceAsync(stream, Balancer, TestContext.Current.CancellationToken);

    private static byte[] Header(byte command, byte family, byte[] behind)
    {
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)behind.Length);
        return [.. Signature, command, family, .. length, .. behind];
    }

    private static byte[] V4(string source) => [.. IPAddress.Parse(source).GetAddressBytes(), 10, 0, 0, 2, 0xdc, 0x04, 0x08, 0xae];

    private static byte[] V6(string source) => [.. IPAddress.Parse(source).GetAddressBytes(), .. new byte[15], 1, 0xdc, 0x04, 0x08, 0xae];

    /// <summary>Gives the first piece, and then pieces of a size, whatever is asked for.</summary>
    private sealed class Pieces(byte[] all, int first, int then = int.MaxValue) : MemoryStream(all)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var piece = Position == 0 ? first : Position < first ? (int)(first - Position) : then;
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
        }
    }
}
