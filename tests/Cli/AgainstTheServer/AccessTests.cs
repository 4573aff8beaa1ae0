using System.Text.Json;
using System.Text.Json.Nodes;
using Countersign.Access;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>An owner and a technician with rights on one device of three, and what the tool shows each of them.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string GivenPassword = "eleven loud badgers 4711";
    private const string OwnPassword = "seven quiet otters 0815";

    private readonly FakeTerminal _anna = new();
    private readonly FakeTerminal _olga = new();
    private LiveServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        var anna = await _server.PostAsync("technicians", new JsonObject
        {
            ["kind"] = "technician",
            ["login"] = "anna",
            ["name"] = "Anna",
            ["mail"] = "anna@example.org",
            ["password"] = GivenPassword,
        });
        var group = (string)(await _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = "Servers" }))["id"]!;
        var web = await AddDeviceAsync(group, "web1", "The shop's front");
        await AddDeviceAsync(group, "db1", "Orders");
        await AddDeviceAsync(group, "db2", "Orders, standby");
        await _server.PostAsync("grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = (string)anna["id"]! },
            ["scope"] = new JsonObject { ["kind"] = "device", ["id"] = web },
            ["role"] = SystemRoles.OnlyDeviceConnection.Id.Value.ToString(),
        });
        await SignInAsync(_olga, "olga", LiveServer.Password);
        await SignInAnnaAsync();
    }

    [Fact]
    public async Task A_given_password_is_replaced_while_signing_in_and_is_none_any_more()
    {
        _anna.Error.ShouldContain("choose another one");
        _anna.Error.ShouldContain("New password: ");
        _anna.Error.ShouldNotContain(OwnPassword);
        using var again = new FakeTerminal { Input = GivenPassword };
        (await again.RunAsync("login", "--server", _server.Address, "--password-stdin", "anna")).ShouldBe(1);
        again.Input = OwnPassword;
        (await again.RunAsync("login", "--server", _server.Address, "--password-stdin", "anna")).ShouldBe(0, again.Error);
    }

    [Fact]
    public async Task Everybody_is_shown_what_they_may_see_with_what_they_may_do()
    {
        (await _anna.RunAsync("devices")).ShouldBe(0, _anna.Error);
        var rows = _anna.Output.TrimEnd('\n').Split('\n');
        rows.Length.ShouldBe(2);
        rows[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["NAME", "STATE", "SERVICES", "ACCOUNTS", "PERMISSIONS", "DESCRIPTION"]);
        rows[1].ShouldStartWith("web1 ");
        rows[1].ShouldContain(" allowed ");
        rows[1].ShouldContain(" ssh ");
        rows[1].ShouldContain(" root, www ");
        rows[1].ShouldEndWith("The shop's front");

        (await _olga.RunAsync("devices")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldContain("db1");
        (await _olga.RunAsync("devices", "standby")).ShouldBe(0, _olga.Error);
        _olga.Output.TrimEnd('\n').Split('\n').Length.ShouldBe(2);
        _olga.Output.ShouldContain("db2");
        (await _olga.RunAsync("devices", "no such thing")).ShouldBe(0);
        _olga.Output.ShouldBeEmpty();
        _olga.Error.ShouldContain("No device that you may see matches.");
    }

    [Fact]
    public async Task Who_gets_in_to_a_device_is_told()
    {
        (await _olga.RunAsync("who-can", "web1")).ShouldBe(0, _olga.Error);
        var rows = _olga.Output.TrimEnd('\n').Split('\n');
        rows[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["LOGIN", "STATE", "UNTIL", "NAME"]);
        rows[1..].Select(row => row.Split(' ')[0]).ShouldBe(["anna", "olga"]);
        (await _olga.RunAsync("who-can", "web1", "Tunnel", "--json")).ShouldBe(0, _olga.Error);
        JsonNode.Parse(_olga.Output)!["items"]!.AsArray().Count.ShouldBe(1);

        (await _anna.RunAsync("who-can", "db1")).ShouldBe(4, _anna.Error);
        (await _olga.RunAsync("who-can", "web1", "Flying")).ShouldBe(1, _olga.Error);
    }

    [Fact]
    public async Task A_change_of_policy_is_listed_shown_and_undone()
    {
        (await _olga.RunAsync("policy", "changes", "--limit", "1")).ShouldBe(0, _olga.Error);
        var newest = _olga.Output.TrimEnd('\n').Split('\n')[1];
        newest.ShouldContain("Granted the role Only device connection");
        var number = newest.Split(' ')[0];

        (await _olga.RunAsync("policy", "undo", number, "--preview")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldContain($"Undid change {number}: Granted");
        _olga.Output.ShouldContain("- removed: grant ");
        _olga.Output.ShouldContain("  anna on web1:");
        _olga.Output.ShouldContain("    - ScreenView, ");
        _olga.Error.ShouldContain("Nothing was changed.");
        (await _anna.RunAsync("devices")).ShouldBe(0);
        _anna.Output.ShouldContain("web1");

        (await _olga.RunAsync("policy", "undo", number)).ShouldBe(0, _olga.Error);
        (await _anna.RunAsync("devices")).ShouldBe(0);
        _anna.Output.ShouldBeEmpty();
        (await _olga.RunAsync("policy", "undo", number)).ShouldBe(1);
        _olga.Error.ShouldContain("was changed since");

        (await _anna.RunAsync("policy", "changes")).ShouldBe(1);
        (await _anna.RunAsync("policy", "undo", number)).ShouldBe(1);
        _anna.Error.ShouldContain("Only master administrators");
        (await _olga.RunAsync("policy", "undo", "yesterday")).ShouldBe(2);
        (await _olga.RunAsync("policy", "undo", "4711")).ShouldBe(4);
    }

    [Fact]
    public async Task A_group_of_people_from_outside_is_made_filled_listed_and_removed()
    {
        foreach (var name in (string[])["carl", "cora"]) await _server.PostAsync("contacts", new JsonObject { ["name"] = name, ["mail"] = $"{name}@customer.example" });
        (await _olga.RunAsync("external-groups", "add", "Partners", "--description", "of the north")).ShouldBe(0, _olga.Error);
        (await _olga.RunAsync("external-groups", "add", "partners")).ShouldBe(1);
        (await _olga.RunAsync("external-groups", "admit", "Partners", "carl@customer.example", "cora@customer.example")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldBe("Admitted carl@customer.example.\nAdmitted cora@customer.example.\n");
        (await _olga.RunAsync("external-groups", "admit", "Partners", "carl@customer.example")).ShouldBe(0, _olga.Error);
        (_olga.Output, _olga.Error).ShouldBe(("", "It was so already: nothing was changed.\n"));
        (await _olga.RunAsync("external-groups", "admit", "Partners", "anna")).ShouldNotBe(0);
        (await _olga.RunAsync("external-groups", "admit", "Partners", "nobody")).ShouldBe(4);
        (await _olga.RunAsync("external-groups", "dismiss", "Partners", "cora@customer.example")).ShouldBe(0, _olga.Error);
        (await _olga.RunAsync("external-groups", "list")).ShouldBe(0, _olga.Error);
        var row = _olga.Output.TrimEnd('\n').Split('\n')[1];
        row.ShouldStartWith("Partners");
        row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].ShouldBe("1");
        row.ShouldContain("of the north");

        (await _anna.RunAsync("external-groups", "list")).ShouldBe(0, _anna.Error);
        _anna.Output.ShouldNotContain("Partners");
        (await _anna.RunAsync("external-groups", "admit", "Partners", "carl")).ShouldBe(4);
        (await _olga.RunAsync("external-groups", "remove", "Partners")).ShouldBe(0, _olga.Error);
        (await _olga.RunAsync("external-groups", "list")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldNotContain("Partners");
    }

    [Fact]
    public async Task The_machine_form_goes_from_page_to_page()
    {
        var names = new List<string>();
        string[] cursor = [];
        do
        {
            (await _olga.RunAsync(["devices", "--json", "--limit", "2", .. cursor])).ShouldBe(0, _olga.Error);
            using var page = JsonDocument.Parse(_olga.Output);
            names.AddRange(page.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!));
            cursor = page.RootElement.GetProperty("next").GetString() is { } next ? ["--cursor", next] : [];
        }
        while (cursor.Length > 0);
        names.Order(StringComparer.Ordinal).ShouldBe(["db1", "db2", "web1"]);

        (await _olga.RunAsync("devices", "--limit", "2")).ShouldBe(0, _olga.Error);
        _olga.Error.ShouldStartWith("There are more: add --cursor ");
    }

    [Fact]
    public async Task An_explanation_says_whether_and_why()
    {
        (await _olga.RunAsync("explain", "anna", "web1", "Terminal")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldStartWith("anna on web1: allowed\n  - ");
        _olga.Output.ShouldContain(SystemRoles.OnlyDeviceConnection.Name);
        (await _olga.RunAsync("explain", "anna", "db1")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldStartWith("anna on db1: denied (");
        // A grant that names no accounts is for the default one.
        (await _olga.RunAsync("explain", "anna", "web1", "Terminal", "--account", "www", "--json")).ShouldBe(0, _olga.Error);
        using var answer = JsonDocument.Parse(_olga.Output);
        answer.RootElement.GetProperty("decision").GetString().ShouldBe("denied");
        answer.RootElement.GetProperty("lines").GetArrayLength().ShouldBeGreaterThan(0);
        (await _olga.RunAsync("explain", "anna", "web1", "NoSuchPermission")).ShouldBe(1);
        _olga.Error.ShouldContain("permission: ");
    }

    [Fact]
    public async Task What_one_may_not_see_is_not_found_like_what_is_not_there()
    {
        (await _anna.RunAsync("explain", "anna", "db1")).ShouldBe(4);
        var hidden = _anna.Error;
        (await _anna.RunAsync("explain", "anna", "nothing")).ShouldBe(4);
        _anna.Error.ShouldBe(hidden);
        (await _anna.RunAsync("explain", "olga", "web1")).ShouldBe(4);
        _anna.Error.ShouldBe(hidden);
    }

    public async ValueTask DisposeAsync()
    {
        _anna.Dispose();
        _olga.Dispose();
        await _server.DisposeAsync();
    }

    private async Task<string> AddDeviceAsync(string group, string name, string description) =>
        (string)(await _server.PostAsync("devices", new JsonObject
        {
            ["group"] = group,
            ["name"] = name,
            ["description"] = description,
            ["host"] = "192.0.2.1",
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh" }),
            ["accounts"] = new JsonArray("root", "www"),
        }))["id"]!;

    private async Task SignInAsync(FakeTerminal terminal, string login, string password)
    {
        terminal.Input = password;
        (await terminal.RunAsync("login", "--server", _server.Address, "--password-stdin", login)).ShouldBe(0, terminal.Error);
    }

    private async Task SignInAnnaAsync()
    {
        _anna.CanAsk = true;
        foreach (var typed in new[] { GivenPassword, OwnPassword, OwnPassword })
            _anna.Secrets.Enqueue(typed);
        (await _anna.RunAsync("login", "--server", _server.Address, "anna")).ShouldBe(0, _anna.Error);
    }
}
