using System.Net;
using System.Net.Sockets;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>A TCP proxy in front of the SSH port, which says by the PROXY protocol where its clients are.</summary>
public sealed class ProxyTests : IAsyncLifetime
{
    private static readonly byte[] From192_0_2_77 =
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 15, 192, 0, 2, 77, 10, 0, 0, 2, 0xdc, 0x04, 0x08, 0xae, 0x04, 0, 0];

    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(options => options with { ProxyFrom = [IPNetwork.Parse("127.0.0.0/8")] });

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task The_true_source_is_what_counts_and_is_written_down()
    {
        await using var proxy = new TcpProxy(_gateway.Server.SshAddress, From192_0_2_77);
        using var client = new OpenSsh(proxy.Port, _gateway.Server.SshHostKeys);
        var outcome = await client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo through");
        outcome.Text.ShouldBe("through\n", outcome.ToString());
        ((string)(await _gateway.EndedSessionAsync())["source"]!).ShouldBe("192.0.2.77");
        var records = (await _gateway.Owner.GetAsync("audit?kind=session.began"))["items"]!.AsArray();
        ((string)records.ShouldHaveSingleItem()!["source"]!).ShouldBe("192.0.2.77");
    }

    [Fact]
    public async Task Without_a_header_or_with_one_of_version_1_the_proxy_is_not_served()
    {
        var direct = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo through");
        direct.ExitCode.ShouldBe(255, direct.ToString());
        await using var proxy = new TcpProxy(_gateway.Server.SshAddress, "PROXY TCP4 192.0.2.77 10.0.0.2 56324 2222\r\n"u8.ToArray());
        using var client = new OpenSsh(proxy.Port, _gateway.Server.SshHostKeys);
        (await client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo through")).ExitCode.ShouldBe(255);
        (await _gateway.SessionsAsync("ended")).ShouldBeEmpty();
    }

    [Fact]
    public async Task From_anywhere_else_a_header_is_not_read()
    {
        await using var gateway = await TestGateway.StartAsync(options => options with { ProxyFrom = [IPNetwork.Parse("192.0.2.0/24")] });
        (await gateway.Client.SshAsync("tina+web01", gateway.Tina.ByKey, "true")).ExitCode.ShouldBe(0);
        await using var proxy = new TcpProxy(gateway.Server.SshAddress, From192_0_2_77);
        using var client = new OpenSsh(proxy.Port, gateway.Server.SshHostKeys);
        (await client.SshAsync("tina+web01", gateway.Tina.ByKey, "true")).ExitCode.ShouldBe(255);
        (await gateway.SessionsAsync("ended")).Count.ShouldBe(1);
    }

    /// <summary>Passes connections on, each with these bytes in front.</summary>
    private sealed class TcpProxy : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly List<Task> _passing = [];
        private readonly Task _accepting;

        public TcpProxy(IPEndPoint to, byte[] header)
        {
            _listener.Start();
            _accepting = AcceptAsync(to, header);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Dispose();
            await _accepting;
            await Task.WhenAll(_passing);
            _stop.Dispose();
        }

        private async Task AcceptAsync(IPEndPoint to, byte[] header)
        {
            try
            {
                while (true) _passing.Add(PassAsync(await _listener.AcceptTcpClientAsync(_stop.Token), to, header));
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }

        private async Task PassAsync(TcpClient client, IPEndPoint to, byte[] header)
        {
            using var near = client;
            using var far = new TcpClient();
            try
            {
                await far.ConnectAsync(to, _stop.Token);
                var (here, beyond) = (near.GetStream(), far.GetStream());
                await beyond.WriteAsync(header, _stop.Token);
                var there = here.CopyToAsync(beyond, _stop.Token);
                await beyond.CopyToAsync(here, _stop.Token);
                near.Close();
                await there;
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One of the two has left.
            }
        }
    }
}
