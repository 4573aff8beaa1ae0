namespace Countersign.Bench;

/// <summary><c>COUNTERSIGN_BENCH_ONLY</c>: only the parts of a benchmark that are named there, with commas between.</summary>
internal static class Parts
{
    private static readonly string[] _only = Environment.GetEnvironmentVariable("COUNTERSIGN_BENCH_ONLY")?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    public static bool Wanted(string part) => _only.Length == 0 || _only.Contains(part);
}
