using System.Net;
using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Features.Requests;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Requests;

/// <summary>The life of a request: asked, decided once, claimed, taken back.</summary>
public sealed class RequestTests : IAsyncLifetime
{
    private RunningServer _running = null!;
    private Tenant _tenant = null!;
    private Guid _device;
    private Guid _ned;
    private Guid _mara;
    private Guid _max;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
        _device = await _tenant.AddDeviceAsync("web1", await _tenant.AddGroupAsync("Servers"), "root");
        _ned = await _tenant.AddTechnicianAsync("ned");
        _mara = await _tenant.AddTechnicianAsync("mara");
        _max = await _tenant.AddTechnicianAsync("max");
        await _tenant.GrantAsync(_ned, _device, SystemRoles.OnlyDeviceConnection.Id);
        await _tenant.GrantAsync(_mara, _device, SystemRoles.AcceptsAccessRequests.Id);
        await _tenant.GrantAsync(_max, _device, SystemRoles.AcceptsAccessRequests.Id);
        await SetAsync($"devices/{_device}/managerialApproval", "required");
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task Of_two_approvers_at_once_exactly_one_decides_a_thousand_times()
    {
        var decisions = _running.Server.Services.GetRequiredService<RequestDecisions>();
        var (mara, max) = (Caller(_mara, "mara"), Caller(_max, "max"));
        var marasShare = 0;
        for (var round = 0; round < 20; round++)
        {
            var numbers = await Task.WhenAll(Enumerable.Range(0, 50).Select(one => _tenant.AskAsync(_ned, _device, $"10.0.{round}.{one}")));
            numbers.Distinct().Count().ShouldBe(50);
            await Task.WhenAll(numbers.Select(async number =>
            {
                var callers = number % 2 == 0 ? (mara, max) : (max, mara);
                var outcomes = await Task.WhenAll(
                    Task.Run(() => decisions.ApproveAsync(callers.Item1, number, "", TestContext.Current.CancellationToken)),
                    Task.Run(() => decisions.RejectAsync(callers.Item2, number, "", TestContext.Current.CancellationToken)));
                var done = outcomes.OfType<RequestOutcome.Done>().ShouldHaveSingleItem();
                var told = outcomes.OfType<RequestOutcome.Conflict>().ShouldHaveSingleItem().Reason;
                var (by, state) = (done.Sight.Request.ChangedByName, done.Sight.Request.State.ToString().ToLowerInvariant());
                told.ShouldBe($"It is {state} already, by {by}.");
                if (by == "mara") Interlocked.Increment(ref marasShare);
            }));
        }

        marasShare.ShouldBeInRange(1, 999);
        (await AuditedAsync("request.approved") + await AuditedAsync("request.rejected")).ShouldBe(1000);
    }

    [Fact]
    public async Task Connections_of_one_person_from_one_address_join_the_request_that_waits()
    {
        var first = await _tenant.AskAsync(_ned, _device, "192.0.2.1");
        (await _tenant.AskAsync(_ned, _device, "192.0.2.1")).ShouldBe(first);
        (await _tenant.AskAsync(_ned, _device, "192.0.2.2")).ShouldNotBe(first);
        (await _tenant.AskAsync(_ned, _device, "192.0.2.1", PermissionSet.Of(Permission.FileManager))).ShouldNotBe(first);
    }

    [Fact]
    public async Task The_last_waiting_connection_that_leaves_cancels()
    {
        var first = await _tenant.PendingAsync(_ned, _device);
        var second = await _tenant.PendingAsync(_ned, _device);
        await first.DisposeAsync();
        (await StateAsync(first.Number)).ShouldBe("waiting");
        await second.DisposeAsync();
        (await StateAsync(first.Number)).ShouldBe("cancelled");
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{first.Number}/approve")).Expect(HttpStatusCode.Conflict);
        (await AuditedAsync("request.cancelled")).ShouldBe(1);
    }

    [Fact]
    public async Task A_request_is_approved_by_whoever_can_take_its_step_and_by_nobody_else()
    {
        var pending = await _tenant.PendingAsync(_ned, _device);
        var path = $"/api/v1/requests/{pending.Number}";
        var nobody = await _tenant.AddTechnicianAsync("nobody");
        (await _tenant.As(nobody).PostAsync($"{path}/approve")).Expect(HttpStatusCode.NotFound);
        (await _tenant.As(_ned).PostAsync($"{path}/approve")).Expect(HttpStatusCode.Forbidden);
        (await _tenant.As(_ned).PostAsync($"{path}/reject")).Expect(HttpStatusCode.Forbidden);
        (await _tenant.As(_mara).PostAsync($"{path}/cancel")).Expect(HttpStatusCode.Forbidden);
        (await _tenant.As(_mara).GetAsync("/api/v1/requests?for=me")).Items.ShouldHaveSingleItem().GetProperty("number").GetInt64().ShouldBe(pending.Number);
        (await _tenant.As(_ned).GetAsync("/api/v1/requests?for=me")).Items.ShouldBeEmpty();

        var approved = (await _tenant.As(_mara).PostAsync($"{path}/approve", new { comment = "go ahead" })).Expect(HttpStatusCode.OK).Body;
        approved.GetProperty("state").GetString().ShouldBe("approved");
        approved.GetProperty("approvals")[0].GetProperty("by").GetProperty("name").GetString().ShouldBe("mara");
        (await pending.Outcome).ShouldBe(new ApprovalOutcome(Approved: true, "approved by mara: go ahead"));
        (await _tenant.As(_ned).GetAsync("/api/v1/requests")).Items.ShouldHaveSingleItem().GetProperty("state").GetString().ShouldBe("approved");
    }

    [Fact]
    public async Task Two_rules_need_both_and_one_approval_counts_for_every_step_that_the_approver_can_take()
    {
        var group = await RequiringGroupAsync();
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{group}/managers/{_max}", new { })).Expect(HttpStatusCode.OK);
        var pending = await _tenant.PendingAsync(_ned, _device);
        (await ApproveAsync(_mara, pending.Number)).GetProperty("state").GetString().ShouldBe("waiting");
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{pending.Number}/approve")).Expect(HttpStatusCode.Forbidden);
        pending.Outcome.IsCompleted.ShouldBeFalse();
        var done = await ApproveAsync(_max, pending.Number);
        done.GetProperty("state").GetString().ShouldBe("approved");
        done.GetProperty("approvals").GetArrayLength().ShouldBe(2);

        var both = await _tenant.PendingAsync(_ned, _device, "192.0.2.9");
        (await ApproveAsync(_max, both.Number)).GetProperty("approvals").GetArrayLength().ShouldBe(2);
        (await both.Outcome).Approved.ShouldBeTrue();
    }

    [Fact]
    public async Task A_rule_that_falls_completes_what_was_taken()
    {
        var group = await RequiringGroupAsync();
        var pending = await _tenant.PendingAsync(_ned, _device);
        (await ApproveAsync(_mara, pending.Number)).GetProperty("state").GetString().ShouldBe("waiting");
        (await _tenant.Owner.PatchAsync($"/api/v1/technician-groups/{group}", new { requiresManagerialApproval = false })).Expect(HttpStatusCode.OK);
        (await pending.Outcome).Approved.ShouldBeTrue();
    }

    [Fact]
    public async Task The_setting_lets_a_requester_who_could_approve_fill_the_place()
    {
        await _tenant.GrantAsync(_mara, _device, SystemRoles.OnlyDeviceConnection.Id);
        (await _tenant.PendingAsync(_mara, _device)).Outcome.IsCompleted.ShouldBeFalse();
        await SetAsync("organization/autoApproveWhenRequesterIsApprover", "true");
        var pending = await _tenant.PendingAsync(_mara, _device, "192.0.2.3");
        (await pending.Outcome).ShouldBe(new ApprovalOutcome(Approved: true, "approved automatically"));
        var answer = (await _tenant.As(_mara).GetAsync($"/api/v1/requests/{pending.Number}")).Expect(HttpStatusCode.OK).Body;
        answer.GetProperty("approvals")[0].GetProperty("channel").GetString().ShouldBe("automatic");
        (await _tenant.PendingAsync(_ned, _device)).Outcome.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_reason_that_is_required_has_to_be_given()
    {
        await SetAsync("organization/approvalReasonRequired", "true");
        (await _tenant.AskDeskAsync(_ned, _device)).ShouldBe(new ApprovalAsked.NeedsReason(""));
        var pending = await _tenant.PendingAsync(_ned, _device, reason: "the disk is full");
        (await _tenant.As(_mara).GetAsync($"/api/v1/requests/{pending.Number}")).Body.GetProperty("reason").GetString().ShouldBe("the disk is full");
        (await _tenant.AskAsync(_ned, _device)).ShouldBe(pending.Number);
    }

    [Fact]
    public async Task What_waits_expires_at_its_instant_and_what_was_not_used_ends()
    {
        await SetAsync("organization/approvalStatusChangeToExpire", "1s");
        var pending = await _tenant.PendingAsync(_ned, _device);
        (await pending.Outcome).ShouldBe(new ApprovalOutcome(Approved: false, "expired: nobody approved it in time"));
        (await StateAsync(pending.Number)).ShouldBe("expired");

        await SetAsync("organization/approvalStatusChangeToExpire", "none");
        await SetAsync("organization/approvalValidFor", "1s; often");
        var number = await _tenant.AskAsync(_ned, _device);
        await ApproveAsync(_mara, number);
        await UntilAsync(number, "ended");
    }

    [Fact]
    public async Task A_restart_loses_no_request_and_resumes_its_clock()
    {
        var waiting = await _tenant.PendingAsync(_ned, _device);
        await SetAsync("organization/approvalStatusChangeToExpire", "2s");
        var expiring = await _tenant.AskAsync(_ned, _device, "192.0.2.5");
        await _running.RestartAsync();
        (await waiting.Outcome).Message.ShouldStartWith("the gateway is stopping");
        (await StateAsync(waiting.Number)).ShouldBe("waiting");
        await UntilAsync(expiring, "expired");
        (await _tenant.AskAsync(_ned, _device)).ShouldBe(waiting.Number);
        (await ApproveAsync(_mara, waiting.Number)).GetProperty("state").GetString().ShouldBe("approved");
    }

    [Fact]
    public async Task An_approval_that_is_good_once_is_claimed_once_and_joined_while_it_lives()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        await ApproveAsync(_mara, number);
        var admitted = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ConnectAsync()));
        admitted.ShouldAllBe(one => one.Session.Opening.Request == number);
        (await StateAsync(number)).ShouldBe("used");
        (await AuditedAsync("request.used")).ShouldBe(1);
        foreach (var one in admitted) await one.Session.DisposeAsync();
    }

    [Fact]
    public async Task Revoking_ends_the_sessions_that_live_on_it_and_no_others()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        await ApproveAsync(_mara, number);
        await using var session = (await ConnectAsync()).Session;
        (await _tenant.As(_ned).PostAsync($"/api/v1/requests/{number}/revoke")).Expect(HttpStatusCode.Forbidden);
        session.Ending.IsCancellationRequested.ShouldBeFalse();
        (await _tenant.As(_max).PostAsync($"/api/v1/requests/{number}/revoke", new { reason = "enough" })).Expect(HttpStatusCode.OK);
        session.End.ShouldBe((EndReason.PermissionRevoked, "the approval was revoked by max: enough"));
        (await _tenant.As(_max).PostAsync($"/api/v1/requests/{number}/revoke")).Expect(HttpStatusCode.Conflict);
        (await AskAsync()).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.NeedsApproval);
    }

    [Fact]
    public async Task A_comment_is_bounded_and_has_no_control_characters()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{number}/reject", new { reason = new string('x', 401) })).ExpectInvalid("reason");
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{number}/approve", new { comment = "\u001b[2J" })).ExpectInvalid("comment");
        (await StateAsync(number)).ShouldBe("waiting");
    }

    private Caller Caller(Guid person, string login) => new(_tenant.Id, new(person), login, TokenScopes.Write, Guid.Empty, null, SignInStrength.OneFactor, "");

    private ValueTask<AdmissionResult> AskAsync() => _running.Server.Services.GetRequiredService<Admission>().AskAsync(
        new(_tenant.Id, new(_ned), "ned", SignInStrength.OneFactor, null, "web1", null, SessionKind.Shell, ""), TestContext.Current.CancellationToken);

    private async Task<AdmissionResult.Admitted> ConnectAsync() => (await AskAsync()).ShouldBeOfType<AdmissionResult.Admitted>();

    private async Task<JsonElement> ApproveAsync(Guid person, long number) =>
        (await _tenant.As(person).PostAsync($"/api/v1/requests/{number}/approve")).Expect(HttpStatusCode.OK).Body;

    private async Task SetAsync(string setting, string value) => (await _tenant.Owner.PutAsync($"/api/v1/settings/{setting}", new { value })).Expect(HttpStatusCode.OK);

    private async Task<Guid> RequiringGroupAsync()
    {
        var group = (await _tenant.Owner.PostAsync(
            "/api/v1/technician-groups", new { parent = _tenant.Everyone, name = "Night", requiresManagerialApproval = true })).Expect(HttpStatusCode.Created).Id;
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{group}/members/{_ned}", new { })).Expect(HttpStatusCode.OK);
        return group;
    }

    private async Task<string> StateAsync(long number) =>
        (await _tenant.Owner.GetAsync($"/api/v1/requests/{number}")).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString()!;

    /// <summary>A clock moves it: there is nothing to be told by but to look.</summary>
    private async Task UntilAsync(long number, string state)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await StateAsync(number) != state) await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    private async Task<int> AuditedAsync(string kind)
    {
        var count = 0;
        var after = 0L;
        while (true)
        {
            var items = (await _tenant.Owner.GetAsync($"/api/v1/audit?after={after}&limit=1000")).Expect(HttpStatusCode.OK).Items;
            if (items.Count == 0) return count;
            count += items.Count(item => item.GetProperty("kind").GetString() == kind);
            after = items[^1].GetProperty("id").GetInt64();
        }
    }
}
