using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh;

namespace Countersign.Server.Features.Vault;

/// <summary>
/// Seals small secrets for one purpose with AES-256-GCM (NIST SP 800-38D): <c>key version (1) · nonce (12) · ciphertext · tag (16)</c>. The
/// nonce is random; a key may seal 2^32 times before a repetition is worth a thought (section 8.3), far more than accounts are edited.
/// Where a secret belongs is authenticated with it, so that a ciphertext moved to another row does not open there.
/// </summary>
internal sealed class Envelope : IDisposable
{
    /// <summary>A rotated key gets the next number; what was sealed before still says which one it needs.</summary>
    private const byte KeyVersion = 1;

    private const int NonceLength = 12;

    private const int TagLength = 16;

    public const int Overhead = 1 + NonceLength + TagLength;

    private readonly Secret _key;
    private readonly byte[] _purpose;

    public Envelope(MasterKey master, string purpose)
    {
        _key = master.Derive($"countersign/{purpose}/{KeyVersion}");
        _purpose = Encoding.UTF8.GetBytes(purpose);
    }

    /// <param name="place">Where the secret belongs; the same parts in the same order open it.</param>
    public byte[] Seal(ReadOnlySpan<byte> secret, params ReadOnlySpan<byte[]> place)
    {
        var sealedBytes = new byte[Overhead + secret.Length];
        sealedBytes[0] = KeyVersion;
        var nonce = sealedBytes.AsSpan(1, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(_key.Expose(), TagLength);
        cipher.Encrypt(nonce, secret, sealedBytes.AsSpan(1 + NonceLength, secret.Length), sealedBytes.AsSpan(^TagLength), Associated(place));
        return sealedBytes;
    }

    /// <exception cref="CryptographicException">It was changed, belongs elsewhere, or was sealed with another key.</exception>
    public Secret Open(ReadOnlySpan<byte> sealedBytes, params ReadOnlySpan<byte[]> place)
    {
        if (sealedBytes.Length < Overhead || sealedBytes[0] != KeyVersion) throw new CryptographicException("The envelope is not one of this key's.");
        var secret = GC.AllocateUninitializedArray<byte>(sealedBytes.Length - Overhead, pinned: true);
        try
        {
            using var cipher = new AesGcm(_key.Expose(), TagLength);
            cipher.Decrypt(
                sealedBytes.Slice(1, NonceLength), sealedBytes.Slice(1 + NonceLength, secret.Length), sealedBytes[^TagLength..], secret, Associated(place));
            return new(secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    public void Dispose() => _key.Dispose();

    /// <summary>Each part with its length before it, so that no two lists of parts read the same.</summary>
    private byte[] Associated(ReadOnlySpan<byte[]> place)
    {
        var length = 1 + 4 + _purpose.Length;
        foreach (var part in place) length += 4 + part.Length;
        var associated = new byte[length];
        associated[0] = KeyVersion;
        var rest = Append(associated.AsSpan(1), _purpose);
        foreach (var part in place) rest = Append(rest, part);
        return associated;
    }

    private static Span<byte> Append(Span<byte> target, byte[] part)
    {
        BinaryPrimitives.WriteInt32BigEndian(target, part.Length);
        part.CopyTo(target[4..]);
        return target[(4 + part.Length)..];
    }
}
