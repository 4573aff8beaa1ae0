using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>A workflow added and changed.</summary>
internal sealed class WorkflowEditCommands
{
    private readonly Option<bool?> _later = new("--counts-for-later") { Description = "true or false: an approval counts for later steps that the same person can take, too.", HelpName = "BOOL" };
    private readonly Option<bool?> _takes = new("--takes-preapproved") { Description = "true or false: requests for access ahead of time take these steps; else those who may approve for the device decide.", HelpName = "BOOL" };
    private readonly Option<bool?> _insists = new("--insists-when-preapproved") { Description = "true or false: access that was approved ahead of time does not stand for these steps.", HelpName = "BOOL" };

    private Option[] All => [_later, _takes, _insists];

    public static Command CreateAdd(CommonOptions common)
    {
        var name = new Argument<string>("NAME") { Description = "What to call it." };
        var group = new Option<string>("--group") { Description = "The technician group whose members take the steps: its name, path or ID.", HelpName = "GROUP", Required = true };
        var devices = new Option<string>("--devices") { Description = "The device group on whose devices, with everything below it: its name, path or ID.", HelpName = "GROUP", Required = true };
        var steps = new Option<string[]>("--step") { Description = $"A step: {WorkflowStepText.Help}. Repeatable, in order.", HelpName = "STEP", Required = true };
        var options = new WorkflowEditCommands();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add",
            "Makes a workflow; for each technician group on each device group there is at most one.",
            "countersign workflows add \"Two pairs of eyes\" --group Support --devices Production --step managers:Support --step \"2 of members:Operations, person:anna; 30m\"",
            "countersign workflows add Owners --group \"Berlin / Support\" --devices Databases --step device --insists-when-preapproved true --preview")
        {
            name, group, devices, steps,
        };
        foreach (var option in options.All) command.Add(option);
        command.Add(edit.Preview);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<PolicyRequest>> (client, stop) =>
            {
                if (!ReadAll(parsed.GetRequiredValue(steps)).TryGet(out var texts, out var failure)) return failure;
                if (!(await StepsAsync(client, [], [], texts, stop)).TryGet(out var found, out failure)) return failure;
                if (!(await GroupTree.FindAsync(client, GroupTree.OfTechnicians, parsed.GetRequiredValue(group), stop)).TryGet(out var technicians, out failure)) return failure;
                if (!(await GroupTree.FindAsync(client, GroupTree.OfDevices, parsed.GetRequiredValue(devices), stop)).TryGet(out var on, out failure)) return failure;
                var workflow = new NewWorkflow(technicians, on, parsed.GetRequiredValue(name), found, parsed.GetValue(options._later), parsed.GetValue(options._takes), parsed.GetValue(options._insists));
                return PolicyRequest.Post("workflows", workflow, ApiJson.Default.NewWorkflow, $"Added {workflow.Name}.");
            },
            cancellation));
        return command;
    }

    public static Command CreateEdit(CommonOptions common)
    {
        var name = WorkflowsCommand.Named();
        var rename = new Option<string?>("--rename") { Description = "Another name.", HelpName = "NAME" };
        var removed = new Option<string[]>("--remove-step") { Description = "The number of a step that goes, as \"workflows show\" tells it. Repeatable.", HelpName = "N" };
        var added = new Option<string[]>("--add-step") { Description = "A step, written as for \"add\", behind the others, or with \"N: \" in front as the Nth of those that are left. Repeatable.", HelpName = "[N:]STEP" };
        var options = new WorkflowEditCommands();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "edit",
            "Changes a workflow; for whom and on what it is stays, and so does what is not named.",
            "countersign workflows edit \"Two pairs of eyes\" --add-step \"person:anna; 30m\"",
            "countersign workflows edit \"Two pairs of eyes\" --remove-step 1 --add-step \"1: 2 of managers:Support\" --preview",
            "countersign workflows edit \"Two pairs of eyes\" --counts-for-later true")
        {
            name, rename, removed, added,
        };
        foreach (var option in options.All) command.Add(option);
        command.Add(edit.Preview);
        command.ChangesSomething([rename, removed, added, .. options.All]);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<PolicyRequest>> (client, stop) =>
            {
                if (!ReadAll(parsed.GetValue(added) ?? []).TryGet(out var more, out var failure)) return failure;
                if (!(await WorkflowsCommand.FindAsync(client, parsed.GetRequiredValue(name), stop)).TryGet(out var now, out failure)) return failure;
                if (!(await StepsAsync(client, now.Value.Steps ?? [], parsed.GetValue(removed) ?? [], more, stop)).TryGet(out var steps, out failure)) return failure;
                var change = new WorkflowChange(
                    parsed.GetValue(rename),
                    more.Count == 0 && parsed.GetValue(removed) is not { Length: > 0 } ? null : steps,
                    parsed.GetValue(options._later), parsed.GetValue(options._takes), parsed.GetValue(options._insists));
                return PolicyRequest.Patch($"workflows/{now.Value.Id}", change, ApiJson.Default.WorkflowChange, $"Changed {now.Value.Name}.") with { Read = now.Value.Version };
            },
            cancellation));
        return command;
    }

    /// <summary>All steps that there are then: without those removed, and with those added, each at its place.</summary>
    private static async Task<Answer<List<WorkflowStep>>> StepsAsync(
        ApiClient client, IReadOnlyList<WorkflowStep> now, string[] removed, List<WorkflowStepText> added, CancellationToken cancellation)
    {
        var gone = new HashSet<int>();
        foreach (var text in removed)
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1 || number > now.Count)
                return new Failure(ExitCode.Usage, $"\"{text}\" is not the number of a step.", string.Create(CultureInfo.InvariantCulture, $"They go from 1 to {now.Count}."));
            gone.Add(number - 1);
        }

        var steps = now.Where((_, index) => !gone.Contains(index)).ToList();
        foreach (var text in added)
        {
            if (text.Place > steps.Count + 1) return new Failure(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"There can't be a step {text.Place} after {steps.Count}."));
            if (!(await text.FindAsync(client, cancellation)).TryGet(out var step, out var failure)) return failure;
            steps.Insert((text.Place ?? steps.Count + 1) - 1, step);
        }

        return steps;
    }

    private static Answer<List<WorkflowStepText>> ReadAll(string[] texts)
    {
        var steps = new List<WorkflowStepText>();
        foreach (var text in texts)
        {
            if (!WorkflowStepText.Read(text).TryGet(out var step, out var failure)) return failure;
            steps.Add(step);
        }

        return steps;
    }
}
