namespace Countersign.Access.Tests.Naive;

/// <param name="Approvers">By id; never the requester.</param>
/// <param name="Automatic">The requester fills its one place.</param>
internal sealed record NaiveStep(ApprovalStepId Id, IReadOnlyList<PersonId> Approvers, bool Automatic)
{
    public int Needed { get; init; } = 1;

    /// <summary>Whoever accepts requests on the device can take it.</summary>
    public bool NamesDevice { get; init; }

    /// <summary>Too few can take it.</summary>
    public bool Blocked => Approvers.Count + (Automatic ? 1 : 0) < Needed;
}

internal sealed partial class NaivePolicy
{
    /// <summary>The two rules are steps side by side, both needed; a workflow's stand in their place.</summary>
    public IReadOnlyList<NaiveStep> Steps(PersonRow person, DeviceRow device, DateTimeOffset at) =>
        [.. GroupSteps(person, Applying(person, device)), .. DeviceSteps(person, device, at), .. WorkflowSteps(person, device, at)];

    /// <summary>
    /// A technician group, or one above it, has <em>Required managerial approval</em>: for every connection of its members, disabled or not. One
    /// step for each group through which a rule reaches the person; it is the nearest rule's.
    /// </summary>
    private IEnumerable<NaiveStep> GroupSteps(PersonRow person, List<WorkflowRow> workflows) =>
        from membership in DirectMemberships(person)
        let rule = Upwards(membership).FirstOrDefault(above =>
            above.RequiresManagerialApproval && !workflows.Any(workflow => Replaces(workflow, above.Id, membership)))
        where rule is not null
        select Step(
            person,
            new(ApprovalStepKind.TechnicianGroup, rule.Id.Value, membership.Value),
            rule.MembersApprove ? MembersWhoCanAct(membership) : ManagersWhoCanAct(membership));

    /// <summary>
    /// The managers of the nearest group, from that one upwards, that has any appointed. A disabled group gives no managers; if none of those
    /// appointed can act, the step blocks and climbs no further.
    /// </summary>
    private List<PersonRow> ManagersWhoCanAct(TechnicianGroupId through)
    {
        var nearest = Upwards(through).FirstOrDefault(group => _managers.Any(row => row.Group == group.Id));
        return nearest is null ? [] : ManagersOf(nearest.Id);
    }

    /// <summary>Where the group with the rule says so, its members instead; the nearest group that has any is the one that the person is in.</summary>
    private List<PersonRow> MembersWhoCanAct(TechnicianGroupId through)
    {
        var nearest = Upwards(through).FirstOrDefault(group => _memberships.Any(row => row.Group == group.Id));
        return nearest is null ? [] : [.. MembersOf(nearest.Id)];
    }

    /// <summary>The inherited setting ManagerialApproval: for everybody's connections. Approvers: whoever has AcceptAccessRequests there.</summary>
    private IEnumerable<NaiveStep> DeviceSteps(PersonRow person, DeviceRow device, DateTimeOffset at)
    {
        var (value, source) = Setting(device, SettingKind.ManagerialApproval);
        if (value != "required" || Applying(person, device).Count > 0) return [];
        var kind = source.Kind switch
        {
            SettingNodeKind.Organization => ApprovalStepKind.Organization,
            SettingNodeKind.DeviceGroup => ApprovalStepKind.DeviceGroup,
            _ => ApprovalStepKind.Device,
        };
        return [Step(person, new(kind, source.Id), DeviceApprovers(device, at))];
    }

    public List<PersonRow> DeviceApprovers(DeviceRow device, DateTimeOffset at) =>
        [.. _people.Where(TakesPart).Where(person => Effective(person, device, DefaultAccount(device), at).Contains(Permission.AcceptAccessRequests))];

    /// <summary>The requester fills no place, save by the auto-approval key.</summary>
    private NaiveStep Step(PersonRow requester, ApprovalStepId id, List<PersonRow> canTake)
    {
        var automatic = Setting(SettingNode.Organization, SettingKind.AutoApproveWhenRequesterIsApprover).Value == "true";
        return new(
            id,
            [.. canTake.Select(person => person.Id).Where(approver => approver != requester.Id).OrderBy(approver => approver.Value)],
            automatic && canTake.Contains(requester));
    }

    /// <summary>
    /// Covers person, device, account, permissions and source network asked for, with every step that rules ask for now, and connections that
    /// begin from its approval until it is over.
    /// </summary>
    private static bool Satisfies(ApprovedRequest request, AccessQuestion question, string? account, PermissionSet needed, IEnumerable<NaiveStep> open) =>
        request.Person == question.Subject
        && request.Device == question.Device
        && request.Account == account
        && Equals(request.Source, question.Source)
        && request.ApprovedAt <= question.At
        && !(question.At >= request.OpenUntil)
        && NaiveCatalogue.WithNeeded(request.Permissions).Covers(needed)
        && open.All(step => request.Steps.Contains(step.Id));
}
