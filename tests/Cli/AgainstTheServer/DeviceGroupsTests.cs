using System.Text.RegularExpressions;

namespace Countersign.Cli.AgainstTheServer;

public sealed partial class DeviceGroupsTests : IAsyncLifetime
{
    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync() => _olga = await SignedIn.StartAsync();

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task Groups_are_made_listed_by_their_paths_renamed_moved_and_removed()
    {
        await _olga.RunAsync(0, "device-groups", "list");
        _olga.Error.ShouldBe("There is no device group that you may see.\n");
        await _olga.RunAsync(0, "device-groups", "add", "Customers", "--preview");
        _olga.Output.ShouldStartWith("Added the device group Customers.\n");
        await _olga.RunAsync(0, "device-groups", "add", "Customers");
        _olga.Output.ShouldBe("Added Customers.\n");
        await _olga.RunAsync(0, "device-groups", "add", "Contoso", "--parent", "Customers", "--json");
        var contoso = (string)_olga.Json["id"]!;
        await _olga.RunAsync(0, "device-groups", "add", "Web", "--parent", "Customers/Contoso");
        await _olga.RunAsync(0, "device-groups", "add", "Web");
        await _olga.RunAsync(0, "devices", "add", "web1", "--group", "Contoso / Web", "--host", "192.0.2.1");

        await _olga.RunAsync(0, "device-groups", "list");
        Rows().ShouldBe(["Customers 0 1", "Customers / Contoso 0 1", "Customers / Contoso / Web 1 1", "Web 0 0"]);
        await _olga.RunAsync(0, "device-groups", "list", "--under", "Contoso");
        Rows().ShouldBe(["Customers / Contoso 0 1", "Customers / Contoso / Web 1 1"]);
        await _olga.RunAsync(0, "device-groups", "list", "--json", "--limit", "1");
        (_olga.Json["items"]!.AsArray().Count, _olga.Json["next"] is null).ShouldBe((1, false));

        await _olga.RunAsync(0, "device-groups", "show", "contoso");
        _olga.Output.ShouldBe($"Customers / Contoso: 0 devices, 1 with those below\nbelow: Web, 1 devices\nID: {contoso}\n");
        await _olga.RunAsync(0, "device-groups", "show", contoso, "--json");
        ((string)_olga.Json["name"]!).ShouldBe("Contoso");

        await _olga.RunAsync(0, "device-groups", "edit", "Contoso", "--rename", "Contoso Ltd", "--top", "--preview");
        _olga.Output.ShouldContain("  - changed: device group Customers / Contoso\n");
        await _olga.RunAsync(0, "device-groups", "edit", "Contoso", "--rename", "Contoso Ltd");
        await _olga.RunAsync(0, "device-groups", "edit", "Contoso Ltd", "--top");
        _olga.Output.ShouldBe("Changed Contoso Ltd.\n");
        await _olga.RunAsync(0, "device-groups", "edit", "Customers", "--parent", "Contoso Ltd");
        await _olga.RunAsync(0, "device-groups", "list");
        Rows().ShouldBe(["Contoso Ltd 0 1", "Contoso Ltd / Customers 0 0", "Contoso Ltd / Web 1 1", "Web 0 0"]);

        await _olga.RunAsync(1, "device-groups", "remove", "Contoso Ltd");
        _olga.Error.ShouldContain("Contoso Ltd is not empty.");
        await _olga.RunAsync(0, "device-groups", "remove", "Customers", "--preview");
        await _olga.RunAsync(0, "device-groups", "remove", "Customers");
        _olga.Output.ShouldBe("Deleted Customers.\n");
        await _olga.RunAsync(4, "device-groups", "show", "Customers");
    }

    [Fact]
    public async Task A_name_that_several_have_is_told_with_their_paths()
    {
        foreach (var parent in new[] { "Berlin", "Bonn" })
        {
            await _olga.RunAsync(0, "device-groups", "add", parent);
            await _olga.RunAsync(0, "device-groups", "add", "Web", "--parent", parent);
        }

        await _olga.RunAsync(2, "device-groups", "remove", "web");
        _olga.Error.ShouldContain("Berlin / Web, Bonn / Web");
        await _olga.RunAsync(0, "device-groups", "remove", "bonn / web");
        await _olga.RunAsync(0, "device-groups", "show", "web");
        _olga.Output.ShouldStartWith("Berlin / Web: ");
    }

    [Fact]
    public async Task An_edit_says_what_it_changes_and_nothing_twice()
    {
        await _olga.RunAsync(0, "device-groups", "add", "Berlin");
        await _olga.RunAsync(2, "device-groups", "edit", "Berlin");
        _olga.Error.ShouldContain("Nothing is named that is to change.");
        await _olga.RunAsync(2, "device-groups", "edit", "Berlin", "--top", "--parent", "Berlin");
        await _olga.RunAsync(4, "device-groups", "edit", "Bonn", "--rename", "Bern");
        await _olga.RunAsync(4, "device-groups", "add", "Web", "--parent", "Bonn");
        await _olga.RunAsync(1, "device-groups", "edit", "Berlin", "--parent", "Berlin");
        _olga.Error.ShouldContain("A group can't be below itself.");
        await _olga.RunAsync(1, "device-groups", "add", "berlin");
        await _olga.RunAsync(0, "device-groups", "edit", "Berlin", "--top");
        _olga.Error.ShouldBe("It was so already: nothing was changed.\n");
    }

    /// <summary>Path and counts in the table that was shown.</summary>
    private IEnumerable<string> Rows() => _olga.Output.TrimEnd('\n').Split('\n').Skip(1)
        .Select(line => Row().Match(line)).Select(row => $"{row.Groups["path"].Value} {row.Groups["own"].Value} {row.Groups["all"].Value}");

    [GeneratedRegex("^(?<path>.+?) +(?<own>[0-9]+) +(?<all>[0-9]+) +[0-9a-f-]{36}$")]
    private static partial Regex Row();
}
