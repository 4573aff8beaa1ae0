using System.Buffers.Binary;
using System.Security.Cryptography;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Crypto;

/// <summary>Encrypts packets of one direction (RFC 4253 section 6). Not safe from several threads at once.</summary>
internal abstract class PacketSealer : IDisposable
{
    /// <summary>Bytes after the packet: the MAC or the authentication tag.</summary>
    public abstract int Tag { get; }

    public abstract int Block { get; }

    /// <summary>Whether the length field is in the clear or encrypted by itself, and does not count for the padding.</summary>
    public abstract bool LengthIsApart { get; }

    public static PacketSealer None { get; } = new PlainSealer();

    /// <summary>Encrypts and authenticates one packet.</summary>
    /// <param name="packet">Length, padding length, the message's head, room for its body, padding, room for the tag.</param>
    /// <param name="bodyAt">Where the body goes; the cipher moves it there, so that a payload is copied once.</param>
    public abstract void Seal(uint sequence, Span<byte> packet, int bodyAt, ReadOnlySpan<byte> body);

    public abstract void Dispose();

    public static PacketSealer Create(DirectionKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ReadOnlySpan<byte> macKey) =>
        kind.Cipher.Protection switch
        {
            PacketProtection.Gcm => new GcmSealer(kind.Cipher, key, iv),
            PacketProtection.ChaChaPoly => new ChaChaSealer(key),
            _ => new CtrSealer(kind.Cipher, kind.Mac!, key, iv, macKey),
        };

    private sealed class PlainSealer : PacketSealer
    {
        public override int Tag => 0;

        public override int Block => 8;

        public override bool LengthIsApart => false;

        public override void Seal(uint sequence, Span<byte> packet, int bodyAt, ReadOnlySpan<byte> body) => body.CopyTo(packet[bodyAt..]);

        public override void Dispose()
        {
        }
    }
}

/// <summary>A context of libcrypto that is kept for one direction and one set of keys.</summary>
internal sealed unsafe class CipherContext : IDisposable
{
    /// <summary>Below this a copy and one call are cheaper than two more calls.</summary>
    private const int SmallBody = 512;

    private readonly CipherContextHandle _context;

    public CipherContext(string name, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, CipherUse use)
    {
        using var cipher = LibCrypto.Check(LibCrypto.EVP_CIPHER_fetch(0, name, 0));
        _context = LibCrypto.Check(LibCrypto.EVP_CIPHER_CTX_new());
        LibCrypto.Check(LibCrypto.EVP_CipherInit_ex(_context, cipher, 0, key, iv, use == CipherUse.Encrypt ? 1 : 0));
    }

    public void Restart(ReadOnlySpan<byte> iv) => LibCrypto.Check(LibCrypto.EVP_CipherInit_iv(_context, 0, 0, 0, iv, -1));

    public void Authenticate(ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
        {
            LibCrypto.Check(LibCrypto.EVP_CipherUpdate(_context, null, out _, from, data.Length));
        }
    }

    public void InPlace(Span<byte> data)
    {
        fixed (byte* at = data)
        {
            LibCrypto.Check(LibCrypto.EVP_CipherUpdate(_context, at, out _, at, data.Length));
        }
    }

    /// <summary>Encrypts <paramref name="packet"/> in place, with the body taken from where it is.</summary>
    public void Packet(Span<byte> packet, int bodyAt, ReadOnlySpan<byte> body)
    {
        if (body.Length < SmallBody)
        {
            body.CopyTo(packet[bodyAt..]);
            InPlace(packet);
            return;
        }

        fixed (byte* to = packet)
        fixed (byte* from = body)
        {
            var after = bodyAt + body.Length;
            LibCrypto.Check(LibCrypto.EVP_CipherUpdate(_context, to, out _, to, bodyAt));
            LibCrypto.Check(LibCrypto.EVP_CipherUpdate(_context, to + bodyAt, out _, from, body.Length));
            LibCrypto.Check(LibCrypto.EVP_CipherUpdate(_context, to + after, out _, to + after, packet.Length - after));
        }
    }

    public void FinishTag(Span<byte> tag)
    {
        byte nothing;
        LibCrypto.Check(LibCrypto.EVP_CipherFinal_ex(_context, &nothing, out _));
        fixed (byte* at = tag)
        {
            LibCrypto.Check(LibCrypto.EVP_CIPHER_CTX_ctrl(_context, LibCrypto.GetTag, tag.Length, at));
        }
    }

    /// <summary>Whether the tag fits what was decrypted since <see cref="Restart"/>. libcrypto compares in constant time.</summary>
    public bool CheckTag(Span<byte> tag)
    {
        byte nothing;
        fixed (byte* at = tag)
        {
            LibCrypto.Check(LibCrypto.EVP_CIPHER_CTX_ctrl(_context, LibCrypto.SetTag, tag.Length, at));
        }

        if (LibCrypto.EVP_CipherFinal_ex(_context, &nothing, out _) > 0) return true;
        LibCrypto.ERR_clear_error();
        return false;
    }

    public void Dispose() => _context.Dispose();
}

internal enum CipherUse
{
    Encrypt,
    Decrypt,
}

/// <summary>The counter part of the GCM nonce (RFC 5647 section 7.1): four fixed bytes, then a 64-bit number that grows with each packet.</summary>
internal struct GcmNonce
{
    private readonly byte[] _bytes;

    public GcmNonce(ReadOnlySpan<byte> iv) => _bytes = iv.ToArray();

    public readonly ReadOnlySpan<byte> Bytes => _bytes;

    public readonly void Next()
    {
        var counter = _bytes.AsSpan(4);
        BinaryPrimitives.WriteUInt64BigEndian(counter, unchecked(BinaryPrimitives.ReadUInt64BigEndian(counter) + 1));
    }
}

internal sealed class GcmSealer(CipherKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv) : PacketSealer
{
    private readonly CipherContext _context = new(kind.LibCryptoName, key, iv, CipherUse.Encrypt);
    private readonly GcmNonce _nonce = new(iv);

    public override int Tag => 16;

    public override int Block => CipherKind.Block;

    public override bool LengthIsApart => true;

    public override void Seal(uint sequence, Span<byte> packet, int bodyAt, ReadOnlySpan<byte> body)
    {
        _context.Restart(_nonce.Bytes);
        _nonce.Next();
        _context.Authenticate(packet[..4]);
        _context.Packet(packet[4..^Tag], bodyAt - 4, body);
        _context.FinishTag(packet[^Tag..]);
    }

    public override void Dispose() => _context.Dispose();
}

internal sealed class CtrSealer(CipherKind kind, MacKind mac, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ReadOnlySpan<byte> macKey) : PacketSealer
{
    private readonly CipherContext _context = new(kind.LibCryptoName, key, iv, CipherUse.Encrypt);
    private readonly PacketMac _mac = new(mac, macKey);

    public override int Tag => mac.Length;

    public override int Block => CipherKind.Block;

    public override bool LengthIsApart => mac.EncryptThenMac;

    public override void Seal(uint sequence, Span<byte> packet, int bodyAt, ReadOnlySpan<byte> body)
    {
        var content = packet[..^Tag];
        if (mac.EncryptThenMac)
        {
            _context.Packet(content[4..], bodyAt - 4, body);
            _mac.Compute(sequence, content, [], [], packet[^Tag..]);
        }
        else
        {
            _mac.Compute(sequence, content[..bodyAt], body, content[(bodyAt + body.Length)..], packet[^Tag..]);
            _context.Packet(content, bodyAt, body);
        }
    }

    public override void Dispose()
    {
        _context.Dispose();
        _mac.Dispose();
    }
}

/// <summary>HMAC over the sequence number and a packet (RFC 4253 section 6.4).</summary>
internal sealed class PacketMac(MacKind kind, ReadOnlySpan<byte> key) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHMAC(kind.Hash, key);

    public void Compute(uint sequence, ReadOnlySpan<byte> one, ReadOnlySpan<byte> two, ReadOnlySpan<byte> three, Span<byte> output)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(number, sequence);
        _hash.AppendData(number);
        _hash.AppendData(one);
        if (!two.IsEmpty) _hash.AppendData(two);
        if (!three.IsEmpty) _hash.AppendData(three);
        _hash.GetHashAndReset(output);
    }

    public bool Check(uint sequence, ReadOnlySpan<byte> packet, ReadOnlySpan<byte> tag)
    {
        Span<byte> expected = stackalloc byte[64];
        expected = expected[..kind.Length];
        Compute(sequence, packet, [], [], expected);
        return CryptographicOperations.FixedTimeEquals(expected, tag);
    }

    public void Dispose() => _hash.Dispose();
}
