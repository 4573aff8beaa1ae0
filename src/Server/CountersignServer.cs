using System.Net;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server;

/// <summary>Where a server keeps its data and where it listens. Port 0: any that is free.</summary>
public sealed record ServerOptions
{
    /// <summary>Everything that the server keeps. Made, for its own user only, if it is not there.</summary>
    public required string DataDirectory { get; init; }

    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 8080);

    public IPEndPoint Ssh { get; init; } = new(IPAddress.Loopback, 2222);

    /// <summary>The time that policy goes by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public SignInLimits SignIn { get; init; } = new();
}

/// <summary>A running server. Disposing it stops listening, finishes what was begun, and lets go of every file.</summary>
public sealed class CountersignServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CountersignServer(WebApplication app, Uri httpAddress)
    {
        _app = app;
        HttpAddress = httpAddress;
    }

    /// <summary>With the port that is really bound.</summary>
    public Uri HttpAddress { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Returns once the server answers.</summary>
    /// <param name="configure">Further services of the host that runs it; the last registration of a service counts.</param>
    public static async Task<CountersignServer> StartAsync(
        ServerOptions options, CancellationToken cancellation, Action<WebApplicationBuilder>? configure = null)
    {
        MakePrivateDirectory(options.DataDirectory);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Http);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        Composition.Add(builder.Services, options);
        configure?.Invoke(builder);
        var app = builder.Build();
        try
        {
            await PlatformComposition.PrepareAsync(app.Services, cancellation);
            app.UsePlatform();
            Composition.Map(app);
            await app.StartAsync(cancellation);
            return new(app, new Uri(app.Urls.Single()));
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        var database = _app.Services.GetRequiredService<Database>();
        await _app.StopAsync();
        await _app.DisposeAsync();
        database.ReleaseFile();
    }

    private static void MakePrivateDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
