using System.Net;
using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Requests;

/// <summary>Steps in order, steps for several, and what one approval counts for.</summary>
public sealed class WorkflowRequestTests : IAsyncLifetime
{
    private readonly Guid[] _approvers = new Guid[3];
    private RunningServer _running = null!;
    private Tenant _tenant = null!;
    private Guid _servers;
    private Guid _device;
    private Guid _ned;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
        _servers = await _tenant.AddGroupAsync("Servers");
        _device = await _tenant.AddDeviceAsync("web1", _servers, "root");
        _ned = await _tenant.AddTechnicianAsync("ned");
        await _tenant.GrantAsync(_ned, _device, SystemRoles.OnlyDeviceConnection.Id);
        for (var one = 0; one < 3; one++) _approvers[one] = await _tenant.AddTechnicianAsync($"approver{one}");
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task In_a_step_for_two_both_count_and_neither_twice()
    {
        await WorkflowAsync($"2 of {Person(0)}, {Person(1)}, {Person(2)}");
        var pending = await _tenant.PendingAsync(_ned, _device);
        var first = (await ApproveAsync(0, pending.Number)).Expect(HttpStatusCode.OK).Body;
        first.GetProperty("state").GetString().ShouldBe("waiting");
        first.GetProperty("steps")[0].GetProperty("given").GetInt32().ShouldBe(1);
        first.GetProperty("steps")[0].GetProperty("needed").GetInt32().ShouldBe(2);
        (await ApproveAsync(0, pending.Number)).Expect(HttpStatusCode.Forbidden);
        pending.Outcome.IsCompleted.ShouldBeFalse();
        (await RefusedAsync()).ShouldBe(DecisionKind.NeedsApproval);

        (await ApproveAsync(2, pending.Number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
        (await pending.Outcome).Approved.ShouldBeTrue();
        await using var session = (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Opening.Request.ShouldBe(pending.Number);
    }

    [Fact]
    public async Task Of_two_at_the_same_moment_both_count_in_a_step_for_two()
    {
        await WorkflowAsync($"2 of {Person(0)}, {Person(1)}");
        var pending = await _tenant.PendingAsync(_ned, _device);
        foreach (var answer in await Task.WhenAll(ApproveAsync(0, pending.Number), ApproveAsync(1, pending.Number))) answer.Expect(HttpStatusCode.OK);
        (await pending.Outcome).Approved.ShouldBeTrue();
    }

    [Fact]
    public async Task A_later_step_opens_when_the_one_before_is_taken_and_one_approval_counts_for_no_later_one()
    {
        await WorkflowAsync($"1 of {Person(0)} | 1 of {Person(0)}, {Person(1)}");
        var number = await _tenant.AskAsync(_ned, _device);
        (await ApproveAsync(1, number)).Expect(HttpStatusCode.Forbidden);
        var after = (await ApproveAsync(0, number)).Expect(HttpStatusCode.OK).Body;
        after.GetProperty("state").GetString().ShouldBe("waiting");
        after.GetProperty("approvals").GetArrayLength().ShouldBe(1);
        (await ApproveAsync(1, number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
    }

    [Fact]
    public async Task Where_the_workflow_allows_it_one_approval_counts_for_later_steps_too()
    {
        await WorkflowAsync($"1 of {Person(0)} | 1 of {Person(0)}, {Person(1)}", countsForLater: true);
        var number = await _tenant.AskAsync(_ned, _device);
        var after = (await ApproveAsync(0, number)).Expect(HttpStatusCode.OK).Body;
        after.GetProperty("state").GetString().ShouldBe("approved");
        after.GetProperty("approvals").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_later_step_expires_counted_from_when_it_opens()
    {
        await WorkflowAsync($"1 of {Person(0)}; 2h | 1 of {Person(1)}; 1h");
        var number = await _tenant.AskAsync(_ned, _device);
        var asked = (await _tenant.Owner.GetAsync($"/api/v1/requests/{number}")).Body;
        (asked.GetProperty("expires").GetDateTimeOffset() - asked.GetProperty("created").GetDateTimeOffset()).ShouldBe(TimeSpan.FromHours(2));
        var opened = (await ApproveAsync(0, number)).Expect(HttpStatusCode.OK).Body;
        (opened.GetProperty("expires").GetDateTimeOffset() - opened.GetProperty("approvals")[0].GetProperty("at").GetDateTimeOffset()).ShouldBe(TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task A_step_for_more_than_can_take_it_blocks_when_it_opens()
    {
        await WorkflowAsync($"1 of {Person(0)} | 2 of {Person(1)}, {Person(2)}");
        var number = await _tenant.AskAsync(_ned, _device);
        (await _tenant.Owner.PostAsync($"/api/v1/technicians/{_approvers[2]}/disable")).Expect(HttpStatusCode.OK);
        (await MayMendAsync(number)).ShouldBeFalse();
        (await ApproveAsync(0, number)).Expect(HttpStatusCode.OK);
        (await MayMendAsync(number)).ShouldBeTrue();
        (await ApproveAsync(1, number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("waiting");
        (await _tenant.Owner.PostAsync($"/api/v1/technicians/{_approvers[2]}/enable")).Expect(HttpStatusCode.OK);
        (await ApproveAsync(2, number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
    }

    [Fact]
    public async Task A_rejection_of_one_ends_a_step_for_several()
    {
        await WorkflowAsync($"2 of {Person(0)}, {Person(1)}");
        var number = await _tenant.AskAsync(_ned, _device);
        (await ApproveAsync(0, number)).Expect(HttpStatusCode.OK);
        (await _tenant.As(_approvers[1]).PostAsync($"/api/v1/requests/{number}/reject")).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("rejected");
    }

    [Fact]
    public async Task The_requester_s_own_place_is_one_of_several_only()
    {
        (await _tenant.Owner.PutAsync("/api/v1/settings/organization/autoApproveWhenRequesterIsApprover", new { value = "true" })).Expect(HttpStatusCode.OK);
        await WorkflowAsync($"2 of person:{_ned}, {Person(0)} | 1 of person:{_ned}");
        var pending = await _tenant.PendingAsync(_ned, _device);
        pending.Outcome.IsCompleted.ShouldBeFalse();
        (await ApproveAsync(0, pending.Number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
        (await pending.Outcome).Approved.ShouldBeTrue();
    }

    [Fact]
    public async Task More_places_than_were_filled_are_asked_for_anew()
    {
        var workflow = await WorkflowAsync($"1 of {Person(0)}, {Person(1)}");
        var number = await _tenant.AskAsync(_ned, _device);
        (await ApproveAsync(0, number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
        await ApplyAsync(new PolicyCommand.EditWorkflow(workflow, "Careful", $"2 of {Person(0)}, {Person(1)}", false, false, false));
        (await RefusedAsync()).ShouldBe(DecisionKind.NeedsApproval);
    }

    private string Person(int approver) => $"person:{_approvers[approver]}";

    private async Task<WorkflowId> WorkflowAsync(string steps, bool countsForLater = false)
    {
        var id = new WorkflowId(Guid.CreateVersion7());
        await ApplyAsync(new PolicyCommand.AddWorkflow(id, new(_tenant.Everyone), new(_servers), "Careful", steps, countsForLater, false, false));
        return id;
    }

    private async Task ApplyAsync(PolicyCommand command) => (await _running.Server.Services.GetRequiredService<PolicyWriter>().ApplyAsync(
        new Caller(_tenant.Id, _tenant.OwnerId, "acme-owner", TokenScopes.Write, Guid.Empty, null, SignInStrength.OneFactor, ""), command, TestContext.Current.CancellationToken))
        .ShouldBeOfType<PolicyOutcome.Applied>();

    private Task<ApiAnswer> ApproveAsync(int approver, long number) => _tenant.As(_approvers[approver]).PostAsync($"/api/v1/requests/{number}/approve");

    private async Task<bool> MayMendAsync(long number)
    {
        JsonElement answer = (await _tenant.Owner.GetAsync($"/api/v1/requests/{number}")).Expect(HttpStatusCode.OK).Body;
        return answer.GetProperty("mayMend").GetBoolean();
    }

    private ValueTask<AdmissionResult> ConnectAsync() => _running.Server.Services.GetRequiredService<Admission>().AskAsync(
        new(_tenant.Id, new(_ned), "ned", SignInStrength.OneFactor, null, "web1", null, SessionKind.Shell, ""), TestContext.Current.CancellationToken);

    private async Task<DecisionKind> RefusedAsync() => (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Refused>().Decision;
}
