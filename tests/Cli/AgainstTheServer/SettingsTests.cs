using Microsoft.AspNetCore.Http;

namespace Countersign.Cli.AgainstTheServer;

public sealed class SettingsTests : IAsyncLifetime
{
    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync()
    {
        _olga = await SignedIn.StartAsync();
        await _olga.RunAsync(0, "device-groups", "add", "Customers");
        await _olga.RunAsync(0, "device-groups", "add", "Contoso", "--parent", "Customers");
        await _olga.RunAsync(0, "devices", "add", "web1", "--group", "Customers / Contoso", "--host", "192.0.2.1");
        await _olga.RunAsync(0, "devices", "add", "web2", "--group", "Contoso", "--host", "192.0.2.2");
    }

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task Settings_are_shown_with_where_they_come_from_set_and_cleared()
    {
        await _olga.RunAsync(0, "settings", "show");
        Row("idleTimeout").ShouldBe(["idleTimeout", "30m", "the", "organization"]);
        Row("twoFactorRequired")[1].ShouldBe("false");

        await _olga.RunAsync(0, "settings", "set", "idletimeout", "10m", "--group", "Customers");
        _olga.Output.ShouldBe("Set idleTimeout of Customers to 10m.\n");
        _olga.Error.ShouldContain("policy undo");
        await _olga.RunAsync(0, "settings", "show", "--group", "Customers");
        Row("idleTimeout").ShouldBe(["idleTimeout", "10m", "its", "own"]);
        _olga.Output.ShouldNotContain("twoFactorRequired");
        await _olga.RunAsync(0, "settings", "show", "--device", "web1");
        Row("idleTimeout").ShouldBe(["idleTimeout", "10m", "device", "group", "Customers"]);
        await _olga.RunAsync(0, "settings", "show", "--device", "web1", "--json");
        var shown = _olga.Json["items"]!.AsArray().Single(item => (string)item!["setting"]! == "idleTimeout")!;
        ((string)shown["source"]!["name"]!, (bool)shown["own"]!).ShouldBe(("Customers", false));

        await _olga.RunAsync(0, "settings", "set", "idleTimeout", "10m", "--group", "Customers");
        _olga.Error.ShouldBe("It was so already: nothing was changed.\n");
        await _olga.RunAsync(0, "settings", "clear", "idleTimeout", "--group", "Customers", "--preview");
        _olga.Output.ShouldContain("  - removed: setting idleTimeout of device group Customers\n");
        _olga.Error.ShouldBe("Nothing was changed.\n");
        await _olga.RunAsync(0, "settings", "clear", "idleTimeout", "--group", "Customers");
        _olga.Output.ShouldBe("idleTimeout of Customers is inherited.\n");
        await _olga.RunAsync(0, "settings", "show", "--device", "web1");
        Row("idleTimeout").ShouldBe(["idleTimeout", "30m", "the", "organization"]);

        await _olga.RunAsync(0, "settings", "set", "idleTimeout", "20m", "--json");
        _olga.Json["version"].ShouldNotBeNull();
        await _olga.RunAsync(0, "settings", "clear", "idleTimeout");
        _olga.Output.ShouldBe("idleTimeout of the organization has its default.\n");
    }

    [Fact]
    public async Task Forcing_a_setting_tells_which_overrides_go_before_and_after_and_can_be_taken_back()
    {
        await _olga.RunAsync(0, "settings", "set", "maxSession", "8h", "--device", "web1");
        await _olga.RunAsync(0, "settings", "set", "maxSession", "1h", "--group", "Contoso");
        await _olga.RunAsync(0, "settings", "set", "recording", "required", "--device", "web2");

        await _olga.RunAsync(0, "settings", "force", "maxSession", "4h", "--group", "Customers", "--preview");
        _olga.Output.ShouldContain("overrides removed: 2.");
        _olga.Output.ShouldContain("  - removed: setting maxSession of device group Customers / Contoso\n");
        _olga.Output.ShouldContain("  - removed: setting maxSession of device web1\n");
        _olga.Output.ShouldContain("  - added: setting maxSession of device group Customers\n");
        _olga.Output.ShouldNotContain("web2\n  - ");
        await _olga.RunAsync(0, "settings", "show", "--device", "web1");
        Row("maxSession")[1].ShouldBe("8h");

        await _olga.RunAsync(0, "settings", "force", "maxSession", "4h", "--group", "Customers");
        _olga.Output.ShouldStartWith("Forced maxSession of Customers to 4h.\nOverrides removed: 2:\n");
        _olga.Output.ShouldContain("  - device web1\n");
        _olga.Output.ShouldContain("  - device group Contoso\n");
        var number = _olga.Error.Split(' ')[3].TrimEnd(';');
        await _olga.RunAsync(0, "settings", "show", "--device", "web1");
        Row("maxSession").ShouldBe(["maxSession", "4h", "device", "group", "Customers"]);
        await _olga.RunAsync(0, "policy", "undo", number);
        await _olga.RunAsync(0, "settings", "show", "--device", "web1");
        Row("maxSession").ShouldBe(["maxSession", "8h", "its", "own"]);

        await _olga.RunAsync(0, "settings", "force", "endWarning", "2m", "--json");
        _olga.Json["cleared"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task Roles_and_people_in_values_go_by_name()
    {
        await _olga.RunAsync(0, "settings", "show");
        Row("accessRequestRoles")[1..4].ShouldBe(["Only", "device", "connection"]);
        await _olga.RunAsync(0, "settings", "set", "accessRequestRoles", "Full device access, only device connection");
        await _olga.RunAsync(0, "settings", "set", "accessRequestRoles", "Only device connection,Full device access");
        _olga.Error.ShouldBe("It was so already: nothing was changed.\n");
        await _olga.RunAsync(0, "settings", "show");
        _olga.Output.ShouldContain("Full device access");
        await _olga.RunAsync(4, "settings", "set", "accessRequestRoles", "Full access");
        await _olga.RunAsync(0, "settings", "set", "accessRequestRoles", "none");

        await _olga.RunAsync(0, "settings", "set", "notifications", "session.refused:person:OLGA, mail:ops@example.org", "--device", "web1");
        await _olga.RunAsync(0, "settings", "show", "--device", "web1");
        _olga.Output.ShouldContain("session.refused: person:olga, mail:ops@example.org");
        await _olga.RunAsync(4, "settings", "set", "notifications", "session.refused: person:nobody", "--device", "web1");
    }

    [Fact]
    public async Task What_is_no_setting_no_value_or_no_place_is_refused()
    {
        await _olga.RunAsync(2, "settings", "set", "maxSesion", "8h");
        _olga.Error.ShouldStartWith("countersign: the organization has no setting maxSesion.\nThere are: remoteControlApproval, ");
        await _olga.RunAsync(2, "settings", "set", "twoFactorRequired", "true", "--device", "web1");
        await _olga.RunAsync(2, "settings", "set", "maxSession", "8h", "--device", "web1", "--group", "Customers");
        _olga.Error.ShouldContain("Only one of --group, --device.");
        await _olga.RunAsync(1, "settings", "set", "maxSession", "soon");
        _olga.Error.ShouldContain("value: ");
        await _olga.RunAsync(4, "settings", "show", "--device", "web9");
        await _olga.RunAsync(4, "settings", "clear", "maxSession", "--group", "Customers / Web");
        await _olga.RunAsync(2, "settings", "set", "maxSession");
        await _olga.RunAsync(2, "settings", "force");
        await _olga.RunAsync(2, "settings");
    }

    [Fact]
    public async Task The_second_of_two_editors_is_told()
    {
        var read = new List<string?>();
        await using var server = await HostileServer.StartAsync(async context =>
        {
            if (context.Request.Method == "GET")
            {
                await context.Response.WriteAsync("""{"items":[{"setting":"maxSession","value":"none"}],"version":7}""");
                return;
            }

            read.Add(context.Request.Headers.IfMatch);
            context.Response.StatusCode = 412;
            await context.Response.WriteAsync("""{"detail":"Changed by Adam at noon."}""");
        });
        using var terminal = new FakeTerminal { ["COUNTERSIGN_TOKEN"] = "token", ["COUNTERSIGN_SERVER"] = server.Address };
        foreach (var line in new[] { "set maxSession 8h", "clear maxSession", "force maxSession 8h" })
        {
            (await terminal.RunAsync(["settings", .. line.Split(' ')])).ShouldBe(1, terminal.Error);
            terminal.Error.ShouldContain("Changed by Adam at noon.");
        }

        read.ShouldBe(["\"7\"", "\"7\"", "\"7\""]);
    }

    /// <summary>The words of the row of a setting in the table that was shown.</summary>
    private string[] Row(string setting) => _olga.Output.Split('\n').Single(line => line.StartsWith(setting + " ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
