using Countersign.Sessions.Files;

namespace Countersign.Sessions.Tests.Files;

public sealed class ByteRangesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void They_say_which_bytes_went_as_a_plain_array_does(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var ranges = new ByteRanges();
            var model = new bool[120];
            for (var count = random.Next(30); count > 0; count--)
            {
                var from = random.Next(100);
                var length = random.Next(20);
                ranges.Add(from, length);
                Array.Fill(model, value: true, from, length);
            }

            var told = new bool[120];
            foreach (var range in ranges.Parts) Array.Fill(told, value: true, (int)range.From, (int)range.Length);
            told.ShouldBe(model);
            ranges.Parts.Zip(ranges.Parts.Skip(1)).ShouldAllBe(pair => pair.First.From + pair.First.Length < pair.Second.From);
        }
    }

    [Fact]
    public void They_stay_few_and_cover_what_went()
    {
        var random = new Random(7);
        var ranges = new ByteRanges();
        var offsets = Enumerable.Range(0, 5000).Select(_ => (long)random.Next(1 << 30)).ToList();
        foreach (var offset in offsets) ranges.Add(offset, 10);
        ranges.Parts.Count.ShouldBe(ByteRanges.Most);
        offsets.ShouldAllBe(offset => ranges.Parts.Any(range => range.From <= offset && offset + 10 <= range.From + range.Length));
    }
}
