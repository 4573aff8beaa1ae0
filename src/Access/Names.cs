namespace Countersign.Access;

/// <summary>What logins and device names look like.</summary>
public static class Names
{
    /// <summary><c>[a-z0-9][a-z0-9._-]*</c>, at most 64 characters.</summary>
    public static bool IsLogin(ReadOnlySpan<char> text) => text.Length <= 64 && Matches(text, "._-");

    /// <summary><c>[a-z0-9][a-z0-9.-]*</c>, at most 253 characters.</summary>
    public static bool IsDevice(ReadOnlySpan<char> text) => text.Length <= 253 && Matches(text, ".-");

    /// <summary>An account's name at a device: 1 to 64 characters, none of them a control character, a comma, a plus or a blank.</summary>
    public static bool IsAccount(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 64) return false;
        foreach (var character in text)
        {
            if (char.IsControl(character) || char.IsWhiteSpace(character) || character is ',' or '+') return false;
        }

        return true;
    }

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
