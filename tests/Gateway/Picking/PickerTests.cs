using System.Text;
using Countersign.Access;
using Countersign.Gateway.SshDoor.Picking;

namespace Countersign.Gateway.Tests.Picking;

public sealed class PickerTests
{
    [Fact]
    public void Every_word_has_to_be_in_the_name_or_in_the_group_whichever_case()
    {
        var picker = Showing(("web1", "Berlin"), ("web2", "Paris"), ("db1", "Berlin / Webs"));

        Type(picker, "WEB berlin");

        Names(picker).ShouldBe(["web1", "db1"]);
    }

    [Fact]
    public void Typing_on_finds_what_a_search_from_the_start_finds()
    {
        var random = new Random(7);
        var devices = Enumerable.Range(0, 300).Select(number => ($"{Letters(random, 6)}{number}", Letters(random, 4))).ToArray();
        for (var round = 0; round < 200; round++)
        {
            var search = $"{Letters(random, 2)} {Letters(random, 1)}";
            var picker = Showing(devices);
            Type(picker, search);
            Names(picker).ShouldBe(Words(devices, search), search);
            picker.Press(new(PickerKeyKind.Backspace));
            Names(picker).ShouldBe(Words(devices, search[..^1]), search);
        }

        static IEnumerable<string> Words((string Name, string Where)[] devices, string search) => devices
            .Where(device => search.Split(' ').All(word => device.Name.Contains(word, StringComparison.Ordinal) || device.Where.Contains(word, StringComparison.Ordinal)))
            .Select(device => device.Name);
    }

    [Fact]
    public void Escape_clears_the_search_and_Backspace_takes_a_whole_character()
    {
        var picker = Showing(("web1", ""), ("db1", ""));
        Type(picker, "w😀");
        picker.Count.ShouldBe(0);
        picker.Choice.ShouldBeNull();

        picker.Press(new(PickerKeyKind.Backspace));
        picker.Search.ShouldBe("w");
        Names(picker).ShouldBe(["web1"]);

        picker.Press(new(PickerKeyKind.Escape));
        picker.Count.ShouldBe(2);
    }

    [Fact]
    public void The_search_is_bounded()
    {
        var picker = Showing(("web1", ""));
        Type(picker, new string('w', 10_000));
        picker.Search.Length.ShouldBe(Picker.LongestSearch);
    }

    [Fact]
    public void The_mark_moves_within_the_list_and_is_always_among_the_rows_shown()
    {
        var picker = Showing([.. Enumerable.Range(0, 100).Select(number => ($"d{number:D3}", ""))]);
        picker.Fit(10);
        var random = new Random(5);
        PickerKeyKind[] moves = [PickerKeyKind.Up, PickerKeyKind.Down, PickerKeyKind.PageUp, PickerKeyKind.PageDown, PickerKeyKind.Home, PickerKeyKind.End];
        for (var step = 0; step < 2000; step++)
        {
            picker.Press(new(moves[random.Next(moves.Length)]));
            if (step % 50 == 0) picker.Fit(random.Next(0, 150));
            picker.Marked.ShouldBeInRange(0, 99);
            picker.Top.ShouldBeInRange(0, picker.Marked);
        }

        picker.Fit(10);
        picker.Press(new(PickerKeyKind.End));
        (picker.Marked, picker.Top).ShouldBe((99, 90));
        picker.Press(new(PickerKeyKind.PageUp));
        picker.Marked.ShouldBe(89);
        picker.Press(new(PickerKeyKind.Home));
        (picker.Marked, picker.Top).ShouldBe((0, 0));
    }

    [Fact]
    public void When_the_list_changes_the_mark_stays_on_what_it_was_on()
    {
        var all = Items(("a", ""), ("b", ""), ("c", ""));
        var picker = new Picker(List(all));
        picker.Press(new(PickerKeyKind.Down));
        picker.Press(new(PickerKeyKind.Down));

        picker.Replace(List(all[1..]));
        picker.Choice!.Value.Name.ShouldBe("c");

        picker.Replace(List([]));
        picker.Choice.ShouldBeNull();
    }

    [Fact]
    public void What_takes_the_place_of_the_marked_one_is_chosen_once_it_has_been_shown()
    {
        var all = Items(("a", ""), ("b", ""), ("c", ""));
        var picker = new Picker(List(all));
        picker.Press(new(PickerKeyKind.Down));
        picker.Replace(List([all[0], all[2]]));
        picker.Choice.ShouldBeNull();
        picker.Press(new(PickerKeyKind.Down));
        picker.Choice.ShouldBeNull("another change does not make it seen");
        picker.Shown();
        picker.Choice!.Value.Name.ShouldBe("c");

        picker.Replace(List([]));
        picker.Shown();
        picker.Replace(List(all));
        picker.Choice.ShouldBeNull("there was nothing");
        Type(picker, "b");
        picker.Choice!.Value.Name.ShouldBe("b");
    }

    internal static Picker Showing(params (string Name, string Where)[] devices) => new(List(Items(devices)));

    internal static void Type(Picker picker, string text)
    {
        foreach (var character in text.EnumerateRunes()) picker.Press(new(PickerKeyKind.Character, character));
    }

    private static PickerList List(PickerItem[] items) => new("tina: devices", items, item => new("root", item.Name.Length > 100 ? "" : "allowed"));

    private static PickerItem[] Items(params (string Name, string Where)[] devices) =>
        [.. devices.Select(device => new PickerItem(device.Name, device.Where, new DeviceId(Guid.NewGuid()), null))];

    private static IEnumerable<string> Names(Picker picker) => Enumerable.Range(0, picker.Count).Select(place => picker[place].Name);

    private static string Letters(Random random, int count)
    {
        var letters = new StringBuilder();
        while (letters.Length < count) letters.Append((char)('a' + random.Next(4)));
        return letters.ToString();
    }
}
