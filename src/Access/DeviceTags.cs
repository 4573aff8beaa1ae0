using System.Diagnostics.CodeAnalysis;

namespace Countersign.Access;

/// <summary>
/// Words by which devices are found and put together. They are a property of the device, for those to edit who may change it; no decision looks at them.
/// </summary>
public static class DeviceTags
{
    /// <summary>On one device.</summary>
    public const int Most = 32;

    /// <summary>Characters of one tag.</summary>
    public const int Longest = 64;

    /// <summary>Characters of all tags of a device as they are stored.</summary>
    public const int MaxLength = Most * (Longest + 1);

    /// <summary><c>[a-z0-9][a-z0-9._:=/-]*</c>, at most 64 characters: such as <c>linux</c> or <c>env:production</c>.</summary>
    public static bool IsTag(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > Longest || !IsLetterOrDigit(text[0])) return false;
        foreach (var character in text)
        {
            if (!IsLetterOrDigit(character) && character is not ('.' or '_' or ':' or '=' or '/' or '-')) return false;
        }

        return true;
    }

    /// <summary>From the form in which a row has them.</summary>
    public static IReadOnlyList<string> Read(string text) => text.Length == 0 ? [] : text.Split(',');

    /// <summary>The form in which a row has them: small letters, each once, in ordinal order, with commas between.</summary>
    /// <param name="problem">One sentence, where it is false.</param>
    public static bool TryWrite(IReadOnlyCollection<string> tags, out string text, [NotNullWhen(false)] out string? problem)
    {
        text = "";
        problem = null;
        if (tags.Count > Most) problem = $"A device has at most {Most} tags.";
        var written = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var tag in problem is null ? tags : [])
        {
            var word = (tag ?? "").Trim().ToLowerInvariant();
            if (IsTag(word)) written.Add(word);
            else problem = $"A tag has 1 to {Longest} characters: a-z, 0-9, and behind the first of them also . _ : = / and -.";
        }

        if (problem is null) text = string.Join(',', written);
        return problem is null;
    }

    private static bool IsLetterOrDigit(char character) => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character);
}
