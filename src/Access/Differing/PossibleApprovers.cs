namespace Countersign.Access;

/// <summary>
/// Which steps nobody can take, or too few. The device's own approvers are left aside: the owner is always one of them, and who else is one depends on
/// the hour.
/// </summary>
internal sealed class PossibleApprovers(PolicyModel model)
{
    private readonly Dictionary<(TechnicianGroupId, TechnicianGroupId), HashSet<PersonId>> _ofRules = [];
    private readonly Dictionary<(WorkflowId, int), HashSet<PersonId>?> _ofSteps = [];

    public bool Blocks(TechnicianGroupNode through, TechnicianGroupNode rule, PersonNode requester) => Blocks(Of(through, rule), 1, requester);

    /// <param name="index">Of the workflow's steps, from 0 on.</param>
    public bool Blocks(WorkflowNode workflow, int index, PersonNode requester) =>
        Of(workflow, index) is { } able && Blocks(able, workflow.Steps[index].Needed, requester);

    /// <summary>What blocks the person's connections wherever it counts, in a form that can be compared.</summary>
    public IEnumerable<string> Blocking(PersonNode person) =>
        person.Groups.Where(group => group.ApprovalRule is { } rule && Blocks(group, rule, person)).Select(group => group.Id.ToString()).Concat(
            from workflow in person.Workflows from index in Enumerable.Range(0, workflow.Steps.Length) where Blocks(workflow, index, person) select $"{workflow.Id} {index}");

    private bool Blocks(HashSet<PersonId> able, int needed, PersonNode requester)
    {
        var isFilled = able.Contains(requester.Id) && !model.OrganizationRules.Approving.AutoApprove;
        return able.Count - (isFilled ? 1 : 0) < needed;
    }

    private HashSet<PersonId> Of(TechnicianGroupNode through, TechnicianGroupNode rule)
    {
        if (_ofRules.TryGetValue((through.Id, rule.Id), out var able)) return able;
        able = Able(model.ApprovingGroup(through, rule) is { IsEnabled: true } group ? model.Appointed(rule, group) : []);
        _ofRules.Add((through.Id, rule.Id), able);
        return able;
    }

    private HashSet<PersonId>? Of(WorkflowNode workflow, int index)
    {
        if (_ofSteps.TryGetValue((workflow.Id, index), out var able)) return able;
        var approvers = workflow.Steps[index].Approvers;
        able = approvers.Any(approver => approver.Kind == ApproverKind.DeviceApprovers) ? null : Able(approvers.SelectMany(Candidates));
        _ofSteps.Add((workflow.Id, index), able);
        return able;
    }

    private IEnumerable<PersonNode> Candidates(Approver approver)
    {
        if (approver.Kind == ApproverKind.Person) return model.People.TryGetValue(new(approver.Id), out var person) ? [person] : [];
        if (!model.TechnicianGroups.TryGetValue(new(approver.Id), out var group) || !group.IsEnabled) return [];
        return approver.Kind == ApproverKind.Managers ? model.ManagersOf(group) : model.MembersOf(group);
    }

    private static HashSet<PersonId> Able(IEnumerable<PersonNode> people) => people.Where(person => person is { TakesPart: true, IsContact: false }).Select(person => person.Id).ToHashSet();
}
