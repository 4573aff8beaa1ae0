using System.Net;
using System.Text.Json.Nodes;
using Countersign.Bench.Ways;
using Countersign.Server;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Bench.Servers;

/// <summary>The server on SQLite: what it does in a second, how long a search takes among 100,000 devices, what it needs when nothing happens.</summary>
internal static class ServerBenchmark
{
    private const int AuditWriters = 64;
    private const int Callers = 8;
    private const int Starts = 5;
    private const int Searches = 60;

    private static readonly TimeSpan _time = TimeSpan.FromSeconds(8);

    public static async Task<List<Figure>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-bench-").FullName;
        try
        {
            var figures = new List<Figure>();
            foreach (var (part, run) in new (string, Func<string, Task<List<Figure>>>)[] { ("audit", AuditAsync), ("empty", EmptyAsync), ("large", LargeAsync) })
            {
                if (Parts.Wanted(part)) figures.AddRange(await run(Directory.CreateDirectory(Path.Combine(folder, part)).FullName));
            }

            return figures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The log alone, in this process: each record is on the disk before its writer writes the next.</summary>
    private static async Task<List<Figure>> AuditAsync(string folder)
    {
        await using var server = await CountersignServer.StartAsync(
            new() { DataDirectory = folder, Http = new(IPAddress.Loopback, 0), Ssh = new(IPAddress.Loopback, 0) }, CancellationToken.None);
        using var organization = new BenchOrganization(server.HttpAddress);
        await organization.FoundAsync(server.SetupToken!, "Terminal");
        var id = server.Services.GetRequiredService<PolicySource>().All.Single().Organization;
        var (queue, audit) = (server.Services.GetRequiredService<WriteQueue>(), server.Services.GetRequiredService<AuditLog>());
        var (perSecond, times) = await Load.RunAsync(AuditWriters, _time, worker => queue.AppendAsync(
            id,
            db => audit.Add(db, new() { Kind = "bench.record", Channel = "system", ActorLogin = $"writer{worker}", Details = new() { ["writer"] = worker } }),
            CancellationToken.None));
        return [Figure.AtLeast("audit.per_s", perSecond, "1/s", 10_000), Figure.AtMost("audit.p99.ms", Load.Percentile(times, 0.99), "ms", 20)];
    }

    private static async Task<List<Figure>> EmptyAsync(string folder)
    {
        var figures = new List<Figure>();
        await using (var server = await GatewayProcess.StartAsync(folder))
        {
            var (_, password) = await server.Organization.AddPersonAsync("tina");
            var (signIns, _) = await Load.RunAsync(Callers, _time, _ => server.Organization.SignInAsync("tina", password));
            figures.Add(Figure.Plain("signin.per_s", signIns, "1/s"));
            var parent = await server.Organization.AddGroupAsync("Changes");
            var number = 0;
            var (changes, times) = await Load.RunAsync(Callers, _time, worker =>
                server.Organization.Api.SendAsync(HttpMethod.Post, "device-groups", new() { ["parent"] = parent, ["name"] = $"g{Interlocked.Increment(ref number)}" }));
            figures.Add(Figure.Plain("change.per_s", changes, "1/s"));
            figures.Add(Figure.Plain("change.p99.ms", Load.Percentile(times, 0.99), "ms"));
        }

        figures.AddRange(await RestAsync(Directory.CreateDirectory(Path.Combine(folder, "idle")).FullName, "", 150, 2));
        return figures;
    }

    private static async Task<List<Figure>> LargeAsync(string folder)
    {
        var (owner, technician) = await LargeDatabase.MakeAsync(folder, "tina");
        var figures = await RestAsync(folder, "100k", 400, 4);
        await using var server = await GatewayProcess.RestartAsync(folder);
        figures.Add(Figure.AtMost("device_search.ms", await SearchAsync(server.Http, owner), "ms", 50));
        figures.Add(Figure.AtMost("device_search.technician.ms", await SearchAsync(server.Http, technician), "ms", 50));
        using var api = new BenchApi(server.Http);
        api.SignInWith(technician);
        var devices = (await api.SendAsync(HttpMethod.Get, "devices?limit=50"))["items"]!.AsArray().Select(device => (string)device!["id"]!).ToList();
        var turn = 0;
        var (decisions, times) = await Load.RunAsync(Callers, _time, _ =>
            api.SendAsync(HttpMethod.Get, $"devices/{devices[Interlocked.Increment(ref turn) % devices.Count]}"));
        figures.Add(Figure.Plain("decide_http.per_s", decisions, "1/s"));
        figures.Add(Figure.Plain("decide_http.p99.ms", Load.Percentile(times, 0.99), "ms"));
        return figures;
    }

    /// <summary>A program that has just been started on data that is there, and then does nothing: the median of its starts, and what it keeps after a collection.</summary>
    private static async Task<List<Figure>> RestAsync(string folder, string size, double most, double longest)
    {
        var starts = new List<double>();
        long resident = 0;
        for (var number = 0; number <= Starts; number++)
        {
            await using var server = await GatewayProcess.RestartAsync(folder);

            // The first makes its keys and tables where there are none.
            if (number > 0) starts.Add(server.Start.TotalSeconds);
            if (number == Starts) resident = await server.SettledAsync();
        }

        return
        [
            Figure.AtMost($"idle{size}.mb", resident / 1e6, "MB", most),
            Figure.AtMost($"start{size}.s", Load.Percentile(starts, 0.5), "s", longest),
        ];
    }

    /// <summary>Names that many, few, one and no device has, in turns: the 95th percentile.</summary>
    private static async Task<double> SearchAsync(Uri server, string token)
    {
        using var api = new BenchApi(server);
        api.SignInWith(token);
        string[] words = ["d1", "d123", "d54321", "nothing", "99", "d"];
        var times = new List<double>();
        for (var number = -words.Length; number < Searches; number++)
        {
            var begun = System.Diagnostics.Stopwatch.GetTimestamp();
            JsonNode page = await api.SendAsync(HttpMethod.Get, $"devices?search={words[(number + words.Length) % words.Length]}&limit=50");
            if (page["items"] is null) throw new InvalidOperationException("a search without an answer");
            if (number >= 0) times.Add(System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        return Load.Percentile(times, 0.95);
    }
}
