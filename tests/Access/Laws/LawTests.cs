using Countersign.Access.Tests.Naive;

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
    public void Law_1_removing_a_grant_never_gives_any()
    {
        var removed = 0;
        Draw.Check(150, organization =>
        {
            if (organization.Rows.OfType<GrantRow>().ToList() is not { Count: > 0 } grants) return;
            removed++;
            var before = organization.Compile();
            organization.Remove(organization.Pick(grants));
            var after = organization.Compile();
            for (var count = 0; count < 40; count++)
            {
                var question = organization.Question();
                AtMost(after.Decide(question), before.Decide(question), question);
            }
        });
        removed.ShouldBeGreaterThan(100);
    }

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
            var (policy, naive) = (organization.Compile(), organization.Naive());
            for (var count = 0; count < 20; count++)
            {
                var question = organization.Chance(50) ? organization.Question() : organization.Question(naive);
                question = question with
                {
                    Wanted = PermissionSet.Of(organization.Chance(50) ? denied.Permission : Permission.ConnectionHistory),
                    Preapprovals = [.. question.Preapprovals.Select(request => request with { Permissions = request.Permissions.With(denied.Permission) })],
                };
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

        var undone = after.Apply(Reverse(result.ShouldBeOfType<PlanResult.Planned>().Delta));
        foreach (var device in after.All<DeviceRow>())
        {
            var node = SettingNode.Of(device.Id);
            foreach (var kind in Settings.At(SettingNodeKind.Device)) undone.Setting(node, kind).ShouldBe(before.Setting(node, kind));
        }
    });

    [Fact]
    public void Law_4_deleting_a_role_takes_away_exactly_what_is_not_had_without_its_grants_and_undo_restores_it()
    {
        var (deleted, lost) = (0, 0);
        Draw.Check(250, organization =>
        {
            if (organization.Rows.OfType<RoleRow>().ToList() is not { Count: > 0 } roles) return;
            deleted++;
            var role = organization.Pick(roles);
            var before = organization.Compile();
            var delta = before.Plan(new PolicyCommand.DeleteRole(role.Id), organization.Owner, organization.Instant()).ShouldBeOfType<PlanResult.Planned>().Delta;
            var after = before.Apply(delta);
            var undone = after.Apply(Reverse(delta));

            // Nor may it be asked for any more.
            var without = new NaivePolicy(organization.Rows.Where(row => row is GrantRow grant ? grant.Role != role.Id : row != role));
            for (var count = 0; count < 30; count++)
            {
                var question = organization.Question();
                NaiveAnswer.Of(after.Decide(question)).ShouldBe(without.Decide(question), question.ToString());
                undone.Decide(question).ShouldBe(before.Decide(question), question.ToString());
                if (after.Decide(question).Permissions != before.Decide(question).Permissions) lost++;
            }
        });
        deleted.ShouldBeGreaterThan(100);
        lost.ShouldBeGreaterThan(20);
    }

    [Fact]
    public void Law_5_disabling_gives_nobody_anything_and_enabling_restores_exactly_what_was_there()
    {
        var switched = 0;
        Draw.Check(300, organization =>
        {
            var before = organization.Compile();
            var (disable, enable) = Switching(organization);
            if (before.Plan(disable, organization.Owner, organization.Instant()) is not PlanResult.Planned { Delta: { Changes.Count: > 0 } away }) return;
            switched++;
            var disabled = before.Apply(away);
            var enabled = disabled.Apply(disabled.Plan(enable, organization.Owner, organization.Instant()).ShouldBeOfType<PlanResult.Planned>().Delta);
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
        switched.ShouldBeGreaterThan(150);
    }

    /// <summary>A person or a group that is enabled is disabled and enabled again.</summary>
    private static (PolicyCommand Disable, PolicyCommand Enable) Switching(RandomOrganization organization)
    {
        var group = organization.Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, organization.Pick(organization.Groups).Value));
        if (group.Enabled && organization.Chance(70)) return (Switch(enabled: false), Switch(enabled: true));
        var person = organization.Row<PersonRow>(new(PolicyTable.Person, organization.Pick(organization.People).Value));
        return (new PolicyCommand.SetPersonStatus(person.Id, PersonStatus.Disabled), new PolicyCommand.SetPersonStatus(person.Id, person.Status));

        PolicyCommand.EditTechnicianGroup Switch(bool enabled) =>
            new(group.Id, group.ParentId, group.Name, group.Description, enabled, group.RequiresManagerialApproval, group.Consent, group.SinglePrompt);
    }

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
                step.Blocked.ShouldBe(step.Approvers.Count + (step.Automatic ? 1 : 0) < step.Needed);
            }

            if (policy.Decide(question).Kind == DecisionKind.NeedsApproval) steps.ShouldNotBeEmpty();
        }
    });

    [Fact]
    public void Law_7_an_explanation_is_faithful()
    {
        var (allowed, waiting, spared) = (0, 0, 0);
        Draw.Check(400, organization =>
        {
            var (policy, naive) = (organization.Compile(), organization.Naive());
            for (var count = 0; count < 15; count++)
            {
                var question = organization.Chance(50) ? organization.Question() : organization.Question(naive);
                var explanation = policy.Explain(question);
                explanation.Decision.ShouldBe(policy.Decide(question));
                explanation.Lines.ShouldNotBeEmpty();
                foreach (var line in explanation.Lines)
                {
                    line.Text.ShouldEndWith(".");
                    line.Cites.Where(key => key.Table != PolicyTable.Setting).ShouldAllBe(key => policy.Find(key) != null, line.Text);
                }

                if (explanation.Decision.Kind != DecisionKind.Allowed) continue;
                explanation.Lines[^1].Text.Contains("from its beginning", StringComparison.Ordinal).ShouldBe(explanation.Decision.Lasting is not null);
                explanation.Lines[^1].Text.Contains("until", StringComparison.Ordinal).ShouldBe(explanation.Decision.Until is not null);
                if (explanation.Decision.Lasting is not null) waiting++;
                if (question.Subject == organization.Owner) continue;
                allowed++;
                var cited = explanation.Lines.SelectMany(line => line.Cites).ToHashSet();
                var without = organization.Rows.Where(row => row is not GrantRow || !cited.Contains(row.Key));
                new NaivePolicy(without).Decide(question with { Preapprovals = [] }).Kind.ShouldNotBe(DecisionKind.Allowed, question.ToString());
                if (!explanation.Lines.Any(line => line.Text.Contains(" holds Skip consent on ", StringComparison.Ordinal))) continue;

                // What nobody is asked by is cited, too: without it whoever is still let in is not spared the asking.
                spared++;
                var asking = organization.Rows.Where(row => row is not GrantRow grant || !cited.Contains(row.Key) || !policy.Role(grant.Role)!.Permissions.Contains(Permission.SkipConsent));
                new NaivePolicy(asking).Decide(question with { Preapprovals = [] }).Permissions.Contains(Permission.SkipConsent).ShouldBeFalse(question.ToString());
            }
        });
        allowed.ShouldBeGreaterThan(200);
        spared.ShouldBeGreaterThan(20);
        waiting.ShouldBeGreaterThan(10);
    }

    /// <summary>
    /// What a refusal cites is turned: denied into allowed, a rule off, a setting to its default. What comes to stand in the way then is cited and turned as well, until
    /// the answer is another one.
    /// </summary>
    [Fact]
    public void Law_7_without_what_a_refusal_cites_it_is_another_answer()
    {
        var turned = new Dictionary<DenialReason, int>();
        Draw.Check(700, organization =>
        {
            for (var count = 0; count < 20; count++)
            {
                var question = organization.Question();
                if (organization.Compile().Decide(question) is not { Kind: not DecisionKind.Allowed } refused || !Turnable.Contains(refused.Reason)) continue;
                var rows = organization.Rows.ToDictionary(row => row.Key);
                if (PermissionCatalogue.Restrictable.Any(permission => !rows.ContainsKey(new GroupPermissionRow(organization.Everyone, permission, default, default).Key))) return;
                while (Compiled() is var policy && policy.Decide(question) is var now && (now.Kind, now.Reason) == (refused.Kind, refused.Reason))
                {
                    var cited = policy.Explain(question).Lines.SelectMany(line => line.Cites).Distinct().ToList();
                    cited.ShouldAllBe(key => rows.ContainsKey(key) || key.Id == Guid.Empty, question.ToString());
                    cited.Count(Turn).ShouldBeGreaterThan(0, $"{refused.Reason} to {question}");
                }

                var naive = new NaivePolicy(rows.Values).Decide(question);
                (naive.Kind, naive.Reason).ShouldNotBe((refused.Kind, refused.Reason), question.ToString());
                turned[refused.Reason] = turned.GetValueOrDefault(refused.Reason) + 1;

                PolicySnapshot Compiled() => PolicySnapshot.Compile(Sample.Organization, 1, rows.Values);

                // False: it was so already, or speaks for access.
                bool Turn(RowKey key)
                {
                    if (!rows.TryGetValue(key, out var row)) return false;
                    PolicyRow? other = row switch
                    {
                        GroupPermissionRow value => value with { Value = PolicyValue.Allow },
                        TechnicianGroupRow group => group with { Enabled = true, RequiresManagerialApproval = false, Consent = GroupConsent.None },
                        SettingRow setting => setting with { Value = Settings.Default(setting.Setting) },
                        WorkflowRow => null,
                        _ => row,
                    };
                    if (other is null) return rows.Remove(key);
                    rows[key] = other;
                    return other != row;
                }
            }
        });
        turned.Keys.Order().ShouldBe(Turnable.Order());
        turned.Values.Min().ShouldBeGreaterThan(5);
    }

    private static DenialReason[] Turnable { get; } =
    [
        DenialReason.AboveCeiling, DenialReason.OutsideSessionHours, DenialReason.ApprovalNeeded, DenialReason.ConsentImpossible, DenialReason.RecordingForbids,
        DenialReason.TwoFactorMissing, DenialReason.NetworkNotAllowed,
    ];

    [Fact]
    public void Law_9_the_listings_agree_with_Decide_on_every_pair_and_with_the_naive_model() => Draw.Check(120, organization =>
    {
        var (policy, naive) = (organization.Compile(), organization.Naive());
        var at = organization.Instant();
        foreach (var person in naive.People)
        {
            var listed = policy.DevicesOf(person.Id, at);
            listed.Select(listing => (listing.Device.Id, listing.Permissions)).ShouldBe(naive.DevicesOf(person, at), ignoreOrder: true);
            foreach (var device in organization.Devices)
            {
                var wanted = PermissionSet.Of(Permission.ConnectionHistory);
                var decision = policy.Decide(new(person.Id, device, null, wanted, at, policy.SignIn.AllowedNetworks?.First, SignInStrength.TwoFactor, EndUserPresence.CanBeAsked));
                listed.Any(listing => listing.Device.Id == device).ShouldBe(decision.Visible);
                policy.HeldOn(person.Id, device, at).ShouldBe(listed.Where(listing => listing.Device.Id == device).Select(listing => listing.Permissions).SingleOrDefault());
            }
        }

        foreach (var device in naive.Devices)
        {
            policy.PeopleOf(device.Id, at).Select(listing => (listing.Person.Id, listing.Permissions)).ShouldBe(naive.PeopleOf(device, at), ignoreOrder: true);
        }
    });

    [Fact]
    public void Law_11_until_ReevaluateAt_the_answer_stays()
    {
        var (changes, looked) = (0, 0);
        Draw.Check(250, organization =>
        {
            var naive = organization.Naive();
            return Trial.Of(organization, 30, () => organization.Chance(50) ? organization.Question() : organization.Question(naive));
        }, trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                var decision = policy.Decide(question);
                var next = decision.ReevaluateAt ?? DateTimeOffset.MaxValue;
                next.ShouldBeGreaterThan(question.At);
                if (naive.Device(question.Device) is not { } device) continue;
                foreach (var at in naive.MayChange(question, device).TakeWhile(at => at < next).TakeLast(6).Append(next.AddTicks(-1)))
                {
                    looked++;
                    policy.Decide(question with { At = at }).ShouldBe(decision, $"at {at:O}");
                    naive.Decide(question with { At = at }).ShouldBe(NaiveAnswer.Of(decision), $"at {at:O}");
                }

                if (next != DateTimeOffset.MaxValue && naive.Decide(question with { At = next }) != NaiveAnswer.Of(decision)) changes++;
            }
        });
        changes.ShouldBeGreaterThan(200);
        looked.ShouldBeGreaterThan(5000);
    }

    /// <summary>What begins and is not felt, since everything it brings is held at all times anyway, may be passed over; nothing else may, and nothing is made up.</summary>
    [Fact]
    public void Law_11_ReevaluateAt_is_an_instant_at_which_something_that_bears_on_the_question_begins_or_ends_and_the_first_that_is_felt()
    {
        var (never, felt, unfelt) = (0, 0, 0);
        Draw.Check(250, organization =>
        {
            var naive = organization.Naive();
            return Trial.Of(organization, 20, () => organization.Chance(50) ? organization.Question() : organization.Question(naive));
        }, trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions.Where(question => naive.Device(question.Device) is not null))
            {
                if (policy.Decide(question).ReevaluateAt is not { } next)
                {
                    naive.Changes(question).ShouldAllBe(change => !change.Felt);
                    never++;
                    continue;
                }

                var change = naive.Changes(question).FirstOrDefault(change => change.Felt || change.At >= next);
                change.At.ShouldBe(next);
                if (change.Felt) felt++;
                else unfelt++;
            }
        });
        never.ShouldBeGreaterThan(500);
        felt.ShouldBeGreaterThan(1000);
        unfelt.ShouldBeLessThan(felt / 2);
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
                policy.DevicesByName.Count.ShouldBe(policy.All<DeviceRow>().Count());
                foreach (var row in delta.Changes) (row.Before ?? row.After).ShouldNotBeNull();
            }

            var anew = PolicySnapshot.Compile(Sample.Organization, policy.Version, policy.All<PolicyRow>());
            anew.All<PolicyRow>().ToHashSet().SetEquals(policy.All<PolicyRow>()).ShouldBeTrue();
            policy.DevicesByName.ShouldBe(anew.DevicesByName);
            for (var count = 0; count < 30; count++)
            {
                var question = organization.Question();
                policy.Decide(question).ShouldBe(anew.Decide(question));
                policy.ApprovalSteps(question).Select(step => (step.Id, step.Rule, step.Automatic)).ShouldBe(anew.ApprovalSteps(question).Select(step => (step.Id, step.Rule, step.Automatic)));
                policy.DevicesOf(question.Subject, question.At).ShouldBe(anew.DevicesOf(question.Subject, question.At));
                policy.PeopleOf(question.Device, question.At).ShouldBe(anew.PeopleOf(question.Device, question.At));
            }
        });
        planned.ShouldBeGreaterThan(400);
    }

    [Fact]
    public void A_delta_turned_round_leads_back() => Draw.Check(150, organization =>
    {
        var policy = organization.Compile();
        if (policy.Plan(RandomCommand.From(organization), organization.Owner, organization.Instant()) is not PlanResult.Planned { Delta: var delta }) return;
        var back = policy.Apply(delta).Apply(Reverse(delta));
        back.All<PolicyRow>().ToHashSet().SetEquals(policy.All<PolicyRow>()).ShouldBeTrue();
    });

    private static void AtMost(AccessDecision less, AccessDecision more, AccessQuestion question)
    {
        if (less.Options is { SinglePrompt: true } && more.Options is { } options) options.SinglePrompt.ShouldBeTrue(question.ToString());
        if (less.Visible) more.Visible.ShouldBeTrue(question.ToString());
        Came(more).ShouldBeGreaterThanOrEqualTo(Came(less), question.ToString());
        if (less.Kind != DecisionKind.Allowed) return;
        more.Kind.ShouldBe(DecisionKind.Allowed, question.ToString());
        more.Permissions.Covers(less.Permissions).ShouldBeTrue(question.ToString());
        if (more.Until is { } end) end.ShouldBeGreaterThanOrEqualTo(less.Until ?? DateTimeOffset.MaxValue, question.ToString());
    }

    /// <summary>How far a decision came. Consent is looked for last: where it can't be had, everything else was there.</summary>
    private static int Came(AccessDecision decision) => (int)(decision.Reason == DenialReason.ConsentImpossible ? DecisionKind.Allowed : decision.Kind);

    private static PolicyDelta Reverse(PolicyDelta delta) =>
        new(delta.Organization, delta.ToVersion, "", [.. delta.Changes.Reverse().Select(change => new RowChange(change.After, change.Before))]);

    private static void MutateFreely(RandomOrganization organization)
    {
        switch (organization.Random.Next(4))
        {
            case 0: organization.Put(organization.RandomGrant()); break;
            case 1: organization.Put(organization.RandomValue()); break;
            case 2 when organization.Groups.Count > 1: organization.Put(new MembershipRow(organization.Pick(organization.Groups[1..]), organization.Pick(organization.Technicians))); break;
            default: Toggle(organization, organization.Pick(organization.Groups), organization.Chance(50)); break;
        }
    }

    /// <summary>Everyone stays enabled.</summary>
    private static void Toggle(RandomOrganization organization, TechnicianGroupId group, bool enabled) =>
        organization.Put(organization.Row<TechnicianGroupRow>(new(PolicyTable.TechnicianGroup, group.Value)) with { Enabled = enabled || group == organization.Everyone });

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
