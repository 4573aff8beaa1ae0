using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Files;

/// <summary>Parts of a file, in order, grown together where they touch. At most <see cref="Most"/>: beyond that the two with the smallest gap become one.</summary>
internal sealed class ByteRanges
{
    public const int Most = 64;

    private readonly List<ByteRange> _ranges = [];

    public IReadOnlyList<ByteRange> Parts => _ranges;

    public void Add(long from, long length)
    {
        if (length == 0) return;
        var added = new ByteRange(from, length);
        if (_ranges.Count > 0 && _ranges[^1].End == from)
        {
            _ranges[^1] = _ranges[^1] with { Length = _ranges[^1].Length + length };
            return;
        }

        // The first that ends at or behind where the new one starts.
        var first = _ranges.FindIndex(range => range.End >= from);
        if (first < 0) first = _ranges.Count;
        var last = first;
        while (last < _ranges.Count && _ranges[last].From <= added.End) last++;
        if (last > first)
        {
            var start = Math.Min(from, _ranges[first].From);
            added = new(start, Math.Max(added.End, _ranges[last - 1].End) - start);
            _ranges.RemoveRange(first, last - first);
        }

        _ranges.Insert(first, added);
        if (_ranges.Count > Most) JoinClosest();
    }

    private void JoinClosest()
    {
        var closest = 0;
        for (var at = 1; at < _ranges.Count - 1; at++)
        {
            if (Gap(at) < Gap(closest)) closest = at;
        }

        _ranges[closest] = _ranges[closest] with { Length = _ranges[closest + 1].End - _ranges[closest].From };
        _ranges.RemoveAt(closest + 1);
    }

    private long Gap(int at) => _ranges[at + 1].From - _ranges[at].End;
}
