using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>Technician groups on the command line.</summary>
public sealed class GroupsTests : IAsyncLifetime
{
    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync() => _olga = await SignedIn.StartAsync();

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task Groups_go_by_their_paths_where_names_are_not_enough()
    {
        await _olga.RunAsync(0, "groups", "add", "Berlin");
        _olga.Output.ShouldBe("Added Berlin.\n");
        await _olga.RunAsync(0, "groups", "add", "Munich");
        await _olga.RunAsync(0, "groups", "add", "Support", "--parent", "Berlin", "--description", "First level");
        await _olga.RunAsync(0, "groups", "add", "Support", "--parent", "Munich");
        await _olga.RunAsync(1, "groups", "add", "Support", "--parent", "Munich");
        await _olga.RunAsync(2, "groups", "show", "Support");
        _olga.Error.ShouldContain("Several groups are called Support: Berlin / Support, Munich / Support.");
        await _olga.RunAsync(0, "groups", "show", "berlin/support");
        _olga.Output.ShouldBe(
            "Berlin / Support: enabled\nFirst level\nmembers: none\nmanagers: none\nadministrators: none\nmanagerial approval: not required\nconsent: none\nsingle prompt: no\napproved external groups: none (inherited)\n");
        await _olga.RunAsync(0, "groups", "list");
        _olga.Rows("GROUP", "STATE", "MEMBERS", "MANAGERS", "ADMINISTRATORS", "DESCRIPTION").ShouldBe(
        [
            ["Berlin", "enabled", "0", "0", "0", ""],
            ["Everyone", "enabled", "0", "0", "0", ""],
            ["Munich", "enabled", "0", "0", "0", ""],
            ["Berlin / Support", "enabled", "0", "0", "0", "First level"],
            ["Munich / Support", "enabled", "0", "0", "0", ""],
        ], ignoreOrder: true);

        // What is at the top goes by its name, although others below have the same.
        await _olga.RunAsync(0, "groups", "add", "Support");
        await _olga.RunAsync(0, "groups", "remove", "Support");
        await _olga.RunAsync(0, "groups", "remove", "Munich / Support", "--preview");
        _olga.Output.ShouldStartWith("Deleted the technician group Munich / Support.");
        await _olga.RunAsync(1, "groups", "remove", "Munich");
        await _olga.RunAsync(4, "groups", "remove", "Munich / Sales");
    }

    [Fact]
    public async Task A_group_administrator_works_inside_their_branch_and_finds_nothing_outside_it()
    {
        foreach (var login in (string[])["gus", "tina", "tom"]) await _olga.AddTechnicianAsync(login);
        await _olga.RunAsync(0, "groups", "add", "Berlin");
        await _olga.RunAsync(0, "groups", "add", "Support", "--parent", "Berlin");
        await _olga.RunAsync(0, "groups", "add", "Munich");
        await _olga.RunAsync(0, "groups", "admit", "Berlin", "gus", "--as", "administrator");
        await _olga.RunAsync(0, "groups", "admit", "Berlin", "tina");
        await _olga.RunAsync(0, "groups", "admit", "Munich", "tom");
        using var gus = await _olga.SignInAsync("gus");
        var before = await _olga.NewestChangeAsync();

        // Inside.
        await RunAsync(0, "groups", "list");
        gus.Output.ShouldContain("Berlin / Support");
        gus.Output.ShouldNotContain("Munich");
        await RunAsync(0, "groups", "add", "Night shift", "--parent", "Berlin");
        await RunAsync(0, "groups", "admit", "Night shift", "tina");
        await RunAsync(0, "groups", "edit", "Support", "--description", "First level", "--preview");
        await RunAsync(0, "groups", "edit", "Support", "--description", "First level");
        await RunAsync(0, "technicians", "show", "tina");
        gus.Output.ShouldContain("groups: Berlin, Berlin / Night shift\n");
        (await _olga.NewestChangeAsync()).ShouldBe(before + 3);

        // Their own group is edited by others, and so is what lies outside, which is not there.
        await RunAsync(1, "groups", "edit", "Berlin", "--rename", "Bonn");
        await RunAsync(1, "groups", "admit", "Berlin", "tina", "--as", "administrator");
        await RunAsync(1, "technicians", "disable", "tina");
        foreach (var command in (string[][])
        [
            ["groups", "show", "Munich"], ["groups", "edit", "Munich", "--rename", "Bonn"], ["groups", "admit", "Munich", "tina"], ["groups", "remove", "Munich"],
            ["groups", "admit", "Support", "tom"], ["technicians", "show", "tom"], ["technicians", "signins", "tom"], ["technicians", "disable", "tom"], ["grants", "list", "--technician", "tom"],
        ])
        {
            await RunAsync(4, command);
            gus.Error.ShouldContain("that you may see");
        }

        (await _olga.NewestChangeAsync()).ShouldBe(before + 3);

        async Task RunAsync(int exit, params string[] arguments) => (await gus.RunAsync(arguments)).ShouldBe(exit, $"{string.Join(' ', arguments)}\n{gus.Output}{gus.Error}");
    }

    [Fact]
    public async Task A_group_is_changed_in_what_is_named_and_in_nothing_else()
    {
        await _olga.RunAsync(0, "external-groups", "add", "Partners");
        await _olga.RunAsync(0, "external-groups", "add", "Resellers");
        await _olga.RunAsync(0, "groups", "add", "Juniors", "--managerial-approval", "true", "--consent", "ask", "--single-prompt", "true", "--members-approve", "true");
        var newest = await _olga.NewestChangeAsync();
        await _olga.RunAsync(2, "groups", "edit", "Juniors");
        await _olga.RunAsync(2, "groups", "edit", "Juniors", "--consent", "sometimes");
        await _olga.RunAsync(2, "groups", "edit", "Juniors", "--approve-external", "Partners", "--inherit-externals");
        await _olga.RunAsync(4, "groups", "edit", "Juniors", "--rename", "Apprentices", "--approve-external", "Nobody");
        await _olga.RunAsync(0, "groups", "edit", "Juniors", "--managerial-approval", "false", "--approve-external", "Partners", "--preview");
        (await _olga.NewestChangeAsync()).ShouldBe(newest);

        await _olga.RunAsync(0, "groups", "edit", "Juniors", "--rename", "Apprentices", "--members-approve", "false", "--approve-external", "Partners", "--approve-external", "resellers");
        _olga.Output.ShouldBe("Changed Juniors.\nChanged what external groups Juniors approves.\n");
        await _olga.RunAsync(0, "groups", "edit", "Apprentices", "--disapprove-external", "Partners", "--enabled", "false");
        await _olga.RunAsync(0, "groups", "show", "Apprentices");
        _olga.Output.ShouldBe(
            "Apprentices: disabled\nmembers: none\nmanagers: none\nadministrators: none\nmanagerial approval: required\nconsent: ask\nsingle prompt: yes\napproved external groups: Resellers\n");
        await _olga.RunAsync(0, "groups", "edit", "Apprentices", "--inherit-externals");
        ((bool)(await _olga.ReadAsync("groups", "show", "Apprentices"))["inheritsApprovedExternalGroups"]!).ShouldBeTrue();
        await _olga.RunAsync(0, "groups", "edit", "Apprentices", "--enabled", "true", "--approve-external", "Partners", "--json");
        _olga.Output.TrimEnd('\n').Split('\n').Select(line => (int)JsonNode.Parse(line)!["approvedExternalGroups"]!.AsArray().Count).ShouldBe([0, 1]);
    }

    [Fact]
    public async Task People_are_members_managers_and_administrators_until_they_are_dismissed()
    {
        await _olga.AddTechnicianAsync("anna");
        await _olga.AddTechnicianAsync("tina");
        await _olga.AddContactAsync("carl");
        await _olga.RunAsync(0, "groups", "add", "Support");
        await _olga.RunAsync(0, "groups", "admit", "Support", "tina", "anna@example.org");
        _olga.Output.ShouldBe("Admitted tina.\nAdmitted anna@example.org.\n");
        await _olga.RunAsync(0, "groups", "admit", "Support", "anna");
        _olga.Output.ShouldBeEmpty();
        _olga.Error.ShouldBe("It was so already: nothing was changed.\n");
        await _olga.RunAsync(0, "groups", "admit", "Support", "tina", "--as", "manager");
        _olga.Output.ShouldBe("Admitted tina as manager.\n");
        await _olga.RunAsync(0, "groups", "admit", "Support", "anna", "--as", "administrator");
        await _olga.RunAsync(0, "groups", "show", "Support");
        _olga.Output.ShouldContain("members: anna, tina\nmanagers: tina\nadministrators: anna\n");
        await _olga.RunAsync(0, "groups", "dismiss", "Support", "tina", "--as", "manager", "--preview");
        _olga.Output.ShouldContain("is no longer manager of Support");
        await _olga.RunAsync(0, "groups", "dismiss", "Support", "tina", "--as", "manager");
        await _olga.RunAsync(0, "groups", "dismiss", "Support", "anna", "tina");
        await _olga.RunAsync(0, "groups", "show", "Support");
        _olga.Output.ShouldContain("members: none\nmanagers: none\nadministrators: anna\n");

        await _olga.RunAsync(1, "groups", "admit", "Support", "carl@customer.example");
        await _olga.RunAsync(4, "groups", "admit", "Support", "nobody");
        await _olga.RunAsync(4, "groups", "admit", "Nobody", "anna");
        await _olga.RunAsync(2, "groups", "admit", "Support");
        await _olga.RunAsync(2, "groups", "admit", "Support", "anna", "--as", "friend");
    }

    [Fact]
    public async Task What_a_group_restricts_is_set_locked_and_inherited_again()
    {
        await _olga.RunAsync(0, "groups", "add", "Support");
        await _olga.RunAsync(0, "groups", "add", "Juniors", "--parent", "Support");
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "port forwarding", "deny", "--lock", "--preview");
        _olga.Output.ShouldStartWith("Support denies Port forwarding, locked.");
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "port forwarding", "deny", "--lock");
        _olga.Output.ShouldBe("Support denies Tunnel, locked.\n");
        (await RowAsync("Juniors", "Tunnel")).ShouldBe(["deny", "", "locked", "Support", ""]);
        await _olga.RunAsync(1, "groups", "set-permission", "Juniors", "Tunnel", "allow");
        _olga.Error.ShouldContain("is locked by Support");

        // The lock stays until it is taken off.
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "Tunnel", "allow");
        (await RowAsync("Support", "Tunnel")).ShouldBe(["allow", "", "locked", "Support", "allow"]);
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "Tunnel", "allow", "--unlock");
        await _olga.RunAsync(0, "groups", "set-permission", "Juniors", "Tunnel", "deny");
        await _olga.RunAsync(0, "groups", "set-permission", "Juniors", "Tunnel", "inherit");
        _olga.Output.ShouldBe("Juniors inherits Tunnel.\n");
        (await RowAsync("Juniors", "Tunnel")).ShouldBe(["allow", "", "", "Support", ""]);

        await _olga.RunAsync(2, "groups", "set-permission", "Juniors", "Tunnel", "maybe");
        await _olga.RunAsync(2, "groups", "set-permission", "Juniors", "Tunnel", "inherit", "--lock");
        await _olga.RunAsync(2, "groups", "set-permission", "Juniors", "Tunnel", "deny", "--lock", "--unlock");
        await _olga.RunAsync(2, "groups", "set-permission", "Juniors", "Flying", "deny");
        await _olga.RunAsync(2, "groups", "set-permission", "Juniors", "AuditLog", "deny");
        _olga.Error.ShouldContain("A group can't restrict AuditLog.");
        await _olga.RunAsync(2, "groups", "set-permission", "Juniors", "Chat", "allow", "--option", "sideways");
        await _olga.RunAsync(1, "groups", "set-permission", "Juniors", "Tunnel", "allow", "--option", "on");
        await _olga.RunAsync(1, "groups", "set-permission", "Everyone", "Tunnel", "inherit");
    }

    [Fact]
    public async Task Options_stay_with_a_value_and_named_groups_come_and_go()
    {
        foreach (var name in (string[])["Support", "Seniors", "Sales"]) await _olga.RunAsync(0, "groups", "add", name);
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "Chat", "allow", "--option", "off");
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "Chat", "deny");
        (await RowAsync("Support", "Chat")).ShouldBe(["deny", "off", "", "Support", "deny off"]);
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "TransferSessions", "allow", "--add-named", "Seniors", "--add-named", "Sales");
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "TransferSessions", "allow", "--remove-named", "Sales");
        (await RowAsync("Support", "TransferSessions")).ShouldBe(["allow", "named: Seniors", "", "Support", "allow named: Seniors"]);
        await _olga.RunAsync(0, "groups", "set-permission", "Support", "TransferSessions", "allow", "--option", "any");
        (await RowAsync("Support", "TransferSessions")).ShouldBe(["allow", "any", "", "Support", "allow any"]);
        await _olga.RunAsync(2, "groups", "set-permission", "Support", "TransferSessions", "allow", "--option", "any", "--add-named", "Sales");
        var items = (await _olga.ReadAsync("groups", "permissions", "Support"))["items"]!.AsArray();
        ((string)items.Single(item => (string)item!["permission"]! == "Chat")!["ownOption"]!).ShouldBe("off");
    }

    [Fact]
    public async Task A_change_starts_from_what_was_read_and_the_second_of_two_from_the_first()
    {
        var versions = new List<string?>();
        await using var server = await HostileServer.StartAsync(async context =>
        {
            const string Group = "00000000-0000-0000-0000-000000000007";
            if (context.Request.Method != "GET")
            {
                versions.Add(context.Request.Headers.IfMatch);
                context.Response.StatusCode = versions.Count < 2 ? 200 : 412;
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(versions.Count < 2 ? """{"version":9}""" : """{"title":"Changed meanwhile","detail":"Changed by Adam at noon."}""");
                return;
            }

            await context.Response.WriteAsync(context.Request.Path.Value == $"/api/v1/technician-groups/{Group}"
                ? $$"""{"id":"{{Group}}","name":"Support","version":7,"approvedExternalGroups":["{{Group}}"]}"""
                : $$"""{"items":[{"id":"{{Group}}","name":"Support","parent":"unseen"}]}""");
        });
        using var terminal = new FakeTerminal { ["COUNTERSIGN_TOKEN"] = "token", ["COUNTERSIGN_SERVER"] = server.Address };
        (await terminal.RunAsync("groups", "edit", "Support", "--consent", "ask", "--disapprove-external", "Support")).ShouldBe(1, terminal.Error);
        terminal.Output.ShouldBe("Changed Support.\n");
        terminal.Error.ShouldContain("Changed by Adam at noon.");
        versions.ShouldBe(["\"7\"", "\"9\""]);
        server.Requests.Last().ShouldEndWith("""/approved-external-groups {"groups":[]}""");
        server.Requests.ShouldContain("""PATCH /api/v1/technician-groups/00000000-0000-0000-0000-000000000007 {"consent":"ask"}""");
    }

    private async Task<string[]> RowAsync(string group, string permission)
    {
        await _olga.RunAsync(0, "groups", "permissions", group);
        return _olga.Rows("PERMISSION", "VALUE", "OPTION", "LOCKED", "FROM", "OWN").Single(row => row[0] == permission)[1..];
    }
}
