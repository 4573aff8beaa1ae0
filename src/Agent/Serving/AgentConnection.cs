using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>One SSH connection to the agent: who may log on, and which channels there are.</summary>
internal sealed class AgentConnection(AgentContext context, AuthorizedKeys keys) : SshServerHandler
{
    private readonly List<SessionChannel> _sessions = [];

    public override IReadOnlyList<string> AuthenticationMethods { get; } = ["publickey"];

    /// <summary>Waits until nothing of this connection's sessions is left; for after the connection's end.</summary>
    public Task EndedAsync() => Task.WhenAll(_sessions.Select(session => session.Ended));

    // The agent does not change accounts: it can only be the one that it runs as.
    public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation)
    {
        var offered = attempt switch
        {
            SshAuthAttempt.KeyQuery query => query.Offered,
            SshAuthAttempt.Key key => key.Value,
            _ => null,
        };
        var allowed = offered is not null && attempt.User == context.Account.Name && keys.Allows(offered);
        return ValueTask.FromResult(allowed ? SshAuthResult.Success : SshAuthResult.Failure);
    }

    public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra)
    {
        switch (type)
        {
            case "session":
                // On the receive loop, one at a time; what has ended is forgotten here, so that a long connection does not gather it.
                _sessions.RemoveAll(session => session.HasEnded);
                var opened = new SessionChannel(context);
                _sessions.Add(opened);
                return new SshChannelAnswer.Accept(opened, ChannelInput.Window);
            case "direct-tcpip" or "direct-streamlocal@openssh.com":
                return new SshChannelAnswer.Refuse(SshOpenFailure.AdministrativelyProhibited, "The agent does not forward.");
            default:
                return new SshChannelAnswer.Refuse(SshOpenFailure.UnknownChannelType, "The agent has sessions only.");
        }
    }
}
