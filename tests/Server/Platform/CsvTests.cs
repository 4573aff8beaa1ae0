using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Platform;

public sealed class CsvTests
{
    [Theory]
    [InlineData("a,b\r\nc,d\r\n", "a|b/c|d")]
    [InlineData("a,b\nc,d", "a|b/c|d")]
    [InlineData("\uFEFFa,b\n\n\r\n", "a|b")]
    [InlineData("a,\"b,\"\"c\"\"\r\nd\"\n,\n", "a|b,\"c\"\r\nd/|")]
    [InlineData("\"\",x\n", "|x")]
    [InlineData("'=1,'plain,''-x", "=1|'plain|'-x")]
    [InlineData("", "")]
    public void A_table_is_read_as_RFC_4180_has_it(string text, string expected)
    {
        Csv.TryRead(text, 10, 8, out var records, out var fault).ShouldBeTrue(fault?.Message);
        string.Join('/', records.Select(record => string.Join('|', record.Fields))).ShouldBe(expected);
    }

    [Theory]
    [InlineData("a\nb\"c", 2)]
    [InlineData("a\n\"b", 2)]
    [InlineData("a\n\"b\nc\"d\n", 3)]
    [InlineData("a\rb", 1)]
    [InlineData("\"a\"\r", 1)]
    public void What_is_no_table_is_told_with_its_line(string text, int line)
    {
        Csv.TryRead(text, 10, 8, out _, out var fault).ShouldBeFalse();
        fault!.Line.ShouldBe(line);
    }

    [Fact]
    public void Records_know_their_lines_and_are_bounded()
    {
        Csv.TryRead("a\n\n\"b\nb\"\nc\n", 3, 16, out var records, out _).ShouldBeTrue();
        records.Select(record => record.Line).ShouldBe([1, 3, 5]);
        Csv.TryRead("a\nb\nc\nd\n", 3, 16, out _, out var fault).ShouldBeFalse();
        fault!.Line.ShouldBe(4);
    }

    [Fact]
    public void The_fields_of_a_record_are_bounded_before_they_are_read()
    {
        Csv.TryRead("a,b,c\n1,2,3\n", 3, 3, out _, out var fault).ShouldBeTrue(fault?.Message);
        Csv.TryRead("a,b,c\n1,2,3,4\n", 3, 3, out _, out fault).ShouldBeFalse();
        fault!.Line.ShouldBe(2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Csv.TryRead(new string(',', 8 * 1024 * 1024), 3, 64, out _, out fault).ShouldBeFalse();
        fault!.Line.ShouldBe(1);

        // The text itself is 16 MiB; what is read of it is next to nothing.
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(17 * 1024 * 1024);
    }

    [Fact]
    public void Whatever_is_written_is_read_as_it_was_and_nothing_of_it_is_a_formula()
    {
        var random = new Random(20261128);
        const string Alphabet = "ab'=+-@\"\t\r\n,; ü😀";
        for (var round = 0; round < 5000; round++)
        {
            // A record of one empty field is an empty line, which is none.
            string[] fields = ["x", .. Enumerable.Range(0, random.Next(4)).Select(_ => new string([.. Enumerable.Range(0, random.Next(6)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]))];
            var line = Csv.Line(fields);
            Csv.TryRead(line + line, 10, 8, out var records, out var fault).ShouldBeTrue($"{line}: {fault?.Message}");
            records.Select(record => record.Fields).ShouldBe([fields, fields]);
            foreach (var field in fields.Select(Csv.Field))
            {
                (field.StartsWith('"') ? field[1..] : field).ShouldNotMatch("^[=+@\t\r\n-]");

                // Where cells are separated otherwise than we do, and a quote within a line means nothing.
                field.ShouldNotMatch("[;\t\r\n][\" ]*[=+@-]");
            }
        }
    }

    [Theory]
    [InlineData("x;=cmd|' /C calc'!A0;y", "\"x;'=cmd|' /C calc'!A0;y\"")]
    [InlineData("x\t@sum", "\"x\t'@sum\"")]
    [InlineData("x; \"+1\"", "\"x;' \"\"+1\"\"\"")]
    [InlineData("x;'=1", "\"x;''=1\"")]
    [InlineData("x;y", "\"x;y\"")]
    [InlineData("x=1", "x=1")]
    [InlineData("=1", "'=1")]
    public void What_begins_a_cell_where_they_are_separated_by_semicolons_or_tabs_is_no_formula_either(string text, string written)
    {
        Csv.Field(text).ShouldBe(written);
        Csv.TryRead(written + "\n", 1, 1, out var records, out var fault).ShouldBeTrue(fault?.Message);
        records[0].Fields.ShouldBe([text]);
    }

    [Fact]
    public void Random_text_is_a_table_or_a_fault()
    {
        var random = new Random(20261129);
        const string Alphabet = "a\"',\r\n";
        for (var round = 0; round < 20_000; round++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(12)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            if (Csv.TryRead(text, 3, 16, out var records, out var fault)) records.Count.ShouldBeLessThanOrEqualTo(3);
            else fault.Line.ShouldBeInRange(1, 13);
        }
    }
}
