using System.Globalization;
using System.Text;

namespace Countersign.Sessions;

/// <summary>
/// What people write to each other (reasons, comments) and others read in a terminal, a log or a mail. Control characters, which a terminal acts on, marks that
/// turn the direction of writing or are not seen at all, and halves of characters have no place in it.
/// </summary>
public static class PlainLine
{
    public static bool Holds(Rune character) => character.Value != 0xFFFD && Rune.GetUnicodeCategory(character) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate);

    public static bool IsPlain(string text)
    {
        foreach (var character in text.EnumerateRunes())
        {
            if (!Holds(character)) return false;
        }

        return true;
    }

    /// <summary>Without what has no place, and without blanks around; at most so many UTF-16 units, never half a character.</summary>
    public static string Clean(string text, int longest)
    {
        var clean = new StringBuilder(Math.Min(text.Length, longest));
        foreach (var character in text.AsSpan().TrimStart().EnumerateRunes())
        {
            if (!Holds(character)) continue;
            if (clean.Length + character.Utf16SequenceLength > longest) break;
            clean.Append(character.ToString());
        }

        return clean.ToString().Trim();
    }
}
