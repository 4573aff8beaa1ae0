namespace Countersign.Access;

internal sealed partial class Planner
{
    private PlanResult Plan(PolicyCommand.AddWorkflow command)
    {
        if (VisibleGroup(command.Group) is not { } group) return NotFound("technician group");
        if (VisibleDeviceGroup(command.Devices) is not { } devices) return NotFound("device group");
        if (!_authority.IsMaster) return OnlyMasters("make workflows");
        if (Fields.Id(command.Id.Value) is { } noId) return noId;
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (CheckSteps(command.Steps, out var steps) is { } badSteps) return badSteps;
        if (_model.Workflows.ContainsKey(command.Id)) return Conflict("There is a workflow with this id already.");
        if (_model.Workflows.Values.FirstOrDefault(row => row.Group == group.Id && row.Devices == devices.Id) is { } other)
        {
            return Conflict($"The workflow {other.Name} is for {Describe.Path(group)} on {Describe.Path(devices)} already.");
        }

        _draft.Add(new WorkflowRow(
            command.Id,
            group.Id,
            devices.Id,
            name,
            steps,
            command.CountsForLater,
            command.TakesPreapproved,
            command.InsistsWhenPreapproved));
        return _draft.Planned($"Added the workflow {name} for {Describe.Path(group)} on {Describe.Path(devices)}.");
    }

    private PlanResult Plan(PolicyCommand.EditWorkflow command)
    {
        if (FindWorkflow(command.Id) is not { } workflow) return NotFound("workflow");
        if (Fields.Name(command.Name, out var name) is { } badName) return badName;
        if (CheckSteps(command.Steps, out var steps) is { } badSteps) return badSteps;
        _draft.Put(workflow with
        {
            Name = name,
            Steps = steps,
            CountsForLater = command.CountsForLater,
            TakesPreapproved = command.TakesPreapproved,
            InsistsWhenPreapproved = command.InsistsWhenPreapproved,
        });
        return _draft.Planned($"Edited the workflow {name}.");
    }

    private PlanResult Plan(PolicyCommand.DeleteWorkflow command)
    {
        if (FindWorkflow(command.Id) is not { } workflow) return NotFound("workflow");
        _draft.Remove(workflow);
        return _draft.Planned($"Deleted the workflow {workflow.Name}.");
    }

    /// <summary>Workflows are for master administrators only: for everybody else there are none.</summary>
    private WorkflowRow? FindWorkflow(WorkflowId id) => _authority.IsMaster ? _model.Workflows.GetValueOrDefault(id) : null;

    private PlanResult? CheckSteps(string? text, out string canonical)
    {
        canonical = "";
        if (!WorkflowSteps.TryParse(text, out var steps, out var problem)) return Fields.Invalid("steps", problem);
        foreach (var (index, approver) in steps.Value.Index().SelectMany(step => step.Item.Approvers.Select(approver => (step.Index, approver))))
        {
            var isThere = approver.Kind switch
            {
                ApproverKind.Person => _model.People.TryGetValue(new(approver.Id), out var person) && !person.IsContact,
                ApproverKind.Managers or ApproverKind.Members => _model.TechnicianGroups.ContainsKey(new(approver.Id)),
                _ => true,
            };
            if (!isThere) return Fields.Invalid(WorkflowSteps.Field(index, "approvers"), $"There is nobody such as {approver.Kind} {approver.Id} to approve.");
        }

        canonical = WorkflowSteps.Write(steps.Value);
        return null;
    }

    private WorkflowRow? WorkflowNaming(params Approver[] approvers) => _model.Workflows.Values.FirstOrDefault(
        workflow => WorkflowSteps.TryParse(workflow.Steps, out var steps, out _) && steps.Value.Any(step => step.Approvers.Any(approvers.Contains)));
}
