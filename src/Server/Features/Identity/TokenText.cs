using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// The text of an API token: <c>cst_</c> (so that scanners for leaked secrets find it) and 32 random bytes in base64url. Only its SHA-256 is
/// kept: nobody can guess 256 bits, so neither salt nor a slow hash would add anything, and looking it up by its hash gives away nothing by time.
/// </summary>
internal static class TokenText
{
    private const string Prefix = "cst_";

    private const int SecretLength = 32;

    private static readonly int _length = Prefix.Length + Base64Url.GetEncodedLength(SecretLength);

    public static string Make()
    {
        Span<byte> secret = stackalloc byte[SecretLength];
        RandomNumberGenerator.Fill(secret);
        return Prefix + Base64Url.EncodeToString(secret);
    }

    /// <summary>Null when it can't be a token.</summary>
    public static byte[]? Hash(string text) =>
        text.Length == _length && text.StartsWith(Prefix, StringComparison.Ordinal) && Base64Url.IsValid(text.AsSpan(Prefix.Length))
            ? SHA256.HashData(Encoding.ASCII.GetBytes(text))
            : null;
}
