using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Countersign.Access;

/// <summary>
/// Hours of the week in a named time zone, by the clock on the wall there: an instant is inside when the local time that it has is inside.
/// So an hour that daylight saving repeats counts twice, and one that it skips does not come.
/// Written <c>Europe/Berlin; Mon-Fri 08:00-18:00; Sat 10:00-14:00</c>: the zone by its IANA name, then spans, each of one day or a range
/// of days and from–to, half open. An end before the start is on the next day (<c>Fri 22:00-06:00</c>); a whole day is <c>00:00-24:00</c>.
/// </summary>
public sealed class WeeklyHours : IEquatable<WeeklyHours>
{
    /// <summary>Longest text that is looked at.</summary>
    public const int MaxLength = 1000;

    private const int MaxSpans = 50;
    private const long WeekTicks = 7 * TimeSpan.TicksPerDay;
    private const long ThreeWeeks = 3 * WeekTicks;

    private static readonly string[] DayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    private readonly ZoneClock _clock;

    /// <summary>Sorted, apart, in ticks since Monday 00:00 of local time, half open.</summary>
    private readonly (long Start, long End)[] _open;

    private readonly string _text;

    private WeeklyHours(ZoneClock clock, ImmutableArray<Span> spans)
    {
        _clock = clock;
        _open = Merge(spans);
        _text = Write(clock.Id, spans);
    }

    public string Zone => _clock.Id;

    /// <summary>False for a text of another form, and for a zone that this machine does not know.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out WeeklyHours? hours) => TryParse(text, out hours, out _);

    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out WeeklyHours? hours, out string problem)
    {
        hours = null;
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxLength)
        {
            problem = $"Weekly hours are written in 1 to {MaxLength} characters.";
            return false;
        }

        var parts = text.Split(';', StringSplitOptions.TrimEntries);
        if (!IsZoneName(parts[0]))
        {
            problem = UnknownZone(parts[0]);
            return false;
        }

        if (parts.Length is < 2 or > MaxSpans + 1)
        {
            problem = $"After the time zone come 1 to {MaxSpans} spans such as Mon-Fri 08:00-18:00.";
            return false;
        }

        var spans = ImmutableArray.CreateBuilder<Span>(parts.Length - 1);
        foreach (var part in parts.AsSpan(1))
        {
            if (!Span.TryParse(part, out var span))
            {
                problem = $"'{Quoted(part)}' is no span: write one such as Mon-Fri 08:00-18:00 or Sat 22:00-06:00.";
                return false;
            }

            spans.Add(span);
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(parts[0], out var zone))
        {
            problem = UnknownZone(parts[0]);
            return false;
        }

        problem = "";
        hours = new WeeklyHours(new(zone), spans.MoveToImmutable());
        return true;
    }

    private static string UnknownZone(string name) =>
        $"'{Quoted(name)}' is no time zone that this machine knows: write an IANA name such as Europe/Berlin or UTC.";

    /// <summary>In ticks since Monday 00:00 of local time, half open, sorted and apart.</summary>
    internal IReadOnlyList<(long Start, long End)> Open => _open;

    /// <summary>Ticks from UTC to local time.</summary>
    /// <param name="until">The offset stays up to this instant at least (excluded), which is later than the one asked about.</param>
    internal long OffsetAt(long utcTicks, out long until) => _clock.OffsetAt(utcTicks, out until);

    public bool IsOpen(DateTimeOffset at) => IsOpen(at.UtcTicks, _clock.OffsetAt(at.UtcTicks, out _));

    /// <summary>The earliest instant after <paramref name="at"/> at which <see cref="IsOpen(DateTimeOffset)"/> answers differently; null: never.</summary>
    public DateTimeOffset? NextChange(DateTimeOffset at)
    {
        if (_open is [(0, WeekTicks)]) return null;
        var current = at.UtcTicks;
        var offset = _clock.OffsetAt(current, out var until);
        var open = IsOpen(current, offset);

        // Three weeks hold a change even where a shift of the clock swallows one week's span whole.
        var last = Math.Min(current, DateTime.MaxValue.Ticks - ThreeWeeks) + ThreeWeeks;
        while (current < last)
        {
            current = Math.Min(Math.Min(current + TicksToNextBoundary(LocalInWeek(current, offset)), until), last);
            offset = _clock.OffsetAt(current, out until);
            if (IsOpen(current, offset) != open) return new(current, TimeSpan.Zero);
        }

        return null;
    }

    private bool IsOpen(long utcTicks, long offset)
    {
        var local = LocalInWeek(utcTicks, offset);
        foreach (var (start, end) in _open)
        {
            if (local < start) return false;
            if (local < end) return true;
        }

        return false;
    }

    /// <summary>True when every hour of <paramref name="other"/> is surely one of these too; false also where that is not plain to see.</summary>
    public bool Covers(WeeklyHours other)
    {
        if (Equals(other)) return true;
        if (_open is [(0, WeekTicks)]) return true;
        if (!string.Equals(Zone, other.Zone, StringComparison.Ordinal)) return false;
        return Array.TrueForAll(other._open, theirs => Array.Exists(_open, ours => ours.Start <= theirs.Start && theirs.End <= ours.End));
    }

    /// <summary>The canonical form: what <see cref="TryParse(string, out WeeklyHours?)"/> takes, in one spelling.</summary>
    public override string ToString() => _text;

    public bool Equals(WeeklyHours? other) => other is not null && string.Equals(_text, other._text, StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as WeeklyHours);

    public override int GetHashCode() => string.GetHashCode(_text, StringComparison.Ordinal);

    private long TicksToNextBoundary(long local)
    {
        foreach (var (start, end) in _open)
        {
            if (local < start) return start - local;
            if (local < end) return end - local;
        }

        return WeekTicks - local + _open[0].Start;
    }

    private static long LocalInWeek(long utcTicks, long offset)
    {
        // 0001-01-01, where ticks begin, was a Monday.
        var ticks = (utcTicks + offset) % WeekTicks;
        return ticks < 0 ? ticks + WeekTicks : ticks;
    }

    private static (long Start, long End)[] Merge(ImmutableArray<Span> spans)
    {
        var pieces = new List<(long Start, long End)>();
        foreach (var span in spans)
        {
            foreach (var day in span.Days())
            {
                var start = (day * TimeSpan.TicksPerDay) + (span.From * TimeSpan.TicksPerMinute);
                var end = start + (span.Minutes * TimeSpan.TicksPerMinute);
                pieces.Add((start, Math.Min(end, WeekTicks)));
                if (end > WeekTicks) pieces.Add((0, end - WeekTicks));
            }
        }

        pieces.Sort();
        var merged = new List<(long Start, long End)>();
        foreach (var piece in pieces)
        {
            if (merged.Count > 0 && piece.Start <= merged[^1].End) merged[^1] = (merged[^1].Start, Math.Max(merged[^1].End, piece.End));
            else merged.Add(piece);
        }

        return [.. merged];
    }

    private static string Write(string zone, ImmutableArray<Span> spans)
    {
        var text = new StringBuilder(zone);
        foreach (var span in spans) text.Append("; ").Append(span);
        return text.ToString();
    }

    // The name becomes a path on Unix: nothing but names passes.
    private static bool IsZoneName(string text) =>
        text.Length is > 0 and <= 64
        && text[0] != '/'
        && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '_' or '+' or '-');

    private static string Quoted(string text) => text.Length <= 40 ? text : text[..40] + "…";

    /// <param name="First">Monday is 0.</param>
    /// <param name="From">Minutes of the day.</param>
    /// <param name="Minutes">How long, at most a day.</param>
    private readonly record struct Span(int First, int Last, int From, int Minutes)
    {
        public static bool TryParse(string text, out Span span)
        {
            span = default;
            var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2) return false;
            var days = words[0].Split('-');
            var times = words[1].Split('-');
            if (days.Length is 0 or > 2 || times.Length != 2) return false;
            int first = DayOf(days[0]), last = DayOf(days[^1]);
            if (first < 0 || last < 0 || !TryMinutes(times[0], out var from) || !TryMinutes(times[1], out var to)) return false;
            if (from == to || from == 24 * 60) return false;
            span = new(first, last, from, to > from ? to - from : to + (24 * 60) - from);
            return true;
        }

        public IEnumerable<int> Days()
        {
            for (var day = First; ; day = (day + 1) % 7)
            {
                yield return day;
                if (day == Last) yield break;
            }
        }

        public override string ToString()
        {
            var end = From + Minutes;
            if (end > 24 * 60) end -= 24 * 60;
            var days = First == Last ? DayNames[First] : $"{DayNames[First]}-{DayNames[Last]}";
            return string.Create(CultureInfo.InvariantCulture, $"{days} {From / 60:00}:{From % 60:00}-{end / 60:00}:{end % 60:00}");
        }

        private static int DayOf(string name) => Array.FindIndex(DayNames, day => string.Equals(day, name, StringComparison.OrdinalIgnoreCase));

        private static bool TryMinutes(string text, out int minutes)
        {
            minutes = 0;
            if (text.Length != 5 || text[2] != ':') return false;
            foreach (var index in (ReadOnlySpan<int>)[0, 1, 3, 4])
            {
                if (!char.IsAsciiDigit(text[index])) return false;
            }

            var hour = ((text[0] - '0') * 10) + text[1] - '0';
            var minute = ((text[3] - '0') * 10) + text[4] - '0';
            minutes = (hour * 60) + minute;
            return minute < 60 && minutes <= 24 * 60;
        }
    }
}
