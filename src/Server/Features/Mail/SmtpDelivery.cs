using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Ssh;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Countersign.Server.Features.Mail;

internal abstract record Delivery
{
    private Delivery()
    {
    }

    /// <summary>The mail server answers for it from here on.</summary>
    public sealed record Taken : Delivery;

    /// <param name="IsFinal">Trying again would change nothing.</param>
    public sealed record Refused(string Problem, bool IsFinal) : Delivery;
}

/// <summary>Gives messages to the mail server, several over one connection.</summary>
internal sealed partial class SmtpDelivery : IDisposable
{
    private const int LargestPasswordFile = 4096;

    private readonly MailOptions _options;
    private readonly Secret? _password;
    private readonly TrustedAuthorities? _authorities;

    /// <exception cref="KeyFileException">The password's file is not there, or others can read it.</exception>
    public SmtpDelivery(MailOptions options)
    {
        if (options.Problem() is { } problem) throw new KeyFileException(problem);
        _options = options;
        From = options.Sender()!;
        if (options.PasswordFile is { } file) _password = PrivateFile.Read(file, LargestPasswordFile) ?? throw new KeyFileException($"{file}, the file with the mail server's password, is not there.");
        if (options.AuthorityFile is { } authorities) _authorities = new(authorities);
    }

    public MailboxAddress From { get; }

    public Round Begin() => new(this);

    public void Dispose() => _password?.Dispose();

    private SmtpClient Client() => new()
    {
        Timeout = (int)_options.Patience.TotalMilliseconds,
        // Whether the authority's list of revoked certificates can be fetched from here must not decide whether mail goes out.
        CheckCertificateRevocation = false,
        ServerCertificateValidationCallback = _authorities is null ? null : _authorities.Accepts,
    };

    /// <summary>Null: it was done. Whatever goes wrong is an answer.</summary>
    private static async Task<Delivery.Refused?> RefusalOfAsync(Func<Task> step, CancellationToken cancellation)
    {
        try
        {
            await step();
            return null;
        }
        catch (SmtpCommandException refusal)
        {
            // RFC 5321 section 4.2.1: 5yz is for good. What is said of the sender is about our settings, which somebody may put right.
            var isOfThisMail = refusal.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted;
            return Refused($"{(int)refusal.StatusCode} {refusal.Message}", isOfThisMail && (int)refusal.StatusCode >= 500);
        }
        catch (SslHandshakeException)
        {
            return Refused("The mail server's certificate is not trusted, or it does not speak TLS as it should.", isFinal: false);
        }
        catch (NotSupportedException)
        {
            return Refused("The mail server offers no STARTTLS, or no way to sign in that is known here.", isFinal: false);
        }
        catch (AuthenticationException)
        {
            return Refused("The mail server does not accept user and password.", isFinal: false);
        }
        catch (Exception failure) when (IsOfTheNetwork(failure, cancellation))
        {
            return Refused(failure.Message, isFinal: false);
        }
    }

    private async Task ConnectAsync(SmtpClient client, CancellationToken cancellation)
    {
        var security = _options.Security switch
        {
            MailSecurity.StartTls => SecureSocketOptions.StartTls,
            MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
            _ => SecureSocketOptions.None,
        };
        await client.ConnectAsync(_options.Host, _options.Port, security, cancellation);
        if (_options.User is not { } user || _password is not { } password) return;
        var line = password.ExposeText().Split('\n')[0].TrimEnd('\r');
        await client.AuthenticateAsync(Encoding.UTF8, user, line, cancellation);
    }

    private static bool IsOfTheNetwork(Exception failure, CancellationToken cancellation) =>
        failure is IOException or SocketException or TimeoutException or ProtocolException or CommandException or ServiceNotConnectedException or ServiceNotAuthenticatedException
        || (failure is OperationCanceledException && !cancellation.IsCancellationRequested);

    /// <summary>The mail server's words may be anything: one clean line of bounded length.</summary>
    internal static Delivery.Refused Refused(string problem, bool isFinal)
    {
        // Filters like to say which address they dislike: what makes a link good stands behind the hash.
        var line = string.Concat(Fragment().Replace(problem, "#[removed]").Select(character => char.IsControl(character) ? ' ' : character)).Trim();
        return new(line.Length <= OutgoingMailMapping.LongestProblem ? line : line[..OutgoingMailMapping.LongestProblem], isFinal);
    }

    /// <summary>
    /// Messages that go out together, one after the other, over one connection: it is made when the first message wants it, and again where it broke. Where
    /// it can't be made, that answers for all that come after: a mail server that swallows what it is sent costs one patience and not one for each.
    /// </summary>
    public sealed class Round(SmtpDelivery delivery) : IDisposable
    {
        private readonly SmtpClient _client = delivery.Client();
        private Delivery.Refused? _outOfReach;

        /// <summary>Whatever goes wrong is an answer.</summary>
        public async Task<Delivery> SendAsync(MimeMessage message, CancellationToken cancellation)
        {
            if (_outOfReach is null && !_client.IsConnected) _outOfReach = await RefusalOfAsync(() => delivery.ConnectAsync(_client, cancellation), cancellation);
            if (_outOfReach is not null) return _outOfReach;
            return await RefusalOfAsync(() => _client.SendAsync(message, cancellation), cancellation) is { } refused ? refused : new Delivery.Taken();
        }

        public async Task EndAsync(CancellationToken cancellation)
        {
            try
            {
                if (_client.IsConnected) await _client.DisconnectAsync(quit: true, cancellation);
            }
            catch (Exception failure) when (IsOfTheNetwork(failure, cancellation))
            {
                // Taken is taken: whether the mail server hears the farewell changes nothing.
            }
        }

        public void Dispose() => _client.Dispose();
    }

    [GeneratedRegex("(#|%23)[A-Za-z0-9_-]{16,}")]
    private static partial Regex Fragment();
}
