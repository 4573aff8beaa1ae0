using System.Text.Json.Nodes;
using Countersign.Cli.AgainstTheServer;

namespace Countersign.Cli;

/// <summary>The certificate authority that devices trust.</summary>
public sealed class AuthorityTests : IAsyncLifetime
{
    private readonly FakeTerminal _olga = new();
    private LiveServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        await _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = "Servers" });
        _olga.Input = LiveServer.Password;
        (await _olga.RunAsync("login", "--server", _server.Address, "--password-stdin", "olga")).ShouldBe(0, _olga.Error);
    }

    public async ValueTask DisposeAsync()
    {
        _olga.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_lines_for_sshd_are_all_that_is_printed_and_a_change_of_keys_says_what_to_do()
    {
        (await _olga.RunAsync("ca", "show")).ShouldBe(0, _olga.Error);
        var first = _olga.Output;
        first.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldHaveSingleItem().ShouldStartWith("ssh-ed25519 ");

        (await _olga.RunAsync("ca", "rotate")).ShouldBe(0, _olga.Error);
        _olga.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
        _olga.Output.ShouldEndWith(first);
        var old = (string)JsonNode.Parse(await _server.GetAsync("ssh/ca"))!["authorities"]![1]!["id"]!;
        _olga.Error.ShouldContain($"countersign ca remove {old}");
        (await _olga.RunAsync("ca", "rotate")).ShouldBe(1);

        (await _olga.RunAsync("ca", "remove", old)).ShouldBe(0, _olga.Error);
        (await _olga.RunAsync("ca", "show")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldNotContain(first.Trim());
        (await _olga.RunAsync("ca", "remove", old)).ShouldBe(4);
    }

    [Fact]
    public async Task The_front_door_s_is_shown_by_fingerprints_and_changed_by_itself()
    {
        (await _olga.RunAsync("ca", "show")).ShouldBe(0, _olga.Error);
        var devices = _olga.Output;
        (await _olga.RunAsync("ca", "show", "--front-door")).ShouldBe(0, _olga.Error);
        _olga.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldHaveSingleItem().ShouldEndWith("  signs");
        _olga.Output.ShouldContain("  SHA256:");
        _olga.Output.ShouldNotContain("ssh-ed25519");

        (await _olga.RunAsync("ca", "rotate", "--front-door")).ShouldBe(0, _olga.Error);
        var old = (string)JsonNode.Parse(await _server.GetAsync("ssh/door-ca"))!["authorities"]![1]!["id"]!;
        _olga.Output.Split('\n')[1].ShouldStartWith(old);
        _olga.Error.ShouldContain($"countersign ca remove {old} --front-door");
        (await _olga.RunAsync("ca", "remove", old)).ShouldBe(4);
        (await _olga.RunAsync("ca", "remove", old, "--front-door")).ShouldBe(0, _olga.Error);
        (await _olga.RunAsync("ca", "show", "--front-door")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldNotContain(old);
        (await _olga.RunAsync("ca", "show")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldBe(devices);
    }
}
