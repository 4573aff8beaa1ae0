using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Steps of approval for who reaches what.</summary>
internal static class WorkflowsCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "workflows",
        "Steps of approval that members of a technician group take to the devices of a device group, in the place of the rules that would count else. For master administrators.",
        "countersign workflows list",
        "countersign workflows add \"Two pairs of eyes\" --group Support --devices Production --step managers:Support --step \"2 of members:Operations; 30m\"")
    {
        CreateList(common),
        CreateShow(common),
        WorkflowEditCommands.CreateAdd(common),
        WorkflowEditCommands.CreateEdit(common),
        CreateRemove(common),
    };

    public static Argument<string> Named() => new("WORKFLOW") { Description = "The workflow's name, or its ID." };

    public static async Task<Answer<Reply<Workflow>>> FindAsync(ApiClient client, string name, CancellationToken cancellation) =>
        (await NamedThings.WorkflowAsync(client, name, cancellation)).TryGet(out var id, out var failure)
            ? await client.GetAsync($"workflows/{id}", ApiJson.Default.Workflow, cancellation)
            : failure;

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists the workflows: for whom, on what, and in how many steps.", "countersign workflows list", "countersign workflows list --json") { paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) =>
        {
            var names = new KnownNames();
            var listing = new Listing<Workflow>(
                ApiJson.Default.WorkflowPage,
                "There is no workflow that you may see.",
                ["WORKFLOW", "FOR", "ON", "STEPS", "ID"],
                (workflow, _) => [workflow.Name ?? "", names[workflow.Group], names[workflow.Devices], (workflow.Steps?.Count ?? 0).ToString(CultureInfo.InvariantCulture), workflow.Id ?? ""])
            {
                Prepare = (client, _, stop) => ReadGroupsAsync(names, client, stop),
            };
            return listing.RunAsync(common, parsed, $"workflows?{paging.Query(parsed)}", cancellation);
        });
        return command;
    }

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var name = Named();
        var command = new DocumentedCommand("show", "Shows a workflow with its steps, in order.", "countersign workflows show \"Two pairs of eyes\"", "countersign workflows show \"Two pairs of eyes\" --json") { name };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            (client, stop) => FindAsync(client, parsed.GetRequiredValue(name), stop),
            async (workflow, client, output, stop) =>
            {
                var names = new KnownNames();
                await ReadGroupsAsync(names, client, stop);
                var approvers = (workflow.Steps ?? []).SelectMany(step => step.Approvers ?? []);
                await names.ReadPeopleAsync(client, approvers.Where(approver => approver.Kind == "person").Select(approver => approver.Id), stop);
                output.Line($"{workflow.Name}: {names[workflow.Group]} on {names[workflow.Devices]}");
                foreach (var (index, step) in (workflow.Steps ?? []).Index()) output.Line(string.Create(CultureInfo.InvariantCulture, $"step {index + 1}: {WorkflowStepText.Write(step, names)}"));
                output.Line($"an approval counts for later steps, too: {YesNo(workflow.CountsForLater)}");
                output.Line($"takes requests for access ahead of time: {YesNo(workflow.TakesPreapproved)}");
                output.Line($"insists on its steps where access is preapproved: {YesNo(workflow.InsistsWhenPreapproved)}");
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var name = Named();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "remove", "Deletes a workflow: the rules count that it has stood in the place of.", "countersign workflows remove \"Two pairs of eyes\" --preview", "countersign workflows remove \"Two pairs of eyes\"") { name, edit.Preview };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await NamedThings.WorkflowAsync(client, parsed.GetRequiredValue(name), stop)).TryGet(out var id, out var failure)
                ? PolicyRequest.Delete($"workflows/{id}", $"Deleted {parsed.GetRequiredValue(name)}.")
                : failure,
            cancellation));
        return command;
    }

    private static async Task ReadGroupsAsync(KnownNames names, ApiClient client, CancellationToken cancellation)
    {
        await names.ReadGroupsAsync(client, GroupTree.OfTechnicians, cancellation);
        await names.ReadGroupsAsync(client, GroupTree.OfDevices, cancellation);
    }

    private static string YesNo(bool? value) => value == true ? "yes" : "no";
}
