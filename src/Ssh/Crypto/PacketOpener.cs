using System.Buffers.Binary;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Crypto;

/// <summary>Decrypts packets of one direction in place (RFC 4253 section 6). Not safe from several threads at once.</summary>
internal abstract class PacketOpener : IDisposable
{
    /// <summary>How many bytes of a packet have to be there to learn its length.</summary>
    public virtual int Head => 4;

    public abstract int Tag { get; }

    public abstract int Block { get; }

    /// <summary>Whether the length field is in the clear or encrypted by itself, and does not count for the padding.</summary>
    public abstract bool LengthIsApart { get; }

    public static PacketOpener None { get; } = new PlainOpener();

    /// <summary>The packet's length field. Called once for each packet with <see cref="Head"/> bytes, which may be decrypted by it.</summary>
    public virtual uint Length(uint sequence, Span<byte> head) => BinaryPrimitives.ReadUInt32BigEndian(head);

    /// <summary>Authenticates and decrypts. False: the packet is not the peer's, and nothing of it may be used.</summary>
    /// <param name="packet">From the length field to the end of the tag.</param>
    public abstract bool Open(uint sequence, Span<byte> packet);

    public abstract void Dispose();

    public static PacketOpener Create(DirectionKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ReadOnlySpan<byte> macKey) =>
        kind.Cipher.Protection switch
        {
            PacketProtection.Gcm => new GcmOpener(kind.Cipher, key, iv),
            PacketProtection.ChaChaPoly => new ChaChaOpener(key),
            _ => new CtrOpener(kind.Cipher, kind.Mac!, key, iv, macKey),
        };

    private sealed class PlainOpener : PacketOpener
    {
        public override int Tag => 0;

        public override int Block => 8;

        public override bool LengthIsApart => false;

        public override bool Open(uint sequence, Span<byte> packet) => true;

        public override void Dispose()
        {
        }
    }
}

internal sealed class GcmOpener(CipherKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv) : PacketOpener
{
    private readonly CipherContext _context = new(kind.LibCryptoName, key, iv, CipherUse.Decrypt);
    private readonly GcmNonce _nonce = new(iv);

    public override int Tag => 16;

    public override int Block => CipherKind.Block;

    public override bool LengthIsApart => true;

    public override bool Open(uint sequence, Span<byte> packet)
    {
        _context.Restart(_nonce.Bytes);
        _nonce.Next();
        _context.Authenticate(packet[..4]);
        _context.InPlace(packet[4..^Tag]);
        return _context.CheckTag(packet[^Tag..]);
    }

    public override void Dispose() => _context.Dispose();
}

internal sealed class CtrOpener(CipherKind kind, MacKind mac, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ReadOnlySpan<byte> macKey) : PacketOpener
{
    private readonly CipherContext _context = new(kind.LibCryptoName, key, iv, CipherUse.Decrypt);
    private readonly PacketMac _mac = new(mac, macKey);

    /// <summary>Without encrypt-then-MAC the length is encrypted: the first block is decrypted to learn it.</summary>
    public override int Head => mac.EncryptThenMac ? 4 : CipherKind.Block;

    public override int Tag => mac.Length;

    public override int Block => CipherKind.Block;

    public override bool LengthIsApart => mac.EncryptThenMac;

    public override uint Length(uint sequence, Span<byte> head)
    {
        if (!mac.EncryptThenMac) _context.InPlace(head);
        return BinaryPrimitives.ReadUInt32BigEndian(head);
    }

    public override bool Open(uint sequence, Span<byte> packet)
    {
        var content = packet[..^Tag];
        if (mac.EncryptThenMac)
        {
            if (!_mac.Check(sequence, content, packet[^Tag..])) return false;
            _context.InPlace(content[4..]);
            return true;
        }

        if (content.Length > Head) _context.InPlace(content[Head..]);
        return _mac.Check(sequence, content, packet[^Tag..]);
    }

    public override void Dispose()
    {
        _context.Dispose();
        _mac.Dispose();
    }
}
