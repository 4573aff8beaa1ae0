using System.Net;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd.Crashes;

/// <summary>The server's program, running over a data directory until it is killed. It is found anew after each start, as its ports are any.</summary>
internal sealed class ServerProgram : IAsyncDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "countersign-server");

    private readonly RunningCommand _command;
    private int _killed;

    private ServerProgram(RunningCommand command, JsonNode said)
    {
        _command = command;
        Address = new((string)said["http"]!);
        SetupLink = (string?)said["setupLink"] is { } link ? new(link) : null;
        Client = new(IPEndPoint.Parse((string)said["ssh"]!).Port, said["sshHostKeys"]!.AsArray().Select(key => (string)key!));
    }

    public Uri Address { get; }

    public Uri? SetupLink { get; }

    /// <summary>What it has written so far: its log.</summary>
    public string Said => _command.OutputSoFar + _command.ErrorSoFar;

    /// <summary>The stock clients, pointed at it.</summary>
    public OpenSsh Client { get; }

    public static async Task<ServerProgram> StartAsync(TempFolder folder, params string[] further)
    {
        var ready = folder[$"ready-{Guid.NewGuid():N}"];
        var command = Start(folder, ready, further);
        try
        {
            await Eventually.TrueAsync(
                () => File.Exists(ready) || command.HasExited, "the server to be ready", () => command.OutputSoFar + command.ErrorSoFar, TimeSpan.FromMinutes(2));
            command.HasExited.ShouldBeFalse(command.OutputSoFar + command.ErrorSoFar);
            var said = JsonNode.Parse(await File.ReadAllTextAsync(ready, TestContext.Current.CancellationToken))!;
            File.Delete(ready);
            return new(command, said);
        }
        catch
        {
            await command.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one that is killed on its way, after so many looks at whether it is ready, or when it is.</summary>
    public static async Task StartAndKillAsync(TempFolder folder, int looks)
    {
        var ready = folder[$"ready-{Guid.NewGuid():N}"];
        await using var command = Start(folder, ready);
        await Eventually.TrueAsync(() => looks-- <= 0 || File.Exists(ready) || command.HasExited, "the moment to kill");
        command.HasExited.ShouldBeFalse(command.OutputSoFar + command.ErrorSoFar);
        command.Kill();
    }

    /// <summary>SIGKILL: nothing of it runs any more when this returns.</summary>
    public async ValueTask KillAsync()
    {
        if (Interlocked.Exchange(ref _killed, 1) == 0) await _command.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await KillAsync();
    }

    private static RunningCommand Start(TempFolder folder, string ready, params string[] further) => RunningCommand.Start(
        Program, ["--data", folder["data"], "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0", "--ready-file", ready, .. further]);
}
