using System.Net;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;
using Countersign.Server.Platform.Persistence;
using Countersign.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests;

/// <summary>A whole server on loopback with a data directory of its own; both go with it.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-server");

    private readonly Action<IServiceCollection>? _configure;

    /// <summary>Nothing answers there: mails wait.</summary>
    private static MailOptions NoMailServer => new() { Host = "127.0.0.1", Port = 1, Security = MailSecurity.None, From = "gate@example.org" };

    private RunningServer(Action<IServiceCollection>? configure) => _configure = configure;

    public CountersignServer Server { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public ApiCaller Anybody => new(Http, null);

    public Database Database => Server.Services.GetRequiredService<Database>();

    /// <param name="configure">Further services; the last registration counts.</param>
    public static async Task<RunningServer> StartAsync(Action<IServiceCollection>? configure = null)
    {
        var running = new RunningServer(configure);
        SharedHostKey.PutInto(Path.Combine(running._folder.FullName, "data"));
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
                SignIn = new() { PasswordIterations = 1000, FreeFailures = 20, LinksToAnAddress = 1000 },
                Mail = NoMailServer,
            },
            TestContext.Current.CancellationToken,
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Services.AddSingleton<ValidateToken>(TestTokens.ValidateAsync);
                builder.Services.AddSingleton<StandingTokens>(TestTokens.StandingAsync);
                _configure?.Invoke(builder.Services);
            });
        // A redirect is an answer like others, and not gone after.
        Http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Server.HttpAddress };
    }

    private async Task EndAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }
}
