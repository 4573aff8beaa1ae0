using System.Collections.Concurrent;
using System.Net;
using Countersign.Access;
using Countersign.Gateway.SshDoor.Picking;
using Countersign.Sessions.Relay;
using Countersign.Ssh;
using Microsoft.Extensions.Logging;

namespace Countersign.Gateway.SshDoor;

/// <summary>One connection of an SSH client: who signs in, and the channels that they open.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2213", Justification = "A token source without a timer holds nothing that needs disposing, and the token is used by whatever is still running.")]
internal sealed partial class FrontDoorConnection(SshFrontDoorServices services, TimeProvider time, IPAddress source, Arrivals.Arrival arrival, Turns turns, Occupancy<PersonId> people, DeviceLists lists)
    : SshServerHandler, IAsyncDisposable
{
    /// <summary>What a client may send on a channel before a device is there to take it: typing ahead, not transfers.</summary>
    private const uint FirstWindow = 64 * 1024;

    /// <summary>Sessions of one connection that run or wind down when one more is forwarded.</summary>
    private const int MostRunning = 64;

    /// <summary>For want of a number of its own, as OpenSSH's server has it for whatever it ends by itself: its clients show that as an error.</summary>
    private const uint TakenBack = SshDisconnectReason.ProtocolError;

    private static readonly string[] _first = ["publickey", "password", "keyboard-interactive"];
    private static readonly string[] _second = ["keyboard-interactive"];

    private readonly ConcurrentDictionary<object, Task> _running = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _gone = new();
    private IDisposable? _policyChanges;
    private CancellationTokenRegistration _ending;
    private Occupancy<PersonId>.Place? _place;
    private bool _over;
    private SignedIn? _person;
    private ConnectionNotes? _notes;
    private OpenPickers? _pickers;
    private FirstFactor? _proven;
    private string? _banner;
    private SshTarget _target;

    /// <summary>Once a first factor has been proven, the code and nothing else is asked for (RFC 4252 section 5.1).</summary>
    public override IReadOnlyList<string> AuthenticationMethods => _proven is null ? _first : _second;

    /// <summary>Empty until somebody has proven their first factor: nobody else is told anything.</summary>
    public override string? Banner => _banner;

    public override IPAddress PeerAddress => source;

    public override string WhyStopped => arrival.Dropped.IsCancellationRequested ? "too many connections wait for somebody to sign in: try again" : base.WhyStopped;

    public override ValueTask<IDisposable?> TurnAsync(CancellationToken cancellation) => turns.TakeAsync(arrival.Address, cancellation);

    public override string PrincipalOf(string user) => services.SignIn.PrincipalOf(SshTarget.Parse(user).Login);

    public override void OnCertificateRefused(string user, SshCertificate certificate, SshCertificateVerdict verdict) =>
        LogCertificate(services.Log, source, verdict, certificate.Serial);

    public override async ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation)
    {
        var target = SshTarget.Parse(attempt.User);
        switch (attempt)
        {
            case SshAuthAttempt.KeyQuery query:
                return Answer(await services.SignIn.WouldAcceptKeyAsync(target.Login, query.Offered, source, cancellation));
            case SshAuthAttempt.CertificateQuery query:
                return Answer(await services.SignIn.WouldAcceptCertificateAsync(target.Login, query.Offered, source, cancellation));
        }

        return await TryAsync(target, attempt, cancellation) switch
        {
            SignInStep.Done(var person) => LetIn(target, person),
            SignInStep.CodeWanted(var proven) => AskForCode(proven),
            SignInStep.Barred(var why) => Bar(why),
            _ => SshAuthResult.Failure,
        };
    }

    public override void OnAuthenticated(SshServerConnection connection, string user)
    {
        arrival.Dispose();
        var person = _person!;
        _notes = new(line => connection.Debug(line));
        _pickers = new(lists, person, source, time);
        lock (_gate)
        {
            // The connection may have ended just when its client was let in: then nobody would stop listening.
            if (_over) return;
            _place = people.TryEnter(person.Person);
            _policyChanges = services.Policy.OnChange(snapshot =>
            {
                if (snapshot.Organization == person.Organization) LeaveIfDisabled(connection, snapshot);
            });
            _ending = person.Ended.Register(() => connection.Disconnect(TakenBack, person.EndedBecause));
        }

        if (_place is null) connection.Disconnect(SshDisconnectReason.TooManyConnections, "you have too many connections open");

        // A change between the sign-in and the subscription has told nobody.
        if (services.Policy.Current(person.Organization) is { } now) LeaveIfDisabled(connection, now);
    }

    public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
    {
        if (_person is not { } person || _notes is not { } notes || _pickers is not { } pickers || _place is not { } place) return new SshChannelAnswer.Refuse(SshOpenFailure.AdministrativelyProhibited, "sign in first");

        // Before anything can be promised.
        connection.Credit.Whole = place.Credit;

        // Those that the client has closed and that wind down still are as much work as others, and the library does not count them any more.
        if (_running.Count >= MostRunning) return new SshChannelAnswer.Refuse(SshOpenFailure.ResourceShortage, "too many sessions and forwarded connections are open, or come to their ends");
        if (type != "session")
        {
            if (TunnelTarget.TryParse(type, extra, out var leads)) return Forward(person, leads, notes);
            return type is Forwardings.DirectTcpIp or Forwardings.DirectStreamLocal
                ? new SshChannelAnswer.Refuse(SshOpenFailure.AdministrativelyProhibited, "port forwarding is not allowed")
                : new SshChannelAnswer.Refuse(SshOpenFailure.UnknownChannelType, "only sessions and forwarded connections can be opened here");
        }

        var channel = new SessionChannel(services, time, person, _target, source, FirstWindow, notes, pickers, Track);
        return new SshChannelAnswer.Accept(channel, FirstWindow);
    }

    public override SshGlobalAnswer OnGlobalRequest(SshServerConnection connection, string name, ReadOnlySpan<byte> payload)
    {
        if (name is Forwardings.TcpIpForward or Forwardings.StreamLocalForward)
            _notes?.Tell("forwarding from the device back to you (-R) is not available through Countersign");
        return new SshGlobalAnswer.Refuse();
    }

    public override bool OnDisconnecting(SshServerConnection connection)
    {
        var gave = false;
        foreach (var channel in _running.Keys.OfType<SessionChannel>()) gave |= channel.GiveBackScreen();
        return gave;
    }

    /// <summary>Waits until every session of this connection has been written down.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _over = true;
            _policyChanges?.Dispose();
            _ending.Unregister();
            _person?.Dispose();
        }

        await _gone.CancelAsync();
        await Task.WhenAll(_running.Values);
        _place?.Dispose();
    }

    private SshChannelAnswer.Later Forward(SignedIn person, TunnelTarget leads, ConnectionNotes notes)
    {
        var channel = new TunnelChannel(services, time, person, _target, source, leads, notes);
        Track(channel, channel.RunAsync(_gone.Token));
        return new(channel.Answer);
    }

    private async ValueTask<SignInStep> TryAsync(SshTarget target, SshAuthAttempt attempt, CancellationToken cancellation)
    {
        switch (attempt)
        {
            case SshAuthAttempt.Key key:
                return await services.SignIn.WithKeyAsync(target.Login, key.Value, source, cancellation);
            case SshAuthAttempt.Certificate certificate:
                return await services.SignIn.WithCertificateAsync(target.Login, certificate.Value, source, cancellation);
            case SshAuthAttempt.Password password:
                return await services.SignIn.WithPasswordAsync(target.Login, password.Value, source, cancellation);
            case SshAuthAttempt.Interactive interactive when _proven is { } proven:
                return await AnswerAsync(interactive, "Code: ", code => services.SignIn.WithCodeAsync(proven, code, source, cancellation), cancellation);
            case SshAuthAttempt.Interactive interactive:
                var step = await AnswerAsync(
                    interactive, "Password: ", password => services.SignIn.WithPasswordAsync(target.Login, password, source, cancellation), cancellation);

                // Both in one attempt: clients that know keyboard-interactive alone never come back for a second one.
                return step is SignInStep.CodeWanted(var first)
                    ? await AnswerAsync(interactive, "Code: ", code => services.SignIn.WithCodeAsync(first, code, source, cancellation), cancellation)
                    : step;
            default:
                return new SignInStep.Refused();
        }
    }

    private static async ValueTask<SignInStep> AnswerAsync(
        SshAuthAttempt.Interactive interactive, string prompt, Func<Secret, ValueTask<SignInStep>> take, CancellationToken cancellation)
    {
        var answers = await interactive.PromptAsync("", "", [new(prompt, Echo: false)], cancellation);
        try
        {
            return answers.Count == 1 ? await take(answers[0]) : new SignInStep.Refused();
        }
        finally
        {
            foreach (var answer in answers) answer.Dispose();
        }
    }

    private static SshAuthResult Answer(bool accepted) => accepted ? SshAuthResult.Success : SshAuthResult.Failure;

    private SshAuthResult LetIn(SshTarget target, SignedIn person)
    {
        lock (_gate)
        {
            // The client has gone while this was looked at, and nobody else would say that the sign-in is over.
            if (_over)
            {
                person.Dispose();
                return SshAuthResult.Failure;
            }

            _person = person;
            _target = target;
            return SshAuthResult.Success;
        }
    }

    private SshAuthResult AskForCode(FirstFactor proven)
    {
        _proven = proven;
        return SshAuthResult.Partial;
    }

    private SshAuthResult Bar(string why)
    {
        _banner = why + "\r\n";
        return SshAuthResult.Failure;
    }

    private void Track(object channel, Task running)
    {
        _running[channel] = running;
        _ = running.ContinueWith(_ => _running.TryRemove(channel, out Task? _), TaskScheduler.Default);
    }

    private void LeaveIfDisabled(SshServerConnection connection, PolicySnapshot snapshot)
    {
        if (snapshot.Person(_person!.Person) is { TakesPart: true }) return;
        connection.Disconnect(TakenBack, "your account was disabled");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A certificate shown from {Address} was refused: {Verdict} (serial {Serial})")]
    private static partial void LogCertificate(ILogger log, IPAddress address, SshCertificateVerdict verdict, ulong serial);
}
