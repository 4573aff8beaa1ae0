using System.Globalization;

namespace Countersign.Fuzz;

/// <summary><c>TARGET [--cases N] [--seed S] [--first K]</c>, <c>replay FILE</c> or <c>capture FOLDER</c>.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["capture", var folder]:
                await Capture.CaptureCommand.RunAsync(folder);
                return 0;
            case ["replay", var file]:
                return await ReplayAsync(file);
            case [var name, .. var options]:
                return await FuzzAsync(name, Number(options, "--cases", 100_000), (ulong)Number(options, "--seed", 1), Number(options, "--first", 0));
            default:
                await Console.Error.WriteLineAsync($"usage: TARGET [--cases N] [--seed S] [--first K] | replay FILE | capture FOLDER\ntargets: {string.Join(' ', AllTargets.Names)}");
                return 64;
        }
    }

    private static async Task<int> FuzzAsync(string name, long cases, ulong seed, long first)
    {
        var target = AllTargets.Get(name);
        using var disposable = target as IDisposable;
        var runner = new Runner(target, AllTargets.Corpus(name), TimeProvider.System) { Keep = Path.Combine(Root(), "tests", "Fuzz", "Crashes") };
        var outcome = await runner.RunAsync(seed, first, cases);
        foreach (var finding in outcome.Findings) Console.WriteLine($"{finding.Target} case {finding.Case}: {finding.What}\n  kept as {finding.Kept}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} seed {seed}: {outcome.Cases} cases from {first}, {outcome.Cases / outcome.Took.TotalSeconds:F0} a second, {outcome.Findings.Count} findings"));
        return outcome.Findings.Count == 0 ? 0 : 1;
    }

    private static async Task<int> ReplayAsync(string file)
    {
        var target = AllTargets.Get(Path.GetFileName(file).Split('.')[0]);
        using var disposable = target as IDisposable;
        foreach (var step in Transcript.Read(file).Steps) Console.WriteLine($"{(char)step.Kind} {Convert.ToHexStringLower(step.Bytes.AsSpan(0, Math.Min(step.Bytes.Length, 100)))} ({step.Bytes.Length})");
        var what = await new Runner(target, [], TimeProvider.System).PlayAsync(Transcript.Read(file));
        Console.WriteLine(what ?? "everything holds");
        return what is null ? 0 : 1;
    }

    private static long Number(string[] options, string name, long otherwise)
    {
        var at = Array.IndexOf(options, name);
        return at < 0 ? otherwise : long.Parse(options[at + 1], CultureInfo.InvariantCulture);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Countersign.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("not in the repository");
    }
}
