using System.Net;

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

    /// <summary>
    /// What approved requests in hand let the connection hold; null: none of them fits. One request has to fit alone, with all of the steps that
    /// rules ask for now. For a session that runs neither the time to begin matters any more nor what rules have come to ask for since.
    /// </summary>
    /// <param name="relies">It is preapproved access that stands for the approval.</param>
    private PermissionSet? Covered(in AccessQuestion question, PersonNode person, DeviceNode device, in AccountAsked account, PermissionSet needed, Moment moment, out bool relies)
    {
        PermissionSet? covered = null;
        var preapproved = Preapproved(question, account, needed, question.At);
        relies = preapproved is not null && (moment == Moment.Running ? !IsAnyBeside(question, account) : HasAllSteps(null, person, device, insisting: true));
        if (relies) covered = preapproved;
        if (question.Approvals.IsDefaultOrEmpty || account.Name is null) return covered;
        var alone = false;
        foreach (var approved in question.Approvals)
        {
            if (!Fits(approved, question, account.Name) || !approved.Covered.Covers(needed)) continue;
            if (moment == Moment.Opening && !approved.IsOpen(question.At)) continue;
            if (moment == Moment.Running ? !approved.IsBeside : HasAllSteps(approved, person, device, insisting: false))
            {
                covered = (covered ?? PermissionSet.None) | approved.Covered;
                alone = true;
            }
            else if (preapproved is { } given && (moment == Moment.Running || HasAllSteps(approved, person, device, insisting: true)))
            {
                // It has the steps that a workflow insists on, and preapproved access stands for the rest: what both cover, as long as that lasts.
                covered = (covered ?? PermissionSet.None) | (given & approved.Covered);
                relies = true;
            }
        }

        // An approval given at connect time lets in and ends nothing afterwards.
        if (alone) relies = false;
        return covered;
    }

    /// <summary>
    /// The question of a connection that is let in, as it is asked again while that runs: what of an approval and preapproved access let in only together is kept
    /// together, whatever becomes of the rules.
    /// </summary>
    public AccessQuestion AsBegun(AccessQuestion question)
    {
        if (question.Approvals.IsDefaultOrEmpty || !_model.People.TryGetValue(question.Subject, out var person) || !_model.Devices.TryGetValue(question.Device, out var device)) return question;
        if (Preapproved(question, device.Asked(question.Account), Needed(question), question.At) is null) return question;
        return question with { Approvals = [.. question.Approvals.Select(approved => approved with { IsBeside = Completes(approved, person, device) })] };
    }

    /// <summary>What preapproved access that is open gives on the account, as far as each piece of it covers all that is needed; null: none does.</summary>
    private static PermissionSet? Preapproved(in AccessQuestion question, in AccountAsked account, PermissionSet needed, DateTimeOffset at)
    {
        PermissionSet? given = null;
        if (question.Preapprovals.IsDefaultOrEmpty) return given;
        foreach (var request in question.Preapprovals)
        {
            if (!request.IsFor(question.Subject, question.Device) || !request.IsFor(account.Name) || !request.IsOpen(at) || !request.Covered.Covers(needed)) continue;
            given = (given ?? PermissionSet.None) | request.Covered;
        }

        return given;
    }

    /// <summary>Whether it is by an approval and preapproved access together that the session was let in.</summary>
    private static bool IsAnyBeside(in AccessQuestion question, in AccountAsked account)
    {
        if (question.Approvals.IsDefaultOrEmpty || account.Name is null) return false;
        foreach (var approved in question.Approvals)
        {
            if (approved.IsBeside && Fits(approved, question, account.Name)) return true;
        }

        return false;
    }

    /// <summary>Whether it is by an approval that the session was let in.</summary>
    private static bool IsAnyApprovalOf(in AccessQuestion question, in AccountAsked account)
    {
        if (question.Approvals.IsDefaultOrEmpty || account.Name is null) return false;
        foreach (var approved in question.Approvals)
        {
            if (Fits(approved, question, account.Name)) return true;
        }

        return false;
    }

    private static bool Fits(ApprovedRequest approved, in AccessQuestion question, string account) =>
        approved.Person == question.Subject
        && approved.Device == question.Device
        && string.Equals(approved.Account, account, StringComparison.Ordinal)
        && IsSame(approved.Source, question.Source);

    /// <summary>An IPv4 address is one, however it is dressed.</summary>
    private static bool IsSame(IPAddress? one, IPAddress? other) =>
        one is null || other is null ? one == other : one.Equals(other) || Bare(one).Equals(Bare(other));

    private static IPAddress Bare(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <param name="approved">Null: nothing is in hand.</param>
    /// <param name="insisting">Preapproved access stands for all but the steps of workflows that insist.</param>
    private bool HasAllSteps(ApprovedRequest? approved, PersonNode person, DeviceNode device, bool insisting)
    {
        foreach (var workflow in person.Workflows)
        {
            if ((insisting && !workflow.Row.InsistsWhenPreapproved) || !_model.Applies(workflow, person, device)) continue;
            for (var index = 0; index < workflow.Steps.Length; index++)
            {
                if (approved is null || !approved.Satisfies(workflow.StepId(index))) return false;
            }
        }

        if (insisting) return true;
        foreach (var group in person.Groups)
        {
            if (group.ApprovalRule is not { } rule || _model.IsReplaced(group, rule, person, device)) continue;
            if (approved is null || !approved.Satisfies(StepOf(group, rule))) return false;
        }

        var rules = _model.RulesOf(device);
        if (!rules.RequiresApproval || _model.HasWorkflow(person, device)) return true;
        return approved is not null && approved.Satisfies(StepOf(rules[SettingKind.ManagerialApproval]));
    }

    private static DateTimeOffset? NextChange(in AccessQuestion question)
    {
        DateTimeOffset? next = null;
        if (question.Approvals.IsDefaultOrEmpty) return next;
        foreach (var approved in question.Approvals) next = Reach.Earlier(next, approved.NextChange(question.At));
        return next;
    }

    /// <summary>Why an approved request in hand does not let the connection begin; null: it does.</summary>
    internal string? WhyNotCounted(ApprovedRequest approved, in AccessQuestion question, PersonNode person, DeviceNode device)
    {
        if (approved.Person != question.Subject || approved.Device != question.Device) return "it is for somebody or something else";
        var account = device.Asked(question.Account);
        if (!string.Equals(approved.Account, account.Name, StringComparison.Ordinal)) return "it is for another account";
        if (!Fits(approved, question, approved.Account)) return "it was asked for from another address";
        if (!approved.Covered.Covers(Needed(question))) return "it covers less than is wanted";
        if (!approved.IsOpen(question.At)) return "its time to connect is not now";
        if (HasAllSteps(approved, person, device, insisting: false)) return null;
        var preapproved = Preapproved(question, account, Needed(question), question.At) is not null;
        return preapproved && Completes(approved, person, device) ? null : "a step that is asked for now was not approved";
    }

    /// <summary>It has the steps that workflows insist on, and lacks others, which preapproved access stands for.</summary>
    private bool Completes(ApprovedRequest approved, PersonNode person, DeviceNode device) =>
        !HasAllSteps(null, person, device, insisting: true)
        && HasAllSteps(approved, person, device, insisting: true)
        && !HasAllSteps(approved, person, device, insisting: false);

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
