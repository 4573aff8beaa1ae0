using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Platform;

public sealed class PreviewedEffectsTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

    private readonly PersonId _owner = new(Guid.NewGuid());
    private readonly TechnicianGroupId _everyone = new(Guid.NewGuid());
    private PolicySnapshot _policy;

    public PreviewedEffectsTests()
    {
        var id = new OrganizationId(Guid.NewGuid());
        _policy = PolicySnapshot.Empty(id).Apply(PolicySnapshot.Bootstrap(id, _owner, "olga", "Olga", "", _everyone));
    }

    [Fact]
    public void What_a_branch_administrator_may_not_see_is_not_named_in_a_restriction()
    {
        var (ann, bob) = (new PersonId(Guid.NewGuid()), new PersonId(Guid.NewGuid()));
        var (support, juniors) = (new TechnicianGroupId(Guid.NewGuid()), new TechnicianGroupId(Guid.NewGuid()));
        var (devices, web1) = (new DeviceGroupId(Guid.NewGuid()), new DeviceId(Guid.NewGuid()));
        Make(new PolicyCommand.AddPerson(ann, PersonKind.Technician, "ann", "Ann", "", PersonState.Activated));
        Make(new PolicyCommand.AddPerson(bob, PersonKind.Technician, "bob", "Bob", "", PersonState.Activated));
        Make(new PolicyCommand.AddTechnicianGroup(support, _everyone, "Support", "", true, false, GroupConsent.None, false));
        Make(new PolicyCommand.AddTechnicianGroup(juniors, support, "Juniors", "", true, false, GroupConsent.None, false));
        Make(new PolicyCommand.EditTechnicianGroup(_everyone, null, "Everyone", "", true, true, GroupConsent.None, false));
        Make(new PolicyCommand.AddAdministrator(support, ann));
        Make(new PolicyCommand.AddMember(support, bob));
        Make(new PolicyCommand.AddDeviceGroup(devices, null, "Clients"));
        Make(new PolicyCommand.AddDevice(web1, devices, "web1", "", "127.0.0.1", ["root"]));
        foreach (var person in new[] { ann, bob })
        {
            Make(new PolicyCommand.AddGrant(
                new(Guid.NewGuid()), GrantSubject.To(person), GrantScope.Of(web1), SystemRoles.OnlyDeviceConnection.Id, GrantAccounts.Default, GrantWindow.Always));
        }

        var before = _policy;
        Make(new PolicyCommand.AddMember(juniors, bob), ann);
        var (seen, all) = (Approval(before, ann), Approval(before, _owner));
        all.ShouldContain($"group {_everyone} through {juniors}");
        seen.ShouldContain($"group … through {juniors}");
        seen.ShouldNotContain(_everyone.ToString());
    }

    private void Make(PolicyCommand command, PersonId? by = null) =>
        _policy = _policy.Apply(_policy.Plan(command, by ?? _owner, At).ShouldBeOfType<PlanResult.Planned>().Delta);

    private string Approval(PolicySnapshot before, PersonId viewer) => new PreviewedEffects(before, _policy, viewer, At).All().Effects
        .ShouldHaveSingleItem().Restrictions.Single(restriction => restriction.Kind == RestrictionKind.Approval).After;
}
