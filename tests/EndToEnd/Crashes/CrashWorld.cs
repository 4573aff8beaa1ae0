using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd.Crashes;

/// <summary>
/// The organization that lives through the kills: an owner, Tina who gets in, three requesters who need Mara's approval, and a device for each life of
/// the server, which all are the same sshd.
/// </summary>
internal sealed class CrashWorld : IAsyncDisposable
{
    public const int Requesters = 3;
    public const string TinasPassword = "a password of her own 4711";

    private readonly TempFolder _keys = new();

    private CrashWorld(PrivateSshd sshd) => Sshd = sshd;

    public TempFolder Folder { get; } = new();

    public PrivateSshd Sshd { get; }

    public string OwnersToken { get; private set; } = "";

    public string MarasToken { get; private set; } = "";

    public string Servers { get; private set; } = "";

    public Credential Tina { get; private set; } = null!;

    public IReadOnlyList<Credential> Asking { get; private set; } = [];

    public static async Task<CrashWorld> MakeAsync()
    {
        var world = new CrashWorld(await PrivateSshd.StartAsync());
        try
        {
            await using var server = await ServerProgram.StartAsync(world.Folder);
            await world.SetUpAsync(server);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    public Api Owner(ServerProgram server) => new(server.Address, OwnersToken);

    public Api Mara(ServerProgram server) => new(server.Address, MarasToken);

    /// <returns>The device's id.</returns>
    public async Task<string> AddDeviceAsync(Api owner, string name)
    {
        var id = (string)(await owner.PostAsync("devices", new()
        {
            ["group"] = Servers,
            ["name"] = name,
            ["description"] = "0",
            ["host"] = PrivateSshd.Host,
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh", ["port"] = Sshd.Port, ["hostKey"] = Sshd.HostKey.PublicLine }),
            ["accounts"] = new JsonArray(PrivateSshd.User),
        }))["id"]!;
        await owner.PutAsync($"devices/{id}/accounts/{PrivateSshd.User}", new() { ["privateKey"] = Sshd.ClientKey.PrivateText });
        return id;
    }

    public async ValueTask DisposeAsync()
    {
        await Sshd.DisposeAsync();
        _keys.Dispose();
        Folder.Dispose();
    }

    private async Task SetUpAsync(ServerProgram server)
    {
        using (var anybody = new Api(server.Address))
        {
            var founded = await anybody.PostAsync("setup", new()
            {
                ["token"] = server.SetupLink!.Fragment[1..],
                ["organization"] = "Crashes",
                ["login"] = "olga",
                ["name"] = "Olga",
                ["mail"] = "",
                ["password"] = $"the owner's own password {Guid.NewGuid():N}",
            });
            OwnersToken = (string)founded["token"]!;
        }

        using var owner = Owner(server);
        Servers = (string)(await owner.PostAsync("device-groups", new() { ["parent"] = null, ["name"] = "Servers" }))["id"]!;
        var role = (string)(await owner.PostAsync("roles", new()
        {
            ["name"] = "Shell",
            ["purpose"] = "devicesAndGroups",
            ["permissions"] = new JsonArray("Terminal"),
        }))["id"]!;
        var everyone = (await owner.GetAsync("technician-groups"))["items"]!.AsArray().Single(group => group!["parent"] is null)!["id"]!;
        var night = (string)(await owner.PostAsync("technician-groups", new()
        {
            ["parent"] = (string)everyone!,
            ["name"] = "Night shift",
            ["requiresManagerialApproval"] = true,
        }))["id"]!;

        var (tina, tinasKey) = await AddPersonAsync(server, owner, "tina", TinasPassword);
        Tina = tinasKey;
        await GrantAsync(owner, tina, role);
        const string MarasPassword = "another password of one's own 4712";
        var (mara, _) = await AddPersonAsync(server, owner, "mara", MarasPassword);
        await owner.PutAsync($"technician-groups/{night}/managers/{mara}");
        MarasToken = await SignInAsync(server, "mara", MarasPassword);
        var asking = new List<Credential>();
        for (var number = 0; number < Requesters; number++)
        {
            var (person, key) = await AddPersonAsync(server, owner, $"ask{number}", null);
            await GrantAsync(owner, person, role);
            await owner.PutAsync($"technician-groups/{night}/members/{person}");
            asking.Add(key);
        }

        Asking = asking;
    }

    private async Task<(string Id, Credential Key)> AddPersonAsync(ServerProgram server, Api owner, string login, string? password)
    {
        const string First = "the first password 4711 of this test";
        var made = await owner.PostAsync("technicians", new()
        {
            ["kind"] = "technician",
            ["login"] = login,
            ["name"] = login,
            ["mail"] = $"{login}@example.org",
            ["password"] = First,
        });
        var id = (string)made["id"]!;
        if (password is not null)
        {
            using var once = new Api(server.Address, await SignInAsync(server, login, First));
            await once.PostAsync("me/password", new() { ["current"] = First, ["new"] = password });
        }

        var key = await Keys.GenerateAsync(_keys, login);
        await owner.PostAsync($"technicians/{id}/keys", new() { ["label"] = "test", ["key"] = key.PublicLine });
        return (id, Credential.Key(key));
    }

    public static async Task<string> SignInAsync(ServerProgram server, string login, string password)
    {
        using var anybody = new Api(server.Address);
        return (string)(await anybody.PostAsync("sign-in", new() { ["login"] = login, ["password"] = password }))["token"]!;
    }

    private async Task GrantAsync(Api owner, string person, string role) => await owner.PostAsync("grants", new()
    {
        ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = person },
        ["scope"] = new JsonObject { ["kind"] = "deviceGroup", ["id"] = Servers },
        ["role"] = role,
        ["accounts"] = new JsonObject { ["rule"] = "default" },
    });
}
