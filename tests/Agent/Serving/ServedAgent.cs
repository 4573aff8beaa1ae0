using System.Diagnostics;
using System.Text.Json;

namespace Countersign.Agent.Tests.Serving;

/// <summary>An agent in a process of its own, with keys of its own, and the stock SSH clients to reach it.</summary>
internal sealed class ServedAgent : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly Process _process;
    private readonly int _port;

    private ServedAgent(TemporaryFolder folder, Process process, int port)
    {
        _folder = folder;
        _process = process;
        _port = port;
    }

    public TemporaryFolder Folder => _folder;

    public int Id => _process.Id;

    /// <summary>Numbers of the processes that the agent has started and that are not reaped.</summary>
    public async Task<IReadOnlyList<int>> ChildrenAsync() =>
        [.. (await Client.RunAsync("ps", ["-o", "pid=", "--ppid", $"{Id}"])).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    public static async Task<ServedAgent> StartAsync()
    {
        var folder = new TemporaryFolder();
        await MustAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder["id"]);
        File.Copy(folder["id.pub"], folder["authorized"]);
        var process = Client.Start(
            Client.Agent,
            ["serve", "--listen", "127.0.0.1:0", "--host-key", folder["host_key"], "--authorized-keys", folder["authorized"], "--ready-file", folder["ready"]]);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!File.Exists(folder["ready"]))
        {
            process.HasExited.ShouldBeFalse("the agent ended at once");
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        var ready = JsonDocument.Parse(await File.ReadAllTextAsync(folder["ready"], TestContext.Current.CancellationToken)).RootElement;
        var address = System.Net.IPEndPoint.Parse(ready.GetProperty("address").GetString()!);
        await File.WriteAllTextAsync(folder["known"], $"[127.0.0.1]:{address.Port} {ready.GetProperty("hostKey").GetString()}\n", TestContext.Current.CancellationToken);
        return new(folder, process, address.Port);
    }

    /// <summary>The arguments that every client takes; ends without a host.</summary>
    public string[] Options(string? user = null, string? key = null) =>
    [
        "-F", "none",
        "-o", $"Port={_port}",
        "-o", $"User={user ?? Environment.UserName}",
        "-o", $"UserKnownHostsFile={_folder["known"]}",
        "-o", "GlobalKnownHostsFile=/dev/null",
        "-o", "StrictHostKeyChecking=yes",
        "-o", "UpdateHostKeys=no",
        "-o", "BatchMode=yes",
        "-o", "IdentitiesOnly=yes",
        "-i", key ?? _folder["id"],
    ];

    public Task<Client> SshAsync(string command, ReadOnlyMemory<byte> input = default, params string[] options) =>
        Client.RunAsync("ssh", [.. Options(), .. options, "127.0.0.1", command], input);

    /// <summary>Waits until the agent has no children and at most as many descriptors as before.</summary>
    public async Task SettledAsync(int descriptors)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while ((await ChildrenAsync()).Count > 0 || Descriptors() > descriptors) await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    public int Descriptors() => Directory.GetFiles($"/proc/{Id}/fd").Length;

    /// <summary>Asks the agent to stop, as a service manager does; its exit code.</summary>
    public async Task<int> StopAsync()
    {
        await MustAsync("kill", "-TERM", $"{Id}");
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _folder.Dispose();
    }

    public static async Task MustAsync(string program, params string[] arguments)
    {
        var client = await Client.RunAsync(program, arguments);
        client.ExitCode.ShouldBe(0, client.Error);
    }
}
