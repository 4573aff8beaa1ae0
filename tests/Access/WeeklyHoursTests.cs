using System.Globalization;

namespace Countersign.Access.Tests;

public class WeeklyHoursTests
{
    private const string Office = "Europe/Berlin; Mon-Fri 08:00-18:00; Sat 10:00-14:00";

    [Theory]
    [InlineData("2026-01-05T06:59:59Z", false)] // a Monday; Berlin is an hour ahead in winter
    [InlineData("2026-01-05T07:00:00Z", true)]
    [InlineData("2026-01-05T16:59:59Z", true)]
    [InlineData("2026-01-05T17:00:00Z", false)]
    [InlineData("2026-07-06T06:00:00Z", true)] // two in summer
    [InlineData("2026-07-06T16:00:00Z", false)]
    [InlineData("2026-01-10T09:00:00Z", true)] // Saturday
    [InlineData("2026-01-10T13:00:00Z", false)]
    [InlineData("2026-01-11T12:00:00Z", false)] // Sunday
    public void Hours_are_those_of_the_clock_on_the_wall(string at, bool open) => Parse(Office).IsOpen(At(at)).ShouldBe(open);

    [Theory]
    [InlineData("UTC; Fri 22:00-06:00", "2026-01-09T23:00:00Z", true)]
    [InlineData("UTC; Fri 22:00-06:00", "2026-01-10T05:59:00Z", true)]
    [InlineData("UTC; Fri 22:00-06:00", "2026-01-10T06:00:00Z", false)]
    [InlineData("UTC; Fri 22:00-06:00", "2026-01-09T05:00:00Z", false)]
    [InlineData("UTC; Sun 22:00-06:00", "2026-01-12T05:00:00Z", true)] // from Sunday into Monday
    [InlineData("UTC; Sat-Mon 10:00-11:00", "2026-01-11T10:30:00Z", true)]
    [InlineData("UTC; Sat-Mon 10:00-11:00", "2026-01-13T10:30:00Z", false)]
    [InlineData("UTC; Mon 00:00-24:00", "2026-01-05T23:59:59Z", true)]
    [InlineData("UTC; Mon 00:00-24:00", "2026-01-06T00:00:00Z", false)]
    public void A_span_may_go_over_midnight_and_over_the_end_of_the_week(string text, string at, bool open) => Parse(text).IsOpen(At(at)).ShouldBe(open);

    [Theory]
    [InlineData(Office, "2026-01-05T12:00:00Z", "2026-01-05T17:00:00Z")]
    [InlineData(Office, "2026-01-05T17:00:00Z", "2026-01-06T07:00:00Z")]
    [InlineData(Office, "2026-01-10T13:00:00Z", "2026-01-12T07:00:00Z")]
    [InlineData("UTC; Mon-Sun 00:00-24:00", "2026-01-05T12:00:00Z", null)]
    [InlineData("UTC; Mon 00:00-24:00; Tue 00:00-12:00", "2026-01-05T12:00:00Z", "2026-01-06T12:00:00Z")]
    [InlineData("Europe/Berlin; Sun 01:00-04:00", "2026-03-29T00:30:00Z", "2026-03-29T02:00:00Z")] // the hour from 2 to 3 does not come
    [InlineData("Europe/Berlin; Sun 02:15-02:45", "2026-03-28T12:00:00Z", "2026-04-05T00:15:00Z")] // skipped whole
    [InlineData("Europe/Berlin; Sun 02:00-03:00", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z")] // the hour comes twice
    [InlineData("Europe/Berlin; Sun 02:00-02:30", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("Europe/Berlin; Sun 02:00-02:30", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z")] // set back to 2: open again
    public void The_next_change_is_told(string text, string at, string? next) =>
        Parse(text).NextChange(At(at)).ShouldBe(next is null ? null : At(next));

    [Theory]
    [InlineData("Europe/Berlin; Sun 01:30-02:30; Mon-Fri 08:00-18:00")]
    [InlineData("America/New_York; Sat 22:00-03:00; Sun 02:30-02:45")]
    [InlineData("Australia/Lord_Howe; Sun 01:45-02:15")]
    [InlineData("Africa/Casablanca; Sun 02:00-03:30")]
    public void Between_changes_nothing_changes_and_at_a_change_something_does(string text)
    {
        var hours = Parse(text);
        var at = At("2026-01-01T00:00:00Z");
        var next = hours.NextChange(at);
        for (var minutes = 0; minutes < 366 * 24 * 60; minutes += 5)
        {
            var now = at.AddMinutes(minutes);
            if (now < next) continue;
            hours.IsOpen(next!.Value).ShouldNotBe(hours.IsOpen(next.Value.AddTicks(-1)), next.ToString());
            var following = hours.NextChange(next.Value)!.Value;
            for (var probe = next.Value; probe < following; probe = probe.AddMinutes(97)) hours.IsOpen(probe).ShouldBe(
                hours.IsOpen(next.Value),
                probe.ToString());
            next = following;
        }
    }

    [Theory]
    [InlineData("europe/berlin")]
    [InlineData("")]
    [InlineData("UTC")]
    [InlineData("UTC;")]
    [InlineData("UTC; Mon")]
    [InlineData("UTC; Mon 08:00")]
    [InlineData("UTC; Mon 8:00-18:00")]
    [InlineData("UTC; Mon 08:00-24:01")]
    [InlineData("UTC; Mon 08:60-09:00")]
    [InlineData("UTC; Mon 08:00-08:00")]
    [InlineData("UTC; Mon 24:00-08:00")]
    [InlineData("UTC; Mon-Tue-Wed 08:00-09:00")]
    [InlineData("UTC; Mo 08:00-09:00")]
    [InlineData("UTC; Mon 08:00-09:00;")]
    [InlineData("Nowhere/Land; Mon 08:00-09:00")]
    [InlineData("../../etc/passwd; Mon 08:00-09:00")]
    [InlineData("/etc/localtime; Mon 08:00-09:00")]
    public void What_is_no_weekly_hours_is_refused_and_says_why(string text)
    {
        WeeklyHours.TryParse(text, out var hours, out var problem).ShouldBeFalse();
        hours.ShouldBeNull();
        problem.ShouldNotBeEmpty();
    }

    [Fact]
    public void An_unknown_zone_is_named()
    {
        WeeklyHours.TryParse("Nowhere/Land; Mon 08:00-09:00", out _, out var problem).ShouldBeFalse();
        problem.ShouldContain("Nowhere/Land");
    }

    [Theory]
    [InlineData("UTC;mon-FRI   08:00-18:00", "UTC; Mon-Fri 08:00-18:00")]
    [InlineData(" UTC ; Fri 22:00-00:00", "UTC; Fri 22:00-24:00")]
    [InlineData("UTC; Mon-Mon 00:00-24:00", "UTC; Mon 00:00-24:00")]
    public void There_is_one_spelling(string text, string canonical)
    {
        Parse(text).ToString().ShouldBe(canonical);
        Parse(canonical).ToString().ShouldBe(canonical);
        Parse(text).ShouldBe(Parse(canonical));
    }

    [Fact]
    public void More_than_can_be_meant_is_refused_before_it_is_read() =>
        WeeklyHours.TryParse("UTC; " + string.Join("; ", Enumerable.Repeat("Mon 08:00-09:00", 100)), out _).ShouldBeFalse();

    private static WeeklyHours Parse(string text)
    {
        WeeklyHours.TryParse(text, out var hours, out var problem).ShouldBeTrue(problem);
        return hours;
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
