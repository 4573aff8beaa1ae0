using System.Net;
using Countersign.Server.Features.Identity;

namespace Countersign.Server.Tests.Identity;

public sealed class SignInThrottleTests
{
    private static readonly IPAddress _source = IPAddress.Parse("192.0.2.7");

    private static readonly IPAddress _home = IPAddress.Parse("203.0.113.9");

    private readonly SetClock _clock = new();

    [Fact]
    public void Five_failures_are_free_and_then_the_wait_doubles_up_to_a_quarter_of_an_hour()
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 1000 }, _clock);
        for (var failure = 0; failure < 5; failure++) throttle.Failed("alice", _source);
        throttle.Wait("alice", _source).ShouldBe(TimeSpan.Zero);

        double[] seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900];
        foreach (var expected in seconds)
        {
            throttle.Failed("alice", _source);
            throttle.Wait("alice", _source).ShouldBe(TimeSpan.FromSeconds(expected));
            _clock.Advance(TimeSpan.FromSeconds(expected) - TimeSpan.FromTicks(1));
            throttle.Wait("alice", _source).ShouldBe(TimeSpan.FromTicks(1));
            _clock.Advance(TimeSpan.FromTicks(1));
            throttle.Wait("alice", _source).ShouldBe(TimeSpan.Zero);
        }
    }

    [Fact]
    public void The_wait_of_a_login_holds_from_every_address_and_for_no_other_login()
    {
        var throttle = new SignInThrottle(new(), _clock);
        for (var failure = 0; failure < 6; failure++) throttle.Failed("alice", _source);
        throttle.Wait("alice", IPAddress.Parse("198.51.100.1")).ShouldBeGreaterThan(TimeSpan.Zero);
        throttle.Wait("bob", _source).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void A_success_forgets_the_failures_of_the_login_and_not_those_of_the_address()
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 6 }, _clock);
        for (var failure = 0; failure < 6; failure++) throttle.Failed("alice", _source);
        throttle.Succeeded("alice");
        throttle.Wait("alice", IPAddress.Parse("198.51.100.1")).ShouldBe(TimeSpan.Zero);
        throttle.Wait("alice", _source).ShouldBe(TimeSpan.FromMinutes(10));
    }

    [Fact]
    public void Whoever_is_recognized_takes_nothing_off_what_strangers_see_of_the_login()
    {
        var throttle = new SignInThrottle(new(), _clock);
        for (var failure = 0; failure < 8; failure++) Fail();
        Recognize();
        Same().ShouldBe(TimeSpan.FromSeconds(4));
        Fail();
        Same().ShouldBe(TimeSpan.FromSeconds(8));

        // What is tried where they were recognized counts for strangers, too, as it does of a login that there is not.
        foreach (var login in (string[])["alice", "nobody"]) throttle.Failed(login, _home);
        Same().ShouldBe(TimeSpan.FromSeconds(16));

        void Fail()
        {
            foreach (var login in (string[])["alice", "nobody"]) throttle.Failed(login, _source);
        }

        void Recognize() => throttle.Recognized("alice", _home);

        TimeSpan Same()
        {
            throttle.Wait("alice", _source).ShouldBe(throttle.Wait("nobody", _source));
            return throttle.Wait("alice", _source);
        }
    }

    [Fact]
    public void Strangers_elsewhere_don_t_keep_anybody_out_where_they_were_recognized_lately()
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 1000 }, _clock);
        throttle.Recognized("alice", _home);
        for (var failure = 0; failure < 30; failure++) throttle.Failed("alice", _source);
        throttle.Wait("alice", _source).ShouldBe(TimeSpan.FromMinutes(15));
        throttle.Wait("alice", _home).ShouldBe(TimeSpan.Zero);

        // They are held to a count of their own, which being recognized does not forget either.
        for (var failure = 0; failure < 6; failure++) throttle.Failed("alice", _home);
        throttle.Recognized("alice", _home);
        throttle.Wait("alice", _home).ShouldBe(TimeSpan.FromSeconds(1));

        _clock.Advance(TimeSpan.FromDays(30));
        for (var failure = 0; failure < 7; failure++) throttle.Failed("alice", _source);
        throttle.Wait("alice", _home).ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void Whoever_is_recognized_where_it_was_tried_takes_nothing_off_what_is_seen_there()
    {
        var throttle = new SignInThrottle(new(), _clock);
        for (var failure = 0; failure < 8; failure++) throttle.Failed("alice", _home);
        throttle.Recognized("alice", _home);
        throttle.Wait("alice", _home).ShouldBe(TimeSpan.FromSeconds(4));
        throttle.Failed("alice", _source);
        throttle.Wait("alice", _home).ShouldBe(TimeSpan.FromSeconds(4));
        throttle.Recognized("alice", _home);
        throttle.Wait("alice", _home).ShouldBe(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void Somebody_is_known_at_so_many_addresses_and_no_more()
    {
        var throttle = new SignInThrottle(new(), _clock);
        for (var number = 1; number <= 17; number++) throttle.Recognized("alice", Home(number));
        for (var failure = 0; failure < 6; failure++) throttle.Failed("alice", _source);
        throttle.Wait("alice", Home(1)).ShouldBe(TimeSpan.FromSeconds(1));
        throttle.Wait("alice", Home(2)).ShouldBe(TimeSpan.Zero);
        throttle.Wait("alice", Home(17)).ShouldBe(TimeSpan.Zero);

        static IPAddress Home(int number) => IPAddress.Parse($"203.0.113.{number}");
    }

    [Fact]
    public void Each_hour_takes_one_failure_off_a_login_so_that_slips_of_weeks_don_t_add_up()
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 1000 }, _clock);
        for (var failure = 0; failure < 8; failure++) throttle.Failed("alice", _source);
        _clock.Advance(TimeSpan.FromHours(2));
        throttle.Failed("alice", _source);
        throttle.Wait("alice", _source).ShouldBe(TimeSpan.FromSeconds(2));

        // Failures in between don't begin the hour anew.
        for (var half = 0; half < 4; half++)
        {
            _clock.Advance(TimeSpan.FromMinutes(30));
            throttle.Failed("alice", _source);
        }

        throttle.Wait("alice", _source).ShouldBe(TimeSpan.FromSeconds(8));

        for (var day = 0; day < 30; day++)
        {
            _clock.Advance(TimeSpan.FromHours(8));
            for (var slip = 0; slip < 3; slip++) throttle.Failed("alice", _source);
        }

        throttle.Wait("alice", _source).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void An_address_is_refused_for_every_login_until_its_window_is_over()
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 3 }, _clock);
        throttle.Failed("a", _source);
        _clock.Advance(TimeSpan.FromMinutes(4));
        throttle.Failed("b", _source);
        throttle.Failed("c", _source);
        throttle.Wait("d", _source).ShouldBe(TimeSpan.FromMinutes(6));
        throttle.Wait("d", IPAddress.Parse("192.0.2.8")).ShouldBe(TimeSpan.Zero);
        _clock.Advance(TimeSpan.FromMinutes(6));
        throttle.Wait("d", _source).ShouldBe(TimeSpan.Zero);
        throttle.Failed("e", _source);
        throttle.Wait("d", _source).ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    public void One_subscriber_is_one_address(string failing, string asking, bool same)
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 1 }, _clock);
        throttle.Failed("alice", IPAddress.Parse(failing));
        (throttle.Wait("bob", IPAddress.Parse(asking)) > TimeSpan.Zero).ShouldBe(same);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void A_clock_that_is_set_makes_no_wait_longer_or_shorter(int hours)
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 20 }, _clock);
        for (var failure = 0; failure < 20; failure++) throttle.Failed("alice", _source);
        _clock.Set(TimeSpan.FromHours(hours));
        throttle.Wait("alice", _source).ShouldBe(TimeSpan.FromMinutes(15));
        throttle.Wait("bob", _source).ShouldBe(TimeSpan.FromMinutes(10));
        _clock.Advance(TimeSpan.FromMinutes(15));
        throttle.Wait("alice", _source).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Failures_are_forgotten_after_a_day()
    {
        var throttle = new SignInThrottle(new(), _clock);
        for (var failure = 0; failure < 20; failure++) throttle.Failed("alice", _source);
        _clock.Advance(TimeSpan.FromHours(24) + TimeSpan.FromTicks(1));
        throttle.Failed("alice", _source);
        throttle.Wait("alice", _source).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void A_flood_of_made_up_logins_does_not_push_out_the_one_that_is_attacked()
    {
        var throttle = new SignInThrottle(new() { Remembered = 100, FailuresPerAddress = int.MaxValue }, _clock);
        for (var failure = 0; failure < 20; failure++) throttle.Failed("alice", _source);
        for (var number = 0; number < 10_000; number++)
        {
            _clock.Advance(TimeSpan.FromTicks(1));
            throttle.Failed($"made-up-{number}", _source);
        }

        throttle.Wait("alice", _source).ShouldBeGreaterThan(TimeSpan.FromMinutes(14));
        throttle.Remembered.ShouldBeLessThanOrEqualTo(101);
    }

    [Fact]
    public void Where_more_people_are_recognized_than_are_remembered_those_of_longest_ago_are_forgotten()
    {
        var throttle = new SignInThrottle(new() { Remembered = 100, FailuresPerAddress = int.MaxValue }, _clock);
        for (var number = 0; number < 101; number++)
        {
            _clock.Advance(TimeSpan.FromTicks(1));
            throttle.Recognized($"person{number}", _source);
        }

        for (var failure = 0; failure < 20; failure++)
        {
            throttle.Failed("person0", IPAddress.Parse("198.51.100.1"));
            throttle.Failed("person100", IPAddress.Parse("198.51.100.1"));
        }

        throttle.Wait("person0", _source).ShouldBeGreaterThan(TimeSpan.FromMinutes(14));
        throttle.Wait("person100", _source).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void A_login_of_any_length_is_counted_by_itself()
    {
        var throttle = new SignInThrottle(new(), _clock);
        var login = new string('a', 100_000);
        for (var failure = 0; failure < 6; failure++) throttle.Failed(login, _source);
        throttle.Wait(login, _source).ShouldBeGreaterThan(TimeSpan.Zero);
        throttle.Wait(login + "b", _source).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void What_was_asked_for_counts_until_its_mail_was_read_and_takes_nothing_else_off_the_address()
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 4 }, _clock);
        var elsewhere = IPAddress.Parse("198.51.100.1");
        throttle.Failed("victim", _source);
        throttle.Asked("link for carl", _source);
        throttle.Asked("link for carl", _source);
        throttle.Asked("link for carl", elsewhere);
        throttle.Asked("link for dora", _source);
        throttle.Wait("somebody", _source).ShouldBeGreaterThan(TimeSpan.Zero);
        throttle.Redeemed("link for carl");
        throttle.Wait("somebody", _source).ShouldBe(TimeSpan.Zero);
        throttle.Failed("victim", _source);
        throttle.Wait("somebody", _source).ShouldBe(TimeSpan.Zero);
        throttle.Failed("victim", _source);
        throttle.Wait("somebody", _source).ShouldBeGreaterThan(TimeSpan.Zero);

        // Once: what is read again was asked for by nobody.
        throttle.Redeemed("link for carl");
        throttle.Wait("somebody", _source).ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public void What_was_asked_for_before_is_not_taken_off_what_was_counted_since()
    {
        var throttle = new SignInThrottle(new() { FailuresPerAddress = 2 }, _clock);
        throttle.Asked("link for carl", _source);
        _clock.Advance(TimeSpan.FromMinutes(11));
        throttle.Failed("victim", _source);
        throttle.Failed("victim", _source);
        throttle.Redeemed("link for carl");
        throttle.Wait("somebody", _source).ShouldBeGreaterThan(TimeSpan.Zero);
    }
}
