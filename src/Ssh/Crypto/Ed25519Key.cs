namespace Countersign.Ssh.Crypto;

/// <summary>Ed25519 (RFC 8032) through libcrypto. The private half never leaves native memory but by <see cref="CopySeed"/>.</summary>
internal static class Ed25519Key
{
    public const int KeyLength = 32;
    public const int SignatureLength = 64;

    public static KeyHandle FromSeed(ReadOnlySpan<byte> seed) =>
        LibCrypto.Check(LibCrypto.EVP_PKEY_new_raw_private_key(LibCrypto.Ed25519, 0, seed, KeyLength));

    public static KeyHandle Generate()
    {
        using var context = LibCrypto.Check(LibCrypto.EVP_PKEY_CTX_new_id(LibCrypto.Ed25519, 0));
        LibCrypto.Check(LibCrypto.EVP_PKEY_keygen_init(context));
        LibCrypto.Check(LibCrypto.EVP_PKEY_generate(context, out var key));
        return new KeyHandle(key);
    }

    public static void CopyPublic(KeyHandle key, Span<byte> output)
    {
        nuint length = KeyLength;
        LibCrypto.Check(LibCrypto.EVP_PKEY_get_raw_public_key(key, output[..KeyLength], ref length));
    }

    public static void CopySeed(KeyHandle key, Span<byte> output)
    {
        nuint length = KeyLength;
        LibCrypto.Check(LibCrypto.EVP_PKEY_get_raw_private_key(key, output[..KeyLength], ref length));
    }

    /// <summary>Safe from several threads at once: each call has a context of its own.</summary>
    public static byte[] Sign(KeyHandle key, ReadOnlySpan<byte> data)
    {
        using var context = LibCrypto.Check(LibCrypto.EVP_MD_CTX_new());
        LibCrypto.Check(LibCrypto.EVP_DigestSignInit(context, 0, 0, 0, key));
        var signature = new byte[SignatureLength];
        nuint length = SignatureLength;
        LibCrypto.Check(LibCrypto.EVP_DigestSign(context, signature, ref length, data, (nuint)data.Length));
        return signature;
    }

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != KeyLength || signature.Length != SignatureLength) return false;
        using var key = LibCrypto.EVP_PKEY_new_raw_public_key(LibCrypto.Ed25519, 0, publicKey, KeyLength);
        if (key.IsInvalid)
        {
            LibCrypto.ERR_clear_error();
            return false;
        }

        using var context = LibCrypto.Check(LibCrypto.EVP_MD_CTX_new());
        LibCrypto.Check(LibCrypto.EVP_DigestVerifyInit(context, 0, 0, 0, key));
        if (LibCrypto.EVP_DigestVerify(context, signature, SignatureLength, data, (nuint)data.Length) == 1) return true;
        LibCrypto.ERR_clear_error();
        return false;
    }
}
