namespace Countersign.Access.Tests;

/// <summary>Law 10, over random organizations and commands, judged by the naive model.</summary>
public class SelfEscalationTests
{
    [Fact]
    public void Law_10_what_somebody_short_of_master_administrator_does_gives_nobody_more_than_they_hold()
    {
        var carriedOut = 0;
        var looked = new Dictionary<ApprovalStepKind, int>();
        Draw.Check(450, organization =>
        {
            var policy = organization.Compile();
            var before = organization.Naive();
            for (var attempt = 0; attempt < 40; attempt++)
            {
                var at = organization.Instant();
                var actor = before.Person(organization.Pick(organization.People))!;
                if (before.IsMasterAdministrator(actor, at)) continue;
                var command = RandomCommand.From(organization);
                if (policy.Plan(command, actor.Id, at) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta }) continue;
                carriedOut++;
                EscalationJudge.Of(policy, [delta], actor, $"{actor.Name} at {at:O}: {command}", looked).Look([at, organization.Instant(), organization.Instant()]);
            }
        });
        carriedOut.ShouldBeGreaterThan(200);
        looked[ApprovalStepKind.TechnicianGroup].ShouldBeGreaterThan(100);
        looked[ApprovalStepKind.Workflow].ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Law_10_options_and_invitations_are_given_no_freer_than_they_are_held()
    {
        var (widened, invited) = (0, 0);
        Draw.Check(300, organization =>
        {
            var (policy, before) = (organization.Compile(), organization.Naive());
            for (var attempt = 0; attempt < 30; attempt++)
            {
                var at = organization.Instant();
                var actor = before.Person(organization.Pick(organization.People))!;
                if (before.IsMasterAdministrator(actor, at)) continue;
                PolicyCommand command;
                if (organization.Chance(50))
                {
                    var value = organization.RandomOption();
                    command = new PolicyCommand.SetGroupPermission(value.Group, value.Permission, value.Value, Locked: false, value.Option);
                }
                else
                {
                    var grant = organization.RandomGrant();
                    var role = organization.Pick(SystemRoles.All.Where(one => one.Purpose == RolePurpose.Invitations).ToList());
                    command = new PolicyCommand.AddGrant(grant.Id, GrantSubject.To(organization.Pick(organization.Groups)), GrantScope.QuickSupport, role.Id, GrantAccounts.Default, grant.Window);
                }

                if (policy.Plan(command, actor.Id, at) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta }) continue;
                if (command is PolicyCommand.AddGrant) invited++;
                else widened++;
                EscalationJudge.Of(policy, [delta], actor, $"{actor.Name} at {at:O}: {command}", []).Look([at, organization.Instant()]);
            }
        });
        widened.ShouldBeGreaterThan(50);
        invited.ShouldBeGreaterThan(5);
    }

    [Fact]
    public void Law_10_nobody_frees_the_owner_of_what_binds_themselves()
    {
        var (taken, refused) = (0, 0);
        Draw.Check(100, organization =>
        {
            // The owner and an administrator of it all stand in the same groups, some of which ask for something.
            var groups = organization.Groups.Where(group => group != organization.Everyone).ToList();
            var technicians = organization.Technicians.Where(person => person != organization.Owner).ToList();
            if (groups.Count == 0 || technicians.Count == 0) return;
            var actor = organization.Pick(technicians);
            organization.Put(new GroupAdministratorRow(organization.Everyone, actor));
            foreach (var id in groups)
            {
                var group = organization.Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, id.Value));
                organization.Put(group with { RequiresManagerialApproval = organization.Chance(40), Consent = organization.Chance(30) ? GroupConsent.Ask : GroupConsent.None });
                if (organization.Chance(60)) organization.Put(new MembershipRow(id, organization.Owner));
                if (organization.Chance(60)) organization.Put(new MembershipRow(id, actor));
            }

            var (policy, before, at) = (organization.Compile(), organization.Naive(), organization.Instant());
            var person = before.Person(actor)!;
            if (before.IsMasterAdministrator(person, at)) return;
            foreach (var id in groups)
            {
                var group = organization.Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, id.Value));
                PolicyCommand[] commands =
                [
                    new PolicyCommand.RemoveMember(id, organization.Owner),
                    new PolicyCommand.EditTechnicianGroup(id, group.ParentId, group.Name, "", group.Enabled, false, GroupConsent.None, group.SinglePrompt),
                ];
                foreach (var command in commands)
                {
                    var result = policy.Plan(command, actor, at);
                    if (result is PlanResult.Forbidden) refused++;
                    if (result is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta }) continue;
                    taken++;
                    EscalationJudge.Of(policy, [delta], person, $"{person.Name} at {at:O}: {command}", []).Look([at]);
                }
            }
        });
        taken.ShouldBeGreaterThan(50);
        refused.ShouldBeGreaterThan(50);
    }

    [Fact]
    public void Law_10_nobody_whom_a_devices_rule_binds_puts_anybody_under_a_workflow_instead()
    {
        var (taken, refused) = (0, 0);
        Draw.Check(300, organization =>
        {
            foreach (var group in organization.Rows.OfType<TechnicianGroupRow>().ToList()) organization.Put(group with { RequiresManagerialApproval = false });
            organization.Put(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "required", 1));
            var (policy, before) = (organization.Compile(), organization.Naive());
            var administrators = organization.Rows.OfType<GroupAdministratorRow>().Select(row => row.Person).ToList();
            for (var attempt = 0; attempt < 20 && administrators.Count > 0; attempt++)
            {
                var at = organization.Instant();
                var actor = before.Person(organization.Pick(administrators))!;
                if (before.IsMasterAdministrator(actor, at)) continue;
                var command = new PolicyCommand.AddMember(organization.Pick(organization.Groups), organization.Pick(organization.People));
                var result = policy.Plan(command, actor.Id, at);
                if (result is PlanResult.Forbidden { Reason: var reason } && reason.Contains("by which workflows", StringComparison.Ordinal)) refused++;
                if (result is not PlanResult.Planned { Delta: { Changes.Count: > 0 } delta }) continue;
                taken++;
                EscalationJudge.Of(policy, [delta], actor, $"{actor.Name} at {at:O}: {command}", []).Look([at]);
            }
        });
        taken.ShouldBeGreaterThan(100);
        refused.ShouldBeGreaterThan(5);
    }
}
