using System.Text;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;
using Countersign.Ssh;

namespace Countersign.Sessions.Relay;

/// <summary>How the device's end of a relay came to its end.</summary>
/// <param name="ExitStatus">What the command returned, or null: it was killed by a signal, or the connection was lost.</param>
/// <param name="Lost">The device's connection broke before it had said how the command ended.</param>
public sealed record RelayEnd(int? ExitStatus, bool Lost);

/// <summary>What is asked of the device once its channel is open: requests in order, the last of which starts the program.</summary>
public sealed record RelayStart(IReadOnlyList<(string Name, ReadOnlyMemory<byte> Payload)> Requests);

/// <summary>
/// Joins a technician's session channel with one at the device. It takes the technician's side from the moment that channel is open; the device's
/// side is added by <see cref="StartAsync"/>.
/// </summary>
public sealed class SshRelay
{
    private const int MostUntold = 8;
    private const int LongestSignal = 64;
    private const int LongestMessage = 200;

    private readonly SshChannel _client;
    private readonly Flow _toDevice;
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
    private ReadOnlyMemory<byte>? _windowChange;
    private bool _running;
    private int? _exitStatus;
    private bool _exitKnown;
    private bool _deviceEof;
    private bool _endOfWritePassed;
    private bool _closed;

    /// <param name="window">What the technician's channel was given at opening; so much is kept until the device is there.</param>
    public SshRelay(SshChannel client, uint window)
    {
        _client = client;
        _toDevice = new(client, window, Traffic.AddIn);
    }

    public TrafficCount Traffic { get; } = new();

    /// <summary>Completes when the device's side has come to its end and everything it sent has been handed to the technician's side, or the relay was stopped.</summary>
    public Task<RelayEnd> Ended => _ended.Task;

    /// <summary>From here on everything that the device writes, and every size of the terminal, is recorded. Before <see cref="StartAsync"/>.</summary>
    public void Record(RecordingWriter recording)
    {
        _recording = recording;
        recording.CaughtUp = OnClientRoom;
    }

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

    /// <summary>Writes down what was not at its end. When the relay is over, before the session's own end is.</summary>
    public void EndInterpreting() => _understanding?.End();

    /// <summary>Requests while the program runs: those that are meaningful then are passed on, as the device can't be asked on anybody's behalf for others.</summary>
    public void OnClientRequest(SshChannelRequest request)
    {
        if (request.Name is not ("window-change" or "signal" or "break" or "eow@openssh.com"))
        {
            request.Reply(SshReply.Failure);
            return;
        }

        lock (_gate)
        {
            // Before the program runs there is nobody to tell but of the size that its terminal is to have.
            if (!_running)
            {
                if (request.Name == "window-change") _windowChange = request.Payload;
            }
            else
            {
                _device!.SendRequest(request.Name, request.Payload.Span);
                if (request.Name == "window-change") RecordSize(request.Payload.Span);
                else NoteSignal(request);
            }
        }

        request.Reply(SshReply.Success);
    }

    /// <summary>The technician's channel is gone: so is the device's.</summary>
    public void OnClientClosed()
    {
        _toDevice.Stop();
        _toClient?.Stop();
        _device?.Close();
        _ended.TrySetResult(new(_exitStatus, Lost: false));
    }

    /// <summary>Opens the channel at the device and starts the program there. False: the device refused; nothing has been told to the technician yet.</summary>
    /// <exception cref="SshChannelRefusedException">The device opens no session.</exception>
    public async Task<bool> StartAsync(SshConnection connection, RelayStart start, CancellationToken cancellation)
    {
        var window = (uint)Math.Clamp(_client.SendWindow, 1, Flow.MostCredit);
        var device = await connection.OpenChannelAsync("session", ReadOnlyMemory<byte>.Empty, new DeviceEnd(this, window), window, cancellation);
        _device = device;
        foreach (var (name, payload) in start.Requests)
        {
            // The session may have been ended since: then nothing more is asked of the device, least of all to start the program.
            cancellation.ThrowIfCancellationRequested();

            // The environment is a wish that many servers refuse; anything else that is refused is as fatal as it is to ssh itself.
            if (name == "env")
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
            if (_windowChange is { } change)
            {
                device.SendRequest("window-change", change.Span);
                RecordSize(change.Span);
            }
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
        if (_client.SendWindow >= line.Length) _client.SendExtendedData(1, line);
        CloseClient(exitStatus);
        _ended.TrySetResult(new(null, Lost: false));
    }

    /// <summary>The flow towards the technician; made by whichever comes first, the device's first word or the end of the start.</summary>
    private Flow ToClient(SshChannel device, uint window)
    {
        lock (_gate)
        {
            if (_toClient is { } there) return there;
            var flow = new Flow(device, window, Traffic.AddOut) { IsHeldUp = _recording is { } recording ? () => recording.IsBehind : _toDevice.IsHeldUp };
            foreach (var notice in _untold) Say(flow, notice);
            return _toClient = flow;
        }
    }

    private void Say(Flow toClient, Notice notice)
    {
        _recording?.Notice(notice.Line);
        toClient.Say(notice.Type, notice.Line);
    }

    private static byte[] Line(string message) => Encoding.UTF8.GetBytes($"\r\n{message}\r\n");

    /// <summary>RFC 4254 section 6.7.</summary>
    private void RecordSize(ReadOnlySpan<byte> payload)
    {
        var reader = new SshReader(payload);
        if (_recording is { } recording && reader.TryReadUInt32(out var columns) && reader.TryReadUInt32(out var rows)) recording.Resize(new(columns, rows));
    }

    /// <summary>RFC 4254 section 6.9; the name is the client's word.</summary>
    private void NoteSignal(SshChannelRequest request)
    {
        if (request.Name == "break") _journal?.Append(new SignalSent("BREAK"));
        var reader = new SshReader(request.Payload.Span);
        if (request.Name == "signal" && reader.TryReadString(out var name, LongestSignal) && !name.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            _journal?.Append(new SignalSent(Encoding.ASCII.GetString(name)));
    }

    private void OnDeviceData(Flow toClient, uint type, ReadOnlySpan<byte> data)
    {
        if (type == 0 && _understanding is { } understanding)
        {
            understanding.FromDevice(toClient, data);
            return;
        }

        lock (_outward)
        {
            // Before it is passed on: what was seen is in the recording.
            if (type == 0) _recording?.Output(data);
            else _recording?.Error(data);
            toClient.OnData(type, data);
        }
    }

    private void CloseClient(int? exitStatus)
    {
        if (exitStatus is { } status)
        {
            _client.SendRequest("exit-status", new SshWriter().UInt32((uint)status).Written.Span);
        }

        _client.Close();
    }

    private void OnDeviceClosed(Flow toClient)
    {
        _toDevice.Stop();
        var lost = !_exitKnown;
        toClient.WhenEmpty(() =>
        {
            lock (_gate)
            {
                if (_closed) return;
                if (!lost) _closed = true;
            }

            // A lost connection is told by whoever owns the session; all else is told by the exit status that has been passed on.
            if (!lost) CloseClient(null);
            _ended.TrySetResult(new(_exitStatus, lost));
        });
    }

    /// <summary>
    /// The end of the output is told after the exit status: OpenSSH closes a channel as soon as both sides are at their end, and a status that comes
    /// behind that would be lost.
    /// </summary>
    private void OnDeviceEof(Flow toClient)
    {
        _deviceEof = true;
        if (_exitKnown) toClient.OnEof();
    }

    /// <summary>
    /// Each once, and put together anew: what no window bounds is queued for a technician who may read slowly, and they may have other devices on the same
    /// connection.
    /// </summary>
    private void OnDeviceRequest(SshChannelRequest request)
    {
        switch (request.Name)
        {
            case SessionRequests.ExitStatus when !_exitKnown && ExitStatusRequest.TryParse(request.Payload.Span, out var status):
                _exitStatus = (int)status.Status;
                PassExit(request, status.Encode());
                return;
            case SessionRequests.ExitSignal when !_exitKnown && ExitSignalRequest.TryParse(request.Payload.Span, out var signal) && PlainLine.IsPlain(signal.Name):
                PassExit(request, (signal with { Message = PlainLine.Clean(signal.Message, LongestMessage) }).Encode());
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

    private void PassExit(SshChannelRequest request, ReadOnlySpan<byte> payload)
    {
        _exitKnown = true;
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

        public override void OnDrained(SshChannel channel) => relay._toDevice.OnRoom();

        public override void OnEof(SshChannel channel) => relay.OnDeviceEof(relay.ToClient(channel, window));

        public override void OnRequest(SshChannel channel, SshChannelRequest request) => relay.OnDeviceRequest(request);

        public override void OnClosed(SshChannel channel) => relay.OnDeviceClosed(relay.ToClient(channel, window));
    }
}
