using System.Buffers;
using System.Text;
using Countersign.Cli.Playing;

namespace Countersign.Cli;

public sealed class TerminalFilterTests
{
    [Theory]
    [InlineData("plain text, größer, 日本, 🙂\r\n\t\b\a")]
    [InlineData("\e[1;31mred\e[0m \e[38;2;1;2;3m \e[4:3m")]
    [InlineData("\e[H\e[2J\e[10;20H\e[K\e[3A\e[5B\e[2C\e[1D\e[1;24r\e[L\e[M\e[P\e[@\e[X\e[5S\e[2T\e[s\e[u")]
    [InlineData("\e7\e8\eM\eD\eE\e=\e>\ec\e(0lqk\e(B\e)B\u000e\u000f\e#8")]
    [InlineData("\e[?25l\e[?1049h\e[?7l\e[?2026h\e[4h\e[!p\e[4 q")]
    public void Text_and_what_paints_it_passes(string text) => Filter(text).ShouldBe(text);

    [Theory]
    [InlineData("\e[c")]
    [InlineData("\e[0c\e[>c\e[>0q\e[=c\e[5n\e[6n\e[?6n\e[x\e[14t\e[18t\e[21t\eZ\u0005")]
    [InlineData("\e[?1$p\e[4$p\e[1;1;1;1;1;1*y\e[?u\e[>1u\e[=1u\e[?4m\e[>4;2m")]
    [InlineData("\e]52;c;aGVsbG8=\a\e]0;title\a\e]2;title\e\\\e]10;?\a\e]8;;http://example.org\a")]
    [InlineData("\eP$q\"p\e\\\eP+q544e\e\\\eP1$r\e\\")]
    [InlineData("\e_application\e\\\e^private\e\\\eXstart of string\e\\")]
    [InlineData("\e[?1000h\e[?1002;1003;1006h\e[?1004h\e[?2004h\e[?9h\e[?1015l\e[20h\e[2h\e[12l")]
    [InlineData("\e[5i\e[4i\e[?5i\e[3;1;1t\e[8;24;80t\e[1q\e[3g\eH")]
    [InlineData("\e%@\e%G\e F\e G\e-A\e$(C\e[2;2'z\e[1;2'{\e[1#p")]
    [InlineData("\u009b6n\u009d52;c;x\u009c\u0090\u007f\0")]
    public void What_has_the_terminal_answer_send_or_keep_something_is_taken_out(string text) =>
        Filter($"a{text}b").Where(character => character is '\e' or '\u0005' or >= '\u0080' or < ' ').ShouldBeEmpty();

    [Fact]
    public void Of_several_modes_at_once_those_of_the_screen_pass() => Filter("\e[?1000;25;2004;1049h").ShouldBe("\e[?25;1049h");

    [Fact]
    public void A_string_ends_where_a_terminal_ends_it_and_what_follows_passes()
    {
        Filter("\e]0;title\e[1mbold").ShouldBe("\e[1mbold");
        Filter("\e]0;title\u0018after").ShouldBe("after");
        Filter("\e[12\e[1mbold").ShouldBe("\e[1mbold");
        Filter("\e[1\n2mx").ShouldBe("\n\e[12mx");
        Filter($"\e[{new string('1', 200)}mx").ShouldBe("x");
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_become_a_replacement_and_swallow_nothing()
    {
        Filter([(byte)'a', 0xff, 0x9b, (byte)'6', (byte)'n', 0xc3, (byte)'b', 0xe2, 0x82, 0x1b, (byte)'[', (byte)'m', 0xed, 0xa0, 0x80, 0xc0, 0xaf])
            .ShouldBe("a\uFFFD\uFFFD6n\uFFFDb\uFFFD\e[m\uFFFD\uFFFD\uFFFD");
    }

    [Fact]
    public void It_knows_on_which_screen_it_left_the_terminal()
    {
        var filter = new TerminalFilter();
        filter.Pass("\e[?1049h"u8, new ArrayBufferWriter<byte>());
        filter.OnOtherScreen.ShouldBeTrue();
        filter.HasMargins.ShouldBeFalse();
        filter.Pass("\e[?1049l\e[2;5r"u8, new ArrayBufferWriter<byte>());
        filter.OnOtherScreen.ShouldBeFalse();
        filter.HasMargins.ShouldBeTrue();
    }

    [Fact]
    public void However_the_bytes_are_split_the_same_passes_and_it_passes_whole_a_second_time()
    {
        var random = new Random(5);
        ReadOnlySpan<byte> alphabet = "\e\e\e[[[]P?>=!$ '()%#;0123456789hlmnctqrRJKHz\a\b\r\nab\\\u0018\u009b\u00e4"u8;
        for (var run = 0; run < 2000; run++)
        {
            var bytes = new byte[random.Next(1, 60)];
            for (var index = 0; index < bytes.Length; index++) bytes[index] = random.Next(8) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            var whole = Filter(bytes);

            var filter = new TerminalFilter();
            var pieces = new ArrayBufferWriter<byte>();
            foreach (var one in bytes) filter.Pass([one], pieces);
            Encoding.UTF8.GetString(pieces.WrittenSpan).ShouldBe(whole);
            Filter(whole).ShouldBe(whole, Convert.ToHexString(bytes));
        }
    }

    private static string Filter(string text) => Filter(Encoding.UTF8.GetBytes(text));

    private static string Filter(byte[] data)
    {
        var target = new ArrayBufferWriter<byte>();
        new TerminalFilter().Pass(data, target);
        return Encoding.UTF8.GetString(target.WrittenSpan);
    }
}
