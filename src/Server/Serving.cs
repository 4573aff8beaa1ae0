using System.Net.Sockets;
using System.Text;
using Countersign.Server.Demo;
using Countersign.Server.Features.Audit;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Microsoft.Data.Sqlite;

namespace Countersign.Server;

/// <summary>What the server's program does: serves until it is told to stop, and says where.</summary>
internal static class Serving
{
    private const int Failed = 1;

    /// <summary>Serves the data directory. Ends with 0 when told to stop, with 1 when it can't start or a part of it has died; sessions are ended first, and told why.</summary>
    /// <param name="configure">As for <see cref="CountersignServer.StartAsync(ServerOptions, CancellationToken, Action{WebApplicationBuilder}?)"/>.</param>
    public static Task<int> ServeAsync(ServerOptions options, FileInfo? readyFile, CancellationToken cancellation, Action<WebApplicationBuilder>? configure = null) =>
        RunAsync(options, readyFile, null, configure, cancellation);

    /// <summary>Serves a temporary directory with the try-out in it, and removes both at the end.</summary>
    public static async Task<int> DemoAsync(ServerOptions options, FileInfo? readyFile, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("countersign-demo-").FullName;
        try
        {
            // The passwords here are 120 random bits: no hash has to be slow for them, and there are many to make before the demo is ready.
            var quick = options with { DataDirectory = Path.Combine(folder, "data"), SignIn = options.SignIn with { PasswordIterations = 10_000 } };
            return await RunAsync(quick, readyFile, folder, null, cancellation);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> RunAsync(
        ServerOptions options, FileInfo? readyFile, string? demoFolder, Action<WebApplicationBuilder>? configure, CancellationToken cancellation)
    {
        try
        {
            // One of an earlier run would say that this one is ready.
            if (readyFile is not null) File.Delete(readyFile.FullName);
            await using var server = await CountersignServer.StartAsync(options, cancellation, configure);
            await using var demo = demoFolder is null ? null : await DemoOrganization.BuildAsync(demoFolder, server, options.Time, cancellation);
            var announcement = new Announcement
            {
                Http = server.HttpAddress.ToString(),
                Ssh = server.SshAddress.ToString(),
                SshHostKeys = server.SshHostKeys,
                DataDirectory = options.DataDirectory,
                SetupLink = demo is null ? server.SetupLink?.ToString() : null,
                People = demo?.People ?? [],
                Devices = demo?.Devices ?? [],
                Commands = demo?.Commands ?? [],
            };
            Console.WriteLine(announcement.ToText());
            // Whoever waits for the file finds all of it. It may hold secrets, so that it is its owner's alone.
            if (readyFile is not null && !PrivateFile.TryCreate(readyFile.FullName, Encoding.UTF8.GetBytes(announcement.ToJson()))) throw new IOException($"{readyFile} was made by somebody else meanwhile");

            // Whoever starts it again gets a whole one: half a server would let people in and, say, seal nothing of it.
            await server.Failed.WaitAsync(cancellation);
            await Console.Error.WriteLineAsync("countersign-server: a part of the server has died, as the log tells: it ends");
            return Failed;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is SocketException or IOException or UnauthorizedAccessException or InvalidDataException or KeyFileException or AuditDamagedException or PolicyDamagedException or SqliteException)
        {
            await Console.Error.WriteLineAsync($"countersign-server: {error.Message}");
            return Failed;
        }
        finally
        {
            if (readyFile is not null) File.Delete(readyFile.FullName);
        }
    }
}
