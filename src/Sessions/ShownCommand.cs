using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Countersign.Sessions;

/// <summary>A command as lists, records and recordings show it; the journal has all of it.</summary>
public static class ShownCommand
{
    /// <summary>Characters.</summary>
    public const int Longest = 4096;

    /// <summary>Of the beginning of a command that is longer: the rest of what is shown says what is not.</summary>
    private const int Beginning = 3900;

    public static bool IsWhole(string command) => command.Length <= Longest;

    /// <returns>The command; or its beginning, how many characters more it has, and the SHA-256 of all of it in UTF-8.</returns>
    public static string Of(string command)
    {
        if (IsWhole(command)) return command;
        var shown = char.IsLowSurrogate(command[Beginning]) ? Beginning - 1 : Beginning;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(command)));
        return string.Create(CultureInfo.InvariantCulture, $"{command[..shown]} … [{command.Length - shown:N0} more characters, sha256 {hash}]");
    }
}
