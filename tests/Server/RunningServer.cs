using System.Net;

namespace Countersign.Server.Tests;

/// <summary>A whole server on loopback with a data directory of its own; both go with it.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-server");

    private RunningServer()
    {
    }

    public CountersignServer Server { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public static async Task<RunningServer> StartAsync()
    {
        var running = new RunningServer();
        running.Server = await CountersignServer.StartAsync(
            new ServerOptions
            {
                DataDirectory = Path.Combine(running._folder.FullName, "data"),
                Http = new(IPAddress.Loopback, 0),
                Ssh = new(IPAddress.Loopback, 0),
            },
            TestContext.Current.CancellationToken);
        running.Http = new() { BaseAddress = running.Server.HttpAddress };
        return running;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
