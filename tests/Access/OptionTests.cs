using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class OptionTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly TechnicianGroupId _one;
    private readonly TechnicianGroupId _two;

    public OptionTests()
    {
        _tina = _sample.Technician("tina");
        _one = _sample.Group("One");
        _two = _sample.Group("Two");
        _sample.Member(_tina, _one, _two);
        _sample.Grant(_tina, _sample.Web01, Terminal, Chat);
    }

    [Fact]
    public void Outsiders_are_invited_from_approved_groups_only_unless_that_is_changed() =>
        _sample.Decide(_tina, Terminal).Options![InviteExternal].Text.ShouldBe("approved");

    [Fact]
    public void Of_options_that_are_not_locked_the_widest_counts()
    {
        Say(_one, Chat, "off");
        Option(Chat).ShouldBe("on");
        Say(_two, Chat, "off");
        Option(Chat).ShouldBe("off");
    }

    [Fact]
    public void The_strictest_of_the_locked_ones_counts_and_binds_where_its_group_is_disabled()
    {
        Say(_one, Chat, "off", locked: true);
        Option(Chat).ShouldBe("off");
        _sample.Change(_one, row => row with { Enabled = false });
        Option(Chat).ShouldBe("off");
    }

    [Fact]
    public void Of_named_lists_the_union_counts_and_of_locked_ones_the_intersection()
    {
        var (a, b, c) = (_sample.Group("A"), _sample.Group("B"), _sample.Group("C"));
        Say(_one, TransferSessions, $"named:{a},{b}");
        Say(_two, TransferSessions, $"named:{b},{c}");
        Option(TransferSessions).ShouldBe($"named:{a},{b},{c}");
        Say(_one, TransferSessions, $"named:{a},{b}", locked: true);
        Say(_two, TransferSessions, $"named:{b},{c}", locked: true);
        Option(TransferSessions).ShouldBe($"named:{b}");
    }

    [Fact]
    public void A_command_sets_an_option_keeps_it_and_refuses_one_that_is_not_there()
    {
        var policy = _sample.Snapshot;
        policy = policy.Apply(Plan(policy, new(_one, Chat, PolicyValue.Allow, false, "off")).ShouldBeOfType<PlanResult.Planned>().Delta);
        policy.PermissionAt(_one, Chat)!.Option.ShouldBe("off");
        policy = policy.Apply(Plan(policy, new(_one, Chat, PolicyValue.Allow, true)).ShouldBeOfType<PlanResult.Planned>().Delta);
        policy.PermissionAt(_one, Chat)!.Option.ShouldBe("off");
        Plan(policy, new(_one, Chat, PolicyValue.Allow, true, "loud")).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("option");
        Plan(policy, new(_one, Terminal, PolicyValue.Allow, true, "on")).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("option");
    }

    private PlanResult Plan(PolicySnapshot policy, PolicyCommand.SetGroupPermission command) => policy.Plan(command, _sample.Olga, Sample.Noon);

    private string Option(Permission permission) => _sample.Decide(_tina, Terminal).Options![permission].Text;

    private void Say(TechnicianGroupId group, Permission permission, string option, bool locked = false) =>
        _sample.Put(new GroupPermissionRow(group, permission, PolicyValue.Allow, locked) { Option = option });
}
