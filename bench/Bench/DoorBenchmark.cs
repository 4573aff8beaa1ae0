using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Countersign.Server;
using Countersign.Ssh;

namespace Countersign.Bench;

/// <summary>
/// The SSH front door: whether a device that may not be seen can be told from one that is not there by the time of the answer, and how soon a
/// session ends once what allowed it is gone. A whole server on SQLite, its auditing on, all in this process.
/// </summary>
internal static class DoorBenchmark
{
    private const int Attempts = 2000;
    private const int Ends = 20;

    public static async Task<List<Figure>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-bench-").FullName;
        try
        {
            await using var device = new QuietDevice();
            await using var server = await CountersignServer.StartAsync(
                new() { DataDirectory = Path.Combine(folder, "data"), Http = new(IPAddress.Loopback, 0), Ssh = new(IPAddress.Loopback, 0) }, CancellationToken.None);
            using var bench = new DoorBench(server, device);
            await bench.SetUpAsync();
            var figures = new List<Figure>();
            figures.AddRange(await bench.ProbeAsync(Attempts));
            figures.AddRange(await bench.EndAsync(Ends));
            return figures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

internal sealed class DoorBench(CountersignServer server, QuietDevice device) : IDisposable
{
    private readonly BenchOrganization _organization = new(server.HttpAddress);
    private readonly Dictionary<string, (string Id, string Password)> _people = [];

    private BenchApi Api => _organization.Api;

    public async Task SetUpAsync()
    {
        await _organization.FoundAsync(server.SetupToken!, "Terminal");
        await _organization.AddDeviceAsync("hidden", device.Port, device.HostKey, "root", new() { ["password"] = "anything" });
        _people["nora"] = await _organization.AddPersonAsync("nora");
        _people["tina"] = await _organization.AddPersonAsync("tina");
    }

    /// <summary>Attempts at a hidden and at an absent device, in turns whose order is drawn anew each time, each from opening the channel to its close.</summary>
    public async Task<List<Figure>> ProbeAsync(int attempts)
    {
        await using var hidden = await ConnectAsync("nora", "hidden");
        await using var absent = await ConnectAsync("nora", "absent");
        var hiddenTimes = new List<double>(attempts);
        var absentTimes = new List<double>(attempts);
        var random = new Random(1);
        for (var i = -200; i < attempts; i++)
        {
            var hiddenFirst = random.Next(2) == 0;
            var first = await TimeAsync(hiddenFirst ? hidden : absent);
            var second = await TimeAsync(hiddenFirst ? absent : hidden);
            if (i < 0) continue;
            hiddenTimes.Add(hiddenFirst ? first : second);
            absentTimes.Add(hiddenFirst ? second : first);
        }

        var (hiddenMedian, absentMedian) = (Median(hiddenTimes), Median(absentTimes));
        return
        [
            Figure.Plain("refusal.hidden.p50", hiddenMedian, "ms"),
            Figure.Plain("refusal.absent.p50", absentMedian, "ms"),
            Figure.Between("refusal.hidden_vs_absent", hiddenMedian / absentMedian, 0.9, 1.1),
        ];
    }

    /// <summary>From the call that takes the permission away, or the instant that a window closes, to the close of the technician's channel.</summary>
    public async Task<List<Figure>> EndAsync(int times)
    {
        var (grants, disabled, windows) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < times; i++)
        {
            var grant = await GrantAsync(null);
            grants.Add(await EndedAfterAsync(() => Api.SendAsync(HttpMethod.Delete, $"grants/{grant}")));

            grant = await GrantAsync(null);
            disabled.Add(await EndedAfterAsync(() => Api.SendAsync(HttpMethod.Post, $"technicians/{_people["tina"].Id}/disable", [])));
            await Api.SendAsync(HttpMethod.Post, $"technicians/{_people["tina"].Id}/enable", []);
            await Api.SendAsync(HttpMethod.Delete, $"grants/{grant}");

            var end = DateTimeOffset.UtcNow.AddSeconds(1);
            grant = await GrantAsync(end);
            await EndedAfterAsync(() => Task.CompletedTask);
            windows.Add((DateTimeOffset.UtcNow - end).TotalMilliseconds);
            await Api.SendAsync(HttpMethod.Delete, $"grants/{grant}");
        }

        return
        [
            Figure.AtMost("end.grant_removed.max", grants.Max(), "ms", 1000),
            Figure.AtMost("end.disabled.max", disabled.Max(), "ms", 1000),
            Figure.AtMost("end.window.max", windows.Max(), "ms", 1000),
        ];
    }

    public void Dispose() => _organization.Dispose();

    private async Task<double> EndedAfterAsync(Func<Task> act)
    {
        await using var connection = await ConnectAsync("tina", "hidden");
        var watch = new Ended();
        var channel = await connection.OpenChannelAsync("session", default, watch, 64 * 1024, CancellationToken.None);
        await channel.RequestAsync("shell", default, CancellationToken.None);
        await watch.Running.Task;
        var start = Stopwatch.GetTimestamp();
        await act();
        await watch.Closed.Task;
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static async Task<double> TimeAsync(SshClientConnection connection)
    {
        var watch = new Ended();
        var start = Stopwatch.GetTimestamp();
        var channel = await connection.OpenChannelAsync("session", default, watch, 64 * 1024, CancellationToken.None);
        await channel.RequestAsync("shell", default, CancellationToken.None);
        await watch.Closed.Task;
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private async Task<SshClientConnection> ConnectAsync(string login, string name)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.SshAddress);
        using var password = Secret.FromText(_people[login].Password);
        return await SshClientConnection.ConnectAsync(new NetworkStream(socket, ownsSocket: true), new()
        {
            User = $"{login}+{name}",
            Credentials = [new SshCredential.Password(password)],
            TrustedHostKeys = [.. server.SshHostKeys.Select(line => SshPublicKey.TryParse(line, out var key) ? key : throw new FormatException(line))],
        }, CancellationToken.None);
    }

    private Task<string> GrantAsync(DateTimeOffset? to) => _organization.GrantAsync(_people["tina"].Id, to);

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>Says when the far side has spoken first, and when it has closed the channel.</summary>
    private sealed class Ended : SshChannelHandler
    {
        public TaskCompletionSource Running { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data) => Running.TrySetResult();

        public override void OnClosed(SshChannel channel)
        {
            Closed.TrySetResult();
            Running.TrySetResult();
        }
    }
}
