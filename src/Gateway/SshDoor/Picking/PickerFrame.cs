using System.Globalization;
using System.Text;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>Characters across and down.</summary>
internal readonly record struct ScreenSize(int Columns, int Rows)
{
    /// <summary>What a client may claim: no frame is larger.</summary>
    private const int MostColumns = 400, MostRows = 200;

    /// <summary>A size of zero means that the client does not know (RFC 4254 section 6.2): then it is the classic one.</summary>
    public static ScreenSize Of(uint columns, uint rows) => new(
        columns == 0 ? 80 : (int)Math.Min(columns, MostColumns),
        rows == 0 ? 24 : (int)Math.Min(rows, MostRows));
}

/// <summary>
/// One whole picture of a picker for an xterm or what behaves like one. Each row is put in its place, so that a character that is wider than it should
/// be spoils its own row at most; a terminal without colours has the mark in the first column.
/// </summary>
internal static class PickerFrame
{
    /// <summary>The other screen, without wrapping at the right edge.</summary>
    public const string Enter = "\e[?1049h\e[?7l";

    /// <summary>Back to where the person was, whatever was being written.</summary>
    public const string Leave = "\e[m\e[?25h\e[?7h\e[?1049l";

    private const string Keys = "Up/Down, PgUp/PgDn, Home/End   Enter: connect   Esc: clear search   Ctrl-C: leave";
    private const int HowWidth = 14;
    private const int AccountWidth = 16;

    /// <summary>How many things fit.</summary>
    public static int RowsFor(ScreenSize size) => Math.Max(1, size.Rows - (size.Rows >= 5 ? 3 : size.Rows >= 2 ? 1 : 0));

    public static string Draw(Picker picker, ScreenSize size)
    {
        var frame = new StringBuilder("\e[?25l");
        var row = 1;
        if (size.Rows >= 5) Put(frame, row++, $"\e[1m{Fit($"countersign  {picker.List.Title}  {Count(picker)}", size.Columns)}\e[m");
        var searchRow = row;
        var search = Tail($"Search: {picker.Search}", size.Columns - 1);
        if (size.Rows >= 2) Put(frame, row++, search);
        for (var shown = 0; shown < RowsFor(size); shown++)
        {
            var place = picker.Top + shown;
            Put(frame, row++, place < picker.Count ? Line(picker, place, size.Columns) : shown == 0 ? Fit("  nothing found", size.Columns) : "");
        }

        if (size.Rows >= 5) Put(frame, size.Rows, $"\e[2m{Fit(Keys, size.Columns)}\e[m");
        if (size.Rows >= 2) frame.Append(CultureInfo.InvariantCulture, $"\e[{searchRow};{Width(search) + 1}H\e[?25h");
        return frame.ToString();
    }

    private static void Put(StringBuilder frame, int row, string text) => frame.Append(CultureInfo.InvariantCulture, $"\e[{row};1H{text}\e[K");

    private static string Count(Picker picker) => picker.Count == picker.List.Items.Count
        ? picker.Count.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{picker.Count} of {picker.List.Items.Count}");

    private static string Line(Picker picker, int place, int columns)
    {
        var item = picker[place];
        var detail = picker.List.Detail(item);
        var marked = place == picker.Marked;
        var line = new StringBuilder(marked ? "> " : "  ");
        var room = Math.Max(1, columns - 2);
        if (room < 30)
        {
            line.Append(Fit(item.Name, room));
        }
        else if (room < 60)
        {
            line.Append(Pad(item.Name, room - HowWidth)).Append(Fit(detail.How, HowWidth));
        }
        else
        {
            var rest = room - HowWidth - AccountWidth;
            var name = Math.Max(rest / 2, Math.Min(Width(item.Name) + 1, rest - 12));
            line.Append(Pad(item.Name, name)).Append(Pad(item.Where, rest - name)).Append(Pad(detail.Account, AccountWidth)).Append(Fit(detail.How, HowWidth));
        }

        // A screen of one or two columns has no room for the mark itself.
        var text = Fit(line.ToString(), columns);
        return marked ? $"\e[7m{text}\e[m" : text;
    }

    /// <summary>To that width exactly, with one blank at its end.</summary>
    private static string Pad(string text, int width)
    {
        var fitting = Fit(text, width - 1);
        return fitting + new string(' ', Math.Max(0, width - Width(fitting)));
    }

    /// <summary>The beginning, as much as has room.</summary>
    private static string Fit(string text, int width)
    {
        if (Width(text) <= width) return text;
        var fitting = new StringBuilder();
        var used = 0;
        foreach (var character in text.EnumerateRunes())
        {
            used += Width(character);
            if (used > width - 1) break;
            fitting.Append(character.ToString());
        }

        return width < 1 ? "" : fitting.Append('~').ToString();
    }

    /// <summary>The end, as much as has room: of what is being typed.</summary>
    private static string Tail(string text, int width)
    {
        var start = 0;
        while (start < text.Length && Width(text[start..]) > width) start += char.IsHighSurrogate(text[start]) ? 2 : 1;
        return text[start..];
    }

    private static int Width(string text)
    {
        var width = 0;
        foreach (var character in text.EnumerateRunes()) width += Width(character);
        return width;
    }

    /// <summary>Columns that a terminal gives a character: none to marks that sit on another, two to the wide ones of East Asia and to most emoji.</summary>
    private static int Width(Rune character) => Rune.GetUnicodeCategory(character) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark => 0,
        _ => character.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF)
            or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1FAFF) or (>= 0x20000 and <= 0x3FFFD)
            ? 2
            : 1,
    };
}
