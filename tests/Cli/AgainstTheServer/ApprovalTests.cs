using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Countersign.Access;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>Ned asks for a device that needs approval, Mara approves there, Olga is the owner; and what the tool shows and says to each.</summary>
public sealed class ApprovalTests : IAsyncLifetime
{
    private readonly FakeTerminal _mara = new();
    private readonly FakeTerminal _ned = new();
    private readonly FakeTerminal _olga = new();
    private LiveServer _server = null!;
    private ApprovalWish _wish = null!;
    private string _web = "";
    private string _nedsId = "";

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        var servers = (string)(await _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = "Servers" }))["id"]!;
        _web = (string)(await _server.PostAsync("devices", new JsonObject
        {
            ["group"] = servers,
            ["name"] = "web1",
            ["host"] = "192.0.2.1",
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh" }),
            ["accounts"] = new JsonArray("root"),
        }))["id"]!;
        await _server.PutAsync($"settings/devices/{_web}/managerialApproval", new JsonObject { ["value"] = "required" });
        _nedsId = await AddAsync(_ned, "ned", SystemRoles.OnlyDeviceConnection.Id);
        await AddAsync(_mara, "mara", SystemRoles.AcceptsAccessRequests.Id);
        await SignInAsync(_olga, "olga", LiveServer.Password);
        var me = JsonNode.Parse(await JsonAsync(_olga, "whoami"))!;
        _wish = new(
            new(Guid.Parse((string)me["organization"]!["id"]!)), new(Guid.Parse(_nedsId)), "ned", SignInStrength.OneFactor, new(Guid.Parse(_web)), "web1", "root",
            PermissionSet.Of(Permission.Terminal), System.Net.IPAddress.Parse("192.0.2.9"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var terminal in (FakeTerminal[])[_mara, _ned, _olga]) terminal.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_approver_sees_who_wants_what_and_why_and_approves_once()
    {
        var pending = await AskAsync("the disk is full");
        (await _mara.RunAsync("approvals")).ShouldBe(0, _mara.Error);
        var rows = _mara.Output.TrimEnd('\n').Split('\n');
        rows.Length.ShouldBe(2);
        foreach (var column in (string[])["NUMBER", "WHO", "DEVICE", "FROM", "EXPIRES", "WAITS FOR", "REASON"]) rows[0].ShouldContain(column);
        rows[1].ShouldStartWith($"{pending.Number} ");
        foreach (var cell in (string[])[" ned ", " web1 ", " root ", " Terminal ", " 192.0.2.9 ", " your approval "]) rows[1].ShouldContain(cell);
        rows[1].ShouldEndWith("the disk is full");

        (await _mara.RunAsync("approve", $"#{pending.Number}", "--comment", "until noon")).ShouldBe(0, _mara.Error);
        _mara.Output.ShouldBe($"Request #{pending.Number} is approved.\n");
        (await pending.Outcome).Message.ShouldBe("approved by Mara: until noon");
        (await _mara.RunAsync("approve", $"{pending.Number}")).ShouldBe(1);
        _mara.Error.ShouldContain("It is approved already, by Mara.");
        _mara.Output.ShouldBeEmpty();
        (await _mara.RunAsync("approvals")).ShouldBe(0);
        _mara.Output.ShouldBeEmpty();
        _mara.Error.ShouldContain("No request waits for your approval.");

        (await _ned.RunAsync("requests")).ShouldBe(0, _ned.Error);
        _ned.Output.ShouldContain(" approved ");
        _ned.Output.ShouldContain("Mara: until noon");
        using var request = JsonDocument.Parse(await JsonAsync(_ned, "requests"));
        var item = request.RootElement.GetProperty("items")[0];
        item.GetProperty("changedThrough").GetString().ShouldBe("cli");
        item.GetProperty("changedBy").GetProperty("name").GetString().ShouldBe("Mara");

        (await _mara.RunAsync("revoke", $"{pending.Number}", "--reason", "enough", "--json")).ShouldBe(0, _mara.Error);
        JsonNode.Parse(_mara.Output)!["state"]!.GetValue<string>().ShouldBe("revoked");
        (await _mara.RunAsync("revoke", $"{pending.Number}")).ShouldBe(1);
    }

    [Fact]
    public async Task A_rejection_and_a_cancellation_end_a_request()
    {
        var first = await AskAsync();
        (await _mara.RunAsync("reject", $"{first.Number}", "--reason", "not at night")).ShouldBe(0, _mara.Error);
        _mara.Output.ShouldBe($"Request #{first.Number} is rejected.\n");
        (await first.Outcome).Message.ShouldBe("rejected by Mara: not at night");
        var second = await AskAsync();
        (await _mara.RunAsync("cancel", $"{second.Number}")).ShouldBe(1);
        _mara.Error.ShouldContain("Only who has asked may cancel it.");
        (await _ned.RunAsync("cancel", $"{second.Number}")).ShouldBe(0, _ned.Error);
        _ned.Output.ShouldBe($"Request #{second.Number} is cancelled.\n");
        (await _ned.RunAsync("requests")).ShouldBe(0);
        _ned.Output.Split('\n')[1].ShouldContain(" cancelled ");
        _ned.Output.Split('\n')[2].ShouldContain("Mara: not at night");
    }

    [Fact]
    public async Task Nobody_decides_what_is_not_theirs()
    {
        var pending = await AskAsync();
        (await _ned.RunAsync("approve", $"{pending.Number}")).ShouldBe(1);
        _ned.Error.ShouldContain("None of its open steps is yours to take.");
        (await _mara.RunAsync("approve", "999")).ShouldBe(4);
        (await _mara.RunAsync("reject", $"{pending.Number}", "--reason", new string('x', 401))).ShouldBe(1);
        _mara.Error.ShouldContain("reason: It has at most 400 characters.");
        (await _mara.RunAsync("approve", $"{pending.Number}", "--comment", "\u001b[2J")).ShouldBe(1);
        pending.Outcome.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task An_approval_that_leaves_a_step_to_others_says_so()
    {
        await RequireOfGroupAsync(await IdAsync(_olga));
        var pending = await AskAsync();
        (await _mara.RunAsync("approve", $"{pending.Number}")).ShouldBe(0, _mara.Error);
        _mara.Output.ShouldBe($"Request #{pending.Number} has your approval, and waits for others'.\n");
        (await _olga.RunAsync("approve", $"{pending.Number}")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldBe($"Request #{pending.Number} is approved.\n");
    }

    [Fact]
    public async Task What_nobody_can_approve_is_shown_to_who_can_mend_it()
    {
        await RequireOfGroupAsync(_nedsId);
        var pending = await AskAsync();
        (await _olga.RunAsync("approvals")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldContain(" your approval, and you to appoint an approver");
        await _server.PutAsync($"settings/devices/{_web}/managerialApproval", new JsonObject { ["value"] = "not" });
        (await _olga.RunAsync("approvals")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldContain(" you to appoint an approver");
        _olga.Output.ShouldNotContain("your approval");
        (await _mara.RunAsync("approvals")).ShouldBe(0, _mara.Error);
        _mara.Output.ShouldBeEmpty();
        (await _ned.RunAsync("requests")).ShouldBe(0, _ned.Error);
        _ned.Output.ShouldContain("nobody now");
        pending.Outcome.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Following_shows_what_waits_and_then_what_comes_each_once()
    {
        var waiting = await AskAsync("first");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var shown = new Watched();
        var following = CommandLine.RunAsync(["approvals", "--follow"], _mara.Surroundings(shown, TextWriter.Null), stop.Token);
        (await shown.NextAsync()).ShouldStartWith($"#{waiting.Number}  ned on web1 as root  Terminal  from 192.0.2.9  expires ");
        (await _ned.RunAsync("cancel", $"{waiting.Number}")).ShouldBe(0, _ned.Error);
        var next = await AskAsync("second");
        (await shown.NextAsync()).ShouldStartWith($"#{next.Number}  ");

        using var json = new Watched();
        var program = CommandLine.RunAsync(["approvals", "--follow", "--json"], _mara.Surroundings(json, TextWriter.Null), stop.Token);
        JsonNode.Parse(await json.NextAsync())!["number"]!.GetValue<long>().ShouldBe(next.Number);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => following);
        await Should.ThrowAsync<OperationCanceledException>(() => program);
    }

    [Fact]
    public async Task Following_ends_when_one_is_signed_out()
    {
        await AskAsync("first");
        using var shown = new Watched();
        var following = CommandLine.RunAsync(["approvals", "--follow"], _mara.Surroundings(shown, TextWriter.Null), TestContext.Current.CancellationToken);
        await shown.NextAsync();
        (await _mara.RunAsync("logout")).ShouldBe(0, _mara.Error);
        (await following).ShouldBe(3);
    }

    private async Task<IPendingApproval> AskAsync(string reason = "") =>
        (await _server.Services.GetRequiredService<IApprovalDesk>().AskAsync(_wish, reason, _ => { }, TestContext.Current.CancellationToken))
        .ShouldBeOfType<ApprovalAsked.Waits>().Pending;

    /// <summary>Ned's group asks its manager, too.</summary>
    private async Task RequireOfGroupAsync(string manager)
    {
        using var groups = JsonDocument.Parse(await _server.GetAsync("technician-groups"));
        var everyone = groups.RootElement.GetProperty("items").EnumerateArray().Single(group => group.GetProperty("parent").ValueKind == JsonValueKind.Null).GetProperty("id").GetString();
        var group = (string)(await _server.PostAsync(
            "technician-groups", new JsonObject { ["parent"] = everyone, ["name"] = "Night", ["requiresManagerialApproval"] = true }))["id"]!;
        await _server.PutAsync($"technician-groups/{group}/members/{_nedsId}", []);
        await _server.PutAsync($"technician-groups/{group}/managers/{manager}", []);
    }

    private static async Task<string> IdAsync(FakeTerminal terminal) => (string)JsonNode.Parse(await JsonAsync(terminal, "whoami"))!["person"]!["id"]!;

    private static async Task<string> JsonAsync(FakeTerminal terminal, string command)
    {
        (await terminal.RunAsync(command, "--json")).ShouldBe(0, terminal.Error);
        return terminal.Output;
    }

    private async Task<string> AddAsync(FakeTerminal terminal, string login, RoleId role)
    {
        const string Given = "eleven loud badgers 4711", Own = "seven quiet otters 0815";
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
            ["scope"] = new JsonObject { ["kind"] = "device", ["id"] = _web },
            ["role"] = role.Value.ToString(),
        });
        terminal.CanAsk = true;
        foreach (var typed in (string[])[Given, Own, Own]) terminal.Secrets.Enqueue(typed);
        (await terminal.RunAsync("login", "--server", _server.Address, login)).ShouldBe(0, terminal.Error);
        return id;
    }

    private async Task SignInAsync(FakeTerminal terminal, string login, string password)
    {
        terminal.Input = password;
        (await terminal.RunAsync("login", "--server", _server.Address, "--password-stdin", login)).ShouldBe(0, terminal.Error);
    }

    /// <summary>Gives each line as it is shown.</summary>
    private sealed class Watched() : StringWriter(CultureInfo.InvariantCulture)
    {
        private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

        public override void WriteLine(string? value) => _lines.Writer.TryWrite(value ?? "");

        public ValueTask<string> NextAsync() => _lines.Reader.ReadAsync(TestContext.Current.CancellationToken);
    }
}
