using static Countersign.Access.Permission;

namespace Countersign.Access.Tests;

public class WorkflowTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private readonly PersonId _mara;
    private readonly PersonId _milo;
    private readonly TechnicianGroupId _support;
    private readonly TechnicianGroupId _juniors;

    public WorkflowTests()
    {
        _tina = _sample.Technician("tina");
        _mara = _sample.Technician("mara");
        _milo = _sample.Technician("milo");
        _support = _sample.Group("Support");
        _juniors = _sample.Group("Juniors", _support);
        _sample.Member(_tina, _juniors);
        _sample.Grant(_tina, _sample.Web01, Terminal);
    }

    [Fact]
    public void A_workflow_asks_for_its_steps_in_their_order()
    {
        var workflow = Workflow(_support, _sample.Servers, $"1 of person:{_mara} | 2 of person:{_mara}, person:{_milo}; 10m");
        _sample.Decide(_tina, Terminal).Kind.ShouldBe(DecisionKind.NeedsApproval);
        var steps = Steps();
        steps.Select(step => step.Number).ShouldBe([1, 2]);
        steps[0].Id.ShouldBe(ApprovalStepId.OfWorkflow(workflow, 1));
        steps[0].Approvers.ShouldBe([_mara]);
        steps[1].Needed.ShouldBe(2);
        steps[1].ExpireAfter.ShouldBe(TimeSpan.FromMinutes(10));
        steps[1].Approvers.ShouldBe([_mara, _milo], ignoreOrder: true);
        steps.ShouldAllBe(step => !step.Blocked);
    }

    [Fact]
    public void A_workflow_stands_in_the_place_of_the_device_rule_and_of_rules_of_its_group_and_above()
    {
        _sample.Set(SettingNode.Organization, SettingKind.ManagerialApproval, "required");
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true });
        Steps().Count.ShouldBe(2);
        Workflow(_juniors, _sample.Servers, $"1 of person:{_mara}");
        Steps().ShouldHaveSingleItem().Workflow.ShouldNotBeNull();
    }

    [Fact]
    public void Rules_below_the_workflow_s_group_and_through_other_groups_stay()
    {
        _sample.Change(_juniors, row => row with { RequiresManagerialApproval = true });
        var night = _sample.Group("Night");
        _sample.Member(_tina, night);
        _sample.Change(night, row => row with { RequiresManagerialApproval = true });
        Workflow(_support, _sample.Servers, $"1 of person:{_mara}");
        Steps().Select(step => step.Id.Kind).ShouldBe([ApprovalStepKind.TechnicianGroup, ApprovalStepKind.TechnicianGroup, ApprovalStepKind.Workflow]);
    }

    [Fact]
    public void Of_workflows_in_one_chain_the_deeper_device_group_wins_and_then_the_deeper_technician_group()
    {
        var clients = _sample.DeviceGroup("Clients");
        var acme = _sample.DeviceGroup("Acme", clients);
        var device = _sample.Device("acme01", acme, "root");
        _sample.Grant(_tina, device, Terminal);
        var high = Workflow(_juniors, clients, $"1 of person:{_mara}");
        var deep = Workflow(_support, acme, $"1 of person:{_milo}");
        Steps(device).ShouldHaveSingleItem().Workflow.ShouldBe(deep);
        var deepest = Workflow(_juniors, acme, $"1 of person:{_mara}");
        Steps(device).ShouldHaveSingleItem().Workflow.ShouldBe(deepest);
        high.ShouldNotBe(deepest);
    }

    [Fact]
    public void Workflows_of_groups_beside_each_other_apply_together()
    {
        var night = _sample.Group("Night");
        _sample.Member(_tina, night);
        Workflow(_support, _sample.Servers, $"1 of person:{_mara}");
        Workflow(night, _sample.Servers, $"1 of person:{_milo}");
        Steps().Count.ShouldBe(2);
    }

    [Fact]
    public void An_approval_counts_only_with_all_the_steps_of_the_workflow()
    {
        var workflow = Workflow(_support, _sample.Servers, $"1 of person:{_mara} | 1 of person:{_milo}");
        var question = _sample.Question(_tina, [Terminal]);
        ApprovedRequest Approved(params int[] steps) =>
            new(1, _tina, _sample.Web01, "deploy", PermissionSet.Of(Terminal), null, Sample.Noon, null, [.. steps.Select(step => ApprovalStepId.OfWorkflow(workflow, step))]);
        _sample.Snapshot.Decide(question with { Approvals = [Approved(1)] }).Kind.ShouldBe(DecisionKind.NeedsApproval);
        _sample.Snapshot.Decide(question with { Approvals = [Approved(1, 2)] }).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void A_step_that_too_few_can_take_is_blocked_and_the_requester_fills_no_place()
    {
        _sample.Manager(_tina, _support);
        _sample.Manager(_mara, _support);
        Workflow(_support, _sample.Servers, $"2 of managers:{_support}");
        Steps().ShouldHaveSingleItem().Blocked.ShouldBeTrue();
        _sample.Set(SettingNode.Organization, SettingKind.AutoApproveWhenRequesterIsApprover, "true");
        var step = Steps().ShouldHaveSingleItem();
        step.Automatic.ShouldBeTrue();
        step.Approvers.ShouldBe([_mara]);
        step.Blocked.ShouldBeFalse();
    }

    [Fact]
    public void A_rule_may_be_for_members_to_approve()
    {
        _sample.Member(_milo, _juniors);
        _sample.Member(_mara, _support);
        _sample.Change(_support, row => row with { RequiresManagerialApproval = true, MembersApprove = true });
        Steps().ShouldHaveSingleItem().Approvers.ShouldBe([_milo]);
    }

    [Fact]
    public void Approvers_on_the_device_are_worked_out_when_asked()
    {
        Workflow(_support, _sample.Servers, "1 of device");
        Steps().ShouldHaveSingleItem().Approvers.ShouldBe([_sample.Olga]);
        _sample.Grant(GrantSubject.To(_mara), GrantScope.AllDevices, SystemRoles.AcceptsAccessRequests.Id);
        Steps().ShouldHaveSingleItem().Approvers.ShouldBe([_sample.Olga, _mara], ignoreOrder: true);
    }

    [Fact]
    public void The_same_pair_twice_is_refused_and_so_are_approvers_that_are_not_there()
    {
        Workflow(_support, _sample.Servers, $"1 of person:{_mara}");
        Plan("1 of device").ShouldBeOfType<PlanResult.Conflict>();
        Plan($"1 of person:{Guid.NewGuid()}", _juniors).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("steps[0].approvers");
        Plan("many of device", _juniors).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("steps");
        var planned = Plan($"02 of  device , person:{_mara};600s", _juniors).ShouldBeOfType<PlanResult.Planned>();
        planned.Delta.Changes.ShouldHaveSingleItem().After.ShouldBeOfType<WorkflowRow>().Steps.ShouldBe($"2 of device, person:{_mara}; 10m");
        Workflow(_support, _sample.Servers, "1 of device");
        Should.Throw<PolicyException>(() => _sample.Snapshot).Message.ShouldContain("same groups");
    }

    [Fact]
    public void Nobody_and_no_group_is_deleted_who_approves_in_a_workflow()
    {
        Workflow(_support, _sample.Servers, $"1 of person:{_mara}, members:{_juniors}");
        _sample.Snapshot.Plan(new PolicyCommand.DeletePerson(_mara), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Conflict>();
        _sample.Snapshot.Plan(new PolicyCommand.DeleteTechnicianGroup(_juniors), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Conflict>();
    }

    [Fact]
    public void Deleting_the_groups_that_a_workflow_is_for_deletes_it()
    {
        var empty = _sample.DeviceGroup("Empty");
        Workflow(_juniors, empty, "1 of device");
        var policy = _sample.Snapshot;
        foreach (PolicyCommand command in (PolicyCommand[])[new PolicyCommand.DeleteDeviceGroup(empty), new PolicyCommand.DeleteTechnicianGroup(_juniors)])
        {
            var planned = policy.Plan(command, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>();
            policy.Apply(planned.Delta).All<WorkflowRow>().ShouldBeEmpty();
        }
    }

    [Fact]
    public void Who_is_not_free_of_approvals_moves_nobody_out_of_a_workflow_and_only_masters_make_one()
    {
        var gus = _sample.Technician("gus");
        var elsewhere = _sample.Group("Elsewhere");
        _sample.Member(gus, _support);
        foreach (var group in (TechnicianGroupId[])[_support, elsewhere]) _sample.Administrator(gus, group);
        PlanResult Move() => _sample.Snapshot.Plan(
            new PolicyCommand.EditTechnicianGroup(_juniors, elsewhere, "Juniors", "", true, false, GroupConsent.None, false), gus, Sample.Noon);
        Move().ShouldBeOfType<PlanResult.Planned>();
        Workflow(_support, _sample.Servers, $"1 of person:{_mara}");
        Move().ShouldBeOfType<PlanResult.Forbidden>();
        var delete = new PolicyCommand.DeleteWorkflow(_sample.Snapshot.All<WorkflowRow>().Single().Id);
        _sample.Snapshot.Plan(delete, gus, Sample.Noon).ShouldBeOfType<PlanResult.NotFound>();
        _sample.Snapshot.Plan(delete, _tina, Sample.Noon).ShouldBeOfType<PlanResult.NotFound>();
    }

    [Fact]
    public void A_change_of_a_workflow_equals_compiling_anew()
    {
        Workflow(_support, _sample.Servers, $"1 of person:{_mara}");
        var policy = _sample.Snapshot;
        var row = policy.All<WorkflowRow>().ShouldHaveSingleItem();
        var edited = policy.Apply(Planned(policy, new PolicyCommand.EditWorkflow(row.Id, "Renamed", $"1 of person:{_milo}", false, false, false)));
        edited.ApprovalSteps(_sample.Question(_tina, [Terminal])).ShouldHaveSingleItem().Approvers.ShouldBe([_milo]);
        var deleted = edited.Apply(Planned(edited, new PolicyCommand.DeleteWorkflow(row.Id)));
        deleted.Decide(_sample.Question(_tina, [Terminal])).Kind.ShouldBe(DecisionKind.Allowed);
    }

    private PolicyDelta Planned(PolicySnapshot policy, PolicyCommand command) =>
        policy.Plan(command, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;

    private PlanResult Plan(string steps, TechnicianGroupId? group = null) => _sample.Snapshot.Plan(
        new PolicyCommand.AddWorkflow(new(_sample.Next()), group ?? _support, _sample.Servers, "Again", steps, false, true, false),
        _sample.Olga,
        Sample.Noon);

    private WorkflowId Workflow(TechnicianGroupId group, DeviceGroupId devices, string steps)
    {
        var id = new WorkflowId(_sample.Next());
        _sample.Put(new WorkflowRow(id, group, devices, "Flow", steps, false, true, false));
        return id;
    }

    private IReadOnlyList<ApprovalStep> Steps(DeviceId? device = null) => _sample.Snapshot.ApprovalSteps(_sample.Question(_tina, [Terminal], device));
}
