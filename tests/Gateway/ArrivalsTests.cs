using System.Net;
using Countersign.Gateway.SshDoor;

namespace Countersign.Gateway.Tests;

public sealed class ArrivalsTests
{
    private static readonly IPAddress Flood = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Somebody = IPAddress.Parse("192.0.2.2");

    [Fact]
    public void One_too_many_closes_the_oldest_of_the_busiest_address()
    {
        var arrivals = new Arrivals(3);
        var dropped = new List<string>();
        Enter(arrivals, Somebody, () => dropped.Add("somebody"));
        Enter(arrivals, Flood, () => dropped.Add("first of the flood"));
        Enter(arrivals, Flood, () => dropped.Add("second of the flood"));

        Enter(arrivals, Somebody, () => dropped.Add("somebody again"));

        dropped.ShouldBe(["first of the flood"]);
        arrivals.Count.ShouldBe(3);
    }

    [Fact]
    public void Of_a_flood_from_as_many_addresses_as_there_are_places_the_oldest_goes_and_not_who_came_last()
    {
        var arrivals = new Arrivals(8);
        var dropped = new List<string>();
        for (var host = 1; host <= 8; host++)
        {
            var address = $"198.51.100.{host}";
            Enter(arrivals, IPAddress.Parse(address), () => dropped.Add(address));
        }

        Enter(arrivals, Somebody, () => dropped.Add("somebody"));
        for (var host = 11; host <= 17; host++) Enter(arrivals, IPAddress.Parse($"198.51.100.{host}"), () => dropped.Add("one of the second wave"));

        dropped.ShouldBe(Enumerable.Range(1, 8).Select(host => $"198.51.100.{host}"));
    }

    [Fact]
    public void A_place_that_was_given_back_is_free()
    {
        var arrivals = new Arrivals(1);
        var dropped = 0;
        Enter(arrivals, Somebody, () => dropped++).Dispose();

        Enter(arrivals, Somebody, () => dropped++);

        dropped.ShouldBe(0);
        arrivals.Count.ShouldBe(1);
    }

    [Fact]
    public void Giving_a_place_back_twice_or_after_being_dropped_changes_nothing()
    {
        var arrivals = new Arrivals(1);
        var first = arrivals.Enter(Flood);
        var second = arrivals.Enter(Flood);

        first.Dispose();
        first.Dispose();

        arrivals.Count.ShouldBe(1);
        second.Dispose();
        arrivals.Count.ShouldBe(0);
    }

    [Fact]
    public void A_flood_of_ten_thousand_never_holds_more_places_than_there_are()
    {
        var arrivals = new Arrivals(64);
        var dropped = 0;
        for (var i = 0; i < 10_000; i++) Enter(arrivals, Flood, () => dropped++);

        arrivals.Count.ShouldBe(64);
        dropped.ShouldBe(10_000 - 64);
    }

    [Fact]
    public void One_that_ends_just_when_it_has_to_make_room_harms_nobody()
    {
        var arrivals = new Arrivals(1);
        var first = arrivals.Enter(Flood);
        using (CancellationTokenSource.CreateLinkedTokenSource(first.Dropped))
        {
            // What a connection holds while it lasts; it is over before its place is taken.
        }

        var newcomer = Should.NotThrow(() => arrivals.Enter(Somebody));

        first.Dropped.IsCancellationRequested.ShouldBeTrue();
        newcomer.Dispose();
        arrivals.Count.ShouldBe(0);
    }

    [Fact]
    public void An_IPv6_network_counts_as_one_address()
    {
        var arrivals = new Arrivals(5);
        var dropped = new List<string>();
        for (var place = 0; place < 2; place++) Enter(arrivals, IPAddress.Parse("2001:db8:2::1"), () => dropped.Add("somebody"));
        for (var host = 1; host < 10; host++) Enter(arrivals, IPAddress.Parse($"2001:db8:1::{host}"), () => dropped.Add("the flood"));

        dropped.ShouldBe(Enumerable.Repeat("the flood", 6));
    }

    private static Arrivals.Arrival Enter(Arrivals arrivals, IPAddress address, Action dropped)
    {
        var arrival = arrivals.Enter(address);
        arrival.Dropped.Register(dropped);
        return arrival;
    }
}
