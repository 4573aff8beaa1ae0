using System.Net;
using System.Net.Sockets;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>Something to forward to: it answers every byte with itself, on a port of its own on loopback, and on sockets that it is given.</summary>
public sealed class EchoService : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _serving = [];
    private int _accepted;

    public EchoService()
    {
        _listener.Start();
        Address = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _serving.Add(ServeAsync(_listener.Server));
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>How many connections have come.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>It listens there, too.</summary>
    public void Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        _serving.Add(ServeAsync(socket));
    }

    /// <summary>Nobody is accepted on the port any more.</summary>
    public void Close() => _listener.Stop();

    public static async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>What comes back; null: the connection is at its end. Fails where neither comes.</summary>
    public static async Task<int?> AskAsync(Socket socket, byte one)
    {
        var answer = new byte[1];
        try
        {
            await socket.SendAsync(new[] { one }, TestContext.Current.CancellationToken);
            return await socket.ReceiveAsync(answer).WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken) == 0 ? null : answer[0];
        }
        catch (SocketException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await Task.WhenAll(_serving);
        _stop.Dispose();
    }

    private async Task ServeAsync(Socket listener)
    {
        using var listening = listener;
        var answering = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(_stop.Token);
                Interlocked.Increment(ref _accepted);
                answering.Add(EchoAsync(socket));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(answering);
        }
    }

    private async Task EchoAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await stream.CopyToAsync(stream, _stop.Token);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The other end closed it, or the test is over.
        }
    }
}
