using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Ssh;

namespace Countersign.EndToEnd;

/// <summary>A device that fails on the way is told of in a sentence, and not as a fault of the gateway's own.</summary>
public sealed class UnreadyDeviceTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task A_device_that_hangs_up_when_a_session_is_opened_was_lost()
    {
        using var hostKey = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeOneAsync(listener, hostKey, new HangsUp());
        await _gateway.AddDeviceAsync("web02", ((IPEndPoint)listener.LocalEndpoint).Port, hostKey.PublicKey.ToString(), _gateway.Sshd.ClientKey.PrivateText);
        var outcome = await _gateway.Client.SshAsync("tina+web02", _gateway.Tina.ByKey, "true");
        outcome.ExitCode.ShouldBe(69, outcome.ToString());
        outcome.Error.ShouldContain("countersign: the connection to web02 was lost");
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("connectionLost");
        await serving;
    }

    [Fact]
    public async Task What_a_device_says_again_and_again_without_a_window_to_bound_it_reaches_the_technician_once()
    {
        using var hostKey = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeOneAsync(listener, hostKey, new Repeats());
        await _gateway.AddDeviceAsync("web02", ((IPEndPoint)listener.LocalEndpoint).Port, hostKey.PublicKey.ToString(), _gateway.Sshd.ClientKey.PrivateText);
        var outcome = await _gateway.Client.SshAsync("tina+web02", _gateway.Tina.ByKey, "true", default, "-v");
        outcome.ExitCode.ShouldBe(3, outcome.ToString());
        outcome.Error.Split("rtype exit-status").Length.ShouldBe(2, outcome.ToString());
        outcome.Error.Split("rtype eow@openssh.com").Length.ShouldBe(2, outcome.ToString());
        outcome.Error.ShouldNotContain("rtype exit-signal");
        await serving;
    }

    [Fact]
    public async Task A_device_without_a_service_by_ssh_can_not_be_reached_which_only_those_learn_who_may_reach_it()
    {
        await _gateway.Owner.PostAsync("devices", new()
        {
            ["group"] = _gateway.Servers,
            ["name"] = "screen01",
            ["host"] = PrivateSshd.Host,
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "vnc", ["port"] = _gateway.Sshd.Port }),
            ["accounts"] = new JsonArray(PrivateSshd.User),
        });
        var outcome = await _gateway.Client.SshAsync("tina+screen01", _gateway.Tina.ByKey, "true");
        outcome.ExitCode.ShouldBe(69, outcome.ToString());
        outcome.Error.ShouldContain("countersign: screen01 can't be reached: it has no service by ssh");
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("deviceUnreachable");

        var nora = await _gateway.AddPersonAsync("nora");
        foreach (var name in (string[])["screen01", "nowhere"])
        {
            var refused = await _gateway.Client.SshAsync($"nora+{name}", nora.ByKey, "true");
            (refused.ExitCode, refused.Error.Trim()).ShouldBe((77, $"countersign: there is no device {name} that you may reach"));
        }
    }

    [Fact]
    public async Task A_command_too_long_to_be_passed_on_is_refused_at_the_door()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "true " + new string('x', 32_760));
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        (await _gateway.SessionsAsync("ended")).ShouldBeEmpty();
    }

    private static async Task ServeOneAsync(TcpListener listener, SshPrivateKey hostKey, SshServerHandler handler)
    {
        var socket = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await SshServerConnection.RunAsync(new NetworkStream(socket, ownsSocket: true), new() { HostKeys = [hostKey] }, handler, TestContext.Current.CancellationToken);
    }

    private sealed class HangsUp : SshServerHandler
    {
        public override IReadOnlyList<string> AuthenticationMethods { get; } = ["publickey"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) => new(SshAuthResult.Success);

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
        {
            connection.Disconnect(11, "not today");
            return new SshChannelAnswer.Refuse(1, "not today");
        }
    }

    /// <summary>A program that has ended over and over.</summary>
    private sealed class Repeats : SshServerHandler
    {
        public override IReadOnlyList<string> AuthenticationMethods { get; } = ["publickey"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) => new(SshAuthResult.Success);

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra) => new SshChannelAnswer.Accept(new Program(), 1000);

        private sealed class Program : SshChannelHandler
        {
            public override void OnRequest(SshChannel channel, SshChannelRequest request)
            {
                request.Reply(SshReply.Success);
                if (request.Name != SessionRequests.Exec) return;
                for (var round = 0; round < 500; round++)
                {
                    channel.SendRequest(SessionRequests.EndOfWrite, []);
                    channel.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest(3).Encode());
                    channel.SendRequest(SessionRequests.ExitSignal, new ExitSignalRequest("TERM", false, "\u001b[2J").Encode());
                }

                channel.SendEof();
                channel.Close();
            }
        }
    }
}
