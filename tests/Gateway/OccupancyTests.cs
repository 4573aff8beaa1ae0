using Countersign.Gateway.SshDoor;

namespace Countersign.Gateway.Tests;

public sealed class OccupancyTests
{
    [Fact]
    public void Whoever_has_all_their_places_gets_no_further_one_and_others_do()
    {
        var places = new Occupancy<string>(2);
        var first = places.TryEnter("tina").ShouldNotBeNull();
        places.TryEnter("tina").ShouldNotBeNull();

        places.TryEnter("tina").ShouldBeNull();
        places.TryEnter("nora").ShouldNotBeNull();

        first.Dispose();
        first.Dispose();
        places.TryEnter("tina").ShouldNotBeNull();
        places.TryEnter("tina").ShouldBeNull();
    }

    [Fact]
    public void Nothing_is_kept_of_those_who_have_left()
    {
        var places = new Occupancy<int>(1);
        for (var key = 0; key < 10_000; key++) places.TryEnter(key)!.Dispose();
        places.Holders.ShouldBe(0);
    }
}
