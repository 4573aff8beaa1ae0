namespace Countersign.Access;

/// <summary>
/// The offsets of one time zone from UTC, worked out a year at a time when a year is first asked about, since asking the system costs more than
/// everything else about an hour of the week.
/// </summary>
internal sealed class ZoneClock(TimeZoneInfo zone)
{
    private const int FirstYear = 1900;

    // A year that two threads work out at once comes out the same.
    private readonly Stretch[]?[] _years = new Stretch[]?[300];

    public string Id => zone.Id;

    /// <param name="until">The offset stays up to this instant at least (excluded), which is later than the one asked about.</param>
    /// <returns>Ticks to add to UTC.</returns>
    public long OffsetAt(long utcTicks, out long until)
    {
        var year = new DateTime(utcTicks).Year;
        if (year < FirstYear || year >= FirstYear + _years.Length)
        {
            until = Math.Min(utcTicks + TimeSpan.TicksPerHour, DateTime.MaxValue.Ticks);
            return Offset(utcTicks);
        }

        foreach (var stretch in _years[year - FirstYear] ??= WorkOut(year))
        {
            if (utcTicks >= stretch.End) continue;
            until = stretch.End;
            return stretch.Offset;
        }

        throw new InvalidOperationException("a year has no end");
    }

    private Stretch[] WorkOut(int year)
    {
        var end = new DateTime(year + 1, 1, 1).Ticks;
        var stretches = new List<Stretch>();
        var current = new DateTime(year, 1, 1).Ticks;
        var offset = Offset(current);
        while (current < end)
        {
            // Steps of a day: no zone shifts its clock there and back again within one.
            var next = Math.Min(current + TimeSpan.TicksPerDay, end);
            if (Offset(next) != offset)
            {
                next = Shift(current, next, offset);
                stretches.Add(new(next, offset));
                offset = Offset(next);
            }

            current = next;
        }

        if (stretches.Count == 0 || stretches[^1].End < end) stretches.Add(new(end, offset));
        return [.. stretches];
    }

    /// <summary>The first instant in (from, to] with another offset.</summary>
    private long Shift(long from, long to, long offset)
    {
        var (low, high) = (from, to);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (Offset(middle) == offset) low = middle;
            else high = middle;
        }

        return high;
    }

    private long Offset(long utcTicks) => zone.GetUtcOffset(new DateTimeOffset(utcTicks, TimeSpan.Zero)).Ticks;

    /// <param name="End">In UTC, excluded.</param>
    private readonly record struct Stretch(long End, long Offset);
}
