using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>One device, as the command line shows and changes it.</summary>
public sealed class DeviceEditTests : IAsyncLifetime
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhY5JSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";
    private static readonly string _certificate = "sha256:" + new string('a', 64);

    private readonly FakeTerminal _terminal = new() { CanAsk = true };
    private LiveServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        await _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = "Servers" });
        await _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = "Office" });
        _terminal.Secrets.Enqueue(LiveServer.Password);
        await RunAsync(0, "login", "--server", _server.Address, "olga");
    }

    public async ValueTask DisposeAsync()
    {
        _terminal.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_device_is_added_with_its_services_shown_and_changed()
    {
        await RunAsync(0, "devices", "add", "pc7", "--group", "Servers", "--host", "192.0.2.7", "--service", "ssh=" + Key, "--service", "RDP:3390=" + _certificate, "--service", "vnc", "--account", "ann", "--tag", "windows");
        _terminal.Output.ShouldBe("Added pc7.\n");
        await RunAsync(0, "devices", "show", "pc7");
        _terminal.Output.ShouldBe(
            $"pc7: allowed, at 192.0.2.7\nservice ssh:22: {Key}\nservice rdp:3390: {_certificate}\nservice vnc:5900\naccounts: ann\ntags: windows\n");

        await RunAsync(0, "devices", "edit", "pc7", "--service", "ssh:2022", "--service", "https", "--remove-service", "VNC", "--group", "Office", "--description", "Ann's", "--account", "bob", "--account", "ann");
        _terminal.Output.ShouldBe(
            $"pc7: allowed, at 192.0.2.7\nAnn's\nservice ssh:2022: {Key}\nservice rdp:3390: {_certificate}\nservice https:443: nothing pinned\naccounts: bob, ann\ntags: windows\n");
        await RunAsync(0, "devices", "service:https");
        _terminal.Output.ShouldContain("ssh:2022, rdp:3390, https:443");

        await RunAsync(0, "devices", "edit", "pc7", "--remove-service", "ssh", "--remove-service", "rdp", "--remove-service", "https", "--enabled", "false", "--rename", "pc8");
        _terminal.Output.ShouldBe("pc8: disabled, at 192.0.2.7\nAnn's\nno service: it can't be reached\naccounts: bob, ann\ntags: windows\n");
    }

    [Fact]
    public async Task Without_a_word_of_services_a_device_has_one_by_ssh()
    {
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--account", "root");
        await RunAsync(0, "devices", "show", "web1", "--json");
        var service = JsonNode.Parse(_terminal.Output)!["services"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)service["protocol"]!, (int)service["port"]!, (string)service["hostKey"]!).ShouldBe(("ssh", 22, ""));
    }

    [Fact]
    public async Task The_host_key_that_is_shown_is_read_and_pinned()
    {
        var door = JsonNode.Parse(await _server.GetAsync("ssh"))!;
        await RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "127.0.0.1", "--service", $"ssh:{door["port"]}");
        await RunAsync(0, "devices", "host-key", "web1");
        var key = _terminal.Output.Trim();
        door["hostKeys"]!.AsArray().Select(shown => (string)shown!).ShouldContain(key);
        _terminal.Error.ShouldStartWith("SHA256:");
        await RunAsync(0, "devices", "edit", "web1", "--service", $"ssh={key}");
        _terminal.Output.ShouldContain($"service ssh:{door["port"]}: {key}\n");
        await RunAsync(0, "devices", "edit", "web1", "--remove-service", "ssh");
        await RunAsync(1, "devices", "host-key", "web1");
        _terminal.Error.ShouldContain("It has no service by ssh.");
    }

    [Fact]
    public async Task What_is_no_service_is_told_beside_it_and_nothing_is_done()
    {
        await RunAsync(2, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh:many");
        _terminal.Error.ShouldContain("\"ssh:many\" is no service.");
        await RunAsync(1, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh", "--service", "rdp:70000");
        _terminal.Error.ShouldContain("services[1].port: A port is a number from 1 to 65535.");
        await RunAsync(1, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "telnet");
        _terminal.Error.ShouldContain("services[0].protocol");
        await RunAsync(1, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh", "--service", "ssh:23");
        _terminal.Error.ShouldContain("services[1].protocol");
        await RunAsync(4, "devices", "show", "web1");
        await RunAsync(4, "devices", "edit", "web1", "--service", "ssh");
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

    private async Task RunAsync(int exit, params string[] arguments) => (await _terminal.RunAsync(arguments)).ShouldBe(exit, _terminal.Error);
}
