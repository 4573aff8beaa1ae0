using System.Text.Json.Nodes;
using Countersign.Access;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>Ned asks for access ahead of time, and Mara leaves what she likes of it.</summary>
public sealed class AheadTests : IAsyncLifetime
{
    private const string Given = "eleven loud badgers 4711", Own = "seven quiet otters 0815";

    private readonly FakeTerminal _mara = new();
    private readonly FakeTerminal _ned = new();
    private LiveServer _server = null!;
    private string _servers = "";

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        _servers = (string)(await _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = "Servers" }))["id"]!;
        foreach (var name in (string[])["web1", "web2"])
            await _server.PostAsync("devices", new JsonObject { ["group"] = _servers, ["name"] = name, ["host"] = "192.0.2.1", ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh" }), ["accounts"] = new JsonArray("root") });
        await AddAsync(_ned, "ned", SystemRoles.RequestsAccess.Id);
        await AddAsync(_mara, "mara", SystemRoles.AcceptsAccessRequests.Id);
        var there = new StandingTime(TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(5));
        (_mara.Time, _ned.Time) = (there, there);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var terminal in (FakeTerminal[])[_mara, _ned]) terminal.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task It_is_asked_for_shown_approved_and_extended()
    {
        (await _ned.RunAsync("devices")).ShouldBe(0, _ned.Error);
        _ned.Output.ShouldContain("on request");
        (await _ned.RunAsync("request", "web1", "web2", "--for", "2h", "--reason", "OPS-12 upgrade")).ShouldBe(0, _ned.Error);
        _ned.Output.ShouldStartWith("Request #1: Only device connection on web1, web2 as root, 2h from approval. It can be approved by ");
        _ned.Output.ShouldContain("Mara");
        (await _mara.RunAsync("approvals")).ShouldBe(0, _mara.Error);
        foreach (var cell in (string[])["web1, web2", "Only device connection", "2h from approval", "OPS-12 upgrade"]) _mara.Output.ShouldContain(cell);
        (await _mara.RunAsync("approve", "1", "--devices", "web3")).ShouldBe(4);
        (await _mara.RunAsync("approve", "1", "--for", "3h")).ShouldBe(1);
        _mara.Error.ShouldContain("only.duration: It is not longer than what was asked for.");
        (await _mara.RunAsync("approve", "1", "--for", "30m", "--devices", "web2")).ShouldBe(0, _mara.Error);
        _mara.Output.ShouldBe("Request #1 is approved.\n");
        (await _ned.RunAsync("requests")).ShouldBe(0, _ned.Error);
        _ned.Output.ShouldContain(" web2 ");
        _ned.Output.ShouldNotContain("web1");
        _ned.Output.ShouldContain("30m from approval");
        (await _ned.RunAsync("extend", "1", "--for", "1h", "--json")).ShouldBe(0, _ned.Error);
        JsonNode.Parse(_ned.Output)!["items"]![0]!["ahead"]!["extends"]!.GetValue<long>().ShouldBe(1);
        (await _ned.RunAsync("extend", "1", "--for", "1h")).ShouldBe(1);
        _ned.Error.ShouldContain("Request #2 asks for more time already.");
        (await _ned.RunAsync("cancel", "2")).ShouldBe(0, _ned.Error);
    }

    [Fact]
    public async Task Times_without_a_zone_are_this_machine_s_and_are_shown_with_it()
    {
        var day = _ned.Time.GetUtcNow().AddDays(3).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        (await _ned.RunAsync("request", "--group", "Servers", "--from", $"{day} 20:00", "--to", $"{day}T18:00Z", "--json")).ShouldBe(0, _ned.Error);
        var time = JsonNode.Parse(_ned.Output)!["items"]![0]!["ahead"]!["time"]!;
        time["from"]!.GetValue<DateTimeOffset>().ShouldBe(DateTimeOffset.Parse($"{day}T15:00Z", System.Globalization.CultureInfo.InvariantCulture));
        time["to"]!.GetValue<DateTimeOffset>().ShouldBe(DateTimeOffset.Parse($"{day}T18:00Z", System.Globalization.CultureInfo.InvariantCulture));
        (await _mara.RunAsync("approvals")).ShouldBe(0, _mara.Error);
        _mara.Output.ShouldContain($"{day} 20:00:00 +05:00 to {day} 23:00:00 +05:00");
        (await _mara.RunAsync("approve", "1", "--until", $"{day} 21:30", "--json")).ShouldBe(0, _mara.Error);
        JsonNode.Parse(_mara.Output)!["ahead"]!["time"]!["to"]!.GetValue<DateTimeOffset>().ShouldBe(DateTimeOffset.Parse($"{day}T16:30Z", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("request", "web1")]
    [InlineData("request", "--for", "1h")]
    [InlineData("request", "web1", "--for", "1h", "--to", "18:00")]
    [InlineData("request", "web1", "--for", "1h", "--from", "18:00")]
    [InlineData("request", "web1", "--for", "1h", "--from-first-use")]
    [InlineData("request", "web1", "--to", "18:00", "--from-first-use")]
    [InlineData("request", "web1", "--to", "tomorrow")]
    [InlineData("extend", "1")]
    [InlineData("extend", "1", "--until", "25:00")]
    [InlineData("approve", "1", "--until", "soon")]
    public async Task What_makes_no_sense_is_not_sent(params string[] arguments) => (await _ned.RunAsync(arguments)).ShouldBe(2, _ned.Error);

    [Fact]
    public async Task What_is_not_there_to_be_asked_for_is_not_found()
    {
        (await _ned.RunAsync("request", "web9", "--for", "1h")).ShouldBe(4);
        (await _ned.RunAsync("request", "web1", "--role", "No such role", "--for", "1h")).ShouldBe(4);
        (await _ned.RunAsync("request", "web1", "--role", "Full device access", "--for", "1h")).ShouldBe(1);
        _ned.Error.ShouldContain("role: It is none of the roles that may be asked for.");
    }

    private async Task AddAsync(FakeTerminal terminal, string login, RoleId role)
    {
        var id = (string)(await _server.PostAsync("technicians", new JsonObject
        {
            ["kind"] = "technician",
            ["login"] = login,
            ["name"] = char.ToUpperInvariant(login[0]) + login[1..],
            ["mail"] = "",
            ["password"] = Given,
        }))["id"]!;
        await _server.PostAsync("grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = id },
            ["scope"] = new JsonObject { ["kind"] = "deviceGroup", ["id"] = _servers },
            ["role"] = role.Value.ToString(),
        });
        terminal.CanAsk = true;
        foreach (var typed in (string[])[Given, Own, Own]) terminal.Secrets.Enqueue(typed);
        (await terminal.RunAsync("login", "--server", _server.Address, login)).ShouldBe(0, terminal.Error);
    }
}
