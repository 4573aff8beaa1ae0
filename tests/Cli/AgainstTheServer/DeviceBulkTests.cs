namespace Countersign.Cli.AgainstTheServer;

/// <summary>Many devices alike, and devices that go.</summary>
public sealed class DeviceBulkTests : IAsyncLifetime
{
    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync()
    {
        _olga = await SignedIn.StartAsync();
        await _olga.RunAsync(0, "device-groups", "add", "Servers");
        await _olga.RunAsync(0, "device-groups", "add", "Office");
        foreach (var name in new[] { "web1", "web2", "pc7" })
            await _olga.RunAsync(0, "devices", "add", name, "--group", "Servers", "--host", "192.0.2.1", "--service", "ssh", "--service", "vnc", "--tag", name[..^1]);
    }

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task Devices_that_are_named_or_found_are_changed_alike()
    {
        await _olga.RunAsync(0, "devices", "bulk", "--search", "tag:web", "--tag", "linux", "--tag", "old", "--preview");
        _olga.Output.ShouldContain("Tagged 2 devices with linux, old.\n");
        _olga.Output.ShouldContain("  - changed: device web2\n");
        _olga.Error.ShouldBe("Nothing was changed.\n");
        await _olga.RunAsync(0, "devices", "bulk", "--search", "tag:web", "--tag", "linux", "--tag", "old");
        _olga.Output.ShouldBe("2 of 2 devices changed.\n");
        _olga.Error.ShouldContain("policy undo");
        await _olga.RunAsync(0, "devices", "bulk", "pc7", "--search", "tag:linux", "--untag", "old", "--json");
        ((int)_olga.Json["changed"]!).ShouldBe(2);
        await _olga.RunAsync(0, "devices", "bulk", "WEB1", "--search", "tag:web", "--move", "Office");
        await _olga.RunAsync(0, "devices", "group:office");
        _olga.Output.ShouldContain("web1");
        _olga.Output.ShouldContain("web2");
        _olga.Output.ShouldNotContain("pc7");

        await _olga.RunAsync(0, "devices", "bulk", "web1", "pc7", "--disable");
        await _olga.RunAsync(0, "devices", "show", "pc7");
        _olga.Output.ShouldStartWith("pc7: disabled");
        await _olga.RunAsync(0, "devices", "bulk", "web1", "--disable");
        (_olga.Output, _olga.Error).ShouldBe(("0 of 1 devices changed.\n", "It was so already: nothing was changed.\n"));
        await _olga.RunAsync(0, "devices", "bulk", "web1", "pc7", "--enable");
        await _olga.RunAsync(0, "devices", "bulk", "--search", "service:ssh", "--service", "ssh:2022", "--service", "rdp");
        await _olga.RunAsync(0, "devices", "bulk", "--search", "service:rdp", "--remove-service", "vnc");
        _olga.Output.ShouldBe("3 of 3 devices changed.\n");
        await _olga.RunAsync(0, "devices", "show", "pc7");
        _olga.Output.ShouldContain("service ssh:2022: nothing pinned\nservice rdp:3389: nothing pinned\nno account\n");
    }

    [Fact]
    public async Task A_bulk_change_says_which_devices_and_what_and_one_thing_at_a_time()
    {
        await _olga.RunAsync(2, "devices", "bulk", "--tag", "linux");
        _olga.Error.ShouldContain("Say which devices: by their names, or with --search.");
        await _olga.RunAsync(2, "devices", "bulk", "--search", " ", "--tag", "linux");
        _olga.Error.ShouldContain("--search takes words to search by.");
        await _olga.RunAsync(2, "devices", "bulk", "web1");
        await _olga.RunAsync(2, "devices", "bulk", "web1", "--tag", "linux", "--enable");
        await _olga.RunAsync(2, "devices", "bulk", "web1", "--service", "ssh=");
        await _olga.RunAsync(2, "devices", "bulk", "web1", "--remove-service", "telnet");
        await _olga.RunAsync(4, "devices", "bulk", "--search", "tag:mac", "--tag", "linux");
        await _olga.RunAsync(4, "devices", "bulk", "web9", "--tag", "linux");
        await _olga.RunAsync(4, "devices", "bulk", "web1", "--move", "Nowhere");
        await _olga.RunAsync(1, "devices", "bulk", "web1", "--tag", "no tag");
        _olga.Error.ShouldContain("tags: ");
    }

    [Fact]
    public async Task Devices_are_removed_in_one_change_and_come_back()
    {
        await _olga.RunAsync(0, "devices", "remove", "web1", "--preview");
        _olga.Output.ShouldStartWith("Deleted the device web1.\n");
        _olga.Output.ShouldContain("  - removed: device service web1 ssh\n");
        await _olga.RunAsync(0, "devices", "remove", "web1");
        _olga.Output.ShouldBe("Deleted web1.\n");
        await _olga.RunAsync(0, "devices", "remove", "web2", "pc7");
        _olga.Output.ShouldBe("2 of 2 devices changed.\n");
        var number = _olga.Error.Split(' ')[3].TrimEnd(';');
        await _olga.RunAsync(4, "devices", "show", "pc7");
        await _olga.RunAsync(0, "policy", "undo", number);
        await _olga.RunAsync(0, "devices", "show", "pc7");
        await _olga.RunAsync(4, "devices", "remove", "pc7", "web1");
        await _olga.RunAsync(0, "devices", "show", "pc7");
        await _olga.RunAsync(2, "devices", "remove");
    }
}
