using System.Globalization;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>Grants on the command line.</summary>
public sealed class GrantsTests : IAsyncLifetime
{
    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync()
    {
        _olga = await SignedIn.StartAsync();
        await _olga.AddTechnicianAsync("anna");
        var customers = await _olga.AddDeviceGroupAsync("Customers");
        await _olga.AddDeviceAsync("web1", await _olga.AddDeviceGroupAsync("Contoso", customers));
        await _olga.RunAsync(0, "groups", "add", "Support");
    }

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task Roles_are_granted_to_anybody_on_anything_and_listed_by_names()
    {
        await _olga.AddContactAsync("carl");
        await _olga.RunAsync(0, "grants", "add", "only device connection", "--technician", "anna", "--device", "web1", "--preview");
        _olga.Output.ShouldContain("anna on web1:");
        await _olga.RunAsync(0, "grants", "add", "Only device connection", "--technician", "anna", "--device", "web1", "--account", "www", "--account", "root");
        _olga.Output.ShouldStartWith("Granted Only device connection to anna on web1: ");
        _olga.Error.ShouldStartWith("It is change ");
        await _olga.RunAsync(0, "grants", "add", "Full device access", "--group", "Support", "--device-group", "Customers / Contoso", "--any-account", "--hours", "Europe/Berlin; Mon-Fri 08:00-18:00", "--to", "2027-01-01T00:00Z");
        await _olga.RunAsync(0, "grants", "add", "Request access", "--contact", "carl@customer.example", "--all-devices");
        await _olga.RunAsync(0, "grants", "add", "Auditor", "--technician", "anna", "--section", "team");
        await _olga.RunAsync(0, "grants", "add", "Own invitations", "--group", "Support", "--section", "quick-support");

        (await RowsAsync("grants", "list")).ShouldBe(
        [
            ["anna", "Only device connection", "web1", "root, www", "always"],
            ["Support", "Full device access", "Customers / Contoso", "any", $"to {Local("2027-01-01T00:00Z")}; Europe/Berlin; Mon-Fri 08:00-18:00"],
            ["carl@customer.example", "Request access", "all devices", "default", "always"],
            ["anna", "Auditor", "team", "default", "always"],
            ["Support", "Own invitations", "quick support", "default", "always"],
        ], ignoreOrder: true);
        (await RowsAsync("grants", "list", "--technician", "anna")).Select(row => row[1]).ShouldBe(["Only device connection", "Auditor"], ignoreOrder: true);
        (await RowsAsync("grants", "list", "--contact", "carl@customer.example")).ShouldHaveSingleItem()[1].ShouldBe("Request access");
        (await RowsAsync("grants", "list", "--device-group", "Contoso")).ShouldHaveSingleItem()[0].ShouldBe("Support");
        (await RowsAsync("grants", "list", "--group", "Support", "--device-group", "Contoso")).ShouldHaveSingleItem()[1].ShouldBe("Full device access");
        (await _olga.ReadAsync("grants", "list", "--device", "web1"))["items"]!.AsArray().ShouldHaveSingleItem()!["accounts"]!["names"]!.AsArray().Count.ShouldBe(2);
        await _olga.RunAsync(0, "grants", "list", "--technician", "olga");
        _olga.Error.ShouldBe("There is no such grant that you may see.\n");
    }

    [Fact]
    public async Task A_grant_is_shown_by_names()
    {
        var id = await GrantAsync("--account", "root", "--to", "2027-01-01T00:00Z");
        await _olga.RunAsync(0, "grants", "show", id);
        _olga.Output.ShouldBe($"anna: Only device connection on web1\naccounts: root\nwhen: to {Local("2027-01-01T00:00Z")}\n");
        ((string)(await _olga.ReadAsync("grants", "show", id))["id"]!).ShouldBe(id);
        await _olga.RunAsync(4, "grants", "show", "0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68");
    }

    [Fact]
    public async Task What_may_not_be_read_is_listed_by_its_id()
    {
        await GrantAsync();
        await _olga.RunAsync(0, "tokens", "create", "--label", "narrow", "--scope", "policy:read");
        var token = _olga.Output.Trim();
        var grant = (await _olga.ReadAsync("grants", "list"))["items"]![0]!;
        await _olga.RunAsync(0, "grants", "list", "--token", token);
        _olga.Rows("ID", "WHO", "ROLE", "ON", "ACCOUNTS", "WHEN").ShouldHaveSingleItem()
            .ShouldBe([(string)grant["id"]!, (string)grant["subject"]!["id"]!, "Only device connection", (string)grant["scope"]!["id"]!, "default", "always"]);
    }

    [Fact]
    public async Task A_grant_is_changed_in_what_is_named_and_removed()
    {
        var id = await GrantAsync("--account", "root", "--from", "2026-01-01T00:00Z", "--to", "2027-01-01T00:00Z");
        await _olga.RunAsync(0, "grants", "edit", id, "--add-account", "www", "--remove-account", "root", "--hours", "Europe/Berlin; Sat 10:00-14:00");
        _olga.Output.ShouldBe($"Changed {id}.\n");
        (await OnlyAsync()).ShouldBe(["anna", "Only device connection", "web1", "www", $"from {Local("2026-01-01T00:00Z")} to {Local("2027-01-01T00:00Z")}; Europe/Berlin; Sat 10:00-14:00"]);
        await _olga.RunAsync(0, "grants", "edit", id, "--from", "none", "--hours", "always", "--role", "Full device access", "--any-account");
        (await OnlyAsync()).ShouldBe(["anna", "Full device access", "web1", "any", $"to {Local("2027-01-01T00:00Z")}"]);
        await _olga.RunAsync(0, "grants", "edit", id, "--add-account", "root");
        await _olga.RunAsync(0, "grants", "edit", id, "--to", "none");
        (await OnlyAsync()).ShouldBe(["anna", "Full device access", "web1", "root", "always"]);
        await _olga.RunAsync(0, "grants", "edit", id, "--default-account", "--preview");
        _olga.Output.ShouldStartWith("Changed the grant of Full device access");
        (await OnlyAsync())[3].ShouldBe("root");
        await _olga.RunAsync(0, "grants", "edit", id, "--default-account");
        (await OnlyAsync())[3].ShouldBe("default");

        await _olga.RunAsync(0, "grants", "remove", id, "--preview");
        _olga.Output.ShouldContain("anna on web1:");
        (await _olga.ReadAsync("grants", "remove", id))["version"].ShouldNotBeNull();
        await _olga.RunAsync(4, "grants", "remove", id);
        await _olga.RunAsync(4, "grants", "edit", id, "--any-account");
    }

    [Fact]
    public async Task What_is_wrong_with_a_grant_is_told_and_nothing_is_changed()
    {
        var id = await GrantAsync("--account", "root");
        var newest = await _olga.NewestChangeAsync();
        await RefusedAsync(2, "One of --technician, --contact, --group has to be there", "add", "Auditor", "--section", "team");
        await RefusedAsync(2, "One of --technician, --contact, --group has to be there", "add", "Auditor", "--technician", "anna", "--group", "Support", "--section", "team");
        await RefusedAsync(2, "One of --device, --device-group, --all-devices, --section has to be there", "add", "Full device access", "--technician", "anna");
        await RefusedAsync(2, "Only one of --account, --any-account.", "add", "Full device access", "--technician", "anna", "--all-devices", "--account", "root", "--any-account");
        await RefusedAsync(2, "\"soon\" is no time for --from.", "add", "Full device access", "--technician", "anna", "--all-devices", "--from", "soon");
        await RefusedAsync(2, "\"none\" is no time for --to.", "add", "Full device access", "--technician", "anna", "--all-devices", "--to", "none");
        await RefusedAsync(2, "", "add", "Auditor", "--technician", "anna", "--section", "kitchen");
        await RefusedAsync(4, "There is no group Nobody", "add", "Full device access", "--group", "Nobody", "--all-devices");
        await RefusedAsync(4, "There is no Flyer", "add", "Flyer", "--technician", "anna", "--all-devices");
        await RefusedAsync(1, "does not fit this scope", "add", "Auditor", "--technician", "anna", "--all-devices");
        await RefusedAsync(1, "window: After the time zone come", "add", "Full device access", "--technician", "anna", "--all-devices", "--hours", "sometimes");
        await RefusedAsync(2, "Nothing is named that is to change.", "edit", id);
        await RefusedAsync(2, "No account would be named any more.", "edit", id, "--remove-account", "root");
        await RefusedAsync(2, "Only one of --add-account, --any-account, --default-account.", "edit", id, "--add-account", "www", "--default-account");
        await RefusedAsync(2, "\"web1\" is not an ID.", "edit", "web1", "--any-account");
        await RefusedAsync(2, "Only one of --technician, --contact, --group.", "list", "--technician", "anna", "--group", "Support");
        (await _olga.NewestChangeAsync()).ShouldBe(newest);
    }

    private async Task<string> GrantAsync(params string[] terms)
    {
        await _olga.RunAsync(0, ["grants", "add", "Only device connection", "--technician", "anna", "--device", "web1", .. terms]);
        return _olga.Output.TrimEnd('.', '\n').Split(' ')[^1];
    }

    private async Task RefusedAsync(int exit, string message, params string[] arguments)
    {
        await _olga.RunAsync(exit, ["grants", .. arguments]);
        _olga.Error.ShouldContain(message);
    }

    private async Task<string[]> OnlyAsync() => (await RowsAsync("grants", "list")).ShouldHaveSingleItem();

    /// <summary>The cells behind the id.</summary>
    private async Task<List<string[]>> RowsAsync(params string[] arguments)
    {
        await _olga.RunAsync(0, arguments);
        return [.. _olga.Rows("ID", "WHO", "ROLE", "ON", "ACCOUNTS", "WHEN").Select(row => row[1..])];
    }

    private static string Local(string instant) =>
        TimeZoneInfo.ConvertTime(DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture), TimeProvider.System.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
