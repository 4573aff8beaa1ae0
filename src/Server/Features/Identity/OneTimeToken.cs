using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// What stands in a mailed link: 32 random bytes in base64url. Only its SHA-256 is kept, for the reasons of <see cref="TokenText"/>; the text is in the
/// mail alone.
/// </summary>
internal static class OneTimeToken
{
    public const int HashLength = 32;

    private const int SecretLength = 32;

    private static readonly int _length = Base64Url.GetEncodedLength(SecretLength);

    public static (string Text, byte[] Hash) Make()
    {
        Span<byte> secret = stackalloc byte[SecretLength];
        RandomNumberGenerator.Fill(secret);
        var text = Base64Url.EncodeToString(secret);
        CryptographicOperations.ZeroMemory(secret);
        return (text, Hash(text)!);
    }

    /// <summary>Null when it can't be a token.</summary>
    public static byte[]? Hash(string text) => text.Length == _length && Base64Url.IsValid(text) ? SHA256.HashData(Encoding.ASCII.GetBytes(text)) : null;
}
