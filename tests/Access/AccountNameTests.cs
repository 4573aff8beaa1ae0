using System.Globalization;
using System.Runtime.CompilerServices;
using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>The first names of accounts are compared by bits, all others as they are: nobody may tell which.</summary>
public class AccountNameTests
{
    private readonly Sample _sample = new();

    [Fact]
    public void What_a_plan_named_is_forgotten_with_it()
    {
        var policy = _sample.Snapshot;
        var kept = Preview(policy);
        GC.Collect();
        kept.ShouldAllBe(text => !text.IsAlive);
        GC.KeepAlive(policy);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void Names_beyond_the_first_64_are_told_apart(int previews)
    {
        var policy = _sample.Snapshot;
        for (var number = 0; number < previews; number++) _ = Apply(policy, new PolicyCommand.AddAccount(_sample.Web01, $"previewed{number}", false));
        var (tina, role) = (_sample.Technician("tina"), _sample.Role(Terminal));
        policy = Add(policy, tina, role);
        var grants = new List<GrantId>();
        for (var number = 0; number < 90; number++)
        {
            policy = Apply(policy, new PolicyCommand.AddAccount(_sample.Web01, $"account{number}", false));
            if (number % 2 > 0) continue;
            grants.Add(new(_sample.Next()));
            policy = Apply(policy, new PolicyCommand.AddGrant(
                grants[^1], GrantSubject.To(tina), GrantScope.AllDevices, role, new(AccountRule.Named, $"account{number}"), GrantWindow.Always));
        }

        for (var number = 0; number < 90; number++)
        {
            var question = _sample.Question(tina, [Terminal], account: $"account{number}");
            var expected = number % 2 > 0 ? DecisionKind.Denied : DecisionKind.Allowed;
            policy.Decide(question).Kind.ShouldBe(expected, $"account{number}");
            PolicySnapshot.Compile(Sample.Organization, 1, policy.All<PolicyRow>().Reverse()).Decide(question).Kind.ShouldBe(expected, $"account{number}, compiled anew");
        }

        policy = Apply(policy, new PolicyCommand.RemoveGrant(grants[^1]));
        policy.Decide(_sample.Question(tina, [Terminal], account: "account88")).Kind.ShouldBe(DecisionKind.Denied);
        policy.Decide(_sample.Question(tina, [Terminal], account: "account86")).Kind.ShouldBe(DecisionKind.Allowed);
    }

    /// <summary>With a technician and a role, which are not what is looked at.</summary>
    private PolicySnapshot Add(PolicySnapshot policy, PersonId person, RoleId role) => policy.Apply(new(
        Sample.Organization,
        policy.Version,
        "",
        [
            new(null, _sample.Row<PersonRow>(new(PolicyTable.Person, person.Value))),
            new(null, _sample.Row<RoleRow>(new(PolicyTable.Role, role.Value))),
        ]));

    /// <returns>The texts that stood in plans which came to nothing.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private List<WeakReference> Preview(PolicySnapshot policy)
    {
        var texts = new List<WeakReference>();
        for (var number = 0; number < 10; number++)
        {
            var account = Apply(policy, new PolicyCommand.AddAccount(_sample.Web01, $"previewed{number}", false));
            texts.AddRange(account.AccountsOf(_sample.Web01).Where(row => row.Name.StartsWith("previewed", StringComparison.Ordinal)).Select(row => new WeakReference(row.Name)));
            var hours = string.Create(CultureInfo.InvariantCulture, $"Europe/Berlin; Mon-Fri 08:00-18:0{number}");
            var setting = Apply(policy, new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.SessionHours, hours));
            texts.AddRange(setting.All<SettingRow>().Where(row => row.Setting == SettingKind.SessionHours).Select(row => new WeakReference(row.Value)));
        }

        texts.Count.ShouldBe(20);
        return texts;
    }

    private PolicySnapshot Apply(PolicySnapshot policy, PolicyCommand command) =>
        policy.Apply(policy.Plan(command, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta);
}
