using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>One device, as the command line shows and changes it.</summary>
public sealed class DeviceEditTests : IAsyncLifetime
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhY5JSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";
    private static readonly string _certificate = "sha256:" + new string('a', 64);

    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync()
    {
        _olga = await SignedIn.StartAsync();
        await RunAsync(0, "device-groups", "add", "Servers");
        await RunAsync(0, "device-groups", "add", "Office");
    }

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task A_device_is_added_with_its_services_shown_and_changed()
    {
        await RunAsync(0, "devices", "add", "pc7", "--group", "Servers", "--host", "192.0.2.7", "--service", "ssh=" + Key, "--service", "RDP:3390=" + _certificate, "--service", "vnc", "--account", "ann", "--tag", "windows");
        _olga.Output.ShouldBe("Added pc7.\n");
        await RunAsync(0, "devices", "show", "pc7");
        _olga.Output.ShouldBe(
            $"pc7: allowed, at 192.0.2.7\nservice ssh:22: {Key}\nservice rdp:3390: {_certificate}\nservice vnc:5900\naccounts: ann\ntags: windows\ngroup: Servers\n");

        await RunAsync(0, "devices", "edit", "pc7", "--service", "ssh:2022", "--service", "https", "--remove-service", "VNC", "--group", "Office", "--description", "Ann's", "--account", "bob", "--default-account", "bob");
        _olga.Output.ShouldBe(
            $"pc7: allowed, at 192.0.2.7\nAnn's\nservice ssh:2022: {Key}\nservice rdp:3390: {_certificate}\nservice https:443: nothing pinned\naccounts: bob, ann\ntags: windows\n");
        await RunAsync(0, "devices", "service:https");
        _olga.Output.ShouldContain("ssh:2022, rdp:3390, https:443");

        await RunAsync(0, "devices", "edit", "pc7", "--remove-service", "ssh", "--remove-service", "rdp", "--remove-service", "https", "--enabled", "false", "--rename", "pc8");
        _olga.Output.ShouldBe("pc8: disabled, at 192.0.2.7\nAnn's\nno service: it can't be reached\naccounts: bob, ann\ntags: windows\n");
    }

    [Fact]
    public async Task Without_a_word_of_services_a_device_has_one_by_ssh()
    {
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--account", "root");
        await RunAsync(0, "devices", "show", "web1", "--json");
        var service = JsonNode.Parse(_olga.Output)!["services"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)service["protocol"]!, (int)service["port"]!, (string)service["hostKey"]!).ShouldBe(("ssh", 22, ""));
    }

    [Fact]
    public async Task The_host_key_that_is_shown_is_read_and_pinned()
    {
        var door = JsonNode.Parse(await _olga.Server.GetAsync("ssh"))!;
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "127.0.0.1", "--service", $"ssh:{door["port"]}");
        await RunAsync(0, "devices", "host-key", "web1");
        var key = _olga.Output.Trim();
        door["hostKeys"]!.AsArray().Select(shown => (string)shown!).ShouldContain(key);
        var fingerprint = _olga.Error.Trim();
        fingerprint.ShouldStartWith("SHA256:");
        var other = "SHA256:" + new string('A', 43);
        await RunAsync(1, "devices", "host-key", "web1", "--expect", other);
        (_olga.Output, _olga.Error).ShouldBe(("", $"countersign: web1 shows {fingerprint}, and not {other}.\nDon't pin it before its own people have told why.\n"));
        await RunAsync(1, "devices", "host-key", "web1", "--expect", other, "--json");
        _olga.Output.ShouldBeEmpty();
        await RunAsync(2, "devices", "host-key", "web1", "--expect", "SHA256:");
        await RunAsync(0, "devices", "host-key", "web1", "--expect", fingerprint);
        _olga.Output.Trim().ShouldBe(key);
        await RunAsync(0, "devices", "edit", "web1", "--service", $"ssh={key}");
        _olga.Output.ShouldContain($"service ssh:{door["port"]}: {key}\n");
        await RunAsync(0, "devices", "edit", "web1", "--remove-service", "ssh");
        await RunAsync(1, "devices", "host-key", "web1");
        _olga.Error.ShouldContain("It has no service by ssh.");
    }

    [Fact]
    public async Task What_is_no_service_is_told_beside_it_and_nothing_is_done()
    {
        await RunAsync(2, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh:many");
        _olga.Error.ShouldContain("\"ssh:many\" is no service: a port is a number from 1 to 65535.");
        await RunAsync(2, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh", "--service", "rdp:70000");
        _olga.Error.ShouldContain("a port is a number from 1 to 65535.");
        await RunAsync(2, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "telnet");
        _olga.Error.ShouldContain("There is no protocol \"telnet\".");
        await RunAsync(2, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh", "--service", "SSH:23");
        _olga.Error.ShouldContain("ssh is named twice.");
        await RunAsync(1, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh=no-key");
        _olga.Error.ShouldContain("services[0].hostKey");
        await RunAsync(4, "devices", "show", "web1");
        await RunAsync(4, "devices", "edit", "web1", "--service", "ssh");
    }

    [Fact]
    public async Task A_pin_is_taken_off_by_a_word_and_not_by_a_command_that_failed()
    {
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh=" + Key, "--service", "rdp=" + _certificate);
        await RunAsync(2, "devices", "edit", "web1", "--service", "ssh=");
        _olga.Error.ShouldBe("countersign: \"ssh=\" pins nothing.\nWrite what it has to show after =, or ssh=none to take off what is pinned.\n");
        await RunAsync(2, "devices", "edit", "web1", "--service", "rdp= ");
        await RunAsync(0, "devices", "show", "web1");
        _olga.Output.ShouldContain($"service ssh:22: {Key}\nservice rdp:3389: {_certificate}\n");
        await RunAsync(0, "devices", "edit", "web1", "--service", "ssh:2022=none", "--service", "rdp=none");
        _olga.Output.ShouldContain("service ssh:2022: nothing pinned\nservice rdp:3389: nothing pinned\n");
    }

    [Fact]
    public async Task Tags_and_accounts_come_and_go_one_by_one_down_to_none()
    {
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--account", "root", "--tag", "old");
        await RunAsync(0, "devices", "edit", "web1", "--tag", "linux", "--tag", "old", "--account", "deploy");
        _olga.Output.ShouldEndWith("accounts: root, deploy\ntags: linux old\n");
        await RunAsync(2, "devices", "edit", "web1", "--remove-account", "root");
        _olga.Error.ShouldContain("root is the default account of web1.");
        await RunAsync(0, "devices", "edit", "web1", "--remove-account", "root", "--default-account", "deploy", "--untag", "OLD");
        _olga.Output.ShouldEndWith("accounts: deploy\ntags: linux\n");
        await RunAsync(0, "devices", "edit", "web1", "--remove-account", "deploy", "--untag", "linux");
        _olga.Output.ShouldEndWith("service ssh:22: nothing pinned\nno account\n");
    }

    [Fact]
    public async Task What_would_go_and_is_not_there_or_comes_as_well_is_refused()
    {
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--account", "root", "--tag", "old");
        foreach (var (line, told) in new[]
        {
            ("--remove-service telnet", "There is no protocol \"telnet\"."),
            ("--remove-service vnc", "web1 has no service by vnc."),
            ("--remove-service SSH --service ssh:23", "The service by ssh can't both come and go"),
            ("--untag older", "web1 has no tag older."),
            ("--tag new --untag new", "The tag new can't both come and go"),
            ("--remove-account Root", "web1 has no account Root."),
            ("--account a --remove-account a", "The account a can't both come and go"),
            ("--default-account admin", "web1 has no account admin."),
            ("--preview", "Nothing is named that is to change."),
            ("--enabled maybe", "maybe"),
        })
        {
            await _olga.RunAsync(2, ["devices", "edit", "web1", .. line.Split(' ')]);
            _olga.Error.ShouldContain(told);
        }

        await RunAsync(0, "policy", "changes", "--limit", "1");
        _olga.Output.ShouldContain("Added the device web1");
    }

    [Fact]
    public async Task A_change_of_a_device_is_shown_before_it_is_made()
    {
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--preview");
        _olga.Output.ShouldStartWith("Added the device web1 to Servers.\n");
        await RunAsync(4, "devices", "show", "web1");
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1");
        await RunAsync(0, "devices", "edit", "web1", "--tag", "linux", "--preview");
        _olga.Output.ShouldBe("Edited the device web1.\n  - changed: device web1\n");
        _olga.Error.ShouldBe("Nothing was changed.\n");
        await RunAsync(0, "devices", "edit", "web1", "--tag", "linux", "--json");
        ((string)_olga.Json["tags"]![0]!).ShouldBe("linux");
        await RunAsync(0, "devices", "edit", "web1", "--tag", "linux");
        _olga.Error.ShouldBe("It was so already: nothing was changed.\n");
    }

    [Fact]
    public async Task A_change_starts_from_what_was_read()
    {
        var read = new List<string?>();
        await using var server = await HostileServer.StartAsync(async context =>
        {
            if (context.Request.Method != "PATCH")
            {
                const string Device = """{"id":"00000000-0000-0000-0000-000000000007","name":"web1","version":7,"services":[{"protocol":"ssh","port":22,"hostKey":""},{"protocol":"vnc","port":5900}]}""";
                await context.Response.WriteAsync(context.Request.Path.Value == "/api/v1/devices" ? $$"""{"items":[{{Device}}]}""" : Device);
                return;
            }

            read.Add(context.Request.Headers.IfMatch);
            context.Response.StatusCode = 412;
            context.Response.ContentType = "application/problem+json";
            await context.Response.WriteAsync("""{"title":"Changed meanwhile","detail":"Changed by Adam at noon."}""");
        });
        using var terminal = new FakeTerminal { ["COUNTERSIGN_TOKEN"] = "token" };
        (await terminal.RunAsync("devices", "edit", "web1", "--server", server.Address, "--service", "rdp", "--remove-service", "vnc")).ShouldBe(1, terminal.Error);
        terminal.Error.ShouldContain("Changed by Adam at noon.");
        read.ShouldBe(["\"7\""]);
        server.Requests.Last().ShouldBe("""PATCH /api/v1/devices/00000000-0000-0000-0000-000000000007 {"services":[{"protocol":"ssh"},{"protocol":"rdp"}]}""");
    }

    private Task RunAsync(int exit, params string[] arguments) => _olga.RunAsync(exit, arguments);
}
