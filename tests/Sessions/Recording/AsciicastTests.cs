using System.Buffers;
using System.Text;
using System.Text.Json;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions.Tests.Recording;

public sealed class AsciicastTests
{
    [Fact]
    public async Task A_terminal_recording_becomes_a_header_and_a_line_for_each_event()
    {
        var time = new ManualTime(World.Start);
        var lines = await ExportAsync(
            writer =>
            {
                writer.Output("\e[1mhi\e[0m\r\n"u8);
                time.Advance(TimeSpan.FromMilliseconds(1500));
                writer.Resize(new(90, 30));
                writer.Error("oops"u8);
                writer.Input("q"u8);
            },
            time);

        lines.ShouldBe([
            $$$"""{"version":2,"width":120,"height":40,"timestamp":{{{World.Start.ToUnixTimeSeconds()}}},"title":"tina on web01 as root","env":{"TERM":"xterm-256color"}}""",
            """[0,"o","\u001B[1mhi\u001B[0m\r\n"]""",
            """[1.5,"r","90x30"]""",
            """[1.5,"o","oops"]""",
            """[1.5,"i","q"]""",
        ]);
    }

    [Fact]
    public async Task What_the_gateway_says_is_shown_and_marked_and_tears_no_character_of_the_device_s()
    {
        var euro = Encoding.UTF8.GetBytes("€");
        var lines = await ExportAsync(writer =>
        {
            writer.Output([(byte)'a', euro[0]]);
            writer.Notice("\r\ncountersign: it ends\r\n"u8);
            writer.Output(euro.AsSpan(1));
        });

        lines[1..].ShouldBe(["""[0,"o","a"]""", """[0,"m","countersign: it ends"]""", """[0,"o","\r\ncountersign: it ends\r\n"]""", """[0,"o","€"]"""]);
    }

    [Fact]
    public async Task Characters_cut_between_events_are_put_together_and_what_is_no_text_is_marked()
    {
        var euro = Encoding.UTF8.GetBytes("€");
        var lines = await ExportAsync(writer =>
        {
            writer.Output([(byte)'a', euro[0]]);
            writer.Error("!"u8);
            writer.Output(euro.AsSpan(1));
            writer.Output([0xff, (byte)'b']);
        });

        Texts(lines).ShouldBe(["a", "!", "€", "\ufffdb"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Any_split_of_text_gives_the_same_text(int seed)
    {
        var random = new Random(seed);
        var text = string.Concat(Enumerable.Range(0, 300).Select(_ => new[] { "a", "é", "€", "😀", "\e[2J", "\"", "\\", "\n", "\u2028" }[random.Next(9)]));
        var bytes = Encoding.UTF8.GetBytes(text);

        var lines = await ExportAsync(writer =>
        {
            for (var at = 0; at < bytes.Length;)
            {
                var piece = Math.Min(random.Next(1, 6), bytes.Length - at);
                writer.Output(bytes.AsSpan(at, piece));
                at += piece;
            }
        });

        string.Concat(Texts(lines)).ShouldBe(text);
    }

    [Fact]
    public async Task Without_a_terminal_the_carriage_returns_are_added()
    {
        var file = new MemoryStream();
        var start = Recorded.Start with { Kind = SessionKind.Command, Command = "ls", Terminal = null, Size = null };
        var writer = RecordingWriter.Begin(file, Recorded.Session, start, Recorded.Key, new ManualTime(World.Start));
        writer.Output("a\nb\r"u8);
        writer.Output("\nc\n"u8);
        await writer.FinishAsync(Recorded.End);

        var lines = Export((await Recorded.ReadAsync(file.ToArray())).Events);

        lines[0].ShouldContain("\"width\":80,\"height\":24");
        lines[0].ShouldContain("\"command\":\"ls\"");
        lines[0].ShouldNotContain("TERM");
        string.Concat(Texts(lines)).ShouldBe("a\r\nb\r\nc\r\n");
    }

    private static async Task<List<string>> ExportAsync(Action<RecordingWriter> write, ManualTime? time = null) =>
        Export((await Recorded.ReadAsync(await Recorded.MakeAsync(write, time))).Events);

    private static List<string> Export(IEnumerable<RecordingEvent> events)
    {
        var cast = new AsciicastWriter();
        var target = new ArrayBufferWriter<byte>();
        foreach (var one in events) cast.Write(one, target);
        return [.. Encoding.UTF8.GetString(target.WrittenSpan).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static IEnumerable<string> Texts(List<string> lines) => lines.Skip(1).Select(line => JsonDocument.Parse(line).RootElement[2].GetString()!);
}
