using System.Text.Json.Nodes;
using Countersign.Cli.AgainstTheServer;
using Microsoft.AspNetCore.Http;

namespace Countersign.Cli;

/// <summary>What the tool tells OpenSSH of the gateway.</summary>
public sealed class GateTests : IAsyncLifetime
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGemTbJuCKKnftRudqDgMYzLbTUXvsQuvbiBsXRxvzfg";

    private readonly FakeTerminal _olga = new();
    private LiveServer _server = null!;

    private string Ssh => Path.Combine(_olga.PathOf(".ssh"), "countersign.config");

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        var group = (string)(await _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = "Servers" }))["id"]!;
        foreach (var name in new[] { "web1", "db1.example.org" })
        {
            await _server.PostAsync("devices", new JsonObject
            {
                ["group"] = group,
                ["name"] = name,
                ["host"] = "192.0.2.1",
                ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh" }),
                ["accounts"] = new JsonArray("root"),
            });
        }

        // Nobody gets there by ssh.
        await _server.PostAsync("devices", new JsonObject
        {
            ["group"] = group,
            ["name"] = "screen1",
            ["host"] = "192.0.2.1",
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "rdp" }),
            ["accounts"] = new JsonArray("root"),
        });

        _olga.Input = LiveServer.Password;
        (await _olga.RunAsync("login", "--server", _server.Address, "--password-stdin", "olga")).ShouldBe(0, _olga.Error);
    }

    public async ValueTask DisposeAsync()
    {
        _olga.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Each_device_is_a_host_with_the_gateways_own_keys_pinned()
    {
        (await _olga.RunAsync("ssh-config")).ShouldBe(0, _olga.Error);
        var door = JsonNode.Parse(await _server.GetAsync("ssh"))!;
        var port = (int)door["port"]!;
        _olga.Output.ShouldContain($"Host web1\n    HostName 127.0.0.1\n    Port {port}\n    User olga+web1\n    HostKeyAlias countersign-127.0.0.1-{port}\n");
        _olga.Output.ShouldContain("Host db1.example.org\n");
        _olga.Output.ShouldNotContain("screen1");
        _olga.Output.ShouldContain("    StrictHostKeyChecking yes\n");
        var pinned = await File.ReadAllLinesAsync(Path.Combine(_olga.ConfigFolder, $"known_hosts-countersign-127.0.0.1-{port}"), TestContext.Current.CancellationToken);
        pinned.ShouldBe(door["hostKeys"]!.AsArray().Select(key => $"countersign-127.0.0.1-{port} {key}"));
        File.Exists(Ssh).ShouldBeFalse();
    }

    [Fact]
    public async Task Writing_it_again_changes_nothing_and_others_can_not_read_it()
    {
        (await _olga.RunAsync("ssh-config", "--write")).ShouldBe(0, _olga.Error);
        _olga.Error.ShouldContain("Include countersign.config");
        File.GetUnixFileMode(Ssh).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var first = await File.ReadAllTextAsync(Ssh, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_olga.PathOf(".ssh"), "config"), "Include countersign.config\nHost *\n", TestContext.Current.CancellationToken);

        (await _olga.RunAsync("ssh-config", "--write")).ShouldBe(0, _olga.Error);
        _olga.Error.ShouldContain("is as it has to be: 2 devices.");
        _olga.Error.ShouldNotContain("Include");

        File.SetUnixFileMode(Ssh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        (await _olga.RunAsync("ssh-config", "--write")).ShouldBe(0, _olga.Error);
        File.GetUnixFileMode(Ssh).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await File.ReadAllTextAsync(Ssh, TestContext.Current.CancellationToken)).ShouldBe(first);
    }

    [Fact]
    public async Task The_systems_programs_are_started_with_what_they_have_to_know()
    {
        _olga.ProgramsExitWith = 7;
        (await _olga.RunAsync("ssh", "web1", "--account", "root", "--", "df", "-h", "/a b")).ShouldBe(7, _olga.Error);
        var started = _olga.Programs.ShouldHaveSingleItem();
        started[0].ShouldBe("ssh");
        started.ShouldContain("User=olga+web1+root");
        started.ShouldContain("StrictHostKeyChecking=yes");
        started.TakeLast(5).ShouldBe(["--", "web1", "df", "-h", "/a b"]);

        _olga.Programs.Clear();
        (await _olga.RunAsync("sftp", "web1")).ShouldBe(7, _olga.Error);
        _olga.Programs.ShouldHaveSingleItem().TakeLast(2).ShouldBe(["--", "web1"]);

        _olga.ProgramsExitWith = null;
        (await _olga.RunAsync("ssh", "web1")).ShouldBe(1);
        _olga.Error.ShouldContain("can't be started");
    }

    [Theory]
    [InlineData("-oProxyCommand=id")]
    [InlineData("web1\nHost *")]
    [InlineData("web 1")]
    [InlineData("*")]
    [InlineData("web1$HOME")]
    public async Task What_is_no_device_is_not_handed_on(string device)
    {
        (await _olga.RunAsync("ssh", "--", device)).ShouldBe(2);
        (await _olga.RunAsync("ssh", "--account", device, "web1")).ShouldBe(2);
        _olga.Programs.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("web1\\n  ProxyCommand id", "h.example.org", Key, "has no place in a configuration")]
    [InlineData("*", "h.example.org", Key, "has no place in a configuration")]
    [InlineData("!web1", "h.example.org", Key, "has no place in a configuration")]
    [InlineData("web1", "-oProxyCommand=id", Key, "has no place in a configuration")]
    [InlineData("web1", "h\\n  ProxyCommand id", Key, "has no place in a configuration")]
    [InlineData("web1", "h.example.org", "ssh-ed25519 nothing", "one of its host keys is none")]
    public async Task Names_and_keys_that_have_no_place_in_a_configuration_fail_it_whole(string device, string host, string key, string why)
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync(context.Request.Path.Value switch
        {
            "/api/v1/me/certificate" => "null",
            "/api/v1/me" => """{"person":{"login":"olga"}}""",
            "/api/v1/ssh" => $$"""{"host":"{{host}}","port":22,"hostKeys":["{{key}}"]}""",
            _ => $$"""{"items":[{"name":"web0","state":"allowed","services":[{"protocol":"ssh"}]},{"name":"{{device}}","state":"allowed","services":[{"protocol":"ssh"}]}]}""",
        }));
        using var terminal = new FakeTerminal { ["COUNTERSIGN_TOKEN"] = "token" };
        (await terminal.RunAsync("ssh-config", "--server", server.Address)).ShouldBe(1);
        terminal.Output.ShouldBeEmpty();
        terminal.Error.ShouldContain(why);
    }
}
