using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>Accepts SSH connections on one loopback address. The maker disposes it after <see cref="RunAsync"/>.</summary>
internal sealed class AgentListener : IDisposable
{
    private const int ConnectionsMost = 256;

    private readonly Socket _socket;
    private readonly AgentContext _context;
    private readonly AuthorizedKeys _keys;
    private readonly SshServerOptions _options;
    private readonly ConcurrentDictionary<long, Task> _connections = new();
    private long _lastConnection;

    /// <param name="address">Port 0 takes any free one.</param>
    /// <exception cref="SocketException">The address can't be listened on.</exception>
    public AgentListener(IPEndPoint address, AgentContext context, AuthorizedKeys keys, SshPrivateKey hostKey)
    {
        _context = context;
        _keys = keys;
        _options = new() { HostKeys = [hostKey], Time = context.Time };
        _socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(address);
            _socket.Listen();
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }
    }

    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Serves until it is cancelled; completes when the last session is gone, its processes ended.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true) await AcceptAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Task.WhenAll(_connections.Values).ConfigureAwait(false);
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task AcceptAsync(CancellationToken stop)
    {
        Socket client;
        try
        {
            client = await _socket.AcceptAsync(stop).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            // The client gave up already, or the system is short of descriptors: others may still come through.
            _context.Log($"A connection was not accepted: {e.Message}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), _context.Time, stop).ConfigureAwait(false);
            return;
        }

        if (_connections.Count >= ConnectionsMost)
        {
            client.Dispose();
            _context.Log($"A connection was closed: there are {ConnectionsMost} already.");
            return;
        }

        var number = ++_lastConnection;
        var serving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[number] = serving.Task;
        _ = Task.Run(
            async () =>
            {
                try
                {
                    await ServeAsync(client, stop).ConfigureAwait(false);
                }
                finally
                {
                    _connections.TryRemove(number, out _);
                    serving.SetResult();
                }
            },
            CancellationToken.None);
    }

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        var from = client.RemoteEndPoint;
        var connection = new AgentConnection(_context, _keys);
        try
        {
            client.NoDelay = true;
            var outcome = await SshServerConnection.RunAsync(new NetworkStream(client, ownsSocket: true), _options, connection, stop).ConfigureAwait(false);
            if (outcome.Error is { } error) _context.Log($"The connection from {from} ended: {error}");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The agent stops.
        }
        catch (SocketException e)
        {
            client.Dispose();
            _context.Log($"The connection from {from} was gone at once: {e.Message}");
        }
        finally
        {
            await connection.EndedAsync().ConfigureAwait(false);
        }
    }
}
