using System.Net.Sockets;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Ssh;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

/// <param name="Host">Where to look; with its port.</param>
/// <param name="Device">In the place of a host: where this device has its service by ssh.</param>
internal sealed record FetchHostKeyRequest(string? Host = null, int? Port = null, Guid? Device = null);

/// <param name="HostKey"><c>type base64</c>, as a device pins it.</param>
internal sealed record HostKeyAnswer(string HostKey, string Fingerprint);

/// <summary>
/// Shows the host key of a server before it is pinned. Only for those who may add a device somewhere, or change that very device: whoever can make the server
/// connect to any address learns what answers there.
/// </summary>
internal static class FetchHostKey
{
    public static async Task<Results<Ok<HostKeyAnswer>, ProblemHttpResult>> HandleAsync(
        FetchHostKeyRequest request, CallersPolicy policy, HostKeyReader reader, HttpContext context, CancellationToken cancellation)
    {
        if (Place(request, policy, out var host, out var port) is { } wrong) return wrong;
        return await reader.ReadAsync(host, port, cancellation) switch
        {
            { Key: { } key } => TypedResults.Ok(new HostKeyAnswer(key.ToString(), key.Fingerprint)),
            { Busy: true } => Problems.TooManyAttempts(context, HostKeyReader.TimeLimit),
            var failed => Problems.Invalid(request.Device is null ? "host" : "device", failed.Problem!),
        };
    }

    private static ProblemHttpResult? Place(FetchHostKeyRequest request, CallersPolicy policy, out string host, out int port)
    {
        (host, port) = (request.Host ?? "", request.Port ?? ServiceProtocols.UsualPort(ServiceProtocol.Ssh));
        if (request.Device is { } device) return Place(new DeviceId(device), request, policy, ref host, ref port);
        if (!policy.MayAddDevices) return Problems.Forbidden("Only somebody who may add devices may look at host keys.");
        if (port is < 1 or > 65535) return Problems.Invalid("port", "It is a number from 1 to 65535.");
        return Uri.CheckHostName(host) == UriHostNameType.Unknown || host.Length > 253 ? Problems.Invalid("host", "It is a host name or an address.") : null;
    }

    private static ProblemHttpResult? Place(DeviceId device, FetchHostKeyRequest request, CallersPolicy policy, ref string host, ref int port)
    {
        if (!policy.MaySee(device)) return Problems.NotFound();
        if (!policy.Snapshot.MayModifyDevice(policy.Person, device, policy.At)) return Problems.Forbidden("Only somebody who may change the device may look at its host key.");
        if (request.Host is not null || request.Port is not null) return Problems.Invalid("host", "It is the device's own.");
        if (policy.Snapshot.Endpoint(device, ServiceProtocol.Ssh) is not { } endpoint) return Problems.Invalid("device", "It has no service by ssh.");
        (host, port) = (endpoint.Device.Host, endpoint.Service.Port);
        return null;
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
