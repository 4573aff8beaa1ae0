using System.Globalization;

namespace Countersign.Bench.Ways;

/// <summary>
/// The gateway beside a direct connection and OpenSSH's own jump host, in one run on one machine: OpenSSH's client and server at both ends of each, the
/// same cipher, and the gateway's recording and auditing on. <c>COUNTERSIGN_BENCH_MIB</c>: another size for the transfers; <c>COUNTERSIGN_BENCH_ONLY</c>:
/// only the parts named there.
/// </summary>
internal static class SshBenchmark
{
    private static int Mebibytes => Environment.GetEnvironmentVariable("COUNTERSIGN_BENCH_MIB") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 512;

    public static async Task<List<Figure>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-bench-").FullName;
        try
        {
            await using var ways = await ThreeWays.StartAsync(folder);
            var transfers = new Transfers(ways, folder, Mebibytes);
            var latency = new Latency(ways);
            var parts = new (string Name, Func<Task<IEnumerable<Figure>>> Measure)[]
            {
                ("setup", latency.SetUpAsync),
                ("echo", latency.EchoAsync),
                ("idle", new IdleSessions(ways).MeasureAsync),
                ("stall", new StalledReader(ways).MeasureAsync),
                ("bulk", transfers.BulkAsync),
                ("sftp", transfers.SftpAsync),
                ("busy", transfers.BusyAsync),
            };
            var figures = new List<Figure>();
            foreach (var (name, measure) in parts)
            {
                if (Parts.Wanted(name)) figures.AddRange(await measure());
            }

            return figures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
