using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests.Sftp;

public sealed class SftpFramerTests
{
    private static readonly byte[] Stream = [.. Message(1), .. Message(40), .. Message(2), .. Message(300)];

    [Fact]
    public void Every_split_into_two_pieces_gives_the_same_messages()
    {
        for (var at = 0; at <= Stream.Length; at++) Cut(Stream[..at], Stream[at..]).ShouldBe([1, 40, 2, 300], $"split at {at}");
    }

    [Fact]
    public void Single_bytes_give_the_same_messages() => Cut([.. Stream.Select(b => new[] { b })]).ShouldBe([1, 40, 2, 300]);

    [Fact]
    public void Every_split_into_three_pieces_gives_the_same_messages()
    {
        var stream = Stream[..55];
        for (var first = 0; first <= stream.Length; first++)
        {
            for (var second = first; second <= stream.Length; second++) Cut(stream[..first], stream[first..second], stream[second..]).ShouldBe([1, 40, 2]);
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(SftpLimits.Packet + 1u)]
    [InlineData(0x80000000u)]
    [InlineData(uint.MaxValue)]
    public void A_length_out_of_bounds_is_refused_before_anything_else_is_read(uint length)
    {
        byte[] header = [(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length];
        Should.Throw<SftpProtocolException>(() => Cut(header));
        Should.Throw<SftpProtocolException>(() => Cut(header[..2], header[2..]));
    }

    [Fact]
    public void The_longest_message_passes() => Cut(Message(SftpLimits.Packet)).ShouldBe([SftpLimits.Packet]);

    [Fact]
    public void A_message_that_lies_whole_in_the_input_is_not_copied()
    {
        using var framer = new SftpFramer();
        ReadOnlySpan<byte> rest = Stream;
        framer.TryRead(ref rest, out var packet).ShouldBeTrue();
        packet.Overlaps(Stream).ShouldBeTrue();
    }

    [Fact]
    public void An_end_inside_a_message_can_be_told()
    {
        using var framer = new SftpFramer();
        ReadOnlySpan<byte> rest = Stream.AsSpan(0, 7);
        framer.TryRead(ref rest, out _).ShouldBeTrue();
        framer.TryRead(ref rest, out _).ShouldBeFalse();
        framer.IsInside.ShouldBeTrue();
    }

    private static byte[] Message(int length) => [(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. Enumerable.Repeat((byte)length, length)];

    private static List<int> Cut(params byte[][] pieces)
    {
        using var framer = new SftpFramer();
        var lengths = new List<int>();
        foreach (var piece in pieces)
        {
            ReadOnlySpan<byte> rest = piece;
            while (framer.TryRead(ref rest, out var packet))
            {
                packet.IndexOfAnyExcept((byte)packet.Length).ShouldBe(-1);
                lengths.Add(packet.Length);
            }

            rest.IsEmpty.ShouldBeTrue();
        }

        framer.IsInside.ShouldBeFalse();
        return lengths;
    }
}
