using System.CommandLine;
using System.Net;
using Countersign.Server;
using Countersign.Server.Platform;

SocketThreads.GoOnInline();

var data = new Option<DirectoryInfo>("--data")
{
    Description = "Where the server keeps everything: database, keys. Made at the first start.",
    HelpName = "DIR",
    DefaultValueFactory = _ => new(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "countersign")),
};
var http = Address("--http", "Where the API listens; port 0: any that is free.", new(IPAddress.Loopback, 8080));
var ssh = Address("--ssh", "Where SSH clients connect; port 0: any that is free.", new(IPAddress.Loopback, 2222));
var proxyFrom = Networks("--proxy-from", "A network, such as 10.0.0.0/24, of proxies that put a PROXY header of version 2 in front of each SSH connection. Required from there, never read from elsewhere. Repeatable.");
var httpProxyFrom = Networks("--http-proxy-from", "A network of proxies in front of the API, which say in X-Forwarded-For where a client is. Never read from elsewhere. Repeatable.");
var nistCurves = new Option<bool>("--ssh-nist-curves") { Description = "SSH clients are offered a key exchange over P-256 as well, for those that are restricted to it. Auditors of SSH servers fail it." };
var selfRegistration = new Option<bool>("--self-registration") { Description = "Whoever comes may make an organization of their own, once they have proven a mail address. Needs --mail." };
var sshPublic = new Option<DnsEndPoint?>("--ssh-public")
{
    Description = "Where clients are told to connect over SSH, if that is not the API's host and the port of --ssh: behind a proxy, for example.",
    HelpName = "HOST:PORT",
    CustomParser = PublicAddress,
};
var publicUrl = new Option<Uri?>("--public")
{
    Description = "Where people reach this server with a browser: links in mails lead there.",
    HelpName = "URL",
    CustomParser = PublicUrl,
};
var mail = new MailSwitches();
var streams = new AuditSwitches();
var demoHttp = Address("--http", "Where the API listens; port 0: any that is free.", new(IPAddress.Loopback, 0));
var demoSsh = Address("--ssh", "Where SSH clients connect; port 0: any that is free.", new(IPAddress.Loopback, 0));
var ready = new Option<FileInfo>("--ready-file")
{
    Description = "Written once the server answers: everything that is printed, as JSON, readable by its owner only.",
    HelpName = "FILE",
    Recursive = true,
};

var demo = new Command("demo", "A try-out in a temporary directory: people, groups, devices that answer, and commands to paste. Gone when it ends.") { demoHttp, demoSsh };
demo.SetAction((parsed, cancellation) =>
    Serving.DemoAsync(new() { DataDirectory = "", Http = parsed.GetRequiredValue(demoHttp), Ssh = parsed.GetRequiredValue(demoSsh) }, parsed.GetValue(ready), cancellation));

var root = new RootCommand(
    """
    Countersign: remote access in which every connection is decided, cut off when its time is over, and recorded.

    Examples:
      countersign-server --data /var/lib/countersign --ssh 0.0.0.0:2222
      countersign-server demo
    """) { data, http, ssh, sshPublic, nistCurves, proxyFrom, httpProxyFrom, publicUrl, selfRegistration, ready, demo };
mail.AddTo(root);
streams.AddTo(root);
root.SetAction((parsed, cancellation) =>
    Serving.ServeAsync(
        new()
        {
            DataDirectory = parsed.GetRequiredValue(data).FullName,
            Http = parsed.GetRequiredValue(http),
            Ssh = parsed.GetRequiredValue(ssh),
            SshPublic = parsed.GetValue(sshPublic),
            SshNistCurves = parsed.GetValue(nistCurves),
            ProxyFrom = parsed.GetRequiredValue(proxyFrom),
            HttpProxyFrom = parsed.GetRequiredValue(httpProxyFrom),
            SelfRegistration = parsed.GetValue(selfRegistration),
            Public = parsed.GetValue(publicUrl),
            Mail = mail.Read(parsed),
            AuditWebhook = streams.Webhook(parsed),
            AuditSyslog = streams.Syslog(parsed),
        },
        parsed.GetValue(ready),
        cancellation));

return await root.Parse(args).InvokeAsync();

static Option<IPEndPoint> Address(string name, string description, IPEndPoint otherwise) => new(name)
{
    Description = description,
    HelpName = "ADDR:PORT",
    DefaultValueFactory = _ => otherwise,
    CustomParser = result =>
    {
        if (IPEndPoint.TryParse(result.Tokens[0].Value, out var address) && result.Tokens[0].Value.Contains(':', StringComparison.Ordinal)) return address;
        result.AddError($"{name} wants an address and a port, such as 127.0.0.1:8080 or [::]:2222");
        return null;
    },
};

static Option<IPNetwork[]> Networks(string name, string description) => new(name)
{
    Description = description,
    HelpName = "CIDR",
    DefaultValueFactory = _ => [],
    CustomParser = result => ReadNetworks(name, result),
};

static IPNetwork[] ReadNetworks(string name, System.CommandLine.Parsing.ArgumentResult result)
{
    var networks = new List<IPNetwork>();
    foreach (var token in result.Tokens)
    {
        // Who may say where a client is, is no place for a slip: a network is written as it is, or refused.
        // The platform reads 10.0.0.7/24 as 10.0.0.0/24.
        if (IPNetwork.TryParse(token.Value, out var network) && IPAddress.Parse(token.Value.Split('/')[0]).Equals(network.BaseAddress)) networks.Add(network);
        else result.AddError($"{name} wants a network such as 10.0.0.0/24 or 2001:db8::/64, and not {token.Value}");
    }

    return [.. networks];
}

static DnsEndPoint? PublicAddress(System.CommandLine.Parsing.ArgumentResult result)
{
    var text = result.Tokens[0].Value;
    var colon = text.LastIndexOf(':');
    var host = colon > 0 ? text[..colon].Trim('[', ']') : "";
    if (Uri.CheckHostName(host) != UriHostNameType.Unknown && ushort.TryParse(text[(colon + 1)..], out var port) && port > 0) return new(host, port);
    result.AddError($"--ssh-public wants a host and a port, such as gate.example.org:22, and not {text}");
    return null;
}

static Uri? PublicUrl(System.CommandLine.Parsing.ArgumentResult result)
{
    var text = result.Tokens[0].Value;
    if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" && url is { Query: "", Fragment: "", UserInfo: "" })
        return url.AbsoluteUri.EndsWith('/') ? url : new(url.AbsoluteUri + '/');
    result.AddError($"--public wants an address such as https://gate.example.org, and not {text}");
    return null;
}
