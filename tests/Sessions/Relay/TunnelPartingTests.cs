using Countersign.Sessions.Relay;

namespace Countersign.Sessions.Tests.Relay;

public sealed class TunnelPartingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_technician_sent_before_closing_is_not_kept_for_ever_for_a_device_that_takes_nothing()
    {
        var time = new ManualTime(World.Start);
        await using var lab = await RelayLab.StartAsync(Cancellation, time);
        var channel = await lab.OpenTunnelAsync(Cancellation);
        (await channel.WriteAsync(new byte[1000], Cancellation)).ShouldBeTrue();
        var relay = lab.Tunnels.ShouldHaveSingleItem();
        relay.Ended.IsCompleted.ShouldBeFalse();
        channel.Close();

        // The gateway learns of it at some moment, and counts from there.
        await time.AdvanceUntilAsync(relay.Ended, TunnelRelay.LongestParting);
        relay.Traffic.In.ShouldBe(1000);
        (await relay.Ended).ShouldBe(RelayOutcome.Left);
    }

    [Fact]
    public async Task A_technician_whose_connection_breaks_has_not_left()
    {
        await using var lab = await RelayLab.StartAsync(Cancellation);
        await lab.OpenTunnelAsync(Cancellation);
        var relay = lab.Tunnels.ShouldHaveSingleItem();
        lab.Break();
        (await relay.Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancellation)).ShouldBe(RelayOutcome.TechnicianLost);
    }

    [Fact]
    public async Task While_it_is_open_it_may_wait_as_long_as_it_likes()
    {
        var time = new ManualTime(World.Start);
        await using var lab = await RelayLab.StartAsync(Cancellation, time);
        var channel = await lab.OpenTunnelAsync(Cancellation);
        (await channel.WriteAsync(new byte[1000], Cancellation)).ShouldBeTrue();
        time.Advance(TimeSpan.FromHours(1));
        lab.Tunnels.ShouldHaveSingleItem().Ended.IsCompleted.ShouldBeFalse();
        channel.Close();
    }
}
