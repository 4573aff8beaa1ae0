namespace Countersign.Access.Tests.Naive;

/// <param name="Approvers">By id; never the requester.</param>
/// <param name="Automatic">The requester fills its one place.</param>
internal sealed record NaiveStep(ApprovalStepId Id, IReadOnlyList<PersonId> Approvers, bool Automatic)
{
    public int Needed { get; init; } = 1;

    /// <summary>An approval counts for later steps, too.</summary>
    public bool CountsForLater { get; init; }

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
        var nearest = Upwards(through).FirstOrDefault(group => group.Id == Everyone.Id || _memberships.Any(row => row.Group == group.Id));
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

    /// <summary>
    /// Ahead of time: whoever has AcceptAccessRequests there. A matching workflow's steps are taken instead, unless the workflow leaves preapproval out.
    /// </summary>
    public IReadOnlyList<NaiveStep> PreapprovalSteps(PersonRow person, DeviceRow device, DateTimeOffset at)
    {
        var taking = _workflows.Where(workflow => workflow.TakesPreapproved).Select(workflow => workflow.Id.Value).ToList();
        var steps = WorkflowSteps(person, device, at).Where(step => taking.Contains(step.Id.Rule)).ToList();
        return steps.Count > 0 ? steps : [Step(person, new(ApprovalStepKind.Device, device.Id.Value), DeviceApprovers(device, at))];
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
        IsFor(request, question, account)
        && request.ApprovedAt <= question.At
        && !(question.At >= request.OpenUntil)
        && NaiveCatalogue.WithNeeded(request.Permissions).Covers(needed)
        && open.All(step => request.Steps.Contains(step.Id));

    /// <summary>One person on one device and account, from one address: an IPv4 address is one, however it is dressed.</summary>
    private static bool IsFor(ApprovedRequest request, AccessQuestion question, string? account) =>
        request.Person == question.Subject
        && request.Device == question.Device
        && request.Account == account
        && request.Source?.MapToIPv6().ToString() == question.Source?.MapToIPv6().ToString();

    /// <summary>
    /// What the connection that is asked about begins on, to be asked by later. A new rule is for the next connection: it is of matter what rules asked for now. An
    /// approval lets in that has all the steps that are asked for; or, in the window of preapproved access, which counts as managerial approval unless a workflow
    /// says not, those of the workflows that say so. Another approval does not let in, whatever it is for.
    /// </summary>
    public AccessQuestion AsBegun(AccessQuestion question)
    {
        var (person, device) = (Person(question.Subject)!, Device(question.Device)!);
        var steps = Steps(person, device, question.At);
        if (steps.Count == 0) return question with { BeganUnasked = true, BeganInsisted = false, Approvals = [] };
        var insisted = steps.Where(Insists).ToList();
        var account = question.Account ?? DefaultAccount(device);
        var inWindow = question.Preapprovals.Any(request => IsFor(request, person, device) && request.Account == account && IsInForce(request, question.At));
        var counting = new List<ApprovedRequest>();
        foreach (var request in question.Approvals)
        {
            if (Satisfies(request, question, account, PermissionSet.None, steps)) counting.Add(request with { IsBeside = false });
            else if (inWindow && insisted.Count > 0 && Satisfies(request, question, account, PermissionSet.None, insisted)) counting.Add(request with { IsBeside = true });
        }

        return question with { BeganUnasked = false, BeganInsisted = insisted.Count > 0, Approvals = [.. counting] };
    }

    /// <summary>What a session that runs was let in to, by what is in hand of that; null: by nothing.</summary>
    private static PermissionSet? CoveredBefore(AccessQuestion question, PersonRow person, DeviceRow device, string? account, PermissionSet needed)
    {
        var approvals = question.Approvals.Where(request => IsFor(request, question, account)).ToLookup(request => request.IsBeside, request => NaiveCatalogue.WithNeeded(request.Permissions));
        var ahead = Fitting(question, person, device, account, needed).Select(request => NaiveCatalogue.WithNeeded(request.Permissions)).ToList();

        // What let in together lets go on together; and where a workflow said that preapproved access does not count as approval, it does not by itself.
        var together = ahead.SelectMany(gives => approvals[true].Select(approved => approved & gives));
        var covered = approvals[false].Concat(together).Concat(question.BeganInsisted ? [] : ahead).Where(set => set.Covers(needed)).ToList();
        return covered.Count == 0 ? null : covered.Aggregate((all, one) => all | one);
    }
}
