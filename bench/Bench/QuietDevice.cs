using System.Net;
using System.Net.Sockets;
using Countersign.Ssh;

namespace Countersign.Bench;

/// <summary>A device of our own that lets everybody in and runs nothing: its sessions stay open until somebody closes them.</summary>
/// <remarks>Or does, in each session, what it was made for.</remarks>
internal sealed class QuietDevice : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SshPrivateKey _hostKey = SshPrivateKey.Generate(SshKeyKind.Ed25519);
    private readonly Task _accepting;

    private readonly Func<SshChannelHandler> _session;

    /// <param name="session">What serves a session; null: nothing does.</param>
    public QuietDevice(Func<SshChannelHandler>? session = null)
    {
        _session = session ?? (() => new Quiet());
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string HostKey => _hostKey.PublicKey.ToString();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _hostKey.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                serving.Add(SshServerConnection.RunAsync(new NetworkStream(socket, ownsSocket: true), new() { HostKeys = [_hostKey] }, new Everybody(_session), _stop.Token));
            }
        }
        catch (OperationCanceledException)
        {
            foreach (var connection in serving) await connection.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private sealed class Everybody(Func<SshChannelHandler> session) : SshServerHandler
    {
        public override IReadOnlyList<string> AuthenticationMethods { get; } = ["password"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) =>
            ValueTask.FromResult(attempt is SshAuthAttempt.Password ? SshAuthResult.Success : SshAuthResult.Failure);

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra) =>
            new SshChannelAnswer.Accept(session(), 1024 * 1024);
    }

    private sealed class Quiet : SshChannelHandler
    {
        public override void OnRequest(SshChannel channel, SshChannelRequest request)
        {
            request.Reply(SshReply.Success);
            if (request.Name is "shell" or "exec") channel.SendData("running"u8);
        }
    }
}
