using System.Globalization;

namespace Countersign.Access.Tests.Naive;

/// <summary>Weekly hours, by looking at the clock on the wall: <c>Europe/Berlin; Mon-Fri 08:00-18:00; Fri 22:00-06:00</c>.</summary>
internal sealed class NaiveHours
{
    private static readonly string[] Week = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    private readonly TimeZoneInfo _zone;
    private readonly List<(List<string> Days, TimeSpan Start, TimeSpan End)> _spans = [];

    public NaiveHours(string text)
    {
        var parts = text.Split("; ");
        _zone = TimeZoneInfo.FindSystemTimeZoneById(parts[0]);
        foreach (var part in parts.Skip(1))
        {
            var (days, times) = part.Split(' ') is [var left, var right] ? (left, right) : throw new FormatException(part);
            var (start, end) = times.Split('-') is [var from, var to] ? (Time(from), Time(to)) : throw new FormatException(times);
            _spans.Add((DaysOf(days), start, end));
        }
    }

    public bool IsOpen(DateTimeOffset at)
    {
        var wall = TimeZoneInfo.ConvertTime(at, _zone);
        var (today, time) = (DayName(wall.DateTime), wall.TimeOfDay);
        var yesterday = DayName(wall.DateTime.AddDays(-1));
        return _spans.Any(span => span.Start < span.End
            ? span.Days.Contains(today) && span.Start <= time && time < span.End
            : (span.Days.Contains(today) && span.Start <= time) || (span.Days.Contains(yesterday) && time < span.End));
    }

    /// <summary>Instants among which are all at which the hours open or close, from one to nine days on: more than needed, but none left out.</summary>
    public IEnumerable<DateTimeOffset> MayChange(DateTimeOffset at)
    {
        var start = new DateTimeOffset(at.UtcDateTime.Date, TimeSpan.Zero).AddDays(-1);
        for (var half = start; half < at.AddDays(9); half = half.AddMinutes(30))
        {
            if (_zone.GetUtcOffset(half) != _zone.GetUtcOffset(half.AddMinutes(30))) yield return half.AddMinutes(30);
        }

        for (var day = start; day < at.AddDays(10); day = day.AddDays(1))
        {
            TimeSpan[] offsets = [_zone.GetUtcOffset(day.AddDays(-1)), _zone.GetUtcOffset(day), _zone.GetUtcOffset(day.AddDays(1))];
            foreach (var edge in _spans.SelectMany(span => new[] { span.Start, span.End }).Append(TimeSpan.Zero))
            {
                foreach (var offset in offsets.Distinct()) yield return day + edge - offset;
            }
        }
    }

    private static TimeSpan Time(string text) =>
        new(int.Parse(text[..2], CultureInfo.InvariantCulture), int.Parse(text[3..], CultureInfo.InvariantCulture), 0);

    private static string DayName(DateTime date) => Week[((int)date.DayOfWeek + 6) % 7];

    private static List<string> DaysOf(string text)
    {
        if (text.Split('-') is not [var first, var last]) return [text];
        var days = new List<string>();
        for (var day = Array.IndexOf(Week, first); ; day = (day + 1) % 7)
        {
            days.Add(Week[day]);
            if (Week[day] == last) return days;
        }
    }
}
