using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Countersign.Access;

/// <summary>
/// Letters composed in one way only: Normalization Form C of UAX #15. Done here since the process runs without the tables of the platform, where
/// <see cref="string.Normalize()"/> gives back what it gets.
/// </summary>
internal static class Composition
{
    // UAX #15 section 10: Hangul syllables are in the order of the letters that they are made of.
    private const int FirstSyllable = 0xAC00, FirstLead = 0x1100, FirstVowel = 0x1161, BeforeTail = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28, Syllables = Leads * Vowels * Tails;

    private static readonly FrozenDictionary<int, (int First, int Second)> Parts = Read(CompositionTables.Composed).Concat(Read(CompositionTables.Apart)).ToFrozenDictionary();
    private static readonly FrozenDictionary<(int First, int Second), int> Wholes = Read(CompositionTables.Composed).ToFrozenDictionary(pair => pair.Value, pair => pair.Key);
    private static readonly FrozenDictionary<int, byte> Classes = ReadClasses().ToFrozenDictionary();

    /// <summary>The text composed; the same object where it is so already by being Latin. Halves of characters become the replacement character.</summary>
    public static string Of(string text)
    {
        // Nothing below the first mark is changed by composing.
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u02ff')) return text;
        var apart = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) TakeApart(rune.Value, apart);
        Order(apart);
        var written = new StringBuilder(text.Length);
        foreach (var character in Compose(apart)) written.Append(new Rune(character).ToString());
        return written.ToString();
    }

    private static void TakeApart(int character, List<int> apart)
    {
        if (character - FirstSyllable is >= 0 and < Syllables and var syllable)
        {
            apart.Add(FirstLead + (syllable / (Vowels * Tails)));
            apart.Add(FirstVowel + (syllable % (Vowels * Tails) / Tails));
            if (syllable % Tails > 0) apart.Add(BeforeTail + (syllable % Tails));
        }
        else if (Parts.TryGetValue(character, out var parts))
        {
            TakeApart(parts.First, apart);
            if (parts.Second > 0) TakeApart(parts.Second, apart);
        }
        else
        {
            apart.Add(character);
        }
    }

    /// <summary>Marks that don't touch each other may be written in any order: here it is that of their classes.</summary>
    private static void Order(List<int> characters)
    {
        for (var start = 0; start < characters.Count; start++)
        {
            var end = start;
            while (end < characters.Count && ClassOf(characters[end]) > 0) end++;
            if (end - start < 2) continue;
            var ordered = characters[start..end].OrderBy(ClassOf).ToList();
            for (var index = 0; index < ordered.Count; index++) characters[start + index] = ordered[index];
            start = end;
        }
    }

    private static List<int> Compose(List<int> apart)
    {
        var whole = new List<int>(apart.Count);
        var (letter, last) = (-1, 0);
        foreach (var character in apart)
        {
            var own = ClassOf(character);

            // A mark of the same class, or another letter, stands between.
            var isBlocked = letter < 0 || (last != 0 && last >= own);
            if (!isBlocked && Together(whole[letter], character) is { } composed)
            {
                whole[letter] = composed;
                continue;
            }

            if (own == 0) letter = whole.Count;
            last = own;
            whole.Add(character);
        }

        return whole;
    }

    private static int? Together(int first, int second)
    {
        var (lead, vowel, tail) = (first - FirstLead, second - FirstVowel, second - BeforeTail);
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels) return FirstSyllable + (((lead * Vowels) + vowel) * Tails);
        if (first - FirstSyllable is >= 0 and < Syllables and var syllable && syllable % Tails == 0 && tail is > 0 and < Tails) return first + tail;
        return Wholes.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private static byte ClassOf(int character) => Classes.GetValueOrDefault(character);

    private static IEnumerable<KeyValuePair<int, (int First, int Second)>> Read(string table)
    {
        foreach (var entry in Entries(table))
        {
            var parts = entry.Value.Split('+');
            yield return new(Number(entry.Key), (Number(parts[0]), parts.Length > 1 ? Number(parts[1]) : 0));
        }
    }

    private static IEnumerable<KeyValuePair<int, byte>> ReadClasses()
    {
        foreach (var (range, value) in Entries(CompositionTables.Classes))
        {
            var ends = range.Split('-');
            for (var character = Number(ends[0]); character <= Number(ends[^1]); character++) yield return new(character, byte.Parse(value, CultureInfo.InvariantCulture));
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Entries(string table) =>
        table.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(entry => entry.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]));

    private static int Number(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
