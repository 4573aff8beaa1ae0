using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh;

/// <summary>A public key in its wire form (RFC 4253 section 6.6). Only kinds and sizes that this library would also use are read: others are "no key".</summary>
public sealed class SshPublicKey : IEquatable<SshPublicKey>
{
    internal const string Ed25519 = "ssh-ed25519";
    internal const string Rsa = "ssh-rsa";
    private const string EcdsaPrefix = "ecdsa-sha2-";
    private const int MaxBlob = 4096;
    private const int MaxRsaBytes = 16384 / 8;
    private const int MinRsaBits = 2048;

    private readonly byte[] _blob;

    private SshPublicKey(string type, byte[] blob)
    {
        Type = type;
        _blob = blob;
        Fingerprint = "SHA256:" + Convert.ToBase64String(SHA256.HashData(blob)).TrimEnd('=');
    }

    /// <summary>The key format's name: <c>ssh-ed25519</c>, <c>ssh-rsa</c>, <c>ecdsa-sha2-nistp256</c>, …</summary>
    public string Type { get; }

    public ReadOnlyMemory<byte> Blob => _blob;

    /// <summary><c>SHA256:</c> and unpadded base64, as OpenSSH prints it.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads <c>type base64 [comment]</c>, the line of an authorized_keys or .pub file without options.</summary>
    public static bool TryParse(string line, [NotNullWhen(true)] out SshPublicKey? key)
    {
        key = null;
        if (line is null || line.Length > 4 * MaxBlob) return false;
        var parts = line.Split([' ', '\t'], 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length < 2 || !Base64.IsValid(parts[1])) return false;
        return TryParse(Convert.FromBase64String(parts[1]), out key) && Matches(ref key, parts[0]);
    }

    /// <summary>
    /// The keys of an authorized_keys file, in its order. A line with options restricts its key in ways that are not known here, so it gives none. Lines end
    /// with LF alone: behind a lone CR, which OpenSSH takes for a part of the comment, there is no other key.
    /// </summary>
    public static IReadOnlyList<SshPublicKey> ReadLines(string text)
    {
        var keys = new List<SshPublicKey>();
        foreach (var line in text.AsSpan().Split('\n'))
        {
            if (TryParse(text[line].Trim(), out var key)) keys.Add(key);
        }

        return keys;
    }

    public static bool TryParse(ReadOnlySpan<byte> blob, [NotNullWhen(true)] out SshPublicKey? key)
    {
        key = null;
        if (blob.Length > MaxBlob) return false;
        var reader = new SshReader(blob);
        if (!reader.TryReadText(out var type, 64) || !TryReadFields(type, ref reader) || !reader.IsAtEnd) return false;
        key = new SshPublicKey(type, blob.ToArray());
        return true;
    }

    public bool Equals(SshPublicKey? other) => other is not null && _blob.AsSpan().SequenceEqual(other._blob);

    public override bool Equals(object? obj) => obj is SshPublicKey other && Equals(other);

    public override int GetHashCode() => Fingerprint.GetHashCode(StringComparison.Ordinal);

    /// <summary><c>type base64</c>.</summary>
    public override string ToString() => $"{Type} {Convert.ToBase64String(_blob)}";

    /// <summary>Whether this key made the signature (RFC 4253 section 6.6; RFC 8332 for RSA: never SHA-1).</summary>
    /// <param name="algorithm">What was agreed on or announced; the signature has to name the same.</param>
    internal bool Verify(string algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        var outer = new SshReader(signature);
        if (!outer.TryReadText(out var named, 64) || named != algorithm || !outer.TryReadString(out var value) || !outer.IsAtEnd) return false;
        if (!SignatureAlgorithms.ForKey(Type).Contains(algorithm)) return false;

        // The blob was read when this key was made: it has its fields.
        var reader = new SshReader(_blob);
        reader.TryReadString(out _);
        switch (Type)
        {
            case Ed25519:
                reader.TryReadString(out var point);
                return Ed25519Key.Verify(point, data, value);
            case Rsa:
                TryReadRsa(ref reader, out var exponent, out var modulus);
                return VerifyRsa(exponent, modulus, SignatureAlgorithms.Hash(algorithm), data, value);
            default:
                TryReadEcdsa(Type, ref reader, out var curve, out var q);
                return VerifyEcdsa(curve, q, data, value);
        }
    }

    /// <summary>Reads over what follows the type's name. False: not a key of a kind and size that is used.</summary>
    internal static bool TryReadFields(string type, ref SshReader reader) => type switch
    {
        Ed25519 => reader.TryReadString(out var point, Ed25519Key.KeyLength) && point.Length == Ed25519Key.KeyLength,
        Rsa => TryReadRsa(ref reader, out _, out _),
        _ => TryReadEcdsa(type, ref reader, out _, out _),
    };

    internal static bool TryReadRsa(ref SshReader reader, out ReadOnlySpan<byte> exponent, out ReadOnlySpan<byte> modulus)
    {
        // An exponent of more than 8 bytes would make one verification cost as much as hundreds.
        modulus = default;
        if (!reader.TryReadMpint(out exponent, 8) || !reader.TryReadMpint(out modulus, MaxRsaBytes)) return false;
        if (exponent.IsEmpty || modulus.IsEmpty) return false;
        var bits = (modulus.Length * 8) - System.Numerics.BitOperations.LeadingZeroCount(modulus[0]) + 24;
        var one = exponent.Length == 1 && exponent[0] == 1;
        return bits >= MinRsaBits && (exponent[^1] & 1) == 1 && !one && (modulus[^1] & 1) == 1;
    }

    internal static bool TryReadEcdsa(string type, ref SshReader reader, out EcdsaCurve curve, out ReadOnlySpan<byte> q)
    {
        curve = default;
        q = default;
        if (!type.StartsWith(EcdsaPrefix, StringComparison.Ordinal) || !EcdsaCurve.TryGet(type[EcdsaPrefix.Length..], out curve)) return false;
        if (!reader.TryReadText(out var named, 16) || named != curve.Name || !reader.TryReadString(out q, curve.PointLength)) return false;

        // RFC 5656 section 3.1: points uncompressed. Whether it is on the curve is checked when the key is used.
        return q.Length == curve.PointLength && q[0] == 4;
    }

    private static bool VerifyRsa(ReadOnlySpan<byte> exponent, ReadOnlySpan<byte> modulus, HashAlgorithmName hash, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.Length > modulus.Length) return false;

        // Some clients drop leading zeros from the signature.
        var padded = new byte[modulus.Length];
        signature.CopyTo(padded.AsSpan(padded.Length - signature.Length));
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportParameters(new RSAParameters { Exponent = exponent.ToArray(), Modulus = modulus.ToArray() });
            return rsa.VerifyData(data, padded, hash, RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool VerifyEcdsa(EcdsaCurve curve, ReadOnlySpan<byte> q, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        var reader = new SshReader(signature);
        if (!reader.TryReadMpint(out var r, curve.FieldLength) || !reader.TryReadMpint(out var s, curve.FieldLength) || !reader.IsAtEnd) return false;
        var fixedForm = new byte[2 * curve.FieldLength];
        r.CopyTo(fixedForm.AsSpan(curve.FieldLength - r.Length));
        s.CopyTo(fixedForm.AsSpan((2 * curve.FieldLength) - s.Length));
        try
        {
            using var ecdsa = ECDsa.Create(curve.Public(q));
            return ecdsa.VerifyData(data, fixedForm, curve.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool Matches([NotNullWhen(true)] ref SshPublicKey? key, string type)
    {
        if (key is not null && key.Type == type) return true;
        key = null;
        return false;
    }
}
