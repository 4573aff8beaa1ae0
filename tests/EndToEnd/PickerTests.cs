using System.Text;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>The list that the stock <c>ssh</c> shows in a real terminal when no device was named.</summary>
public sealed class PickerTests : IAsyncLifetime
{
    private const string Title = "tina: devices";

    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        await _gateway.AddDeviceAsync("alpha", _gateway.Sshd.Port, _gateway.Sshd.HostKey.PublicLine, _gateway.Sshd.ClientKey.PrivateText);
        await _gateway.Owner.PostAsync("devices", new()
        {
            ["group"] = _gateway.Servers,
            ["name"] = "avnc",
            ["host"] = PrivateSshd.Host,
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "vnc" }),
            ["accounts"] = new JsonArray(PrivateSshd.User),
        });
        await _gateway.AddDeviceAsync("beta", _gateway.Sshd.Port, _gateway.Sshd.HostKey.PublicLine, _gateway.Sshd.ClientKey.PrivateText);
    }

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task What_is_chosen_opens_as_if_it_had_been_named()
    {
        await using var terminal = await OpenAsync();
        var screen = await terminal.VisibleAsync();
        screen.ShouldContain("> alpha");
        screen.ShouldContain("  beta ");
        screen.ShouldNotContain("avnc", Case.Sensitive, "nobody gets there by ssh");
        screen.ShouldContain("Servers");
        screen.ShouldContain("allowed");
        await terminal.TypeAsync("web");
        await terminal.WaitForAsync("1 of 3");
        await terminal.PressAsync("Enter");

        await RunAsync(terminal, "echo on $((40+2)); exit 5", "on 42");

        (await terminal.WaitForEndAsync()).ShouldBe(5);
        var session = await _gateway.EndedSessionAsync();
        ((string)session["deviceName"]!).ShouldBe("web01");
        (await terminal.ScreenAsync()).ShouldNotContain("Search:");
    }

    [Fact]
    public async Task Arrows_move_the_mark_and_the_search_is_cleared()
    {
        await using var terminal = await OpenAsync();
        await terminal.PressAsync("Down");
        await terminal.WaitForAsync("> beta");
        await terminal.PressAsync("End");
        await terminal.WaitForAsync("> web01");
        await terminal.PressAsync("Home");
        await terminal.WaitForAsync("> alpha");
        await terminal.TypeAsync("zzz");
        await terminal.WaitForAsync("nothing found");
        await terminal.PressAsync("Escape");
        await terminal.WaitForAsync("> alpha");
        await terminal.ResizeAsync(30, 4);
        await Eventually.TrueAsync(async () => (await terminal.VisibleAsync()).StartsWith("Search:", StringComparison.Ordinal), "the list in the new size");
    }

    [Theory]
    [InlineData("C-c")]
    [InlineData("C-d")]
    public async Task Leaving_gives_the_screen_back_and_ends_with_130(string key)
    {
        await using var terminal = await OpenAsync();
        await terminal.PressAsync(key);
        (await terminal.WaitForEndAsync()).ShouldBe(130);
        var screen = await terminal.ScreenAsync();
        screen.ShouldContain("countersign: no device was chosen");
        screen.ShouldNotContain("Search:");
    }

    [Fact]
    public async Task A_change_of_policy_shows_at_once_and_the_end_of_the_person_gives_the_screen_back()
    {
        await using var terminal = await OpenAsync();
        await _gateway.AddDeviceAsync("gamma", _gateway.Sshd.Port, _gateway.Sshd.HostKey.PublicLine, _gateway.Sshd.ClientKey.PrivateText);
        await terminal.WaitForAsync("gamma");
        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        await terminal.WaitForAsync("nothing found");

        await _gateway.Owner.PostAsync($"technicians/{_gateway.Tina.Id}/disable");

        (await terminal.WaitForEndAsync()).ShouldBe(255);
        var screen = await terminal.ScreenAsync();
        screen.ShouldContain("your account was disabled");
        screen.ShouldNotContain("Search:");
    }

    [Fact]
    public async Task A_device_with_several_accounts_asks_which()
    {
        await AddDeviceWithTwoAccountsAsync("delta");
        await _gateway.GrantAsync(_gateway.Tina, _gateway.Role, account: "any");
        await using var terminal = await OpenAsync();
        await terminal.TypeAsync("delta");
        await terminal.WaitForAsync("1 of 4");
        (await terminal.VisibleAsync()).ShouldContain("+1");
        await terminal.PressAsync("Enter");
        await terminal.WaitForAsync("delta: accounts");
        (await terminal.VisibleAsync()).ShouldContain("backup");
        await terminal.PressAsync("Escape");
        await terminal.WaitForAsync(Title);
        await terminal.PressAsync("Enter");
        await terminal.WaitForAsync("delta: accounts");
        await terminal.PressAsync("Enter");
        await RunAsync(terminal, "echo on $((40+2)); exit 0", "on 42");
        (await terminal.WaitForEndAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Without_a_terminal_the_usage_is_told()
    {
        var outcome = await _gateway.Client.SshAsync("tina", _gateway.Tina.ByKey, null, Encoding.UTF8.GetBytes("exit\n"), "-T");
        outcome.ExitCode.ShouldBe(64, outcome.ToString());
        outcome.Error.ShouldContain("your devices: alpha, beta, web01");
        outcome.Output.ShouldBeEmpty();
    }

    private static async Task RunAsync(Terminal terminal, string command, string answer)
    {
        await terminal.EnterAsync(command);
        await terminal.WaitForAsync(answer);
    }

    private async Task AddDeviceWithTwoAccountsAsync(string name)
    {
        var made = await _gateway.Owner.PostAsync("devices", new()
        {
            ["group"] = _gateway.Servers,
            ["name"] = name,
            ["host"] = PrivateSshd.Host,
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh", ["port"] = _gateway.Sshd.Port, ["hostKey"] = _gateway.Sshd.HostKey.PublicLine }),
            ["accounts"] = new JsonArray(PrivateSshd.User, "backup"),
        });
        await _gateway.Owner.PutAsync($"devices/{made["id"]}/accounts/{PrivateSshd.User}", new() { ["privateKey"] = _gateway.Sshd.ClientKey.PrivateText });
    }

    private async Task<Terminal> OpenAsync()
    {
        var terminal = await _gateway.Client.OpenTerminalAsync("tina", _gateway.Tina.ByKey);
        await terminal.WaitForAsync(Title);
        return terminal;
    }
}
