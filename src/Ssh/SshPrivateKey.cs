using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh;

public enum SshKeyKind
{
    Ed25519,
    Rsa3072,
}

/// <summary>A private key, kept in native memory or pinned; the maker disposes it.</summary>
public sealed class SshPrivateKey : IDisposable
{
    private const string Header = "-----BEGIN OPENSSH PRIVATE KEY-----";
    private const string Footer = "-----END OPENSSH PRIVATE KEY-----";
    private const int MaxText = 65536;
    private const int MostComment = 8192;
    private const int MostPadding = 64;
    private const int LineLength = 70;
    private readonly PrivateHalf _half;

    private SshPrivateKey(PrivateHalf half)
    {
        _half = half;
        PublicKey = SshPublicKey.TryParse(half.PublicBlob(), out var key) ? key : throw new CryptographicException("the key is of a kind or size that is not used");
    }

    private static ReadOnlySpan<byte> Magic => "openssh-key-v1\0"u8;

    public SshPublicKey PublicKey { get; }

    public static SshPrivateKey Generate(SshKeyKind kind)
    {
        LibCrypto.Require();
        return new(kind == SshKeyKind.Ed25519 ? new Ed25519PrivateHalf(Ed25519Key.Generate()) : new RsaPrivateHalf(RSA.Create(3072)));
    }

    /// <summary>Reads the unencrypted <c>openssh-key-v1</c> text form (ed25519, rsa, ecdsa).</summary>
    /// <exception cref="FormatException">It is not such a key; the message says what is wrong and never shows the text.</exception>
    public static SshPrivateKey Parse(Secret text)
    {
        LibCrypto.Require();
        using var binary = Decode(text.Expose());
        var reader = new SshReader(binary.Expose());
        if (!binary.Expose().StartsWith(Magic)) throw new FormatException("this is not an openssh-key-v1 private key");
        reader = new SshReader(binary.Expose()[Magic.Length..]);
        if (!reader.TryReadText(out var cipher, 64) || !reader.TryReadText(out var kdf, 64) || !reader.TryReadString(out var options) || !reader.TryReadUInt32(out var count)) throw Truncated();

        // Before anything else of it is read: no work is done at the wish of whoever wrote the rounds into it.
        if (cipher != "none" || kdf != "none") throw new FormatException("the private key is protected by a passphrase; remove it first (ssh-keygen -p)");
        if (count != 1) throw new FormatException("the file has to hold exactly one private key");
        if (!options.IsEmpty || !reader.TryReadString(out var publicBlob) || !reader.TryReadString(out var section) || !reader.IsAtEnd) throw Truncated();
        try
        {
            var key = new SshPrivateKey(ReadHalf(section, publicBlob));
            if (key.PublicKey.Blob.Span.SequenceEqual(publicBlob)) return key;
            key.Dispose();
            throw NotTogether();
        }
        catch (CryptographicException)
        {
            throw new FormatException("the private key is of a kind or size that is not used, or its numbers are wrong");
        }
    }

    /// <summary>The <c>openssh-key-v1</c> text form, unencrypted.</summary>
    public Secret Export(string comment = "")
    {
        using var section = new PinnedWriter(32768);
        Span<byte> check = stackalloc byte[4];
        RandomNumberGenerator.Fill(check);
        section.Raw(check).Raw(check).String(Encoding.ASCII.GetBytes(PublicKey.Type));
        _half.WriteFields(section);
        section.String(Encoding.UTF8.GetBytes(comment.Length > 1024 ? comment[..1024] : comment));
        for (byte pad = 1; section.Written.Length % 8 != 0; pad++) section.Raw([pad]);

        using var binary = new PinnedWriter(49152);
        binary.Raw(Magic).String("none"u8).String("none"u8).String([]).UInt32(1).String(PublicKey.Blob.Span).String(section.Written);
        return Encode(binary.Written);
    }

    public void Dispose() => _half.Dispose();

    /// <summary>Signs, with the algorithm's name before the signature (RFC 4253 section 6.6). Safe from several threads at once.</summary>
    internal byte[] Sign(string algorithm, ReadOnlySpan<byte> data) =>
        new SshWriter().String(algorithm).String(_half.Sign(algorithm, data)).Written.ToArray();

    private static PrivateHalf ReadHalf(ReadOnlySpan<byte> section, ReadOnlySpan<byte> publicBlob)
    {
        var reader = new SshReader(section);
        if (!reader.TryReadUInt32(out var one) || !reader.TryReadUInt32(out var two) || one != two || !reader.TryReadText(out var type, 64)) throw Truncated();
        switch (type)
        {
            case SshPublicKey.Ed25519:
                // The point stands in three places: all of them are the same, and the first is compared with what the seed gives.
                if (!reader.TryReadString(out var own, 32) || !reader.TryReadString(out var both, 64) || both.Length != 64 || !IsPadded(reader)) throw Truncated();
                if (!both[32..].SequenceEqual(own) || !publicBlob.EndsWith(own)) throw NotTogether();
                return new Ed25519PrivateHalf(Ed25519Key.FromSeed(both[..32]));
            case SshPublicKey.Rsa:
                if (!reader.TryReadMpint(out var n, 2048) || !reader.TryReadMpint(out var e, 8) || !reader.TryReadMpint(out var d, 2048)
                    || !reader.TryReadMpint(out var inverse, 2048) || !reader.TryReadMpint(out var p, 2048) || !reader.TryReadMpint(out var q, 2048) || !IsPadded(reader))
                {
                    throw Truncated();
                }

                return RsaPrivateHalf.Import(n, e, d, inverse, p, q);
            default:
                if (!SshPublicKey.TryReadEcdsa(type, ref reader, out var curve, out var point)) throw new FormatException("the private key is of a kind that is not used");
                if (!reader.TryReadMpint(out var number, curve.FieldLength) || !IsPadded(reader)) throw Truncated();
                return EcdsaPrivateHalf.Import(curve, point, number);
        }
    }

    /// <summary>Behind the fields: the comment, and the numbers from 1 on up to a whole block, which is never longer than so many bytes.</summary>
    private static bool IsPadded(SshReader reader)
    {
        if (!reader.TryReadString(out _, MostComment) || reader.Rest.Length > MostPadding) return false;
        for (byte expected = 1; reader.TryReadByte(out var pad); expected++)
        {
            if (pad != expected) return false;
        }

        return true;
    }

    private static FormatException NotTogether() => new("the public and the private half of the key don't belong together");

    private static FormatException Truncated() => new("the private key is damaged or cut off");

    private static Secret Decode(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxText) throw new FormatException("the text is too long for a private key");
        Span<byte> header = stackalloc byte[Header.Length];
        Span<byte> footer = stackalloc byte[Footer.Length];
        Encoding.ASCII.GetBytes(Header, header);
        Encoding.ASCII.GetBytes(Footer, footer);
        var from = text.IndexOf(header);
        var to = text.IndexOf(footer);
        if (from < 0 || to < from + header.Length) throw new FormatException("this is not a private key in OpenSSH's text form");
        using var binary = new Secret(text[(from + header.Length)..to]);
        var bytes = binary.Writable();
        var length = 0;
        foreach (var letter in bytes)
        {
            if (letter is not ((byte)'\n' or (byte)'\r' or (byte)' ' or (byte)'\t')) bytes[length++] = letter;
        }

        if (Base64.DecodeFromUtf8InPlace(bytes[..length], out var written) != OperationStatus.Done) throw new FormatException("the private key's base64 is damaged");
        return new Secret(bytes[..written]);
    }

    private static Secret Encode(ReadOnlySpan<byte> binary)
    {
        using var plain = new Secret(binary.Length * 4 / 3 + 8);
        if (Base64.EncodeToUtf8(binary, plain.Writable(), out _, out var written) != OperationStatus.Done) throw new CryptographicException("base64");
        using var text = new PinnedWriter(written + (written / LineLength) + Header.Length + Footer.Length + 8);
        text.Raw(Encoding.ASCII.GetBytes(Header + "\n"));
        for (var at = 0; at < written; at += LineLength)
        {
            text.Raw(plain.Expose()[at..Math.Min(at + LineLength, written)]).Raw("\n"u8);
        }

        return new Secret(text.Raw(Encoding.ASCII.GetBytes(Footer + "\n")).Written);
    }
}
