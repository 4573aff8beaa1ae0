namespace Countersign.Access;

/// <summary>
/// Which approvals count is said not by rules and workflows alone, but by which of their groups is above which as well: of two workflows one above the other
/// one counts, and what a rule asks through a group that comes below a workflow's is asked no more. A group that moves, or a nearer rule that goes, may so
/// take an approval away though every row that makes one is still there.
/// </summary>
internal sealed partial class SelfEscalation
{
    /// <summary>Whether a step that counts for the person where workflows count does so no more; for an actor whom such a step binds somewhere.</summary>
    private bool LosesStep(PersonNode earlier, PersonNode person)
    {
        if (!_actor.NeedsApproval && _actor.Workflows.Length == 0) return false;

        // Workflows that come or go are looked at as such; and where none is, the rules stand as they are.
        foreach (var devices in earlier.Workflows.Select(workflow => workflow.Row.Devices).Distinct())
        {
            if (!_before.DeviceGroups.TryGetValue(devices, out var was) || !_after.DeviceGroups.TryGetValue(devices, out var now)) return true;
            if (Steps(_before, earlier, was).Except(Steps(_after, person, now)).Any()) return true;
        }

        return false;
    }

    /// <summary>The workflows that count; and the groups through which a rule asks that no workflow stands in for, as far as rules bind the actor.</summary>
    private IEnumerable<Guid> Steps(PolicyModel model, PersonNode person, DeviceGroupNode devices)
    {
        var workflows = person.Workflows.Where(workflow => model.Applies(workflow, person, devices)).Select(workflow => workflow.Id.Value);
        if (!_actor.NeedsApproval) return workflows;
        return workflows.Concat(person.Groups.Where(group => group.ApprovalRule is { } rule && !model.IsReplaced(group, rule, person, devices)).Select(group => group.Id.Value));
    }
}
