using System.Net;
using Countersign.Gateway.SshDoor;
using Countersign.Server.Features.Audit;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Features.Requests;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;

namespace Countersign.Server;

/// <summary>Where a server keeps its data and where it listens. Port 0: any that is free.</summary>
public sealed record ServerOptions
{
    /// <summary>Everything that the server keeps. Made, for its own user only, if it is not there; the files in it are for its own user in any case.</summary>
    public required string DataDirectory { get; init; }

    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 8080);

    public IPEndPoint Ssh { get; init; } = new(IPAddress.Loopback, 2222);

    /// <summary>Where clients are told to connect over SSH; null: at the name by which they reach the API, at the port listened on.</summary>
    public DnsEndPoint? SshPublic { get; init; }

    /// <summary>Networks of proxies in front of the SSH port, which tell where a client is by the PROXY protocol.</summary>
    public IReadOnlyList<IPNetwork> ProxyFrom { get; init; } = [];

    /// <summary>Whether SSH clients are offered a key exchange over P-256 as well, for those that are restricted to it.</summary>
    public bool SshNistCurves { get; init; }

    /// <summary>The mail server; null: nothing is mailed.</summary>
    public MailOptions? Mail { get; init; }

    /// <summary>Where every organization's audit log is posted as it grows; null: nowhere.</summary>
    public AuditWebhookOptions? AuditWebhook { get; init; }

    /// <summary>The syslog server that gets every organization's audit log as it grows; null: none.</summary>
    public AuditSyslogOptions? AuditSyslog { get; init; }

    /// <summary>Where people reach this server with a browser: links in mails lead there. Null: where it listens.</summary>
    public Uri? Public { get; init; }

    /// <summary>Whether whoever comes may make an organization of their own, once they have proven a mail address.</summary>
    public bool SelfRegistration { get; init; }

    /// <summary>Networks of proxies in front of the API, which tell in <c>X-Forwarded-For</c> where a client is. From elsewhere it is not read.</summary>
    public IReadOnlyList<IPNetwork> HttpProxyFrom { get; init; } = [];

    /// <summary>The time that policy goes by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public SignInLimits SignIn { get; init; } = new();
}

/// <summary>A running server. Disposing it stops listening, finishes what was begun, and lets go of every file.</summary>
public sealed class CountersignServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SshFrontDoor _ssh;
    private readonly DataLock _lock;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _disposed;

    private CountersignServer(WebApplication app, Uri httpAddress, SshFrontDoor ssh, DataLock held)
    {
        _app = app;
        _ssh = ssh;
        _lock = held;
        HttpAddress = httpAddress;
        SetupToken = app.Services.GetRequiredService<OrganizationSetup>().IssueToken();
        SshHostKeys = [.. app.Services.GetRequiredService<HostKeys>().Keys.Select(key => key.PublicKey.ToString())];

        // The host asks to be stopped where one of its services dies, and goes on with the others until somebody stops it.
        app.Lifetime.ApplicationStopping.Register(() =>
        {
            if (Volatile.Read(ref _disposed) == 0) _failed.TrySetResult();
        });
    }

    /// <summary>
    /// Completes if a part of the server has died, such as the one that seals the audit log; the log says which. What is left answers, but is not to be relied on: dispose the
    /// server. Never completes because of that.
    /// </summary>
    public Task Failed => _failed.Task;

    /// <summary>With the port that is really bound.</summary>
    public Uri HttpAddress { get; }

    /// <summary>Where SSH clients connect, with the port that is really bound.</summary>
    public IPEndPoint SshAddress => _ssh.Address;

    /// <summary>The front door's public host keys, as lines for a known_hosts file without the host.</summary>
    public IReadOnlyList<string> SshHostKeys { get; }

    /// <summary>Makes its holder the owner, once; null: the server is set up already. Secret.</summary>
    public string? SetupToken { get; }

    /// <summary>The page that takes the token; in the fragment, which browsers keep to themselves. Secret.</summary>
    public Uri? SetupLink => SetupToken is null ? null : new(HttpAddress, $"setup#{SetupToken}");

    public IServiceProvider Services => _app.Services;

    /// <summary>Returns once the server answers.</summary>
    /// <exception cref="IOException">Another server runs on the directory, or something can't be read, written or listened on.</exception>
    /// <exception cref="InvalidDataException">A newer version has written the database.</exception>
    /// <exception cref="PolicyDamagedException">Stored policy does not fit together.</exception>
    /// <param name="configure">Further services of the host that runs it; the last registration of a service counts.</param>
    public static async Task<CountersignServer> StartAsync(
        ServerOptions options, CancellationToken cancellation, Action<WebApplicationBuilder>? configure = null)
    {
        MakePrivateDirectory(options.DataDirectory);
        var held = DataLock.Take(options.DataDirectory);
        try
        {
            return await StartAsync(options, held, configure, cancellation);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static async Task<CountersignServer> StartAsync(ServerOptions options, DataLock held, Action<WebApplicationBuilder>? configure, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<IHostLifetime, StartersLifetime>();

        // The default, and relied on: a part that is missing must not go unnoticed.
        builder.Services.Configure<HostOptions>(host => host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.StopHost);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Http);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 8192;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        Composition.Add(builder.Services, options);
        configure?.Invoke(builder);
        var app = builder.Build();
        try
        {
            await PlatformComposition.PrepareAsync(app.Services, cancellation);
            app.UsePlatform(OrganizationsFeature.UseRegistration);
            Composition.Map(app);
            await app.Services.GetRequiredService<SessionLedger>().CloseLeftOversAsync(cancellation);
            await app.StartAsync(cancellation);
            var address = new Uri(app.Urls.Single());
            app.Services.GetRequiredService<PublicAddress>().ListensAt(address);
            return new(app, address, SessionsFeature.OpenSshDoor(app.Services, options), held);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        var database = _app.Services.GetRequiredService<Database>();
        _app.Services.GetRequiredService<Readiness>().Stop();

        // Whoever waits for an approval is sent away, and their requests stay.
        _app.Services.GetRequiredService<WaitingConnections>().Stop();

        // Sessions first: each is told why it ends, and that is written down while there is something to write with.
        await _app.Services.GetRequiredService<LiveSessions>().DisposeAsync();
        await _ssh.DisposeAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        database.ReleaseFile();
        _lock.Dispose();
    }

    private static void MakePrivateDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>
    /// The server ends when whoever started it disposes it. The host's own lifetime would take the process's signals for itself and stop half of the
    /// server, beside the program that was told the same and ends it in order.
    /// </summary>
    private sealed class StartersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
