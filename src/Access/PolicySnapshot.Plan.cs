namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// What the command would do to this version, or why it may not. Nothing is changed: the caller stores the delta and applies it.
    /// An edit that changes nothing gives a delta without changes.
    /// </summary>
    /// <param name="at">The instant by which the actor's own rights are judged.</param>
    public PlanResult Plan(PolicyCommand command, PersonId actor, DateTimeOffset at) => new Planner(this, actor, at).Plan(command);

    /// <summary>What is wrong with the fields of a device that would be added, to whatever group; null: nothing.</summary>
    public static PlanResult? WrongWith(PolicyCommand.AddDevice device) => Planner.WrongWith(device, out _, out _);

    /// <summary>What is wrong with services that any device would get; null: nothing.</summary>
    public static PlanResult? WrongWith(IReadOnlyList<ServiceWish> services) => ServicePlanning.Read(default, [], services, out _);
}
