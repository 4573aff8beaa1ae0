using System.Text.Json;
using Countersign.Bench;
using Countersign.Bench.Access;
using Countersign.Bench.Servers;
using Countersign.Bench.Ways;

var benchmarks = new Dictionary<string, Func<Task<List<Figure>>>>
{
    ["access"] = AccessBenchmark.RunAsync,
    ["audit"] = AuditBenchmark.RunAsync,
    ["door"] = DoorBenchmark.RunAsync,
    ["server"] = ServerBenchmark.RunAsync,
    ["ssh"] = SshBenchmark.RunAsync,
};
if (args.Length is not (1 or 3) || !benchmarks.TryGetValue(args[0], out var run) || args.Length == 3 && args[1] != "--json")
{
    Console.Error.WriteLine($"usage: bench/run.sh {string.Join('|', benchmarks.Keys)} [--json FILE]");
    return 2;
}

var figures = await run();
Console.Write(Figure.Table(figures));
if (args.Length == 3) await File.WriteAllTextAsync(args[2], JsonSerializer.Serialize(figures, FigureJson.Default.ListFigure) + "\n");
return 0;
