using System.Net;

namespace Countersign.Ssh;

/// <summary>One way of authenticating, tried by the client (RFC 4252). The user name is as sent: untrusted, at most 256 bytes of UTF-8.</summary>
public abstract record SshAuthAttempt(string User)
{
    public sealed record None(string User) : SshAuthAttempt(User);

    /// <param name="Value">Zeroed by the library after the call.</param>
    public sealed record Password(string User, Secret Value) : SshAuthAttempt(User);

    /// <summary>The client asks whether this key would do; no signature yet. Success here only invites the signature.</summary>
    public sealed record KeyQuery(string User, SshPublicKey Offered) : SshAuthAttempt(User);

    /// <summary>The signature over the session has been verified.</summary>
    public sealed record Key(string User, SshPublicKey Value) : SshAuthAttempt(User);

    /// <summary>
    /// As <see cref="KeyQuery"/>, with a certificate that is good for this user, time and address but for one question, which is the handler's: whether
    /// its authority is trusted.
    /// </summary>
    public sealed record CertificateQuery(string User, SshCertificate Offered) : SshAuthAttempt(User);

    /// <summary>As <see cref="CertificateQuery"/>; the signature over the session, by the certified key, has been verified. Whether the authority is trusted is the handler's to say.</summary>
    public sealed record Certificate(string User, SshCertificate Value) : SshAuthAttempt(User);

    /// <summary>RFC 4256; <see cref="PromptAsync"/> may be called several times.</summary>
    public sealed record Interactive(string User, ISshPrompter Prompter) : SshAuthAttempt(User)
    {
        public ValueTask<IReadOnlyList<Secret>> PromptAsync(string name, string instruction, IReadOnlyList<SshPrompt> prompts, CancellationToken cancellation) =>
            Prompter.PromptAsync(name, instruction, prompts, cancellation);
    }
}

public readonly record struct SshPrompt(string Text, bool Echo);

/// <summary>The client at the other end of the wire, asked for answers.</summary>
public interface ISshPrompter
{
    /// <summary>As many answers as prompts; zeroed by the library when the attempt is over.</summary>
    /// <exception cref="OperationCanceledException">The client has given this attempt up for another, or has gone: let it pass.</exception>
    ValueTask<IReadOnlyList<Secret>> PromptAsync(string name, string instruction, IReadOnlyList<SshPrompt> prompts, CancellationToken cancellation);
}

public enum SshAuthResult
{
    Failure = 0,
    Success = 1,

    /// <summary>This factor was right and another one is needed. From here on the user name can't change any more: a client that tries is disconnected.</summary>
    Partial = 2,
}

/// <summary>The application's side of one server connection. One instance per connection.</summary>
public abstract class SshServerHandler
{
    /// <summary>The methods named to the client after a failure: password, publickey, keyboard-interactive. Others are refused unasked; read anew each time.</summary>
    public abstract IReadOnlyList<string> AuthenticationMethods { get; }

    /// <summary>Shown to a client that is not in yet, or null. Read anew before and after each attempt: what has changed is shown (RFC 4252 section 5.4).</summary>
    public virtual string? Banner => null;

    /// <summary>Where the client connects from, for certificates that are bound to an address; null: not known, and those are refused.</summary>
    public virtual IPAddress? PeerAddress => null;

    /// <summary>The name that a certificate has to have among its principals for this user name.</summary>
    public virtual string PrincipalOf(string user) => user;

    /// <summary>What the client is told when the connection is cancelled. Without control characters.</summary>
    public virtual string WhyStopped => "the server is shutting down";

    /// <summary>
    /// Before anything costly is computed for a client that has not signed in, a key exchange or the check of a signature: completes when it is this
    /// client's turn. What it gives is disposed when that is done. By default it is everybody's turn at once.
    /// </summary>
    public virtual ValueTask<IDisposable?> TurnAsync(CancellationToken cancellation) => new((IDisposable?)null);

    /// <summary>A certificate was refused without being asked about, for the log: the client is told nothing but that.</summary>
    public virtual void OnCertificateRefused(string user, SshCertificate certificate, SshCertificateVerdict verdict)
    {
    }

    /// <summary>Decides on one attempt. Called one at a time; may take as long as it needs within the login time-out.</summary>
    public abstract ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation);

    /// <summary>Authentication is complete; the connection can be used. No channel is opened before this returns.</summary>
    public virtual void OnAuthenticated(SshServerConnection connection, string user)
    {
    }

    /// <summary>
    /// This end is about to disconnect, from whichever thread: the last moment to send something on the connection's channels. Only after authentication;
    /// not when the connection breaks or the client leaves.
    /// </summary>
    /// <returns>Whether something was sent that the client should get to show first.</returns>
    public virtual bool OnDisconnecting(SshServerConnection connection) => false;

    /// <summary>
    /// The client opens a channel, on the receive loop: accept or refuse at once, or say when. <see cref="Forwardings"/> has the types besides <c>session</c>.
    /// </summary>
    public abstract SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra);

    /// <summary>
    /// The client asks for something of the connection as a whole, like <see cref="Forwardings.TcpIpForward"/>, on the receive loop: grant or refuse at
    /// once. Refused by default. Requests about host keys and <c>no-more-sessions@openssh.com</c> are the library's and don't come here.
    /// </summary>
    /// <param name="name">At most 256 ASCII characters.</param>
    public virtual SshGlobalAnswer OnGlobalRequest(SshServerConnection connection, string name, ReadOnlySpan<byte> payload) => new SshGlobalAnswer.Refuse();
}

/// <summary>The answer to a global request (RFC 4254 section 4).</summary>
public abstract record SshGlobalAnswer
{
    private SshGlobalAnswer()
    {
    }

    public sealed record Refuse : SshGlobalAnswer;

    /// <param name="Payload">What the request's answer has besides, as on the wire.</param>
    public sealed record Grant(ReadOnlyMemory<byte> Payload) : SshGlobalAnswer;
}

/// <summary>Whether a channel is opened.</summary>
public abstract record SshChannelAnswer
{
    private SshChannelAnswer()
    {
    }

    /// <param name="Window">What the peer may send before more is granted.</param>
    public sealed record Accept(SshChannelHandler Handler, uint Window) : SshChannelAnswer;

    /// <summary>Accept or refuse, as soon as it is known; until then the opening counts as a channel. A fault ends the connection.</summary>
    public sealed record Later(Task<SshChannelAnswer> Answer) : SshChannelAnswer;

    /// <param name="Reason">RFC 4254 section 5.1: 1 administratively prohibited, 3 unknown channel type, 4 resource shortage.</param>
    public sealed record Refuse(uint Reason, string Description) : SshChannelAnswer;
}
