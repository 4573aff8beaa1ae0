using System.Collections.Immutable;
using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests;

/// <summary>
/// Law 7, of the suggested change: it turns the answer, and none that is smaller does. Looked for by trying them all, one by one and then two by two, on the rows of small
/// organizations with the naive model.
/// </summary>
public class FlipLawTests
{
    /// <summary>Those that every organization begins with are about fifty.</summary>
    private const int MostRows = 90;

    private static readonly PermissionSet[] Wishes =
    [
        PermissionSet.Of(Permission.Terminal), PermissionSet.Of(Permission.ScreenControl), PermissionSet.Of(Permission.ManageFiles, Permission.Terminal),
        PermissionSet.Of(Permission.ManageSecurity, Permission.Terminal), PermissionSet.Of(Permission.ConnectionHistory), PermissionSet.Of(Permission.AcceptAccessRequests),
        PermissionSet.Of(Permission.ModifyDevice, Permission.SkipConsent), PermissionSet.Of(Permission.Chat, Permission.Reboot),
    ];

    [Fact]
    public void Law_7_the_suggested_change_turns_the_answer_and_none_that_is_smaller_does()
    {
        var found = new Dictionary<(DecisionKind, int), int>();
        var exhausted = 0;
        Draw.Check(150, organization =>
        {
            var policy = organization.Compile();
            for (var count = 0; count < 5; count++)
            {
                var question = (organization.Chance(40) ? organization.Question(organization.Naive()) : organization.Question()) with { Wanted = organization.Pick(Wishes), SignIn = SignInStrength.TwoFactor };
                question = Numbered(question);
                var asked = policy.Decide(question);
                if (asked.Kind != DecisionKind.Allowed && asked.Reason < DenialReason.NotGranted) continue;
                var smallest = policy.SmallestChange(question, () => new(organization.NextId()), TestContext.Current.CancellationToken);
                var start = new Tried(organization.Rows.ToDictionary(row => row.Key), question);
                start.IsAllowed.ShouldBe(asked.Kind == DecisionKind.Allowed);
                var size = smallest?.Changes.Count ?? 3;
                size.ShouldBeGreaterThan(0);
                if (smallest is not null) Turns(policy, organization, question, smallest);
                if (size > 1)
                {
                    // All pairs of a hundred changes are as many decisions as all the rest: looked at where the organization is small.
                    var isSmall = size == 3 && organization.Rows.Count < MostRows && ++exhausted > 0;
                    foreach (var one in start.Changes())
                    {
                        one.IsAllowed.ShouldBe(start.IsAllowed, $"{one.What} turns {question}, of which {Told(smallest)} is told");
                        if (!isSmall) continue;
                        foreach (var two in one.Changes()) two.IsAllowed.ShouldBe(start.IsAllowed, $"{two.What} turns {question}, of which nothing is told");
                    }
                }

                var key = (asked.Kind, size);
                found[key] = found.GetValueOrDefault(key) + 1;
            }
        });
        foreach (var kind in Enum.GetValues<DecisionKind>()) found.GetValueOrDefault((kind, 1)).ShouldBeGreaterThan(5, $"{kind}");
        found.GetValueOrDefault((DecisionKind.Denied, 2)).ShouldBeGreaterThan(20);
        found.GetValueOrDefault((DecisionKind.Allowed, 2)).ShouldBeGreaterThan(1);
        exhausted.ShouldBeGreaterThan(5);
    }

    /// <summary>Requests are known by their numbers.</summary>
    private static AccessQuestion Numbered(AccessQuestion question) => question with
    {
        Approvals = [.. question.Approvals.Select((approved, index) => approved with { Number = 1 + index })],
        Preapprovals = [.. question.Preapprovals.Select((ahead, index) => ahead with { Number = 101 + index })],
    };

    private static string Told(SmallestChange? change) => change is null ? "nothing" : string.Join(" ", change.Changes.Select(one => one.Text));

    private static void Turns(PolicySnapshot policy, RandomOrganization organization, AccessQuestion question, SmallestChange smallest)
    {
        var (changed, asked) = (policy, question);
        foreach (var change in smallest.Changes)
        {
            if (change.Approved is { } approved)
            {
                changed.ApprovalSteps(asked).ShouldAllBe(step => !step.Blocked, "nobody can approve what is suggested");
                asked = asked with { Approvals = asked.Approvals.Add(approved) };
            }

            if (change.Preapproved is { } ahead)
            {
                changed.PreapprovalSteps(asked.Subject, asked.Device, asked.At).ShouldAllBe(step => !step.Blocked, "nobody can approve what is suggested");
                asked = asked with { Preapprovals = asked.Preapprovals.Add(ahead) };
            }

            if (change.Revoked is { } number)
                asked = asked with { Approvals = asked.Approvals.RemoveAll(one => one.Number == number), Preapprovals = asked.Preapprovals.RemoveAll(one => one.Number == number) };
            if (change.Command is null) continue;
            changed = changed.Apply(changed.Plan(change.Command, organization.Owner, asked.At).ShouldBeOfType<PlanResult.Planned>().Delta);
        }

        var naive = new NaivePolicy(changed.All<PolicyRow>());
        (naive.Decide(asked).Kind == DecisionKind.Allowed).ShouldBe(policy.Decide(question).Kind != DecisionKind.Allowed, $"{Told(smallest)} to {question}");
    }

    /// <summary>
    /// Rows and a question as changes have left them. The changes are those that the access model names: to add or remove a grant (to the person, on the device, for every
    /// account: no other brings more), a membership of theirs, a lock that denies, a request that can be approved or is in hand.
    /// </summary>
    private sealed class Tried(Dictionary<RowKey, PolicyRow> rows, AccessQuestion question, string what = "")
    {
        private static readonly GrantId[] Fresh = [new(new Guid("f0000000-0000-0000-0000-000000000001")), new(new Guid("f0000000-0000-0000-0000-000000000002"))];

        private readonly NaivePolicy _naive = new(rows.Values);

        public string What => what;

        public bool IsAllowed => _naive.Decide(question).Kind == DecisionKind.Allowed;

        public IEnumerable<Tried> Changes() => [.. Grants(), .. Memberships(), .. Locks(), .. Requests(), .. Revocations()];

        private IEnumerable<Tried> Grants()
        {
            var id = Fresh.First(fresh => !rows.ContainsKey(new(PolicyTable.Grant, fresh.Value)));
            foreach (var role in rows.Values.OfType<RoleRow>().Concat(SystemRoles.All).Where(role => role.Purpose == RolePurpose.DevicesAndGroups))
                yield return With(new GrantRow(id, GrantSubject.To(question.Subject), GrantScope.Of(question.Device), role.Id, GrantAccounts.Any, GrantWindow.Always), $"Grant {role.Name}.");
            foreach (var grant in rows.Values.OfType<GrantRow>()) yield return Without(grant);
        }

        private IEnumerable<Tried> Memberships()
        {
            foreach (var membership in rows.Values.OfType<MembershipRow>().Where(row => row.Person == question.Subject)) yield return Without(membership);
            if (_naive.Person(question.Subject) is not { Kind: not PersonKind.Contact }) yield break;
            foreach (var group in rows.Values.OfType<TechnicianGroupRow>().Where(group => group.ParentId is not null))
            {
                var membership = new MembershipRow(group.Id, question.Subject);
                if (!rows.ContainsKey(membership.Key)) yield return With(membership, $"Join {group.Name}.");
            }
        }

        private IEnumerable<Tried> Locks()
        {
            var needed = NaiveCatalogue.WithNeeded(question.Wanted | PermissionSet.Of(Permission.UnattendedAccess, Permission.SkipConsent));
            foreach (var permission in needed.Where(PermissionCatalogue.Restrictable.Contains))
            {
                foreach (var group in rows.Values.OfType<TechnicianGroupRow>())
                {
                    var row = rows.GetValueOrDefault(new GroupPermissionRow(group.Id, permission, default, default).Key) as GroupPermissionRow;
                    if (row is { Value: PolicyValue.Deny, Locked: true }) yield return With(row with { Locked = false }, $"Unlock {row}.");
                    if (row is { Value: PolicyValue.Deny }) yield return With(row with { Value = PolicyValue.Allow, Locked = false }, $"Allow {row}.");
                    yield return With(new GroupPermissionRow(group.Id, permission, PolicyValue.Deny, Locked: true), $"Lock {permission} at {group.Name}.");
                }
            }
        }

        private IEnumerable<Tried> Requests()
        {
            if (_naive.Person(question.Subject) is not { } person || _naive.Device(question.Device) is not { } device) yield break;
            if ((question.Account ?? _naive.DefaultOf(device)) is not { } account || !_naive.AccountsAt(device).Contains(account)) yield break;
            var needed = NaiveCatalogue.WithNeeded(question.Wanted).With(Permission.UnattendedAccess);
            var steps = _naive.Steps(person, device, question.At);
            if (NaiveCatalogue.IsConnection(question.Wanted) && steps.Count > 0)
            {
                var insisted = steps.Where(step => step.Id.Kind == ApprovalStepKind.Workflow && rows.Values.OfType<WorkflowRow>().Single(row => row.Id.Value == step.Id.Rule).InsistsWhenPreapproved);
                foreach (var taken in new[] { steps, [.. insisted] }.Where(taken => taken.Count > 0 && !taken.Any(step => step.Blocked)))
                {
                    ImmutableArray<ApprovalStepId> ids = [.. taken.Select(step => step.Id)];
                    foreach (var covered in new[] { needed, needed.With(Permission.SkipConsent) })
                    {
                        yield return With(
                            question with { Approvals = question.Approvals.Add(new(0, question.Subject, question.Device, account, covered, question.Source, question.At, null, ids)) },
                            $"Approve {covered} at connect time.");
                    }
                }
            }

            if (_naive.Effective(person, device, account, question.At, question.Preapprovals) is var effective && !effective.Contains(Permission.RequestAccess)) yield break;
            if (_naive.PreapprovalSteps(person, device, question.At).Any(step => step.Blocked)) yield break;
            var requestable = _naive.Setting(SettingNode.Organization, SettingKind.AccessRequestRoles).Value;
            foreach (var role in rows.Values.OfType<RoleRow>().Concat(SystemRoles.All).Where(role => requestable.Contains(role.Id.ToString(), StringComparison.Ordinal)))
            {
                var ahead = new PreapprovedRequest(
                    0, question.Subject, [question.Device], account, role.Permissions, question.At, new RequestTime.FromApproval(TimeSpan.FromHours(1)), []);
                yield return With(question with { Preapprovals = question.Preapprovals.Add(ahead) }, $"Approve {role.Name} ahead.");
            }
        }

        private IEnumerable<Tried> Revocations() =>
        [
            .. question.Approvals.Where(one => one.Number > 0).Select(one => With(question with { Approvals = question.Approvals.Remove(one) }, $"Revoke {one.Number}.")),
            .. question.Preapprovals.Where(one => one.Number > 0).Select(one => With(question with { Preapprovals = question.Preapprovals.Remove(one) }, $"Revoke {one.Number}.")),
        ];

        private Tried With(PolicyRow row, string change) => new(new(rows) { [row.Key] = row }, question, $"{what} {change}");

        private Tried With(AccessQuestion other, string change) => new(rows, other, $"{what} {change}");

        private Tried Without(PolicyRow row) => new(rows.Where(one => one.Key != row.Key).ToDictionary(), question, $"{what} Remove {row}.");
    }
}
