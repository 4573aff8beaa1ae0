using System.CommandLine;
using System.Net;
using Countersign.Server;

var data = new Option<DirectoryInfo>("--data")
{
    Description = "Where the server keeps everything: database, keys. Made at the first start.",
    HelpName = "DIR",
    DefaultValueFactory = _ => new(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "countersign")),
};
var http = Address("--http", "Where the API listens; port 0: any that is free.", new(IPAddress.Loopback, 8080));
var ssh = Address("--ssh", "Where SSH clients connect; port 0: any that is free.", new(IPAddress.Loopback, 2222));
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
    """) { data, http, ssh, ready, demo };
root.SetAction((parsed, cancellation) =>
    Serving.ServeAsync(new() { DataDirectory = parsed.GetRequiredValue(data).FullName, Http = parsed.GetRequiredValue(http), Ssh = parsed.GetRequiredValue(ssh) }, parsed.GetValue(ready), cancellation));

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
