namespace Countersign.Access;

/// <summary>One approval that has to be in hand before a connection may begin. Steps stand side by side: all of them are needed.</summary>
/// <param name="Rule">One sentence that names the rule.</param>
/// <param name="Approvers">Who can take the step now; never the requester.</param>
/// <param name="Blocked">Nobody can: an administrator has to mend it.</param>
/// <param name="Cites">The rows that make the rule.</param>
public sealed record ApprovalStep(string Rule, IReadOnlyList<PersonId> Approvers, bool Blocked, IReadOnlyList<RowKey> Cites);

public sealed partial class PolicySnapshot
{
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

        if (device.Rules.RequiresApproval) steps.Add(DeviceStep(person, device, question.At));
        return steps;
    }

    /// <summary>
    /// The managers of the nearest group, from the one that the rule reaches the person through upwards, that has any appointed. If none
    /// of those can act the step blocks: climbing further would hand the approval to whoever is above as soon as a manager is disabled.
    /// </summary>
    private static ApprovalStep GroupStep(PersonNode person, TechnicianGroupNode through, TechnicianGroupNode rule)
    {
        var appointed = through.Upwards().FirstOrDefault(group => group.Managers.Count > 0);
        PersonId[] approvers = appointed is { IsEnabled: true }
            ? [.. appointed.Managers.Where(manager => CanApprove(manager, person)).Select(manager => manager.Id).OrderBy(id => id.Value)]
            : [];
        var text = rule == through
            ? $"The group {Describe.Path(rule)} requires managerial approval."
            : $"The group {Describe.Path(rule)} requires managerial approval, which reaches {person.Row.Name} through {Describe.Path(through)}.";
        var appointments = appointed?.Managers.Select(manager => new GroupManagerRow(appointed.Id, manager.Id).Key) ?? [];
        return new(text, approvers, approvers.Length == 0, [rule.Row.Key, .. Describe.Membership(person, through), .. appointments]);
    }

    private ApprovalStep DeviceStep(PersonNode person, DeviceNode device, DateTimeOffset at)
    {
        var approvers = _model.People.Values
            .Where(candidate => CanApprove(candidate, person) && Accepts(candidate, device, at))
            .Select(candidate => candidate.Id)
            .OrderBy(id => id.Value)
            .ToArray();
        var setting = device.Rules[SettingKind.ManagerialApproval];
        return new(
            $"Managerial approval is required on {device.Row.Name}{Describe.Source(this, device, setting.Source)}.",
            approvers,
            approvers.Length == 0,
            [new SettingRow(setting.Source, setting.Setting, setting.Value, 0).Key]);
    }

    private static bool CanApprove(PersonNode candidate, PersonNode requester) => candidate != requester && candidate.Row.TakesPart && !candidate.IsContact;

    private static bool Accepts(PersonNode candidate, DeviceNode device, DateTimeOffset at)
    {
        var reach = Reach.Of(candidate, device, AccountAsked.TheDeviceItself, at);
        return Reach.Effective(candidate, device, reach.Granted).Contains(Permission.AcceptAccessRequests);
    }
}
