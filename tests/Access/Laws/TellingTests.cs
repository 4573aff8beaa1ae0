using System.Text.RegularExpressions;

namespace Countersign.Access.Tests;

/// <summary>What a plan says, be it a refusal or a summary, is said to its actor.</summary>
public class TellingTests
{
    [Fact]
    public void Law_10_what_a_plan_says_names_nothing_that_its_actor_may_not_see()
    {
        var (refused, planned, undone) = (0, 0, 0);
        Draw.Check(450, organization =>
        {
            var (policy, naive) = (organization.Compile(), organization.Naive());
            var change = Change(organization, policy);
            for (var attempt = 0; attempt < 40; attempt++)
            {
                var at = organization.Instant();
                var actor = naive.Person(organization.Pick(organization.People))!;
                if (naive.IsMasterAdministrator(actor, at)) continue;
                var isUndo = change is not null && organization.Chance(20);
                var (asked, command) = isUndo ? (policy.Apply(change!), Undo(organization, change!)) : (policy, RandomCommand.From(organization));
                var result = asked.Plan(command, actor.Id, at);
                var said = string.Join('\n', Said(result));
                if (result is PlanResult.Planned) planned++;
                else refused++;
                if (isUndo && result is not PlanResult.NotFound) undone++;
                var given = isUndo ? "" : Given(command);
                foreach (var name in Hidden(asked, actor.Id, at))
                {
                    // What the actor says themselves is no news to them.
                    if (!Names(given, name)) Names(said, name).ShouldBeFalse($"{actor.Name} at {at:O}, {command}: '{said}' names {name}");
                }
            }
        });
        refused.ShouldBeGreaterThan(5000);
        planned.ShouldBeGreaterThan(200);
        undone.ShouldBeGreaterThan(20);
    }

    [Fact]
    public void Undoing_repeats_what_was_said_to_somebody_else_only_to_master_administrators()
    {
        var sample = new Sample();
        var (gus, dora) = (sample.Technician("gus"), sample.Technician("dora"));
        var north = sample.Group("North", sample.Group("Field"));
        sample.Administrator(gus, north);
        sample.Member(dora, north);
        sample.Member(dora, sample.Group("South", north));
        var (policy, change) = Carry(sample.Snapshot, new PolicyCommand.RemoveMember(north, dora), sample.Olga);
        Summary(policy, change, gus).ShouldBe("Undid change 2.");
        Summary(policy, change, sample.Olga).ShouldBe("Undid change 2: Removed Dora (dora) from Field / North.");
    }

    [Fact]
    public void What_an_undoing_does_not_fit_is_said_to_master_administrators_only()
    {
        var sample = new Sample();
        var gus = sample.Technician("gus");
        sample.Grant(GrantSubject.To(gus), GrantScope.Of(sample.Servers), SystemRoles.FullDeviceAccess.Id);
        var (policy, change) = Carry(sample.Snapshot, new PolicyCommand.DeleteDevice(sample.Web01), sample.Olga);
        var elsewhere = new DeviceGroupId(sample.Next());
        policy = Carry(policy, new PolicyCommand.AddDeviceGroup(elsewhere, null, "Elsewhere"), sample.Olga).After;
        policy = Carry(policy, new PolicyCommand.AddDevice(new(sample.Next()), elsewhere, "web01", "", "localhost", []), sample.Olga).After;
        var undo = new PolicyCommand.Undo(change, new HashSet<RowKey>());
        policy.Plan(undo, gus, Sample.Noon).ShouldBe(new PlanResult.Conflict("It does not fit what is there now."));
        policy.Plan(undo, sample.Olga, Sample.Noon).ShouldBe(new PlanResult.Conflict("It does not fit what is there now: two devices have the name 'web01'."));
    }

    private static (PolicySnapshot After, PolicyDelta Delta) Carry(PolicySnapshot policy, PolicyCommand command, PersonId actor)
    {
        var delta = policy.Plan(command, actor, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;
        return (policy.Apply(delta), delta);
    }

    private static string Summary(PolicySnapshot policy, PolicyDelta change, PersonId actor) =>
        policy.Plan(new PolicyCommand.Undo(change, new HashSet<RowKey>()), actor, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta.Summary;

    private static PolicyDelta? Change(RandomOrganization organization, PolicySnapshot policy) =>
        policy.Plan(RandomCommand.From(organization), organization.Owner, organization.Instant()) is PlanResult.Planned { Delta: { Changes.Count: > 0 } delta } && !RandomCommand.HandsOver(delta)
            ? delta
            : null;

    private static PolicyCommand.Undo Undo(RandomOrganization organization, PolicyDelta change) =>
        new(change, change.Changes.Select(row => row.Key).Where(_ => organization.Chance(10)).ToHashSet());

    private static IEnumerable<string> Said(PlanResult result) => result switch
    {
        PlanResult.Planned { Delta.Summary: var summary } => [summary],
        PlanResult.NotFound { What: var what } => [what],
        PlanResult.Forbidden { Reason: var reason } => [reason],
        PlanResult.Conflict { Message: var message } => [message],
        PlanResult.Invalid invalid => [invalid.Message, .. invalid.Others.SelectMany(Said)],
        PlanResult.SomeRefused { Steps: var steps } => steps.SelectMany(step => Said(step.Reason)),
        _ => throw new ArgumentOutOfRangeException(nameof(result)),
    };

    private static string Given(PolicyCommand command) => command is PolicyCommand.Several several ? string.Join('\n', several.Commands) : command.ToString();

    private static IEnumerable<string> Hidden(PolicySnapshot policy, PersonId actor, DateTimeOffset at) =>
    [
        .. policy.All<PersonRow>().Where(row => !policy.MaySeePerson(actor, row.Id, at)).Select(row => row.Name),
        .. policy.All<PersonRow>().Where(row => row.Kind != PersonKind.Owner && !policy.MaySeePerson(actor, row.Id, at)).Select(row => row.Login), // the owner's is a word
        .. policy.All<TechnicianGroupRow>().Where(row => row.ParentId is not null && !policy.MaySeeTechnicianGroup(actor, row.Id, at)).Select(row => row.Name),
        .. policy.All<DeviceRow>().Where(row => !policy.MaySeeDevice(actor, row.Id, at)).Select(row => row.Name),
        .. policy.All<DeviceGroupRow>().Where(row => !policy.MaySeeDeviceGroup(actor, row.Id, at)).Select(row => row.Name),
        .. policy.All<WorkflowRow>().Where(row => !policy.MaySeeTechnicianGroup(actor, row.Group, at)).Select(row => row.Name),
        .. policy.All<ExternalGroupRow>().Where(_ => !policy.MaySeeExternalGroups(actor, at)).Select(row => row.Name),
    ];

    private static bool Names(string text, string name) => Regex.IsMatch(text, $@"(?<!\w){Regex.Escape(name)}(?!\w)", RegexOptions.CultureInvariant);
}
