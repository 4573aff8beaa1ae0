using System.Globalization;
using System.Text;

namespace Countersign.Cli.Shown;

/// <summary>
/// Text from the server is text of many people: a device's description could hold sequences that move the cursor, rename the window or answer in the
/// reader's name. What a terminal would act on, and what turns the direction of reading, is taken out before it is shown.
/// </summary>
internal static class CleanText
{
    /// <summary>On one line: breaks and tabs become a space.</summary>
    public static string Line(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            switch (Rune.GetUnicodeCategory(rune))
            {
                case UnicodeCategory.Control when rune.Value is '\n' or '\t':
                case UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator:
                    clean.Append(' ');
                    break;

                // C0, DEL and C1; format characters, among them all that change direction; lone surrogates come as U+FFFD already.
                case UnicodeCategory.Control or UnicodeCategory.Format:
                    break;
                default:
                    clean.Append(rune.ToString());
                    break;
            }
        }

        return clean.ToString();
    }
}
