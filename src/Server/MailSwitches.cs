using System.CommandLine;
using System.CommandLine.Parsing;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;

namespace Countersign.Server;

/// <summary>The program's options about mail, and how they become <see cref="MailOptions"/>.</summary>
internal sealed class MailSwitches
{
    private static readonly Dictionary<string, (MailSecurity Security, int Port)> _securities = new(StringComparer.Ordinal)
    {
        ["starttls"] = (MailSecurity.StartTls, 587),
        ["tls"] = (MailSecurity.Tls, 465),
        ["none"] = (MailSecurity.None, 25),
    };

    private readonly Option<string?> _host = new("--mail") { Description = "The mail server that takes what is mailed; without it nothing is.", HelpName = "HOST[:PORT]" };
    private readonly Option<string> _security = new("--mail-security")
    {
        Description = "starttls (required, port 587), tls from the first byte (465), or none (25), which is for this machine only.",
        HelpName = "HOW",
        DefaultValueFactory = _ => "starttls",
    };

    private readonly Option<string?> _user = new("--mail-user") { Description = "Who signs in at the mail server, where it asks.", HelpName = "USER" };
    private readonly Option<FileInfo?> _password = new("--mail-password-file") { Description = "Their password: the first line of a file that is the server's own user's only.", HelpName = "FILE" };
    private readonly Option<string?> _from = new("--mail-from") { Description = "Whom mails come from, such as 'Countersign <gate@example.org>'.", HelpName = "ADDRESS" };
    private readonly Option<FileInfo?> _authority = new("--mail-authority")
    {
        Description = "Certificates (PEM) that the mail server's is held to, in place of those that this machine trusts.",
        HelpName = "FILE",
    };

    public MailSwitches() => _host.Validators.Add(Validate);

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_host, _security, _user, _password, _from, _authority]) command.Options.Add(option);
    }

    /// <summary>Null: no mail server was named.</summary>
    public MailOptions? Read(ParseResult parsed) => Read(parsed.GetValue(_host), parsed.GetValue(_security) ?? "", option => parsed.GetValue(option), file => parsed.GetValue(file));

    private MailOptions? Read(string? host, string how, Func<Option<string?>, string?> text, Func<Option<FileInfo?>, FileInfo?> file)
    {
        if (host is null) return null;
        var (security, usual) = _securities.GetValueOrDefault(how);
        var (name, port) = HostPort.Read(host, usual);
        return new()
        {
            Host = name,
            Port = port,
            Security = security,
            User = text(_user),
            PasswordFile = file(_password)?.FullName,
            From = text(_from) ?? "",
            AuthorityFile = file(_authority)?.FullName,
        };
    }

    private void Validate(OptionResult result)
    {
        var options = Read(result.GetValueOrDefault<string?>(), result.GetValue(_security) ?? "", option => result.GetValue(option), option => result.GetValue(option));
        if (options?.Problem() is { } problem) result.AddError($"--mail: {problem}");
    }
}
