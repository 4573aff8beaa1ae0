using Countersign.Access.Tests.Naive;

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
                var after = new NaivePolicy(policy.Apply(delta).All<PolicyRow>());
                new Judge(before, after, actor, $"{actor.Name} at {at:O}: {command}", looked).Look([at, organization.Instant(), organization.Instant()]);
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
                var after = new NaivePolicy(policy.Apply(delta).All<PolicyRow>());
                new Judge(before, after, actor, $"{actor.Name} at {at:O}: {command}", []).Look([at, organization.Instant()]);
            }
        });
        widened.ShouldBeGreaterThan(50);
        invited.ShouldBeGreaterThan(5);
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
                var after = new NaivePolicy(policy.Apply(delta).All<PolicyRow>());
                new Judge(before, after, actor, $"{actor.Name} at {at:O}: {command}", []).Look([at]);
            }
        });
        taken.ShouldBeGreaterThan(100);
        refused.ShouldBeGreaterThan(5);
    }

    internal sealed class Judge(NaivePolicy before, NaivePolicy after, PersonRow actor, string what, Dictionary<ApprovalStepKind, int> looked)
    {
        private static readonly ConsentKind[] Kinds = [.. Enum.GetValues<ConsentKind>().Where(kind => kind != ConsentKind.None)];

        public void Look(DateTimeOffset[] instants)
        {
            foreach (var person in after.People.Where(person => person.Kind != PersonKind.Owner))
            {
                foreach (var at in instants)
                {
                    foreach (var permission in NaiveCatalogue.For('A'))
                    {
                        if (after.HoldsOverTeam(person, permission, at) && before.Person(person.Id) is { } was && !before.HoldsOverTeam(was, permission, at))
                            before.HoldsOverTeam(actor, permission, at).ShouldBeTrue($"{what} gives {person.Name} {permission}");
                    }

                    var invites = after.HeldOverQuickSupport(person, at) - (before.Person(person.Id) is { } earlier ? before.HeldOverQuickSupport(earlier, at) : PermissionSet.None);
                    (invites - before.HeldOverQuickSupport(actor, at)).ShouldBe(PermissionSet.None, $"{what} gives {person.Name} {invites} over Quick Support at {at:O}");
                    foreach (var device in after.Devices) Look(person, device, at);
                }

                if (before.Person(person.Id) is { } bound) LookAtOptions(person, bound);
            }
        }

        /// <summary>How what is allowed before and after may be used; who may not use it themselves frees nobody.</summary>
        private void LookAtOptions(PersonRow person, PersonRow bound)
        {
            foreach (var permission in PermissionOption.Having)
            {
                if (!after.IsWithinCeiling(person, permission) || !before.IsWithinCeiling(bound, permission)) continue;
                var (was, now) = (before.Option(bound, permission), after.Option(person, permission));
                if (was.Covers(now)) continue;
                (before.IsWithinCeiling(actor, permission) && before.Option(actor, permission).Covers(now))
                    .ShouldBeTrue($"{what} lets {person.Name} use {permission} more freely");
            }
        }

        private void Look(PersonRow person, DeviceRow device, DateTimeOffset at)
        {
            // What is new, device or account, is brought by whoever adds it: nobody could hold anything there before.
            if (before.Device(device.Id) is not { } was) return;
            foreach (var account in after.AccountsAt(device).Intersect(before.AccountsAt(was).Concat(AnotherDefault(device, was))))
            {
                var then = before.WithAccount(was, account);
                var had = then.Person(person.Id) is { } earlier ? then.Held(earlier, was, account, at) : PermissionSet.None;
                var gained = after.Held(person, device, account, at) - had;
                var excess = gained - then.Effective(actor, was, account, at) - NaiveCatalogue.OfNoConnection(then.Effective(actor, was, null, at));
                excess.ShouldBe(PermissionSet.None, $"{what} gives {person.Name} {excess} on {device.Name} as {account} at {at:O}");
            }

            if (before.Person(person.Id) is not { } bound) return;

            // ManageSecurity may loosen what does not bind its holder.
            var binds = before.IsBound(actor, was) || (after.Person(actor.Id) is { } later && after.IsBound(later, device));
            foreach (var kind in Kinds)
            {
                var (asked, asks) = (before.Consent(bound, was, kind, skips: false), after.Consent(person, device, kind, skips: false));
                if (asks < asked) (asks >= (binds ? before.Consent(actor, was, kind, skips: false) : before.GroupConsent(actor))).ShouldBeTrue($"{what} frees {person.Name} of asking for {kind} on {device.Name}");
            }

            var freed = before.Rules(bound, was, at).Except(after.Rules(person, device, at)).Where(rule => binds || rule != Guid.Empty);
            freed.Intersect(before.Rules(actor, was, at)).ShouldBeEmpty($"{what} frees {person.Name} of an approval on {device.Name}");
            if (after.SinglePrompt(person) && !before.SinglePrompt(bound)) before.SinglePrompt(actor).ShouldBeTrue($"{what} has {person.Name} ask once for all");
            if (after.Approves(person) is { } approved && before.Approves(bound) is { } were && before.Approves(actor) is { } own)
                approved.Except(were).Except(own).ShouldBeEmpty($"{what} lets {person.Name} invite people from outside");
            if (person.Id == actor.Id) LookAtApprovers(person, device, was, at);
            if (device.Group != was.Group && after.IsLooser(device, before, was)) before.MayManageSecurity(actor, was, at).ShouldBeTrue($"{what} takes {device.Name} out of a setting");
            if (binds) after.IsLooser(device, before, was).ShouldBeFalse($"{what} loosens what everybody is bound by on {device.Name}");
        }

        /// <summary>An account that comes as the default one is given what the default rule gives: as if it had been there, and were made the default.</summary>
        private IEnumerable<string> AnotherDefault(DeviceRow device, DeviceRow was) =>
            before.AccountsAt(was).Any() && after.DefaultOf(device) is { } name && !before.AccountsAt(was).Contains(name) ? [name] : [];

        /// <summary>
        /// To make an approver for a group's rule or a workflow that binds oneself, or oneself one whose place fills itself, is to free oneself. Who
        /// accepts requests on the device does so by a permission, which is looked at as such.
        /// </summary>
        private void LookAtApprovers(PersonRow person, DeviceRow device, DeviceRow was, DateTimeOffset at)
        {
            var steps = before.Steps(actor, was, at)
                .Where(step => step.Id.Kind is ApprovalStepKind.TechnicianGroup or ApprovalStepKind.Workflow)
                .ToDictionary(step => step.Id);
            foreach (var step in after.Steps(person, device, at))
            {
                if (!steps.TryGetValue(step.Id, out var then)) continue;
                var accepting = step.NamesDevice ? after.DeviceApprovers(device, at).Select(one => one.Id).ToHashSet() : [];
                step.Approvers.Except(then.Approvers).Except(accepting).ShouldBeEmpty($"{what} makes approvers for {person.Name}");
                if (step.Automatic && !accepting.Contains(person.Id)) then.Automatic.ShouldBeTrue($"{what} lets {person.Name} approve for themselves");
                looked[step.Id.Kind] = looked.GetValueOrDefault(step.Id.Kind) + 1;
            }
        }
    }
}
