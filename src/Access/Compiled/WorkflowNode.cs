using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>A workflow with its steps read and its technician group looked up.</summary>
internal sealed record WorkflowNode(WorkflowRow Row, ImmutableArray<WorkflowStep> Steps, TechnicianGroupNode Group)
{
    public WorkflowId Id => Row.Id;

    public ApprovalStepId StepId(int index) => ApprovalStepId.OfWorkflow(Id, index + 1);
}

internal sealed partial class PolicyModel
{
    /// <summary>
    /// Whether the workflow, one of the person's, counts for the device: it is for a group that the device is in, and none with a comparable
    /// technician group that counts there too is for something deeper: first of the device groups, then of the technician groups.
    /// </summary>
    public bool Applies(WorkflowNode workflow, PersonNode person, DeviceNode device) => Applies(workflow, person, GroupOf(device));

    /// <summary>The same for what is in the device group itself.</summary>
    public bool Applies(WorkflowNode workflow, PersonNode person, DeviceGroupNode place)
    {
        if (!IsOn(workflow, place, out var devices)) return false;
        foreach (var other in person.Workflows)
        {
            if (other.Id == workflow.Id || !IsOn(other, place, out var others)) continue;
            var isBelow = other.Group.IsAtOrBelow(workflow.Group);
            if (!isBelow && !workflow.Group.IsAtOrBelow(other.Group)) continue;
            if (others.Index != devices.Index ? others.IsAtOrBelow(devices) : isBelow) return false;
        }

        return true;
    }

    /// <summary>Whether a workflow stands in the place of a technician group's rule.</summary>
    /// <param name="through">The group through which the rule reaches the person.</param>
    public bool IsReplaced(TechnicianGroupNode through, TechnicianGroupNode rule, PersonNode person, DeviceNode device) => IsReplaced(through, rule, person, GroupOf(device));

    /// <summary>The same for what is in the device group itself.</summary>
    /// <param name="through">The group through which the rule reaches the person.</param>
    public bool IsReplaced(TechnicianGroupNode through, TechnicianGroupNode rule, PersonNode person, DeviceGroupNode place)
    {
        foreach (var workflow in person.Workflows)
        {
            if (workflow.Group.IsAtOrBelow(rule) && through.IsAtOrBelow(workflow.Group) && Applies(workflow, person, place)) return true;
        }

        return false;
    }

    public bool HasWorkflow(PersonNode person, DeviceNode device)
    {
        foreach (var workflow in person.Workflows)
        {
            if (Applies(workflow, person, device)) return true;
        }

        return false;
    }

    /// <summary>Whether any rule asks for approval of the person's connections to the device.</summary>
    public bool NeedsApproval(PersonNode person, DeviceNode device)
    {
        if (RulesOf(device).RequiresApproval || HasWorkflow(person, device)) return true;
        if (!person.NeedsApproval || person.Workflows.Length == 0) return person.NeedsApproval;
        foreach (var group in person.Groups)
        {
            if (group.ApprovalRule is { } rule && !IsReplaced(group, rule, person, device)) return true;
        }

        return false;
    }

    private bool IsOn(WorkflowNode workflow, DeviceGroupNode place, out DeviceGroupNode devices) =>
        DeviceGroups.TryGetValue(workflow.Row.Devices, out devices!) && place.IsAtOrBelow(devices);
}
