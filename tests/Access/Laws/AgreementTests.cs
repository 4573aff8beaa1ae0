using Countersign.Access.Tests.Golden;
using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests;

/// <summary>The engine and the naive model, asked the same.</summary>
public class AgreementTests
{
    [Fact]
    public void The_engine_and_the_naive_model_agree_on_eighty_thousand_decisions()
    {
        var (kinds, reasons) = (new HashSet<DecisionKind>(), new HashSet<DenialReason>());
        Draw.Check(2000, organization => Trial.Of(organization, 40, organization.Question), trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                var decision = policy.Decide(question);
                NaiveAnswer.Of(decision).ShouldBe(naive.Decide(question));
                NaiveAnswer.Of(policy.DecideRunning(question)).ShouldBe(naive.DecideRunning(question));
                kinds.Add(decision.Kind);
                reasons.Add(decision.Reason);
            }
        });
        kinds.Order().ShouldBe(Enum.GetValues<DecisionKind>());
        reasons.Order().ShouldBe(Enum.GetValues<DenialReason>());
    }

    [Fact]
    public void The_engine_and_the_naive_model_agree_with_approved_requests_in_hand()
    {
        var (counted, refused, beside, unasked) = (0, 0, 0, 0);
        Draw.Check(600, organization =>
        {
            organization.Put(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "required", 1));
            var naive = organization.Naive();
            return Trial.Of(organization, 40, () => organization.Question(naive) with { BeganUnasked = organization.Chance(20), BeganInsisted = organization.Chance(30) });
        }, trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                var decision = policy.Decide(question);
                NaiveAnswer.Of(decision).ShouldBe(naive.Decide(question));
                var running = policy.DecideRunning(question);
                NaiveAnswer.Of(running).ShouldBe(naive.DecideRunning(question));
                if (running.Kind == DecisionKind.Allowed)
                {
                    running.Lasting.ShouldBe(naive.LastingRunning(question));
                    if (running.Lasting is null) running.Until.ShouldBe(naive.UntilRunning(question));
                    if (running.Until is not null && question.Approvals.Any(request => request.IsBeside)) beside++;
                    if (question is { BeganUnasked: true, Preapprovals.Length: > 0 }) unasked++;
                }

                if (policy.Decide(question with { Approvals = [] }).Kind != DecisionKind.NeedsApproval) continue;
                if (decision.Kind == DecisionKind.Allowed) counted++;
                else if (question.Approvals.Length > 0) refused++;
            }
        });
        counted.ShouldBeGreaterThan(100);
        refused.ShouldBeGreaterThan(100);
        beside.ShouldBeGreaterThan(20);
        unasked.ShouldBeGreaterThan(100);
    }

    /// <summary>
    /// A session that has just begun is answered as the connection was; later, while nothing changes, as long as that said; and when rules have changed since, as the naive
    /// model says of what it began on.
    /// </summary>
    [Fact]
    public void What_runs_goes_on_with_what_let_it_in_and_with_nothing_else_that_was_in_hand()
    {
        var (begun, dropped, beside, insisted, ended, changed) = (0, 0, 0, 0, 0, 0);
        Draw.Check(400, organization =>
        {
            if (organization.Chance(70)) organization.Put(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "required", 1));
            foreach (var group in organization.Rows.OfType<TechnicianGroupRow>().Where(_ => organization.Chance(30)).ToList()) organization.Put(group with { RequiresManagerialApproval = true });
            organization.PutWorkflow();
            foreach (var workflow in organization.Rows.OfType<WorkflowRow>().Where(_ => organization.Chance(60)).ToList()) organization.Put(workflow with { InsistsWhenPreapproved = true });
            var naive = organization.Naive();
            return Trial.Of(organization, 20, () => organization.Question(naive) is var question && organization.Chance(40) ? WithStepsOfWorkflowsAlone(question) : question);
        }, trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());

            // Another policy: every rule by which somebody is asked for an approval is another one.
            var turned = trial.Rows.Select(row => row switch
            {
                TechnicianGroupRow group => group with { RequiresManagerialApproval = !group.RequiresManagerialApproval },
                WorkflowRow workflow => workflow with { InsistsWhenPreapproved = !workflow.InsistsWhenPreapproved },
                SettingRow { Setting: SettingKind.ManagerialApproval } setting => setting with { Value = setting.Value == "required" ? "not" : "required" },
                _ => row,
            }).ToList();
            var (other, plain) = (PolicySnapshot.Compile(Sample.Organization, 2, turned), new NaivePolicy(turned));
            foreach (var question in trial.Questions)
            {
                var decision = policy.Decide(question);
                if (decision.Kind != DecisionKind.Allowed || !NaiveCatalogue.IsConnection(question.Wanted)) continue;
                var (running, expected) = (policy.AsBegun(question), naive.AsBegun(question));
                running.Approvals.ShouldBe(expected.Approvals);
                (running.BeganUnasked, running.BeganInsisted).ShouldBe((expected.BeganUnasked, expected.BeganInsisted));

                // What recording forbids is refused when a connection begins, and only then.
                var now = policy.DecideRunning(running);
                now.Kind.ShouldBe(DecisionKind.Allowed);
                NaiveCatalogue.WithoutUnmet(decision.Recording == RecordingRule.Required ? now.Permissions.Without(Permission.Tunnel) : now.Permissions).ShouldBe(decision.Permissions);
                if (decision.Recording != RecordingRule.Required) (now.Until, now.Lasting).ShouldBe((decision.Until, decision.Lasting));
                if (decision is { Until: { } end, Lasting: null })
                {
                    policy.DecideRunning(running with { At = end.AddTicks(-1) }).Kind.ShouldBe(DecisionKind.Allowed);

                    // Another window may have opened by then.
                    var then = policy.DecideRunning(running with { At = end });
                    NaiveAnswer.Of(then).ShouldBe(naive.DecideRunning(expected with { At = end }));
                    if (then.Kind != DecisionKind.Allowed) ended++;
                }

                NaiveAnswer.Of(other.DecideRunning(running)).ShouldBe(plain.DecideRunning(expected));
                if (other.Decide(question).Kind == DecisionKind.NeedsApproval) changed++;
                begun++;
                if (!running.BeganUnasked && running.Approvals.Length < question.Approvals.Length) dropped++;
                if (running.Approvals.Any(approved => approved.IsBeside)) beside++;
                if (running.BeganInsisted) insisted++;
            }
        });
        begun.ShouldBeGreaterThan(500);
        dropped.ShouldBeGreaterThan(50);
        beside.ShouldBeGreaterThan(5);
        insisted.ShouldBeGreaterThan(20);
        ended.ShouldBeGreaterThan(100);
        changed.ShouldBeGreaterThan(50);
    }

    /// <summary>By themselves they let in where no other rule asks, and else only beside preapproved access, of which there is some more.</summary>
    private static AccessQuestion WithStepsOfWorkflowsAlone(AccessQuestion question) => question with
    {
        Approvals = [.. question.Approvals.Select(approved => approved with { Steps = [.. approved.Steps.Where(step => step.Kind == ApprovalStepKind.Workflow)] })],
        Preapprovals =
        [
            .. question.Preapprovals,
            .. question.Approvals.Take(1).Select(approved => new PreapprovedRequest(
                150, question.Subject, [question.Device], approved.Account, question.Wanted, question.At.AddHours(-1), new RequestTime.FromApproval(TimeSpan.FromHours(2)), [])),
        ],
    };

    [Fact]
    public void They_agree_on_who_can_take_which_step()
    {
        var (taken, blocked, automatic) = (0, 0, 0);
        Draw.Check(400, organization => Trial.Of(organization, 10, organization.Question), trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                if (naive.Person(question.Subject) is not { } person || naive.Device(question.Device) is not { } device) continue;
                var expected = NaiveCatalogue.IsConnection(question.Wanted) ? naive.Steps(person, device, question.At) : [];
                var steps = policy.ApprovalSteps(question);
                steps.Select(Written).Order().ShouldBe(expected.Select(Written).Order());
                taken += steps.Count(step => step.Approvers.Count > 0);
                blocked += steps.Count(step => step.Blocked);
                automatic += steps.Count(step => step.Automatic);
            }
        });
        taken.ShouldBeGreaterThan(100);
        blocked.ShouldBeGreaterThan(100);
        automatic.ShouldBeGreaterThan(10);
    }

    [Fact]
    public void They_agree_on_what_may_be_asked_for_ahead_and_who_approves_it()
    {
        var (asking, held, workflows, later) = (0, 0, 0, 0);
        Draw.Check(300, organization => Trial.Of(organization, 10, organization.Question), trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                if (naive.Person(question.Subject) is not { } person || naive.Device(question.Device) is not { } device) continue;
                var asks = naive.MayAsk(person, device, question.At);
                policy.MayRequestAccess(person.Id, device.Id, question.At).ShouldBe(asks);
                if (asks) asking++;
                foreach (var role in policy.RequestableRoles.Select(role => role.Permissions).Append(question.Wanted))
                {
                    var would = naive.WouldHold(person, device, question.Account ?? "a", role, question.At);
                    policy.WouldHold(person.Id, device.Id, question.Account ?? "a", role, question.At).ShouldBe(would);
                    if (!would.IsEmpty) held++;
                }

                var steps = policy.PreapprovalSteps(person.Id, device.Id, question.At);
                steps.Select(step => $"{Written(step)}, {step.CountsForLater}").Order()
                    .ShouldBe(naive.PreapprovalSteps(person, device, question.At).Select(step => $"{Written(step)}, {step.CountsForLater}").Order());
                workflows += steps.Count(step => step.Workflow is not null);
                later += steps.Count(step => step.CountsForLater);
            }
        });
        asking.ShouldBeGreaterThan(100);
        held.ShouldBeGreaterThan(100);
        workflows.ShouldBeGreaterThan(50);
        later.ShouldBeGreaterThan(10);
    }

    private static string Written(object step) => step switch
    {
        ApprovalStep one => $"{one.Id}, {one.Needed}, {one.Automatic}, {one.Blocked}, {string.Join(' ', one.Approvers.Select(approver => approver.Value).Order())}",
        NaiveStep one => $"{one.Id}, {one.Needed}, {one.Automatic}, {one.Blocked}, {string.Join(' ', one.Approvers.Select(approver => approver.Value).Order())}",
        _ => throw new ArgumentException("no step", nameof(step)),
    };

    [Fact]
    public void They_agree_on_when_what_is_allowed_ends()
    {
        var (allowed, ends, relied, lasting, beside, differing) = (0, 0, 0, 0, 0, 0);
        Draw.Check(600, organization =>
        {
            var naive = organization.Naive();
            return Trial.Of(organization, 30, () => organization.Question(naive));
        }, trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                var decision = policy.Decide(question);
                if (decision.Kind != DecisionKind.Allowed) continue;
                decision.Lasting.ShouldBe(naive.Lasting(question));

                // Of some: the naive model takes its time.
                if (allowed++ % 2 == 0) differing += AgreeOnEnds(policy, naive, question, decision) ? 1 : 0;
                if (decision.Lasting is not null)
                {
                    lasting++;
                    continue;
                }

                if (question.Preapprovals.Any(request => request.Time is RequestTime.FromFirstUse { IsPending: true })) beside++;
                decision.Until.ShouldBe(naive.Until(question));
                if (decision.Until is not null) ends++;
                if (question.Preapprovals.Length > 0 && policy.Decide(question with { Preapprovals = [] }).Kind != DecisionKind.Allowed) relied++;
            }
        });
        ends.ShouldBeGreaterThan(200);
        relied.ShouldBeGreaterThan(50);
        lasting.ShouldBeGreaterThan(10);
        beside.ShouldBeGreaterThan(10);
        differing.ShouldBeGreaterThan(100);
    }

    /// <summary>
    /// Permissions that hold, each for itself: those that are wanted and a few of the others, since the naive model takes its time. What can't be used by itself now has
    /// no end to tell.
    /// </summary>
    /// <returns>Whether they end at different times.</returns>
    private static bool AgreeOnEnds(PolicySnapshot policy, NaivePolicy naive, AccessQuestion question, AccessDecision decision)
    {
        var ends = policy.EndsOf(question);
        var connects = NaiveCatalogue.IsConnection(question.Wanted);
        var looked = decision.Permissions.Where((permission, place) => question.Wanted.Contains(permission) || (place + (question.At.Minute / 15)) % 16 == 0).ToHashSet();
        var expected =
            from permission in decision.Permissions
            where looked.Contains(permission)
            let one = question with
            {
                Account = question.Account ?? (connects ? naive.DefaultAccount(question.Device) : null),
                Wanted = PermissionSet.Of(permission),
                EndUser = EndUserPresence.CanBeAsked,
            }
            where naive.Decide(one).Kind == DecisionKind.Allowed
            select new PermissionEnd(permission, naive.Lasting(one) is null ? naive.Until(one) : null, naive.Lasting(one));
        ends.Where(end => looked.Contains(end.Permission)).Select(end => end.Lasting is null ? end : end with { Until = null }).ShouldBe(expected, question.ToString());
        if (connects) ends.Count.ShouldBe(decision.Permissions.Count);
        return ends.Select(end => (end.Until, end.Lasting)).Distinct().Count() > 1;
    }

    [Fact]
    public void They_agree_on_the_options_of_what_is_allowed()
    {
        var strict = 0;
        Draw.Check(300, organization => Trial.Of(organization, 20, () => organization.Question() with { Wanted = PermissionSet.Of(Permission.Chat) }), trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                if (policy.Decide(question) is not { Options: { } options } decision) continue;
                var person = naive.Person(question.Subject)!;
                options.SinglePrompt.ShouldBe(naive.SinglePrompt(person));
                options.ApprovedExternals.Select(group => group.Value).ShouldBe(naive.ApprovedExternals(person), ignoreOrder: true);
                foreach (var permission in PermissionOption.Having.Where(decision.Permissions.Contains))
                {
                    naive.Option(person, permission).Same(options[permission]).ShouldBeTrue($"{permission}: {options[permission]} or {naive.Option(person, permission)}");
                    if (options[permission].IsStrict) strict++;
                }
            }
        });
        strict.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void They_agree_on_who_may_invite_whom_from_outside()
    {
        var answers = new Dictionary<(InvitationAnswer, bool), int>();
        Draw.Check(400, organization => Trial.Of(organization, 20, organization.Question), trial =>
        {
            // Everybody holds it on all devices: it is the groups that differ.
            var role = new RoleRow(new(new("00000000-0000-0000-0000-0000000000aa")), "Inviting", RolePurpose.DevicesAndGroups, PermissionSet.Of(Permission.InviteExternal));
            var everyone = trial.Rows.OfType<TechnicianGroupRow>().Single(group => group.ParentId is null);
            var grant = new GrantRow(new(new("00000000-0000-0000-0000-0000000000ab")), GrantSubject.To(everyone.Id), GrantScope.AllDevices, role.Id, GrantAccounts.Any, GrantWindow.Always);
            trial = trial with { Rows = [.. trial.Rows, role, grant] };
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var question in trial.Questions)
            {
                foreach (var contact in naive.People.Select(person => (PersonId?)person.Id).Append(new PersonId(Guid.Empty)).Append(null))
                {
                    var answer = policy.MayInvite(question, contact);
                    answer.ShouldBe(naive.MayInvite(question, contact));
                    answers[(answer, contact is null)] = answers.GetValueOrDefault((answer, contact is null)) + 1;
                }
            }
        });
        answers.Count.ShouldBe(6);
        answers.Values.Min().ShouldBeGreaterThan(50);
    }

    [Fact]
    public void They_agree_on_settings_and_where_they_come_from() => Draw.Check(200, organization => Trial.Of(organization, 0, organization.Question), trial =>
    {
        var (policy, naive) = (trial.Compile(), trial.Naive());
        var nodes = trial.Rows.OfType<DeviceRow>().Select(device => SettingNode.Of(device.Id))
            .Concat(trial.Rows.OfType<DeviceGroupRow>().Select(group => SettingNode.Of(group.Id)))
            .Append(SettingNode.Organization);
        foreach (var node in nodes)
        {
            foreach (var kind in Settings.At(node.Kind))
            {
                var (value, source) = naive.Setting(node, kind);
                policy.Setting(node, kind).ShouldBe(new EffectiveSetting(kind, value, source));
            }
        }
    });

    [Fact]
    public void They_agree_on_the_value_of_every_permission_at_every_group() => Draw.Check(200, organization => Trial.Of(organization, 0, organization.Question), trial =>
    {
        var (policy, naive) = (trial.Compile(), trial.Naive());
        foreach (var group in trial.Rows.OfType<TechnicianGroupRow>())
        {
            foreach (var permission in PermissionCatalogue.Restrictable) policy.PermissionAt(group.Id, permission).ShouldBe(naive.ValueAt(group.Id, permission));
        }
    });

    [Fact]
    public void They_agree_on_which_grants_reach_whom()
    {
        var (reaching, cut) = (0, 0);
        Draw.Check(200, organization => Trial.Of(organization, 0, organization.Question), trial =>
        {
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var person in naive.People)
            {
                var grants = policy.GrantsReaching(person.Id).ToList();
                grants.Select(one => one.Grant.Id).ShouldBeUnique();
                var open = grants.Where(one => one.Through.Count == 0 || one.Through.Any(way => way.InForce)).Select(one => one.Grant).ToList();
                open.ShouldBe(policy.All<GrantRow>().Where(grant => naive.Reaches(grant, person)), ignoreOrder: true);
                grants.ShouldAllBe(one => (one.Through.Count == 0) == (one.Grant.Subject.Kind == SubjectKind.Person));
                reaching += open.Count;
                cut += grants.Count - open.Count;
            }
        });
        reaching.ShouldBeGreaterThan(500);
        cut.ShouldBeGreaterThan(20);
    }

    [Fact]
    public void They_agree_on_who_administers_and_who_sees_whom()
    {
        var rights = new Dictionary<string, int>();
        Draw.Check(200, organization => Trial.Of(organization, 1, organization.Question), trial =>
        {
            if (trial.Questions is not [{ At: var at }]) return;
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var person in naive.People)
            {
                Same("master", policy.IsMasterAdministrator(person.Id, at), naive.IsMasterAdministrator(person, at));
                foreach (var other in naive.People) Same("person", policy.MaySeePerson(person.Id, other.Id, at), naive.MaySeePerson(person, other, at));
                foreach (var group in trial.Rows.OfType<TechnicianGroupRow>())
                {
                    Same("group", policy.MayAdministerGroup(person.Id, group.Id, at), naive.MayAdministerGroup(person, group.Id, at));
                    Same("members", policy.MayAdministerMembers(person.Id, group.Id, at), naive.MayAdministerMembers(person, group.Id, at));
                }

                foreach (var device in naive.Devices)
                {
                    Same("device", policy.MaySeeDevice(person.Id, device.Id, at), naive.MaySee(person, device, at));
                    Same("security", policy.MayManageSecurity(person.Id, SettingNode.Of(device.Id), at), naive.MayManageSecurity(person, device, at));
                    Same("notifications", policy.MayModifyNotifications(person.Id, SettingNode.Of(device.Id), at), naive.MayModifyNotifications(person, device, at));
                    if (person.Kind == PersonKind.Owner) continue;
                    foreach (var permission in new[] { Permission.AuditLog, Permission.PermanentAccess })
                        Same("team", policy.HoldsOverTeam(person.Id, permission, at), naive.HoldsOverTeam(person, permission, at));
                }

                void Same(string right, bool engine, bool expected)
                {
                    engine.ShouldBe(expected, $"{right} of {person.Name} at {at:O}");
                    if (expected) rights[right] = rights.GetValueOrDefault(right) + 1;
                }
            }
        });
        rights.Count.ShouldBe(8);
        rights.Values.Min().ShouldBeGreaterThan(20);
    }

    [Fact]
    public void They_agree_on_who_is_told_of_an_event()
    {
        var told = 0;
        Draw.Check(200, organization => Trial.Of(organization, 1, organization.Question), trial =>
        {
            if (trial.Questions is not [{ At: var at, Subject: var concerned }]) return;
            var (policy, naive) = (trial.Compile(), trial.Naive());
            foreach (var device in naive.Devices)
            {
                var (people, addresses) = naive.Told(device, "session.began", naive.Person(concerned), at);
                var audience = policy.NotificationsFor(device.Id, "session.began", concerned, at);
                audience.People.ShouldBe(people);
                audience.Addresses.ShouldBe(addresses);
                policy.NamesAnybodyFor(device.Id, "session.began").ShouldBe(audience.IsAnybodyNamed);
                told += people.Count;
            }
        });
        told.ShouldBeGreaterThan(20);
    }

    [Fact]
    public void What_a_trial_shows_reads_as_a_golden_case_that_is_answered_alike() => Draw.Check(60, organization =>
    {
        var naive = organization.Naive();
        return Trial.Of(organization, 1, () => organization.Question(naive) with { ConsentFloor = null, Consents = [] });
    }, trial =>
    {
        if (trial.Questions is not [var question]) return;
        var lines = trial.ToString().Split('\n').Select(line => new GoldenLine(line, "trial")).ToList();
        var asked = lines[^1].Text;
        var (engine, expected, _) = new GoldenRun(lines[..^1]).Answer(new(asked[4..asked.IndexOf("** →", StringComparison.Ordinal)], "trial"));
        engine.ShouldBe(expected);
        var decision = trial.Compile().Decide(question);
        engine.ShouldStartWith(decision.Kind switch
        {
            DecisionKind.Allowed => "allowed",
            DecisionKind.NeedsApproval => "needs approval",
            DecisionKind.MayBeRequested => "may be requested",
            _ => $"denied: {decision.Reason}",
        });
    });

    [Fact]
    public void Every_permission_is_drawn_wherever_it_may_appear()
    {
        var (wanted, given, restricted) = (PermissionSet.None, PermissionSet.None, PermissionSet.None);
        Draw.Check(1500, organization =>
        {
            for (var count = 0; count < 20; count++) wanted |= organization.Question().Wanted;
            var granted = organization.Rows.OfType<GrantRow>().Select(grant => grant.Role).ToHashSet();
            var roles = organization.Rows.OfType<RoleRow>().Concat(SystemRoles.All.Where(role => role.Purpose != RolePurpose.DevicesAndGroups));
            foreach (var role in roles.Where(role => granted.Contains(role.Id))) given |= role.Permissions;
            var own = organization.Rows.OfType<GroupPermissionRow>().Where(row => row.Group != organization.Everyone);
            foreach (var row in own.Where(row => row.Value == PolicyValue.Deny)) restricted = restricted.With(row.Permission);
        });
        wanted.ShouldBe(NaiveCatalogue.For('D') | NaiveCatalogue.For('I') | NaiveCatalogue.For('A'));
        given.ShouldBe(wanted);
        restricted.ShouldBe(NaiveCatalogue.For('G'));
    }

    [Fact]
    public void The_catalogue_is_the_table_of_the_specification()
    {
        PermissionCatalogue.Entries.Select(entry => entry.Permission).ShouldBe(NaiveCatalogue.All.Select(entry => entry.Permission));
        foreach (var expected in NaiveCatalogue.All)
        {
            var entry = PermissionCatalogue.Get(expected.Permission);
            string.Concat(entry.Purposes.Select(purpose => purpose.ToString()[0])).ShouldBe(expected.Marks.Replace("G", "", StringComparison.Ordinal), entry.Label);
            entry.Restrictable.ShouldBe(expected.Marks.Contains('G', StringComparison.Ordinal), entry.Label);
            entry.Prerequisites.ShouldBe(expected.Needs is { } needed ? PermissionSet.Of(needed) : PermissionSet.None, entry.Label);
            entry.Consent.ShouldBe(expected.Kind, entry.Label);
            HeadingOf(entry).ShouldBe(expected.Heading, entry.Label);
        }

        NaiveCatalogue.For('D').Without(Permission.SkipConsent).ShouldBe(PermissionCatalogue.OwnerOnDevices);

        static string HeadingOf(PermissionEntry entry) => entry.Heading switch
        {
            PermissionHeading.SessionOptions => "Session options",
            PermissionHeading.AccessToInvitations or PermissionHeading.Invitations => "Invitations",
            PermissionHeading.OtherOptions => "Other options",
            PermissionHeading.AdministratorFunctions => "Administrator functions",
            var other => other.ToString(),
        };
    }
}
