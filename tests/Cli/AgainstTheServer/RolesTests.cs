namespace Countersign.Cli.AgainstTheServer;

/// <summary>The catalogue of permissions, and the roles that are made of it.</summary>
public sealed class RolesTests : IAsyncLifetime
{
    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync() => _olga = await SignedIn.StartAsync();

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task The_catalogue_is_listed_with_labels_and_needs()
    {
        await _olga.RunAsync(0, "permissions");
        var rows = _olga.Rows("PERMISSION", "LABEL", "IN ROLES FOR", "GROUPS", "NEEDS").Select(row => string.Join('|', row)).ToList();
        rows.ShouldContain("ScreenControl|Screen control|devices, invitations|yes|ScreenView");
        rows.ShouldContain("Tunnel|Port forwarding|devices|yes|");
        rows.ShouldContain("AuditLog|Audit log|administration||");
        (await _olga.ReadAsync("permissions"))["items"]!.AsArray().Count.ShouldBe(rows.Count);
    }

    [Fact]
    public async Task A_role_is_made_shown_changed_and_removed()
    {
        await _olga.RunAsync(0, "roles", "add", "Operators", "--purpose", "devices", "--permission", "terminal", "--permission", "Port forwarding");
        _olga.Output.ShouldBe("Added Operators.\n");
        _olga.Error.ShouldStartWith("It is change ");
        await _olga.RunAsync(0, "roles", "show", "operators");
        _olga.Output.ShouldBe("Operators: for devices\n  Terminal\n  Tunnel\n");

        await _olga.RunAsync(0, "roles", "edit", "Operators", "--add-permission", "Reboot", "--remove-permission", "Tunnel", "--preview");
        _olga.Error.ShouldBe("Nothing was changed.\n");
        await _olga.RunAsync(0, "roles", "edit", "Operators", "--add-permission", "Reboot", "--remove-permission", "Tunnel");
        await _olga.RunAsync(0, "roles", "edit", "Operators", "--rename", "Night shift");
        await _olga.RunAsync(0, "roles", "show", "Night shift");
        _olga.Output.ShouldBe("Night shift: for devices\n  Terminal\n  Reboot\n");
        await _olga.RunAsync(0, "roles", "edit", "Night shift", "--add-permission", "Reboot");
        _olga.Output.ShouldBeEmpty();
        _olga.Error.ShouldBe("It was so already: nothing was changed.\n");

        await _olga.RunAsync(0, "roles", "list");
        var rows = _olga.Rows("ROLE", "FOR", "KIND", "PERMISSIONS").Select(row => string.Join('|', row)).ToList();
        rows.ShouldContain("Night shift|devices||2");
        rows.ShouldContain("Only device connection|devices|system|11");
        await _olga.RunAsync(0, "roles", "list", "--purpose", "administration");
        _olga.Rows("ROLE", "FOR", "KIND", "PERMISSIONS").Select(row => row[1]).Distinct().ShouldBe(["administration"]);
        await _olga.RunAsync(2, "roles", "list", "--purpose", "fun");
        await _olga.RunAsync(0, "roles", "show", "Only device connection");
        _olga.Output.ShouldStartWith("Only device connection (System): for devices\n");

        await _olga.RunAsync(0, "roles", "remove", "Night shift", "--preview");
        _olga.Output.ShouldStartWith("Deleted the role Night shift");
        await _olga.RunAsync(0, "roles", "remove", "Night shift");
        await _olga.RunAsync(4, "roles", "show", "Night shift");
    }

    [Fact]
    public async Task What_is_wrong_with_a_role_is_told_and_nothing_is_changed()
    {
        await _olga.RunAsync(0, "roles", "add", "Operators", "--purpose", "devices", "--permission", "Terminal");
        var newest = await _olga.NewestChangeAsync();
        await _olga.RunAsync(2, "roles", "add", "Flyers", "--purpose", "devices", "--permission", "Flying");
        _olga.Error.ShouldContain("There is no permission \"Flying\".");
        await _olga.RunAsync(2, "roles", "add", "Flyers", "--purpose", "flying");
        await _olga.RunAsync(2, "roles", "add", "Flyers");
        await _olga.RunAsync(2, "roles", "edit", "Operators");
        _olga.Error.ShouldContain("Nothing is named that is to change.");
        await _olga.RunAsync(2, "roles", "edit", "Operators", "--add-permission", "Reboot", "--remove-permission", "reboot");
        _olga.Error.ShouldContain("Reboot is to be added and removed.");
        await _olga.RunAsync(1, "roles", "add", "Helpers", "--purpose", "invitations", "--permission", "Tunnel");
        _olga.Error.ShouldContain("permissions: ");
        await _olga.RunAsync(1, "roles", "edit", "Only device connection", "--add-permission", "Reboot");
        await _olga.RunAsync(4, "roles", "remove", "Nobody");
        (await _olga.NewestChangeAsync()).ShouldBe(newest);
    }
}
