using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Countersign.Server.Features.Vault;
using Countersign.Ssh;

namespace Countersign.Server.Demo;

/// <summary>
/// The try-out: an organization with an owner, a technician with rights, a manager who approves, a technician who needs approval and one without
/// rights, trees two levels deep, and devices that really answer. Everything is in one temporary folder, which goes away with it.
/// </summary>
internal sealed class DemoOrganization : IAsyncDisposable
{
    private const string HostAlias = "countersign";

    private readonly string _folder;
    private readonly Uri _server;
    private readonly DemoApi _api;
    private readonly List<DemoAgent> _agents = [];
    private readonly List<DemoPerson> _people = [];
    private readonly List<DemoDevice> _devices = [];
    private readonly TimeProvider _time;

    private DemoOrganization(string folder, CountersignServer server, TimeProvider time)
    {
        _folder = folder;
        _server = server.HttpAddress;
        _api = new(_server);
        _time = time;
    }

    public IReadOnlyList<DemoPerson> People => _people;

    public IReadOnlyList<DemoDevice> Devices => _devices;

    public IReadOnlyList<DemoCommand> Commands { get; private set; } = [];

    /// <param name="folder">Where keys and settings for the clients go; the caller made it and removes it.</param>
    public static async Task<DemoOrganization> BuildAsync(string folder, CountersignServer server, TimeProvider time, CancellationToken cancellation)
    {
        var demo = new DemoOrganization(folder, server, time);
        try
        {
            await demo.BuildAsync(server, cancellation);
            return demo;
        }
        catch
        {
            await demo.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        foreach (var agent in _agents) await agent.DisposeAsync();
    }

    private async Task BuildAsync(CountersignServer server, CancellationToken cancellation)
    {
        var starting = StartAgentsAsync(cancellation);
        var ownerPassword = NewPassword();
        var founded = await _api.PostAsync("setup", new()
        {
            ["token"] = server.SetupToken,
            ["organization"] = "Example Services",
            ["login"] = "olga",
            ["name"] = "Olga Owner",
            ["mail"] = "olga@example.org",
            ["password"] = ownerPassword,
        }, cancellation);
        var token = (string)founded["token"]!;
        _api.SignInWith(token);
        var keyFile = await RegisterKeyAsync("olga", IdOf(founded["person"]!), cancellation);
        _people.Add(new("olga", "Olga Owner", "owns the organization", ownerPassword, token, keyFile));

        var everyone = await EveryoneAsync(cancellation);
        var support = await AddTechnicianGroupAsync("Support", everyone, needsApproval: false, cancellation);
        var nightShift = await AddTechnicianGroupAsync("Night shift", support, needsApproval: true, cancellation);

        // At once: most of the time goes into hashing their passwords.
        var made = await Task.WhenAll(
            AddPersonAsync("tina", "Tina Technician", "is in Support and reaches what the clients have", cancellation),
            AddPersonAsync("mara", "Mara Manager", "is in Support, and approves for the night shift", cancellation),
            AddPersonAsync("ned", "Ned Night", "is in the night shift, whose connections need approval", cancellation),
            AddPersonAsync("nora", "Nora New", "has no rights yet", cancellation));
        _people.AddRange(made.Select(added => added.Person));
        var (tina, mara, ned) = (made[0].Id, made[1].Id, made[2].Id);
        await _api.PutAsync($"technician-groups/{support}/members/{tina}", [], cancellation);
        await _api.PutAsync($"technician-groups/{support}/members/{mara}", [], cancellation);
        await _api.PutAsync($"technician-groups/{nightShift}/members/{ned}", [], cancellation);
        await _api.PutAsync($"technician-groups/{nightShift}/managers/{mara}", [], cancellation);

        var clients = await AddDeviceGroupAsync("Clients", null, cancellation);
        var acme = await AddDeviceGroupAsync("Acme", clients, cancellation);
        var globex = await AddDeviceGroupAsync("Globex", clients, cancellation);
        var role = await AddRoleAsync(cancellation);
        await AddGrantAsync("technicianGroup", support, "deviceGroup", clients, role, cancellation);
        var accept = await SystemRoleAsync("Accept access requests", cancellation);
        await AddGrantAsync("person", mara, "deviceGroup", globex, accept, cancellation);
        await AddGrantAsync("technicianGroup", nightShift, "deviceGroup", globex, await SystemRoleAsync("Request access", cancellation), cancellation);

        var secret = await starting;
        await AddDeviceAsync("web01", acme, "Clients / Acme", _agents[0], secret, cancellation);
        await AddDeviceAsync("db01", globex, "Clients / Globex", _agents[1], secret, cancellation);
        Commands = await WriteClientFilesAsync(server, cancellation);
    }

    /// <summary>Two agents, and the key that opens both.</summary>
    private async Task<string> StartAgentsAsync(CancellationToken cancellation)
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var agents = await Task.WhenAll(
            DemoAgent.StartAsync(Path.Combine(_folder, "web01"), key.PublicKey.ToString(), _time, cancellation),
            DemoAgent.StartAsync(Path.Combine(_folder, "db01"), key.PublicKey.ToString(), _time, cancellation));
        _agents.AddRange(agents);
        using var text = key.Export();
        return text.ExposeText();
    }

    private async Task<(string Id, DemoPerson Person)> AddPersonAsync(string login, string name, string about, CancellationToken cancellation)
    {
        var (first, password) = (NewPassword(), NewPassword());
        var made = await _api.PostAsync("technicians", new()
        {
            ["kind"] = "technician",
            ["login"] = login,
            ["name"] = name,
            ["mail"] = $"{login}@example.org",
            ["password"] = first,
        }, cancellation);
        var id = IdOf(made);
        var keyFile = await RegisterKeyAsync(login, id, cancellation);

        // A password that somebody else chose is good for choosing one's own, and for nothing else.
        using var own = new DemoApi(_server);
        own.SignInWith((string)(await own.PostAsync("sign-in", new() { ["login"] = login, ["password"] = first }, cancellation))["token"]!);
        await own.PostAsync("me/password", new() { ["current"] = first, ["new"] = password }, cancellation);
        var signedIn = await own.PostAsync("sign-in", new() { ["login"] = login, ["password"] = password }, cancellation);
        return (id, new(login, name, about, password, (string)signedIn["token"]!, keyFile));
    }

    private async Task<string> RegisterKeyAsync(string login, string person, CancellationToken cancellation)
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "keys")).FullName;
        var file = Path.Combine(folder, login);
        using (var text = key.Export(login))
        {
            if (!PrivateFile.TryCreate(file, text.Expose())) throw new IOException($"{file} is there already");
        }

        await _api.PostAsync($"technicians/{person}/keys", new() { ["label"] = "demo", ["key"] = key.PublicKey.ToString() }, cancellation);
        return file;
    }

    private async Task<string> EveryoneAsync(CancellationToken cancellation)
    {
        var groups = await _api.GetAsync("technician-groups", cancellation);
        return IdOf(groups["items"]!.AsArray().Single(group => group!["parent"] is null)!);
    }

    private async Task<string> AddTechnicianGroupAsync(string name, string parent, bool needsApproval, CancellationToken cancellation) => IdOf(await _api.PostAsync("technician-groups", new()
    {
        ["parent"] = parent,
        ["name"] = name,
        ["description"] = "",
        ["enabled"] = true,
        ["requiresManagerialApproval"] = needsApproval,
        ["consent"] = "none",
        ["singlePrompt"] = false,
    }, cancellation));

    private async Task<string> AddDeviceGroupAsync(string name, string? parent, CancellationToken cancellation) =>
        IdOf(await _api.PostAsync("device-groups", new() { ["parent"] = parent, ["name"] = name }, cancellation));

    private async Task<string> AddRoleAsync(CancellationToken cancellation) => IdOf(await _api.PostAsync("roles", new()
    {
        ["name"] = "Shell and files",
        ["purpose"] = "devicesAndGroups",
        ["permissions"] = new JsonArray("Terminal", "FileManager", "SendFiles", "ReceiveFiles", "ManageFiles"),
    }, cancellation));

    private async Task<string> SystemRoleAsync(string name, CancellationToken cancellation)
    {
        var roles = await _api.GetAsync("roles", cancellation);
        return IdOf(roles["items"]!.AsArray().Single(role => (bool)role!["system"]! && ((string)role["name"]!).StartsWith(name, StringComparison.Ordinal))!);
    }

    private Task<JsonNode> AddGrantAsync(string subjectKind, string subject, string scopeKind, string scope, string role, CancellationToken cancellation) => _api.PostAsync("grants", new()
    {
        ["subject"] = new JsonObject { ["kind"] = subjectKind, ["id"] = subject },
        ["scope"] = new JsonObject { ["kind"] = scopeKind, ["id"] = scope },
        ["role"] = role,
        ["accounts"] = new JsonObject { ["rule"] = "default" },
        ["window"] = new JsonObject(),
    }, cancellation);

    private async Task AddDeviceAsync(string name, string group, string path, DemoAgent agent, string secret, CancellationToken cancellation)
    {
        var account = Environment.UserName;
        var made = await _api.PostAsync("devices", new()
        {
            ["group"] = group,
            ["name"] = name,
            ["description"] = "This machine's shell, served by an agent of the demo",
            ["host"] = agent.Host,
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh", ["port"] = agent.Port, ["hostKey"] = agent.HostKey }),
            ["accounts"] = new JsonArray(account),
        }, cancellation);
        await _api.PutAsync($"devices/{IdOf(made)}/accounts/{account}", new() { ["privateKey"] = secret }, cancellation);
        _devices.Add(new(name, path, account, "this machine's shell, served by an agent"));
    }

    /// <summary>An ssh configuration, so that the commands are short and need neither a password nor a question about the host key.</summary>
    private async Task<IReadOnlyList<DemoCommand>> WriteClientFilesAsync(CountersignServer server, CancellationToken cancellation)
    {
        var known = Path.Combine(_folder, "known_hosts");
        await File.WriteAllLinesAsync(known, server.SshHostKeys.Select(key => $"{HostAlias} {key}"), cancellation);
        var config = Path.Combine(_folder, "ssh_config");
        var lines = new List<string>
        {
            $"Host {HostAlias}",
            $"  HostName {server.SshAddress.Address}",
            $"  Port {server.SshAddress.Port}",
            $"  HostKeyAlias {HostAlias}",
            $"  UserKnownHostsFile {known}",
            "  StrictHostKeyChecking yes",
            "  IdentitiesOnly yes",
            "  UpdateHostKeys no",
        };
        foreach (var person in _people)
        {
            lines.Add($"Match originalhost {HostAlias} user {person.Login},{person.Login}+*");
            lines.Add($"  IdentityFile {person.KeyFile}");
        }

        await File.WriteAllLinesAsync(config, lines, cancellation);
        var cli = $"{Executables.Find("Cli", "countersign")} --server {server.HttpAddress}";
        string As(string login) => $"COUNTERSIGN_TOKEN={_people.Single(person => person.Login == login).Token} {cli}";
        var ssh = $"ssh -F {config}";
        return
        [
            new("Tina is in Support: a shell on Acme's web server", $"{ssh} tina+web01@{HostAlias}", 0, Interactive: true),
            new("and a command", $"{ssh} tina+web01@{HostAlias} uname -a", 0, Interactive: false),
            new("and files", $"scp -F {config} tina+web01@{HostAlias}:/etc/hostname {Path.Combine(_folder, "copied")}", 0, Interactive: false),
            new("Ned works at night, with approval only: this waits for his manager", $"{ssh} ned+db01@{HostAlias} uname -a", 0, Interactive: false, Waits: true),
            new("What waits for Mara's approval (in another terminal)", $"{As("mara")} approvals", 0, Interactive: false),
            new("and her approval: Ned gets in", $"{As("mara")} approve 1 --comment 'go ahead'", 0, Interactive: false),
            new("Ned asks ahead, so that nobody has to be awake when he works", $"{As("ned")} request db01 --for 8h --reason 'patch night'", 0, Interactive: false),
            new("Mara leaves him two hours of it", $"{As("mara")} approve 2 --for 2h", 0, Interactive: false),
            new("and now he gets in by himself, as often as he likes, until they are over", $"{ssh} ned+db01@{HostAlias} uname -a", 0, Interactive: false),
            new("Nora has no rights: for her there is no such device", $"{ssh} nora+web01@{HostAlias} uname -a", 77, Interactive: false),
            new("which is what she hears of a device that really is not there", $"{ssh} nora+nowhere@{HostAlias} uname -a", 77, Interactive: false),
            new("What Tina can reach", $"{As("tina")} devices", 0, Interactive: false),
            new("Why Ned has to wait", $"{As("olga")} explain ned db01 Terminal", 0, Interactive: false),
            new("Who is connected now (leave Tina's shell open, then end it with: countersign end)", $"{As("olga")} sessions", 0, Interactive: false),
            new("What was recorded (show one again with: countersign play, look over a shoulder with: countersign watch)", $"{As("olga")} recordings", 0, Interactive: false),
        ];
    }

    private static string IdOf(JsonNode node) => (string)node["id"]!;

    /// <summary>15 random bytes as text: too long to guess, short enough to copy.</summary>
    private static string NewPassword() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(15)).Replace('+', '-').Replace('/', '_');
}
