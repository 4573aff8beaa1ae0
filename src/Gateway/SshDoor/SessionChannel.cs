using System.Net;
using System.Text;
using Countersign.Access;
using Countersign.Gateway.SshDoor.Picking;
using Countersign.Reach;
using Countersign.Sessions;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh;
using Microsoft.Extensions.Logging;

namespace Countersign.Gateway.SshDoor;

/// <summary>
/// One session channel of a technician, from opening to close: collects what is wanted, asks for admission, opens the way to the device, and then
/// is one end of the relay.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA1001", Justification = "A token source without a timer holds nothing that needs disposing, and the token is used by whatever is still running after the channel has closed.")]
internal sealed partial class SessionChannel(
    SshFrontDoorServices services,
    TimeProvider time,
    SignedIn person,
    SshTarget target,
    IPAddress source,
    uint window,
    ConnectionNotes notes,
    OpenPickers pickers,
    Action<SessionChannel, Task> track) : SshChannelHandler
{
    private const int MostEnvironment = 32;

    /// <summary>Bytes of all variables together: a person may have thousands of channels that never ask for anything else.</summary>
    private const int MostEnvironmentBytes = 16 * 1024;

    private const int MostPayload = 4096;
    private const int MostListed = 40;

    private readonly ILogger _log = services.Log;
    private readonly CancellationTokenSource _gone = new();
    private readonly List<(string Name, ReadOnlyMemory<byte> Payload)> _requests = [];
    private SshRelay? _relay;
    private WaitingRoom? _room;
    private string _reason = "";
    private int _environment;
    private readonly HashSet<string> _toldForwarding = [];
    private FileCommand? _files;
    private bool _started;
    private bool _inputEnded;
    private AskedTerminal? _terminal;

    public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
    {
        if (_picking?.Takes(data) == true) return;
        if (_room?.Takes(data) == true)
        {
            channel.GrantWindow((uint)data.Length);
            return;
        }

        Relay(channel).OnClientData(type, data);
    }

    public override void OnWindowAdjust(SshChannel channel, uint bytes)
    {
        _picking?.OnRoom();
        _relay?.OnClientRoom();
    }

    public override void OnDrained(SshChannel channel)
    {
        _picking?.OnDrained();
        _relay?.OnClientRoom();
    }

    public override void OnEof(SshChannel channel)
    {
        _inputEnded = true;
        _picking?.OnEof();
        _room?.OnEof();
        Relay(channel).OnClientEof();
    }

    public override void OnClosed(SshChannel channel)
    {
        notes.Close(ShowNote);
        _gone.Cancel();
        Relay(channel).OnClientClosed();
    }

    public override void OnRequest(SshChannel channel, SshChannelRequest request)
    {
        if (_started)
        {
            if (request.Name == SessionRequests.WindowChange) _picking?.Resize(ReadSize(request.Payload.Span));
            if (request.Payload.Length <= MostPayload) Relay(channel).OnClientRequest(request);
            else request.Reply(SshReply.Failure);
            return;
        }

        switch (request.Name)
        {
            case SessionRequests.Pty when _terminal is null && PtyRequest.TryParse(request.Payload.Span, out var pty):
                _terminal = ReadTerminal(pty);
                _requests.Add((request.Name, pty.Encode()));
                request.Reply(SshReply.Success);
                return;
            case SessionRequests.Environment when ReadReason(request.Payload.Span) is { } reason:
                _reason = notes.Reason = reason;
                request.Reply(SshReply.Success);
                return;
            case SessionRequests.Environment when _requests.Count < MostEnvironment && _environment + request.Payload.Length <= MostEnvironmentBytes && request.Payload.Length <= MostPayload:
                Keep(request);
                return;
            case "auth-agent-req@openssh.com":
                RefuseForwarding(channel, request, "agent");
                return;
            case "x11-req":
                RefuseForwarding(channel, request, "X11");
                return;
            case SessionRequests.WindowChange when request.Payload.Length <= MostPayload:
                Relay(channel).OnClientRequest(request);
                return;
            case SessionRequests.Shell when request.Payload.IsEmpty:
                Start(channel, request, SessionKind.Shell, "");
                return;
            case SessionRequests.Exec when _terminal is null && ExecRequest.TryParse(request.Payload.Span, out var exec) && FileCommand.TryParse(exec.Command, out var files):
                StartFiles(channel, request, files);
                return;
            case SessionRequests.Exec when ExecRequest.TryParse(request.Payload.Span, out var exec) && !exec.Command.Contains('\0', StringComparison.Ordinal):
                Start(channel, request, SessionKind.Command, exec.Command);
                return;
            case SessionRequests.Subsystem when SubsystemRequest.TryParse(request.Payload.Span, out var subsystem) && subsystem.Name == "sftp":
                StartFiles(channel, request, null);
                return;
            default:
                request.Reply(SshReply.Failure);
                return;
        }
    }

    /// <summary>The session goes on without it. Told once: a client may ask as often as it likes.</summary>
    private void RefuseForwarding(SshChannel channel, SshChannelRequest request, string what)
    {
        request.Reply(SshReply.Failure);
        var line = Encoding.ASCII.GetBytes($"countersign: {what} forwarding is not available through Countersign\r\n");
        if (_toldForwarding.Add(what) && channel.SendWindow >= line.Length) channel.SendExtendedData(1, line);
    }

    private void Keep(SshChannelRequest request)
    {
        _requests.Add((request.Name, request.Payload));
        _environment += request.Payload.Length;
        request.Reply(SshReply.Success);
    }

    /// <summary>
    /// Of what was asked for beforehand nothing goes to the device: a terminal would spoil the bytes, and a variable could have a program do something
    /// else than to move files.
    /// </summary>
    private void StartFiles(SshChannel channel, SshChannelRequest request, FileCommand? command)
    {
        if (_terminal is not null || (command?.Protocol != FileProtocol.Rsync && !Relay(channel).Understand()))
        {
            request.Reply(SshReply.Failure);
            return;
        }

        _files = command;
        _requests.Clear();
        Start(channel, request, SessionKind.Files, command?.Command ?? "", command is null ? request.Payload : new ExecRequest(command.Command).Encode());
    }

    private void Start(SshChannel channel, SshChannelRequest request, SessionKind kind, string command, ReadOnlyMemory<byte>? payload = null)
    {
        _started = true;
        _requests.Add((request.Name, payload ?? request.Payload));

        // The answer comes before the decision: what takes time (an approval, the end user) waits in the channel, and refusals are told there.
        request.Reply(SshReply.Success);
        _room = new(channel, _terminal is not null, _reason, time, Relay(channel).ForgetInput);
        _picking = kind == SessionKind.Shell ? OpenPicker(channel) : null;
        if (_inputEnded)
        {
            // A client may end its input before it asks for anything, and then nobody is there to be asked.
            _room.OnEof();
            _picking?.OnEof();
        }

        var relay = Relay(channel);
        notes.Open(ShowNote);
        track(this, RunAsync(relay, _room, kind, command));
    }

    /// <summary>Of the connection's forwardings: at once where the person waits here themselves, else between what the device writes.</summary>
    private void ShowNote(string line)
    {
        if (_room?.TryNote(line) != true && _relay is { } relay) Tell(relay, line);
    }

    /// <summary>Beside what the program shows: on the terminal, else on standard error.</summary>
    private void Tell(SshRelay relay, string line) => relay.Tell(Say(line), _terminal is null ? 1u : 0u);

    private async Task RunAsync(SshRelay relay, WaitingRoom room, SessionKind kind, string command)
    {
        // Off the connection's receive loop.
        await Task.Yield();
        try
        {
            var wanted = target;
            if (_picking is { } picking)
            {
                if (await picking.RunAsync(_gone.Token) is not { } picked)
                {
                    relay.Stop(Say("no device was chosen"), ExitStatus.Interrupted);
                    return;
                }

                wanted = wanted with { Device = picked.Device, Account = picked.Account };
            }

            if (_isCrowded)
            {
                relay.Stop(Say($"{OpenPickers.Most} lists to choose from are open on this connection: choose in one of them, or name a device: ssh {target.Login}+DEVICE@…"), ExitStatus.Usage);
                return;
            }

            if (wanted.Device is null)
            {
                relay.Stop(Say($"name a device: ssh {target.Login}+DEVICE@…{Reachable()}"), ExitStatus.Usage);
                return;
            }

            var wish = new ConnectionWish(person.Organization, person.Person, person.Login, person.Strength, source, wanted.Device, wanted.Account, kind, command)
            {
                Terminal = _terminal,
                FileCommand = _files,
            };
            switch (await AdmitAsync(wish, room))
            {
                case null:
                    relay.Stop(Say("cancelled"), ExitStatus.Interrupted);
                    return;
                case AdmissionResult.Refused refused:
                    relay.Stop(Say(refused.Message), refused.Cancelled ? ExitStatus.Interrupted : ExitStatus.Refused);
                    return;
                case AdmissionResult.Admitted admitted:
                    await ConnectAsync(relay, admitted);
                    return;
            }
        }
        catch (OperationCanceledException) when (_gone.IsCancellationRequested)
        {
            // The technician has left: there is nobody to tell.
        }
        catch (Exception error)
        {
            // The end of a task that nobody awaits for its result: what should not happen is logged, and told without details.
            LogFailed(error);
            relay.Stop(Say("an internal error; it has been logged"), ExitStatus.Internal);
        }
    }

    /// <summary>Null: the person has cancelled.</summary>
    private async Task<AdmissionResult?> AdmitAsync(ConnectionWish wish, WaitingRoom room)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(_gone.Token);
        var asking = services.Admission.AskAsync(wish, room, leaving.Token).AsTask();
        if (await Task.WhenAny(asking, room.Interrupted) != asking) await leaving.CancelAsync();
        try
        {
            var result = await asking;

            // Ctrl-C in the moment of the approval: the person does not want in any more.
            if (!room.Interrupted.IsCompleted || result is not AdmissionResult.Admitted late) return result;
            late.Session.Finish(EndReason.Completed, "cancelled by the technician");
            await late.Session.DisposeAsync();
            return null;
        }
        catch (OperationCanceledException) when (room.Interrupted.IsCompleted && !_gone.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            room.Close();
        }
    }

    private async Task ConnectAsync(SshRelay relay, AdmissionResult.Admitted admitted)
    {
        await using var session = admitted.Session;
        session.Traffic = relay.Traffic;
        if (session.Recording is { } recording) relay.Record(recording);
        if (_terminal is null && session.Opening.Kind == SessionKind.Shell) relay.RecordInput();
        var isRsync = _files?.Protocol == FileProtocol.Rsync;
        if (isRsync || (_terminal is null && session.Opening.Kind == SessionKind.Command)) relay.MeasureInput();
        if (isRsync) relay.MeasureOutput();
        session.ShowNotices(notice => Tell(relay, notice));
        if (session.Journal is { } journal) relay.Keep(journal);
        if (IsUnderstood(session)) relay.Interpret(session, _files);
        await using var ending = session.Ending.Register(() => relay.Stop(Say($"session ended: {session.End?.Detail}"), ExitStatus.Refused));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(session.Ending, _gone.Token);
        var name = admitted.Connection.Device.Name;
        try
        {
            var reached = await services.Reach.OpenAsync(admitted.Connection, either.Token);
            if (reached is ReachResult.Failed failed)
            {
                Fail(failed.Message);
                return;
            }

            await using var device = ((ReachResult.Opened)reached).Connection;
            if (!await relay.StartAsync(device, new(_requests), either.Token))
            {
                Fail($"{name} refused to start what was asked for");
                return;
            }

            session.Watchers.ShowIn(line => Tell(relay, WaitingRoom.Clean(line)));
            var end = await relay.Ended;
            if (device.Fault is { } fault) LogFailed(fault);
            relay.EndInterpreting();
            switch (end.Outcome)
            {
                case RelayOutcome.DeviceLost:
                    Fail($"the connection to {name} was lost", EndReason.ConnectionLost);
                    break;
                case RelayOutcome.TechnicianLost:
                    session.Finish(EndReason.ConnectionLost, "the technician's connection was lost");
                    break;
                case RelayOutcome.Exited:
                    session.Note(new ProgramExited(end.ExitStatus, relay.Traffic.In, relay.Traffic.Out, end.Signal));
                    session.Finish(EndReason.Completed, "", end.ExitStatus);
                    break;
                default:
                    session.Finish(EndReason.Completed, "");
                    break;
            }
        }
        catch (SshChannelRefusedException)
        {
            Fail($"{name} refused to open a session");
        }
        catch (SshConnectionException)
        {
            Fail($"the connection to {name} was lost", EndReason.ConnectionLost);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            session.Finish(EndReason.Completed, "the technician left before the device was reached");
        }
        finally
        {
            relay.EndInterpreting();
        }

        void Fail(string message, EndReason reason = EndReason.DeviceUnreachable)
        {
            relay.Stop(Say(message), ExitStatus.Unreachable);
            session.Finish(reason, message);
        }
    }

    private bool IsUnderstood(LiveSession session) => session.Opening.Kind == SessionKind.Files && _files?.Protocol != FileProtocol.Rsync;

    private string Reachable()
    {
        var snapshot = services.Policy.Current(person.Organization);
        if (snapshot is null || snapshot.Standing(person.Person, source, person.Strength) != DenialReason.None) return "";
        var names = snapshot.DevicesOf(person.Person, time.GetUtcNow())
            .Where(listing => snapshot.Endpoint(listing.Device.Id, ServiceProtocol.Ssh) is not null)
            .Select(listing => listing.Device.Name).Order(StringComparer.Ordinal).ToList();
        var more = names.Count > MostListed ? $", and {names.Count - MostListed} more" : "";
        return names.Count == 0 ? "" : $"\r\nyour devices: {string.Join(", ", names.Take(MostListed))}{more}";
    }

    /// <summary>RFC 4254 section 6.2; the type is the technician's word, kept only if it looks like one.</summary>
    private static AskedTerminal ReadTerminal(PtyRequest pty) =>
        new(pty.Term.Length > 0 && pty.Term.All(character => character is >= '!' and <= '~') ? pty.Term : "unknown", new(pty.Size.Columns, pty.Size.Rows));

    /// <summary>The value of <c>LC_REASON</c>, whose name OpenSSH's clients and servers let through; null: another variable.</summary>
    private static string? ReadReason(ReadOnlySpan<byte> payload) =>
        EnvironmentRequest.TryParse(payload, out var variable) && variable.Name == "LC_REASON" ? variable.Value : null;

    /// <summary>On the receive loop only.</summary>
    private SshRelay Relay(SshChannel channel) => _relay ??= new(channel, window, time);

    private static string Say(string message) => $"countersign: {message}";

    [LoggerMessage(Level = LogLevel.Error, Message = "A session channel failed")]
    private partial void LogFailed(Exception error);
}
