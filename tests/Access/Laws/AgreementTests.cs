namespace Countersign.Access.Tests;

/// <summary>The engine and the naive model, asked the same.</summary>
public class AgreementTests
{
    [Fact]
    public void The_engine_and_the_naive_model_agree_on_thirty_thousand_decisions()
    {
        var kinds = new HashSet<DecisionKind>();
        Draw.Check(300, organization =>
        {
            var (policy, naive) = (organization.Compile(), organization.Naive());
            for (var count = 0; count < 100; count++)
            {
                var question = organization.Question();
                var decision = policy.Decide(question);
                new NaiveVerdict(decision.Kind, decision.Visible, decision.Permissions, decision.Consent).ShouldBe(naive.Decide(question), question.ToString());
                kinds.Add(decision.Kind);
            }
        });
        kinds.Order().ShouldBe(Enum.GetValues<DecisionKind>());
    }

    [Fact]
    public void The_engine_and_the_naive_model_agree_with_approved_requests_in_hand()
    {
        var (counted, refused) = (0, 0);
        Draw.Check(300, organization =>
        {
            organization.Put(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "required", 1));
            var (policy, naive) = (organization.Compile(), organization.Naive());
            for (var count = 0; count < 60; count++)
            {
                var question = organization.Question(naive);
                var decision = policy.Decide(question);
                new NaiveVerdict(decision.Kind, decision.Visible, decision.Permissions, decision.Consent).ShouldBe(naive.Decide(question), question.ToString());
                var without = policy.Decide(question with { Approvals = [] });
                if (without.Kind != DecisionKind.NeedsApproval) continue;
                if (decision.Kind == DecisionKind.Allowed) counted++;
                else if (question.Approvals.Length > 0) refused++;
            }
        });
        counted.ShouldBeGreaterThan(100);
        refused.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void What_is_allowed_until_an_instant_holds_until_then_and_no_longer()
    {
        var ends = 0;
        Draw.Check(150, organization =>
        {
            var (policy, naive) = (organization.Compile(), organization.Naive());
            for (var count = 0; count < 60; count++)
            {
                var question = organization.Question();
                var decision = policy.Decide(question);
                if (decision.Kind != DecisionKind.Allowed) continue;
                bool Holds(DateTimeOffset at) => naive.Holds(question.Subject, question.Device, question.Account, question.Wanted, at);
                if (decision.Until is { } until)
                {
                    ends++;
                    Holds(until.AddTicks(-1)).ShouldBeTrue(question.ToString());
                    (Holds(until) && !LacksUnattended(naive, question, until)).ShouldBeFalse(question.ToString());
                }

                var last = decision.Until ?? question.At.AddDays(9);
                for (var probe = 0; probe < 10; probe++)
                {
                    Holds(question.At.AddTicks(organization.Random.NextInt64((last - question.At).Ticks))).ShouldBeTrue(question.ToString());
                }
            }
        });
        ends.ShouldBeGreaterThan(50);
    }

    /// <summary>A screen that nobody sits at lives on one more permission than was wanted.</summary>
    private static bool LacksUnattended(NaivePolicy naive, AccessQuestion question, DateTimeOffset at) =>
        question.EndUser == EndUserPresence.NobodyLoggedOn
        && question.Wanted.Intersects(PermissionSet.Of(Permission.ScreenView, Permission.ScreenControl))
        && !naive.Holds(question.Subject, question.Device, question.Account, question.Wanted.With(Permission.UnattendedAccess), at);
}
