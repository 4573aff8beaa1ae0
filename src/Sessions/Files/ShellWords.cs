using System.Text;

namespace Countersign.Sessions.Files;

/// <summary>One word of a command.</summary>
/// <param name="Text">Without quotes; behind the <c>~/</c> of a word that begins in the home directory.</param>
/// <param name="IsAtHome">It began with <c>~/</c>, or was <c>~</c>, unquoted: the shell at the device puts the home directory there.</param>
internal readonly record struct ShellWord(string Text, bool IsAtHome)
{
    /// <summary>It was <c>~/</c> and nothing behind it: to <c>rsync</c> that is what is in the directory, and <c>~</c> the directory itself.</summary>
    public bool IsHomesContent { get; init; }

    /// <summary>For any POSIX shell: it reads this word and nothing else, whatever is in it.</summary>
    public string Quoted
    {
        get
        {
            var quoted = $"'{Text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
            if (!IsAtHome) return quoted;
            return Text.Length > 0 ? $"~/{quoted}" : IsHomesContent ? "~/" : "~";
        }
    }

    /// <summary>
    /// Whether shells that are no POSIX ones read it between single quotes as it is, too: fish knows a backslash there, csh an exclamation mark, PowerShell
    /// typographic quotes, and cmd.exe does not know such quotes at all, so that what is behind a blank could be an option.
    /// </summary>
    public bool IsAnyShells => Text.AsSpan().IndexOfAny(Risky) < 0 && !Text.Contains(" -", StringComparison.Ordinal);

    /// <summary>Parentheses, brackets, braces, <c>#</c> and <c>~</c> are not among them: they are common in names, and mean nothing between quotes or to cmd.exe.</summary>
    private static readonly System.Buffers.SearchValues<char> Risky = System.Buffers.SearchValues.Create("'\"\\`$&|;<>^%!*?\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2028\u2029");
}

/// <summary>
/// Splits a command as a POSIX shell would (XCU 2.2, 2.3), as long as it is words and nothing else: no expansion but a <c>~/</c> in front, no pattern,
/// no operator, no control character.
/// </summary>
internal static class ShellWords
{
    private const int MostWords = 256;

    /// <summary>What means itself outside of quotes, anywhere in a word.</summary>
    private const string Plain = "@%+=:,./-_^";

    /// <summary>False: it is more than words.</summary>
    public static bool TrySplit(string command, List<ShellWord> words)
    {
        for (var at = 0; at < command.Length;)
        {
            if (command[at] == ' ')
            {
                at++;
                continue;
            }

            if (words.Count == MostWords || !TryReadWord(command, ref at, out var word)) return false;
            words.Add(word);
        }

        return true;
    }

    private static bool TryReadWord(string command, ref int at, out ShellWord word)
    {
        word = default;
        var isAtHome = false;
        var hasSlash = false;
        if (command[at] == '~')
        {
            if (at + 1 < command.Length && command[at + 1] is not ('/' or ' ')) return false;
            isAtHome = true;
            at++;
            for (; at < command.Length && command[at] == '/'; at++) hasSlash = true;
        }

        var text = new StringBuilder();
        while (at < command.Length && command[at] != ' ')
        {
            if (!TryReadPart(command, ref at, text)) return false;
        }

        word = new(text.ToString(), isAtHome) { IsHomesContent = hasSlash && text.Length == 0 };
        return true;
    }

    private static bool TryReadPart(string command, ref int at, StringBuilder text)
    {
        var character = command[at++];
        switch (character)
        {
            case '\'':
                return TryReadQuoted(command, ref at, text);
            case '"':
                return TryReadDoubleQuoted(command, ref at, text);
            case '\\':
                if (at == command.Length || char.IsControl(command[at])) return false;
                text.Append(command[at++]);
                return true;
            default:
                if (!char.IsAsciiLetterOrDigit(character) && !Plain.Contains(character, StringComparison.Ordinal) && character < 0xA0 && !IsPlainTilde(command, at - 1, text)) return false;
                text.Append(character);
                return true;
        }
    }

    /// <summary>Not in front, and not where a variable's value would begin: bash puts the home directory there in the words of a command, too.</summary>
    private static bool IsPlainTilde(string command, int at, StringBuilder text) => command[at] == '~' && text.Length > 0 && command[at - 1] is not ('=' or ':');

    private static bool TryReadQuoted(string command, ref int at, StringBuilder text)
    {
        for (; at < command.Length; at++)
        {
            if (command[at] == '\'')
            {
                at++;
                return true;
            }

            if (char.IsControl(command[at])) return false;
            text.Append(command[at]);
        }

        return false;
    }

    private static bool TryReadDoubleQuoted(string command, ref int at, StringBuilder text)
    {
        while (at < command.Length)
        {
            var character = command[at++];
            if (character == '"') return true;
            if (character is '$' or '`' || char.IsControl(character)) return false;
            if (character == '\\' && at < command.Length && command[at] is '$' or '`' or '"' or '\\') character = command[at++];
            text.Append(character);
        }

        return false;
    }
}
