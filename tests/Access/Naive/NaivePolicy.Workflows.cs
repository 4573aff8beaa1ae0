namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    /// <summary>Workflows for the person's connections to the device, those that are not beaten by another: all of them together.</summary>
    private List<WorkflowRow> Applying(PersonRow person, DeviceRow device)
    {
        var matching = _workflows.Where(row => IsMember(person, row.Group) && Upwards(device.Group).Any(group => group.Id == row.Devices)).ToList();
        return [.. matching.Where(one => !matching.Any(other => Beats(other, one)))];
    }

    /// <summary>As written; empty: it is no workflow.</summary>
    public string StepsOf(Guid rule) => _workflows.SingleOrDefault(workflow => workflow.Id.Value == rule)?.Steps ?? "";

    private bool IsMember(PersonRow person, TechnicianGroupId group) => (group != Everyone.Id || person.Kind != PersonKind.Contact) && DirectMemberships(person).Any(membership => IsAtOrBelow(membership, group));

    private bool IsAtOrBelow(TechnicianGroupId group, TechnicianGroupId above) => Upwards(group).Any(row => row.Id == above);

    /// <summary>Of two whose T's are one above the other, the one with the deeper D wins, then the one with the deeper T.</summary>
    private bool Beats(WorkflowRow one, WorkflowRow other)
    {
        if (one.Id == other.Id || (!IsAtOrBelow(one.Group, other.Group) && !IsAtOrBelow(other.Group, one.Group))) return false;
        var (depth, otherDepth) = (Upwards(one.Devices).Count(), Upwards(other.Devices).Count());
        return depth > otherDepth || (depth == otherDepth && Upwards(one.Group).Count() > Upwards(other.Group).Count());
    }

    /// <summary>It replaces the rule of T and of the groups above T, for T's members: where the rule reaches the person through T.</summary>
    private bool Replaces(WorkflowRow workflow, TechnicianGroupId rule, TechnicianGroupId through) =>
        IsAtOrBelow(through, workflow.Group) && IsAtOrBelow(workflow.Group, rule);

    private IEnumerable<NaiveStep> WorkflowSteps(PersonRow person, DeviceRow device, DateTimeOffset at)
    {
        foreach (var workflow in Applying(person, device))
        {
            Access.WorkflowSteps.TryParse(workflow.Steps, out var steps, out var problem).ShouldBeTrue(problem);
            for (var number = 1; number <= steps!.Value.Length; number++)
            {
                var step = steps.Value[number - 1];
                var canTake = step.Approvers.SelectMany(approver => WhoIs(approver, device, at)).Distinct().ToList();
                yield return Step(person, ApprovalStepId.OfWorkflow(workflow.Id, number), canTake) with
                {
                    Needed = step.Needed,
                    CountsForLater = workflow.CountsForLater,
                    NamesDevice = step.Approvers.Any(approver => approver.Kind == ApproverKind.DeviceApprovers),
                };
            }
        }
    }

    /// <summary>People, groups' managers, groups' members, device approvers.</summary>
    private IEnumerable<PersonRow> WhoIs(Approver approver, DeviceRow device, DateTimeOffset at) => approver.Kind switch
    {
        ApproverKind.Person => _people.Where(MayApprove).Where(person => person.Id.Value == approver.Id),
        ApproverKind.Managers => ManagersOf(new(approver.Id)),
        ApproverKind.Members => MembersOf(new(approver.Id)),
        _ => DeviceApprovers(device, at),
    };

    /// <summary>People from outside approve nothing.</summary>
    private static bool MayApprove(PersonRow person) => TakesPart(person) && person.Kind != PersonKind.Contact;

    /// <summary>A group's own members and those of its subgroups who can act; a disabled group gives none.</summary>
    private IEnumerable<PersonRow> MembersOf(TechnicianGroupId group) =>
        IsEnabled(group) ? _people.Where(MayApprove).Where(person => MembershipsInside(person).Any(membership => IsAtOrBelow(membership, group))) : [];

    /// <summary>A disabled group gives no managers.</summary>
    private List<PersonRow> ManagersOf(TechnicianGroupId group) =>
        IsEnabled(group) ? [.. _people.Where(MayApprove).Where(person => _managers.Contains(new(group, person.Id)))] : [];
}
