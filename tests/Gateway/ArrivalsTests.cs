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
        arrivals.Enter(Somebody, () => dropped.Add("somebody"));
        arrivals.Enter(Flood, () => dropped.Add("first of the flood"));
        arrivals.Enter(Flood, () => dropped.Add("second of the flood"));

        arrivals.Enter(Somebody, () => dropped.Add("somebody again"));

        dropped.ShouldBe(["first of the flood"]);
        arrivals.Count.ShouldBe(3);
    }

    [Fact]
    public void A_place_that_was_given_back_is_free()
    {
        var arrivals = new Arrivals(1);
        var dropped = 0;
        arrivals.Enter(Somebody, () => dropped++).Dispose();

        arrivals.Enter(Somebody, () => dropped++);

        dropped.ShouldBe(0);
        arrivals.Count.ShouldBe(1);
    }

    [Fact]
    public void Giving_a_place_back_twice_or_after_being_dropped_changes_nothing()
    {
        var arrivals = new Arrivals(1);
        var first = arrivals.Enter(Flood, () => { });
        var second = arrivals.Enter(Flood, () => { });

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
        for (var i = 0; i < 10_000; i++) arrivals.Enter(Flood, () => dropped++);

        arrivals.Count.ShouldBe(64);
        dropped.ShouldBe(10_000 - 64);
    }
}
