using System.Globalization;
using System.Text.Json.Nodes;

namespace Countersign.Bench;

/// <summary>A new organization with one device group and one role, made through the API as an administrator would.</summary>
internal sealed class BenchOrganization(Uri server) : IDisposable
{
    private readonly BenchApi _api = new(server);
    private string _group = "";
    private string _role = "";

    /// <summary>As the owner.</summary>
    public BenchApi Api => _api;

    /// <summary>The owner's.</summary>
    public string Token { get; private set; } = "";

    /// <param name="permissions">What the role gives.</param>
    public async Task FoundAsync(string setupToken, params string[] permissions)
    {
        var founded = await _api.SendAsync(HttpMethod.Post, "setup", new()
        {
            ["token"] = setupToken,
            ["organization"] = "Bench",
            ["login"] = "olga",
            ["name"] = "Olga",
            ["mail"] = "",
            ["password"] = NewPassword(),
        });
        Token = (string)founded["token"]!;
        _api.SignInWith(Token);
        _group = await AddGroupAsync("Servers");
        _role = IdOf(await _api.SendAsync(HttpMethod.Post, "roles", new()
        {
            ["name"] = "Work",
            ["purpose"] = "devicesAndGroups",
            ["permissions"] = new JsonArray([.. permissions.Select(permission => JsonValue.Create(permission))]),
        }));
    }

    /// <param name="secret">Of the account: <c>password</c> or <c>privateKey</c>.</param>
    public async Task AddDeviceAsync(string name, int port, string hostKey, string account, JsonObject secret)
    {
        var made = await _api.SendAsync(HttpMethod.Post, "devices", new()
        {
            ["group"] = _group,
            ["name"] = name,
            ["description"] = "",
            ["host"] = "127.0.0.1",
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh", ["port"] = port, ["hostKey"] = hostKey }),
            ["accounts"] = new JsonArray(account),
        });
        await _api.SendAsync(HttpMethod.Put, $"devices/{IdOf(made)}/accounts/{account}", secret);
    }

    public async Task<(string Id, string Password)> AddPersonAsync(string login)
    {
        var (first, password) = (NewPassword(), NewPassword());
        var made = await _api.SendAsync(HttpMethod.Post, "technicians", new()
        {
            ["kind"] = "technician",
            ["login"] = login,
            ["name"] = login,
            ["mail"] = "",
            ["password"] = first,
        });

        // A password that somebody else chose is good for choosing one's own, and for nothing else.
        using var own = new BenchApi(server);
        own.SignInWith(await SignInAsync(login, first));
        await own.SendAsync(HttpMethod.Post, "me/password", new() { ["current"] = first, ["new"] = password });
        return (IdOf(made), password);
    }

    /// <returns>A token.</returns>
    public async Task<string> SignInAsync(string login, string password)
    {
        using var own = new BenchApi(server);
        return (string)(await own.SendAsync(HttpMethod.Post, "sign-in", new() { ["login"] = login, ["password"] = password }))["token"]!;
    }

    /// <summary>A device group at the top.</summary>
    public async Task<string> AddGroupAsync(string name) => IdOf(await _api.SendAsync(HttpMethod.Post, "device-groups", new() { ["parent"] = null, ["name"] = name }));

    /// <summary>The role on all devices, with their default accounts.</summary>
    /// <param name="to">The end of the grant's window; null: none.</param>
    public async Task<string> GrantAsync(string person, DateTimeOffset? to) => IdOf(await _api.SendAsync(HttpMethod.Post, "grants", new()
    {
        ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = person },
        ["scope"] = new JsonObject { ["kind"] = "deviceGroup", ["id"] = _group },
        ["role"] = _role,
        ["accounts"] = new JsonObject { ["rule"] = "default" },
        ["window"] = new JsonObject { ["to"] = to?.ToString("O", CultureInfo.InvariantCulture) },
    }));

    public void Dispose() => _api.Dispose();

    private static string IdOf(JsonNode node) => (string)node["id"]!;

    private static string NewPassword() => $"bench {Guid.NewGuid():N}";
}
