namespace Countersign.Cli.AgainstTheServer;

/// <summary>Workflows on the command line.</summary>
public sealed class WorkflowsTests : IAsyncLifetime
{
    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync()
    {
        _olga = await SignedIn.StartAsync();
        await _olga.AddTechnicianAsync("anna");
        await _olga.AddDeviceGroupAsync("Databases", await _olga.AddDeviceGroupAsync("Production"));
        await _olga.RunAsync(0, "groups", "add", "Support");
        await _olga.RunAsync(0, "groups", "add", "Night shift", "--parent", "Support");
    }

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task A_workflow_is_made_shown_changed_and_removed()
    {
        string[] wanted = ["workflows", "add", "Two pairs of eyes", "--group", "Support", "--devices", "Production/Databases", "--step", "managers:Support", "--step", "2 of members:Support / Night shift, person:anna; 30m"];
        await _olga.RunAsync(0, [.. wanted, "--preview"]);
        _olga.Output.ShouldStartWith("Added the workflow Two pairs of eyes for Support on Production / Databases.");
        await _olga.RunAsync(0, wanted);
        _olga.Output.ShouldBe("Added Two pairs of eyes.\n");
        await _olga.RunAsync(0, "workflows", "show", "two pairs of eyes");
        _olga.Output.ShouldBe(
            """
            Two pairs of eyes: Support on Production / Databases
            step 1: 1 of managers:Support
            step 2: 2 of members:Support / Night shift, person:anna; 30m
            an approval counts for later steps, too: no
            takes requests for access ahead of time: yes
            insists on its steps where access is preapproved: no

            """);

        await _olga.RunAsync(0, "workflows", "edit", "Two pairs of eyes", "--remove-step", "1", "--add-step", "1: 1 of device", "--add-step", "person:anna", "--insists-when-preapproved", "true", "--rename", "Three pairs");
        _olga.Output.ShouldBe("Changed Two pairs of eyes.\n");
        await _olga.RunAsync(0, "workflows", "show", "Three pairs");
        _olga.Output.ShouldBe(
            """
            Three pairs: Support on Production / Databases
            step 1: 1 of device
            step 2: 2 of members:Support / Night shift, person:anna; 30m
            step 3: 1 of person:anna
            an approval counts for later steps, too: no
            takes requests for access ahead of time: yes
            insists on its steps where access is preapproved: yes

            """);
        await _olga.RunAsync(0, "workflows", "edit", "Three pairs", "--takes-preapproved", "false");
        (await _olga.ReadAsync("workflows", "show", "Three pairs"))["steps"]!.AsArray().Count.ShouldBe(3);

        await _olga.RunAsync(0, "workflows", "list");
        _olga.Rows("WORKFLOW", "FOR", "ON", "STEPS", "ID").ShouldHaveSingleItem()[..4].ShouldBe(["Three pairs", "Support", "Production / Databases", "3"]);
        await _olga.RunAsync(0, "workflows", "remove", "Three pairs", "--preview");
        _olga.Output.ShouldStartWith("Deleted the workflow Three pairs.");
        await _olga.RunAsync(0, "workflows", "remove", "Three pairs");
        await _olga.RunAsync(0, "workflows", "list");
        _olga.Error.ShouldBe("There is no workflow that you may see.\n");
    }

    [Fact]
    public async Task What_is_wrong_with_a_workflow_is_told_and_nothing_is_changed()
    {
        await _olga.RunAsync(0, "workflows", "add", "Eyes", "--group", "Support", "--devices", "Production", "--step", "device");
        var newest = await _olga.NewestChangeAsync();
        foreach (var step in (string[])["anna", "2 of", "person:", "device:web1", "managers:Support;", "managers:Support; 1h; 2h", "0: device", "99999999999 of device", ""])
        {
            await _olga.RunAsync(2, "workflows", "edit", "Eyes", "--add-step", step);
            _olga.Error.ShouldContain($"\"{step}\" is no step.");
        }

        await _olga.RunAsync(4, "workflows", "edit", "Eyes", "--add-step", "person:nobody");
        await _olga.RunAsync(1, "workflows", "edit", "Eyes", "--add-step", "21 of device");
        await _olga.RunAsync(1, "workflows", "edit", "Eyes", "--add-step", "device; soon");
        await _olga.RunAsync(1, "workflows", "edit", "Eyes", "--remove-step", "1");
        await _olga.RunAsync(2, "workflows", "edit", "Eyes", "--remove-step", "2");
        _olga.Error.ShouldContain("\"2\" is not the number of a step.");
        await _olga.RunAsync(2, "workflows", "edit", "Eyes", "--add-step", "3: device");
        _olga.Error.ShouldContain("There can't be a step 3 after 1.");
        await _olga.RunAsync(2, "workflows", "edit", "Eyes");
        await _olga.RunAsync(2, "workflows", "add", "None", "--group", "Support", "--devices", "Production");
        await _olga.RunAsync(1, "workflows", "add", "Other", "--group", "Support", "--devices", "Production", "--step", "device");
        await _olga.RunAsync(4, "workflows", "show", "Other");
        (await _olga.NewestChangeAsync()).ShouldBe(newest);
    }
}
