using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>Several commands as one change.</summary>
public class SeveralTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly Sample _sample = new();

    [Fact]
    public void Several_are_one_change_that_is_undone_as_one()
    {
        var (one, two) = (new DeviceId(_sample.Next()), new DeviceId(_sample.Next()));
        var policy = _sample.Snapshot;
        var delta = Planned(policy, Add(one, "db01"), Add(two, "db02"), new PolicyCommand.EditDevice(one, Enabled: false), new PolicyCommand.DeleteDevice(two));
        delta.Summary.ShouldBe("Several at once.");
        delta.ToVersion.ShouldBe(policy.Version + 1);
        delta.Changes.Select(change => change.Key).ShouldBeUnique();
        var after = policy.Apply(delta);
        after.Device(one)!.Enabled.ShouldBeFalse();
        after.Device(two).ShouldBeNull();
        after.AccountsOf(one).Select(account => account.Name).ShouldBe(["root"]);

        var undone = after.Plan(new PolicyCommand.Undo(delta, new HashSet<RowKey>()), _sample.Olga, At).ShouldBeOfType<PlanResult.Planned>().Delta;
        after.Apply(undone).All<PolicyRow>().ShouldBe(policy.All<PolicyRow>(), ignoreOrder: true);
    }

    [Fact]
    public void Each_is_planned_on_what_those_before_it_lead_to()
    {
        var group = new DeviceGroupId(_sample.Next());
        var policy = _sample.Snapshot;
        var after = policy.Apply(Planned(
            policy,
            new PolicyCommand.AddDeviceGroup(group, _sample.Servers, "New"),
            new PolicyCommand.EditDevice(_sample.Web01, group, Name: "web02"),
            Add(new(_sample.Next()), "web01"),
            new PolicyCommand.EditDevice(_sample.Web01, Description: "moved")));
        after.Device(_sample.Web01)!.ShouldSatisfyAllConditions(
            row => row.Group.ShouldBe(group), row => row.Name.ShouldBe("web02"), row => row.Description.ShouldBe("moved"));
        after.DeviceByName("web01")!.Id.ShouldNotBe(_sample.Web01);
    }

    [Fact]
    public void All_of_what_is_refused_is_told_and_nothing_is_done()
    {
        var refused = Refused(
            _sample.Snapshot,
            _sample.Olga,
            Add(new(_sample.Next()), "db01"),
            Add(new(_sample.Next()), "db01"),
            Add(new(_sample.Next()), "No Name"),
            new PolicyCommand.DeleteDevice(new(_sample.Next())),
            new PolicyCommand.Several("", []),
            Add(new(_sample.Next()), "db02"));
        refused.Steps.Select(step => (step.Index, step.Reason.GetType())).ShouldBe(
            [(1, typeof(PlanResult.Conflict)), (2, typeof(PlanResult.Invalid)), (3, typeof(PlanResult.NotFound)), (4, typeof(PlanResult.Forbidden))]);
    }

    [Fact]
    public void Everything_that_is_wrong_with_one_is_told_field_by_field()
    {
        var invalid = _sample.Snapshot
            .Plan(new PolicyCommand.AddDevice(new(_sample.Next()), _sample.Servers, "No Name", "", "", ["a", "a"]) { Services = [new(ServiceProtocol.Vnc, 0, Certificate: "x"), new(ServiceProtocol.Vnc)], Tags = ["ä"] }, _sample.Olga, At)
            .ShouldBeOfType<PlanResult.Invalid>();
        new[] { invalid }.Concat(invalid.Others).Select(one => one.Field).ShouldBe(["name", "host", "services[0].port", "services[0].certificate", "services[1].protocol", "accounts", "tags"]);
    }

    [Fact]
    public void Nothing_may_be_done_together_that_may_not_be_done_one_by_one()
    {
        // Here tom may only move things away; there he may delete. Moved first, and then deleted, would be deleted all the same.
        var tom = _sample.Technician("tom");
        var there = _sample.DeviceGroup("There");
        _sample.Grant(GrantSubject.To(tom), GrantScope.Of(_sample.Servers), _sample.Role(ModifyDevice));
        _sample.Grant(GrantSubject.To(tom), GrantScope.Of(there), _sample.Role(ModifyDevice, DeleteDevice));
        var move = new PolicyCommand.EditDevice(_sample.Web01, there);
        _sample.Snapshot.Plan(move, tom, At).ShouldBeOfType<PlanResult.Forbidden>();
        var refused = Refused(_sample.Snapshot, tom, move, new PolicyCommand.DeleteDevice(_sample.Web01));
        refused.Steps.Select(step => step.Index).ShouldBe([0, 1]);
    }

    [Fact]
    public void Several_do_what_one_after_the_other_does_and_are_refused_where_one_is()
    {
        var (planned, refusedOnes) = (0, 0);
        Draw.Check(300, organization =>
        {
            var policy = organization.Compile();
            for (var attempt = 0; attempt < 12; attempt++)
            {
                var at = organization.Instant();
                var actor = organization.Chance(40) ? organization.Owner : organization.Pick(organization.People);
                var several = RandomCommand.Several(organization);
                var (now, refused) = (policy, new List<(int Index, PlanResult Plan)>());
                foreach (var (index, command) in several.Commands.Index())
                {
                    var plan = now.Plan(command, actor, at);
                    if (plan is PlanResult.Planned { Delta: var step }) now = now.Apply(step);
                    else refused.Add((index, plan));
                }

                switch (policy.Plan(several, actor, at))
                {
                    case PlanResult.Planned { Delta: var delta }:
                        planned++;
                        refused.ShouldBeEmpty();
                        delta.Changes.Select(change => change.Key).ShouldBeUnique();
                        Untouched(policy.Apply(delta)).ShouldBe(Untouched(now), ignoreOrder: true);
                        break;
                    case PlanResult.SomeRefused some:
                        refusedOnes++;
                        some.Steps.Select(step => step.Index).ShouldBe(refused.Select(one => one.Index));
                        foreach (var (step, one) in some.Steps.Zip(refused)) IsRefusedAs(step.Reason, one.Plan);
                        break;
                    case PlanResult.Forbidden:
                        refused.Count.ShouldBe(several.Commands.Count);
                        break;
                    case var other:
                        Assert.Fail($"{other}");
                        break;
                }
            }
        });
        planned.ShouldBeGreaterThan(300);
        refusedOnes.ShouldBeGreaterThan(300);
    }

    /// <summary>
    /// Of devices they are planned side by side: what their actor sees only by what one of them takes away is there for another still, and refused as what is not theirs.
    /// That is the one difference.
    /// </summary>
    private static void IsRefusedAs(PlanResult together, PlanResult alone)
    {
        if (alone is PlanResult.NotFound && together is PlanResult.Forbidden) return;
        together.GetType().ShouldBe(alone.GetType(), $"{together} together, {alone} alone");
    }

    /// <summary>Of settings without the version that touched them: one after the other that is another one each time.</summary>
    private static IEnumerable<PolicyRow> Untouched(PolicySnapshot policy) => policy.All<PolicyRow>().Select(row => row is SettingRow setting ? setting with { Touched = 0 } : row);

    private PolicyCommand.AddDevice Add(DeviceId id, string name) => new(id, _sample.Servers, name, "", "localhost", ["root"]);

    private PolicyDelta Planned(PolicySnapshot policy, params PolicyCommand[] commands) =>
        policy.Plan(new PolicyCommand.Several("Several at once.", commands), _sample.Olga, At).ShouldBeOfType<PlanResult.Planned>().Delta;

    private static PlanResult.SomeRefused Refused(PolicySnapshot policy, PersonId actor, params PolicyCommand[] commands) =>
        policy.Plan(new PolicyCommand.Several("Several at once.", commands), actor, At).ShouldBeOfType<PlanResult.SomeRefused>();
}
