using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>Device groups that come one after the other in one place until there is no room left for labels.</summary>
public class RelabellingTests
{
    [Fact]
    public void So_many_new_groups_in_one_place_that_all_are_labelled_anew_change_no_answer()
    {
        var sample = new Sample();
        var tina = sample.Technician("tina");
        var clients = sample.DeviceGroup("Clients");
        var beside = sample.DeviceGroup("Beside");
        var device = sample.Device("beside01", beside, "root");
        sample.Grant(GrantSubject.To(tina), GrantScope.Of(clients), sample.Role(Terminal), GrantAccounts.Any);
        var policy = sample.Snapshot;
        var last = clients;
        for (var count = 0; count < 2000; count++)
        {
            last = new DeviceGroupId(sample.Next());
            policy = Do(sample, policy, new PolicyCommand.AddDeviceGroup(last, clients, $"Client {count}"));
        }

        var inside = new DeviceId(sample.Next());
        policy = Do(sample, policy, new PolicyCommand.AddDevice(inside, last, "inside01", "", "127.0.0.1", ["root"]));
        policy.Decide(sample.Question(tina, [Terminal], inside)).Kind.ShouldBe(DecisionKind.Allowed);
        policy.Decide(sample.Question(tina, [Terminal], device)).Kind.ShouldBe(DecisionKind.Denied);
        policy.DevicesOf(tina, Sample.Noon).ShouldHaveSingleItem().Device.Id.ShouldBe(inside);

        policy = Do(sample, policy, new PolicyCommand.EditDeviceGroup(last, beside, "Moved"));
        policy.Decide(sample.Question(tina, [Terminal], inside)).Kind.ShouldBe(DecisionKind.Denied);
        var anew = PolicySnapshot.Compile(Sample.Organization, policy.Version, policy.All<PolicyRow>());
        PolicySnapshot.Diff(policy, anew).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Groups_below_each_other_that_come_one_by_one_are_labelled_anew_when_there_is_no_room_below()
    {
        var sample = new Sample();
        var tina = sample.Technician("tina");
        var policy = sample.Snapshot;
        var chain = new List<DeviceGroupId> { sample.Servers };
        for (var depth = 0; depth < 40; depth++)
        {
            chain.Add(new(sample.Next()));
            policy = Do(sample, policy, new PolicyCommand.AddDeviceGroup(chain[^1], chain[^2], $"Depth {depth}"));
        }

        var deep = new DeviceId(sample.Next());
        policy = Do(sample, policy, new PolicyCommand.AddDevice(deep, chain[^1], "deep01", "", "127.0.0.1", ["root"]));
        var grant = new PolicyCommand.AddGrant(
            new(sample.Next()), GrantSubject.To(tina), GrantScope.Of(chain[20]), SystemRoles.OnlyDeviceConnection.Id, GrantAccounts.Any, GrantWindow.Always);
        policy = Do(sample, policy, grant);
        policy.Decide(sample.Question(tina, [Terminal], deep)).Kind.ShouldBe(DecisionKind.Allowed);
        policy.Decide(sample.Question(tina, [Terminal])).Kind.ShouldBe(DecisionKind.Denied);
    }

    private static PolicySnapshot Do(Sample sample, PolicySnapshot policy, PolicyCommand command) =>
        policy.Apply(policy.Plan(command, sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta);
}
