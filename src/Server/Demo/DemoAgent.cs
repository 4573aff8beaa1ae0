using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.Server.Platform;

namespace Countersign.Server.Demo;

/// <summary>An agent that serves this machine's shell on loopback, in a process of its own. Disposing it ends the process.</summary>
internal sealed class DemoAgent : IAsyncDisposable
{
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(20);

    private const int MostKept = 16 * 1024;

    private readonly Process _process;

    private DemoAgent(Process process, string host, int port, string hostKey)
    {
        _process = process;
        Host = host;
        Port = port;
        HostKey = hostKey;
    }

    public string Host { get; }

    public int Port { get; }

    public string HostKey { get; }

    /// <param name="folder">Where its keys are to be; made here.</param>
    /// <param name="authorizedKey">The public key that may sign in.</param>
    public static async Task<DemoAgent> StartAsync(string folder, string authorizedKey, TimeProvider time, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var keys = Path.Combine(folder, "authorized_keys");
        var ready = Path.Combine(folder, "ready.json");
        await File.WriteAllTextAsync(keys, authorizedKey + "\n", cancellation);
        var start = new ProcessStartInfo(Executables.Find("Agent", "countersign-agent"))
        {
            ArgumentList = { "serve", "--listen", "127.0.0.1:0", "--host-key", Path.Combine(folder, "host_key"), "--authorized-keys", keys, "--ready-file", ready },
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Remove(SocketThreads.Variable);
        var process = Process.Start(start)!;

        // The demo's own words come first on the screen; the agent's are kept for the case that it fails.
        var said = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (said)
            {
                if (said.Length < MostKept) said.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
        try
        {
            using var limit = new CancellationTokenSource(LongestStart, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
            while (!File.Exists(ready))
            {
                if (process.HasExited) throw new InvalidOperationException($"the agent ended with status {process.ExitCode} before it was ready: {Said()}");
                await Task.Delay(TimeSpan.FromMilliseconds(20), time, either.Token);
            }

            var answer = JsonNode.Parse(await File.ReadAllTextAsync(ready, cancellation))!;
            var address = System.Net.IPEndPoint.Parse((string)answer["address"]!);
            return new(process, address.Address.ToString(), address.Port, (string)answer["hostKey"]!);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }

        string Said()
        {
            lock (said) return said.ToString().Trim();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
