using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Server.Features.Identity;

/// <summary>One-time codes by time (RFC 6238): HMAC-SHA-1, six digits, 30 seconds; what every authenticator app can do.</summary>
internal static class Totp
{
    /// <summary>Bytes; RFC 4226 section 4 recommends 160 bits.</summary>
    public const int SecretLength = 20;

    public const int Digits = 6;

    private const int StepSeconds = 30;

    /// <summary>Clocks of telephones are a little off, and typing takes its time (RFC 6238 section 5.2).</summary>
    private const int Slack = 1;

    public static long StepAt(DateTimeOffset at) => at.ToUnixTimeSeconds() / StepSeconds;

    [SuppressMessage("Security", "CA5350", Justification = "RFC 6238 as authenticator apps know it; HMAC-SHA-1 is not weakened by collisions of SHA-1.")]
    public static string Code(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> message = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(message, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(secret, message, hash);
        var number = BinaryPrimitives.ReadInt32BigEndian(hash[(hash[^1] & 15)..]) & int.MaxValue;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step that the code is of: one before to one after now, and later than any that was used. Null: there is none. Takes the same time for every code.</summary>
    /// <param name="code">Six ASCII digits.</param>
    public static long? Match(ReadOnlySpan<byte> secret, string code, DateTimeOffset at, long lastUsed)
    {
        var now = StepAt(at);
        var given = Encoding.ASCII.GetBytes(code);
        long? found = null;
        for (var step = now - Slack; step <= now + Slack; step++)
        {
            var right = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Code(secret, step)), given);
            if (right && step > lastUsed) found ??= step;
        }

        return found;
    }
}

/// <summary>RFC 4648 section 6, without padding: secrets as people type them into an app.</summary>
internal static class Base32
{
    public const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <param name="bytes">A multiple of five, so that nothing is left over.</param>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % 5 != 0) throw new ArgumentException("Five bytes at a time.", nameof(bytes));
        var text = new StringBuilder(bytes.Length / 5 * 8);
        for (var at = 0; at < bytes.Length; at += 5)
        {
            var group = (ulong)bytes[at] << 32 | BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 1)..]);
            for (var shift = 35; shift >= 0; shift -= 5) text.Append(Alphabet[(int)(group >> shift) & 31]);
        }

        return text.ToString();
    }
}
