namespace Countersign.Ssh.Tests;

public sealed class WireTests
{
    [Fact]
    public void What_is_written_is_read_back_and_no_cut_of_it_is_taken_for_the_whole()
    {
        var written = new SshWriter().Byte(7).Boolean(true).UInt32(0xfffefdfc).UInt64(ulong.MaxValue - 1).String("häh").Mpint([0, 0, 0x80, 1]).Mpint([]).Written;
        ReadAll(written.Span, out var text, out var number).ShouldBeTrue();
        text.ShouldBe("häh");
        number.ShouldBe([0x80, 1]);
        for (var length = 0; length < written.Length; length++) ReadAll(written.Span[..length], out _, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0u, 0)]
    [InlineData(4u, 3)]
    [InlineData(0x7fffffffu, 16)]
    [InlineData(0xffffffffu, 16)]
    public void A_string_longer_than_the_bytes_or_the_bound_is_refused_and_nothing_is_consumed(uint announced, int there)
    {
        var bytes = new SshWriter().UInt32(announced).Raw(new byte[there]).Written.Span;
        var reader = new SshReader(bytes);
        reader.TryReadString(out _).ShouldBe(announced <= there);
        if (announced > there) reader.Rest.Length.ShouldBe(bytes.Length);
    }

    [Fact]
    public void A_string_at_the_bound_is_read_and_one_past_it_is_not()
    {
        var bytes = new SshWriter().String("12345").Written.Span;
        new SshReader(bytes).TryReadString(out _, 5).ShouldBeTrue();
        new SshReader(bytes).TryReadString(out _, 4).ShouldBeFalse();
    }

    [Fact]
    public void Text_that_is_not_UTF_8_is_refused() => new SshReader(new SshWriter().String([0xc3, 0x28]).Written.Span).TryReadText(out _, 10).ShouldBeFalse();

    [Fact]
    public void A_negative_number_is_refused() => new SshReader(new SshWriter().String([0x80]).Written.Span).TryReadMpint(out _, 10).ShouldBeFalse();

    private static bool ReadAll(ReadOnlySpan<byte> bytes, out string text, out byte[] number)
    {
        text = "";
        number = [];
        var reader = new SshReader(bytes);
        if (!reader.TryReadByte(out var one) || one != 7 || !reader.TryReadBoolean(out var yes) || !yes) return false;
        if (!reader.TryReadUInt32(out var word) || word != 0xfffefdfc || !reader.TryReadUInt64(out var big) || big != ulong.MaxValue - 1) return false;
        if (!reader.TryReadText(out text, 100) || !reader.TryReadMpint(out var magnitude, 2)) return false;
        number = magnitude.ToArray();
        return reader.TryReadMpint(out var zero, 0) && zero.IsEmpty && reader.IsAtEnd;
    }
}
