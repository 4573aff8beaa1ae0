namespace Countersign.Bench.Ways;

/// <summary>The same thing measured on each way in turn, several times over, so that what else the machine does meanwhile meets all of them.</summary>
internal sealed class Rounds
{
    private readonly Dictionary<Way, List<double>> _values = ThreeWays.All.ToDictionary(way => way, _ => new List<double>());

    public IReadOnlyDictionary<Way, List<double>> Values => _values;

    public static async Task<Rounds> MeasureAsync(int times, Func<Way, Task<double>> measure)
    {
        var rounds = new Rounds();
        for (var i = 0; i < times; i++)
        {
            foreach (var way in ThreeWays.All) rounds._values[way].Add(await measure(way));
        }

        return rounds;
    }

    public double Median(Way way) => At(way, 0.5);

    /// <param name="part">Such as 0.99.</param>
    public double At(Way way, double part)
    {
        var sorted = _values[way].Order().ToList();
        return sorted[Math.Min(sorted.Count - 1, (int)(part * sorted.Count))];
    }

    /// <summary>What was measured itself, ours with the peers' beside it.</summary>
    public Figure Absolute(string name, string unit, double part, Func<double, double> convert) => Figure.Plain(name, convert(At(Way.Gateway, part)), unit) with
    {
        Peers = new Dictionary<string, double>
        {
            ["direct"] = Math.Round(convert(At(Way.Direct, part)), 3),
            ["jump"] = Math.Round(convert(At(Way.Jump, part)), 3),
        },
        Ratio = Math.Round(convert(At(Way.Gateway, part)) / convert(At(Way.Direct, part)), 3),
    };

    /// <summary>Ours over one peer's, at least the goal: for what is better when it is more.</summary>
    public Figure AtLeast(string name, Way peer, double goal) => Against(Figure.AtLeast(name, At(Way.Gateway, 0.5) / At(peer, 0.5), "ratio", goal), peer, 0.5);

    /// <summary>Ours over one peer's, at most the goal: for what is better when it is less.</summary>
    public Figure AtMost(string name, Way peer, double part, double goal) => Against(Figure.AtMost(name, At(Way.Gateway, part) / At(peer, part), "ratio", goal), peer, part);

    /// <summary>The peers by the same measure: that one is 1.</summary>
    private Figure Against(Figure figure, Way peer, double part) => figure with
    {
        Peers = new Dictionary<string, double>
        {
            ["direct"] = Math.Round(At(Way.Direct, part) / At(peer, part), 3),
            ["jump"] = Math.Round(At(Way.Jump, part) / At(peer, part), 3),
        },
        Ratio = figure.Value,
    };
}
