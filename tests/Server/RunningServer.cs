using System.Net;
using System.Text;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests;

/// <summary>A whole server on loopback with a data directory of its own; both go with it.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-server");

    /// <summary>Made once for all servers of a run: an RSA key costs more time than all the rest of a start.</summary>
    private static readonly Lazy<string> _hostKey = new(() =>
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Rsa3072);
        using var text = key.Export();
        return Encoding.UTF8.GetString(text.Expose());
    });

    private readonly Action<IServiceCollection>? _configure;

    private RunningServer(Action<IServiceCollection>? configure) => _configure = configure;

    public CountersignServer Server { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public ApiCaller Anybody => new(Http, null);

    public Database Database => Server.Services.GetRequiredService<Database>();

    /// <param name="configure">Further services; the last registration counts.</param>
    public static async Task<RunningServer> StartAsync(Action<IServiceCollection>? configure = null)
    {
        var running = new RunningServer(configure);
        var data = running._folder.CreateSubdirectory("data");
        PrivateFile.TryCreate(Path.Combine(data.FullName, "ssh_host_rsa_key"), Encoding.UTF8.GetBytes(_hostKey.Value)).ShouldBeTrue();
        await running.BeginAsync();
        return running;
    }

    /// <summary>Stops the server and starts one on the same data.</summary>
    public async Task RestartAsync()
    {
        await EndAsync();
        await BeginAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _folder.Delete(recursive: true);
    }

    private async Task BeginAsync()
    {
        Server = await CountersignServer.StartAsync(
            new ServerOptions
            {
                DataDirectory = Path.Combine(_folder.FullName, "data"),
                Http = new(IPAddress.Loopback, 0),
                Ssh = new(IPAddress.Loopback, 0),
                SignIn = new() { PasswordIterations = 1000 },
            },
            TestContext.Current.CancellationToken,
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Services.AddSingleton<ValidateToken>(TestTokens.ValidateAsync);
                builder.Services.AddSingleton<StandingTokens>(TestTokens.StandingAsync);
                _configure?.Invoke(builder.Services);
            });
        Http = new() { BaseAddress = Server.HttpAddress };
    }

    private async Task EndAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }
}
