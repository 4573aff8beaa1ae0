using Countersign.Server.Platform;

namespace Countersign.Server.Features.Audit;

/// <summary>Where every record of every organization's log is posted once it is sealed.</summary>
public sealed record AuditWebhookOptions
{
    /// <summary><c>https</c>; <c>http</c> to this very machine only.</summary>
    public required Uri Url { get; init; }

    /// <summary>Holds on its first line what deliveries are signed with, 32 characters or more; for the server's own user only.</summary>
    public required string? SecretFile { get; init; }

    /// <summary>Certificates (PEM) of the authorities that the receiver's own is held to; null: those that this machine trusts.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>For the receiver to answer a delivery.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Null when records can be sent so, else one sentence.</summary>
    public string? Problem()
    {
        if (!Url.IsAbsoluteUri || Url.Scheme is not ("https" or "http") || Url.UserInfo.Length > 0 || Url.Fragment.Length > 0) return "It is an address such as https://siem.example.org/countersign.";
        if (Url.Scheme == "http" && !HostPort.IsThisMachine(Url.Host)) return "Records go in the clear to this machine only, 127.0.0.1, ::1 or localhost.";
        return SecretFile is null ? "It needs the file with what deliveries are signed with (--audit-webhook-secret-file)." : null;
    }
}

/// <summary>How the connection to a syslog server is kept private.</summary>
public enum SyslogSecurity
{
    /// <summary>TLS from the first byte (RFC 5425).</summary>
    Tls = 1,

    /// <summary>In the clear, to this very machine only.</summary>
    None = 2,
}

/// <summary>The syslog server that gets every record of every organization's log once it is sealed.</summary>
public sealed record AuditSyslogOptions
{
    public required string Host { get; init; }

    public int Port { get; init; } = 6514;

    public SyslogSecurity Security { get; init; } = SyslogSecurity.Tls;

    /// <summary>Certificates (PEM) of the authorities that the server's own is held to; null: those that this machine trusts.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>For connecting, and for the server to take what it is sent.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Null when records can be sent so, else one sentence.</summary>
    public string? Problem()
    {
        if (Uri.CheckHostName(Host) == UriHostNameType.Unknown) return $"{Host} is no host that records could be sent to.";
        if (!Enum.IsDefined(Security)) return "There is no such security.";
        if (Port is < 1 or > 65535) return "The port of a syslog server is a number from 1 to 65535.";
        return Security == SyslogSecurity.None && !HostPort.IsThisMachine(Host) ? "Records go in the clear to this machine only, 127.0.0.1, ::1 or localhost." : null;
    }
}
