using System.Diagnostics;

namespace Countersign.Bench.Ways;

/// <summary>How long things take that carry next to nothing: to connect and run a command, and one byte there and back.</summary>
internal sealed class Latency(ThreeWays ways)
{
    private const int SetUps = 15;
    private const int Turns = 20;
    private const int TripsPerTurn = 150;

    public async Task<IEnumerable<Figure>> SetUpAsync()
    {
        await Rounds.MeasureAsync(5, way => ways.ExecAsync(way, "true"));
        var rounds = await Rounds.MeasureAsync(SetUps, way => ways.ExecAsync(way, "true"));
        return
        [
            rounds.Absolute("setup.ms", "ms", 0.5, seconds => 1000 * seconds),
            rounds.AtMost("setup.vs_jump", Way.Jump, 0.5, 0.85),
        ];
    }

    /// <summary>Through a running <c>cat</c> at the device, the three connections in turns.</summary>
    public async Task<IEnumerable<Figure>> EchoAsync()
    {
        var open = ThreeWays.All.ToDictionary(way => way, way => ways.Start(way, "cat"));
        try
        {
            // The first of each connects; the others are there to have all code compiled that is going to be.
            await Rounds.MeasureAsync(Turns * TripsPerTurn, way => Task.FromResult(Trip(open[way])));
            var trips = new Rounds();
            for (var turn = 0; turn < Turns; turn++)
            {
                foreach (var way in ThreeWays.All)
                {
                    for (var i = 0; i < TripsPerTurn; i++) trips.Values[way].Add(Trip(open[way]));
                }
            }

            return
            [
                trips.Absolute("echo.p50.us", "µs", 0.5, seconds => 1e6 * seconds),
                trips.Absolute("echo.p99.us", "µs", 0.99, seconds => 1e6 * seconds),
                trips.AtMost("echo.p50.vs_direct", Way.Direct, 0.5, 1.35),
                trips.AtMost("echo.p99.vs_direct", Way.Direct, 0.99, 1.5),
            ];
        }
        finally
        {
            foreach (var child in open.Values) await child.DisposeAsync();
        }
    }

    private static double Trip(Child client)
    {
        var start = Stopwatch.GetTimestamp();
        client.Input.WriteByte((byte)'x');
        client.Input.Flush();
        if (client.Output.ReadByte() != 'x') throw new InvalidOperationException("the echo broke off");
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
