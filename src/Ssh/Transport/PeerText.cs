using System.Globalization;
using System.Text;

namespace Countersign.Ssh.Transport;

/// <summary>Text of the peer, for a log line or a person: nothing in it may move a cursor, forge a line, or go on for ever.</summary>
internal static class PeerText
{
    public static string Clean(ReadOnlySpan<byte> utf8, int most) => Clean(Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * most)]), most);

    public static string Clean(string text, int most)
    {
        var clean = new StringBuilder(Math.Min(text.Length, most));
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length + rune.Utf16SequenceLength > most) break;
            clean.Append(IsUnseen(rune) ? "?" : rune.ToString());
        }

        return clean.ToString();
    }

    /// <summary>What a terminal acts on, breaks a line, turns the direction of writing, or is not seen at all.</summary>
    private static bool IsUnseen(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
