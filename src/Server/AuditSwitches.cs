using System.CommandLine;
using System.CommandLine.Parsing;
using Countersign.Server.Features.Audit;
using Countersign.Server.Platform;

namespace Countersign.Server;

/// <summary>The program's options about where the audit log is carried on to.</summary>
internal sealed class AuditSwitches
{
    private static readonly Dictionary<string, (SyslogSecurity Security, int Port)> _securities = new(StringComparer.Ordinal)
    {
        ["tls"] = (SyslogSecurity.Tls, 6514),
        ["none"] = (SyslogSecurity.None, 601),
    };

    private readonly Option<Uri?> _url = new("--audit-webhook") { Description = "Every record of the audit log is posted there, signed, until it is taken. https; http to this machine only.", HelpName = "URL" };
    private readonly Option<FileInfo?> _secret = new("--audit-webhook-secret-file")
    {
        Description = "What the posts are signed with: the first line, 32 characters or more, of a file that is the server's own user's only.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _syslog = new("--audit-syslog") { Description = "The syslog server that gets every record of the audit log (RFC 5424).", HelpName = "HOST[:PORT]" };
    private readonly Option<string> _security = new("--audit-syslog-security")
    {
        Description = "tls (port 6514), or none (601), which is for this machine only.",
        HelpName = "HOW",
        DefaultValueFactory = _ => "tls",
    };

    private readonly Option<FileInfo?> _authority = new("--audit-authority")
    {
        Description = "Certificates (PEM) that webhook and syslog server are held to, in place of those that this machine trusts.",
        HelpName = "FILE",
    };

    public AuditSwitches()
    {
        _url.Validators.Add(result => Tell(result, "--audit-webhook", Webhook(result.GetValueOrDefault<Uri?>(), result.GetValue(_secret), result.GetValue(_authority))?.Problem()));
        _syslog.Validators.Add(result =>
            Tell(result, "--audit-syslog", Syslog(result.GetValueOrDefault<string?>(), result.GetValue(_security) ?? "", result.GetValue(_authority))?.Problem()));
    }

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_url, _secret, _syslog, _security, _authority]) command.Options.Add(option);
    }

    /// <summary>Null: none was named.</summary>
    public AuditWebhookOptions? Webhook(ParseResult parsed) => Webhook(parsed.GetValue(_url), parsed.GetValue(_secret), parsed.GetValue(_authority));

    /// <summary>Null: none was named.</summary>
    public AuditSyslogOptions? Syslog(ParseResult parsed) => Syslog(parsed.GetValue(_syslog), parsed.GetValue(_security) ?? "", parsed.GetValue(_authority));

    private static AuditWebhookOptions? Webhook(Uri? url, FileInfo? secret, FileInfo? authority) =>
        url is null ? null : new() { Url = url, SecretFile = secret?.FullName, AuthorityFile = authority?.FullName };

    private static AuditSyslogOptions? Syslog(string? host, string how, FileInfo? authority)
    {
        if (host is null) return null;
        var (security, usual) = _securities.GetValueOrDefault(how);
        var (name, port) = HostPort.Read(host, usual);
        return new() { Host = name, Port = port, Security = security, AuthorityFile = authority?.FullName };
    }

    private static void Tell(OptionResult result, string option, string? problem)
    {
        if (problem is not null) result.AddError($"{option}: {problem}");
    }
}
