using System.Globalization;
using System.Text;

namespace Countersign.Access;

/// <summary>What logins and device names look like.</summary>
public static class Names
{
    /// <summary>RFC 5321 section 4.5.3.1.3, less the angle brackets.</summary>
    public const int MostOfMail = 254;

    /// <summary><c>[a-z0-9][a-z0-9._-]*</c>, at most 64 characters.</summary>
    public static bool IsLogin(ReadOnlySpan<char> text) => text.Length <= 64 && Matches(text, "._-");

    /// <summary><c>[a-z0-9][a-z0-9.-]*</c>, at most 253 characters.</summary>
    public static bool IsDevice(ReadOnlySpan<char> text) => text.Length <= 253 && Matches(text, ".-");

    /// <summary>An account's name at a device: 1 to 64 characters that all show, none of them a comma, a plus or a blank.</summary>
    public static bool IsAccount(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 64) return false;
        foreach (var character in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(character) || character.Value is ',' or '+' or 0xFFFD || Rune.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format) return false;
        }

        return true;
    }

    /// <summary>
    /// A mail address that needs no quoting, at most 254 characters and all of them ASCII: nothing in it ends a header, begins another recipient, or looks
    /// like a letter that it is not.
    /// </summary>
    public static bool IsMail(string text)
    {
        if (text.Length > MostOfMail || text.Split('@') is not [{ Length: > 0 and <= 64 } local, var domain]) return false;
        return Array.TrueForAll(local.Split('.'), atom => atom.Length > 0 && atom.All(character => char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-/=?^_`{|}~".Contains(character, StringComparison.Ordinal)))
            && Array.TrueForAll(domain.Split('.'), IsLabel);
    }

    /// <summary>
    /// The text with its letters composed in the one way (Normalization Form C of UAX #15), so that what looks the same is the same. Names and descriptions are kept
    /// so; a text that is looked for in them is to be so, too.
    /// </summary>
    public static string Composed(string text) => Composition.Of(text);

    /// <summary>What people, groups and organizations are called: 1 to 200 characters that all show, on one line, not only blanks.</summary>
    public static bool IsName(string text) => Fields.Name(text, out _) is null;

    /// <summary>Nothing in it ends a line, turns the direction of writing, or is half a character.</summary>
    public static bool IsPlain(string text) => Fields.IsPlain(text);

    /// <summary>The login as a hasty eye reads it: two that look alike are the same here.</summary>
    public static string LookOf(string login) => login
        .Replace('0', 'o').Replace('1', 'l').Replace('i', 'l').Replace('_', '-').Replace('.', '-')
        .Replace("rn", "m", StringComparison.Ordinal).Replace("vv", "w", StringComparison.Ordinal);

    /// <summary>Like what those are called who have not chosen a login, or never do: nobody chooses one like it.</summary>
    public static bool IsGivenLogin(string login) => login.StartsWith("invited-", StringComparison.Ordinal) || login.StartsWith("contact-", StringComparison.Ordinal);

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(character => char.IsAsciiLetterOrDigit(character) || character == '-');

    private static bool Matches(ReadOnlySpan<char> text, string inside)
    {
        if (text.IsEmpty || !char.IsAsciiLetterLower(text[0]) && !char.IsAsciiDigit(text[0])) return false;
        foreach (var character in text)
        {
            if (!char.IsAsciiLetterLower(character) && !char.IsAsciiDigit(character) && !inside.Contains(character)) return false;
        }

        return true;
    }
}
