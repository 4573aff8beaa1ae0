using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests;

/// <summary>Our server on a port of its own, with a few programs in place of a shell.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly SemaphoreSlim _ended = new(0);
    private readonly Task _accepting;
    private readonly Func<SshServerHandler> _handler;

    public TestServer(SshServerOptions options, Func<SshServerHandler> handler)
    {
        Options = options;
        _handler = handler;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public SshServerOptions Options { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What each connection goes through before it is served.</summary>
    public Func<Stream, Stream> Through { get; set; } = stream => stream;

    /// <summary>Of the connections that are over by now.</summary>
    public ConcurrentQueue<SshServerOutcome> Outcomes { get; } = new();

    /// <summary>Waits for the end of so many more connections: a client is gone before the server has seen it go.</summary>
    public async Task<IReadOnlyList<SshServerOutcome>> EndedAsync(int count, CancellationToken cancellation)
    {
        for (var i = 0; i < count; i++) await _ended.WaitAsync(cancellation);
        return [.. Outcomes];
    }

    /// <summary>A server with a host key of its own, and all the patience that a client on a busy machine may need.</summary>
    public static TestServer Start(Func<SshServerHandler>? handler = null, SshKeyKind hostKey = SshKeyKind.Ed25519) =>
        new(new SshServerOptions { HostKeys = [SshPrivateKey.Generate(hostKey)], OfferDelay = TimeSpan.FromMinutes(1) }, handler ?? (() => new TestServerHandler()));

    public async Task<Stream> ConnectAsync(CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Port, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        foreach (var key in Options.HostKeys) key.Dispose();
        _stop.Dispose();
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                _connections.Add(ServeAsync(Through(new NetworkStream(socket, ownsSocket: true))));
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Stream stream)
    {
        try
        {
            Outcomes.Enqueue(await SshServerConnection.RunAsync(stream, Options, _handler(), _stop.Token));
            _ended.Release();
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }
}

/// <summary>Lets in whom the test says, and runs the programs of <see cref="TestProgram"/>.</summary>
internal sealed class TestServerHandler : SshServerHandler
{
    public List<SshAuthAttempt> Attempts { get; } = [];

    public SshServerConnection? Connection { get; private set; }

    public string[] Methods { get; init; } = ["publickey", "password", "keyboard-interactive"];

    public Func<SshAuthAttempt, CancellationToken, ValueTask<SshAuthResult>> Decide { get; init; } = (attempt, _) =>
        new(attempt is SshAuthAttempt.Password { Value: var value } && value.Expose().SequenceEqual("right"u8) ? SshAuthResult.Success : SshAuthResult.Failure);

    public Func<string, SshChannelAnswer>? Open { get; init; }

    /// <summary>When it is the client's turn to have something computed; null: at once.</summary>
    public Func<CancellationToken, ValueTask<IDisposable?>>? Turn { get; init; }

    /// <summary>What is done when this end disconnects; null: nothing, and nothing is waited for.</summary>
    public Action? Parting { get; init; }

    public override IReadOnlyList<string> AuthenticationMethods => Methods;

    public override string? Banner => BannerText;

    public string? BannerText { get; init; }

    public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation)
    {
        lock (Attempts) Attempts.Add(attempt);
        return Decide(attempt, cancellation);
    }

    public override ValueTask<IDisposable?> TurnAsync(CancellationToken cancellation) => Turn is null ? base.TurnAsync(cancellation) : Turn(cancellation);

    public override void OnAuthenticated(SshServerConnection connection, string user) => Connection = connection;

    public override bool OnDisconnecting(SshServerConnection connection)
    {
        Parting?.Invoke();
        return Parting is not null;
    }

    public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
    {
        if (Open is not null) return Open(type);
        return type == "session" ? new SshChannelAnswer.Accept(TestProgram.Handler(), SshChannelStreams.DefaultWindow) : new SshChannelAnswer.Refuse(3, "only sessions");
    }
}

/// <summary>What an exec request runs: <c>cat</c>, <c>sha256</c>, <c>flood N</c>, <c>both</c>, <c>exit N</c>, <c>kill NAME</c>, <c>env</c>, <c>size</c>.</summary>
internal static class TestProgram
{
    public static SshChannelStreams Handler()
    {
        var seen = new List<string>();
        SshChannelStreams? streams = null;
        streams = new SshChannelStreams(onRequest: (channel, request) =>
        {
            switch (request.Name)
            {
                case SessionRequests.Environment when EnvironmentRequest.TryParse(request.Payload.Span, out var variable):
                    seen.Add($"{variable.Name}={variable.Value}");
                    request.Reply(SshReply.Success);
                    break;
                case SessionRequests.Pty when PtyRequest.TryParse(request.Payload.Span, out var pty):
                    seen.Add($"{pty.Term} {pty.Size.Columns}x{pty.Size.Rows} {pty.Modes.Count > 0}");
                    request.Reply(SshReply.Success);
                    break;
                case SessionRequests.Exec when ExecRequest.TryParse(request.Payload.Span, out var exec):
                    request.Reply(SshReply.Success);
                    _ = RunAsync(channel, streams!, exec.Command, seen);
                    break;
                case SessionRequests.Subsystem when SubsystemRequest.TryParse(request.Payload.Span, out var subsystem) && subsystem.Name == "sftp":
                    request.Reply(SshReply.Success);
                    _ = ServeFilesAsync(channel, streams!);
                    break;
                case SessionRequests.Shell:
                    request.Reply(SshReply.Success);
                    _ = RunAsync(channel, streams!, "cat", seen);
                    break;
                default:
                    request.Reply(SshReply.Failure);
                    break;
            }
        });
        return streams;
    }

    private static async Task RunAsync(SshChannel channel, SshChannelStreams streams, string command, List<string> seen)
    {
        var words = command.Split(' ');
        uint status = 0;
        switch (words[0])
        {
            case "cat":
                var buffer = new byte[65536];
                for (int read; (read = await streams.Output.ReadAsync(buffer)) > 0;)
                {
                    if (!await channel.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None)) return;
                }

                break;
            case "sha256":
                await WriteAsync(channel, Convert.ToHexStringLower(await SHA256.HashDataAsync(streams.Output)));
                break;
            case "flood":
                var block = new byte[65536];
                for (var left = long.Parse(words[1]); left > 0; left -= block.Length)
                {
                    if (!await channel.WriteAsync(block.AsMemory(0, (int)Math.Min(left, block.Length)), CancellationToken.None)) return;
                }

                break;
            case "both":
                await WriteAsync(channel, "to output");
                await channel.WriteErrorAsync("to error"u8.ToArray(), CancellationToken.None);
                break;
            case "exit":
                status = uint.Parse(words[1]);
                break;
            case "kill":
                channel.SendRequest(SessionRequests.ExitSignal, new ExitSignalRequest(words[1], false, "killed").Encode());
                channel.SendEof();
                channel.Close();
                return;
            case "seen":
                await WriteAsync(channel, string.Join('\n', seen));
                break;
            default:
                await channel.WriteErrorAsync(Encoding.UTF8.GetBytes($"{command}: not found\n"), CancellationToken.None);
                status = 127;
                break;
        }

        channel.SendEof();
        channel.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest(status).Encode());
        channel.Close();
    }

    /// <summary>The whole machine's files: tests name them by their full paths.</summary>
    private static async Task ServeFilesAsync(SshChannel channel, SshChannelStreams streams)
    {
        var answers = new Pipe();
        var serving = SftpServer.RunAsync(PipeReader.Create(streams.Output), answers.Writer, new SftpServerOptions { StartDirectory = "/" }, CancellationToken.None);
        while (true)
        {
            var read = await answers.Reader.ReadAsync();
            foreach (var segment in read.Buffer)
            {
                if (!await channel.WriteAsync(segment, CancellationToken.None)) return;
            }

            answers.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) break;
        }

        await serving;
        channel.SendEof();
        channel.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest(0).Encode());
        channel.Close();
    }

    private static ValueTask<bool> WriteAsync(SshChannel channel, string text) => channel.WriteAsync(Encoding.UTF8.GetBytes(text), CancellationToken.None);
}
