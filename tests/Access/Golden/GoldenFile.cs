using System.Text;

namespace Countersign.Access.Tests.Golden;

/// <summary>
/// A chapter of examples in Markdown, read strictly:
/// <c># Chapter</c>, prose and perhaps a <c>```policy</c> block that all of its cases share; then cases, each <c>## Title</c>, one line that says
/// why, perhaps a <c>```policy</c> block that adds to the chapter's, and steps <c>- **question or change** → answer</c> with reasons as
/// sub-items. Anything else is an error that names the line.
/// </summary>
internal sealed class GoldenFile
{
    private const string Arrow = "** → ";

    private readonly string[] _lines;
    private int _at;

    private GoldenFile(string path)
    {
        Path = path;
        _lines = File.ReadAllText(path).Split('\n');
        Title = Take("# ");
        Prose = TakeProse();
        Policy = TakePolicy();
        while (!IsAtEnd) Cases.Add(TakeCase());
        if (Cases.Count == 0) throw Error("a chapter has cases");
    }

    public string Path { get; }

    public string Title { get; }

    public IReadOnlyList<string> Prose { get; }

    public IReadOnlyList<GoldenLine> Policy { get; }

    public List<GoldenCase> Cases { get; } = [];

    private bool IsAtEnd => _at >= _lines.Length || (_at == _lines.Length - 1 && _lines[_at].Length == 0);

    public static GoldenFile Read(string path) => new(path);

    /// <summary>The same file; with other answers if those of the cases were changed.</summary>
    public string Write(int depth)
    {
        var marks = new string('#', depth);
        var text = new StringBuilder();
        text.Append(marks).Append(' ').Append(Title).Append("\n\n");
        foreach (var line in Prose) text.Append(line).Append("\n\n");
        WritePolicy(text, Policy);
        foreach (var one in Cases)
        {
            text.Append(marks).Append("# ").Append(one.Title).Append("\n\n").Append(one.Why).Append("\n\n");
            WritePolicy(text, one.Policy);
            foreach (var step in one.Steps)
            {
                text.Append("- **").Append(step.Text).Append(Arrow).Append(step.Answer).Append('\n');
                foreach (var reason in step.Reasons) text.Append("  - ").Append(reason).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void WritePolicy(StringBuilder text, IReadOnlyList<GoldenLine> policy)
    {
        if (policy.Count == 0) return;
        text.Append("```policy\n");
        foreach (var line in policy) text.Append(line.Text).Append('\n');
        text.Append("```\n\n");
    }

    private GoldenCase TakeCase()
    {
        var one = new GoldenCase { Title = Take("## "), Why = TakeLine(), Policy = TakePolicy() };
        if (one.Why.Length == 0 || !one.Why.EndsWith('.')) throw Error("below a title stands one sentence that says why");
        while (!IsAtEnd && _lines[_at].StartsWith("- **", StringComparison.Ordinal)) one.Steps.Add(TakeStep());
        if (one.Steps.Count == 0) throw Error("a case asks something");
        SkipEmpty();
        return one;
    }

    private GoldenStep TakeStep()
    {
        var line = _lines[_at];
        var arrow = line.IndexOf(Arrow, StringComparison.Ordinal);
        if (arrow < 0) throw Error("a step is '- **question** → answer'");
        var step = new GoldenStep(new(line[4..arrow], Where), line[(arrow + Arrow.Length)..]);
        for (_at++; _at < _lines.Length && _lines[_at].StartsWith("  - ", StringComparison.Ordinal); _at++) step.Reasons.Add(_lines[_at][4..]);
        return step;
    }

    private List<string> TakeProse()
    {
        var prose = new List<string>();
        while (!IsAtEnd && !_lines[_at].StartsWith('#') && !_lines[_at].StartsWith('`')) prose.Add(TakeLine());
        return prose;
    }

    private List<GoldenLine> TakePolicy()
    {
        var policy = new List<GoldenLine>();
        if (IsAtEnd || _lines[_at] != "```policy") return policy;
        for (_at++; _lines[_at] != "```"; _at++)
        {
            if (_lines[_at].Length == 0 || _lines[_at].StartsWith('#') || _at == _lines.Length - 1) throw Error("a block of policy has one statement a line and ends with ```");
            policy.Add(new(_lines[_at], Where));
        }

        _at++;
        SkipEmpty();
        return policy;
    }

    private string Take(string mark) =>
        _lines[_at].StartsWith(mark, StringComparison.Ordinal) ? TakeLine()[mark.Length..] : throw Error($"a line with '{mark}' is expected");

    private string TakeLine()
    {
        var line = _lines[_at++];
        SkipEmpty();
        return line;
    }

    private void SkipEmpty()
    {
        while (!IsAtEnd && _lines[_at].Length == 0) _at++;
    }

    private string Where => $"{System.IO.Path.GetFileName(Path)}:{_at + 1}";

    private FormatException Error(string message) => new($"{Where}: {message}");
}

/// <param name="Where">File and line, for messages.</param>
internal sealed record GoldenLine(string Text, string Where)
{
    public FormatException Error(string message) => new($"{Where}: {message}: {Text}");
}

internal sealed class GoldenCase
{
    public required string Title { get; init; }

    public required string Why { get; init; }

    public required IReadOnlyList<GoldenLine> Policy { get; init; }

    public List<GoldenStep> Steps { get; } = [];
}

internal sealed class GoldenStep(GoldenLine line, string answer)
{
    public GoldenLine Line { get; } = line;

    public string Text => Line.Text;

    public string Answer { get; set; } = answer;

    public List<string> Reasons { get; } = [];
}
