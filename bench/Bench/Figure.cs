using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace Countersign.Bench;

/// <summary>One measured value with its goal and, where there are any, what peers reached in the same run.</summary>
/// <param name="Goal">Such as <c>&lt;= 1000</c>; empty: none.</param>
/// <param name="Ratio">Ours over the first peer's; of a figure that is a ratio to peers, itself; null without peers.</param>
internal sealed record Figure(string Name, double Value, string Unit, string Goal, bool? Met, IReadOnlyDictionary<string, double> Peers, double? Ratio)
{
    public static Figure AtMost(string name, double value, string unit, double goal) =>
        new(name, Math.Round(value, 3), unit, $"<= {goal.ToString(CultureInfo.InvariantCulture)}", value <= goal, new Dictionary<string, double>(), null);

    public static Figure AtLeast(string name, double value, string unit, double goal) =>
        new(name, Math.Round(value, 3), unit, $">= {goal.ToString(CultureInfo.InvariantCulture)}", value >= goal, new Dictionary<string, double>(), null);

    public static Figure Between(string name, double value, double low, double high) =>
        new(name, Math.Round(value, 3), "ratio", $"{low.ToString(CultureInfo.InvariantCulture)} to {high.ToString(CultureInfo.InvariantCulture)}", value >= low && value <= high, new Dictionary<string, double>(), null);

    public static Figure Plain(string name, double value, string unit) => new(name, Math.Round(value, 3), unit, "", null, new Dictionary<string, double>(), null);

    public static string Table(IEnumerable<Figure> figures)
    {
        var text = new StringBuilder("| figure | value | unit | goal | met | peers |\n| --- | ---: | --- | --- | --- | --- |\n");
        foreach (var figure in figures)
        {
            var met = figure.Met switch { true => "yes", false => "NO", null => "" };
            var peers = string.Join(", ", figure.Peers.Select(peer => string.Create(CultureInfo.InvariantCulture, $"{peer.Key} {peer.Value}")));
            text.AppendLine(CultureInfo.InvariantCulture, $"| `{figure.Name}` | {figure.Value} | {figure.Unit} | {figure.Goal} | {met} | {peers} |");
        }

        return text.ToString();
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(List<Figure>))]
internal sealed partial class FigureJson : JsonSerializerContext;
