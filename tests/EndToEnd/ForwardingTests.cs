using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>Connections that a stock client forwards through the device, with the permission for it; and what is never forwarded.</summary>
public sealed class ForwardingTests : IAsyncLifetime
{
    private readonly EchoService _service = new();
    private TestGateway _gateway = null!;
    private string _grant = "";

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        _grant = await _gateway.GrantAsync(_gateway.Tina, await _gateway.AddRoleAsync("Tunnels", "Tunnel"));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _service.DisposeAsync();
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
        using var one = await EchoService.ConnectAsync(socket);
        using var other = await EchoService.ConnectAsync(socket);
        (await EchoService.AskAsync(one, 1)).ShouldBe(1);
        (await EchoService.AskAsync(other, 2)).ShouldBe(2);
        (await _gateway.SessionsAsync("live")).Count.ShouldBe(2);

        await _gateway.Owner.DeleteAsync($"grants/{_grant}");

        (await EchoService.AskAsync(one, 3)).ShouldBeNull();
        (await EchoService.AskAsync(other, 4)).ShouldBeNull();
        await Eventually.TrueAsync(async () => (await _gateway.SessionsAsync("ended")).Count == 2, "both to be written down");
        (await _gateway.SessionsAsync("ended")).ShouldAllBe(session => (string)session["reason"]! == "permissionRevoked");
        using var late = await EchoService.ConnectAsync(socket);
        (await EchoService.AskAsync(late, 5)).ShouldBeNull();
        await Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains("port forwarding is not allowed", StringComparison.Ordinal), "ssh to say why", () => ssh.ErrorSoFar);
    }

    [Fact]
    public async Task What_the_device_does_not_reach_is_refused_with_the_reason()
    {
        var service = Service;
        _service.Close();
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, default, "-W", service);
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        outcome.Error.ShouldContain($"web01 does not open {service}");
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("deviceUnreachable");
    }

    [Fact]
    public async Task Where_recording_is_required_nothing_is_forwarded()
    {
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, default, "-W", Service)).Error.ShouldNotContain("not allowed");
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

    [Theory]
    [InlineData("-X")]
    [InlineData("-Y")]
    public async Task X11_is_refused_with_a_line_whichever_way_it_is_asked_for_and_the_session_goes_on(string option)
    {
        // Any display will do, and any key for it: nothing is to come back to use them.
        using var folder = new TempFolder();
        var xauth = folder.Write("xauth", "#!/bin/sh\necho '127.0.0.1:9 MIT-MAGIC-COOKIE-1 00112233445566778899aabbccddeeff'\n", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var ssh = _gateway.Client.ShellWords("tina+web01", _gateway.Tina.ByKey);
        var outcome = await RunningCommand.RunAsync("sh", ["-c", $"{ssh} {option} -o 'XAuthLocation {xauth}' device 'echo ${{DISPLAY:-none}}'"], environment: new Dictionary<string, string> { ["DISPLAY"] = "127.0.0.1:9" });
        outcome.Text.ShouldBe("none\n", outcome.ToString());
        outcome.Error.ShouldContain("X11 forwarding request failed");
        outcome.Error.ShouldContain("countersign: X11 forwarding is not available through Countersign");
    }

    [Fact]
    public async Task Through_socks_a_client_reaches_by_name_what_the_device_reaches_as_long_as_it_may()
    {
        using var folder = new TempFolder();
        var socks = folder["socks"];
        using var web = new TcpListener(IPAddress.Loopback, 0);
        web.Start();
        var serving = AnswerAsync(web);
        var service = $"localhost:{((IPEndPoint)web.LocalEndpoint).Port}";
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-N", "-D", socks);
        await Eventually.TrueAsync(() => File.Exists(socks), "ssh to listen", () => ssh.ErrorSoFar);

        var fetched = await FetchAsync(socks, service);
        fetched.Text.ShouldBe("from behind the device", fetched + ssh.ErrorSoFar);
        ((string)(await _gateway.EndedSessionAsync())["command"]!).ShouldBe(service);

        await _gateway.Owner.DeleteAsync($"grants/{_grant}");
        (await FetchAsync(socks, service)).ExitCode.ShouldNotBe(0);
        await Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains("port forwarding is not allowed", StringComparison.Ordinal), "the refusal to be told", () => ssh.ErrorSoFar);
        web.Stop();
        await serving;
    }

    [Fact]
    public async Task A_socket_of_the_device_s_is_reached_by_its_path_which_is_written_down_as_long_as_it_may_be()
    {
        using var folder = new TempFolder();
        _service.Listen(folder["service"]);
        var local = folder["local"];
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-N", "-L", $"{local}:{folder["service"]}");
        await Eventually.TrueAsync(() => File.Exists(local), "ssh to listen", () => ssh.ErrorSoFar);
        using (var one = await EchoService.ConnectAsync(local))
        {
            (await EchoService.AskAsync(one, 7)).ShouldBe(7, ssh.ErrorSoFar);
            ((string)(await _gateway.SessionsAsync("live")).ShouldHaveSingleItem()["command"]!).ShouldBe(folder["service"]);
            await _gateway.Owner.DeleteAsync($"grants/{_grant}");
            (await EchoService.AskAsync(one, 8)).ShouldBeNull();
        }

        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("permissionRevoked");
        using var late = await EchoService.ConnectAsync(local);
        (await EchoService.AskAsync(late, 9)).ShouldBeNull();
        await Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains("port forwarding is not allowed", StringComparison.Ordinal), "the refusal to be told", () => ssh.ErrorSoFar);
    }

    [Theory]
    [InlineData("/nowhere/service", "web01 does not open /nowhere/service")]
    [InlineData("/tmp/\u202eecivres", "port forwarding is not allowed")]
    public async Task A_path_that_leads_nowhere_or_deceives_is_refused_with_the_reason(string path, string because)
    {
        using var folder = new TempFolder();
        var local = folder["local"];
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-N", "-L", $"{local}:{path}");
        await Eventually.TrueAsync(() => File.Exists(local), "ssh to listen", () => ssh.ErrorSoFar);
        using var one = await EchoService.ConnectAsync(local);
        (await EchoService.AskAsync(one, 1)).ShouldBeNull();
        await Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains(because, StringComparison.Ordinal), "the refusal to be told", () => ssh.ErrorSoFar);
    }

    [Theory]
    [InlineData("0:{0}")]
    [InlineData("/tmp/countersign-never:{0}")]
    public async Task Nothing_is_forwarded_back_from_the_device_and_that_is_told(string back)
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo on", default, "-R", back.Replace("{0}", Service, StringComparison.Ordinal));
        outcome.Text.ShouldBe("on\n", outcome.ToString());
        outcome.Error.ShouldContain("remote port forwarding failed");
        outcome.Error.ShouldContain("countersign: forwarding from the device back to you (-R) is not available through Countersign");
        File.Exists("/tmp/countersign-never").ShouldBeFalse();
    }

    [Fact]
    public async Task A_client_that_insists_on_forwarding_back_ends()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo on", default, "-o", "ExitOnForwardFailure yes", "-R", $"0:{Service}");
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        outcome.Text.ShouldBeEmpty();
    }

    private string Service => _service.Address;

    /// <summary>The stock client of the web, by way of ssh's SOCKS.</summary>
    private static Task<Outcome> FetchAsync(string socks, string service) =>
        RunningCommand.RunAsync("curl", ["--silent", "--show-error", "--noproxy", "", "--proxy", $"socks5h://localhost{socks}", $"http://{service}/"]);

    /// <summary>One page, until the listener stops.</summary>
    private static async Task AnswerAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                using var reader = new StreamReader(client.GetStream());
                while (await reader.ReadLineAsync() is { Length: > 0 })
                {
                    // The head of the request, which says nothing of interest.
                }

                await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 22\r\nConnection: close\r\n\r\nfrom behind the device"u8.ToArray());
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }
}
