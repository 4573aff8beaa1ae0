namespace Countersign.House;

public sealed class SourceTests
{
    [Fact]
    public void The_product_asks_a_TimeProvider_for_the_time() =>
        Findings(Repository.FilesUnder("src", ".cs"), SourceRules.ReadsTheClock).ShouldBeEmpty();

    [Fact]
    public void Tests_wait_for_conditions_and_not_for_time() =>
        Findings(Tests(), SourceRules.WaitsForTime).ShouldBeEmpty();

    [Fact]
    public void No_test_is_skipped() =>
        Findings(Tests(), SourceRules.SkipsATest).ShouldBeEmpty();

    [Fact]
    public void Nothing_is_left_unfinished() =>
        Findings(Repository.FilesUnder("src").Concat(Repository.FilesUnder("console")).Concat(Repository.FilesUnder("bench")).Concat(Repository.FilesUnder("fuzz")).Concat(Tests()).Where(IsSource), SourceRules.IsUnfinished)
            .ShouldBeEmpty();

    [Fact]
    public void No_source_file_is_longer_than_its_reader_s_patience() =>
        Findings(Repository.Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal)), SourceRules.IsTooLong).ShouldBeEmpty();

    [Fact]
    public void Every_suppressed_warning_says_why()
    {
        Findings(Repository.Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal)), SourceRules.SuppressesWithoutReason).ShouldBeEmpty();
        Findings(Repository.Files.Where(IsProjectFile), SourceRules.SilencesWithoutReason).ShouldBeEmpty();
        Findings([".editorconfig"], SourceRules.SwitchesOffWithoutReason).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("var now = DateTime.UtcNow;")]
    [InlineData("var now = DateTimeOffset.Now;")]
    [InlineData("var watch = Stopwatch.StartNew();")]
    [InlineData("var ticks = Environment.TickCount64;")]
    public void Reading_the_clock_is_found(string code) => SourceRules.ReadsTheClock(code).ShouldHaveSingleItem();

    [Theory]
    [InlineData("// never DateTime.UtcNow: a test could not move it")]
    [InlineData("var now = time.GetUtcNow();")]
    public void What_is_not_reading_the_clock_is_left_alone(string code) => SourceRules.ReadsTheClock(code).ShouldBeEmpty();

    [Theory]
    [InlineData("await Task.Delay(100);")]
    [InlineData("Thread.Sleep(1);")]
    public void Waiting_for_time_is_found(string code) => SourceRules.WaitsForTime(code).ShouldHaveSingleItem();

    [Theory]
    [InlineData("[Fact(Sk" + "ip = \"later\")]")]
    [InlineData("Assert.Sk" + "ip(\"not here\");")]
    public void A_skipped_test_is_found(string code) => SourceRules.SkipsATest(code).ShouldHaveSingleItem();

    [Theory]
    [InlineData("// TODO: later")]
    [InlineData("/// <summary>FIXME</summary>")]
    [InlineData("throw new NotImplementedException();")]
    public void What_is_unfinished_is_found(string code) => SourceRules.IsUnfinished(code).ShouldHaveSingleItem();

    [Fact]
    public void A_file_that_is_too_long_is_found()
    {
        SourceRules.IsTooLong(new string('\n', SourceRules.MostLines + 1)).ShouldHaveSingleItem();
        SourceRules.IsTooLong(new string('\n', SourceRules.MostLines)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("#pragma warning disable CA5350", 1)]
    [InlineData("#pragma warning disable CA5350 // why", 1)]
    [InlineData("#pragma warning disable CA5350 // dropbear 2022 has nothing better", 0)]
    [InlineData("// dropbear 2022 has nothing better\n#pragma warning disable CA5350", 0)]
    [InlineData("[SuppressMessage(\"Security\", \"CA5350\")]", 1)]
    [InlineData("[SuppressMessage(\"Security\", \"CA5350\",\n    Justification = \"dropbear 2022 has nothing better\")]", 0)]
    public void A_suppression_without_reason_is_found(string code, int findings) =>
        SourceRules.SuppressesWithoutReason(code).Count().ShouldBe(findings);

    [Theory]
    [InlineData("<NoWarn>$(NoWarn);CA1000</NoWarn>", 1)]
    [InlineData("<!-- CA1000: because. --><NoWarn>$(NoWarn);CA1000;CA2000</NoWarn>", 1)]
    [InlineData("<!-- CA1000: because. -->\n<NoWarn>$(NoWarn);CA1000</NoWarn>", 0)]
    public void A_silenced_warning_without_reason_is_found(string xml, int findings) =>
        SourceRules.SilencesWithoutReason(xml).Count().ShouldBe(findings);

    [Theory]
    [InlineData("dotnet_diagnostic.CA1000.severity = none", 1)]
    [InlineData("# because\ndotnet_diagnostic.CA1000.severity = none\ndotnet_diagnostic.CA2000.severity = none", 1)]
    [InlineData("dotnet_diagnostic.CA1000.severity = warning", 0)]
    public void A_rule_switched_off_without_reason_is_found(string text, int findings) =>
        SourceRules.SwitchesOffWithoutReason(text).Count().ShouldBe(findings);

    /// <summary>This project names what it forbids.</summary>
    private static IEnumerable<string> Tests() =>
        Repository.FilesUnder("tests", ".cs").Where(file => !file.StartsWith("tests/House/", StringComparison.Ordinal));

    private static bool IsSource(string file) =>
        new[] { ".cs", ".ts", ".tsx", ".css", ".html", ".sh", ".csproj" }.Any(ending => file.EndsWith(ending, StringComparison.Ordinal));

    private static bool IsProjectFile(string file) =>
        file.EndsWith(".csproj", StringComparison.Ordinal) || file.EndsWith(".props", StringComparison.Ordinal) || file.EndsWith(".targets", StringComparison.Ordinal);

    private static List<string> Findings(IEnumerable<string> files, Func<string, IEnumerable<string>> rule) =>
        [.. files.SelectMany(file => rule(Repository.Text(file)).Select(finding => $"{file}: {finding}"))];
}
