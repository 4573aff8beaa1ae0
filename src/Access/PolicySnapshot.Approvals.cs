namespace Countersign.Access;

/// <summary>One approval that has to be in hand before a connection may begin. Steps stand side by side: all of them are needed.</summary>
/// <param name="Id">What an approval is given for.</param>
/// <param name="Rule">One sentence that names the rule.</param>
/// <param name="Approvers">Who can take the step now; never the requester.</param>
/// <param name="Automatic">The requester could take the step for others, and the organization lets that count as the approval.</param>
/// <param name="Cites">The rows that make the rule.</param>
public sealed record ApprovalStep(ApprovalStepId Id, string Rule, IReadOnlyList<PersonId> Approvers, bool Automatic, IReadOnlyList<RowKey> Cites)
{
    /// <summary>Nobody can take it: an administrator has to mend it.</summary>
    public bool Blocked => Approvers.Count == 0 && !Automatic;
}

public sealed partial class PolicySnapshot
{
    /// <summary>The organization's settings for approvals.</summary>
    public ApprovalSettings Approving => _model.OrganizationRules.Approving;

    /// <summary>How long the recording of a session that has ended is kept; null: for ever.</summary>
    public TimeSpan? RecordingRetention => _model.OrganizationRules.RecordingRetention;

    /// <summary>
    /// The approvals that rules ask for before the subject may connect to the device at that instant, whatever else stands in the way;
    /// empty where none does, and for questions that are not about a connection.
    /// </summary>
    public IReadOnlyList<ApprovalStep> ApprovalSteps(in AccessQuestion question)
    {
        if (!_model.People.TryGetValue(question.Subject, out var person) || !_model.Devices.TryGetValue(question.Device, out var device)) return [];
        if (!IsConnection(question.Wanted)) return [];
        var steps = new List<ApprovalStep>();
        foreach (var group in person.Groups.OrderBy(group => group.Id.Value))
        {
            if (group.ApprovalRule is { } rule) steps.Add(GroupStep(person, group, rule));
        }

        if (_model.RulesOf(device).RequiresApproval) steps.Add(DeviceStep(person, device, question.At));
        return steps;
    }

    /// <summary>
    /// The managers of the nearest group, from the one that the rule reaches the person through upwards, that has any appointed. If none
    /// of those can act the step blocks: climbing further would hand the approval to whoever is above as soon as a manager is disabled.
    /// </summary>
    private ApprovalStep GroupStep(PersonNode person, TechnicianGroupNode through, TechnicianGroupNode rule)
    {
        var appointed = through.Upwards().FirstOrDefault(group => _model.PeopleOf(group).Managers.Length > 0);
        PersonId[] approvers = appointed is { IsEnabled: true }
            ? [.. _model.ManagersOf(appointed).Where(manager => CanApprove(manager, person)).Select(manager => manager.Id).OrderBy(id => id.Value)]
            : [];
        var text = rule == through
            ? $"The group {Describe.Path(rule)} requires managerial approval."
            : $"The group {Describe.Path(rule)} requires managerial approval, which reaches {person.Row.Name} through {Describe.Path(through)}.";
        var appointments = appointed is null ? [] : _model.PeopleOf(appointed).Managers.Select(manager => new GroupManagerRow(appointed.Id, manager).Key);
        var own = appointed is { IsEnabled: true } && _model.PeopleOf(appointed).Managers.Contains(person.Id);
        return new(StepOf(through, rule), text, approvers, own && IsAutomatic(person), [rule.Row.Key, .. Describe.Membership(person, through), .. appointments]);
    }

    private ApprovalStep DeviceStep(PersonNode person, DeviceNode device, DateTimeOffset at)
    {
        var approvers = _model.People.Values
            .Where(candidate => CanApprove(candidate, person) && Accepts(candidate, device, at))
            .Select(candidate => candidate.Id)
            .OrderBy(id => id.Value)
            .ToArray();
        var setting = _model.RulesOf(device)[SettingKind.ManagerialApproval];
        return new(
            StepOf(setting),
            $"Managerial approval is required on {device.Row.Name}{Describe.Source(this, device, setting.Source)}.",
            approvers,
            IsAutomatic(person) && Accepts(person, device, at),
            [new SettingRow(setting.Source, setting.Setting, setting.Value, 0).Key]);
    }

    /// <summary>
    /// What approved requests in hand let the connection hold; null: none of them fits. One request has to fit alone, with all of the steps that
    /// rules ask for now. For a session that runs the time to begin does not matter any more.
    /// </summary>
    private PermissionSet? Covered(in AccessQuestion question, PersonNode person, DeviceNode device, string? account, PermissionSet needed, Moment moment)
    {
        if (question.Approvals.IsDefaultOrEmpty || account is null) return null;
        PermissionSet? covered = null;
        foreach (var approved in question.Approvals)
        {
            if (!Fits(approved, question, account) || !approved.Covered.Covers(needed)) continue;
            if ((moment == Moment.Opening && !approved.IsOpen(question.At)) || !HasAllSteps(approved, person, device)) continue;
            covered = (covered ?? PermissionSet.None) | approved.Covered;
        }

        return covered;
    }

    private static bool Fits(ApprovedRequest approved, in AccessQuestion question, string account) =>
        approved.Person == question.Subject
        && approved.Device == question.Device
        && string.Equals(approved.Account, account, StringComparison.Ordinal)
        && (approved.Source is null ? question.Source is null : approved.Source.Equals(question.Source));

    private bool HasAllSteps(ApprovedRequest approved, PersonNode person, DeviceNode device)
    {
        foreach (var group in person.Groups)
        {
            if (group.ApprovalRule is { } rule && !approved.Satisfies(StepOf(group, rule))) return false;
        }

        return !_model.RulesOf(device).RequiresApproval || approved.Satisfies(StepOf(_model.RulesOf(device)[SettingKind.ManagerialApproval]));
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
        if (!string.Equals(approved.Account, AccountOf(question, device).Name, StringComparison.Ordinal)) return "it is for another account";
        if (!Fits(approved, question, approved.Account)) return "it was asked for from another address";
        if (!approved.Covered.Covers(Needed(question))) return "it covers less than is wanted";
        if (!approved.IsOpen(question.At)) return "its time to connect is not now";
        return HasAllSteps(approved, person, device) ? null : "a rule has come since that asks for another approval";
    }

    private static ApprovalStepId StepOf(TechnicianGroupNode through, TechnicianGroupNode rule) =>
        new(ApprovalStepKind.TechnicianGroup, rule.Id.Value, through.Id.Value);

    private static ApprovalStepId StepOf(EffectiveSetting setting) => setting.Source.Kind switch
    {
        SettingNodeKind.Device => new(ApprovalStepKind.Device, setting.Source.Id),
        SettingNodeKind.DeviceGroup => new(ApprovalStepKind.DeviceGroup, setting.Source.Id),
        _ => new(ApprovalStepKind.Organization, Guid.Empty),
    };

    private bool IsAutomatic(PersonNode requester) => Approving.AutoApprove && requester.Row.TakesPart && !requester.IsContact;

    private static bool CanApprove(PersonNode candidate, PersonNode requester) => candidate.Id != requester.Id && candidate.Row.TakesPart && !candidate.IsContact;

    private bool Accepts(PersonNode candidate, DeviceNode device, DateTimeOffset at)
    {
        var reach = Reach.Of(_model, candidate, device, AccountAsked.TheDeviceItself, at);
        return Reach.Effective(candidate, _model.RulesOf(device), reach.Granted).Contains(Permission.AcceptAccessRequests);
    }
}
