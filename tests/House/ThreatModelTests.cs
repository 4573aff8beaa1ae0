using System.Text.RegularExpressions;

namespace Countersign.House;

/// <summary>The threat model says which test holds each line: a test that was renamed or removed leaves a line that nothing holds.</summary>
public sealed partial class ThreatModelTests
{
    private const string Model = "docs/threat-model.md";

    [Fact]
    public void Every_test_that_the_threat_model_names_is_there()
    {
        var rows = Rows(Repository.Text(Model)).ToList();
        rows.Count.ShouldBeGreaterThan(150);
        rows.SelectMany(row => Names(row.HeldBy)).Where(name => !IsThere(name)).Distinct().ShouldBeEmpty();
    }

    [Fact]
    public void Every_line_of_the_threat_model_is_held_by_more_than_a_folder() =>
        Rows(Repository.Text(Model)).Where(row => !IsHeld(row.HeldBy)).Select(row => row.Threat).ShouldBeEmpty();

    [Theory]
    [InlineData("Every_test_that_the_threat_model_*")]
    [InlineData("ThreatModelTests.Every_line_of_the_threat_model_is_held_by_more_than_a_folder")]
    [InlineData("ThreatModelTests")]
    [InlineData("*_that_the_threat_model_names_is_there")]
    [InlineData("tests/House")]
    public void A_test_is_found(string name) => IsThere(name).ShouldBeTrue();

    [Theory]
    [InlineData("Every_test_that_nobody_*")]
    [InlineData("Every_test_that_the_threat_model")]
    [InlineData("SourceRuleTests")]
    [InlineData("SourceTests.Every_test_that_the_threat_model_*")]
    [InlineData("tests/Mansion")]
    public void A_test_that_is_not_there_is_missed(string name) => IsThere(name).ShouldBeFalse();

    [Theory]
    [InlineData("`tests/House`", false)]
    [InlineData("`tests/House`, `tests/Ssh`: the same text", false)]
    [InlineData("`tests/House` (`ThreatModelTests`)", true)]
    [InlineData("by construction, `src/Audit/RecordSeal.cs`", true)]
    public void A_folder_alone_holds_nothing(string heldBy, bool isHeld) => IsHeld(heldBy).ShouldBe(isHeld);

    private static IEnumerable<(string Threat, string HeldBy)> Rows(string text) =>
        from line in text.Split('\n')
        where line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| ---", StringComparison.Ordinal)
        let cells = line.Trim().Trim('|').Split(" | ")
        where cells[^1].Trim() is not ("held by" or "test")
        select (cells[0].Trim(), cells[^1].Trim());

    /// <summary>By a test, by an example or law of the access model, or by what the code is.</summary>
    private static bool IsHeld(string heldBy) =>
        Names(heldBy).Any(name => !name.Contains('/', StringComparison.Ordinal)) || Otherwise().IsMatch(heldBy);

    private static IEnumerable<string> Names(string heldBy) => Quoted().Matches(heldBy).Select(match => match.Groups[1].Value.Replace('…', '*'));

    private static bool IsThere(string name)
    {
        if (name.Contains('/', StringComparison.Ordinal)) return Repository.Files.Any(file => file == name.Split(' ')[0] || file.StartsWith(name + "/", StringComparison.Ordinal));
        if (Named.Value.Any(one => one.Name == name)) return true;
        var parts = name.Split('.');
        var wanted = new Regex($"^{Regex.Escape(parts[^1]).Replace(@"\*", @"\w+", StringComparison.Ordinal)}$");
        return Named.Value.Any(one => wanted.IsMatch(one.Name) && (parts.Length == 1 || one.Class == parts[0]));
    }

    /// <summary>Of the tests, and the files and routes that stand for some: each with the class that it is in.</summary>
    private static readonly Lazy<List<(string Class, string Name)>> Named = new(() =>
    [
        .. from file in Repository.FilesUnder("tests", ".cs")
           let holder = Path.GetFileNameWithoutExtension(file)
           from name in Test().Matches(Repository.Text(file)).Select(match => match.Groups[1].Value).Append(holder)
           select (holder, name),
        .. Repository.FilesUnder("tests", ".txt").Select(file => ("", Path.GetFileName(file))),
        .. Repository.FilesUnder("src", ".cs").Select(file => ("", Path.GetFileNameWithoutExtension(file))),
        .. from file in Repository.FilesUnder("tests/Fuzz", ".cs") from target in Target().Matches(Repository.Text(file)).Select(match => match.Groups[1].Value) select ("", target),
    ]);

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b(types|by construction|route matrix|laws?|chapter)\b|\*[A-Z][^*`]+\*")]
    private static partial Regex Otherwise();

    [GeneratedRegex(@"\bpublic (?:async )?(?:Task|ValueTask|void) (\w+)\(")]
    private static partial Regex Test();

    [GeneratedRegex("\"([a-z]+(?:-[a-z]+)+)\"")]
    private static partial Regex Target();
}
