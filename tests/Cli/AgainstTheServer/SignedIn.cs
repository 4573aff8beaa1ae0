using System.Text.Json.Nodes;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>A whole server, and its owner at a terminal who has signed in.</summary>
public sealed class SignedIn : IAsyncDisposable
{
    private const string FirstPassword = "wandering-otter-lantern-58";

    private SignedIn(LiveServer server) => Server = server;

    public LiveServer Server { get; }

    public FakeTerminal Terminal { get; } = new() { CanAsk = true };

    public string Output => Terminal.Output;

    public string Error => Terminal.Error;

    /// <summary>Of the last command.</summary>
    public JsonNode Json => JsonNode.Parse(Output)!;

    public static async Task<SignedIn> StartAsync()
    {
        var owner = new SignedIn(await LiveServer.StartAsync());
        owner.Terminal.Secrets.Enqueue(LiveServer.Password);
        await owner.RunAsync(0, "login", "--server", owner.Server.Address, "olga");
        return owner;
    }

    /// <summary>Somebody else of the same organization, at a terminal of their own; disposed by themselves.</summary>
    public async Task<FakeTerminal> SignInAsync(string login)
    {
        const string Own = "violet-tractor-anthem-08";
        var terminal = new FakeTerminal { CanAsk = true };
        foreach (var secret in (string[])[FirstPassword, Own, Own]) terminal.Secrets.Enqueue(secret);
        (await terminal.RunAsync("login", "--server", Server.Address, login)).ShouldBe(0, terminal.Error);
        return terminal;
    }

    public async Task RunAsync(int exit, params string[] arguments) => (await Terminal.RunAsync(arguments)).ShouldBe(exit, $"{string.Join(' ', arguments)}\n{Output}{Error}");

    /// <summary>The same with <c>--json</c>.</summary>
    public async Task<JsonNode> ReadAsync(params string[] arguments)
    {
        await RunAsync(0, [.. arguments, "--json"]);
        return Json;
    }

    /// <summary>The rows of the table that was shown, each cell by itself.</summary>
    /// <param name="columns">All of them.</param>
    public List<string[]> Rows(params string[] columns)
    {
        var lines = Output.TrimEnd('\n').Split('\n');
        string.Join(' ', lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)).ShouldBe(string.Join(' ', columns));
        var starts = new List<int>();
        foreach (var column in columns) starts.Add(lines[0].IndexOf(column, starts.Count == 0 ? 0 : starts[^1] + 1, StringComparison.Ordinal));
        return [.. lines[1..].Select(line => starts.Zip(starts.Skip(1).Append(int.MaxValue), (start, end) => line[Math.Min(start, line.Length)..Math.Min(end, line.Length)].Trim()).ToArray())];
    }

    /// <summary>How many changes of policy there were: what is refused or only shown is none of them.</summary>
    public async Task<long> NewestChangeAsync() => (long)JsonNode.Parse(await Server.GetAsync("changes?limit=1"))!["items"]![0]!["id"]!;

    /// <returns>Their id.</returns>
    public Task<string> AddTechnicianAsync(string login) => IdAsync("technicians", new()
    {
        ["kind"] = "technician",
        ["login"] = login,
        ["name"] = login,
        ["mail"] = $"{login}@example.org",
        ["password"] = FirstPassword,
    });

    public Task<string> AddContactAsync(string name) => IdAsync("contacts", new() { ["name"] = name, ["mail"] = $"{name}@customer.example" });

    /// <param name="parent">The id of the group that it is below; null: there is none.</param>
    public Task<string> AddDeviceGroupAsync(string name, string? parent = null) => IdAsync("device-groups", new() { ["parent"] = parent, ["name"] = name });

    public Task<string> AddDeviceAsync(string name, string group) => IdAsync("devices", new()
    {
        ["group"] = group,
        ["name"] = name,
        ["host"] = "192.0.2.1",
        ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh" }),
        ["accounts"] = new JsonArray("root", "www"),
    });

    public async ValueTask DisposeAsync()
    {
        Terminal.Dispose();
        await Server.DisposeAsync();
    }

    private async Task<string> IdAsync(string path, JsonObject body) => (string)(await Server.PostAsync(path, body))["id"]!;
}
