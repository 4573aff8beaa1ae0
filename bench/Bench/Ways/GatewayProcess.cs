using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Countersign.Bench.Ways;

/// <summary>The server's program with an organization of its own, as a process whose time and memory can be told from everything else's.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private const int TicksPerSecond = 100;
    private const int UserTime = 11;
    private const int SystemTime = 12;

    private readonly Child _process;

    private GatewayProcess(Child process, JsonNode said)
    {
        _process = process;
        Ssh = IPEndPoint.Parse((string)said["ssh"]!);
        HostKeys = [.. said["sshHostKeys"]!.AsArray().Select(key => (string)key!)];
        Http = new((string)said["http"]!);
        Organization = new(Http);
    }

    public IPEndPoint Ssh { get; }

    public IReadOnlyList<string> HostKeys { get; }

    public BenchOrganization Organization { get; }

    /// <summary>Where its API is.</summary>
    public Uri Http { get; }

    /// <summary>From the start of the program until it said that it answers.</summary>
    public TimeSpan Start { get; private init; }

    /// <summary>With an organization of its own.</summary>
    public static async Task<GatewayProcess> StartAsync(string folder)
    {
        var (gateway, said) = await BeginAsync(folder);
        await gateway.Organization.FoundAsync(((string)said["setupLink"]!).Split('#')[1], "Terminal", "FileManager", "SendFiles", "ReceiveFiles", "ManageFiles");
        return gateway;
    }

    /// <summary>On data that is there.</summary>
    public static async Task<GatewayProcess> RestartAsync(string folder) => (await BeginAsync(folder)).Gateway;

    private static async Task<(GatewayProcess Gateway, JsonNode Said)> BeginAsync(string folder)
    {
        var ready = Path.Combine(folder, "ready");
        File.Delete(ready);
        var begun = Stopwatch.GetTimestamp();
        var process = Child.Start(
            Path.Combine(AppContext.BaseDirectory, "countersign-server"),
            "--data", Path.Combine(folder, "data"), "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0", "--ready-file", ready);
        _ = process.Output.CopyToAsync(Stream.Null);
        while (!File.Exists(ready))
        {
            if (process.HasExited) throw new InvalidOperationException($"the server did not start: {await process.ErrorsAsync()}");
            await Task.Delay(5);
        }

        var took = Stopwatch.GetElapsedTime(begun);
        var said = JsonNode.Parse(await File.ReadAllTextAsync(ready))!;
        return (new(process, said) { Start = took }, said);
    }

    /// <summary>A technician who may use all devices.</summary>
    public async Task<Login> AddTechnicianAsync(string login)
    {
        var (id, password) = await Organization.AddPersonAsync(login);
        await Organization.GrantAsync(id, null);
        return new(login, password);
    }

    /// <summary>A technician who may use all devices, with a key.</summary>
    /// <returns>Their password.</returns>
    public async Task<string> AddTechnicianAsync(string login, string publicKey)
    {
        var (id, password) = await Organization.AddPersonAsync(login);
        await Organization.Api.SendAsync(HttpMethod.Post, $"technicians/{id}/keys", new() { ["label"] = "bench", ["key"] = publicKey });
        await Organization.GrantAsync(id, null);
        return password;
    }

    /// <summary>What all its threads have computed so far, in its own code and in the system's.</summary>
    public double CpuSeconds()
    {
        // proc(5): the second field is the program's name in parentheses, and may have blanks in it.
        var stat = File.ReadAllText($"/proc/{_process.Id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double)(Number(fields[UserTime]) + Number(fields[SystemTime])) / TicksPerSecond;
    }

    /// <summary>Its resident set, in bytes.</summary>
    public long Resident()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return Number(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) * 1024;
    }

    /// <summary>The same once its garbage has been collected, several times, so that what waits for a finalizer or lies in a pool is gone, too.</summary>
    public async Task<long> SettledAsync()
    {
        for (var i = 0; i < 3; i++)
        {
            await RuntimePort.CollectAsync(_process.Id);
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        return Resident();
    }

    public async ValueTask DisposeAsync()
    {
        Organization.Dispose();
        await _process.DisposeAsync();
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
