using System.Text;
using Countersign.Gateway.SshDoor.Picking;

namespace Countersign.Gateway.Tests.Picking;

public sealed class KeyReaderTests
{
    [Theory]
    [InlineData("\e[A", "Up")]
    [InlineData("\e[B", "Down")]
    [InlineData("\eOA", "Up")]
    [InlineData("\eOB", "Down")]
    [InlineData("\e[1;5A", "Up")]
    [InlineData("\e[5~", "PageUp")]
    [InlineData("\e[6~", "PageDown")]
    [InlineData("\e[H", "Home")]
    [InlineData("\e[1~", "Home")]
    [InlineData("\e[7~", "Home")]
    [InlineData("\eOH", "Home")]
    [InlineData("\e[F", "End")]
    [InlineData("\e[4~", "End")]
    [InlineData("\e[8~", "End")]
    [InlineData("\eOF", "End")]
    [InlineData("\r", "Enter")]
    [InlineData("\n", "Enter")]
    [InlineData("\eOM", "Enter")]
    [InlineData("\b", "Backspace")]
    [InlineData("\u007f", "Backspace")]
    [InlineData("\u0003", "Leave")]
    [InlineData("\u0004", "Leave")]
    [InlineData("\u0015", "ClearSearch")]
    [InlineData("\u000c", "Redraw")]
    [InlineData("\u0010\u000e", "Up Down")]
    [InlineData("aé€😀", "a é € 😀")]
    [InlineData("\e[Awe\e[6~b", "Up w e PageDown b")]
    public void Bytes_become_keys_wherever_they_are_cut(string typed, string keys)
    {
        var bytes = Encoding.UTF8.GetBytes(typed);
        for (var cut = 0; cut <= bytes.Length; cut++) Read(bytes[..cut], bytes[cut..]).ShouldBe(keys, $"cut at {cut}");
        Read([.. bytes.Select(one => new[] { one })]).ShouldBe(keys);
    }

    [Theory]
    [InlineData("\e[200~", "")]
    [InlineData("\e[3~", "")]
    [InlineData("\e[15;2~x", "x")]
    [InlineData("\e[?1;2c", "")]
    [InlineData("\e[<0;33;12M", "")]
    [InlineData("\eOP", "")]
    [InlineData("\e[1111111111111111111111111Ax", "x")]
    public void What_is_not_known_is_swallowed_whole(string typed, string keys) => Read(Encoding.UTF8.GetBytes(typed)).ShouldBe(keys);

    [Theory]
    [InlineData("\e\u0003", "Escape Leave")]
    [InlineData("\e[\u0003", "Leave")]
    [InlineData("\e[12\u0003", "Leave")]
    [InlineData("\eO\u0003", "Leave")]
    [InlineData("\e[1\e[A", "Up")]
    [InlineData("\e\e[A", "Escape Up")]
    [InlineData("\ew", "Escape w")]
    public void A_key_in_the_middle_of_a_sequence_is_not_lost(string typed, string keys) => Read(Encoding.UTF8.GetBytes(typed)).ShouldBe(keys);

    [Fact]
    public void An_escape_that_stands_alone_is_the_key_once_nothing_more_comes()
    {
        var reader = new KeyReader();
        var keys = new List<PickerKey>();
        reader.Read("\e"u8, keys);
        keys.ShouldBeEmpty();
        reader.IsUndecided.ShouldBeTrue();

        reader.Settle(keys);

        keys.ShouldBe([new PickerKey(PickerKeyKind.Escape)]);
        reader.IsUndecided.ShouldBeFalse();
        reader.Settle(keys);
        keys.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(new byte[] { 0xc3, (byte)'a' }, "a")]
    [InlineData(new byte[] { 0x80, 0x80, (byte)'a' }, "a")]
    [InlineData(new byte[] { 0xf0, 0x9f, 0xc3, 0xa9 }, "é")]
    [InlineData(new byte[] { 0xff, 0xfe, (byte)'a' }, "a")]
    [InlineData(new byte[] { 0xc2, 0x9b, (byte)'a' }, "a")]
    [InlineData(new byte[] { 0xe2, 0x80, 0xae, (byte)'a' }, "a")]
    public void Broken_UTF_8_and_characters_that_are_not_seen_are_left_out(byte[] typed, string keys) => Read(typed).ShouldBe(keys);

    [Fact]
    public void Random_bytes_harm_nothing_and_Ctrl_C_is_heard_after_them()
    {
        var random = new Random(20261128);
        for (var round = 0; round < 2000; round++)
        {
            var noise = new byte[random.Next(40)];
            random.NextBytes(noise);
            Read([.. noise, 3]).ShouldEndWith("Leave");
        }
    }

    private static string Read(params byte[][] pieces)
    {
        var reader = new KeyReader();
        var keys = new List<PickerKey>();
        foreach (var piece in pieces) reader.Read(piece, keys);
        return string.Join(' ', keys.Select(key => key.Kind == PickerKeyKind.Character ? key.Character.ToString() : key.Kind.ToString()));
    }
}
