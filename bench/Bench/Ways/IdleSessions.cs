using System.Net.Sockets;
using Countersign.Ssh;

namespace Countersign.Bench.Ways;

/// <summary>What the gateway keeps for a session in which nothing happens: two connections, a relay, a recording, a journal.</summary>
internal sealed class IdleSessions(ThreeWays ways)
{
    private const int First = 20;
    private const int Sessions = 200;

    public async Task<IEnumerable<Figure>> MeasureAsync()
    {
        await using var device = new QuietDevice();
        await ways.Gateway.Organization.AddDeviceAsync("idle", device.Port, device.HostKey, "root", new() { ["password"] = "anything" });

        // So that code, and what is made once, is not counted.
        foreach (var connection in await OpenAsync(First)) await connection.DisposeAsync();
        var before = await ways.Gateway.SettledAsync();
        var open = await OpenAsync(Sessions);
        var after = await ways.Gateway.SettledAsync();
        foreach (var connection in open) await connection.DisposeAsync();
        return [Figure.AtMost("idle.kb_per_session", (after - before) / 1000.0 / Sessions, "kB", 200)];
    }

    private async Task<List<SshClientConnection>> OpenAsync(int count)
    {
        var open = new List<SshClientConnection>(count);
        for (var i = 0; i < count; i++)
        {
            var connection = await GatewayClient.ConnectAsync(ways, "idle");
            var started = new Started();
            var channel = await connection.OpenChannelAsync("session", default, started, 2 * 1024 * 1024, CancellationToken.None);
            await channel.RequestAsync("shell", default, CancellationToken.None);
            await started.Task;
            open.Add(connection);
        }

        return open;
    }

    /// <summary>Completes when the device has spoken.</summary>
    private sealed class Started : SshChannelHandler
    {
        private readonly TaskCompletionSource _spoken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Task => _spoken.Task;

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data) => _spoken.TrySetResult();

        public override void OnClosed(SshChannel channel) => _spoken.TrySetException(new InvalidOperationException("the session was refused"));
    }
}

/// <summary>Our own client at the gateway, where a client has to do what OpenSSH's does not.</summary>
internal static class GatewayClient
{
    public static async Task<SshClientConnection> ConnectAsync(ThreeWays ways, string device)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(ways.Gateway.Ssh);
        using var password = Secret.FromText(ways.Password);
        return await SshClientConnection.ConnectAsync(new NetworkStream(socket, ownsSocket: true), new()
        {
            User = $"{ThreeWays.Technician}+{device}",
            Credentials = [new SshCredential.Password(password)],
            TrustedHostKeys = [.. ways.Gateway.HostKeys.Select(line => SshPublicKey.TryParse(line, out var key) ? key : throw new FormatException(line))],
        }, CancellationToken.None);
    }
}
