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
        await RunAsync(0, ["technicians", "invite", "eve@example.org", "--name", "Eve Example", "--preview"]);
        _terminal.Error.ShouldBe("Nothing was changed.\n");
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
        await RunAsync(0, ["technicians", "add", "tess", "--name", "Tess", "--mail", "tess@example.org"], "wandering-otter-lantern-58");
        await RunAsync(0, ["technicians", "reset-password", "tess"]);
        _terminal.Output.ShouldStartWith("A link to choose another password goes to tess.");
        await RunAsync(1, ["technicians", "reset-password", "tina"]);
        await RunAsync(0, ["technicians", "first-password", "tina"], "amber-lantern-orchid-73");
        _terminal.Output.ShouldStartWith("tina has another first password, good until ");
        _terminal.Error.ShouldBe("First password of tina: ");
        _terminal.Input = "amber-lantern-orchid-74\n";
        await RunAsync(0, ["technicians", "first-password", "tina", "--password-stdin", "--json"]);
        _terminal.Output.ShouldStartWith("{\"until\":");
        await RunAsync(1, ["technicians", "first-password", "olga"], "amber-lantern-orchid-73");
        await RunAsync(2, ["technicians", "first-password", "tina", "amber-lantern-orchid-73"]);
        await RunAsync(1, ["technicians", "reset-password", "olga"]);
        await RunAsync(0, ["technicians", "reset-two-factor", "tess"]);
        _terminal.Output.ShouldBe("No second factor is asked of tess. They are told by mail.\n");
        await RunAsync(1, ["technicians", "reset-two-factor", "olga"]);
        var tess = JsonDocument.Parse(await _server.GetAsync("technicians?search=tess")).RootElement.GetProperty("items")[0].GetProperty("id").GetString()!;
        var key = (string)(await _server.PostAsync($"technicians/{tess}/keys", new() { ["label"] = "laptop", ["key"] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEO65f8uujEZKxyso2ao8eYjq41Hk7mCe/reijALA7vx" }))["id"]!;
        await RunAsync(0, ["technicians", "keys", "tess"]);
        _terminal.Output.ShouldContain("laptop");
        await RunAsync(0, ["technicians", "remove-key", "tess", key]);
        await RunAsync(4, ["technicians", "remove-key", "tess", key]);
        await RunAsync(0, ["technicians", "keys", "tess"]);
        _terminal.Error.ShouldBe("They have no key here.\n");
        var file = _terminal.PathOf("tess.pub");
        await File.WriteAllTextAsync(file, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEO65f8uujEZKxyso2ao8eYjq41Hk7mCe/reijALA7vx tess@home\n", TestContext.Current.CancellationToken);
        await RunAsync(0, ["technicians", "add-key", "tess", file]);
        _terminal.Output.ShouldBe("Added tess@home to the keys of tess.\n");
        await RunAsync(1, ["technicians", "add-key", "tess", file, "--label", "again"]);
        await RunAsync(2, ["technicians", "add-key", "tess", file + ".missing"]);
        await RunAsync(4, ["technicians", "add-key", "nobody", file]);
        await RunAsync(4, ["technicians", "disable", "nobody"]);
        await RunAsync(1, ["technicians", "disable", "olga"]);
    }

    [Fact]
    public async Task Somebody_is_shown_with_the_groups_that_they_are_in()
    {
        await RunAsync(0, ["technicians", "add", "tina", "--name", "Tina", "--mail", "tina@example.org"], "wandering-otter-lantern-58");
        await RunAsync(0, ["groups", "add", "Support"]);
        await RunAsync(0, ["groups", "admit", "Support", "tina"]);
        await RunAsync(0, ["technicians", "show", "tina"]);
        _terminal.Output.ShouldStartWith("tina (Tina): technician, activated\nmail: tina@example.org\ngroups: Support\nID: ");
        await RunAsync(0, ["contacts", "add", "carl@customer.example", "--name", "Carl"]);
        await RunAsync(0, ["contacts", "show", "carl@customer.example"]);
        _terminal.Output.ShouldContain("(Carl): contact, activated\nmail: carl@customer.example\nexternal groups: none\n");
        await RunAsync(4, ["contacts", "show", "tina"]);
        await RunAsync(4, ["technicians", "show", "nobody"]);
        await RunAsync(0, ["technicians", "show", "tina", "--json"]);
        using var shown = JsonDocument.Parse(_terminal.Output);
        shown.RootElement.GetProperty("login").GetString().ShouldBe("tina");
    }

    [Fact]
    public async Task Where_somebody_is_signed_in_is_shown_and_ended()
    {
        await RunAsync(0, ["technicians", "add", "tina", "--name", "Tina"], "wandering-otter-lantern-58");
        await RunAsync(0, ["technicians", "signins", "tina"]);
        _terminal.Error.ShouldBe("They are signed in nowhere.\n");
        await RunAsync(0, ["technicians", "signins", "olga", "--json"]);
        using (var list = JsonDocument.Parse(_terminal.Output)) list.RootElement.GetProperty("items").EnumerateArray().Count(item => item.GetProperty("current").GetBoolean()).ShouldBe(1);
        await RunAsync(0, ["technicians", "sign-out", "tina"]);
        _terminal.Output.ShouldBe("Signed tina out everywhere.\n");
        await RunAsync(4, ["technicians", "sign-out", "tina", "0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68"]);
        await RunAsync(4, ["technicians", "sign-out", "nobody"]);
        await RunAsync(2, ["technicians", "sign-out", "tina", "all"]);
    }

    [Fact]
    public async Task What_somebody_has_made_for_programs_is_shown_and_removed()
    {
        await RunAsync(0, ["technicians", "add", "tina", "--name", "Tina"], "wandering-otter-lantern-58");
        await RunAsync(0, ["technicians", "tokens", "tina"]);
        _terminal.Error.ShouldBe("They have made no token.\n");
        await RunAsync(0, ["tokens", "create", "--label", "inventory", "--scope", "devices:read"]);
        await RunAsync(0, ["technicians", "tokens", "olga"]);
        _terminal.Output.ShouldContain("inventory");
        await RunAsync(0, ["technicians", "tokens", "olga", "--json"]);
        string id;
        using (var list = JsonDocument.Parse(_terminal.Output)) id = list.RootElement.GetProperty("items").EnumerateArray().Single().GetProperty("id").GetString()!;
        await RunAsync(4, ["technicians", "remove-token", "tina", id]);
        await RunAsync(0, ["technicians", "remove-token", "olga", id]);
        _terminal.Output.ShouldBe($"Removed {id} of olga.\n");
        await RunAsync(4, ["technicians", "remove-token", "olga", id]);
        await RunAsync(4, ["technicians", "remove-token", "nobody", id]);
        await RunAsync(2, ["technicians", "remove-token", "olga", "all"]);
    }

    [Fact]
    public async Task What_one_is_called_is_one_s_own_to_say()
    {
        await RunAsync(0, ["profile", "--name", "Olga the Great", "--preview"]);
        _terminal.Error.ShouldBe("Nothing was changed.\n");
        await RunAsync(0, ["profile", "--name", "Olga the Great"]);
        _terminal.Output.ShouldBe("You are called Olga the Great from now on.\n");
        await RunAsync(0, ["profile", "--name", "Olga the Great"]);
        _terminal.Error.ShouldBe("It was so already: nothing was changed.\n");
        await RunAsync(0, ["whoami"]);
        _terminal.Output.ShouldStartWith("olga (Olga the Great), owner\n");
        await RunAsync(2, ["profile"]);
        await RunAsync(1, ["profile", "--name", ""]);
    }

    [Fact]
    public async Task Somebody_is_renamed_listed_by_group_and_kind_and_removed()
    {
        var everyone = JsonDocument.Parse(await _server.GetAsync("technician-groups")).RootElement.GetProperty("items")[0].GetProperty("id").GetString();
        var support = (string)(await _server.PostAsync("technician-groups", new() { ["parent"] = everyone, ["name"] = "Support" }))["id"]!;
        await RunAsync(0, ["technicians", "add", "tina", "--name", "Tina", "--preview"]);
        _terminal.Output.ShouldContain("tina");
        await RunAsync(4, ["technicians", "disable", "tina"]);
        await RunAsync(0, ["technicians", "add", "tina", "--name", "Tina"], "wandering-otter-lantern-58");
        _terminal.Error.ShouldContain("policy undo");
        var tina = JsonDocument.Parse(await _server.GetAsync("technicians?search=tina")).RootElement.GetProperty("items")[0].GetProperty("id").GetString()!;
        await _server.PutAsync($"technician-groups/{support}/members/{tina}", []);
        await RunAsync(0, ["technicians", "list", "--group", "support"]);
        _terminal.Output.ShouldContain("tina");
        _terminal.Output.ShouldNotContain("olga");
        await RunAsync(0, ["technicians", "list", "--kind", "owner"]);
        _terminal.Output.ShouldContain("olga");
        _terminal.Output.ShouldNotContain("tina");
        await RunAsync(4, ["technicians", "list", "--group", "sales"]);
        await RunAsync(2, ["technicians", "list", "--kind", "boss"]);

        await RunAsync(0, ["technicians", "edit", "tina", "--name", "Tina T", "--preview"]);
        _terminal.Output.ShouldContain("  - changed: person tina\n");
        await RunAsync(0, ["technicians", "edit", "tina", "--mail", "tina@example.org"]);
        _terminal.Output.ShouldBe("Changed tina.\n");
        await RunAsync(0, ["technicians", "edit", "tina@example.org", "--name", "Tina T", "--json"]);
        using (var edited = JsonDocument.Parse(_terminal.Output))
            (edited.RootElement.GetProperty("name").GetString(), edited.RootElement.GetProperty("mail").GetString()).ShouldBe(("Tina T", "tina@example.org"));
        await RunAsync(2, ["technicians", "edit", "tina"]);
        await RunAsync(1, ["technicians", "edit", "tina", "--mail", "nowhere"]);
        await RunAsync(0, ["technicians", "disable", "tina"]);
        await RunAsync(0, ["technicians", "disable", "tina"]);
        (_terminal.Output, _terminal.Error).ShouldBe(("", "It was so already: nothing was changed.\n"));

        await RunAsync(0, ["technicians", "remove", "tina", "--preview"]);
        _terminal.Output.ShouldContain("  - removed: membership Support tina\n");
        await RunAsync(0, ["technicians", "remove", "tina"]);
        _terminal.Output.ShouldBe("Deleted tina.\n");
        await RunAsync(4, ["technicians", "remove", "tina"]);
        await RunAsync(1, ["technicians", "remove", "olga"]);
    }

    [Fact]
    public async Task Contacts_are_added_listed_and_removed()
    {
        await RunAsync(0, ["contacts", "add", "carl@customer.example", "--name", "Carl Customer"]);
        await RunAsync(0, ["contacts", "list"]);
        _terminal.Output.ShouldContain("Carl Customer");
        _terminal.Output.ShouldNotContain("olga");
        await RunAsync(4, ["contacts", "remove", "olga"]);
        await RunAsync(4, ["contacts", "edit", "olga", "--name", "Else"]);
        await RunAsync(0, ["contacts", "edit", "carl@customer.example", "--name", "Karl Customer", "--mail", "karl@customer.example"]);
        await RunAsync(0, ["contacts", "list", "karl"]);
        _terminal.Output.ShouldContain("Karl Customer");
        await RunAsync(0, ["contacts", "edit", "karl@customer.example", "--mail", "carl@customer.example"]);
        await RunAsync(0, ["contacts", "remove", "carl@customer.example", "--preview"]);
        _terminal.Output.ShouldContain("  - removed: person ");
        await RunAsync(0, ["contacts", "add", "cora@customer.example", "--name", "Cora", "--preview"]);
        _terminal.Error.ShouldBe("Nothing was changed.\n");
        await RunAsync(0, ["contacts", "remove", "carl@customer.example"]);
        await RunAsync(0, ["contacts", "list"]);
        _terminal.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task Mails_that_wait_are_listed_tried_again_and_dropped()
    {
        await RunAsync(0, ["technicians", "invite", "eve@example.org"]);
        await RunAsync(0, ["mail", "list", "--state", "waiting", "--json"]);
        using var list = JsonDocument.Parse(_terminal.Output);
        var mail = list.RootElement.GetProperty("items")[0];
        mail.GetProperty("to").GetString().ShouldBe("eve@example.org");
        var id = mail.GetProperty("id").GetString()!;
        await RunAsync(0, ["mail", "retry", id]);
        await RunAsync(0, ["mail", "drop", id]);
        await RunAsync(1, ["mail", "drop", id]);
        await RunAsync(0, ["mail", "list"]);
        _terminal.Output.ShouldContain("It was withdrawn.");
        await RunAsync(4, ["mail", "retry", Guid.NewGuid().ToString()]);
    }

    [Fact]
    public async Task Tokens_are_made_for_a_part_of_the_API_listed_and_removed()
    {
        await RunAsync(0, ["tokens", "create", "--label", "inventory", "--scope", "devices:read", "--scope", "account", "--days", "2"]);
        var token = _terminal.Output.Trim();
        token.ShouldStartWith("cst_");
        await RunAsync(0, ["devices", "--token", token]);
        await RunAsync(1, ["technicians", "list", "--token", token]);
        await RunAsync(0, ["tokens", "list"]);
        _terminal.Output.ShouldContain("inventory");
        _terminal.Output.ShouldContain("devices:read account");
        _terminal.Output.ShouldNotContain(token);
        await RunAsync(0, ["tokens", "list", "--json"]);
        using var list = JsonDocument.Parse(_terminal.Output);
        await RunAsync(0, ["tokens", "remove", list.RootElement.GetProperty("items")[0].GetProperty("id").GetString()!]);
        await RunAsync(0, ["tokens", "list"]);
        _terminal.Output.ShouldBeEmpty();
        await RunAsync(1, ["tokens", "create", "--label", "x", "--scope", "everything"]);
        await RunAsync(2, ["tokens", "create", "--label", "x", "--scope", "read", "--days", "9999"]);
    }

    [Fact]
    public async Task The_owner_hands_over_with_their_password_and_only_they_do()
    {
        await RunAsync(0, ["technicians", "add", "tina", "--name", "Tina"], "wandering-otter-lantern-58");
        await RunAsync(1, ["technicians", "hand-over", "tina"], "wrong");
        await RunAsync(0, ["technicians", "hand-over", "tina"], LiveServer.Password);
        _terminal.Output.ShouldBe("tina owns the organization from now on.\n");
        await RunAsync(4, ["technicians", "hand-over", "tina"], LiveServer.Password);
    }

    private async Task RunAsync(int exit, string[] arguments, params string[] secrets)
    {
        _terminal.Secrets.Clear();
        foreach (var secret in secrets) _terminal.Secrets.Enqueue(secret);
        (await _terminal.RunAsync(arguments)).ShouldBe(exit, _terminal.Error);
    }
}
