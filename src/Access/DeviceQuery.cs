using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Countersign.Access;

/// <summary>
/// Which devices are looked for. Words with blanks between, all of which have to fit: a part of the name, the description, a tag or the host;
/// <c>tag:linux</c> a whole tag, <c>tag:env:*</c> the beginning of one; <c>host:10.1.</c> a part of the host; <c>service:rdp</c> and <c>port:3390</c> a service; <c>group:berlin</c> a part of the name of
/// the group that the device is in or of one above it. What has blanks stands in quotes: <c>group:"New York"</c>. Small and capital letters are the same.
/// </summary>
public sealed class DeviceQuery
{
    public const int Longest = 400;
    public const int MostWords = 16;

    private DeviceQuery(IReadOnlyList<Word> words) => Words = words;

    public static DeviceQuery Everything { get; } = new([]);

    /// <summary>Only devices directly in this group.</summary>
    public DeviceGroupId? Group { get; init; }

    /// <summary>Only devices in this group or one below it.</summary>
    public DeviceGroupId? Under { get; init; }

    internal IReadOnlyList<Word> Words { get; private init; }

    internal enum Part
    {
        Anything,
        Tag,
        TagBeginning,
        Host,
        Group,
        Service,
        Port,
    }

    /// <summary>The same words within other groups.</summary>
    public DeviceQuery In(DeviceGroupId? group, DeviceGroupId? under) => new(Words) { Group = group, Under = under };

    /// <param name="text">Null or blank: every device.</param>
    /// <param name="problem">One sentence, where it is false.</param>
    public static bool TryParse(string? text, out DeviceQuery query, [NotNullWhen(false)] out string? problem)
    {
        query = Everything;
        problem = text?.Length > Longest ? $"A search has at most {Longest} characters." : null;
        if (problem is not null || string.IsNullOrWhiteSpace(text)) return problem is null;
        var words = new List<Word>();
        foreach (var word in Split(Names.Composed(text)))
        {
            if (Read(word) is { Text.Length: > 0 } read) words.Add(read);
        }

        if (words.Count > MostWords) problem = $"A search has at most {MostWords} words.";
        else query = new(words);
        return problem is null;
    }

    private static Word Read(string word)
    {
        if (Behind("tag:") is { } tag) return tag.EndsWith('*') ? new(Part.TagBeginning, tag[..^1]) : new(Part.Tag, tag);
        if (Behind("host:") is { } host) return new(Part.Host, host);
        if (Behind("service:") is { } service) return new(Part.Service, service);
        if (Behind("port:") is { } port) return new(Part.Port, port);
        return Behind("group:") is { } group ? new(Part.Group, group) : new(Part.Anything, word.ToLowerInvariant());

        string? Behind(string prefix) => word.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? word[prefix.Length..].ToLowerInvariant() : null;
    }

    /// <summary>At blanks outside of quotes, which are left out themselves. A quote that is not closed reaches to the end.</summary>
    private static IEnumerable<string> Split(string text)
    {
        var word = new StringBuilder();
        var quoted = false;
        foreach (var character in text)
        {
            if (character == '"') quoted = !quoted;
            else if (quoted || !char.IsWhiteSpace(character)) word.Append(character);
            else if (word.Length > 0)
            {
                yield return word.ToString();
                word.Clear();
            }
        }

        if (word.Length > 0) yield return word.ToString();
    }

    /// <param name="Text">In small letters.</param>
    internal sealed record Word(Part Of, string Text)
    {
        private readonly SearchValues<string> _anywhere = SearchValues.Create([Text], StringComparison.OrdinalIgnoreCase);

        /// <summary>Whether it is a part of the text, in capital letters or small ones.</summary>
        public bool IsIn(string text) => text.AsSpan().ContainsAny(_anywhere);
    }
}
