namespace Countersign.Access;

/// <summary>
/// Approving is no permission, and whoever binds others may say who approves. But to make an approver for a rule that binds oneself is to free
/// oneself of it, and whoever is in the same group with it.
/// </summary>
internal sealed partial class SelfEscalation
{
    private string? OverApprovers()
    {
        foreach (var group in _before.TechnicianGroups.Values.OrderBy(group => group.Id.Value))
        {
            if (group.ApprovalRule is not { } rule || !Array.Exists(_actor.Groups, own => own.ApprovalRule?.Id == rule.Id)) continue;
            if (!_after.TechnicianGroups.TryGetValue(group.Id, out var later) || later.ApprovalRule is not { } now) continue;
            if (Newcomer(Appointed(_before, group, rule), Appointed(_after, later, now)) is { } person)
            {
                return $"It would let {_veil.Name(person)} approve by the rule of {_veil.Path(rule)}, which binds you too.";
            }
        }

        foreach (var workflow in _actor.Workflows)
        {
            foreach (var approver in workflow.Steps.SelectMany(step => step.Approvers))
            {
                if (Newcomer(Appointed(_before, approver), Appointed(_after, approver)) is { } person)
                {
                    return $"It would let {_veil.Name(person)} approve in the workflow {_veil.Workflow(workflow.Row)}, which binds you too.";
                }
            }
        }

        return null;
    }

    /// <summary>The first by login who could not act before and can now.</summary>
    private static PersonNode? Newcomer(IEnumerable<PersonNode> before, IEnumerable<PersonNode> after)
    {
        var known = before.Where(person => person.Row.TakesPart).Select(person => person.Id).ToHashSet();
        return after.Where(person => person.Row.TakesPart && !known.Contains(person.Id)).MinBy(person => person.Row.Login, StringComparer.Ordinal);
    }

    private static IEnumerable<PersonNode> Appointed(PolicyModel model, TechnicianGroupNode through, TechnicianGroupNode rule) =>
        model.ApprovingGroup(through, rule) is { IsEnabled: true } group ? model.Appointed(rule, group) : [];

    private static IEnumerable<PersonNode> Appointed(PolicyModel model, Approver approver)
    {
        if (approver.Kind is not (ApproverKind.Managers or ApproverKind.Members)) return [];
        if (!model.TechnicianGroups.TryGetValue(new(approver.Id), out var group) || !group.IsEnabled) return [];
        return approver.Kind == ApproverKind.Managers ? model.ManagersOf(group) : model.MembersOf(group);
    }
}
