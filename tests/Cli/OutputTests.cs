using System.Globalization;
using System.Text.Json;
using Countersign.Cli.Shown;

namespace Countersign.Cli;

public sealed class OutputTests : IDisposable
{
    private readonly FakeTerminal _terminal = new();
    private readonly StringWriter _output = new(CultureInfo.InvariantCulture);
    private readonly StringWriter _error = new(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("web1", "web1")]
    [InlineData("Zürich 東京 🦉", "Zürich 東京 🦉")]
    [InlineData("a\u001b[31mred", "a[31mred")]
    [InlineData("a\u001b]0;title\u0007b", "a]0;titleb")]
    [InlineData("a\u009b31mred", "a31mred")]
    [InlineData("a\u007fb\bc\0d\re", "abcde")]
    [InlineData("one\ntwo\tthree\u2028four", "one two three four")]
    [InlineData("user\u202egnp.exe", "usergnp.exe")]
    [InlineData("a\u2066b\u200fc\u200bd\ufeffe", "abcde")]
    [InlineData(null, "")]
    public void What_a_terminal_would_act_on_is_taken_out(string? text, string shown) => CleanText.Line(text).ShouldBe(shown);

    [Fact]
    public void Half_of_a_character_is_replaced() => CleanText.Line("a" + '\ud83e' + "b").ShouldBe("a\ufffdb");

    [Fact]
    public void Json_keeps_its_meaning_and_has_nothing_that_a_terminal_acts_on()
    {
        const string Description = "Zürich \u001b[31m \u009b \u202e \u2066 \u007f 東京 🦉";
        Output(OutputForm.Json).Json(JsonSerializer.Serialize(new Dictionary<string, object> { ["description"] = Description, ["n"] = 1.50m }));
        var shown = _output.ToString();
        shown.ShouldEndWith("}\n");
        shown.Count(character => character == '\n').ShouldBe(1);
        CleanText.Line(shown.TrimEnd('\n')).ShouldBe(shown.TrimEnd('\n'));
        shown.ShouldContain("Zürich");
        shown.ShouldContain("1.50");
        using var document = JsonDocument.Parse(shown);
        document.RootElement.GetProperty("description").GetString().ShouldBe(Description);
    }

    [Fact]
    public void In_a_pipe_a_row_is_one_line_however_long_without_lines_and_colours()
    {
        var name = new string('n', 300);
        Output().Table(["NAME", "STATE"], [[name, "allowed"], ["[bold]web[/]", "a\u001b[31mb\nc"]]);
        var lines = _output.ToString().Split('\n');
        lines.Length.ShouldBe(4);
        lines[0].ShouldStartWith("NAME ");
        lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe([name, "allowed"]);
        lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["[bold]web[/]", "a[31mb", "c"]);
        lines.ShouldAllBe(line => line == line.TrimEnd());
        _output.ToString().ShouldNotContain('\u001b');
    }

    [Fact]
    public void On_a_terminal_a_table_fits_its_width()
    {
        _terminal.IsTerminal = true;
        _terminal.Width = 60;
        _terminal["NO_COLOR"] = "1";
        Output().Table(["NAME", "DESCRIPTION"], [["web1", string.Join(' ', Enumerable.Repeat("word", 40))]]);
        var lines = _output.ToString().TrimEnd('\n').Split('\n');
        lines.ShouldAllBe(line => line.Length <= 60);
        lines.Length.ShouldBeGreaterThan(5);
        lines[0].ShouldStartWith("╭");
        _output.ToString().ShouldNotContain('\u001b');
    }

    [Theory]
    [InlineData(100)]
    [InlineData(80)]
    public void What_one_copies_stays_whole_on_a_terminal(int width)
    {
        _terminal.IsTerminal = true;
        _terminal.Width = width;
        const string Id = "0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68";
        Output().Table(
            ["ID", "WHO", "DEVICE", "ACCOUNT", "WHAT", "STARTED", "FROM"],
            [[Id, "tina", "web01", "root", "command: cat", "2026-11-21 22:21:46 +00:00", "127.0.0.1"]]);
        _output.ToString().ShouldContain(Id);
        _output.ToString().Replace("\u001b[1m", "", StringComparison.Ordinal).Replace("\u001b[0m", "", StringComparison.Ordinal)
            .Split('\n').ShouldAllBe(line => line.Length <= width);
    }

    [Fact]
    public void Colours_are_for_terminals_that_want_them()
    {
        _terminal.IsTerminal = true;
        Output().Table(["NAME"], [["web1"]]);
        _output.ToString().ShouldContain("\u001b[1m");
    }

    [Theory]
    [InlineData(0, "2026-03-04 23:30:05 +00:00")]
    [InlineData(330, "2026-03-05 05:00:05 +05:30")]
    [InlineData(-480, "2026-03-04 15:30:05 -08:00")]
    public void Times_are_local_and_tell_their_zone(int minutes, string shown)
    {
        var at = new DateTimeOffset(2026, 3, 4, 23, 30, 5, TimeSpan.Zero);
        _terminal.Time = new StandingTime(at, TimeSpan.FromMinutes(minutes));
        Output().Time(at).ShouldBe(shown);
        Output().Time(null).ShouldBe("");
    }

    [Theory]
    [InlineData("needsApproval", "needs approval")]
    [InlineData("allowed", "allowed")]
    [InlineData("onRequest", "on request")]
    [InlineData(null, "")]
    public void Names_of_the_api_are_shown_as_words(string? name, string words) => Shown.Output.Words(name).ShouldBe(words);

    [Fact]
    public void A_failure_goes_to_the_error_stream_clean_and_gives_its_exit_code()
    {
        Output().Fail(new Failure(4, "not\u001b[2J there", "do\u0007 this")).ShouldBe(4);
        _output.ToString().ShouldBeEmpty();
        _error.ToString().ShouldBe("countersign: not[2J there\ndo this\n");
    }

    public void Dispose() => _terminal.Dispose();

    private Output Output(OutputForm form = OutputForm.Text) => new(_terminal.Surroundings(_output, _error), form);
}
