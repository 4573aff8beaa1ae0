using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Countersign.Ssh.Crypto;

/// <summary>
/// The few calls into OpenSSL's libcrypto that the platform has no class for (X25519, Ed25519, finite-field Diffie-Hellman, CTR, ChaCha20 and Poly1305) or not a fast
/// enough one (GCM with a context that is kept). Nothing here computes by itself.
/// </summary>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    public const int X25519 = 1034;
    public const int Ed25519 = 1087;
    public const int GetTag = 0x10;
    public const int SetTag = 0x11;
    public const int ConstantTime = 0x04;

    private static readonly Lazy<bool> IsThere = new(() => NativeLibrary.TryLoad(Library, typeof(LibCrypto).Assembly, null, out _));

    /// <summary>Called where a connection or key begins, so that a missing library is one clear message and not a fault in the middle.</summary>
    /// <exception cref="PlatformNotSupportedException">libcrypto 3 is not installed.</exception>
    public static void Require()
    {
        if (!IsThere.Value) throw new PlatformNotSupportedException($"SSH needs OpenSSL 3: {Library} was not found.");
    }

    /// <summary>Turns the result of a call into an exception, and leaves no error behind in the thread's queue for other users of the library.</summary>
    public static void Check(int result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result > 0) return;
        ERR_clear_error();
        throw new CryptographicException($"libcrypto refused {call[..Math.Max(0, call.IndexOf('('))]}.");
    }

    public static T Check<T>(T handle, [CallerArgumentExpression(nameof(handle))] string call = "")
        where T : SafeHandle
    {
        if (!handle.IsInvalid) return handle;
        ERR_clear_error();
        handle.Dispose();
        throw new CryptographicException($"libcrypto refused {call[..Math.Max(0, call.IndexOf('('))]}.");
    }

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial CipherHandle EVP_CIPHER_fetch(nint library, string name, nint properties);

    [LibraryImport(Library)]
    public static partial void EVP_CIPHER_free(nint cipher);

    [LibraryImport(Library)]
    public static partial CipherContextHandle EVP_CIPHER_CTX_new();

    [LibraryImport(Library)]
    public static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_CipherInit_ex(CipherContextHandle context, CipherHandle cipher, nint engine, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, int encrypt);

    [LibraryImport(Library, EntryPoint = "EVP_CipherInit_ex")]
    public static partial int EVP_CipherInit_iv(CipherContextHandle context, nint cipher, nint engine, nint key, ReadOnlySpan<byte> iv, int encrypt);

    [LibraryImport(Library)]
    public static partial int EVP_CipherUpdate(CipherContextHandle context, byte* output, out int written, byte* input, int length);

    [LibraryImport(Library)]
    public static partial int EVP_CipherFinal_ex(CipherContextHandle context, byte* output, out int written);

    [LibraryImport(Library)]
    public static partial int EVP_CIPHER_CTX_ctrl(CipherContextHandle context, int type, int argument, byte* pointer);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    public static partial KeyHandle EVP_PKEY_new();

    [LibraryImport(Library)]
    public static partial KeyHandle EVP_PKEY_new_raw_private_key(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library)]
    public static partial KeyHandle EVP_PKEY_new_raw_public_key(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_raw_public_key(KeyHandle key, Span<byte> output, ref nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_raw_private_key(KeyHandle key, Span<byte> output, ref nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_copy_parameters(KeyHandle to, KeyHandle from);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_set1_encoded_public_key(KeyHandle key, ReadOnlySpan<byte> encoded, nuint length);

    [LibraryImport(Library)]
    public static partial nuint EVP_PKEY_get1_encoded_public_key(KeyHandle key, out byte* encoded);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void CRYPTO_free(byte* pointer, string file, int line);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial KeyContextHandle EVP_PKEY_CTX_new_from_name(nint library, string name, nint properties);

    [LibraryImport(Library)]
    public static partial KeyContextHandle EVP_PKEY_CTX_new_id(int type, nint engine);

    [LibraryImport(Library)]
    public static partial KeyContextHandle EVP_PKEY_CTX_new(KeyHandle key, nint engine);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_keygen_init(KeyContextHandle context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_CTX_set_params(KeyContextHandle context, Parameter* parameters);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_generate(KeyContextHandle context, out nint key);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_init(KeyContextHandle context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_set_peer(KeyContextHandle context, KeyHandle peer);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive(KeyContextHandle context, Span<byte> secret, ref nuint length);

    [LibraryImport(Library)]
    public static partial DigestContextHandle EVP_MD_CTX_new();

    [LibraryImport(Library)]
    public static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_DigestSignInit(DigestContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(Library)]
    public static partial int EVP_DigestSign(DigestContextHandle context, Span<byte> signature, ref nuint signatureLength, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerifyInit(DigestContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerify(DigestContextHandle context, ReadOnlySpan<byte> signature, nuint signatureLength, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial MacHandle EVP_MAC_fetch(nint library, string name, nint properties);

    [LibraryImport(Library)]
    public static partial void EVP_MAC_free(nint mac);

    [LibraryImport(Library)]
    public static partial MacContextHandle EVP_MAC_CTX_new(MacHandle mac);

    [LibraryImport(Library)]
    public static partial void EVP_MAC_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_init(MacContextHandle context, ReadOnlySpan<byte> key, nuint length, nint parameters);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_update(MacContextHandle context, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_final(MacContextHandle context, Span<byte> output, out nuint written, nuint size);

    [LibraryImport(Library)]
    public static partial NumberHandle BN_secure_new();

    [LibraryImport(Library)]
    public static partial void BN_clear_free(nint number);

    [LibraryImport(Library)]
    public static partial void BN_set_flags(NumberHandle number, int flags);

    [LibraryImport(Library)]
    public static partial nint BN_bin2bn(ReadOnlySpan<byte> bytes, int length, NumberHandle number);

    [LibraryImport(Library)]
    public static partial int BN_sub_word(NumberHandle number, nuint word);

    [LibraryImport(Library)]
    public static partial int BN_div(nint quotient, NumberHandle remainder, NumberHandle number, NumberHandle divisor, NumberContextHandle context);

    [LibraryImport(Library)]
    public static partial int BN_bn2binpad(NumberHandle number, Span<byte> output, int length);

    [LibraryImport(Library)]
    public static partial NumberContextHandle BN_CTX_secure_new();

    [LibraryImport(Library)]
    public static partial void BN_CTX_free(nint context);

    /// <summary>OSSL_PARAM of openssl/core.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Parameter
    {
        public const uint UnsignedInteger = 2;
        public const uint Utf8Text = 4;

        public byte* Key;
        public uint Type;
        public void* Data;
        public nuint Size;
        public nuint ReturnSize;
    }
}

internal abstract class LibCryptoHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;
}

internal sealed class CipherHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_CIPHER_free(handle);
        return true;
    }
}

internal sealed class CipherContextHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_CIPHER_CTX_free(handle);
        return true;
    }
}

internal sealed class KeyHandle : LibCryptoHandle
{
    public KeyHandle()
    {
    }

    public KeyHandle(nint key) => SetHandle(key);

    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_PKEY_free(handle);
        return true;
    }
}

internal sealed class KeyContextHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_PKEY_CTX_free(handle);
        return true;
    }
}

internal sealed class DigestContextHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_MD_CTX_free(handle);
        return true;
    }
}

internal sealed class MacHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_MAC_free(handle);
        return true;
    }
}

internal sealed class MacContextHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_MAC_CTX_free(handle);
        return true;
    }
}

internal sealed class NumberHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.BN_clear_free(handle);
        return true;
    }
}

internal sealed class NumberContextHandle : LibCryptoHandle
{
    protected override bool ReleaseHandle()
    {
        LibCrypto.BN_CTX_free(handle);
        return true;
    }
}
