using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class CeilingTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly TechnicianGroupId _support;
    private readonly TechnicianGroupId _night;

    public CeilingTests()
    {
        _tina = _sample.Technician("tina");
        _support = _sample.Group("Support");
        _night = _sample.Group("Night", _support);
        _sample.Grant(_tina, _sample.Web01, Terminal, ModifyDevice);
    }

    [Fact]
    public void Without_a_membership_Everyone_alone_is_the_ceiling()
    {
        Allowed.ShouldBeTrue();
        _sample.Deny(_sample.Everyone, Terminal);
        Allowed.ShouldBeFalse();
        _sample.Decide(_tina, Terminal).Reason.ShouldBe(DenialReason.AboveCeiling);
    }

    [Fact]
    public void The_nearest_explicit_value_counts()
    {
        _sample.Member(_tina, _night);
        _sample.Deny(_sample.Everyone, Terminal);
        _sample.Allow(_support, Terminal);
        Allowed.ShouldBeTrue();
        _sample.Deny(_night, Terminal);
        Allowed.ShouldBeFalse();
    }

    [Fact]
    public void A_lock_binds_the_branch_below()
    {
        _sample.Member(_tina, _night);
        _sample.Deny(_sample.Everyone, Terminal, locked: true);
        _sample.Allow(_night, Terminal);
        Allowed.ShouldBeFalse();
    }

    [Fact]
    public void The_upper_lock_wins_and_the_one_that_it_overrules_reaches_nobody()
    {
        _sample.Member(_tina, _night);
        _sample.Allow(_sample.Everyone, Terminal, locked: true);
        _sample.Deny(_support, Terminal, locked: true);
        Allowed.ShouldBeTrue();
        _sample.Allow(_sample.Everyone, Terminal);
        Allowed.ShouldBeFalse();
    }

    [Fact]
    public void Any_enabled_membership_that_allows_is_enough()
    {
        var day = _sample.Group("Day");
        _sample.Member(_tina, _night, day);
        _sample.Deny(_night, Terminal);
        Allowed.ShouldBeTrue();
        _sample.Change(day, row => row with { Enabled = false });
        Allowed.ShouldBeFalse();
    }

    [Fact]
    public void A_locked_deny_through_any_membership_enabled_or_not_is_never_exceeded()
    {
        var day = _sample.Group("Day");
        _sample.Member(_tina, _night, day);
        _sample.Deny(_night, Terminal, locked: true);
        Allowed.ShouldBeFalse();
        _sample.Change(_night, row => row with { Enabled = false });
        Allowed.ShouldBeFalse();
        _sample.Change(_support, row => row with { Enabled = false });
        Allowed.ShouldBeFalse();
    }

    [Fact]
    public void A_disabled_group_allows_nothing_and_neither_does_what_is_below_it()
    {
        _sample.Member(_tina, _night);
        _sample.Change(_support, row => row with { Enabled = false });
        Allowed.ShouldBeFalse();
    }

    [Fact]
    public void What_groups_cannot_restrict_has_no_ceiling()
    {
        _sample.Member(_tina, _night);
        _sample.Change(_night, row => row with { Enabled = false });
        _sample.Decide(_tina, ModifyDevice).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void A_value_that_is_missing_at_the_root_denies()
    {
        _sample.Remove(new GroupPermissionRow(_sample.Everyone, Terminal, PolicyValue.Allow, false).Key);
        Allowed.ShouldBeFalse();
    }

    [Fact]
    public void Members_of_a_group_are_those_of_its_subgroups_too_for_grants()
    {
        _sample.Member(_tina, _night);
        _sample.Grant(GrantSubject.To(_support), GrantScope.AllDevices, _sample.Role(Chat));
        _sample.Decide(_tina, Chat).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Change(_night, row => row with { Enabled = false });
        _sample.Decide(_tina, Chat).Kind.ShouldBe(DecisionKind.Denied);
    }

    [Fact]
    public void A_group_below_a_disabled_one_gives_no_grants()
    {
        var role = _sample.Role(ModifyNotifications);
        _sample.Member(_tina, _night);
        _sample.Grant(GrantSubject.To(_night), GrantScope.AllDevices, role);
        _sample.Decide(_tina, ModifyNotifications).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Change(_support, row => row with { Enabled = false });
        _sample.Decide(_tina, ModifyNotifications).Kind.ShouldBe(DecisionKind.Denied);
    }

    [Fact]
    public void The_grant_of_a_subgroup_does_not_reach_the_members_above()
    {
        _sample.Member(_tina, _support);
        _sample.Grant(GrantSubject.To(_night), GrantScope.AllDevices, _sample.Role(Chat));
        _sample.Decide(_tina, Chat).Kind.ShouldBe(DecisionKind.Denied);
    }

    private bool Allowed => _sample.Decide(_tina, Terminal).Kind == DecisionKind.Allowed;
}
