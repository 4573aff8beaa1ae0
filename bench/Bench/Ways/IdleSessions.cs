using System.Net.Sockets;
using Countersign.Ssh;

namespace Countersign.Bench.Ways;

/// <summary>What the gateway keeps for a session in which nothing happens: two connections, a relay, a recording, a journal.</summary>
internal sealed class IdleSessions(ThreeWays ways)
{
    private const int First = 20;
    private const int Sessions = 200;

    /// <summary>Below what the server lets one person have.</summary>
    private const int OfPerson = 50;

    public async Task<IEnumerable<Figure>> MeasureAsync()
    {
        await using var device = new QuietDevice();
        await ways.Gateway.Organization.AddDeviceAsync("idle", device.Port, device.HostKey, "root", new() { ["password"] = "anything" });

        // So that code, and what is made once, is not counted.
        foreach (var connection in await OpenAsync([new(ThreeWays.Technician, ways.Password)], First)) await connection.DisposeAsync();
        var people = new List<Login>();
        for (var i = 0; i < Sessions / OfPerson; i++) people.Add(await ways.Gateway.AddTechnicianAsync($"idle{i}"));
        var before = await ways.Gateway.SettledAsync();
        var open = await OpenAsync(people, Sessions);
        var after = await ways.Gateway.SettledAsync();
        foreach (var connection in open) await connection.DisposeAsync();
        return [Figure.AtMost("idle.kb_per_session", (after - before) / 1000.0 / Sessions, "kB", 200)];
    }

    private async Task<List<SshClientConnection>> OpenAsync(List<Login> people, int count)
    {
        var open = new List<SshClientConnection>(count);
        for (var i = 0; i < count; i++)
        {
            var connection = await GatewayClient.ConnectAsync(ways, "idle", people[i % people.Count]);
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

internal sealed record Login(string Name, string Password);

/// <summary>Our own client at the gateway, where a client has to do what OpenSSH's does not.</summary>
internal static class GatewayClient
{
    public static Task<SshClientConnection> ConnectAsync(ThreeWays ways, string device) => ConnectAsync(ways, device, new(ThreeWays.Technician, ways.Password));

    public static async Task<SshClientConnection> ConnectAsync(ThreeWays ways, string device, Login login)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(ways.Gateway.Ssh);
        using var password = Secret.FromText(login.Password);
        return await SshClientConnection.ConnectAsync(new NetworkStream(socket, ownsSocket: true), new()
        {
            User = $"{login.Name}+{device}",
            Credentials = [new SshCredential.Password(password)],
            TrustedHostKeys = [.. ways.Gateway.HostKeys.Select(line => SshPublicKey.TryParse(line, out var key) ? key : throw new FormatException(line))],
        }, CancellationToken.None);
    }
}
