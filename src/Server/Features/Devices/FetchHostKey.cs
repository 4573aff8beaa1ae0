using System.Net.Sockets;
using Countersign.Server.Platform;
using Countersign.Ssh;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

internal sealed record FetchHostKeyRequest(string Host, int Port = 22);

/// <param name="HostKey"><c>type base64</c>, as a device pins it.</param>
internal sealed record HostKeyAnswer(string HostKey, string Fingerprint);

/// <summary>
/// Shows the host key of a server before it is pinned. Only for those who may add or change a device somewhere: whoever can make the server
/// connect to any address learns what answers there.
/// </summary>
internal static class FetchHostKey
{
    public static async Task<Results<Ok<HostKeyAnswer>, ProblemHttpResult>> HandleAsync(
        FetchHostKeyRequest request, CallersPolicy policy, HostKeyReader reader, HttpContext context, CancellationToken cancellation)
    {
        if (!policy.MayAddDevices) return Problems.Forbidden("Only somebody who may add devices may look at host keys.");
        if (request.Port is < 1 or > 65535) return Problems.Invalid("port", "It is a number from 1 to 65535.");
        if (Uri.CheckHostName(request.Host) == UriHostNameType.Unknown || request.Host.Length > 253) return Problems.Invalid("host", "It is a host name or an address.");
        return await reader.ReadAsync(request.Host, request.Port, cancellation) switch
        {
            { Key: { } key } => TypedResults.Ok(new HostKeyAnswer(key.ToString(), key.Fingerprint)),
            { Busy: true } => Problems.TooManyAttempts(context, HostKeyReader.TimeLimit),
            var failed => Problems.Invalid("host", failed.Problem!),
        };
    }
}

/// <param name="Key">Null: see the problem.</param>
internal readonly record struct HostKeyReading(SshPublicKey? Key, string? Problem = null, bool Busy = false);

/// <summary>Reads host keys off the network, a few at a time, each within a time limit.</summary>
internal sealed class HostKeyReader : IDisposable
{
    private const int AtOnce = 16;

    private readonly SemaphoreSlim _places = new(AtOnce);

    public static TimeSpan TimeLimit { get; } = TimeSpan.FromSeconds(10);

    public async Task<HostKeyReading> ReadAsync(string host, int port, CancellationToken cancellation)
    {
        if (!await _places.WaitAsync(TimeSpan.Zero, cancellation)) return new(null, Busy: true);
        // The network's clock, not that of policy: a test moves the one without the other.
        using var limit = new CancellationTokenSource(TimeLimit, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await using var stream = await ConnectAsync(socket, host, port, stop.Token);
            return new(await SshClientConnection.FetchHostKeyAsync(stream, stop.Token));
        }
        catch (SocketException)
        {
            return new(null, "Nothing answers there.");
        }
        catch (Exception failure) when (failure is SshConnectionException or IOException)
        {
            return new(null, "What answers there is not an SSH server that this server understands.");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return new(null, "Nothing answered in time.");
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private static async Task<NetworkStream> ConnectAsync(Socket socket, string host, int port, CancellationToken cancellation)
    {
        try
        {
            await socket.ConnectAsync(host, port, cancellation);
            return new(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
