using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>Connections that a stock client forwards through the device, with the permission for it; and what is never forwarded.</summary>
public sealed class ForwardingTests : IAsyncLifetime
{
    private readonly TcpListener _service = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private TestGateway _gateway = null!;
    private Task _serving = Task.CompletedTask;
    private string _grant = "";

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        _grant = await _gateway.GrantAsync(_gateway.Tina, await _gateway.AddRoleAsync("Tunnels", "Tunnel"));
        _service.Start();
        _serving = EchoAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _service.Dispose();
        await _serving;
        await _gateway.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Bytes_go_there_and_back_unchanged_and_the_session_says_where_and_how_much()
    {
        var bytes = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, bytes, "-W", Service);
        outcome.Output.AsSpan().SequenceEqual(bytes).ShouldBeTrue(outcome.Error);
        var session = await _gateway.EndedSessionAsync();
        ((string)session["kind"]!).ShouldBe("tunnel");
        ((string)session["command"]!).ShouldBe(Service);
        ((long)session["bytesIn"]!).ShouldBe(bytes.Length);
        ((long)session["bytesOut"]!).ShouldBe(bytes.Length);
        ((string)session["reason"]!).ShouldBe("completed");
    }

    [Fact]
    public async Task A_listening_client_has_each_connection_as_a_session_and_they_end_with_the_permission()
    {
        using var folder = new TempFolder();
        var socket = folder["local"];
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-N", "-L", $"{socket}:{Service}");
        await Eventually.TrueAsync(() => File.Exists(socket), "ssh to listen", () => ssh.ErrorSoFar);
        using var one = await ConnectAsync(socket);
        using var other = await ConnectAsync(socket);
        (await AskAsync(one, 1)).ShouldBe(1);
        (await AskAsync(other, 2)).ShouldBe(2);
        (await _gateway.SessionsAsync("live")).Count.ShouldBe(2);

        await _gateway.Owner.DeleteAsync($"grants/{_grant}");

        (await AskAsync(one, 3)).ShouldBeNull();
        (await AskAsync(other, 4)).ShouldBeNull();
        await Eventually.TrueAsync(async () => (await _gateway.SessionsAsync("ended")).Count == 2, "both to be written down");
        (await _gateway.SessionsAsync("ended")).ShouldAllBe(session => (string)session["reason"]! == "permissionRevoked");
        using var late = await ConnectAsync(socket);
        (await AskAsync(late, 5)).ShouldBeNull();
        ssh.ErrorSoFar.ShouldContain("port forwarding is not allowed");
    }

    [Fact]
    public async Task What_the_device_does_not_reach_is_refused_with_the_reason()
    {
        var service = Service;
        _service.Stop();
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, default, "-W", service);
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        outcome.Error.ShouldContain($"web01 does not open {service}");
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("deviceUnreachable");
    }

    [Fact]
    public async Task Where_recording_is_required_nothing_is_forwarded()
    {
        await _gateway.Owner.PutAsync($"settings/devices/{_gateway.DeviceId}/recording", new() { ["value"] = "required" });
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, default, "-W", Service);
        outcome.Error.ShouldContain("port forwarding is not allowed");
    }

    [Fact]
    public async Task Agent_and_X11_are_refused_with_a_line_and_the_session_goes_on()
    {
        using var folder = new TempFolder();
        var socket = folder["agent"];
        await using var agent = RunningCommand.Start("ssh-agent", ["-D", "-a", socket]);
        await Eventually.TrueAsync(() => File.Exists(socket), "an agent");
        var outcome = await _gateway.Client.SshAsync(
            "tina+web01", _gateway.Tina.ByKey, "echo ${SSH_AUTH_SOCK:-none}", default, "-A", "-o", $"IdentityAgent {socket}", "-o", $"ForwardAgent {socket}");
        outcome.Text.ShouldBe("none\n", outcome.ToString());
        outcome.Error.ShouldContain("agent forwarding is not available through Countersign");
    }

    [Fact]
    public async Task Nothing_is_forwarded_back_from_the_device()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo on", default, "-R", $"0:{Service}");
        outcome.Text.ShouldBe("on\n", outcome.ToString());
        outcome.Error.ShouldContain("remote port forwarding failed");
    }

    private string Service => $"127.0.0.1:{((IPEndPoint)_service.LocalEndpoint).Port}";

    private static async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>What comes back; null: the connection is at its end.</summary>
    private static async Task<int?> AskAsync(Socket socket, byte one)
    {
        var answer = new byte[1];
        try
        {
            await socket.SendAsync(new[] { one }, TestContext.Current.CancellationToken);
            return await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken) == 0 ? null : answer[0];
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private async Task EchoAsync()
    {
        var answering = new List<Task>();
        try
        {
            while (true) answering.Add(EchoAsync(await _service.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(answering);
        }
    }

    private async Task EchoAsync(TcpClient client)
    {
        using var one = client;
        try
        {
            await client.GetStream().CopyToAsync(client.GetStream(), _stop.Token);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The other end closed it, or the test is over.
        }
    }
}
