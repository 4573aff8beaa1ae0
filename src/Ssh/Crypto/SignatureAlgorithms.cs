using System.Security.Cryptography;

namespace Countersign.Ssh.Crypto;

/// <summary>Which signature algorithms belong to which key format (RFC 8332 section 3, RFC 5656 section 6.2, RFC 8709). RSA with SHA-1 is not among them.</summary>
internal static class SignatureAlgorithms
{
    public const string RsaSha512 = "rsa-sha2-512";
    public const string RsaSha256 = "rsa-sha2-256";

    /// <summary>What a user's key may sign with, as named in server-sig-algs (RFC 8308 section 3.1).</summary>
    public static readonly string[] ForUsers =
        [SshPublicKey.Ed25519, RsaSha512, RsaSha256, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

    private static readonly string[] Rsa = [RsaSha512, RsaSha256];

    public static string[] ForKey(string type) => type == SshPublicKey.Rsa ? Rsa : [type];

    /// <summary>The key format that an algorithm signs with; a certificate's is that of the key in it.</summary>
    public static string KeyType(string algorithm) => Plain(algorithm) is RsaSha512 or RsaSha256 ? SshPublicKey.Rsa : Plain(algorithm);

    /// <summary>The same algorithm with the key in a certificate (OpenSSH's PROTOCOL.certkeys).</summary>
    public static string ForCertificate(string plain) => plain + SshCertificate.TypeSuffix;

    public static bool IsForCertificate(string algorithm) => algorithm.EndsWith(SshCertificate.TypeSuffix, StringComparison.Ordinal);

    /// <summary>The algorithm that the signature itself names.</summary>
    public static string Plain(string algorithm) => IsForCertificate(algorithm) ? algorithm[..^SshCertificate.TypeSuffix.Length] : algorithm;

    public static HashAlgorithmName Hash(string rsaAlgorithm) => rsaAlgorithm == RsaSha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;
}

/// <summary>A curve of RFC 5656 section 10.1.</summary>
internal readonly record struct EcdsaCurve(string Name, string Oid, int FieldLength, HashAlgorithmName Hash)
{
    private static readonly EcdsaCurve[] All =
    [
        new("nistp256", "1.2.840.10045.3.1.7", 32, HashAlgorithmName.SHA256),
        new("nistp384", "1.3.132.0.34", 48, HashAlgorithmName.SHA384),
        new("nistp521", "1.3.132.0.35", 66, HashAlgorithmName.SHA512),
    ];

    public int PointLength => 1 + (2 * FieldLength);

    public string KeyType => "ecdsa-sha2-" + Name;

    public static bool TryGet(string name, out EcdsaCurve curve)
    {
        curve = Array.Find(All, c => c.Name == name);
        return curve.Name is not null;
    }

    public ECParameters Public(ReadOnlySpan<byte> point) => new()
    {
        Curve = ECCurve.CreateFromValue(Oid),
        Q = new ECPoint { X = point[1..(1 + FieldLength)].ToArray(), Y = point[(1 + FieldLength)..].ToArray() },
    };
}
