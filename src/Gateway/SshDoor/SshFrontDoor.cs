using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Countersign.Access;
using Countersign.Gateway.SshDoor.Picking;
using Countersign.Gateway.SshDoor.Proxy;
using Countersign.Reach;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.Extensions.Logging;

namespace Countersign.Gateway.SshDoor;

public sealed record SshFrontDoorOptions
{
    /// <summary>Port 0: any.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Owned by the caller, who disposes them after the front door.</summary>
    public required IReadOnlyList<SshPrivateKey> HostKeys { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The time that policy goes by, for certificates.</summary>
    public TimeProvider PolicyTime { get; init; } = TimeProvider.System;

    /// <summary>From the first byte to the end of authentication.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Connections that have not signed in yet, at once, from everywhere.</summary>
    public int MostArrivals { get; init; } = 512;

    /// <summary>Connections at once, signed in or not; one more is closed at once.</summary>
    public int MostConnections { get; init; } = 8192;

    /// <summary>Connections of one person at once; one more is told so and closed.</summary>
    public int MostOfPerson { get; init; } = 64;

    /// <summary>Connections from one address at once (of IPv6: from one /64), signed in or not; one more is closed at once. More than there are places before signing in, or a flood there would lock out its neighbours.</summary>
    public int MostFromAddress { get; init; } = 1024;

    /// <summary>Networks of proxies that put a PROXY header of version 2 in front of each connection. From there it is required, from nowhere else it is read.</summary>
    public IReadOnlyList<IPNetwork> ProxyFrom { get; init; } = [];

    /// <summary>What is offered besides for clients that can't do without.</summary>
    public SshCompatibility Compatibility { get; init; }
}

/// <summary>What the front door needs of the rest of the gateway.</summary>
public sealed record SshFrontDoorServices(ISignIn SignIn, IPolicySource Policy, Admission Admission, DeviceReach Reach, ILogger<SshFrontDoor> Log);

/// <summary>The way in for SSH clients.</summary>
public sealed partial class SshFrontDoor : IAsyncDisposable
{
    /// <summary>A proxy sends its header with the connection's first packet.</summary>
    private static readonly TimeSpan LongestHeader = TimeSpan.FromSeconds(10);

    private readonly SshFrontDoorOptions _options;
    private readonly SshFrontDoorServices _services;
    private readonly ILogger _log;
    private readonly SshServerOptions _server;
    private readonly Arrivals _arrivals;
    private readonly Occupancy<IPAddress> _addresses;
    private readonly Occupancy<PersonId> _people;
    private readonly DeviceLists _lists;

    /// <summary>Half of the processors, so that whoever is in has the other half.</summary>
    private readonly Turns _turns = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<long, Task> _connections = [];
    private readonly Task _accepting;
    private long _number;

    private SshFrontDoor(SshFrontDoorOptions options, SshFrontDoorServices services, Socket listener)
    {
        _options = options;
        _services = services;
        _log = services.Log;
        _listener = listener;
        _arrivals = new(options.MostArrivals);
        _addresses = new(options.MostFromAddress);
        _people = new(options.MostOfPerson);
        _lists = new(services.Policy, options.Time);
        _server = new() { HostKeys = options.HostKeys, Time = options.Time, CertificateTime = options.PolicyTime, LoginTimeout = options.LoginTimeout, Compatibility = options.Compatibility };
        Address = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens, with the port that was taken.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Open now, signed in or not.</summary>
    internal int Connections => _connections.Count;

    /// <summary>Of these, not signed in yet.</summary>
    internal int Arriving => _arrivals.Count;

    /// <summary>Listens and serves until disposed.</summary>
    /// <exception cref="SocketException">The address can't be listened on.</exception>
    public static SshFrontDoor Start(SshFrontDoorOptions options, SshFrontDoorServices services)
    {
        var listener = new Socket(options.Listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (options.Listen.AddressFamily == AddressFamily.InterNetworkV6) listener.DualMode = true;
            listener.Bind(options.Listen);
            listener.Listen(1024);
            return new(options, services, listener);
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Accepts no more, closes what is open and waits until it is gone. Sessions are ended, with their reasons, before: see <see cref="LiveSessions"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Values);
        _lists.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException error)
            {
                // Out of file descriptors, or a connection that was gone before it was accepted: the next one may work, after a breath.
                LogAccept(error);
                await Task.Delay(TimeSpan.FromMilliseconds(20), _options.Time, CancellationToken.None);
                continue;
            }

            if (_connections.Count >= _options.MostConnections)
            {
                socket.Dispose();
                continue;
            }

            var number = ++_number;
            var serving = ServeAsync(socket);
            _connections[number] = serving;
            _ = serving.ContinueWith(_ => _connections.TryRemove(number, out Task? _), TaskScheduler.Default);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        // The accept loop goes on at once.
        await Task.Yield();
        IPAddress address;
        try
        {
            socket.NoDelay = true;
            address = ((IPEndPoint)socket.RemoteEndPoint!).Address;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return;
        }

        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        if (_options.ProxyFrom.Any(network => network.Contains(address)))
        {
            if (await ReadSourceAsync(stream, address) is not { } source)
            {
                LogNoHeader(address);
                return;
            }

            address = source;
        }

        await ServeAsync(stream, address);
    }

    /// <summary>Where the client of a proxy is. While its header is waited for, the connection has its place among the arrivals as the proxy's own.</summary>
    private async Task<IPAddress?> ReadSourceAsync(NetworkStream stream, IPAddress proxy)
    {
        using var arrival = _arrivals.Enter(proxy);
        using var late = new CancellationTokenSource(LongestHeader, _options.Time);
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, arrival.Dropped, late.Token);
        try
        {
            return await ProxyReader.SourceAsync(stream, proxy, closing.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return null;
        }
    }

    private async Task ServeAsync(NetworkStream stream, IPAddress address)
    {
        using var place = _addresses.TryEnter(Arrivals.NetworkOf(address));
        if (place is null)
        {
            LogTooMany(address);
            return;
        }

        using var arrival = _arrivals.Enter(address);
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, arrival.Dropped);
        await using var handler = new FrontDoorConnection(_services, _options.Time, address, arrival, _turns, _people, _lists);
        try
        {
            var outcome = await SshServerConnection.RunAsync(stream, _server, handler, closing.Token);
            if (outcome.Fault is { } fault) LogFault(fault, address);
            if (outcome.Error is { } error) LogEnded(address, outcome.Authenticated, error);
        }
        catch (OperationCanceledException)
        {
            LogDropped(address);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A connection of the proxy {Address} was closed: there is no PROXY header of version 2 in front of it")]
    private partial void LogNoHeader(IPAddress address);

    [LoggerMessage(Level = LogLevel.Information, Message = "SSH connection from {Address} was closed: there are too many from there")]
    private partial void LogTooMany(IPAddress address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection could not be accepted")]
    private partial void LogAccept(Exception error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "SSH connection from {Address} (signed in: {Authenticated}) ended: {Error}")]
    private partial void LogEnded(IPAddress address, bool authenticated, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "SSH connection from {Address} was ended by a fault of ours")]
    private partial void LogFault(Exception fault, IPAddress address);

    [LoggerMessage(Level = LogLevel.Debug, Message = "SSH connection from {Address} was closed to make room or to stop")]
    private partial void LogDropped(IPAddress address);
}
