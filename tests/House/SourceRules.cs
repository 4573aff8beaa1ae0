using System.Text.RegularExpressions;

namespace Countersign.House;

/// <summary>The rules for the text of source files, as functions from text to findings, so that each is shown to find what it looks for.</summary>
internal static partial class SourceRules
{
    public const int MostLines = 600;

    public static IEnumerable<string> ReadsTheClock(string text) => InCode(text, Clock());

    public static IEnumerable<string> WaitsForTime(string text) => InCode(text, Waiting());

    public static IEnumerable<string> SkipsATest(string text) => InCode(text, Skipping());

    /// <summary>In comments, too: there most of all.</summary>
    public static IEnumerable<string> IsUnfinished(string text) => Unfinished().Matches(text).Select(match => match.Value);

    public static IEnumerable<string> HoldsAPrivateKey(string text) => PrivateKey().Matches(text).Select(_ => "a private key");

    public static IEnumerable<string> IsTooLong(string text)
    {
        var lines = text.Count(character => character == '\n');
        return lines > MostLines ? [$"{lines} lines"] : [];
    }

    /// <summary>A pragma says why behind the codes or in the comment line above it; an attribute in its Justification.</summary>
    public static IEnumerable<string> SuppressesWithoutReason(string text)
    {
        var lines = text.Split('\n');
        for (var number = 0; number < lines.Length; number++)
        {
            var line = lines[number].Trim();
            if (line.StartsWith("#pragma warning disable", StringComparison.Ordinal))
            {
                var above = number > 0 ? lines[number - 1].Trim() : "";
                if (!Comment().IsMatch(line) && !(above.StartsWith("//", StringComparison.Ordinal) && Comment().IsMatch(above)))
                    yield return $"line {number + 1}: {line}";
            }
            else if (SuppressMessage().IsMatch(line))
            {
                var attribute = string.Join(' ', lines.Skip(number).Take(4));
                if (!Justification().IsMatch(attribute.Split(")]")[0]))
                    yield return $"line {number + 1}: {line}";
            }
        }
    }

    /// <summary>In project files: the comment directly above a NoWarn names each code that it adds.</summary>
    public static IEnumerable<string> SilencesWithoutReason(string xml)
    {
        foreach (Match match in NoWarn().Matches(xml))
        {
            var codes = match.Groups["codes"].Value.Split(';', StringSplitOptions.RemoveEmptyEntries).Where(code => code is not "$(NoWarn)");
            var comment = match.Groups["comment"].Value;
            foreach (var code in codes.Where(code => !comment.Contains(code, StringComparison.Ordinal)))
                yield return code;
        }
    }

    /// <summary>In .editorconfig: the line above a rule that is switched off is a comment.</summary>
    public static IEnumerable<string> SwitchesOffWithoutReason(string text)
    {
        var lines = text.Split('\n');
        for (var number = 0; number < lines.Length; number++)
        {
            if (SwitchedOff().IsMatch(lines[number]) && (number == 0 || !lines[number - 1].StartsWith('#')))
                yield return lines[number];
        }
    }

    /// <summary>Comments may name what the code must not do.</summary>
    private static IEnumerable<string> InCode(string text, Regex pattern) =>
        text.Split('\n').Select((line, index) => (Code: LineComment().Replace(line, ""), Number: index + 1))
            .Where(line => pattern.IsMatch(line.Code))
            .Select(line => $"line {line.Number}: {line.Code.Trim()}");

    [GeneratedRegex(@"\bDateTime(Offset)?\.(UtcNow|Now|Today)\b|\bStopwatch\b|\bEnvironment\.TickCount|\bThread\.Sleep\b")]
    private static partial Regex Clock();

    [GeneratedRegex(@"\bThread\.Sleep\b|\bTask\.Delay\b|\bSpinWait\b")]
    private static partial Regex Waiting();

    [GeneratedRegex(@"\bSkip\s*=\s*""|\bSkipUnless\s*=|\bSkipWhen\s*=|\bAssert\.Skip|\bExplicit\s*=\s*true")]
    private static partial Regex Skipping();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|\bNotImplementedException\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s""'+\\nr]*[A-Za-z0-9+/]{40}|b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/]{40}")]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"(?<!:)//.*$")]
    private static partial Regex LineComment();

    [GeneratedRegex(@"//\s*\S.{9,}")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\[[^""]*\b(Unconditional)?SuppressMessage(Attribute)?\(")]
    private static partial Regex SuppressMessage();

    [GeneratedRegex(@"Justification\s*=\s*""[^""]{10,}""")]
    private static partial Regex Justification();

    [GeneratedRegex(@"(?:<!--(?<comment>(?:(?!-->).)*)-->\s*)?<NoWarn\b[^>]*>(?<codes>[^<]*)</NoWarn>", RegexOptions.Singleline)]
    private static partial Regex NoWarn();

    [GeneratedRegex(@"^dotnet_diagnostic\.\w+\.severity\s*=\s*(none|silent)")]
    private static partial Regex SwitchedOff();
}
