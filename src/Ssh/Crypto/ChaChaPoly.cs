using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Countersign.Ssh.Crypto;

/// <summary>
/// chacha20-poly1305@openssh.com (OpenSSH's PROTOCOL.chacha20poly1305): two ChaCha20 keys, one for the length and one for the rest, and for each
/// packet a Poly1305 key of its own. The nonce is the packet's sequence number, which is why it is agreed on only together with strict key exchange.
/// </summary>
internal sealed unsafe class ChaChaPoly : IDisposable
{
    public const int TagLength = 16;
    public const int Block = 8;
    private const int KeyLength = 32;

    private readonly CipherContext _length;
    private readonly CipherContext _rest;
    private readonly MacContextHandle _mac;

    public ChaChaPoly(ReadOnlySpan<byte> key)
    {
        Span<byte> start = stackalloc byte[16];
        start.Clear();
        _rest = new CipherContext("ChaCha20", key[..KeyLength], start, CipherUse.Encrypt);
        _length = new CipherContext("ChaCha20", key[KeyLength..], start, CipherUse.Encrypt);
        using var poly = LibCrypto.Check(LibCrypto.EVP_MAC_fetch(0, "POLY1305", 0));
        _mac = LibCrypto.Check(LibCrypto.EVP_MAC_CTX_new(poly));
    }

    /// <summary>Encrypts or decrypts the length field.</summary>
    public void Length(uint sequence, Span<byte> field) => At(_length, sequence, 0).InPlace(field);

    /// <summary>The context for what follows the length: block 0 of its stream has given the Poly1305 key.</summary>
    public CipherContext Rest(uint sequence) => At(_rest, sequence, 1);

    public void Compute(uint sequence, ReadOnlySpan<byte> encrypted, Span<byte> tag)
    {
        Span<byte> key = stackalloc byte[KeyLength];
        key.Clear();
        At(_rest, sequence, 0).InPlace(key);
        try
        {
            LibCrypto.Check(LibCrypto.EVP_MAC_init(_mac, key, KeyLength, 0));
            LibCrypto.Check(LibCrypto.EVP_MAC_update(_mac, encrypted, (nuint)encrypted.Length));
            LibCrypto.Check(LibCrypto.EVP_MAC_final(_mac, tag, out _, TagLength));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    public bool Check(uint sequence, ReadOnlySpan<byte> encrypted, ReadOnlySpan<byte> tag)
    {
        Span<byte> expected = stackalloc byte[TagLength];
        Compute(sequence, encrypted, expected);
        return CryptographicOperations.FixedTimeEquals(expected, tag);
    }

    public void Dispose()
    {
        _length.Dispose();
        _rest.Dispose();
        _mac.Dispose();
    }

    /// <summary>libcrypto takes a little-endian block counter and the nonce as one value of 16 bytes.</summary>
    private static CipherContext At(CipherContext context, uint sequence, byte block)
    {
        Span<byte> iv = stackalloc byte[16];
        iv.Clear();
        iv[0] = block;
        BinaryPrimitives.WriteUInt64BigEndian(iv[8..], sequence);
        context.Restart(iv);
        return context;
    }
}

internal sealed class ChaChaSealer(ReadOnlySpan<byte> key) : PacketSealer
{
    private readonly ChaChaPoly _cipher = new(key);

    public override int Tag => ChaChaPoly.TagLength;

    public override int Block => ChaChaPoly.Block;

    public override bool LengthIsApart => true;

    public override void Seal(uint sequence, Span<byte> packet, int bodyAt, ReadOnlySpan<byte> body)
    {
        _cipher.Length(sequence, packet[..4]);
        _cipher.Rest(sequence).Packet(packet[4..^Tag], bodyAt - 4, body);
        _cipher.Compute(sequence, packet[..^Tag], packet[^Tag..]);
    }

    public override void Dispose() => _cipher.Dispose();
}

internal sealed class ChaChaOpener(ReadOnlySpan<byte> key) : PacketOpener
{
    private readonly ChaChaPoly _cipher = new(key);

    public override int Tag => ChaChaPoly.TagLength;

    public override int Block => ChaChaPoly.Block;

    public override bool LengthIsApart => true;

    /// <summary>A copy is decrypted: the tag is over the length as it was sent.</summary>
    public override uint Length(uint sequence, Span<byte> head)
    {
        Span<byte> length = stackalloc byte[4];
        head[..4].CopyTo(length);
        _cipher.Length(sequence, length);
        return BinaryPrimitives.ReadUInt32BigEndian(length);
    }

    public override bool Open(uint sequence, Span<byte> packet)
    {
        if (!_cipher.Check(sequence, packet[..^Tag], packet[^Tag..])) return false;
        _cipher.Rest(sequence).InPlace(packet[4..^Tag]);
        return true;
    }

    public override void Dispose() => _cipher.Dispose();
}
