using System.Collections.Concurrent;
using System.Net;
using Countersign.Access;
using Countersign.Sessions.Relay;
using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor;

/// <summary>One connection of an SSH client: who signs in, and the channels that they open.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2213", Justification = "A token source without a timer holds nothing that needs disposing, and the token is used by whatever is still running.")]
internal sealed class FrontDoorConnection(SshFrontDoorServices services, TimeProvider time, IPAddress source, Arrivals.Arrival arrival)
    : SshServerHandler, IAsyncDisposable
{
    /// <summary>What a client may send on a channel before a device is there to take it: typing ahead, not transfers.</summary>
    private const uint FirstWindow = 64 * 1024;

    private readonly ConcurrentDictionary<object, Task> _running = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _gone = new();
    private IDisposable? _policyChanges;
    private bool _over;
    private SignedIn? _person;
    private SshTarget _target;

    public override IReadOnlyList<string> AuthenticationMethods { get; } = ["publickey", "password", "keyboard-interactive"];

    public override async ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation)
    {
        var target = SshTarget.Parse(attempt.User);
        SignedIn? person = null;
        switch (attempt)
        {
            case SshAuthAttempt.KeyQuery query:
                return await services.SignIn.WouldAcceptKeyAsync(target.Login, query.Offered, source, cancellation) ? SshAuthResult.Success : SshAuthResult.Failure;
            case SshAuthAttempt.Key key:
                person = await services.SignIn.WithKeyAsync(target.Login, key.Value, source, cancellation);
                break;
            case SshAuthAttempt.Password password:
                person = await services.SignIn.WithPasswordAsync(target.Login, password.Value, source, cancellation);
                break;
            case SshAuthAttempt.Interactive interactive:
                var answers = await interactive.PromptAsync("", "", [new("Password: ", Echo: false)], cancellation);
                if (answers.Count == 1) person = await services.SignIn.WithPasswordAsync(target.Login, answers[0], source, cancellation);
                foreach (var answer in answers) answer.Dispose();
                break;
        }

        if (person is null) return SshAuthResult.Failure;
        _person = person;
        _target = target;
        return SshAuthResult.Success;
    }

    public override void OnAuthenticated(SshServerConnection connection, string user)
    {
        arrival.Dispose();
        var person = _person!;
        lock (_gate)
        {
            // The connection may have ended just when its client was let in: then nobody would stop listening.
            if (_over) return;
            _policyChanges = services.Policy.OnChange(snapshot =>
            {
                if (snapshot.Organization == person.Organization) LeaveIfDisabled(connection, snapshot);
            });
        }

        // A change between the sign-in and the subscription has told nobody.
        if (services.Policy.Current(person.Organization) is { } now) LeaveIfDisabled(connection, now);
    }

    public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
    {
        if (_person is not { } person) return new SshChannelAnswer.Refuse(1, "sign in first");
        if (type != "session")
        {
            if (TunnelTarget.TryParse(type, extra, out var leads)) return Forward(person, leads);
            return type is "direct-tcpip" or "direct-streamlocal@openssh.com"
                ? new SshChannelAnswer.Refuse(1, "port forwarding is not allowed")
                : new SshChannelAnswer.Refuse(3, "only sessions and forwarded connections can be opened here");
        }

        var channel = new SessionChannel(services, time, person, _target, source, FirstWindow, Track);
        return new SshChannelAnswer.Accept(channel, FirstWindow);
    }

    /// <summary>Waits until every session of this connection has been written down.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _over = true;
            _policyChanges?.Dispose();
        }

        await _gone.CancelAsync();
        await Task.WhenAll(_running.Values);
    }

    private SshChannelAnswer.Later Forward(SignedIn person, TunnelTarget leads)
    {
        var channel = new TunnelChannel(services, person, _target, source, leads);
        Track(channel, channel.RunAsync(_gone.Token));
        return new(channel.Answer);
    }

    private void Track(object channel, Task running)
    {
        _running[channel] = running;
        _ = running.ContinueWith(_ => _running.TryRemove(channel, out Task? _), TaskScheduler.Default);
    }

    private void LeaveIfDisabled(SshServerConnection connection, PolicySnapshot snapshot)
    {
        if (snapshot.Person(_person!.Person) is { TakesPart: true }) return;
        connection.Disconnect(2, "your account was disabled");
    }
}
