using System.Diagnostics;
using System.Globalization;

namespace Countersign.EndToEnd.Crashes;

/// <summary>
/// The server's program is killed (SIGKILL) under load, again and again over the same data, at moments that a fixed seed chooses, and what it had
/// acknowledged is there each time. <c>COUNTERSIGN_KILLS</c> says how often; without it as often as a minute holds. <c>COUNTERSIGN_KILL_SEED</c>: another seed.
/// </summary>
[Collection(nameof(Alone))]
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Seed = 20261122;
    private static readonly TimeSpan Usually = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task What_was_acknowledged_survives_a_kill_at_any_moment()
    {
        var (kills, seed) = (Number("COUNTERSIGN_KILLS"), Number("COUNTERSIGN_KILL_SEED") ?? Seed);
        var watch = Stopwatch.StartNew();
        await using var world = await CrashWorld.MakeAsync();
        var counts = new int[Enum.GetValues<Deed>().Length];
        var kept = new List<string>();
        var (life, onTheWay) = (0, 0);
        Life? last = null;
        while (kills is { } wanted ? life < wanted : watch.Elapsed < Usually)
        {
            var random = new Random(DrawOf(seed, ++life));
            await using (var server = await ServerProgram.StartAsync(world.Folder))
            {
                await CheckAsync(world, server, last, kept, seed);
                last = await LiveAsync(world, server, life, KillAt.Draw(random));
            }

            var figures = Enum.GetValues<Deed>().Select(deed => $"{last.Acknowledged.CountOf(deed)} {deed}");
            output.WriteLine($"{watch.Elapsed.TotalSeconds:F0} s: kill {life}, {string.Join(", ", figures)}");
            foreach (var deed in Enum.GetValues<Deed>()) counts[(int)deed] += last.Acknowledged.CountOf(deed);

            // Now and then the next start is killed, too, while it puts right what the last one left.
            if (random.Next(4) > 0) continue;
            await ServerProgram.StartAndKillAsync(world.Folder, random.Next(60));
            onTheWay++;
        }

        await using (var server = await ServerProgram.StartAsync(world.Folder)) await CheckAsync(world, server, last, kept, seed);
        output.WriteLine($"{life} kills under load and {onTheWay} during a start, in {watch.Elapsed.TotalSeconds:F0} s; acknowledged and found again: "
            + string.Join(", ", Enum.GetValues<Deed>().Select(deed => $"{counts[(int)deed]} {deed}")));
    }

    /// <summary>One life under load, to the kill.</summary>
    private static async Task<Life> LiveAsync(CrashWorld world, ServerProgram server, int number, KillAt moment)
    {
        var acknowledged = new Acknowledged(moment);
        using var owner = world.Owner(server);
        var name = $"dev{number}";
        var device = await world.AddDeviceAsync(owner, name);
        await using var load = new CrashLoad(world, server, number, device, name, acknowledged);
        await load.RunAsync();
        return new(number, device, name, acknowledged);
    }

    private static async Task CheckAsync(CrashWorld world, ServerProgram server, Life? life, List<string> kept, int seed)
    {
        if (life is null) return;
        using var checks = new CrashChecks(world, server, life) { Kept = kept };
        try
        {
            await checks.RunAsync();
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            throw new InvalidOperationException($"After kill {life.Number} with seed {seed}: {fault.Message}", fault);
        }
    }

    private static int DrawOf(int seed, int life) => unchecked(seed * 31 + life);

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>After all the others: a dozen programs that start and die at once leave no time for anybody else's.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
