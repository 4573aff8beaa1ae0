using System.Collections.Immutable;

namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// What the command would do to this version, or why it may not. Nothing is changed: the caller stores the delta and applies it.
    /// An edit that changes nothing gives a delta without changes.
    /// </summary>
    /// <param name="at">The instant by which the actor's own rights are judged.</param>
    /// <param name="inHand">
    /// What was approved ahead for the actor, as whoever keeps it vouches for it: what is or will be open of it lets them connect, and so settings of its devices bind them
    /// whatever they are granted. None given: none is counted.
    /// </param>
    public PlanResult Plan(PolicyCommand command, PersonId actor, DateTimeOffset at, ImmutableArray<PreapprovedRequest> inHand = default) =>
        new Planner(this, new(actor, at, inHand)).Plan(command);

    /// <summary>What is wrong with the fields of a device that would be added, to whatever group; null: nothing.</summary>
    public static PlanResult? WrongWith(PolicyCommand.AddDevice device) => Planner.WrongWith(device, out _, out _);

    /// <summary>What is wrong with services that any device would get; null: nothing.</summary>
    public static PlanResult? WrongWith(IReadOnlyList<ServiceWish> services) => ServicePlanning.Read(default, [], services, out _);
}
