using System.Runtime.CompilerServices;
using System.Text;

namespace Countersign.Access.Tests.Golden;

/// <summary>
/// The access model by example. Every case runs through the engine and the naive model. <c>UPDATE_GOLDEN=1</c> writes the details of answers, the
/// reasons and docs/access-model.md anew; it never writes another verdict: the first words of an answer are for people to change.
/// </summary>
public sealed class GoldenTests
{
    private static readonly bool Updates = Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1";

    public static TheoryData<string> Chapters => [.. Directory.GetFiles(Here(), "*.md").Order(StringComparer.Ordinal).Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Chapters))]
    public void Both_implementations_answer_as_the_chapter_says(string chapter)
    {
        var file = GoldenFile.Read(Path.Combine(Here(), chapter));
        foreach (var one in file.Cases)
        {
            var run = new GoldenRun([.. file.Policy, .. one.Policy]);
            foreach (var step in one.Steps)
            {
                var (engine, naive, reasons) = run.Answer(step.Line);
                var where = $"{step.Line.Where}: {step.Text}";
                naive.ShouldBe(engine, $"{where}: the naive model says otherwise");
                Verdict(engine).ShouldBe(Verdict(step.Answer), where);
                if (Updates)
                {
                    step.Answer = engine;
                    step.Reasons.Clear();
                    step.Reasons.AddRange(reasons);
                }

                engine.ShouldBe(step.Answer, where);
                reasons.ShouldBe(step.Reasons, where);
            }
        }

        if (Updates) File.WriteAllText(file.Path, file.Write(1));
        File.ReadAllText(file.Path).ShouldBe(file.Write(1), "the file is not in its own form: UPDATE_GOLDEN=1 brings it there");
    }

    [Fact]
    public void The_document_is_made_of_the_chapters()
    {
        // Tests of a class run in any order, and what is written has to be of the chapters as they are afterwards.
        if (Updates) foreach (var chapter in Chapters) Both_implementations_answer_as_the_chapter_says(chapter.Data);
        var document = Document();
        if (Updates) File.WriteAllText(Committed(), document);
        File.ReadAllText(Committed()).ShouldBe(document, "docs/access-model.md is not what the chapters say: UPDATE_GOLDEN=1 writes it anew");
    }

    [Fact]
    public void Titles_are_said_once()
    {
        var titles = Chapters.SelectMany(chapter => GoldenFile.Read(Path.Combine(Here(), chapter.Data)).Cases).Select(one => one.Title).ToList();
        titles.Count.ShouldBeGreaterThan(50);
        titles.GroupBy(title => title).Where(same => same.Count() > 1).Select(same => same.Key).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("# Chapter\n\n## Case\n\nWhy.\n\n- **olga wants Terminal** → allowed\n")]
    [InlineData("# Chapter\n\n## Case\n\nWhy.\n\n- olga wants Terminal on web01\n")]
    [InlineData("# Chapter\n\n## Case\n\nNo full stop\n\n- **the devices of olga** → none\n")]
    [InlineData("# Chapter\n\n## Case\n\nWhy.\n\n```policy\ntechnician anna is tall\n```\n\n- **the devices of olga** → none\n")]
    [InlineData("# Chapter\n\n## Case\n\nWhy.\n\n```policy\ndevice web01 in Nowhere, account deploy\n```\n\n- **the devices of olga** → none\n")]
    [InlineData("# Chapter\n")]
    public void What_is_not_of_the_form_is_refused_with_its_line(string text)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.md");
        File.WriteAllText(path, text);
        try
        {
            Should.Throw<FormatException>(() =>
            {
                var file = GoldenFile.Read(path);
                var run = new GoldenRun([.. file.Policy, .. file.Cases[0].Policy]);
                run.Answer(file.Cases[0].Steps[0].Line);
            }).Message.ShouldContain(".md:");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Verdict(string answer) => answer.Split(':', ';', ',', ' ')[0];

    private static string Document()
    {
        var files = Chapters.Select(chapter => GoldenFile.Read(Path.Combine(Here(), chapter.Data))).ToList();
        var text = new StringBuilder(File.ReadAllText(Path.Combine(Here(), "introduction.txt")));
        text.Append('\n');
        foreach (var file in files) text.Append("- [").Append(file.Title).Append("](#").Append(Anchor(file.Title)).Append(")\n");
        foreach (var file in files) text.Append('\n').Append(file.Write(2));
        var lines = text.ToString().Replace("```policy", "```text", StringComparison.Ordinal).Split('\n').Where(line => !IsUsual(line));
        return string.Join('\n', lines);
    }

    /// <summary>Reasons that nearly every answer has, and that the introduction says instead.</summary>
    private static bool IsUsual(string line) =>
        line == "  - Allowed."
        || (line.StartsWith("  - ", StringComparison.Ordinal)
            && (line.EndsWith(", and active.", StringComparison.Ordinal) || line.EndsWith(" is recorded (inherited from the organization).", StringComparison.Ordinal)));

    private static string Anchor(string title) =>
        string.Concat(title.ToLowerInvariant().Select(character => character == ' ' ? '-' : character).Where(character => char.IsAsciiLetterOrDigit(character) || character == '-'));

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;

    private static string Committed() => Path.GetFullPath(Path.Combine(Here(), "../../../docs/access-model.md"));
}
