using System.Globalization;

namespace Countersign.Cli.Commands;

/// <summary>An instant as people write it: with its zone, or else in this machine's.</summary>
internal static class InstantText
{
    public const string Help = "Such as 2026-11-28T14:00Z, \"2026-11-28 14:00\" or 14:00, the next time it is that late; without a zone in this machine's.";

    private static readonly string[] WithZone = ["yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd HH:mmzzz", "yyyy-MM-dd HH:mm:sszzz", "yyyy-MM-dd HH:mm:ss zzz", "yyyy-MM-dd HH:mm zzz"];
    private static readonly string[] WithoutZone = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];

    /// <param name="text">Null: there is none, and that is fine.</param>
    public static bool TryRead(string? text, TimeProvider time, out DateTimeOffset? instant)
    {
        instant = null;
        if (text is null) return true;
        var zoned = text.EndsWith('Z') ? text[..^1] + "+00:00" : text;
        if (DateTimeOffset.TryParseExact(zoned, WithZone, CultureInfo.InvariantCulture, DateTimeStyles.None, out var exact))
        {
            instant = exact.ToUniversalTime();
            return true;
        }

        var now = TimeZoneInfo.ConvertTime(time.GetUtcNow(), time.LocalTimeZone);
        if (TimeOnly.TryParseExact(text, ["H:mm", "HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var clock))
        {
            var day = DateOnly.FromDateTime(now.DateTime);
            return TryLocal((clock > TimeOnly.FromDateTime(now.DateTime) ? day : day.AddDays(1)).ToDateTime(clock), time.LocalTimeZone, out instant);
        }

        return DateTime.TryParseExact(text, WithoutZone, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) && TryLocal(local, time.LocalTimeZone, out instant);
    }

    /// <summary>A time that there is not, because clocks were put forward, is none.</summary>
    private static bool TryLocal(DateTime local, TimeZoneInfo zone, out DateTimeOffset? instant)
    {
        instant = zone.IsInvalidTime(local) ? null : new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
        return instant is not null;
    }

    public static Failure NotOne(string option, string? text) => new(ExitCode.Usage, $"\"{text}\" is no time for {option}.", Help);
}
