using System.Diagnostics;

namespace Countersign.Bench.Servers;

/// <summary>Several who do the same over and over at once, each waiting for its own before the next.</summary>
internal static class Load
{
    /// <summary>After a warming up of a quarter of the time.</summary>
    /// <param name="work">Gets who it is for.</param>
    /// <returns>How many were done in a second, and how long each took, in milliseconds.</returns>
    public static async Task<(double PerSecond, List<double> Times)> RunAsync(int workers, TimeSpan time, Func<int, Task> work)
    {
        await SpendAsync(workers, time / 4, work);
        var begun = Stopwatch.GetTimestamp();
        var times = await SpendAsync(workers, time, work);
        return (times.Count / Stopwatch.GetElapsedTime(begun).TotalSeconds, times);
    }

    public static double Percentile(List<double> times, double part) => times.Order().ElementAt(Math.Min(times.Count - 1, (int)(times.Count * part)));

    private static async Task<List<double>> SpendAsync(int workers, TimeSpan time, Func<int, Task> work)
    {
        var end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        var each = await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(async () =>
        {
            var times = new List<double>();
            for (var now = Stopwatch.GetTimestamp(); now < end;)
            {
                await work(worker);
                var done = Stopwatch.GetTimestamp();
                times.Add(Stopwatch.GetElapsedTime(now, done).TotalMilliseconds);
                now = done;
            }

            return times;
        })));
        return [.. each.SelectMany(times => times)];
    }
}
