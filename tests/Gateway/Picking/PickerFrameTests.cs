using System.Globalization;
using System.Text.RegularExpressions;
using Countersign.Gateway.SshDoor.Picking;

namespace Countersign.Gateway.Tests.Picking;

public sealed partial class PickerFrameTests
{
    [Fact]
    public void A_picture_of_80_by_24_has_what_is_reached_and_how()
    {
        var rows = Rows(PickerTests.Showing(("web1", "Servers / Berlin"), ("web2", "Servers")), new(80, 24));

        rows[1].ShouldBe("countersign  tina: devices  2");
        rows[2].ShouldBe("Search: ");
        rows[3].ShouldMatch("^> web1 +Servers / Berlin +root +allowed$");
        rows[4].ShouldMatch("^  web2 +Servers +root +allowed$");
        rows[24].ShouldContain("Enter: connect");
    }

    [Fact]
    public void Of_100000_devices_only_those_on_the_screen_are_looked_at()
    {
        var asked = 0;
        var items = Enumerable.Range(0, 100_000).Select(number => new PickerItem($"device{number}", "", default, null)).ToArray();
        var picker = new Picker(new("many", items, _ =>
        {
            asked++;
            return new("root", "allowed");
        }));
        picker.Fit(PickerFrame.RowsFor(new(80, 24)));
        PickerTests.Type(picker, "device9999");

        var rows = Rows(picker, new(80, 24));

        rows[1].ShouldContain("11 of 100000");
        asked.ShouldBe(11);
    }

    [Theory]
    [InlineData("web1", "Servers")]
    [InlineData("a-very-long-name-that-goes-on-and-on-and-has-no-end-in-sight-at-all-whatever-the-screen.example.org", "Servers / Far / Below / In / The / Tree / Of / Groups")]
    [InlineData("web1", "東京 / 大阪 / 名古屋 / 札幌 / 福岡 / 神戸 / 京都 / 横浜 / 川崎 / 埼玉 / 広島 / 仙台")]
    [InlineData("web1", "e\u0301te\u0301 😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀")]
    public void No_row_is_ever_wider_or_lower_than_the_screen(string name, string where)
    {
        for (var columns = 1; columns <= 130; columns++)
        {
            for (var height = 1; height <= 30; height += columns % 7 == 0 ? 1 : 9)
            {
                var size = new ScreenSize(columns, height);
                var picker = PickerTests.Showing([.. Enumerable.Repeat((name, where), 40)]);
                picker.Fit(PickerFrame.RowsFor(size));
                PickerTests.Type(picker, "e");
                var rows = Rows(picker, size);
                rows.Keys.Max().ShouldBe(height);
                rows.Values.Max(Width).ShouldBeLessThanOrEqualTo(columns, $"{columns} x {height}");
            }
        }
    }

    [Fact]
    public void A_claimed_size_is_bounded_and_an_unknown_one_is_the_classic_one()
    {
        ScreenSize.Of(0, 0).ShouldBe(new(80, 24));
        ScreenSize.Of(uint.MaxValue, uint.MaxValue).ShouldBe(new(400, 200));
        ScreenSize.Of(1, 1).ShouldBe(new(1, 1));
        var picker = PickerTests.Showing([.. Enumerable.Repeat((new string('é', 300), new string('é', 300)), 1000)]);
        picker.Fit(PickerFrame.RowsFor(new(400, 200)));
        System.Text.Encoding.UTF8.GetByteCount(PickerFrame.Draw(picker, new(400, 200))).ShouldBeLessThan(256 * 1024);
    }

    /// <summary>What each row has on it, without what changes colours.</summary>
    private static SortedDictionary<int, string> Rows(Picker picker, ScreenSize size)
    {
        var frame = PickerFrame.Draw(picker, size);
        var rows = new SortedDictionary<int, string>();
        foreach (Match row in Row().Matches(frame))
            rows.Add(int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture), Colour().Replace(row.Groups[2].Value, ""));
        return rows;
    }

    /// <summary>As terminals count it, for the characters that occur here.</summary>
    private static int Width(string text) => text.EnumerateRunes().Sum(character => character.Value == 0x301 ? 0 : character.Value is (>= 0x4e00 and <= 0x9fff) or 0x1f600 ? 2 : 1);

    [GeneratedRegex(@"\e\[(\d+);1H(.*?)\e\[K")]
    private static partial Regex Row();

    [GeneratedRegex(@"\e\[\d*m")]
    private static partial Regex Colour();
}
