using System.Security.Cryptography;
using System.Text;
using Countersign.Access;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Codes for the day on which the authenticator is lost: 80 random bits each, so that a plain hash keeps them as well as a slow one would. Each is
/// good once.
/// </summary>
internal static class RecoveryCodes
{
    public const int Count = 10;

    /// <summary>Characters, without the hyphens that make them readable.</summary>
    public const int Length = 16;

    private const int Group = 4;

    /// <summary>Such as <c>k3wz-7q2m-aaxd-5b6t</c>, in small letters and the digits 2 to 7.</summary>
    public static string Make()
    {
        Span<byte> random = stackalloc byte[Length * 5 / 8];
        RandomNumberGenerator.Fill(random);
        return string.Join('-', Base32.Encode(random).ToLowerInvariant().Chunk(Group).Select(part => new string(part)));
    }

    /// <summary>Bound to its person, so that a row moved to somebody else is worth nothing there.</summary>
    /// <param name="code">As <see cref="SecondFactorCode"/> reads it.</param>
    public static byte[] Hash(OrganizationId organization, PersonId person, string code) =>
        SHA256.HashData([.. organization.Value.ToByteArray(bigEndian: true), .. person.Value.ToByteArray(bigEndian: true), .. Encoding.ASCII.GetBytes(code)]);
}

/// <summary>What somebody typed as their second factor: one of the authenticator's codes, one of the recovery codes, or nothing that could be either.</summary>
internal readonly record struct SecondFactorCode(CodeKind Kind, string Text)
{
    /// <summary>Far more than any code with its spaces and hyphens.</summary>
    private const int Longest = 64;

    public static SecondFactorCode Read(string typed)
    {
        if (typed.Length > Longest) return default;
        var text = string.Concat(typed.Where(character => character is not (' ' or '-'))).ToUpperInvariant();
        if (text.Length == Totp.Digits && text.All(char.IsAsciiDigit)) return new(CodeKind.Authenticator, text);
        return text.Length == RecoveryCodes.Length && text.All(character => Base32.Alphabet.Contains(character, StringComparison.Ordinal))
            ? new(CodeKind.Recovery, text)
            : default;
    }

    public override string ToString() => $"[{Kind}]";
}

internal enum CodeKind
{
    Neither = 0,
    Authenticator = 1,
    Recovery = 2,
}
