using System.Diagnostics.CodeAnalysis;
using System.Text;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;
using Countersign.Ssh;

namespace Countersign.Sessions.Relay;

/// <summary>What is asked of the device once its channel is open: requests in order, the last of which starts the program.</summary>
public sealed record RelayStart(IReadOnlyList<(string Name, ReadOnlyMemory<byte> Payload)> Requests);

/// <summary>
/// Joins a technician's session channel with one at the device. It takes the technician's side from the moment that channel is open; the device's
/// side is added by <see cref="StartAsync"/>.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The timer is disposed with the relay's end, whatever ends it; and whoever made the relay has EndInterpreting.")]
public sealed class SshRelay
{
    private const int MostUntold = 8;
    private const int LongestMessage = 200;
    private const int LongestLine = 16 * 1024;

    /// <summary>Signals that are events of their own: no window bounds how many a client sends.</summary>
    private const int MostSignals = 256;

    /// <summary>With so much that the device's network has not taken, no more is asked of it.</summary>
    private const int MostUntaken = 64 * 1024;

    /// <summary>
    /// How long the end of the output waits for the exit status: the two come together, or the program goes on. A client whose input has ended closes when it is told the
    /// end of the output, and an exit status that comes later is lost to it: a device that has much to do takes its time.
    /// </summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(3);

    private readonly SshChannel _client;
    private readonly TimeProvider _time;
    private readonly Flow _toDevice;
    private readonly Beside _beside = new();
    private readonly Lock _gate = new();

    /// <summary>What goes to the technician goes into the recording in the same order.</summary>
    private readonly Lock _outward = new();
    private readonly TaskCompletionSource<RelayEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Notice> _untold = [];
    private Flow? _toClient;
    private Understanding? _understanding;
    private RecordingWriter? _recording;
    private JournalWriter? _journal;
    private SshChannel? _device;
    private MeasuredStream? _input;
    private MeasuredStream? _output;
    private WindowSize? _size;
    private WindowSize? _shownSize;
    private ITimer? _silence;
    private int _signals;
    private bool _running;
    private RelayEnd? _exit;
    private bool _deviceEof;
    private bool _endOfWritePassed;
    private bool _clientEndOfWritePassed;
    private bool _closed;

    /// <param name="window">What the technician's channel was given at opening; so much is kept until the device is there.</param>
    /// <param name="time">The network's.</param>
    public SshRelay(SshChannel client, uint window, TimeProvider time)
    {
        _client = client;
        _time = time;
        _toDevice = new(client, window, Traffic.AddIn) { IsForbidden = IsForbidden };
    }

    public TrafficCount Traffic { get; } = new();

    /// <summary>
    /// Completes when the device's side has come to its end and everything it sent has been handed to the technician's side, when the technician is gone, or when
    /// the relay was stopped.
    /// </summary>
    public Task<RelayEnd> Ended => _ended.Task;

    /// <summary>From here on everything that the device writes, and every size of the terminal, is recorded. Before <see cref="StartAsync"/>.</summary>
    public void Record(RecordingWriter recording)
    {
        _recording = recording;
        recording.CaughtUp = () =>
        {
            OnDeviceRoom();
            OnClientRoom();
        };
    }

    /// <summary>What a shell without a terminal is given is recorded as a terminal would have shown it. After <see cref="Record"/>.</summary>
    public void RecordInput()
    {
        if (_recording is not { } recording) return;
        _toDevice.IsHeldUp = () => recording.IsBehind;
        _toDevice.Going = typed => TypedEcho.Show(typed, recording.Output);
    }

    /// <summary>How much a program without a terminal is given, and the hash of it, is written down at its end. Before <see cref="StartAsync"/>.</summary>
    public void MeasureInput()
    {
        var input = _input = new();
        _toDevice.Going = input.Add;
    }

    /// <summary>The same of what it writes on its standard output. Before <see cref="StartAsync"/>.</summary>
    public void MeasureOutput() => _output = new();

    /// <summary>Whoever records has failed and has to record: between that and the session's end, which others see to, nothing passes.</summary>
    private bool IsForbidden() => _recording?.ForbidsMore == true || _journal?.ForbidsMore == true;

    /// <summary>What the technician has sent so far is thrown away: it was typed before there was anybody to type to.</summary>
    /// <returns>Whether the byte that is looked for was in it.</returns>
    public bool ForgetInput(byte looked) => _toDevice.Forget(looked);

    /// <summary>From here on signals are written down. Before <see cref="StartAsync"/>.</summary>
    public void Keep(JournalWriter journal) => _journal = journal;

    public void OnClientData(uint type, ReadOnlySpan<byte> data)
    {
        // A client has no extended data to send (RFC 4254 section 5.2 defines only standard error): it is not passed on.
        if (type != 0) return;
        if (_understanding is { } understanding) understanding.FromClient(data);
        else _toDevice.OnData(type, data);
    }

    public void OnClientRoom()
    {
        _toClient?.OnRoom();
        _understanding?.OnRoom();
    }

    public void OnClientEof()
    {
        if (_understanding is { } understanding) understanding.ClientEof();
        else _toDevice.OnEof();
    }

    /// <summary>
    /// From here on what passes is read, by what <see cref="Interpret"/> gives; until the device is there it waits. False: something came before, and
    /// nobody has read it. On the receive loop of the technician's connection.
    /// </summary>
    public bool Understand()
    {
        if (Traffic.In > 0) return false;
        _understanding = new(_toDevice);
        return true;
    }

    /// <summary>
    /// Holds a session of files to the permissions that it has at each moment, and writes down in its journal what is done; an end that does not speak
    /// the protocol ends it. After <see cref="Understand"/> and before <see cref="StartAsync"/>.
    /// </summary>
    /// <param name="command">What moves the files; null: SFTP.</param>
    public void Interpret(LiveSession session, FileCommand? command)
    {
        ReadWith(
            outlets => command is null
                ? new SftpInterpreter(outlets, () => session.Permissions, session.Note)
                : new ScpInterpreter(outlets, command, () => session.Permissions, session.Note),
            session.Journal,
            sentence => session.Finish(EndReason.NotUnderstood, sentence));
    }

    private void ReadWith(Func<Outlets, Interpreter> make, JournalWriter? journal, Action<string> broken)
    {
        _toDevice.IsHeldUp = journal is null ? null : () => journal.IsBehind;
        _understanding!.Set(make(new(_toDevice.Put, bytes => _toClient!.Put(bytes), () => _toClient!.Waiting > Flow.MostUnread, () => journal?.IsBehind == true)), broken);
        if (journal is not null) journal.CaughtUp = () =>
        {
            _toDevice.OnRoom();
            OnClientRoom();
        };
    }

    /// <summary>Writes down what was not at its end, and what is known at the end only. When the relay is over, before the session's own end is; again, it does nothing.</summary>
    public void EndInterpreting()
    {
        _understanding?.End();
        lock (_outward)
        {
            if (Interlocked.Exchange(ref _journal, null) is not { } journal) return;
            if (_input?.Tell() is { } read) journal.Append(new ProgramRead(read.Bytes, read.Sha256));
            if (_output?.Tell() is { } written) journal.Append(new ProgramWrote(written.Bytes, written.Sha256));
            if (_beside.Tell() is { } wrote) journal.Append(wrote);
            if (_signals > MostSignals) journal.Append(new SignalsLeftOut(_signals - MostSignals));
            _input?.Dispose();
            _output?.Dispose();
            _output = null;
        }
    }

    /// <summary>Requests while the program runs: those that are meaningful then are passed on, as the device can't be asked on anybody's behalf for others.</summary>
    public void OnClientRequest(SshChannelRequest request)
    {
        bool passes;
        lock (_gate) passes = !IsForbidden() && Passes(request);
        request.Reply(passes ? SshReply.Success : SshReply.Failure);
    }

    /// <summary>What was read is passed on, put together anew. Before the program runs there is nobody to tell but of the size that its terminal is to have.</summary>
    private bool Passes(SshChannelRequest request)
    {
        switch (request.Name)
        {
            case SessionRequests.WindowChange when WindowSize.TryParse(request.Payload.Span, out var size):
                _size = size;
                Resize();
                return true;

            // The name is the client's word.
            case SessionRequests.Signal when SignalRequest.TryParse(request.Payload.Span, out var signal) && PlainLine.IsPlain(signal.Name):
                if (_running) Signal(request.Name, signal.Encode(), signal.Name);
                return true;
            case SessionRequests.Break when BreakRequest.TryParse(request.Payload.Span, out var pause):
                if (_running) Signal(request.Name, pause.Encode(), "BREAK");
                return true;
            case SessionRequests.EndOfWrite:
                if (_running && !_clientEndOfWritePassed) _device!.SendRequest(request.Name, []);
                _clientEndOfWritePassed = _running;
                return true;
            default:
                return false;
        }
    }

    /// <summary>
    /// Under the gate. No window bounds how often a client sends a size: of those that come while the recording's disk is behind, or the device does not read,
    /// only the last counts, when there is room again.
    /// </summary>
    private void Resize()
    {
        if (!_running || _size is not { } size || size == _shownSize || _recording?.IsBehind == true || IsForbidden()) return;
        if (_device!.Connection.PendingBytes > MostUntaken && _device.TellWhenDrained()) return;
        _shownSize = size;
        _device.SendRequest(SessionRequests.WindowChange, size.Encode());
        _recording?.Resize(new(size.Columns, size.Rows));
    }

    private void OnDeviceRoom()
    {
        lock (_gate) Resize();
        _toDevice.OnRoom();
    }

    private void Signal(string request, ReadOnlySpan<byte> payload, string name)
    {
        _device!.SendRequest(request, payload);
        if (++_signals <= MostSignals) _journal?.Append(new SignalSent(name));
    }

    /// <summary>The technician's channel is gone: so is the device's.</summary>
    public void OnClientClosed()
    {
        _toDevice.Stop();
        _toClient?.Stop();
        _device?.Close();
        End(_exit ?? new(_client.Connection.EndReason is null ? RelayOutcome.Left : RelayOutcome.TechnicianLost));
    }

    /// <summary>Opens the channel at the device and starts the program there. False: the device refused; nothing has been told to the technician yet.</summary>
    /// <exception cref="SshChannelRefusedException">The device opens no session.</exception>
    public async Task<bool> StartAsync(SshConnection connection, RelayStart start, CancellationToken cancellation)
    {
        // The rest of what the technician takes is granted when the program runs, out of what their connection takes altogether.
        var window = (uint)Math.Clamp(_client.SendWindow, 1, CreditBudget.Least);
        connection.Credit.Whole = _client.Connection.Credit.Whole;
        var device = await connection.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new DeviceEnd(this, window), window, cancellation);
        _device = device;
        foreach (var (name, payload) in start.Requests)
        {
            // The session may have been ended since: then nothing more is asked of the device, least of all to start the program.
            cancellation.ThrowIfCancellationRequested();

            // The environment is a wish that many servers refuse; anything else that is refused is as fatal as it is to ssh itself.
            if (name == SessionRequests.Environment)
            {
                device.SendRequest(name, payload.Span);
                continue;
            }

            if (await device.RequestAsync(name, payload, cancellation)) continue;
            device.Close();
            return false;
        }

        lock (_gate)
        {
            _running = true;
            Resize();
        }

        ToClient(device, window).SetReceiver(_client);
        _toDevice.SetReceiver(device);
        _understanding?.Begin();
        return true;
    }

    /// <summary>
    /// Shows one line, between what the device writes; before the program runs it is kept until then. Never waits; after the program's end, or with
    /// too much on its way, the line is lost.
    /// </summary>
    /// <param name="line">Cleaned of control characters by the caller.</param>
    /// <param name="type">Zero: the terminal. One: standard error, for who has none, since a program's output is not ours to add to.</param>
    public void Tell(string line, uint type = 0)
    {
        var notice = new Notice(type, Line(line));
        lock (_outward)
        {
            Flow toClient;
            lock (_gate)
            {
                if (_closed) return;
                if (_toClient is null)
                {
                    if (_untold.Count < MostUntold) _untold.Add(notice);
                    return;
                }

                toClient = _toClient;
            }

            if (toClient.CanSay) Say(toClient, notice);
        }
    }

    /// <summary>Ends the technician's side with a sentence on standard error and an exit status, and the device's side at once.</summary>
    public void Stop(string message, int exitStatus)
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
        }

        _toDevice.Stop();
        _toClient?.Stop();
        _device?.Close();
        var line = Line(message);
        _recording?.Error(line);
        try
        {
            if (_client.SendWindow >= line.Length) _client.SendExtendedData(1, line);
        }
        finally
        {
            CloseClient(exitStatus);
            End(new(RelayOutcome.Stopped));
        }
    }

    private void End(RelayEnd how)
    {
        lock (_gate) _silence?.Dispose();
        _ended.TrySetResult(how);
    }

    /// <summary>The flow towards the technician; made by whichever comes first, the device's first word or the end of the start.</summary>
    private Flow ToClient(SshChannel device, uint window)
    {
        lock (_gate)
        {
            if (_toClient is { } there) return there;
            var flow = new Flow(device, window, Traffic.AddOut) { IsHeldUp = _recording is { } recording ? () => recording.IsBehind : _toDevice.IsHeldUp, IsForbidden = IsForbidden };
            if (_closed) flow.Stop();
            foreach (var notice in _untold) Say(flow, notice);
            return _toClient = flow;
        }
    }

    private void Say(Flow toClient, Notice notice)
    {
        _recording?.Notice(notice.Line);
        toClient.Say(notice.Type, notice.Line);
    }

    /// <summary>Whatever is told goes to a terminal: names and reasons in it are others' words.</summary>
    private static byte[] Line(string message) =>
        Encoding.UTF8.GetBytes($"\r\n{string.Join("\r\n", message.Split("\r\n").Select(line => PlainLine.Clean(line, LongestLine)))}\r\n");

    private void OnDeviceData(Flow toClient, uint type, ReadOnlySpan<byte> data)
    {
        if (_understanding is { } understanding)
        {
            if (type == 0) understanding.FromDevice(toClient, data);
            else OnBeside(toClient, type, data);
            return;
        }

        lock (_outward)
        {
            // Before it is passed on: what was seen is in the recording.
            if (type == 0) _recording?.Output(data);
            else _recording?.Error(data);
            if (type == 0) _output?.Add(data);
            toClient.OnData(type, data);
        }
    }

    private void OnBeside(Flow toClient, uint type, ReadOnlySpan<byte> data)
    {
        toClient.Arrive(data.Length);
        lock (_outward)
        {
            if (type == 1) toClient.Say(type, data[.._beside.Add(data)]);
        }

        toClient.Settle();
    }

    private void CloseClient(int? exitStatus)
    {
        if (exitStatus is { } status) _client.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest((uint)status).Encode());

        _client.Close();
    }

    private void OnDeviceClosed(SshChannel device, Flow toClient)
    {
        _toDevice.Stop();
        var end = _exit ?? new(device.Connection.EndReason is null ? RelayOutcome.Closed : RelayOutcome.DeviceLost);
        var lost = end.Outcome == RelayOutcome.DeviceLost;
        if (end.Outcome == RelayOutcome.Closed) toClient.OnEof();
        toClient.WhenEmpty(() =>
        {
            lock (_gate)
            {
                if (_closed) return;
                if (!lost) _closed = true;
            }

            // A lost connection is told by whoever owns the session; all else is told by the exit status that has been passed on, or by none as there was none.
            if (!lost) CloseClient(null);
            End(end);
        });
    }

    /// <summary>
    /// The end of the output is told after the exit status: OpenSSH closes a channel as soon as both sides are at their end, and a status that comes
    /// behind that would be lost. A program that closes its output and goes on has no status yet, and its client may wait for the end of the output.
    /// </summary>
    private void OnDeviceEof(Flow toClient)
    {
        _deviceEof = true;
        if (_exit is not null)
        {
            toClient.OnEof();
            return;
        }

        lock (_gate)
        {
            if (!_ended.Task.IsCompleted) _silence ??= _time.CreateTimer(_ => toClient.OnEof(), null, LongestSilence, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Each once, and put together anew: what no window bounds is queued for a technician who may read slowly, and they may have other devices on the same
    /// connection.
    /// </summary>
    private void OnDeviceRequest(SshChannelRequest request)
    {
        switch (request.Name)
        {
            case SessionRequests.ExitStatus when _exit is null && ExitStatusRequest.TryParse(request.Payload.Span, out var status):
                PassExit(request, status.Encode(), new(RelayOutcome.Exited, (int)status.Status));
                return;
            case SessionRequests.ExitSignal when _exit is null && ExitSignalRequest.TryParse(request.Payload.Span, out var signal) && PlainLine.IsPlain(signal.Name):
                PassExit(request, (signal with { Message = PlainLine.Clean(signal.Message, LongestMessage) }).Encode(), new(RelayOutcome.Exited, null, signal.Name));
                return;
            case SessionRequests.EndOfWrite when !_endOfWritePassed:
                _endOfWritePassed = true;
                _client.SendRequest(request.Name, []);
                return;
            default:
                request.Reply(SshReply.Failure);
                return;
        }
    }

    private void PassExit(SshChannelRequest request, ReadOnlySpan<byte> payload, RelayEnd how)
    {
        _exit = how;
        _client.SendRequest(request.Name, payload);
        request.Reply(SshReply.Success);
        if (_deviceEof) _toClient?.OnEof();
    }

    private readonly record struct Notice(uint Type, byte[] Line);

    /// <summary>The device's channel tells of itself here.</summary>
    private sealed class DeviceEnd(SshRelay relay, uint window) : SshChannelHandler
    {
        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data) => relay.OnDeviceData(relay.ToClient(channel, window), type, data);

        public override void OnWindowAdjust(SshChannel channel, uint bytes) => relay._toDevice.OnRoom();

        public override void OnDrained(SshChannel channel) => relay.OnDeviceRoom();

        public override void OnEof(SshChannel channel) => relay.OnDeviceEof(relay.ToClient(channel, window));

        public override void OnRequest(SshChannel channel, SshChannelRequest request) => relay.OnDeviceRequest(request);

        public override void OnClosed(SshChannel channel) => relay.OnDeviceClosed(channel, relay.ToClient(channel, window));
    }
}
