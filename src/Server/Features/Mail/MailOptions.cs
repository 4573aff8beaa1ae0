using Countersign.Access;
using Countersign.Server.Platform;
using MimeKit;

namespace Countersign.Server.Features.Mail;

/// <summary>How the connection to the mail server is kept private. There is no "if it can": whoever stands in between would say that it can't.</summary>
public enum MailSecurity
{
    /// <summary>STARTTLS (RFC 3207), and nothing without it.</summary>
    StartTls = 1,

    /// <summary>TLS from the first byte (RFC 8314).</summary>
    Tls = 2,

    /// <summary>In the clear, to this very machine only, and without a password.</summary>
    None = 3,
}

/// <summary>The mail server that takes what this server sends.</summary>
public sealed record MailOptions
{
    public required string Host { get; init; }

    public int Port { get; init; } = 587;

    public MailSecurity Security { get; init; } = MailSecurity.StartTls;

    /// <summary>Null: the mail server asks for none.</summary>
    public string? User { get; init; }

    /// <summary>Holds the password on its first line; for the server's own user only.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Whom mails come from: an address, or <c>Name &lt;address&gt;</c>.</summary>
    public required string From { get; init; }

    /// <summary>Certificates (PEM) of the authorities that the mail server's own is held to; null: those that this machine trusts.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>For each step of the conversation with the mail server.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Null when mail can be sent so, else one sentence.</summary>
    public string? Problem()
    {
        if (Uri.CheckHostName(Host) == UriHostNameType.Unknown) return $"{Host} is no host that mail could be given to.";
        if (Port is < 1 or > 65535) return "The port of a mail server is a number from 1 to 65535.";
        if (!Enum.IsDefined(Security)) return "There is no such security.";
        if (Security == MailSecurity.None && !HostPort.IsThisMachine(Host)) return "Mail goes in the clear to this machine only, 127.0.0.1, ::1 or localhost.";
        if (User is null != PasswordFile is null) return "A user at the mail server and the file with their password are given together.";
        if (Security == MailSecurity.None && User is not null) return "A password is never sent in the clear.";
        return Sender() is { } sender && Names.IsMail(sender.Address) ? null : $"{From} is no address that mail could come from.";
    }

    /// <summary>Null: it is none.</summary>
    internal MailboxAddress? Sender() => MailboxAddress.TryParse(From, out var sender) ? sender : null;
}
