using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests;

/// <summary>The laws that speak of changes: what is told of them, and what undoing them does.</summary>
public class ChangeLawTests
{
    private static readonly PermissionSet[] Wishes =
    [
        PermissionSet.Of(Permission.Terminal), PermissionSet.Of(Permission.ScreenView), PermissionSet.Of(Permission.ConnectionHistory),
        PermissionSet.Of(Permission.Tunnel), PermissionSet.Of(Permission.ModifyDevice), PermissionSet.Of(Permission.Reboot),
        PermissionSet.Of(Permission.RequestAccess), PermissionSet.Of(Permission.AcceptAccessRequests), PermissionSet.Of(Permission.Chat, Permission.FileManager),
    ];

    private readonly Dictionary<(string, DateTime), List<DateTimeOffset>> _hours = [];

    [Fact]
    public void Law_8_pairs_that_no_rectangle_names_are_answered_alike_and_counts_are_exact()
    {
        var (named, silent) = (0, 0);
        Draw.Check(250, organization =>
        {
            var before = organization.Compile();
            var after = Changed(organization, before);
            if (after is null) return;
            var (was, now) = (organization.Naive(), new NaivePolicy(after.All<PolicyRow>()));
            var difference = PolicySnapshot.Diff(before, after);
            var pairs = difference.Rectangles.SelectMany(rectangle => rectangle.People.SelectMany(person => rectangle.Devices.Select(device => (person, device)))).ToList();
            pairs.Distinct().Count().ShouldBe(pairs.Count);
            difference.Pairs.ShouldBe(pairs.Count);
            var told = pairs.ToHashSet();
            var edges = Edges(was, now);
            foreach (var person in before.All<PersonRow>().Select(row => row.Id))
            {
                foreach (var device in before.All<DeviceRow>().Select(row => row.Id))
                {
                    if (told.Contains((person, device)))
                    {
                        named++;
                        continue;
                    }

                    if (was.Device(device)?.Enabled != true || now.Device(device)?.Enabled == false) continue;
                    silent++;
                    StepsAlike(was, now, person, device, organization.Instant());
                    GivenAlike(was, now, person, device, [.. Enumerable.Range(0, 3).Select(_ => organization.Pick(edges))]);
                    for (var count = 0; count < 6; count++)
                    {
                        var question = organization.Question() with { Subject = person, Device = device, Wanted = organization.Pick(Wishes) };
                        Alike(before, after, question);
                    }
                }
            }
        });
        named.ShouldBeGreaterThan(100);
        silent.ShouldBeGreaterThan(1000);
    }

    /// <summary>Where no account is meant, connections are of no matter, unless there is none to connect to.</summary>
    private static void GivenAlike(NaivePolicy was, NaivePolicy now, PersonId person, DeviceId device, IEnumerable<DateTimeOffset> instants)
    {
        if (was.Device(device) is not { } there) return;
        foreach (var at in instants)
        {
            foreach (var account in was.AccountsAt(there)) now.Given(person, device, account, at).ShouldBe(was.Given(person, device, account, at), $"{person} on {device} as {account} at {at:O}");
            NaiveCatalogue.OfNoConnection(now.Given(person, device, null, at)).ShouldBe(NaiveCatalogue.OfNoConnection(was.Given(person, device, null, at)), $"{person} on {device} at {at:O}");
        }
    }

    /// <summary>Instants between which nothing comes or goes: about when organizations are drawn, and wherever clocks stand to each other in another way; those first at which mostly something is in force.</summary>
    private List<DateTimeOffset> Edges(NaivePolicy was, NaivePolicy now)
    {
        DateTimeOffset[] around = [.. ((string[])["2006-03-25", "2026-01-10", "2026-03-15", "2026-03-26", "2026-04-05", "2026-10-22", "2026-11-05"]).Select(day => Sample.At($"{day}T00:00:00Z"))];
        return [.. was.Edges(around, _hours).Concat(now.Edges(around, _hours)).Distinct().OrderBy(at => (at - around[3]).Duration())];
    }

    /// <summary>Each permission is had on one side and not on the other, for some account at some instant.</summary>
    private static void IsReal(IReadOnlyList<HeldPermissions> told, Func<string?, DateTimeOffset, PermissionSet> with, Func<string?, DateTimeOffset, PermissionSet> without, string?[] accounts, List<DateTimeOffset> edges, string what)
    {
        var wanted = told.Aggregate(PermissionSet.None, (all, held) => all | held.Permissions);
        var real = PermissionSet.None;
        foreach (var account in accounts)
        {
            foreach (var at in edges)
            {
                if (real.Covers(wanted)) return;
                real |= with(account, at) - without(account, at);
            }
        }

        (wanted - real).ShouldBe(PermissionSet.None, $"{wanted - real} {what}: {string.Join(' ', told)}");
    }

    [Fact]
    public void Law_1_of_a_grant_that_is_added_no_loss_is_told_and_of_one_that_goes_no_gain()
    {
        var (told, silent) = (0, 0);
        Draw.Check(300, organization =>
        {
            var before = organization.Compile();
            organization.Put(organization.RandomGrant());
            var after = organization.Compile();
            var (more, less) = (PolicySnapshot.Diff(before, after), PolicySnapshot.Diff(after, before));
            foreach (var rectangle in more.Rectangles)
            {
                rectangle.Difference.Gained.ShouldNotBeEmpty();
                rectangle.Difference.Lost.ShouldBeEmpty();
            }

            foreach (var rectangle in less.Rectangles)
            {
                rectangle.Difference.Gained.ShouldBeEmpty();
                rectangle.Difference.Lost.ShouldNotBeEmpty();
            }

            more.Sections.ShouldAllBe(section => section.Gained.Count > 0 && section.Lost.Count == 0);
            less.Sections.ShouldAllBe(section => section.Gained.Count == 0 && section.Lost.Count > 0);
            if (more.IsEmpty) silent++;
            else told++;
        });
        told.ShouldBeGreaterThan(100);
        silent.ShouldBeGreaterThan(10);
    }

    /// <summary>Law 8 from the other side: what is told is so. And what is listed differently has been told.</summary>
    [Fact]
    public void Law_8_what_a_rectangle_tells_of_a_pair_differs_for_it_and_what_comes_and_goes_in_listings_is_told()
    {
        var (restrictions, listed, sections, held, whole) = (new Dictionary<RestrictionKind, int>(), 0, 0, 0, 0);
        Draw.Check(450, organization =>
        {
            var rule = organization.Chance(12) ? RuleBesideSparing(organization) : null;
            var before = organization.Compile();
            var after = rule is null ? Changed(organization, before) : before.Apply(before.Plan(rule, organization.Owner, organization.Instant()).ShouldBeOfType<PlanResult.Planned>().Delta);
            if (after is null) return;
            var (was, now, at) = (organization.Naive(), new NaivePolicy(after.All<PolicyRow>()), organization.Instant());
            var all = PolicySnapshot.Diff(before, after);
            var edges = Edges(was, now);
            foreach (var section in all.Sections.Where(section => section.Section == ScopeKind.Team))
            {
                foreach (var person in section.People)
                {
                    IsReal(section.Gained, (_, then) => now.GivenOverTeam(person, then), (_, then) => was.GivenOverTeam(person, then), [null], edges, "is gained over the team");
                    IsReal(section.Lost, (_, then) => was.GivenOverTeam(person, then), (_, then) => now.GivenOverTeam(person, then), [null], edges, "is lost over the team");
                    sections++;
                }
            }

            var told = all.Rectangles
                .SelectMany(rectangle => rectangle.People.SelectMany(person => rectangle.Devices.Select(device => (Pair: (person, device), rectangle.Difference))))
                .ToDictionary(pair => pair.Pair, pair => pair.Difference);
            foreach (var (person, device) in all.Rectangles.SelectMany(rectangle => Some(organization, rectangle)).Distinct())
            {
                var difference = told[(person, device)];
                (difference.Gained.Count + difference.Lost.Count + difference.Restrictions.Count).ShouldBeGreaterThan(0);
                held += difference.Gained.Count + difference.Lost.Count;
                IsReal(difference.Gained, Given(now, person, device), Given(was, person, device), Accounts, edges, $"is gained by {person} on {device}");
                IsReal(difference.Lost, Given(was, person, device), Given(now, person, device), Accounts, edges, $"is lost by {person} on {device}");
                if (IsAllTold(was, now, person, device, difference, at, edges)) whole++;
                foreach (var restriction in difference.Restrictions)
                {
                    Restriction(was, person, device, restriction.Kind, at, edges).ShouldNotBe(Restriction(now, person, device, restriction.Kind, at, edges), $"{restriction} for {person} on {device}");
                    restrictions[restriction.Kind] = restrictions.GetValueOrDefault(restriction.Kind) + 1;
                }
            }

            foreach (var person in now.People.Where(person => was.Person(person.Id) is not null))
            {
                foreach (var device in now.Devices.Where(device => device.Enabled && was.Device(device.Id) is { Enabled: true }))
                {
                    var (old, recent) = (before.HeldOn(person.Id, device.Id, at), after.HeldOn(person.Id, device.Id, at));
                    if (old == recent) continue;
                    listed++;
                    var difference = told[(person.Id, device.Id)];
                    Told(recent - old, difference.Gained, difference).ShouldBeTrue($"{recent - old} comes to {person.Name} on {device.Name} with {difference}");
                    Told(old - recent, difference.Lost, difference).ShouldBeTrue($"{old - recent} goes from {person.Name} on {device.Name} with {difference}");
                }
            }
        });
        listed.ShouldBeGreaterThan(100);
        sections.ShouldBeGreaterThan(10);
        held.ShouldBeGreaterThan(500);
        restrictions.Keys.Count.ShouldBeGreaterThan(8);
        whole.ShouldBeGreaterThan(200);
    }

    /// <summary>All that restricts the pair otherwise is told, where something of it is: what else differs beside that is no less of matter.</summary>
    /// <returns>Whether there was anything to look at: who does not connect on both sides is told of what they hold alone.</returns>
    private static bool IsAllTold(NaivePolicy was, NaivePolicy now, PersonId id, DeviceId target, AccessDifference difference, DateTimeOffset at, IReadOnlyList<DateTimeOffset> edges)
    {
        if (was.Person(id) is not { } earlier || now.Person(id) is not { } person || was.Device(target) is not { Enabled: true } before || now.Device(target) is not { Enabled: true } device) return false;
        if (!NaivePolicy.TakesPart(earlier) || !NaivePolicy.TakesPart(person) || !was.IsBound(earlier, before) || !now.IsBound(person, device)) return false;
        var told = difference.Restrictions.Select(restriction => restriction.Kind).ToHashSet();
        var silent = Enum.GetValues<RestrictionKind>().Where(kind => !told.Contains(kind)).ToList();
        foreach (var kind in silent)
        {
            switch (kind)
            {
                case RestrictionKind.Approval:
                    StepsAlike(was, now, id, target, at);
                    break;
                case RestrictionKind.Options:
                    // How something may be used that comes or goes is part of that.
                    foreach (var permission in PermissionOption.Having.Where(permission => was.MayHold(earlier, before).Contains(permission) && now.MayHold(person, device).Contains(permission)))
                        Text(now.Option(person, permission)).ShouldBe(Text(was.Option(earlier, permission)), $"{permission} of {id} on {target}");
                    now.SinglePrompt(person).ShouldBe(was.SinglePrompt(earlier), $"of {id} on {target}");
                    break;
                default:
                    Restriction(now, id, target, kind, at, edges).ShouldBe(Restriction(was, id, target, kind, at, edges), $"{kind} for {id} on {target}, of whom {string.Join(", ", told)} is told");
                    break;
            }
        }

        return silent.Count > 0;
    }

    /// <summary>Some are spared the asking, and asked they would be: an approval rule that comes or goes changes that as well.</summary>
    private static PolicyCommand.SetSetting RuleBesideSparing(RandomOrganization organization)
    {
        var role = new RoleRow(new(organization.NextId()), "Quiet", RolePurpose.DevicesAndGroups, PermissionSet.Of(Permission.Terminal, Permission.SkipConsent));
        organization.Put(role);
        organization.Put(new GrantRow(new(organization.NextId()), GrantSubject.To(organization.Pick(organization.Groups)), GrantScope.AllDevices, role.Id, GrantAccounts.Any, GrantWindow.Always));
        Settings.TryCanonical(SettingKind.RemoteControlApproval, "terminal=ask", out var asking, out var problem).ShouldBeTrue(problem);
        organization.Put(new SettingRow(SettingNode.Organization, SettingKind.RemoteControlApproval, asking, 1));
        organization.Put(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, organization.Chance(50) ? "not" : "required", 1));
        return new(SettingNode.Organization, SettingKind.ManagerialApproval, organization.Chance(50) ? "not" : "required");
    }

    /// <summary>A few of its pairs: of all of them the same is told.</summary>
    private static IEnumerable<(PersonId Person, DeviceId Device)> Some(RandomOrganization organization, DifferenceRectangle rectangle) =>
        Enumerable.Range(0, 3).Select(_ => (organization.Pick([.. rectangle.People]), organization.Pick([.. rectangle.Devices])));

    private static readonly string?[] Accounts = ["a", "b", "c", "d", "the default one", null];

    private static Func<string?, DateTimeOffset, PermissionSet> Given(NaivePolicy policy, PersonId person, DeviceId device)
    {
        var standard = policy.Device(device) is { } there ? policy.DefaultOf(there) : null;
        return (account, at) => account != "the default one" ? policy.Given(person, device, account, at) : standard is null ? PermissionSet.None : policy.Given(person, device, standard, at);
    }

    /// <summary>Or what it needs is, or it is what recording forbids.</summary>
    private static bool Told(PermissionSet some, IReadOnlyList<HeldPermissions> told, AccessDifference difference)
    {
        var all = told.Aggregate(PermissionSet.None, (set, held) => set | held.Permissions);
        return some.All(permission => all.Contains(permission)
            || (NaiveCatalogue.Get(permission).Needs is { } needed && all.Contains(needed))
            || (permission == Permission.Tunnel && difference.Restrictions.Any(restriction => restriction.Kind == RestrictionKind.Recording)));
    }

    private static string Restriction(NaivePolicy policy, PersonId id, DeviceId target, RestrictionKind kind, DateTimeOffset at, IReadOnlyList<DateTimeOffset> edges)
    {
        if (policy.Person(id) is not { } person || policy.Device(target) is not { } device) return "";
        var node = SettingNode.Of(device.Id);
        return kind switch
        {
            RestrictionKind.Approval => string.Join("; ", policy.Steps(person, device, at).Select(step => $"{step.Id} {policy.StepsOf(step.Id.Rule)} {step.Needed} {step.Blocked}").Order(StringComparer.Ordinal)),
            RestrictionKind.Consent => Consent(policy, person, device, policy.IsSpared(person, device, edges)),
            RestrictionKind.Requests => policy.MayAskFor(person, device),
            RestrictionKind.Options => string.Join("; ", PermissionOption.Having.Where(permission => policy.IsWithinCeiling(person, permission)).Select(permission => Text(policy.Option(person, permission)))) + policy.SinglePrompt(person) + string.Join(' ', policy.ApprovedExternals(person).Order()),
            RestrictionKind.TwoFactor => policy.Setting(node, SettingKind.TwoFactorRequired).Value,
            RestrictionKind.Networks => policy.Setting(node, SettingKind.AllowedNetworks).Value,
            _ => policy.Setting(node, Enum.Parse<SettingKind>(kind.ToString())).Value,
        };
    }

    private static string Text(NaiveOption option) => $"{option.Strict} {string.Join(' ', (option.Named ?? []).Order())}";

    /// <summary>How long one has to answer is of matter where one is asked, and where the device asks at that: a group's ask has its own answer.</summary>
    private static string Consent(NaivePolicy policy, PersonRow person, DeviceRow device, bool spared)
    {
        var modes = Enum.GetValues<ConsentKind>().Where(kind => kind != ConsentKind.None).Select(kind => policy.Consent(person, device, kind, spared)).ToList();
        var asks = modes.Any(mode => mode > ConsentMode.Notify) && policy.GroupConsent(person) <= ConsentMode.Notify;
        return $"{string.Join("; ", modes)} {(asks ? policy.Setting(SettingNode.Of(device.Id), SettingKind.RemoteControlApproval).Value : "")}";
    }

    /// <summary>The same steps; and those that somebody other than the device's approvers takes are blocked at any hour, or at none.</summary>
    private static void StepsAlike(NaivePolicy before, NaivePolicy after, PersonId id, DeviceId target, DateTimeOffset at)
    {
        if (before.Person(id) is not { } was || after.Person(id) is not { } now || before.Device(target) is not { } there || after.Device(target) is not { } here) return;
        if (!before.IsBound(was, there) || !after.IsBound(now, here) || !there.Enabled || !here.Enabled) return;
        if (was is not { State: PersonState.Activated, Status: PersonStatus.Active }) return;
        Steps(after, now, here).ShouldBe(Steps(before, was, there), $"of {was.Name} on {there.Name}");
        Blocked(after, now, here).ShouldBe(Blocked(before, was, there), $"of {was.Name} on {there.Name}");

        IEnumerable<ApprovalStepId> Steps(NaivePolicy policy, PersonRow person, DeviceRow device) =>
            policy.Steps(person, device, at).Select(step => step.Id).OrderBy(step => $"{step}", StringComparer.Ordinal);

        IEnumerable<ApprovalStepId> Blocked(NaivePolicy policy, PersonRow person, DeviceRow device) => policy.Steps(person, device, at)
            .Where(step => step is { Blocked: true, NamesDevice: false, Id.Kind: ApprovalStepKind.TechnicianGroup or ApprovalStepKind.Workflow })
            .Select(step => step.Id)
            .OrderBy(step => $"{step}", StringComparer.Ordinal);
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
            if (RandomCommand.HandsOver(delta)) return;
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
    public void Law_7_the_smallest_change_turns_the_answer_and_where_there_is_none_no_grant_does()
    {
        var (found, none) = (0, 0);
        Draw.Check(40, organization =>
        {
            var policy = organization.Compile();
            for (var count = 0; count < 10; count++)
            {
                var question = organization.Question();
                if (policy.SmallestChange(question, () => new(organization.NextId()), TestContext.Current.CancellationToken) is not { } smallest)
                {
                    none++;
                    NoGrantTurns(policy, organization, question);
                    continue;
                }

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
        none.ShouldBeGreaterThan(20);
    }

    /// <summary>Nor is it a grant of any role for any account that would have done, or the loss of any.</summary>
    private static void NoGrantTurns(PolicySnapshot policy, RandomOrganization organization, AccessQuestion question)
    {
        var asked = policy.Decide(question);
        var changes = organization.Roles
            .Select(role => (PolicyCommand)new PolicyCommand.AddGrant(
                new(organization.NextId()), GrantSubject.To(question.Subject), GrantScope.AllDevices, role, GrantAccounts.Any, GrantWindow.Always))
            .Concat(policy.All<GrantRow>().Select(grant => new PolicyCommand.RemoveGrant(grant.Id)));
        foreach (var change in changes)
        {
            if (policy.Plan(change, organization.Owner, question.At) is not PlanResult.Planned { Delta: var delta }) continue;
            (policy.Apply(delta).Decide(question).Kind == DecisionKind.Allowed).ShouldBe(asked.Kind == DecisionKind.Allowed, $"{change} turns {question}");
        }
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
                var command = organization.Random.Next(5) switch
                {
                    0 or 1 => RandomCommand.OfDeviceGroup(organization, group),
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
            var command = (organization.Chance(10) ? RandomCommand.Rewritten(organization) : null) ?? RandomCommand.From(organization);
            if (now.Plan(command, organization.Owner, organization.Instant()) is PlanResult.Planned { Delta: var delta }) changed = now.Apply(delta);
        }

        return changed;
    }

    private static void Alike(PolicySnapshot before, PolicySnapshot after, AccessQuestion question)
    {
        var (was, now) = (before.Decide(question), after.Decide(question));
        now.Kind.ShouldBe(was.Kind, question.ToString());
        now.Permissions.ShouldBe(was.Permissions, question.ToString());
        now.Consent.ShouldBe(was.Consent, question.ToString());
        now.Until.ShouldBe(was.Until, question.ToString());
        now.Visible.ShouldBe(was.Visible, question.ToString());
        Options(now).ShouldBe(Options(was), question.ToString());
        if (!NaiveCatalogue.IsConnection(question.Wanted)) return;
        now.Recording.ShouldBe(was.Recording, question.ToString());
        now.MaxSession.ShouldBe(was.MaxSession, question.ToString());
        now.IdleTimeout.ShouldBe(was.IdleTimeout, question.ToString());
        now.EndWarning.ShouldBe(was.EndWarning, question.ToString());
    }

    /// <summary>Of what is allowed.</summary>
    private static string Options(AccessDecision decision) => decision.Options is not { } options || !NaiveCatalogue.IsConnection(decision.Permissions) ? "" : string.Join(
        "; ", PermissionOption.Having.Where(decision.Permissions.Contains).Select(permission => options[permission].Text)) + options.SinglePrompt;

    /// <summary>When a setting was touched last is not what it says.</summary>
    private static HashSet<PolicyRow> Without(PolicySnapshot policy) =>
        [.. policy.All<PolicyRow>().Select(row => row is SettingRow setting ? setting with { Touched = 0 } : row)];
}
