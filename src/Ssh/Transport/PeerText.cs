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
            clean.Append(Rune.IsControl(rune) || IsDirection(rune) ? "?" : rune.ToString());
        }

        return clean.ToString();
    }

    /// <summary>Line separators and the marks that reorder text on the screen.</summary>
    private static bool IsDirection(Rune rune) => rune.Value is 0x061c or 0x200e or 0x200f or (>= 0x2028 and <= 0x202e) or (>= 0x2066 and <= 0x2069);
}
