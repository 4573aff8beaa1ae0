using Countersign.Ssh;
using static Countersign.Gateway.Tests.LoopbackDoor;

namespace Countersign.Gateway.Tests;

/// <summary>What a connection has to do counts until it is done, also what its client does not wait for any more.</summary>
public sealed class WindingDownTests
{
    private const int Sessions = 40, Tunnels = 24;

    [Fact]
    public async Task Sessions_and_tunnels_of_a_connection_count_until_they_have_wound_down()
    {
        var office = new Office();
        await using var door = Start(options => options, office);
        await using var tina = await SignInAsync(door, "tina+web01");
        var channels = new List<SshChannel>();
        var closed = new List<Task>();
        for (var number = 0; number < Sessions; number++)
        {
            var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
            (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("true").Encode(), Cancellation)).ShouldBeTrue();
            channels.Add(channel);
            closed.Add(streams.Closed);
        }

        var tunnels = Enumerable.Range(0, Tunnels).Select(_ => OpenTunnelAsync(tina)).ToList();
        await UntilAsync(() => office.Beginning == Sessions + Tunnels);

        // The client has done with them, and none of them is over: the ledger has not answered.
        foreach (var channel in channels) channel.Close();
        await Task.WhenAll(closed).WaitAsync(Patience, Cancellation);
        await RefusedAsync(() => tina.OpenChannelAsync("session", default, new Nobody(), 1024, Cancellation));
        await RefusedAsync(() => OpenTunnelAsync(tina));

        // It is this connection's count, and not the person's.
        await using (var again = await SignInAsync(door, "tina+web01")) await again.OpenChannelAsync("session", default, new Nobody(), 1024, Cancellation);

        office.LedgerAnswers();
        foreach (var tunnel in tunnels) await Should.ThrowAsync<SshChannelRefusedException>(tunnel.WaitAsync(Patience, Cancellation));
        await UntilAsync(async () =>
        {
            try
            {
                await tina.OpenChannelAsync("session", default, new Nobody(), 1024, Cancellation);
                return true;
            }
            catch (SshChannelRefusedException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task A_connection_is_there_until_its_last_session_has_wound_down()
    {
        var office = new Office();
        await using var door = Start(options => options with { MostOfPerson = 1 }, office);
        await using (var tina = await SignInAsync(door, "tina+web01"))
        {
            var (channel, _) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
            await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("true").Encode(), Cancellation);
            await UntilAsync(() => office.Beginning == 1);
        }

        // Nor is its place among the person's free before.
        await using (var second = await SignInAsync(door, "tina"))
        {
            await second.Closed.WaitAsync(Patience, Cancellation);
            second.EndReason!.ShouldContain("too many connections");
        }

        await UntilAsync(() => door.Connections == 1);
        office.LedgerAnswers();
        await UntilAsync(() => door.Connections == 0);
    }

    private static Task<SshChannel> OpenTunnelAsync(SshConnection connection) => connection.OpenChannelAsync(
        Forwardings.DirectTcpIp, new TcpIpOpen("127.0.0.1", 80, "127.0.0.1", 1).Encode(), new Nobody(), 1024, Cancellation);

    private static async Task RefusedAsync(Func<Task<SshChannel>> open)
    {
        var refused = await Should.ThrowAsync<SshChannelRefusedException>(open);
        refused.Reason.ShouldBe(4u);
        refused.Message.ShouldContain("come to their ends");
    }
}
