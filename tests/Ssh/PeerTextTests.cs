using System.Text;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

public sealed class PeerTextTests
{
    [Fact]
    public void Control_characters_and_marks_that_turn_or_break_a_line_or_are_not_seen_are_replaced()
    {
        foreach (var mark in (int[])[0, 7, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x61c, 0x200b, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0x206a, 0xfeff, 0xe0041])
            PeerText.Clean($"a{new Rune(mark)}b", 100).ShouldBe("a?b", $"{mark:x}");
        foreach (var letter in (int[])[0x20, 0x61b, 0x61d, 0x2010, 0x2027, 0x202f, 0x2065, 0x1f600])
            PeerText.Clean($"a{new Rune(letter)}b", 100).ShouldBe($"a{new Rune(letter)}b", $"{letter:x}");
    }

    [Fact]
    public void What_is_too_long_ends_before_the_character_that_does_not_fit()
    {
        PeerText.Clean("abcd", 3).ShouldBe("abc");
        PeerText.Clean("ab\U0001F600", 3).ShouldBe("ab");
        PeerText.Clean(Encoding.UTF8.GetBytes(new string('ü', 1000)), 10).ShouldBe(new string('ü', 10));
    }
}
