namespace Countersign.Access;

/// <summary>
/// One approval that has to be in hand before a connection may begin. Steps stand side by side and are all needed, save that those of one
/// workflow are taken in the order of their <see cref="Number"/>.
/// </summary>
/// <param name="Id">What an approval is given for.</param>
/// <param name="Rule">One sentence that names the rule.</param>
/// <param name="Approvers">Who can take the step now; never the requester.</param>
/// <param name="Automatic">The requester could take the step for others, and the organization lets that fill one place of it.</param>
/// <param name="Cites">The rows that make the rule.</param>
public sealed record ApprovalStep(ApprovalStepId Id, string Rule, IReadOnlyList<PersonId> Approvers, bool Automatic, IReadOnlyList<RowKey> Cites)
{
    /// <summary>How many have to approve, each of them once.</summary>
    public int Needed { get; init; } = 1;

    /// <summary>Null: no workflow's.</summary>
    public WorkflowId? Workflow { get; init; }

    /// <summary>Which of its workflow's steps, from 1 on; it opens when those before are taken. 0: no workflow's, open from the start.</summary>
    public int Number { get; init; }

    /// <summary>How long it waits from when it opens; null: as the organization says.</summary>
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>An approval of this step counts for later ones of its workflow that the same person can take.</summary>
    public bool CountsForLater { get; init; }

    /// <summary>Too few can take it: an administrator has to mend it.</summary>
    public bool Blocked => Approvers.Count + (Automatic ? 1 : 0) < Needed;
}

public sealed partial class PolicySnapshot
{
    /// <summary>The organization's settings for approvals.</summary>
    public ApprovalSettings Approving => _model.OrganizationRules.Approving;

    /// <summary>How long the recording of a session that has ended is kept; null: for ever.</summary>
    public TimeSpan? RecordingRetention => _model.OrganizationRules.RecordingRetention;

    /// <summary>How devices are recognized.</summary>
    public HostTrust HostTrust => _model.OrganizationRules.HostTrust;

    /// <summary>How long preapproved access may be asked for at most; null: as long as they like.</summary>
    public TimeSpan? RequestLongest => _model.OrganizationRules.RequestLongest;

    /// <summary>The roles that may be asked for, as far as they are there and for devices.</summary>
    public IReadOnlyList<RoleRow> RequestableRoles =>
        [.. _model.OrganizationRules.RequestRoles.Select(_model.Role).OfType<RoleRow>().Where(role => role.Purpose == RolePurpose.DevicesAndGroups)];

    /// <summary>
    /// The approvals that rules ask for before the subject may connect to the device at that instant, whatever else stands in the way;
    /// empty where none does, and for questions that are not about a connection. Preapproved access in hand stands for them where no workflow insists.
    /// </summary>
    public IReadOnlyList<ApprovalStep> ApprovalSteps(in AccessQuestion question) => ApprovalSteps(question, new Veil(this, null));

    /// <summary>The same in sentences for the eyes of an asker: of what they may not see there is a mark.</summary>
    public IReadOnlyList<ApprovalStep> ApprovalSteps(in AccessQuestion question, PersonId asker) => ApprovalSteps(question, VeilFor(asker, question.At));

    /// <param name="veil">For the sentences that name the rules.</param>
    internal IReadOnlyList<ApprovalStep> ApprovalSteps(in AccessQuestion question, Veil veil)
    {
        if (!_model.People.TryGetValue(question.Subject, out var person) || !_model.Devices.TryGetValue(question.Device, out var device)) return [];
        if (!IsConnection(question.Wanted)) return [];
        var insisting = Preapproved(question, device.Asked(question.Account), Needed(question), question.At) is not null;
        var steps = new List<ApprovalStep>();
        if (!insisting)
        {
            foreach (var group in person.Groups.OrderBy(group => group.Id.Value))
            {
                if (group.ApprovalRule is { } rule && !_model.IsReplaced(group, rule, person, device)) steps.Add(GroupStep(person, group, rule, veil));
            }

            if (_model.RulesOf(device).RequiresApproval && !_model.HasWorkflow(person, device)) steps.Add(DeviceStep(person, device, question.At, veil));
        }

        foreach (var workflow in person.Workflows)
        {
            if ((insisting && !workflow.Row.InsistsWhenPreapproved) || !_model.Applies(workflow, person, device)) continue;
            for (var index = 0; index < workflow.Steps.Length; index++) steps.Add(StepOf(workflow, index, person, device, question.At, veil));
        }

        return steps;
    }

    /// <summary>
    /// The approvals that a request for access ahead of time needs on the device: the steps of workflows that take such requests, else the
    /// device's approvers.
    /// </summary>
    public IReadOnlyList<ApprovalStep> PreapprovalSteps(PersonId requester, DeviceId target, DateTimeOffset at) => PreapprovalSteps(requester, target, at, new Veil(this, null));

    /// <param name="veil">For the sentences that name the rules.</param>
    public IReadOnlyList<ApprovalStep> PreapprovalSteps(PersonId requester, DeviceId target, DateTimeOffset at, Veil veil)
    {
        if (!_model.People.TryGetValue(requester, out var person) || !_model.Devices.TryGetValue(target, out var device)) return [];
        var steps = new List<ApprovalStep>();
        foreach (var workflow in person.Workflows.Where(workflow => workflow.Row.TakesPreapproved && _model.Applies(workflow, person, device)))
        {
            for (var index = 0; index < workflow.Steps.Length; index++) steps.Add(StepOf(workflow, index, person, device, at, veil));
        }

        if (steps.Count > 0) return steps;
        var own = Accepts(person, device, at) && IsAutomatic(person);
        return [new(new(ApprovalStepKind.Device, device.Id.Value), $"Access to {device.Row.Name} ahead of time is approved there.", Acceptors(person, device, at), own, [device.Row.Key])];
    }

    /// <summary>
    /// The managers, or where the group with the rule says so the members, of the nearest group, from the one that the rule reaches the person
    /// through upwards, that has any. If none of those can act the step blocks: climbing further would hand the approval to whoever is above as
    /// soon as a manager is disabled.
    /// </summary>
    private ApprovalStep GroupStep(PersonNode person, TechnicianGroupNode through, TechnicianGroupNode rule, Veil veil)
    {
        var appointed = _model.ApprovingGroup(through, rule);
        var all = appointed is { IsEnabled: true } ? _model.Appointed(rule, appointed).ToList() : [];
        PersonId[] approvers = [.. all.Where(candidate => CanApprove(candidate, person)).Select(candidate => candidate.Id).OrderBy(id => id.Value)];
        var text = rule.Id == through.Id
            ? $"The group {veil.Path(rule)} requires managerial approval."
            : $"The group {veil.Path(rule)} requires managerial approval, which reaches {person.Row.Name} through {veil.Path(through)}.";
        var appointments = appointed is null || rule.Row.MembersApprove ? [] : _model.PeopleOf(appointed).Managers.Select(manager => new GroupManagerRow(appointed.Id, manager).Key);
        var own = all.Exists(candidate => candidate.Id == person.Id);
        return new(StepOf(through, rule), text, approvers, own && IsAutomatic(person), [rule.Row.Key, .. Describe.Membership(person, through), .. appointments]);
    }

    private ApprovalStep DeviceStep(PersonNode person, DeviceNode device, DateTimeOffset at, Veil veil)
    {
        var setting = _model.RulesOf(device)[SettingKind.ManagerialApproval];
        return new(
            StepOf(setting),
            $"Managerial approval is required on {device.Row.Name}{veil.Source(device, setting.Source)}.",
            Acceptors(person, device, at),
            IsAutomatic(person) && Accepts(person, device, at),
            [new SettingRow(setting.Source, setting.Setting, setting.Value, 0).Key]);
    }

    private ApprovalStep StepOf(WorkflowNode workflow, int index, PersonNode person, DeviceNode device, DateTimeOffset at, Veil veil)
    {
        var step = workflow.Steps[index];
        var all = new Dictionary<PersonId, PersonNode>();
        foreach (var candidate in step.Approvers.SelectMany(approver => Candidates(approver, device, at))) all.TryAdd(candidate.Id, candidate);
        PersonId[] approvers = [.. all.Values.Where(candidate => CanApprove(candidate, person)).Select(candidate => candidate.Id).OrderBy(id => id.Value)];
        var places = step.Needed == 1 ? "" : $" by {step.Needed} people";
        return new(
            workflow.StepId(index),
            $"Step {index + 1} of the workflow {veil.Workflow(workflow.Row)} for {veil.Path(workflow.Group)} has to be approved{places}.",
            approvers,
            all.ContainsKey(person.Id) && IsAutomatic(person),
            [workflow.Row.Key])
        {
            Needed = step.Needed,
            Workflow = workflow.Id,
            Number = index + 1,
            ExpireAfter = step.ExpireAfter,
            CountsForLater = workflow.Row.CountsForLater,
        };
    }

    private IEnumerable<PersonNode> Candidates(Approver approver, DeviceNode device, DateTimeOffset at)
    {
        switch (approver.Kind)
        {
            case ApproverKind.Person:
                return _model.People.TryGetValue(new(approver.Id), out var person) ? [person] : [];
            case ApproverKind.DeviceApprovers:
                return PeopleWithin(device, at).Where(candidate => Accepts(candidate, device, at));
            default:
                // A disabled group gives no approvers.
                if (!_model.TechnicianGroups.TryGetValue(new(approver.Id), out var group) || !group.IsEnabled) return [];
                return approver.Kind == ApproverKind.Managers ? _model.ManagersOf(group) : _model.MembersOf(group);
        }
    }

    private static ApprovalStepId StepOf(TechnicianGroupNode through, TechnicianGroupNode rule) =>
        new(ApprovalStepKind.TechnicianGroup, rule.Id.Value, through.Id.Value);

    private static ApprovalStepId StepOf(EffectiveSetting setting) => setting.Source.Kind switch
    {
        SettingNodeKind.Device => new(ApprovalStepKind.Device, setting.Source.Id),
        SettingNodeKind.DeviceGroup => new(ApprovalStepKind.DeviceGroup, setting.Source.Id),
        _ => new(ApprovalStepKind.Organization, Guid.Empty),
    };

    private bool IsAutomatic(PersonNode requester) => Approving.AutoApprove && requester.TakesPart && !requester.IsContact;

    private static bool CanApprove(PersonNode candidate, PersonNode requester) => candidate.Id != requester.Id && candidate.TakesPart && !candidate.IsContact;

    /// <summary>Who can approve for the device, the requester aside.</summary>
    private PersonId[] Acceptors(PersonNode requester, DeviceNode device, DateTimeOffset at) =>
    [
        .. PeopleWithin(device, at)
            .Where(candidate => CanApprove(candidate, requester) && Accepts(candidate, device, at))
            .Select(candidate => candidate.Id)
            .OrderBy(id => id.Value),
    ];

    private bool Accepts(PersonNode candidate, DeviceNode device, DateTimeOffset at)
    {
        var reach = Reach.Of(_model, candidate, device, AccountAsked.TheDeviceItself, at);
        return Reach.Effective(candidate, _model.RulesOf(device), reach.Granted).Contains(Permission.AcceptAccessRequests);
    }
}
