using System.Security.Cryptography;
using System.Text;

namespace Countersign.Ssh.Crypto;

/// <summary>
/// Our half of one Diffie-Hellman exchange. Public values are the bytes inside the SSH string on the wire: for a finite field these are the bytes
/// of an mpint, so that both kinds of exchange read and hash alike.
/// </summary>
internal abstract class KeyAgreement : IDisposable
{
    public abstract byte[] Public { get; }

    /// <summary>How the shared secret goes into the exchange hash and into the keys.</summary>
    public virtual SecretForm Form => SecretForm.Number;

    /// <summary>The shared secret as big-endian magnitude; the caller disposes it.</summary>
    /// <exception cref="CryptographicException">The peer's value is not one of the group's, or of a small order.</exception>
    public abstract Secret Agree(ReadOnlySpan<byte> peer);

    public abstract void Dispose();

    protected static Secret Derive(KeyHandle own, KeyHandle peer, int length)
    {
        using var context = LibCrypto.Check(LibCrypto.EVP_PKEY_CTX_new(own, 0));
        LibCrypto.Check(LibCrypto.EVP_PKEY_derive_init(context));
        LibCrypto.Check(LibCrypto.EVP_PKEY_derive_set_peer(context, peer));
        using var secret = new Secret(length);
        var written = (nuint)length;
        LibCrypto.Check(LibCrypto.EVP_PKEY_derive(context, secret.Writable(), ref written));
        return new Secret(secret.Expose()[..(int)written]);
    }
}

internal enum SecretForm
{
    /// <summary>As an mpint (RFC 4253 section 8, RFC 8731 section 3.1).</summary>
    Number,

    /// <summary>As a string, leading zeros and all.</summary>
    Text,
}

/// <summary>curve25519-sha256 (RFC 8731).</summary>
internal sealed class X25519Agreement : KeyAgreement
{
    private const int Length = 32;
    private readonly KeyHandle _key;

    public X25519Agreement()
    {
        using var context = LibCrypto.Check(LibCrypto.EVP_PKEY_CTX_new_id(LibCrypto.X25519, 0));
        LibCrypto.Check(LibCrypto.EVP_PKEY_keygen_init(context));
        LibCrypto.Check(LibCrypto.EVP_PKEY_generate(context, out var key));
        _key = new KeyHandle(key);
        Public = new byte[Length];
        nuint length = Length;
        LibCrypto.Check(LibCrypto.EVP_PKEY_get_raw_public_key(_key, Public, ref length));
    }

    public override byte[] Public { get; }

    public override Secret Agree(ReadOnlySpan<byte> peer)
    {
        if (peer.Length != Length) throw new CryptographicException("an X25519 value has 32 bytes");
        using var theirs = LibCrypto.Check(LibCrypto.EVP_PKEY_new_raw_public_key(LibCrypto.X25519, 0, peer, Length));
        var secret = Derive(_key, theirs, Length);

        // RFC 8731 section 3: all zero means that the peer's point was of a small order.
        var sum = 0;
        foreach (var value in secret.Expose()) sum |= value;
        if (sum != 0) return secret;
        secret.Dispose();
        throw new CryptographicException("the X25519 secret is zero");
    }

    public override void Dispose() => _key.Dispose();
}

/// <summary>A key of libcrypto in a group that has a name there.</summary>
internal static unsafe class NamedGroup
{
    /// <param name="kind">DH or EC.</param>
    public static KeyHandle Generate(string kind, string group)
    {
        using var context = LibCrypto.Check(LibCrypto.EVP_PKEY_CTX_new_from_name(0, kind, 0));
        LibCrypto.Check(LibCrypto.EVP_PKEY_keygen_init(context));
        fixed (byte* name = "group\0"u8)
        fixed (byte* value = Encoding.ASCII.GetBytes(group + '\0'))
        {
            var parameters = stackalloc LibCrypto.Parameter[2];
            parameters[0] = new LibCrypto.Parameter { Key = name, Type = LibCrypto.Parameter.Utf8Text, Data = value, Size = (nuint)group.Length };
            parameters[1] = default;
            LibCrypto.Check(LibCrypto.EVP_PKEY_CTX_set_params(context, parameters));
        }

        LibCrypto.Check(LibCrypto.EVP_PKEY_generate(context, out var key));
        return new KeyHandle(key);
    }

    /// <summary>A number of the field's length, or an uncompressed point.</summary>
    public static byte[] PublicValue(KeyHandle key)
    {
        var size = (int)LibCrypto.EVP_PKEY_get1_encoded_public_key(key, out var encoded);
        if (size <= 0) throw new CryptographicException("libcrypto gave no public value.");
        var value = new ReadOnlySpan<byte>(encoded, size).ToArray();
        LibCrypto.CRYPTO_free(encoded, "", 0);
        return value;
    }

    /// <summary>The peer's value as a key of the same group; libcrypto checks that it is one.</summary>
    public static KeyHandle Peer(KeyHandle own, ReadOnlySpan<byte> value)
    {
        var peer = LibCrypto.Check(LibCrypto.EVP_PKEY_new());
        try
        {
            LibCrypto.Check(LibCrypto.EVP_PKEY_copy_parameters(peer, own));
            LibCrypto.Check(LibCrypto.EVP_PKEY_set1_encoded_public_key(peer, value, (nuint)value.Length));
            return peer;
        }
        catch
        {
            peer.Dispose();
            throw;
        }
    }
}

/// <summary>Groups 14 and 16 (RFC 3526, RFC 8268). libcrypto checks that the peer's value lies between 2 and p - 2.</summary>
internal sealed class FiniteFieldAgreement : KeyAgreement
{
    private readonly KeyHandle _key;
    private readonly int _length;

    public FiniteFieldAgreement(string group, int length)
    {
        _length = length;
        _key = NamedGroup.Generate("DH", group);
        Public = Mpint(NamedGroup.PublicValue(_key));
    }

    public override byte[] Public { get; }

    public override Secret Agree(ReadOnlySpan<byte> peer)
    {
        if (peer.Length > _length + 1 || (peer.Length > 0 && peer[0] >= 0x80)) throw new CryptographicException("the value is not one of the group's");
        var magnitude = peer.TrimStart((byte)0);
        if (magnitude.Length > _length) throw new CryptographicException("the value is not one of the group's");
        var encoded = new byte[_length];
        magnitude.CopyTo(encoded.AsSpan(_length - magnitude.Length));
        using var theirs = NamedGroup.Peer(_key, encoded);
        return Derive(_key, theirs, _length);
    }

    public override void Dispose() => _key.Dispose();

    private static byte[] Mpint(ReadOnlySpan<byte> magnitude)
    {
        magnitude = magnitude.TrimStart((byte)0);
        return magnitude[0] < 0x80 ? magnitude.ToArray() : [0, .. magnitude];
    }
}

/// <summary>ecdh-sha2-nistp256 (RFC 5656 section 4). libcrypto checks that the peer's point is on the curve.</summary>
internal sealed class P256Agreement : KeyAgreement
{
    private const int FieldLength = 32;
    private readonly KeyHandle _key = NamedGroup.Generate("EC", "prime256v1");

    public P256Agreement() => Public = NamedGroup.PublicValue(_key);

    public override byte[] Public { get; }

    public override Secret Agree(ReadOnlySpan<byte> peer)
    {
        // Uncompressed only: other forms, and the point at infinity, which is a single zero, are nobody's here.
        if (peer.Length != 1 + (2 * FieldLength) || peer[0] != 4) throw new CryptographicException("not an uncompressed point of P-256");
        using var theirs = NamedGroup.Peer(_key, peer);
        return Derive(_key, theirs, FieldLength);
    }

    public override void Dispose() => _key.Dispose();
}
