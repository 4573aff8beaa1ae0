namespace Countersign.Access.Tests;

/// <summary>The laws of the access model, over random organizations.</summary>
public class LawTests
{
    [Fact]
    public void Law_1_adding_a_grant_never_takes_a_permission_or_time_away() => Draw.Check(200, organization =>
    {
        var before = organization.Compile();
        organization.Put(organization.RandomGrant());
        var after = organization.Compile();
        for (var count = 0; count < 40; count++)
        {
            var question = organization.Question();
            AtMost(before.Decide(question), after.Decide(question), question);
        }
    });

    [Fact]
    public void Law_2_a_locked_deny_is_never_exceeded()
    {
        var bound = 0;
        Draw.Check(300, organization =>
        {
            var denied = organization.RandomValue() with { Value = PolicyValue.Deny, Locked = true, Group = organization.Everyone };
            organization.Put(denied);
            for (var change = 0; change < 10; change++) MutateFreely(organization);
            organization.Put(denied);
            var policy = organization.Compile();
            for (var count = 0; count < 20; count++)
            {
                var question = organization.Question();
                question = question with { Wanted = PermissionSet.Of(organization.Chance(50) ? denied.Permission : Permission.ConnectionHistory) };
                if (question.Subject == organization.Owner) continue;
                var decision = policy.Decide(question);
                decision.Permissions.Contains(denied.Permission).ShouldBeFalse(question.ToString());
                if (decision.Reason == DenialReason.AboveCeiling) bound++;
            }
        });
        bound.ShouldBeGreaterThan(50);
    }

    [Fact]
    public void Law_2_a_locked_deny_of_any_group_reaches_all_below_it_whatever_is_disabled() => Draw.Check(200, organization =>
    {
        var value = organization.RandomValue();
        organization.Put(value with { Value = PolicyValue.Deny, Locked = true });
        var naive = organization.Naive();
        var members = organization.People
            .Where(person => person != organization.Owner)
            .Where(person => naive.HasLockedDeny(organization.Row<PersonRow>(new(PolicyTable.Person, person.Value)), value.Permission))
            .ToList();
        foreach (var group in organization.Groups.Where(group => group != organization.Everyone && organization.Chance(30)))
        {
            Toggle(organization, group, enabled: false);
        }
        organization.Put(organization.RandomGrant());
        var policy = organization.Compile();
        foreach (var person in members)
        {
            foreach (var device in organization.Devices)
            {
                var question = organization.Question() with { Subject = person, Device = device, Account = null, Wanted = PermissionSet.Of(value.Permission) };
                policy.Decide(question).Kind.ShouldNotBe(DecisionKind.Allowed);
            }
        }
    });

    [Fact]
    public void Law_3_after_force_every_node_below_has_exactly_the_forced_value() => Draw.Check(200, organization =>
    {
        var before = organization.Compile();
        var forced = organization.RandomSetting();
        var result = before.Plan(new PolicyCommand.ForceSetting(forced.Node, forced.Setting, forced.Value), organization.Owner, organization.Instant());
        var after = before.Apply(result.ShouldBeOfType<PlanResult.Planned>().Delta);
        foreach (var device in after.All<DeviceRow>())
        {
            var node = SettingNode.Of(device.Id);
            if (!IsAtOrBelow(after, device, forced.Node)) after.Setting(node, forced.Setting).ShouldBe(before.Setting(node, forced.Setting));
            else after.Setting(node, forced.Setting).ShouldBe(new EffectiveSetting(forced.Setting, forced.Value, forced.Node));
        }
    });

    [Fact]
    public void Law_5_disabling_gives_nobody_anything_and_enabling_restores_exactly_what_was_there() => Draw.Check(200, organization =>
    {
        var before = organization.Compile();
        Action restore;
        if (organization.Groups.Count == 1 || organization.Chance(30))
        {
            var row = organization.Row<PersonRow>(new(PolicyTable.Person, organization.Pick(organization.People).Value));
            organization.Put(row with { Status = PersonStatus.Disabled });
            restore = () => organization.Put(row);
        }
        else
        {
            var row = organization.Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, organization.Pick(organization.Groups).Value));
            organization.Put(row with { Enabled = false });
            restore = () => organization.Put(row);
        }

        var disabled = organization.Compile();
        restore();
        var enabled = organization.Compile();
        for (var count = 0; count < 30; count++)
        {
            var question = organization.Question();
            AtMost(disabled.Decide(question), before.Decide(question), question);
            enabled.Decide(question).ShouldBe(before.Decide(question));
            var (fewer, all) = (disabled.ApprovalSteps(question), before.ApprovalSteps(question));
            fewer.Count.ShouldBe(all.Count);
            for (var step = 0; step < all.Count; step++) fewer[step].Approvers.ShouldBeSubsetOf(all[step].Approvers);
        }
    });

    [Fact]
    public void Law_6_nobody_approves_their_own_connection() => Draw.Check(150, organization =>
    {
        var policy = organization.Compile();
        for (var count = 0; count < 30; count++)
        {
            var question = organization.Question();
            var steps = policy.ApprovalSteps(question);
            foreach (var step in steps)
            {
                step.Approvers.ShouldNotContain(question.Subject);
                step.Approvers.ShouldAllBe(approver => policy.Person(approver)!.TakesPart);
                step.Blocked.ShouldBe(step.Approvers.Count == 0 && !step.Automatic);
            }

            if (policy.Decide(question).Kind == DecisionKind.NeedsApproval) steps.ShouldNotBeEmpty();
        }
    });

    [Fact]
    public void Law_9_the_listings_agree_with_Decide_on_every_pair() => Draw.Check(150, organization =>
    {
        var policy = organization.Compile();
        var at = organization.Instant();
        foreach (var person in organization.People)
        {
            var listed = policy.DevicesOf(person, at);
            foreach (var device in organization.Devices)
            {
                var wanted = PermissionSet.Of(Permission.ConnectionHistory);
                var decision = policy.Decide(new(person, device, null, wanted, at, null, SignInStrength.TwoFactor, EndUserPresence.CanBeAsked));
                listed.Any(listing => listing.Device.Id == device).ShouldBe(decision.Visible);
                policy.PeopleOf(device, at).Any(listing => listing.Person.Id == person).ShouldBe(decision.Visible);
            }
        }
    });

    [Fact]
    public void Law_11_until_ReevaluateAt_the_answer_stays()
    {
        var changes = 0;
        Draw.Check(200, organization =>
        {
            var (policy, naive) = (organization.Compile(), organization.Naive());
            for (var count = 0; count < 30; count++)
            {
                var question = organization.Chance(50) ? organization.Question() : organization.Question(naive);
                var decision = policy.Decide(question);
                var last = decision.ReevaluateAt?.AddTicks(-1) ?? question.At.AddDays(60);
                last.ShouldBeGreaterThanOrEqualTo(question.At);
                policy.Decide(question with { At = last }).ShouldBe(decision, question.ToString());
                for (var probe = 0; probe < 5; probe++)
                {
                    var at = question.At + ((last - question.At) * organization.Random.NextDouble());
                    policy.Decide(question with { At = at }).ShouldBe(decision, $"{question} at {at:O}");
                }

                if (decision.ReevaluateAt is not { } next) continue;
                var then = policy.Decide(question with { At = next });
                if (then with { ReevaluateAt = null } != decision with { ReevaluateAt = null }) changes++;
            }
        });
        changes.ShouldBeGreaterThan(50);
    }

    [Fact]
    public void Law_12_applying_a_delta_equals_compiling_the_changed_policy_anew()
    {
        var planned = 0;
        Draw.Check(200, organization =>
        {
            var policy = organization.Compile();
            for (var change = 0; change < 8; change++)
            {
                if (policy.Plan(RandomCommand.From(organization), organization.Owner, organization.Instant()) is not PlanResult.Planned { Delta: var delta })
                {
                    continue;
                }
                planned++;
                policy = policy.Apply(delta);
                foreach (var row in delta.Changes) (row.Before ?? row.After).ShouldNotBeNull();
            }

            var anew = PolicySnapshot.Compile(Sample.Organization, policy.Version, policy.All<PolicyRow>());
            anew.All<PolicyRow>().ToHashSet().SetEquals(policy.All<PolicyRow>()).ShouldBeTrue();
            for (var count = 0; count < 30; count++)
            {
                var question = organization.Question();
                policy.Decide(question).ShouldBe(anew.Decide(question));
            }
        });
        planned.ShouldBeGreaterThan(400);
    }

    [Fact]
    public void A_delta_turned_round_leads_back() => Draw.Check(150, organization =>
    {
        var policy = organization.Compile();
        if (policy.Plan(RandomCommand.From(organization), organization.Owner, organization.Instant()) is not PlanResult.Planned { Delta: var delta }) return;
        var after = policy.Apply(delta);
        var reverse = delta.Changes.Reverse().Select(change => new RowChange(change.After, change.Before));
        var back = after.Apply(new(Sample.Organization, after.Version, "", [.. reverse]));
        back.All<PolicyRow>().ToHashSet().SetEquals(policy.All<PolicyRow>()).ShouldBeTrue();
    });

    [Fact]
    public void Every_decision_can_be_explained_with_rows_that_are_there() => Draw.Check(150, organization =>
    {
        var policy = organization.Compile();
        for (var count = 0; count < 20; count++)
        {
            var question = organization.Question();
            var explanation = policy.Explain(question);
            explanation.Decision.ShouldBe(policy.Decide(question));
            explanation.Lines.ShouldNotBeEmpty();
            foreach (var line in explanation.Lines)
            {
                line.Text.ShouldEndWith(".");
                line.Cites.Where(key => key.Table != PolicyTable.Setting).ShouldAllBe(key => policy.Find(key) != null, line.Text);
            }
        }
    });

    private static void AtMost(AccessDecision less, AccessDecision more, AccessQuestion question)
    {
        if (less.Visible) more.Visible.ShouldBeTrue(question.ToString());
        if (less.Kind != DecisionKind.Allowed) return;
        more.Kind.ShouldBe(DecisionKind.Allowed, question.ToString());
        more.Permissions.Covers(less.Permissions).ShouldBeTrue(question.ToString());
        if (more.Until is { } end) end.ShouldBeGreaterThanOrEqualTo(less.Until ?? DateTimeOffset.MaxValue, question.ToString());
    }

    private static void MutateFreely(RandomOrganization organization)
    {
        switch (organization.Random.Next(4))
        {
            case 0: organization.Put(organization.RandomGrant()); break;
            case 1: organization.Put(organization.RandomValue()); break;
            case 2: organization.Put(new MembershipRow(organization.Pick(organization.Groups), organization.Pick(organization.People))); break;
            default: Toggle(organization, organization.Pick(organization.Groups), organization.Chance(50)); break;
        }
    }

    private static void Toggle(RandomOrganization organization, TechnicianGroupId group, bool enabled) =>
        organization.Put(organization.Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, group.Value)) with { Enabled = enabled });

    private static bool IsAtOrBelow(PolicySnapshot policy, DeviceRow device, SettingNode node)
    {
        if (node == SettingNode.Organization || node == SettingNode.Of(device.Id)) return true;
        for (DeviceGroupId? group = device.Group; group is { } id; group = ((DeviceGroupRow)policy.Find(new(PolicyTable.DeviceGroup, id.Value))!).ParentId)
        {
            if (node == SettingNode.Of(id)) return true;
        }

        return false;
    }
}
