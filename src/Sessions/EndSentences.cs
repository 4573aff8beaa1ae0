using System.Globalization;

namespace Countersign.Sessions;

/// <summary>What a technician is told of the end that comes near, and of the end that has come.</summary>
internal static class EndSentences
{
    /// <param name="window">Why the session will end, where it is its window that will be over.</param>
    /// <param name="now">In the zone that is to be told.</param>
    public static string Warning(EndWarning warning, string window, DateTimeOffset now)
    {
        var when = $"this session ends in {Length(warning.Left)}, at {Clock(now, now + warning.Left)}";
        return warning.Reason switch
        {
            EndReason.Idle => $"{when}, unless something is typed: it has been idle for {Length(warning.Limit - warning.Left)}",
            EndReason.MaximumTime => $"{when}: {Over(warning.Reason, warning.Limit)}",
            _ => $"{when}: {window}",
        };
    }

    /// <param name="request">What the session lives on.</param>
    public static string MoreTime(long request) => string.Create(CultureInfo.InvariantCulture, $"; for more time: countersign extend {request} --for 1h");

    public const string WindowOver = "the time of your access is over";

    public static string Over(EndReason reason, TimeSpan limit) => reason switch
    {
        EndReason.Idle => $"it was idle for {Length(limit)}",
        EndReason.MaximumTime => $"{Length(limit)} is the longest that a session may last",
        _ => WindowOver,
    };

    /// <summary>Of the two largest units that it has, in whole seconds, rounded up.</summary>
    public static string Length(TimeSpan length)
    {
        var whole = TimeSpan.FromSeconds(Math.Ceiling(length.TotalSeconds));
        (int Count, string Unit)[] parts = [(whole.Days, "d"), (whole.Hours, "h"), (whole.Minutes, "min"), (whole.Seconds, "s")];
        var shown = parts.SkipWhile(part => part.Count == 0).Take(2).Where(part => part.Count > 0).ToList();
        return shown.Count == 0 ? "0 s" : string.Join(' ', shown.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Count} {part.Unit}")));
    }

    /// <summary>The time of day with its zone, to the second; with the date where it is another day.</summary>
    private static string Clock(DateTimeOffset now, DateTimeOffset at)
    {
        // To the nearest second: timers come due a little late, and 14:00:00.003 less 5 min is not 13:55:01.
        at = at.AddMilliseconds(500);
        var zone = at.Offset == TimeSpan.Zero ? "'UTC'" : "'UTC'zzz";
        return at.ToString(at.Date == now.Date ? $"HH:mm:ss {zone}" : $"yyyy-MM-dd HH:mm:ss {zone}", CultureInfo.InvariantCulture);
    }
}
