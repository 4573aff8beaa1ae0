using System.Text.Json;

namespace Countersign.Cli.AgainstTheServer;

public sealed class PeopleTests : IAsyncLifetime
{
    private readonly FakeTerminal _terminal = new() { CanAsk = true };
    private LiveServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        await RunAsync(0, ["login", "--server", _server.Address, "olga"], LiveServer.Password);
    }

    public async ValueTask DisposeAsync()
    {
        _terminal.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task People_are_invited_invited_again_and_not_any_more()
    {
        await RunAsync(0, ["technicians", "invite", "eve@example.org", "--name", "Eve Example"]);
        _terminal.Output.ShouldStartWith("eve@example.org is invited: invited-");
        await RunAsync(0, ["technicians", "list", "--invitations"]);
        _terminal.Output.ShouldContain("Eve Example");
        _terminal.Output.ShouldNotContain("olga");
        await RunAsync(0, ["technicians", "resend", "eve@example.org", "--days", "2"]);
        _terminal.Output.ShouldStartWith("A new link goes to eve@example.org, and is good until ");
        await RunAsync(0, ["technicians", "withdraw", "EVE@example.org"]);
        await RunAsync(4, ["technicians", "withdraw", "eve@example.org"]);
        await RunAsync(1, ["technicians", "invite", "nobody"]);
        _terminal.Error.ShouldContain("mail: This is no mail address");
        await RunAsync(2, ["technicians", "invite", "eve@example.org", "--days", "31"]);
        await RunAsync(1, ["technicians", "resend", "olga"]);
    }

    [Fact]
    public async Task Somebody_is_added_with_a_first_password_disabled_and_enabled()
    {
        await RunAsync(0, ["technicians", "add", "tina", "--name", "Tina"], "wandering-otter-lantern-58");
        _terminal.Output.ShouldContain("who has to choose a password of their own first");
        _terminal.Input = "wandering-otter-lantern-58\n";
        await RunAsync(0, ["technicians", "add", "tom", "--name", "Tom", "--password-stdin"]);
        await RunAsync(1, ["technicians", "add", "t0m", "--name", "Another"], "wandering-otter-lantern-58");
        await RunAsync(0, ["technicians", "disable", "tina"]);
        await RunAsync(0, ["technicians", "list", "--status", "disabled", "--json"]);
        using (var list = JsonDocument.Parse(_terminal.Output))
            list.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("login").GetString()).ShouldBe(["tina"]);
        await RunAsync(0, ["technicians", "enable", "tina"]);
        await RunAsync(0, ["technicians", "list", "--status", "disabled"]);
        _terminal.Output.ShouldBeEmpty();
        await RunAsync(4, ["technicians", "disable", "nobody"]);
        await RunAsync(1, ["technicians", "disable", "olga"]);
    }

    [Fact]
    public async Task Contacts_are_added_listed_and_removed()
    {
        await RunAsync(0, ["contacts", "add", "carl@customer.example", "--name", "Carl Customer"]);
        await RunAsync(0, ["contacts", "list"]);
        _terminal.Output.ShouldContain("Carl Customer");
        _terminal.Output.ShouldNotContain("olga");
        await RunAsync(4, ["contacts", "remove", "olga"]);
        await RunAsync(0, ["contacts", "remove", "carl@customer.example"]);
        await RunAsync(0, ["contacts", "list"]);
        _terminal.Output.ShouldBeEmpty();
    }

    private async Task RunAsync(int exit, string[] arguments, params string[] secrets)
    {
        _terminal.Secrets.Clear();
        foreach (var secret in secrets) _terminal.Secrets.Enqueue(secret);
        (await _terminal.RunAsync(arguments)).ShouldBe(exit, _terminal.Error);
    }
}
