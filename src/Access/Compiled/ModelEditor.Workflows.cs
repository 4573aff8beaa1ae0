namespace Countersign.Access;

internal sealed partial class ModelEditor
{
    private readonly ChunkedMap<WorkflowId, WorkflowRow>.Builder _workflows;
    private bool _areWorkflowsChanged;

    private void TakeWorkflow(WorkflowRow? before, WorkflowRow? after)
    {
        _areWorkflowsChanged = true;
        if (before is not null)
        {
            _workflows.Remove(before.Id);
            var group = Draft(before.Group, before);
            group.IsChanged = true;
            group.Workflows.Remove(before);
        }

        if (after is null) return;
        if (!_workflows.TryAdd(after.Id, after)) throw Twice(after);
        var draft = Draft(after.Group, after);
        draft.IsChanged = true;
        draft.Workflows.Add(after);
    }

    /// <summary>Whatever a workflow names has to be there, and no two may be for the same groups.</summary>
    private void CheckWorkflows()
    {
        if (_workflows.Count == 0) return;
        var isAnythingGone = _personDrafts.Values.Any(draft => draft.Row is null or { Kind: PersonKind.Contact })
            || _technicianGroupDrafts.Values.Any(draft => draft.Row is null)
            || _deviceGroupDrafts.Values.Any(draft => draft.Row is null);
        if (!_areWorkflowsChanged && !isAnythingGone) return;
        var pairs = new HashSet<(TechnicianGroupId, DeviceGroupId)>();
        foreach (var workflow in _workflows.ToImmutable().Values)
        {
            if (!pairs.Add((workflow.Group, workflow.Devices))) throw new PolicyException($"{workflow.Key}: there is another workflow for the same groups");
            if (!_deviceGroups.ContainsKey(workflow.Devices)) throw new PolicyException($"{workflow.Key}: device group {workflow.Devices} is not there");
            if (!WorkflowSteps.TryParse(workflow.Steps, out var steps, out var problem)) throw new PolicyException($"{workflow.Key}: {problem}");
            foreach (var approver in steps.Value.SelectMany(step => step.Approvers))
            {
                if (approver.Kind == ApproverKind.Person && _people.GetValueOrDefault(new(approver.Id)) is { IsContact: true } contact)
                    throw new PolicyException($"{workflow.Key}: '{contact.Row.Login}' is a contact, who approves nothing");
                if (!IsThere(approver)) throw new PolicyException($"{workflow.Key}: the approver {approver.Kind} {approver.Id} is not there");
            }
        }
    }

    private bool IsThere(Approver approver) => approver.Kind switch
    {
        ApproverKind.Person => _people.ContainsKey(new(approver.Id)),
        ApproverKind.Managers or ApproverKind.Members => _technicianGroups.ContainsKey(new(approver.Id)),
        _ => approver.Id == Guid.Empty,
    };
}
