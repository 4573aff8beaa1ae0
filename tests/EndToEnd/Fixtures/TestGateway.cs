using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Countersign.Server;
using Countersign.Ssh;
using Countersign.Tests;
using Microsoft.AspNetCore.Builder;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>A person of one test.</summary>
public sealed record Somebody(string Id, string Login, string Password, KeyPair Key)
{
    public Credential ByPassword => Credential.OfPassword(Password);

    public Credential ByKey => Credential.Key(Key);
}

/// <summary>
/// A whole server in the test's own process, set up through its API as anybody would, with one real sshd behind it: device <c>web01</c> in the
/// group Servers, and a technician <c>tina</c> who holds a role of terminal and files there. Everything is in a temporary folder.
/// </summary>
public sealed class TestGateway : IAsyncDisposable
{
    public const string Device = "web01";

    private readonly TempFolder _folder = new();
    private int _number;

    private TestGateway(CountersignServer server, PrivateSshd sshd)
    {
        Server = server;
        Sshd = sshd;
        Client = new(server.SshAddress.Port, server.SshHostKeys);
    }

    public CountersignServer Server { get; }

    public PrivateSshd Sshd { get; }

    /// <summary>The stock clients, pointed at the SSH front door.</summary>
    public OpenSsh Client { get; }

    /// <summary>The owner's calls.</summary>
    public Api Owner { get; private set; } = null!;

    public string OwnerToken { get; private set; } = "";

    public Somebody Tina { get; private set; } = null!;

    /// <summary>The group that the device is in.</summary>
    public string Servers { get; private set; } = "";

    public string DeviceId { get; private set; } = "";

    /// <summary>A custom role: terminal and all of the file permissions.</summary>
    public string Role { get; private set; } = "";

    /// <summary>What lets Tina in.</summary>
    public string TinasGrant { get; private set; } = "";

    /// <param name="sshd">Further lines of the device's sshd_config.</param>
    /// <param name="host">Puts services of the test's own in the place of the server's.</param>
    public static async Task<TestGateway> StartAsync(Func<ServerOptions, ServerOptions>? configure = null, Action<WebApplicationBuilder>? host = null, string sshd = "")
    {
        var device = await PrivateSshd.StartAsync(extra: sshd);
        var data = new TempFolder();
        SharedHostKey.PutInto(data["data"]);
        var options = new ServerOptions
        {
            DataDirectory = data["data"],
            Http = new(System.Net.IPAddress.Loopback, 0),
            Ssh = new(System.Net.IPAddress.Loopback, 0),
            SignIn = new() { PasswordIterations = 1000 },
        };
        var server = await CountersignServer.StartAsync(configure?.Invoke(options) ?? options, TestContext.Current.CancellationToken, host);
        var gateway = new TestGateway(server, device) { Data = data };
        await gateway.SetUpAsync();
        return gateway;
    }

    private TempFolder Data { get; init; } = null!;

    public string DataDirectory => Data["data"];

    public async Task<Somebody> AddPersonAsync(string login)
    {
        var first = $"the first password {Guid.NewGuid():N}";
        var password = $"a password of their own {Guid.NewGuid():N}";
        var key = await Keys.GenerateAsync(_folder, $"{login}_{++_number}");
        var made = await Owner.PostAsync("technicians", new()
        {
            ["kind"] = "technician",
            ["login"] = login,
            ["name"] = $"{login} the technician",
            ["mail"] = $"{login}@example.org",
            ["password"] = first,
        });
        var person = new Somebody((string)made["id"]!, login, password, key);

        // A password that somebody else chose is good for choosing one's own, and for nothing else.
        using (var once = await SignInAsync(person with { Password = first }))
        {
            await once.PostAsync("me/password", new() { ["current"] = first, ["new"] = password });
        }

        await Owner.PostAsync($"technicians/{person.Id}/keys", new() { ["label"] = "test", ["key"] = key.PublicLine });
        return person;
    }

    /// <returns>The grant's id.</returns>
    public async Task<string> GrantAsync(Somebody person, string role, DateTimeOffset? to = null, string account = "default") => (string)(await Owner.PostAsync("grants", new()
    {
        ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = person.Id },
        ["scope"] = new JsonObject { ["kind"] = "deviceGroup", ["id"] = Servers },
        ["role"] = role,
        ["accounts"] = new JsonObject { ["rule"] = account },
        ["window"] = new JsonObject { ["to"] = to?.ToString("O", CultureInfo.InvariantCulture) },
    }))["id"]!;

    public async Task<string> AddRoleAsync(string name, params string[] permissions) => (string)(await Owner.PostAsync("roles", new()
    {
        ["name"] = name,
        ["purpose"] = "devicesAndGroups",
        ["permissions"] = new JsonArray([.. permissions.Select(permission => (JsonNode)permission)]),
    }))["id"]!;

    /// <summary>A device at the given address, its account's key stored.</summary>
    public async Task<string> AddDeviceAsync(string name, int port, string hostKey, string privateKey)
    {
        var made = await Owner.PostAsync("devices", new()
        {
            ["group"] = Servers,
            ["name"] = name,
            ["description"] = "",
            ["host"] = PrivateSshd.Host,
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh", ["port"] = port, ["hostKey"] = hostKey }),
            ["accounts"] = new JsonArray(PrivateSshd.User),
        });
        var id = (string)made["id"]!;
        await Owner.PutAsync($"devices/{id}/accounts/{PrivateSshd.User}", new() { ["privateKey"] = privateKey });
        return id;
    }

    /// <summary>Sessions in the given state, as the owner sees them.</summary>
    public async Task<IReadOnlyList<JsonNode>> SessionsAsync(string state) => [.. (await Owner.GetAsync($"sessions?state={state}"))["items"]!.AsArray().Select(item => item!)];

    /// <summary>Waits until the one session that has ended is written down.</summary>
    public Task<JsonNode> EndedSessionAsync() => Eventually.SomeAsync(
        async () => (await SessionsAsync("ended")).SingleOrDefault(), "the session's end to be written down");

    public async Task<Api> SignInAsync(Somebody person)
    {
        using var anybody = new Api(Server.HttpAddress);
        var answer = await anybody.PostAsync("sign-in", new() { ["login"] = person.Login, ["password"] = person.Password });
        return new(Server.HttpAddress, (string)answer["token"]!);
    }

    /// <summary>A connection of our own client, for what the stock ones can't be made to do or to tell; by password.</summary>
    public async Task<SshClientConnection> ConnectAsync(Somebody person, string device)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Server.SshAddress, TestContext.Current.CancellationToken);
        using var password = Secret.FromText(person.Password);
        var options = new SshClientOptions
        {
            User = $"{person.Login}+{device}",
            Credentials = [new SshCredential.Password(password)],
            TrustedHostKeys = [.. Server.SshHostKeys.Select(line => SshPublicKey.TryParse(line, out var key) ? key : throw new FormatException(line))],
        };
        return await SshClientConnection.ConnectAsync(new NetworkStream(socket, ownsSocket: true), options, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Owner?.Dispose();
        await Server.DisposeAsync();
        await Sshd.DisposeAsync();
        _folder.Dispose();
        Data.Dispose();
    }

    private async Task SetUpAsync()
    {
        using (var anybody = new Api(Server.HttpAddress))
        {
            var founded = await anybody.PostAsync("setup", new()
            {
                ["token"] = Server.SetupToken,
                ["organization"] = "Test",
                ["login"] = "olga",
                ["name"] = "Olga",
                ["mail"] = "olga@example.org",
                ["password"] = $"the owner's own password {Guid.NewGuid():N}",
            });
            OwnerToken = (string)founded["token"]!;
            Owner = new(Server.HttpAddress, OwnerToken);
        }

        Servers = (string)(await Owner.PostAsync("device-groups", new() { ["parent"] = null, ["name"] = "Servers" }))["id"]!;
        DeviceId = await AddDeviceAsync(Device, Sshd.Port, Sshd.HostKey.PublicLine, Sshd.ClientKey.PrivateText);
        Role = await AddRoleAsync("Shell and files", "Terminal", "FileManager", "SendFiles", "ReceiveFiles", "ManageFiles");
        Tina = await AddPersonAsync("tina");
        TinasGrant = await GrantAsync(Tina, Role);
    }
}
