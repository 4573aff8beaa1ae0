using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Countersign.Agent.Processes;
using Countersign.Ssh;
using Countersign.Ssh.Sftp;

namespace Countersign.Agent.Serving;

/// <summary>
/// One session channel (RFC 4254 section 6): first what the client wants around its program, then one program or file transfer, until both sides
/// are done or one is gone.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "Whoever runs the session disposes its output; the source is cancelled by the channel's last call and holds nothing after that.")]
internal sealed class SessionChannel(AgentContext context) : SshChannelHandler
{
    private readonly ChannelInput _input = new();
    private readonly SessionSetup _setup = new(context.Account);
    private readonly CancellationTokenSource _closed = new();
    private ChannelOutput? _output;
    private ChildProcess? _child;
    private Func<Task>? _start;

    /// <summary>Completes when nothing of the session is left. Read on the receive loop, or after it has ended.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>The channel is closed and nothing of the session is left.</summary>
    public bool HasEnded => _closed.IsCancellationRequested && Ended.IsCompleted;

    public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
    {
        if (type == 0) _input.Add(channel, data);
        // A client has nothing to say on other streams; its window is not to shrink for it.
        else channel.GrantWindow((uint)data.Length);
    }

    public override void OnEof(SshChannel channel) => _input.End();

    public override void OnClosed(SshChannel channel)
    {
        _input.End();
        // Not inline: what this ends would run on the receive loop of the connection.
        _ = _closed.CancelAsync();
    }

    public override void OnRequest(SshChannel channel, SshChannelRequest request)
    {
        var payload = request.Payload.Span;
        var done = request.Name switch
        {
            SessionRequests.Environment => _output is null && EnvironmentRequest.TryParse(payload, out var variable) && _setup.TryTake(variable),
            SessionRequests.Pty => _output is null && PtyRequest.TryParse(payload, out var terminal) && _setup.TryTake(terminal),
            SessionRequests.Shell => payload.IsEmpty && TryStartProgram(channel, _setup.LoginShell()),
            SessionRequests.Exec => ExecRequest.TryParse(payload, out var exec) && !exec.Command.Contains('\0') && TryStartProgram(channel, _setup.Command(exec.Command)),
            SessionRequests.Subsystem => SubsystemRequest.TryParse(payload, out var subsystem) && subsystem.Name == "sftp" && TryStartSftp(channel),
            SessionRequests.WindowChange => WindowSize.TryParse(payload, out var size) && TryResize(size),
            SessionRequests.Signal => SignalRequest.TryParse(payload, out var signal) && TrySignal(signal.Name),
            _ => false,
        };
        request.Reply(done ? SshReply.Success : SshReply.Failure);

        // The answer goes first, the program's output after it; and off the receive loop.
        if (_start is not { } start) return;
        _start = null;
        Ended = Task.Run(start);
    }

    private bool TryStartProgram(SshChannel channel, Launch launch)
    {
        if (_output is not null) return false;
        try
        {
            _child = _setup.Terminal is { } terminal
                ? ChildProcess.StartOnTerminal(launch, terminal.Size, terminal.Modes, context.Loop)
                : ChildProcess.StartWithPipes(launch, context.Loop);
        }
        catch (IOException e)
        {
            context.Log($"A session could not start: {e.Message}");
            return false;
        }

        var child = _child;
        Start(channel, output => ProcessRelay.RunAsync(child, channel, _input, output, context.Time, _closed.Token));
        return true;
    }

    private bool TryStartSftp(SshChannel channel)
    {
        if (_output is not null) return false;
        Start(channel, output => ServeFilesAsync(channel, output));
        return true;
    }

    private void Start(SshChannel channel, Func<ChannelOutput, Task> run)
    {
        var output = _output = new(channel, _closed.Token);
        _start = async () =>
        {
            try
            {
                await run(output).ConfigureAwait(false);
            }
            finally
            {
                await _input.CompleteAsync().ConfigureAwait(false);
                channel.Close();
            }
        };
    }

    private async Task ServeFilesAsync(SshChannel channel, ChannelOutput output)
    {
        var options = new SftpServerOptions { StartDirectory = context.Account.StartDirectory, Time = context.Time };
        var writer = PipeWriter.Create(output, new(minimumBufferSize: 32 * 1024, leaveOpen: true));
        try
        {
            await SftpServer.RunAsync(_input, writer, options, _closed.Token).ConfigureAwait(false);
            channel.SendExitStatus(0);
            channel.SendEof();
        }
        catch (SftpProtocolException e)
        {
            context.Log($"A file transfer was ended: {e.Message}");
            channel.SendExitStatus(1);
            channel.SendEof();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client closed the channel: there is nobody to tell.
        }
    }

    private bool TryResize(WindowSize size)
    {
        if (_child is not { IsOnTerminal: true } child) return false;
        child.Resize(size);
        return true;
    }

    private bool TrySignal(string name)
    {
        if (_child is not { } child || !Signals.TryParse(name, out var signal)) return false;
        child.Signal(signal);
        return true;
    }
}
