using System.Net;
using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Features.Requests;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests.Requests;

/// <summary>Steps that nobody can take, reasons that have to hold something, and what somebody would try who wants more than is theirs.</summary>
public sealed class RequestReviewTests : IAsyncLifetime
{
    private RunningServer _running = null!;
    private Tenant _tenant = null!;
    private Guid _device;
    private Guid _ned;
    private Guid _mara;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
        _device = await _tenant.AddDeviceAsync("web1", await _tenant.AddGroupAsync("Servers"), "root");
        _ned = await _tenant.AddTechnicianAsync("ned");
        _mara = await _tenant.AddTechnicianAsync("mara");
        await _tenant.GrantAsync(_ned, _device, SystemRoles.OnlyDeviceConnection.Id);
        await SetAsync($"devices/{_device}/managerialApproval", "required");
        await _tenant.GrantAsync(_mara, _device, SystemRoles.AcceptsAccessRequests.Id);
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task A_step_that_nobody_can_take_any_more_is_told_written_down_and_shown_to_who_can_mend_it_until_somebody_can()
    {
        await GroupAsync();
        var told = new Lines();
        var pending = (await _tenant.AskDeskAsync(_ned, _device, told: told.Add)).ShouldBeOfType<ApprovalAsked.Waits>().Pending;
        (await _tenant.Owner.GetAsync("/api/v1/requests?for=me")).Items.ShouldBeEmpty();

        await DisableAsync(_mara);
        (await told.NextAsync()).ShouldBe($"request #{pending.Number}: nobody can approve it now; the master administrators are told, and can appoint somebody");
        var shown = (await _tenant.Owner.GetAsync("/api/v1/requests?for=me")).Items.ShouldHaveSingleItem();
        shown.GetProperty("mayApprove").GetBoolean().ShouldBeFalse();
        shown.GetProperty("mayMend").GetBoolean().ShouldBeTrue();
        shown.GetProperty("blocked").ValueKind.ShouldBe(JsonValueKind.String);
        (await KindsAsync()).ShouldContain("request.blocked");
        (await _tenant.As(_ned).GetAsync($"/api/v1/requests/{pending.Number}")).Body.GetProperty("mayMend").GetBoolean().ShouldBeFalse();

        (await _tenant.Owner.PostAsync($"/api/v1/technicians/{_mara}/enable")).Expect(HttpStatusCode.OK);
        (await told.NextAsync()).ShouldBe($"request #{pending.Number}: there is somebody again who can approve it");
        (await _tenant.Owner.GetAsync("/api/v1/requests?for=me")).Items.ShouldBeEmpty();
        (await KindsAsync()).ShouldContain("request.unblocked");
        (await ApproveAsync(_mara, pending.Number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
    }

    [Fact]
    public async Task Each_is_told_of_a_request_s_rules_as_far_as_they_may_see_what_those_name()
    {
        await GroupAsync();
        var path = $"/api/v1/requests/{await _tenant.AskAsync(_ned, _device)}";
        foreach (var person in (Guid[])[_ned, _mara])
        {
            var shown = (await _tenant.As(person).GetAsync(path)).Expect(HttpStatusCode.OK);
            shown.Text.ShouldNotContain("Night");
            shown.Body.GetProperty("steps").EnumerateArray().ShouldContain(step => step.GetProperty("rule").GetString() == "The group … requires managerial approval.");
        }

        (await _tenant.Owner.GetAsync(path)).Text.ShouldContain("The group Night requires managerial approval.");
    }

    [Fact]
    public async Task A_request_that_nobody_can_take_from_the_beginning_is_shown_to_who_can_mend_it()
    {
        await GroupAsync();
        await DisableAsync(_mara);
        var number = await _tenant.AskAsync(_ned, _device);
        (await _tenant.Owner.GetAsync("/api/v1/requests?for=me")).Items.ShouldHaveSingleItem().GetProperty("number").GetInt64().ShouldBe(number);
        (await _tenant.Owner.GetAsync($"/api/v1/requests/{number}")).Body.GetProperty("steps").EnumerateArray().ShouldContain(step => step.GetProperty("blocked").GetBoolean());
        (await KindsAsync()).Count(kind => kind == "request.blocked").ShouldBe(1);
    }

    [Fact]
    public async Task A_pattern_has_to_be_held_by_every_reason_and_a_wrong_one_is_refused_where_it_is_set()
    {
        (await _tenant.Owner.PutAsync("/api/v1/settings/organization/approvalReasonPattern", new { value = "(" })).ExpectInvalid("value");
        (await _tenant.Owner.PutAsync("/api/v1/settings/organization/approvalReasonPattern", new { value = "(.*a){200}" })).ExpectInvalid("value");
        await SetAsync("organization/approvalReasonPattern", "^OPS-[0-9]+");
        (await _tenant.AskDeskAsync(_ned, _device)).ShouldBe(new ApprovalAsked.NeedsReason("one that fits ^OPS-[0-9]+"));
        await SetAsync("organization/approvalReasonWords", "a ticket such as OPS-7");
        (await _tenant.AskDeskAsync(_ned, _device, reason: "the disk is full")).ShouldBe(new ApprovalAsked.NeedsReason("a ticket such as OPS-7"));
        var pending = await _tenant.PendingAsync(_ned, _device, reason: "  OPS-12, the disk is full\u001b[2J\u202e ");
        (await _tenant.As(_mara).GetAsync($"/api/v1/requests/{pending.Number}")).Body.GetProperty("reason").GetString().ShouldBe("OPS-12, the disk is full[2J");
    }

    [Fact]
    public async Task A_reason_is_never_cut_through_a_character()
    {
        var pending = await _tenant.PendingAsync(_ned, _device, reason: new string('x', 399) + "😀");
        (await _tenant.As(_mara).GetAsync($"/api/v1/requests/{pending.Number}")).Body.GetProperty("reason").GetString().ShouldBe(new string('x', 399));
    }

    [Fact]
    public async Task A_comment_turns_no_writing_round()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{number}/approve", new { comment = "fine \u202e yes" })).ExpectInvalid("comment");
    }

    [Fact]
    public async Task A_person_has_a_bounded_number_of_requests_before_those_who_decide()
    {
        for (var number = 0; number < RequestDesk.MostWaiting; number++) await _tenant.AskAsync(_ned, _device, $"10.1.0.{number}");
        (await _tenant.AskDeskAsync(_ned, _device, "10.2.0.1")).ShouldBeOfType<ApprovalAsked.Refused>();
        var joined = await _tenant.AskAsync(_ned, _device, "10.1.0.5");
        (await _tenant.As(_ned).PostAsync($"/api/v1/requests/{joined}/cancel")).Expect(HttpStatusCode.OK);
        (await _tenant.AskDeskAsync(_ned, _device, "10.2.0.1")).ShouldBeOfType<ApprovalAsked.Waits>();
    }

    [Fact]
    public async Task A_request_is_waited_for_by_a_bounded_number_of_connections()
    {
        var places = new List<IPendingApproval>();
        for (var number = 0; number < WaitingConnections.Most; number++) places.Add(await _tenant.PendingAsync(_ned, _device));
        (await _tenant.AskDeskAsync(_ned, _device)).ShouldBeOfType<ApprovalAsked.Refused>();
        await places[0].DisposeAsync();
        (await _tenant.AskDeskAsync(_ned, _device)).ShouldBeOfType<ApprovalAsked.Waits>();
    }

    [Fact]
    public async Task Trying_to_approve_for_oneself_is_written_down()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        (await ApproveAsync(_ned, number)).Expect(HttpStatusCode.Forbidden);
        var record = (await _tenant.Owner.GetAsync("/api/v1/audit?limit=1000")).Items.Single(item => item.GetProperty("kind").GetString() == "request.approve-refused");
        record.GetProperty("outcome").GetString().ShouldBe("refused");
        record.GetProperty("actor").GetProperty("id").GetGuid().ShouldBe(_ned);
        (await _tenant.Owner.GetAsync($"/api/v1/requests/{number}")).Body.GetProperty("state").GetString().ShouldBe("waiting");
    }

    [Fact]
    public async Task An_approver_who_was_removed_in_the_same_breath_does_not_approve_any_more()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        var (writer, decisions) = (Service<PolicyWriter>(), Service<RequestDecisions>());
        var max = await _tenant.AddTechnicianAsync("max");
        var grant = await _tenant.GrantAsync(max, _device, SystemRoles.AcceptsAccessRequests.Id);

        // Both wait behind a unit that takes its time, so that they come into one group, and neither is in force when the other runs.
        var (entered, let) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = Service<WriteQueue>().WriteAsync(
            async (_, _) =>
            {
                entered.SetResult();
                await let.Task;
                return true;
            },
            TestContext.Current.CancellationToken);
        await entered.Task;
        var removed = writer.ApplyAsync(Caller(_tenant.OwnerId.Value, "acme-owner"), new PolicyCommand.RemoveGrant(new(grant)), TestContext.Current.CancellationToken);
        var approved = decisions.ApproveAsync(Caller(max, "max"), number, "", TestContext.Current.CancellationToken);
        let.SetResult();
        await first;
        (await removed).ShouldBeOfType<PolicyOutcome.Applied>();
        (await approved).ShouldBeOfType<RequestOutcome.NotFound>();
    }

    [Fact]
    public async Task An_approval_whose_time_to_connect_is_over_is_revoked_while_a_session_lives_on_it()
    {
        await SetAsync("organization/approvalValidFor", "1s; often");
        var number = await _tenant.AskAsync(_ned, _device);
        await ApproveAsync(_mara, number);
        var session = (await Service<Admission>().AskAsync(
            new(_tenant.Id, new(_ned), "ned", SignInStrength.OneFactor, null, "web1", null, SessionKind.Shell, ""),
            TestContext.Current.CancellationToken)).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        await UntilAsync(number, "ended");
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{number}/revoke")).Expect(HttpStatusCode.OK);
        session.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
        await session.DisposeAsync();

        var idle = await _tenant.AskAsync(_ned, _device);
        await ApproveAsync(_mara, idle);
        await UntilAsync(idle, "ended");
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{idle}/revoke")).Expect(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_claim_is_not_taken_from_another_address_for_another_account_or_twice_after_its_end()
    {
        var number = await _tenant.AskAsync(_ned, _device, "192.0.2.1");
        await ApproveAsync(_mara, number);
        var ledger = Service<ISessionLedger>();
        var opening = new SessionOpening(
            new(Guid.CreateVersion7()), _tenant.Id, new(_ned), "ned", new(_device), "web1", "root", SessionKind.Shell, "", IPAddress.Parse("192.0.2.1"), DateTimeOffset.UnixEpoch, 1)
        {
            Request = number,
        };
        foreach (var other in (SessionOpening[])
        [
            opening with { Source = IPAddress.Parse("192.0.2.2") }, opening with { Account = "other" }, opening with { Person = new(_mara) },
            opening with { Device = new(Guid.NewGuid()) }, opening with { Request = number + 1 },
        ])
            (await ledger.BeginAsync(other, TestContext.Current.CancellationToken)).ShouldBeFalse();
        (await ledger.BeginAsync(opening, TestContext.Current.CancellationToken)).ShouldBeTrue();
        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{number}/revoke")).Expect(HttpStatusCode.OK);
        (await ledger.BeginAsync(opening with { Id = new(Guid.CreateVersion7()) }, TestContext.Current.CancellationToken)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_waiting_request_is_filled_when_the_setting_comes()
    {
        await _tenant.GrantAsync(_mara, _device, SystemRoles.OnlyDeviceConnection.Id);
        var pending = await _tenant.PendingAsync(_mara, _device);
        await SetAsync("organization/autoApproveWhenRequesterIsApprover", "true");
        (await pending.Outcome).ShouldBe(new ApprovalOutcome(Approved: true, "approved automatically"));
    }

    [Fact]
    public async Task What_a_client_calls_itself_is_written_down_and_decides_nothing()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/requests/{number}/approve");
        request.Headers.Authorization = new("Bearer", TestTokens.Write(_tenant.Id, new(_mara), TokenScopes.Write));
        request.Headers.UserAgent.ParseAdd("countersign-cli/1.0.0");
        using var response = await _running.Http.SendAsync(request, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var answer = (await _tenant.Owner.GetAsync($"/api/v1/requests/{number}")).Body;
        answer.GetProperty("changedThrough").GetString().ShouldBe("cli");
        answer.GetProperty("approvals")[0].GetProperty("channel").GetString().ShouldBe("cli");
        (await _tenant.Owner.GetAsync("/api/v1/audit?limit=1000")).Items.Single(item => item.GetProperty("kind").GetString() == "request.approved")
            .GetProperty("channel").GetString().ShouldBe("cli");

        using var anonymous = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/requests/{number}/revoke");
        anonymous.Headers.UserAgent.ParseAdd("countersign-cli/1.0.0");
        using var refused = await _running.Http.SendAsync(anonymous, TestContext.Current.CancellationToken);
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Used_approvals_of_long_ago_hide_none_that_is_good()
    {
        var number = await _tenant.AskAsync(_ned, _device);
        await ApproveAsync(_mara, number);
        for (var older = 0; older < 30; older++)
        {
            var used = await _tenant.AskAsync(_ned, _device);
            await ApproveAsync(_mara, used);
            await Service<WriteQueue>().WriteAsync(
                _tenant.Id,
                async (db, stop) =>
                {
                    var row = (await db.Set<AccessRequest>().FindAsync([_tenant.Id, used], stop))!;
                    (row.State, row.Claimed, row.Due) = (RequestState.Used, row.Created.AddHours(-1), null);
                },
                TestContext.Current.CancellationToken);
        }

        (await Service<IApprovalDesk>().InHandAsync(_tenant.Wish(_ned, _device), TestContext.Current.CancellationToken)).ShouldHaveSingleItem().Number.ShouldBe(number);
    }

    [Fact]
    public async Task The_clock_goes_on_when_the_database_can_t_be_read()
    {
        var log = new FirstError();
        var policy = Service<PolicySource>();
        using var clock = new RequestClock(
            Service<WriteQueue>(), new Database(Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}", "nowhere.db")), policy, Service<RequestTransitions>(), Service<RequestSettling>(),
            TimeProvider.System, log);
        await clock.StartAsync(TestContext.Current.CancellationToken);
        await log.Seen.Task;
        clock.ExecuteTask!.IsCompleted.ShouldBeFalse();
        await clock.StopAsync(TestContext.Current.CancellationToken);
        clock.ExecuteTask.IsFaulted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_page_is_full_or_it_is_the_last()
    {
        var other = await _tenant.AddDeviceAsync("db1", await _tenant.AddGroupAsync("Databases"), "root");
        await SetAsync($"devices/{other}/managerialApproval", "required");
        var mine = new List<long>();
        for (var one = 0; one < 30; one++)
        {
            await _tenant.AskAsync(_ned, other, $"10.3.0.{one}");
            if (one % 10 == 0) mine.Add(await _tenant.AskAsync(_ned, _device, $"10.3.0.{one}"));
        }

        var found = new List<long>();
        var path = "/api/v1/requests?for=me&limit=2";
        for (string? next = null; ;)
        {
            var page = (await _tenant.As(_mara).GetAsync(next is null ? path : $"{path}&cursor={next}")).Expect(HttpStatusCode.OK);
            found.AddRange(page.Items.Select(item => item.GetProperty("number").GetInt64()));
            next = page.Body.GetProperty("next").GetString();
            if (next is null) break;
            page.Items.Count.ShouldBe(2);
        }

        found.ShouldBe(Enumerable.Reverse(mine));
    }

    private T Service<T>() where T : notnull => _running.Server.Services.GetRequiredService<T>();

    private Caller Caller(Guid person, string login) => new(_tenant.Id, new(person), login, TokenScopes.Write, Guid.Empty, null, SignInStrength.OneFactor, "");

    private async Task SetAsync(string setting, string value) => (await _tenant.Owner.PutAsync($"/api/v1/settings/{setting}", new { value })).Expect(HttpStatusCode.OK);

    private async Task DisableAsync(Guid person) => (await _tenant.Owner.PostAsync($"/api/v1/technicians/{person}/disable")).Expect(HttpStatusCode.OK);

    private Task<ApiAnswer> ApproveAsync(Guid person, long number) => _tenant.As(person).PostAsync($"/api/v1/requests/{number}/approve");

    private async Task<IReadOnlyList<string?>> KindsAsync() =>
        [.. (await _tenant.Owner.GetAsync("/api/v1/audit?limit=1000")).Items.Select(item => item.GetProperty("kind").GetString())];

    /// <summary>Ned's, which needs Mara's approval; hers is the device's step, too.</summary>
    private async Task GroupAsync()
    {
        var group = (await _tenant.Owner.PostAsync(
            "/api/v1/technician-groups", new { parent = _tenant.Everyone, name = "Night", requiresManagerialApproval = true })).Expect(HttpStatusCode.Created).Id;
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{group}/members/{_ned}", new { })).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{group}/managers/{_mara}", new { })).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.DeleteAsync($"/api/v1/settings/devices/{_device}/managerialApproval")).Expect(HttpStatusCode.OK);
    }

    /// <summary>A clock moves it: there is nothing to be told by but to look.</summary>
    private async Task UntilAsync(long number, string state)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await _tenant.Owner.GetAsync($"/api/v1/requests/{number}")).Body.GetProperty("state").GetString() != state)
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    private sealed class Lines
    {
        private readonly System.Threading.Channels.Channel<string> _lines = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public void Add(string line) => _lines.Writer.TryWrite(line);

        public ValueTask<string> NextAsync() => _lines.Reader.ReadAsync(TestContext.Current.CancellationToken);
    }

    private sealed class FirstError : ILogger<RequestClock>
    {
        public TaskCompletionSource Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not null) Seen.TrySetResult();
        }
    }
}
