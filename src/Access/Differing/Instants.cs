namespace Countersign.Access;

/// <summary>
/// Sets of instants, compared exactly: windows that follow each other are one window, hours around the clock are always, and hours in two zones are compared by the
/// offsets that the zones have. Between two shifts of a clock hours come round every week, so that each stretch is compared as one week of UTC.
/// </summary>
internal sealed class Instants
{
    private const long Week = 7 * TimeSpan.TicksPerDay;

    // What hours do to each other they do within these years: no clock is looked up beyond them.
    private static readonly long Earliest = new DateTime(2000, 1, 1).Ticks;
    private static readonly long Latest = new DateTime(2100, 1, 1).Ticks;

    private readonly Dictionary<(string Wanted, string Covering, long From, long To), bool> _known = [];

    /// <summary>Whether one of the windows, whichever, is open whenever the other one is.</summary>
    /// <param name="windows">A null is open always.</param>
    /// <param name="one">Null: always.</param>
    public bool Cover(IReadOnlyList<Window?> windows, Window? one)
    {
        foreach (var window in windows)
        {
            if (window is null || window == one) return true;
        }

        var (from, to) = Range(one);
        long[] edges = [from, .. windows.Select(Range).SelectMany(range => new[] { range.From, range.To }).Where(edge => from < edge && edge < to).Distinct().Order(), to];
        for (var index = 1; index < edges.Length; index++)
        {
            var (start, end) = (edges[index - 1], edges[index]);
            if (start >= end) continue;
            WeeklyHours?[] open = [.. windows.Where(window => Range(window).From <= start && end <= Range(window).To).Select(window => window!.Hours)];
            if (!Cover(open, one?.Hours, start, end)) return false;
        }

        return true;
    }

    /// <summary>Whether two values of the setting for session hours are open at the same instants.</summary>
    public bool AreSame(string one, string other)
    {
        if (string.Equals(one, other, StringComparison.Ordinal)) return true;
        var (first, second) = (Read(one), Read(other));
        return Cover([first], second) && Cover([second], first);

        static Window? Read(string text) => WeeklyHours.TryParse(text, out var hours) ? new(null, null, hours) : null;
    }

    private static (long From, long To) Range(Window? window) => (window?.From?.UtcTicks ?? 0, window?.To?.UtcTicks ?? long.MaxValue);

    /// <param name="open">A null among them: at all hours.</param>
    /// <param name="wanted">Null: all hours.</param>
    private bool Cover(WeeklyHours?[] open, WeeklyHours? wanted, long start, long end)
    {
        if (Array.Exists(open, hours => hours is null || (wanted is not null && hours.Covers(wanted)))) return true;
        WeeklyHours[] known = [.. open.OfType<WeeklyHours>()];
        if (known.Length == 0 && wanted is null) return false;
        var (from, to) = (Math.Max(start, Earliest), Math.Min(end, Latest));
        if (from >= to) return false;
        var key = ($"{wanted}", string.Join('|', known.Select(hours => hours.ToString()).Order(StringComparer.Ordinal)), from, to);
        if (!_known.TryGetValue(key, out var covered)) _known.Add(key, covered = AreAllOpen(known, wanted, from, to));
        return covered;
    }

    private static bool AreAllOpen(WeeklyHours[] open, WeeklyHours? wanted, long from, long to)
    {
        WeeklyHours[] clocks = wanted is null ? open : [wanted, .. open];
        long[] were = [], offsets = new long[clocks.Length];
        List<(long Start, long End)> left = [];
        for (var at = from; at < to;)
        {
            var until = to;
            for (var index = 0; index < clocks.Length; index++)
            {
                offsets[index] = clocks[index].OffsetAt(at, out var shift);
                until = Math.Min(until, shift);
            }

            if (!were.AsSpan().SequenceEqual(offsets))
            {
                were = [.. offsets];
                left = wanted is null ? [(0, Week)] : [.. InUtc(wanted, offsets[0])];
                for (var index = clocks.Length - open.Length; index < clocks.Length; index++) left = Without(left, InUtc(clocks[index], offsets[index]));
            }

            if (left.Exists(span => Meets(span, at, until))) return false;
            at = until;
        }

        return true;
    }

    /// <summary>The hours of the week by the clock of UTC, while the zone has the offset.</summary>
    private static IEnumerable<(long Start, long End)> InUtc(WeeklyHours hours, long offset)
    {
        foreach (var (start, end) in hours.Open)
        {
            var (first, last) = (start - offset, end - offset);
            var back = first < 0 ? -Week : first >= Week ? Week : 0;
            (first, last) = (first - back, last - back);
            yield return (first, Math.Min(last, Week));
            if (last > Week) yield return (0, last - Week);
        }
    }

    private static List<(long Start, long End)> Without(List<(long Start, long End)> spans, IEnumerable<(long Start, long End)> others)
    {
        foreach (var (start, end) in others)
        {
            var rest = new List<(long Start, long End)>(spans.Count + 1);
            foreach (var span in spans)
            {
                if (span.Start < start) rest.Add((span.Start, Math.Min(span.End, start)));
                if (end < span.End) rest.Add((Math.Max(span.Start, end), span.End));
            }

            spans = rest;
        }

        return spans;
    }

    /// <summary>Whether the span of the week comes between the two instants.</summary>
    private static bool Meets((long Start, long End) span, long from, long until)
    {
        // 0001-01-01, where ticks begin, was a Monday.
        var first = from % Week;
        var last = first + (until - from);
        return (span.Start < last && first < span.End) || span.Start + Week < last;
    }
}
