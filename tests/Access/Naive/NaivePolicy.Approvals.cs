namespace Countersign.Access.Tests.Naive;

/// <param name="Approvers">By id; never the requester.</param>
/// <param name="Automatic">The requester fills its one place.</param>
internal sealed record NaiveStep(ApprovalStepId Id, IReadOnlyList<PersonId> Approvers, bool Automatic)
{
    public bool Blocked => Approvers.Count == 0 && !Automatic;
}

internal sealed partial class NaivePolicy
{
    /// <summary>The two rules are steps side by side, both needed.</summary>
    public IReadOnlyList<NaiveStep> Steps(PersonRow person, DeviceRow device, DateTimeOffset at) =>
        [.. GroupSteps(person), .. DeviceSteps(person, device, at)];

    /// <summary>
    /// A technician group, or one above it, has <em>Required managerial approval</em>: for every connection of its members, disabled or not. One
    /// step for each group through which a rule reaches the person; it is the nearest rule's.
    /// </summary>
    private IEnumerable<NaiveStep> GroupSteps(PersonRow person) =>
        from membership in DirectMemberships(person)
        let rule = Upwards(membership).FirstOrDefault(above => above.RequiresManagerialApproval)
        where rule is not null
        select Step(person, new(ApprovalStepKind.TechnicianGroup, rule.Id.Value, membership.Value), ManagersWhoCanAct(membership));

    /// <summary>
    /// The managers of the nearest group, from that one upwards, that has any appointed. A disabled group gives no managers; if none of those
    /// appointed can act, the step blocks and climbs no further.
    /// </summary>
    private List<PersonRow> ManagersWhoCanAct(TechnicianGroupId through)
    {
        var nearest = Upwards(through).FirstOrDefault(group => _managers.Any(row => row.Group == group.Id));
        if (nearest is null || !IsEnabled(nearest.Id)) return [];
        return [.. _people.Where(TakesPart).Where(person => _managers.Contains(new(nearest.Id, person.Id)))];
    }

    /// <summary>The inherited setting ManagerialApproval: for everybody's connections. Approvers: whoever has AcceptAccessRequests there.</summary>
    private IEnumerable<NaiveStep> DeviceSteps(PersonRow person, DeviceRow device, DateTimeOffset at)
    {
        var (value, source) = Setting(device, SettingKind.ManagerialApproval);
        if (value != "required") return [];
        var kind = source.Kind switch
        {
            SettingNodeKind.Organization => ApprovalStepKind.Organization,
            SettingNodeKind.DeviceGroup => ApprovalStepKind.DeviceGroup,
            _ => ApprovalStepKind.Device,
        };
        var approvers = _people.Where(TakesPart).Where(other => Effective(other, device, DefaultAccount(device), at).Contains(Permission.AcceptAccessRequests));
        return [Step(person, new(kind, source.Id), [.. approvers])];
    }

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
