namespace Countersign.Access.Tests;

/// <summary>The laws that speak of changes: what is told of them, and what undoing them does.</summary>
public class ChangeLawTests
{
    private static readonly PermissionSet[] Wishes =
    [
        PermissionSet.Of(Permission.Terminal), PermissionSet.Of(Permission.ScreenView), PermissionSet.Of(Permission.ConnectionHistory),
        PermissionSet.Of(Permission.Tunnel), PermissionSet.Of(Permission.ModifyDevice), PermissionSet.Of(Permission.Reboot),
    ];

    [Fact]
    public void Law_8_pairs_that_no_rectangle_names_are_answered_alike_and_counts_are_exact()
    {
        var (named, silent) = (0, 0);
        Draw.Check(150, organization =>
        {
            var before = organization.Compile();
            var after = Changed(organization, before);
            if (after is null) return;
            var difference = PolicySnapshot.Diff(before, after);
            var pairs = difference.Rectangles.SelectMany(rectangle => rectangle.People.SelectMany(person => rectangle.Devices.Select(device => (person, device)))).ToList();
            pairs.Distinct().Count().ShouldBe(pairs.Count);
            difference.Pairs.ShouldBe(pairs.Count);
            var told = pairs.ToHashSet();
            foreach (var person in before.All<PersonRow>().Select(row => row.Id))
            {
                foreach (var device in before.All<DeviceRow>().Select(row => row.Id))
                {
                    if (told.Contains((person, device)))
                    {
                        named++;
                        continue;
                    }

                    silent++;
                    for (var count = 0; count < 3; count++)
                    {
                        var question = organization.Question() with { Subject = person, Device = device, Account = organization.Chance(50) ? "a" : null, Wanted = organization.Pick(Wishes) };
                        Alike(before, after, question);
                    }
                }
            }
        });
        named.ShouldBeGreaterThan(100);
        silent.ShouldBeGreaterThan(1000);
    }

    [Fact]
    public void Law_8_the_difference_of_a_version_and_itself_is_empty() => Draw.Check(40, organization =>
        PolicySnapshot.Diff(organization.Compile(), organization.Compile()).IsEmpty.ShouldBeTrue());

    [Fact]
    public void Laws_3_and_4_undoing_a_change_restores_every_answer()
    {
        var undone = 0;
        Draw.Check(150, organization =>
        {
            var before = organization.Compile();
            var at = organization.Instant();
            var command = organization.Chance(30) && organization.Rows.OfType<RoleRow>().FirstOrDefault() is { } role
                ? new PolicyCommand.DeleteRole(role.Id)
                : RandomCommand.From(organization);
            if (before.Plan(command, organization.Owner, at) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta }) return;
            var after = before.Apply(delta);
            var plan = after.Plan(new PolicyCommand.Undo(delta, new HashSet<RowKey>()), organization.Owner, at).ShouldBeOfType<PlanResult.Planned>(delta.Summary);
            plan.Left.ShouldBeEmpty();
            var back = after.Apply(plan.Delta);
            undone++;
            Without(back).SetEquals(Without(before)).ShouldBeTrue(delta.Summary);
            PolicySnapshot.Diff(before, back).IsEmpty.ShouldBeTrue(delta.Summary);
            for (var count = 0; count < 30; count++)
            {
                var question = organization.Question();
                back.Decide(question).ShouldBe(before.Decide(question), delta.Summary);
            }
        });
        undone.ShouldBeGreaterThan(60);
    }

    [Fact]
    public void Law_7_the_smallest_change_turns_the_answer()
    {
        var found = 0;
        Draw.Check(40, organization =>
        {
            var policy = organization.Compile();
            for (var count = 0; count < 10; count++)
            {
                var question = organization.Question();
                if (policy.SmallestChange(question, new(organization.NextId())) is not { } smallest) continue;
                found++;
                smallest.Changes.Count.ShouldBeInRange(1, 2);
                var (changed, asked) = (policy, question);
                foreach (var change in smallest.Changes)
                {
                    if (change.Approved is { } approved) asked = asked with { Approvals = [.. asked.Approvals, approved] };
                    if (change.Preapproved is { } ahead) asked = asked with { Preapprovals = [.. asked.Preapprovals, ahead] };
                    if (change.Command is null) continue;
                    changed = changed.Apply(changed.Plan(change.Command, organization.Owner, question.At).ShouldBeOfType<PlanResult.Planned>().Delta);
                }

                (changed.Decide(asked).Kind == DecisionKind.Allowed).ShouldBe(policy.Decide(question).Kind != DecisionKind.Allowed);
            }
        });
        found.ShouldBeGreaterThan(50);
    }

    [Fact]
    public void Law_12_holds_while_the_trees_are_moved_about()
    {
        Draw.Check(120, organization =>
        {
            var policy = organization.Compile();
            for (var change = 0; change < 12; change++)
            {
                var group = organization.Pick(organization.DeviceGroups);
                PolicyCommand command = organization.Random.Next(5) switch
                {
                    0 => new PolicyCommand.EditDeviceGroup(group, organization.Chance(20) ? null : organization.Pick(organization.DeviceGroups), $"Moved {organization.Random.Next()}"),
                    1 => new PolicyCommand.AddDeviceGroup(new(organization.NextId()), organization.Chance(20) ? null : group, $"New {organization.Random.Next()}"),
                    2 => new PolicyCommand.DeleteDevice(organization.Pick(organization.Devices)),
                    _ => RandomCommand.From(organization),
                };
                if (policy.Plan(command, organization.Owner, organization.Instant()) is PlanResult.Planned { Delta: var delta }) policy = policy.Apply(delta);
            }

            var anew = PolicySnapshot.Compile(Sample.Organization, policy.Version, policy.All<PolicyRow>());
            PolicySnapshot.Diff(policy, anew).IsEmpty.ShouldBeTrue();
            var at = organization.Instant();
            for (var count = 0; count < 40; count++)
            {
                var question = organization.Question();
                policy.Decide(question).ShouldBe(anew.Decide(question));
                policy.Explain(question).Lines.Select(line => line.Text).Order().ShouldBe(anew.Explain(question).Lines.Select(line => line.Text).Order());
            }

            foreach (var person in organization.People) policy.DevicesOf(person, at).ShouldBe(anew.DevicesOf(person, at));
            foreach (var device in organization.Devices) policy.PeopleOf(device, at).ShouldBe(anew.PeopleOf(device, at));
        });
    }

    private static PolicySnapshot? Changed(RandomOrganization organization, PolicySnapshot policy)
    {
        PolicySnapshot? changed = null;
        for (var count = 1 + organization.Random.Next(3); count > 0; count--)
        {
            var now = changed ?? policy;
            if (now.Plan(RandomCommand.From(organization), organization.Owner, organization.Instant()) is PlanResult.Planned { Delta: var delta }) changed = now.Apply(delta);
        }

        return changed;
    }

    private static void Alike(PolicySnapshot before, PolicySnapshot after, AccessQuestion question)
    {
        var (was, now) = (before.Decide(question), after.Decide(question));
        now.Kind.ShouldBe(was.Kind, question.ToString());
        now.Permissions.ShouldBe(was.Permissions, question.ToString());
        now.Consent.ShouldBe(was.Consent, question.ToString());
        now.Recording.ShouldBe(was.Recording, question.ToString());
        now.MaxSession.ShouldBe(was.MaxSession, question.ToString());
    }

    /// <summary>When a setting was touched last is not what it says.</summary>
    private static HashSet<PolicyRow> Without(PolicySnapshot policy) =>
        [.. policy.All<PolicyRow>().Select(row => row is SettingRow setting ? setting with { Touched = 0 } : row)];
}
