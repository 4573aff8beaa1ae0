using System.Diagnostics;
using System.Globalization;

namespace Countersign.Bench.Access;

/// <param name="Answers">For each question whether it was allowed.</param>
internal sealed record PeerRound(double Nanoseconds, bool[] Answers);

/// <summary>Another engine, in a process of its own that has read the organization and waits for rounds of questions. Whoever starts it disposes of it.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private PeerProcess(string name, Process process) => (Name, _process) = (name, process);

    public string Name { get; }

    /// <param name="script">A program for Node, from the root of the repository.</param>
    public static async Task<PeerProcess> StartAsync(string name, string script, string organization)
    {
        var start = new ProcessStartInfo("node", [script, organization]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var peer = new PeerProcess(name, Process.Start(start)!);
        if (await peer.ReadAsync() == "ready") return peer;
        await peer.DisposeAsync();
        throw new InvalidOperationException($"{name} did not get ready.");
    }

    public async Task<PeerRound> AskAsync(int from, int count)
    {
        await _process.StandardInput.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{from} {count}"));
        await _process.StandardInput.FlushAsync();
        var parts = (await ReadAsync()).Split(' ');
        if (parts.Length != 2 || parts[1].Length != count) throw new InvalidOperationException($"{Name} answered with something else than {count} answers.");
        return new(double.Parse(parts[0], CultureInfo.InvariantCulture), [.. parts[1].Select(answer => answer == '1')]);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> ReadAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _process.StandardOutput.ReadLineAsync(patience.Token) ?? throw new InvalidOperationException($"{Name} ended.");
    }
}
