using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using System.Threading.Channels;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Authentication;

/// <summary>
/// The server's side of RFC 4252 and RFC 4256. The receive loop hands its messages over and goes on, so that it notices a client that leaves; they
/// are handled one after the other, since an attempt may take its time.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no handle: nothing to dispose once it is cancelled.")]
internal sealed class ServerAuthentication(SshServerConnection connection, SshServerOptions options, SshServerHandler handler) : ISshPrompter
{
    private const int MaxUserBytes = 256;
    private const int MaxPasswordBytes = 4096;

    /// <summary>A client may offer every key of its agent without one counting as failed: up to here.</summary>
    private const int MaxRequests = 128;

    private const int MaxWaiting = 8;

    /// <summary>Of one message, in bytes: the largest certificate, a signature, a name, with room to spare.</summary>
    private const int MaxMessageBytes = SshCertificate.MaxBlob + (4 * 1024);

    /// <summary>Of all that wait, in bytes. A client that waits for its answers, as all known ones do, has one.</summary>
    private const int MaxWaitingBytes = 2 * MaxMessageBytes;

    private const string ConnectionService = "ssh-connection";

    private readonly Channel<Secret> _incoming = Channel.CreateBounded<Secret>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource _over = new();
    private readonly List<Secret> _answers = [];
    private Secret? _next;
    private int _waitingBytes;
    private volatile bool _finished;
    private bool _aborted;
    private string? _bannerSent;
    private bool _started;
    private int _requests;
    private int _failures;
    private string? _partialUser;

    /// <summary>One message before success. Called by the receive loop.</summary>
    public void OnMessage(ReadOnlySpan<byte> payload)
    {
        switch (payload[0])
        {
            case SshMessage.ServiceRequest:
                OnServiceRequest(payload[1..]);
                break;
            case SshMessage.UserAuthRequest or SshMessage.UserAuthInfoResponse when _started:
                Take(payload);
                break;
            case >= SshMessage.ChannelOpen:
                throw Violation("authenticate first");
            default:
                throw Violation($"message {payload[0]} is not expected here");
        }
    }

    /// <summary>It may be a password: what is not taken is not copied.</summary>
    private void Take(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > MaxMessageBytes) throw Violation($"an authentication request has at most {MaxMessageBytes} bytes");
        var message = new Secret(payload);
        if (Interlocked.Add(ref _waitingBytes, payload.Length) <= MaxWaitingBytes && _incoming.Writer.TryWrite(message)) return;
        message.Dispose();

        // Behind a success whatever the client had sent before it knew is nobody's (RFC 4252 section 5.1).
        if (!_finished) throw Violation("too many authentication requests without waiting for answers");
    }

    /// <summary>The connection is over.</summary>
    public void End()
    {
        _incoming.Writer.TryComplete();
        _ = _over.CancelAsync();
    }

    public async ValueTask<IReadOnlyList<Secret>> PromptAsync(string name, string instruction, IReadOnlyList<SshPrompt> prompts, CancellationToken cancellation)
    {
        if (_aborted) throw new OperationCanceledException("the client tries something else");
        var request = new SshWriter().Byte(SshMessage.UserAuthMethod).String(name).String(instruction).String("").UInt32((uint)prompts.Count);
        foreach (var prompt in prompts) request.String(prompt.Text).Boolean(prompt.Echo);
        connection.Transport.Send(PacketUse.Control, request);

        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _over.Token);
        var message = await ReadAsync(both.Token);
        if (message.Expose()[0] != SshMessage.UserAuthInfoResponse)
        {
            // RFC 4252 section 5.1: a new request ends the one under way, which gets no answer.
            _next = message;
            _aborted = true;
            throw new OperationCanceledException("the client tries something else");
        }

        using (message)
        {
            return ReadAnswers(message.Expose()[1..], prompts.Count);
        }
    }

    private static SshConnectionException Violation(string what) => new(SshDisconnectReason.ProtocolError, what);

    private void OnServiceRequest(ReadOnlySpan<byte> rest)
    {
        var reader = new SshReader(rest);
        if (!reader.TryReadString(out var service, 64) || !service.SequenceEqual("ssh-userauth"u8))
        {
            throw new SshConnectionException(SshDisconnectReason.ServiceNotAvailable, "the only service before authentication is ssh-userauth");
        }

        connection.Transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.ServiceAccept).String(service));
        if (_started) return;
        _started = true;
        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                using var message = _next ?? await ReadAsync(_over.Token);
                _next = null;
                if (message.Expose()[0] != SshMessage.UserAuthRequest) throw Violation("an answer to no question");
                if (await HandleAsync(message)) return;
            }
        }
        catch (OperationCanceledException)
        {
            // The connection is over.
        }
        catch (SshConnectionException error)
        {
            connection.Transport.End(error, Farewell.Say);
        }
        catch (Exception error)
        {
            // From the handler, which is foreign code: nobody is let in, and nothing else is harmed.
            connection.Transport.OnHandlerFault(error);
        }
        finally
        {
            Forget();
            _next?.Dispose();
            _finished = true;
            _incoming.Writer.TryComplete();
            while (_incoming.Reader.TryRead(out var rest)) rest.Dispose();
        }
    }

    private async ValueTask<Secret> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            var message = await _incoming.Reader.ReadAsync(cancellation);
            Interlocked.Add(ref _waitingBytes, -message.Length);
            return message;
        }
        catch (ChannelClosedException)
        {
            throw new OperationCanceledException("the connection is over");
        }
    }

    /// <summary>True: the client is in.</summary>
    private async ValueTask<bool> HandleAsync(Secret message)
    {
        var request = Parse(message);
        SendBanner();
        if (++_requests > MaxRequests) throw new SshConnectionException(SshDisconnectReason.NoMoreAuthMethods, "too many authentication requests");
        if (_partialUser is not null && _partialUser != request.User) throw Violation("the user name may not change between two factors");

        var verdict = request.Service == ConnectionService ? await TryAsync(request, message) : Verdict.Failure;
        Forget();
        if (verdict != Verdict.Success) SendBanner();
        switch (verdict)
        {
            case Verdict.Success:
                connection.Admit(request.User);
                return true;
            case Verdict.Partial:
                _partialUser = request.User;
                SendFailure(partial: true);
                break;
            case Verdict.Answered:
                break;
            default:
                SendFailure(partial: false);
                if (verdict == Verdict.Failure && ++_failures >= options.MaxAttempts) throw new SshConnectionException(SshDisconnectReason.NoMoreAuthMethods, "too many failed attempts to authenticate");
                break;
        }

        return false;
    }

    private Request Parse(Secret message)
    {
        var reader = new SshReader(message.Expose()[1..]);
        if (!reader.TryReadString(out var user) || !reader.TryReadText(out var service, 64) || !reader.TryReadText(out var method, 64))
        {
            throw Violation("malformed SSH_MSG_USERAUTH_REQUEST");
        }

        if (user.Length <= MaxUserBytes && Utf8.IsValid(user)) return new Request(Encoding.UTF8.GetString(user), service, method, message.Length - reader.Rest.Length);
        SendFailure(partial: false);
        throw Violation(user.Length > MaxUserBytes ? $"the user name is longer than {MaxUserBytes} bytes" : "the user name is not UTF-8");
    }

    private ValueTask<Verdict> TryAsync(Request request, Secret message)
    {
        if (request.Method == "none") return AskAsync(new SshAuthAttempt.None(request.User), Verdict.Free);
        if (!handler.AuthenticationMethods.Contains(request.Method)) return new(Verdict.Failure);
        return request.Method switch
        {
            "password" => PasswordAsync(request, message),
            "publickey" => KeyAsync(request, message),
            "keyboard-interactive" => InteractiveAsync(request),
            _ => new(Verdict.Failure),
        };
    }

    private async ValueTask<Verdict> PasswordAsync(Request request, Secret message)
    {
        using var password = ReadPassword(message.Expose()[request.RestAt..]);
        return password is null ? Verdict.Failure : await AskAsync(new SshAuthAttempt.Password(request.User, password), Verdict.Failure);
    }

    /// <summary>Null for a change of password, which is not offered, and for one too long to be true.</summary>
    private static Secret? ReadPassword(ReadOnlySpan<byte> rest)
    {
        var reader = new SshReader(rest);
        return reader.TryReadBoolean(out var change) && !change && reader.TryReadString(out var password, MaxPasswordBytes) && reader.IsAtEnd ? new Secret(password) : null;
    }

    private async ValueTask<Verdict> KeyAsync(Request request, Secret message)
    {
        Offer offer;
        using (await handler.TurnAsync(_over.Token)) offer = ReadOffer(request, message);
        if (offer.Shown is not { } shown) return offer.Refusal;
        if (!offer.IsSigned) return await QueryAsync(request, offer.Algorithm, shown);
        return await AskAsync(shown.Certificate is { } certificate ? new SshAuthAttempt.Certificate(request.User, certificate) : new SshAuthAttempt.Key(request.User, shown.Key), Verdict.Failure);
    }

    /// <summary>What there is to compute: the signatures of a certificate and over the session are verified.</summary>
    private Offer ReadOffer(Request request, Secret message)
    {
        var reader = new SshReader(message.Expose()[request.RestAt..]);
        if (!reader.TryReadBoolean(out var signed) || !reader.TryReadText(out var algorithm, 64) || !reader.TryReadString(out var blob)) throw Violation("malformed SSH_MSG_USERAUTH_REQUEST");
        if (!ShownKey.TryRead(algorithm, blob, out var shown) || !IsGood(request, shown))
        {
            // A key of a kind that is not used is as if it had not been offered; a signature by it is an attempt.
            return new(signed ? Verdict.Failure : Verdict.Free);
        }

        if (!signed) return new(Verdict.Free, algorithm, shown);

        // RFC 4252 section 7: what is signed is the session identifier and the request up to the signature.
        var covered = message.Length - reader.Rest.Length;
        if (!reader.TryReadString(out var signature) || !reader.IsAtEnd) throw Violation("malformed SSH_MSG_USERAUTH_REQUEST");
        var data = new SshWriter().String(connection.Transport.Session).Raw(message.Expose()[..covered]);
        return shown.Verify(algorithm, data.Written.Span, signature) ? new(Verdict.Failure, algorithm, shown, IsSigned: true) : new(Verdict.Failure);
    }

    /// <summary>A key is, and a certificate if it is for this user, time and address: whoever is trusted to have signed it.</summary>
    private bool IsGood(Request request, ShownKey shown)
    {
        if (shown.Certificate is not { } certificate) return true;
        var verdict = certificate.Judge(SshCertificateKind.User, handler.PrincipalOf(request.User), (options.CertificateTime ?? options.Time).GetUtcNow(), handler.PeerAddress);
        if (verdict == SshCertificateVerdict.Good) return true;
        handler.OnCertificateRefused(request.User, certificate, verdict);
        return false;
    }

    private async ValueTask<Verdict> QueryAsync(Request request, string algorithm, ShownKey shown)
    {
        SshAuthAttempt query = shown.Certificate is { } certificate ? new SshAuthAttempt.CertificateQuery(request.User, certificate) : new SshAuthAttempt.KeyQuery(request.User, shown.Key);
        if (await handler.AuthenticateAsync(query, _over.Token) != SshAuthResult.Success) return Verdict.Free;
        connection.Transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.UserAuthMethod).String(algorithm).String(shown.Blob.Span));
        return Verdict.Answered;
    }

    private async ValueTask<Verdict> InteractiveAsync(Request request)
    {
        _aborted = false;
        try
        {
            var verdict = await AskAsync(new SshAuthAttempt.Interactive(request.User, this), Verdict.Failure);
            if (!_aborted) return verdict;
        }
        catch (OperationCanceledException) when (_aborted)
        {
            // Given up for another attempt, which is handled next.
        }

        if (++_failures >= options.MaxAttempts) throw new SshConnectionException(SshDisconnectReason.NoMoreAuthMethods, "too many failed attempts to authenticate");
        return Verdict.Answered;
    }

    private async ValueTask<Verdict> AskAsync(SshAuthAttempt attempt, Verdict refusal) =>
        await handler.AuthenticateAsync(attempt, _over.Token) switch
        {
            SshAuthResult.Success => Verdict.Success,
            SshAuthResult.Partial => Verdict.Partial,
            _ => refusal,
        };

    private List<Secret> ReadAnswers(ReadOnlySpan<byte> rest, int wanted)
    {
        var reader = new SshReader(rest);
        if (!reader.TryReadUInt32(out var count) || count != wanted) throw Violation("as many answers as prompts are expected");
        var answers = new List<Secret>(wanted);
        for (var i = 0; i < wanted; i++)
        {
            if (!reader.TryReadString(out var answer, MaxPasswordBytes)) throw Violation("malformed SSH_MSG_USERAUTH_INFO_RESPONSE");
            answers.Add(new Secret(answer));
            _answers.Add(answers[^1]);
        }

        return answers;
    }

    private void Forget()
    {
        foreach (var answer in _answers) answer.Dispose();
        _answers.Clear();
    }

    private void SendBanner()
    {
        if (handler.Banner is not { Length: > 0 } banner || banner == _bannerSent) return;
        _bannerSent = banner;
        connection.Transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.UserAuthBanner).String(banner).String(""));
    }

    private void SendFailure(bool partial) =>
        connection.Transport.Send(PacketUse.Control, new SshWriter().Byte(SshMessage.UserAuthFailure).String(string.Join(',', handler.AuthenticationMethods)).Boolean(partial));

    private enum Verdict
    {
        Failure = 0,
        Success,
        Partial,

        /// <summary>Refused, and not counted.</summary>
        Free,

        /// <summary>The client has, or needs, no answer but what was sent.</summary>
        Answered,
    }

    /// <param name="Refusal">The answer, if nothing good is shown.</param>
    /// <param name="IsSigned">The client has proven that it has the key.</param>
    private readonly record struct Offer(Verdict Refusal, string Algorithm = "", ShownKey? Shown = null, bool IsSigned = false);

    /// <param name="RestAt">Where in the message the method's own fields begin.</param>
    private readonly record struct Request(string User, string Service, string Method, int RestAt);
}
