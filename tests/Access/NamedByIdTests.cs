using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

/// <summary>Roles and groups that stand by their ids in the values of settings and options.</summary>
public class NamedByIdTests
{
    private readonly Sample _sample = new();
    private readonly TechnicianGroupId _one;
    private readonly TechnicianGroupId _two;
    private readonly TechnicianGroupId _holder;
    private readonly PersonId _tina;
    private PolicySnapshot _policy;

    public NamedByIdTests()
    {
        _one = _sample.Group("One");
        _two = _sample.Group("Two");
        _holder = _sample.Group("Holder");
        _tina = _sample.Technician("tina");
        _sample.Member(_tina, _holder);
        _sample.Grant(_tina, _sample.Web01, Terminal, TransferSessions, Collaborate);
        _policy = _sample.Snapshot;
    }

    [Fact]
    public void What_may_be_requested_names_roles_that_are_there_and_for_devices()
    {
        var refused = Plan(Roles($"{Guid.NewGuid()}")).ShouldBeOfType<PlanResult.Invalid>();
        refused.Field.ShouldBe("value");
        refused.Message.ShouldStartWith("There is no role ");
        Plan(Roles($"{SystemRoles.Auditor.Id}")).ShouldBeOfType<PlanResult.Invalid>().Message.ShouldBe("The role Auditor is not for devices and groups.");
        Plan(Roles($"{SystemRoles.FullDeviceAccess.Id},{_sample.Role(Terminal)}")).ShouldBeOfType<PlanResult.Invalid>(); // made after the snapshot
    }

    [Theory]
    [InlineData(TransferSessions)]
    [InlineData(Collaborate)]
    public void An_option_names_groups_that_are_there(Permission permission)
    {
        var refused = Plan(Name(permission, _one.Value, Guid.NewGuid())).ShouldBeOfType<PlanResult.Invalid>();
        refused.Field.ShouldBe("option");
        refused.Message.ShouldStartWith("There is no technician group ");
        Carry(Name(permission, _one.Value, _two.Value));
        Named(permission).ShouldBe([_one.Value, _two.Value], ignoreOrder: true);
    }

    [Fact]
    public void A_group_that_a_branch_administrator_may_not_see_is_not_there_unless_it_is_named_already()
    {
        var ada = _sample.Technician("ada");
        var branch = _sample.Group("Branch", _holder);
        _sample.Administrator(ada, _holder);
        _policy = _sample.Snapshot;
        var command = new PolicyCommand.SetGroupPermission(branch, Collaborate, PolicyValue.Allow, false, $"named:{_one}");
        var unseen = _policy.Plan(command, ada, Sample.Noon).ShouldBeOfType<PlanResult.Invalid>();
        unseen.Message.ShouldBe($"There is no technician group {_one}.");
        Carry(command);
        _policy.Plan(command with { Value = PolicyValue.Deny }, ada, Sample.Noon).ShouldBeOfType<PlanResult.Planned>();
    }

    [Fact]
    public void A_deleted_role_may_no_longer_be_requested_and_undoing_brings_it_back_there()
    {
        var role = _sample.Role(Terminal);
        _policy = _sample.Snapshot;
        Carry(Roles($"{role},{SystemRoles.FullDeviceAccess.Id}"));
        var deletion = Carry(new PolicyCommand.DeleteRole(role));
        Requestable().ShouldBe($"{SystemRoles.FullDeviceAccess.Id}");
        Carry(new PolicyCommand.Undo(deletion, new HashSet<RowKey>()));
        Requestable().ShouldBe($"{role},{SystemRoles.FullDeviceAccess.Id}");

        Carry(Roles($"{role}"));
        Carry(new PolicyCommand.DeleteRole(role));
        Requestable().ShouldBe("none");
    }

    [Fact]
    public void A_deleted_group_is_named_by_no_option_and_undoing_brings_it_back_there()
    {
        Carry(Name(TransferSessions, _one.Value, _two.Value));
        Carry(Name(Collaborate, _one.Value));
        var before = _policy;
        var deletion = Carry(new PolicyCommand.DeleteTechnicianGroup(_one));
        deletion.Summary.ShouldBe("Deleted the technician group One and took it out of 2 options that named it; one of them names nobody now.");
        var told = PolicySnapshot.Diff(before, _policy).Rectangles.ShouldHaveSingleItem();
        told.People.ShouldBe([_tina]);
        told.Difference.Gained.ShouldBeEmpty();
        told.Difference.Restrictions.ShouldHaveSingleItem().Kind.ShouldBe(RestrictionKind.Options);
        Named(TransferSessions).ShouldBe([_two.Value]);
        _policy.PermissionAt(_holder, Collaborate)!.Option.ShouldBe("named:"); // nobody, not everybody
        Carry(new PolicyCommand.Undo(deletion, new HashSet<RowKey>()));
        Named(TransferSessions).ShouldBe([_one.Value, _two.Value], ignoreOrder: true);
        Named(Collaborate).ShouldBe([_one.Value]);
    }

    [Fact]
    public void A_branch_that_deletes_what_it_was_named_by_takes_away_and_nothing_else()
    {
        var ada = _sample.Technician("ada");
        var team = _sample.Group("Team", _one);
        _sample.Administrator(ada, _one);
        _policy = _sample.Snapshot;
        Carry(Name(Collaborate, team.Value));
        Carry(new PolicyCommand.SetGroupPermission(_sample.Everyone, TransferSessions, PolicyValue.Allow, true, $"named:{team}"));
        var before = _policy;
        var deletion = _policy.Plan(new PolicyCommand.DeleteTechnicianGroup(team), ada, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;
        _policy = _policy.Apply(deletion);
        deletion.Summary.ShouldBe("Deleted the technician group One / Team and took it out of 2 options that named it; 2 of them name nobody now.");
        PolicySnapshot.Diff(before, _policy).Rectangles.ShouldAllBe(rectangle => rectangle.Difference.Gained.Count == 0);
        var options = _policy.Decide(_sample.Question(_tina, [Terminal])).Options!;
        options[Collaborate].Text.ShouldBe("named:");
        options[TransferSessions].Text.ShouldBe("named:");

        // To bring it back is to widen what binds others and themselves: the change is not theirs to undo.
        _policy.Plan(new PolicyCommand.Undo(deletion, new HashSet<RowKey>()), ada, Sample.Noon).ShouldBeOfType<PlanResult.NotFound>();
        Carry(new PolicyCommand.Undo(deletion, new HashSet<RowKey>()));
        PolicySnapshot.Diff(before, _policy).Rectangles.ShouldBeEmpty();
    }

    [Fact]
    public void A_deletion_is_undone_also_where_an_upper_lock_has_the_option_not_count()
    {
        Carry(Name(Collaborate, _one.Value));
        Carry(new PolicyCommand.SetGroupPermission(_sample.Everyone, Collaborate, PolicyValue.Allow, true));
        var deletion = Carry(new PolicyCommand.DeleteTechnicianGroup(_one));
        var back = Carry(new PolicyCommand.Undo(deletion, new HashSet<RowKey>()));
        Option().ShouldBe($"named:{_one}");
        Carry(new PolicyCommand.Undo(back, new HashSet<RowKey>()));
        Option().ShouldBe("named:");

        string Option() => ((GroupPermissionRow)_policy.Find(new GroupPermissionRow(_holder, Collaborate, default, false).Key)!).Option;
    }

    [Fact]
    public void Undoing_never_leaves_a_value_that_names_what_is_gone()
    {
        var role = _sample.Role(Terminal);
        _policy = _sample.Snapshot;
        Carry(Roles($"{role}"));
        var away = Carry(Roles("none"));
        Carry(new PolicyCommand.DeleteRole(role));
        Plan(new PolicyCommand.Undo(away, new HashSet<RowKey>())).ShouldBeOfType<PlanResult.Conflict>();

        var made = Carry(new PolicyCommand.AddTechnicianGroup(new(_sample.Next()), _sample.Everyone, "Three", "", true, false, GroupConsent.None, false));
        Carry(Name(Collaborate, made.Changes[0].Key.Id));
        Plan(new PolicyCommand.Undo(made, new HashSet<RowKey>())).ShouldBeOfType<PlanResult.Conflict>();
    }

    private static PolicyCommand.SetSetting Roles(string value) => new(SettingNode.Organization, SettingKind.AccessRequestRoles, value);

    private PolicyCommand.SetGroupPermission Name(Permission permission, params Guid[] groups) =>
        new(_holder, permission, PolicyValue.Allow, false, $"named:{string.Join(',', groups)}");

    private IReadOnlyList<Guid> Named(Permission permission)
    {
        PermissionOption.TryParse(permission, _policy.PermissionAt(_holder, permission)!.Option, out var option, out _).ShouldBeTrue();
        return option!.Named;
    }

    private string Requestable() => _policy.Setting(SettingNode.Organization, SettingKind.AccessRequestRoles)!.Value.Value;

    private PlanResult Plan(PolicyCommand command) => _policy.Plan(command, _sample.Olga, Sample.Noon);

    private PolicyDelta Carry(PolicyCommand command)
    {
        var delta = Plan(command).ShouldBeOfType<PlanResult.Planned>().Delta;
        _policy = _policy.Apply(delta);
        return delta;
    }
}
