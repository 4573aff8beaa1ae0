using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Countersign.Server;
using Microsoft.Data.Sqlite;

namespace Countersign.Bench;

/// <summary>
/// The audit log: how long a page takes out of a log of millions of records, for each thing that it is searched by, and how far the sealer is behind while
/// many people change policy at once. A whole server on SQLite in this process, measured through its API. <c>COUNTERSIGN_BENCH_RECORDS</c>: another size.
/// </summary>
internal static class AuditBenchmark
{
    private const int Pages = 40;
    private const int Writers = 16;
    private const int Warmup = 5;
    private const int Chunk = 50_000;
    private static readonly TimeSpan _load = TimeSpan.FromSeconds(15);
    private static readonly string _person = Guid.CreateVersion7().ToString().ToUpperInvariant();
    private static readonly string _device = Guid.CreateVersion7().ToString().ToUpperInvariant();

    private static int Records =>
        Environment.GetEnvironmentVariable("COUNTERSIGN_BENCH_RECORDS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 2_000_000;

    public static async Task<List<Figure>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-bench-").FullName;
        try
        {
            await using var server = await CountersignServer.StartAsync(
                new() { DataDirectory = Path.Combine(folder, "data"), Http = new(IPAddress.Loopback, 0), Ssh = new(IPAddress.Loopback, 0) }, CancellationToken.None);
            using var api = new BenchApi(server.HttpAddress);
            var founded = await api.SendAsync(HttpMethod.Post, "setup", new()
            {
                ["token"] = server.SetupToken,
                ["organization"] = "Bench",
                ["login"] = "olga",
                ["name"] = "Olga",
                ["mail"] = "",
                ["password"] = $"bench {Guid.NewGuid():N}",
            });
            api.SignInWith((string)founded["token"]!);
            var figures = new List<Figure> { await LagAsync(api) };
            await FillAsync(Path.Combine(folder, "data", "countersign.db"));
            figures.AddRange(await SearchAsync(api));
            return figures;
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The age of the oldest record that has no number yet, looked at over and over while policy is changed.</summary>
    private static async Task<Figure> LagAsync(BenchApi api)
    {
        var group = (string)(await api.SendAsync(HttpMethod.Post, "device-groups", new() { ["parent"] = null, ["name"] = "Servers" }))["id"]!;
        using var stop = new CancellationTokenSource(_load);
        var changes = 0;
        var writers = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; !stop.IsCancellationRequested; number++)
            {
                await api.SendAsync(HttpMethod.Post, "device-groups", new() { ["parent"] = group, ["name"] = $"g{writer}-{number}" });
                Interlocked.Increment(ref changes);
            }
        })).ToList();
        var lag = TimeSpan.Zero;
        while (!stop.IsCancellationRequested)
        {
            var asked = TimeProvider.System.GetUtcNow();
            var items = (await api.SendAsync(HttpMethod.Get, "audit?limit=1000"))["items"]!.AsArray();
            foreach (var item in items)
            {
                if (item!["number"] is not null) continue;
                var age = asked - item["at"]!.GetValue<DateTimeOffset>();
                if (age > lag) lag = age;
            }
        }

        await Task.WhenAll(writers);
        Console.Error.WriteLine($"{changes / _load.TotalSeconds:F0} records a second were written meanwhile");
        return Figure.AtMost("sealer.behind.max", lag.TotalMilliseconds, "ms", 1000);
    }

    /// <summary>Older than all that the server has written: one record in a thousand is by the person or about the device, one in a hundred was refused.</summary>
    private static async Task FillAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Default Timeout=120");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            """
            with recursive n(x) as (select $first union all select x + 1 from n where x + 1 < $last)
            insert into audit_record (OrganizationId, Id, At, Kind, Actor, ActorLogin, Channel, Source, Subject, SubjectId, Outcome, Details, Correlation)
            select (select Id from organization), 62000000000000000 + x * 1000000, (62000000000000000 + x * 1000000) * 10,
                case x % 10 when 0 then 'policy.changed' when 1 then 'sign-in.succeeded' when 2 then 'request.approved' else iif(x % 2, 'session.began', 'session.ended') end,
                iif(x % 1000 = 7, $person, upper(hex(randomblob(16)))), 'somebody', 'ssh', '192.0.2.7', 'web' || (x % 500),
                iif(x % 1000 = 8, $device, null), iif(x % 100 = 0, 2, 1), '{"account":"root","count":3}', '' from n
            """;
        var (first, last) = (command.Parameters.Add("$first", SqliteType.Integer), command.Parameters.Add("$last", SqliteType.Integer));
        command.Parameters.AddWithValue("$person", _person);
        command.Parameters.AddWithValue("$device", _device);
        for (var start = 0; start < Records; start += Chunk)
        {
            (first.Value, last.Value) = (start, Math.Min(start + Chunk, Records));
            await command.ExecuteNonQueryAsync();
        }
    }

    private static async Task<List<Figure>> SearchAsync(BenchApi api)
    {
        var end = new DateTimeOffset((62000000000000000 + (Records * 1000000L)) * 10, TimeSpan.Zero);
        var (from, to) = (Text(end.AddDays(-9)), Text(end.AddDays(-8)));
        var searches = new (string Name, string Query)[]
        {
            ("newest", ""),
            ("person", $"&person={_person}"),
            ("device", $"&device={_device}"),
            ("kind", "&kind=policy.changed"),
            ("kinds", "&kind=session"),
            ("kind.absent", "&kind=nothing"),
            ("outcome", "&outcome=refused"),
            ("outcome.absent", "&outcome=failed"),
            ("time", $"&from={from}&to={to}"),
            ("person.kind.time", $"&person={_person}&kind=session&from={from}"),
        };
        var figures = new List<Figure>();
        foreach (var (name, query) in searches) figures.Add(Figure.AtMost($"page.{name}.p95", await PageAsync(api, query), "ms", 100));
        figures.Add(Figure.AtMost("page.deep.p95", await DeepAsync(api), "ms", 100));
        return figures;
    }

    private static async Task<double> PageAsync(BenchApi api, string query)
    {
        var times = new List<double>();
        for (var number = 0; number < Warmup + Pages; number++)
        {
            var watch = Stopwatch.StartNew();
            await api.SendAsync(HttpMethod.Get, $"audit?limit=100{query}");
            if (number >= Warmup) times.Add(watch.Elapsed.TotalMilliseconds);
        }

        return P95(times);
    }

    /// <summary>Page after page, each as far down as the ones before have led.</summary>
    private static async Task<double> DeepAsync(BenchApi api)
    {
        var (times, cursor) = (new List<double>(), "");
        for (var number = 0; number < Pages && cursor is not null; number++)
        {
            var watch = Stopwatch.StartNew();
            JsonNode page = await api.SendAsync(HttpMethod.Get, $"audit?limit=100&kind=session{cursor}");
            times.Add(watch.Elapsed.TotalMilliseconds);
            cursor = page["next"] is { } next ? $"&cursor={(string)next!}" : null;
        }

        return P95(times);
    }

    private static string Text(DateTimeOffset at) => Uri.EscapeDataString(at.ToString("O", CultureInfo.InvariantCulture));

    private static double P95(List<double> times) => times.Order().ElementAt((int)(times.Count * 0.95) - 1);
}
