using System.Net;
using System.Text.Json;
using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Server.Tests.Requests;

/// <summary>The life of a request for access ahead.</summary>
public sealed class AheadTests : AheadLab
{
    [Fact]
    public async Task A_device_is_on_request_until_its_window_and_again_after_it_to_the_second()
    {
        (await DeviceStateAsync(Web1)).ShouldBe("onRequest");
        (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.MayBeRequested);
        var number = await AskedAsync(Window(TimeSpan.FromHours(1), TimeSpan.FromHours(2)));
        (await GetsInAsync()).ShouldBeFalse();
        (await Tenant.As(Mara).GetAsync("/api/v1/requests?for=me")).Items.ShouldHaveSingleItem().GetProperty("ahead").GetProperty("role").GetProperty("name").GetString().ShouldBe("Only device connection");
        (await ApproveAsync(number)).Expect(HttpStatusCode.OK).Body.GetProperty("openUntil").GetDateTimeOffset().ShouldBe(Now.AddHours(2));
        Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        (await GetsInAsync()).ShouldBeFalse();
        (await DeviceStateAsync(Web1)).ShouldBe("onRequest");
        Clock.Advance(TimeSpan.FromTicks(1));
        (await GetsInAsync()).ShouldBeTrue();
        (await DeviceStateAsync(Web1)).ShouldBe("allowed");
        (await GetsInAsync("web2")).ShouldBeFalse();
        Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        (await GetsInAsync()).ShouldBeTrue();
        Clock.Advance(TimeSpan.FromTicks(1));
        (await GetsInAsync()).ShouldBeFalse();
        (await StateAsync(number)).ShouldBeOneOf("approved", "ended");
    }

    [Fact]
    public async Task A_duration_counts_from_approval_however_long_that_took()
    {
        await SetAsync("approvalStatusChangeToExpire", "none");
        var number = await AskedAsync(FromApproval("2h"));
        Clock.Advance(TimeSpan.FromDays(1));
        (await ApproveAsync(number)).Expect(HttpStatusCode.OK);
        Clock.Advance(TimeSpan.FromHours(2) - TimeSpan.FromTicks(1));
        (await GetsInAsync()).ShouldBeTrue();
        Clock.Advance(TimeSpan.FromTicks(1));
        (await GetsInAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task A_duration_from_first_use_counts_from_the_first_connection_and_lapses_without_one()
    {
        object time = new { kind = "fromFirstUse", duration = "2h", latestStart = Now.AddHours(8) };
        var number = await ApprovedAsync(time);
        Clock.Advance(TimeSpan.FromHours(7));
        var first = (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        first.Deadline!.Value.At.ShouldBe(Now.AddHours(2));
        (await ShownAsync(number)).GetProperty("ahead").GetProperty("firstUsed").GetDateTimeOffset().ShouldBe(Now);
        await first.DisposeAsync();
        Clock.Advance(TimeSpan.FromMinutes(90));
        (await GetsInAsync()).ShouldBeTrue();
        (await KindsAsync()).Count(kind => kind == "request.first-used").ShouldBe(1);
        Clock.Advance(TimeSpan.FromMinutes(30));
        (await GetsInAsync()).ShouldBeFalse();

        await ApprovedAsync(new { kind = "fromFirstUse", duration = "2h", latestStart = Now.AddHours(1) });
        Clock.Advance(TimeSpan.FromHours(1));
        (await GetsInAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task Who_was_given_access_ahead_is_explained_so_and_listed_among_those_who_get_in()
    {
        (await StateAsync("web1")).ShouldBe(("mayBeRequested", "mayBeRequested"));
        await ApprovedAsync(new { kind = "fromFirstUse", duration = "2h", latestStart = Now.AddHours(8) });
        (await StateAsync("web1")).ShouldBe(("allowed", "allowed"));
        (await StateAsync("web2")).ShouldBe(("mayBeRequested", "mayBeRequested"));
        (await Tenant.Owner.GetAsync("/api/v1/explain?device=web1&person=ned")).Expect(HttpStatusCode.OK).Body.GetProperty("lastingSeconds").GetInt64().ShouldBe(7200);
        Clock.Advance(TimeSpan.FromHours(8));
        (await StateAsync("web1")).ShouldBe(("mayBeRequested", "mayBeRequested"));

        async Task<(string?, string?)> StateAsync(string device) => (
            (await Tenant.Owner.GetAsync($"/api/v1/explain?device={device}&person=ned")).Expect(HttpStatusCode.OK).Body.GetProperty("decision").GetString(),
            (await Tenant.Owner.GetAsync($"/api/v1/who-can?device={device}")).Items.Single(item => item.GetProperty("login").GetString() == "ned").GetProperty("state").GetString());
    }

    [Fact]
    public async Task Who_gets_in_by_access_ahead_alone_is_listed_with_what_it_gives_for_as_long_as_it_does()
    {
        await ApprovedAsync(FromApproval("2h"));
        var asking = (await Tenant.Owner.GetAsync($"/api/v1/grants?for={Ned}")).Items.ShouldHaveSingleItem().GetProperty("id").GetGuid();
        (await Tenant.Owner.DeleteAsync($"/api/v1/grants/{asking}")).Expect(HttpStatusCode.OK);
        (await GetsInAsync()).ShouldBeTrue();
        var listed = (await ListedAsync("web1")).ShouldHaveSingleItem();
        listed.GetProperty("state").GetString().ShouldBe("allowed");
        listed.GetProperty("permissions").EnumerateArray().Select(permission => permission.GetString()).ShouldContain("Terminal");
        listed.GetProperty("until").GetDateTimeOffset().ShouldBe(Now.AddHours(2));
        (await ListedAsync("web2")).ShouldBeEmpty();
        (await Tenant.As(Mara).GetAsync("/api/v1/who-can?device=web1")).Items.ShouldNotContain(item => item.GetProperty("login").GetString() == "ned");
        Clock.Advance(TimeSpan.FromHours(2));
        (await ListedAsync("web1")).ShouldBeEmpty();

        async Task<List<JsonElement>> ListedAsync(string device) =>
            [.. (await Tenant.Owner.GetAsync($"/api/v1/who-can?device={device}")).Items.Where(item => item.GetProperty("login").GetString() == "ned")];
    }

    /// <summary>Who loosens what binds a connection of theirs that is still to come frees themselves, whatever they hold meanwhile.</summary>
    [Fact]
    public async Task Who_has_access_ahead_loosens_nothing_that_binds_there_until_that_is_over()
    {
        await ApprovedAsync(FromApproval("2h"));
        var asking = (await Tenant.Owner.GetAsync($"/api/v1/grants?for={Ned}")).Items.ShouldHaveSingleItem().GetProperty("id").GetGuid();
        var keeper = (await Tenant.Owner.PostAsync("/api/v1/roles", new { name = "Keeper", purpose = "devicesAndGroups", permissions = new[] { "ManageSecurity" } })).Expect(HttpStatusCode.Created);
        (await Tenant.Owner.PostAsync(
            "/api/v1/grants",
            new { subject = new { kind = "person", id = Ned }, scope = new { kind = "deviceGroup", id = Servers }, role = keeper.Body.GetProperty("id").GetGuid() })).Expect(HttpStatusCode.Created);
        (await Tenant.Owner.DeleteAsync($"/api/v1/grants/{asking}")).Expect(HttpStatusCode.OK);
        (await LoosenAsync(Web1)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await LoosenAsync(Web2)).Status.ShouldBe(HttpStatusCode.OK);
        Clock.Advance(TimeSpan.FromHours(2));
        (await LoosenAsync(Web1)).Status.ShouldBe(HttpStatusCode.OK);

        Task<ApiAnswer> LoosenAsync(Guid device) => Tenant.As(Ned).PutAsync($"/api/v1/settings/devices/{device}/idleTimeout", new { value = "none" });
    }

    [Fact]
    public async Task Of_many_first_uses_at_once_one_is_the_first()
    {
        var number = await ApprovedAsync(new { kind = "fromFirstUse", duration = "2h", latestStart = Now.AddHours(8) });
        (await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => GetsInAsync()))).ShouldAllBe(one => one);
        (await KindsAsync()).Count(kind => kind == "request.first-used").ShouldBe(1);
        (await StateAsync(number)).ShouldBe("approved");
    }

    [Fact]
    public async Task Nobody_approves_their_own_and_of_two_at_once_exactly_one_decides()
    {
        await GrantAsync(Ned, "deviceGroup", Servers, SystemRoles.AcceptsAccessRequests);
        for (var round = 0; round < 10; round++)
        {
            var number = await AskedAsync(FromApproval("1h"));
            (await ApproveAsync(number, Ned)).Expect(HttpStatusCode.Forbidden);
            (await ApproveAsync(number, Ned, new { duration = "30m" })).Expect(HttpStatusCode.Forbidden);
            var answers = await Task.WhenAll(ApproveAsync(number, Mara, new { duration = "30m" }), Tenant.As(Max).PostAsync($"/api/v1/requests/{number}/reject"));
            answers.Select(answer => answer.Status).Order().ShouldBe([HttpStatusCode.OK, HttpStatusCode.Conflict]);
            answers.Single(answer => answer.Status == HttpStatusCode.Conflict).Text.ShouldContain(answers[0].Status == HttpStatusCode.OK ? "by mara" : "by max");
        }

        (await KindsAsync()).Count(kind => kind == "request.approve-refused").ShouldBe(20);
    }

    [Fact]
    public async Task Revoking_ends_the_sessions_that_live_on_it_at_once()
    {
        var number = await ApprovedAsync(FromApproval("2h"));
        var session = (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        (await Tenant.As(Ned).PostAsync($"/api/v1/requests/{number}/revoke")).Expect(HttpStatusCode.Forbidden);
        (await Tenant.As(Max).PostAsync($"/api/v1/requests/{number}/revoke", new { reason = "enough" })).Expect(HttpStatusCode.OK);
        session.End.ShouldBe((EndReason.PermissionRevoked, "the approval was revoked by max: enough"));
        await session.DisposeAsync();
        (await GetsInAsync()).ShouldBeFalse();
        (await StateAsync(number)).ShouldBe("revoked");
    }

    [Fact]
    public async Task What_waits_is_cancelled_rejected_or_expires_and_what_is_over_ends_also_over_a_restart()
    {
        var cancelled = await AskedAsync(FromApproval("1h"));
        (await Tenant.As(Ned).PostAsync($"/api/v1/requests/{cancelled}/cancel")).Expect(HttpStatusCode.OK);
        (await ApproveAsync(cancelled)).Expect(HttpStatusCode.Conflict);
        var rejected = await AskedAsync(FromApproval("1h"));
        (await Tenant.As(Mara).PostAsync($"/api/v1/requests/{rejected}/reject", new { reason = "no" })).Expect(HttpStatusCode.OK);
        var expiring = await AskedAsync(FromApproval("1h"));
        var late = await AskedAsync(Window(TimeSpan.Zero, TimeSpan.FromMinutes(10)), devices: new[] { Web2 });
        (await ShownAsync(late)).GetProperty("expires").GetDateTimeOffset().ShouldBe(Now.AddMinutes(10));
        var ending = await ApprovedAsync(FromApproval("1h"));
        await Running.RestartAsync();
        Clock.Advance(TimeSpan.FromMinutes(10));
        (await ApproveAsync(late)).Expect(HttpStatusCode.Conflict).Text.ShouldContain("expired");
        (await GetsInAsync()).ShouldBeTrue();
        await Running.RestartAsync();
        Clock.Advance(TimeSpan.FromMinutes(50));
        await Running.RestartAsync();
        (await GetsInAsync()).ShouldBeFalse();
        await UntilAsync(async () => await StateAsync(expiring) == "expired");
        await UntilAsync(async () => await StateAsync(ending) == "ended");
        (await KindsAsync()).ShouldContain("request.ended");
    }

    [Fact]
    public async Task More_time_is_a_linked_request_and_approved_keeps_the_session()
    {
        var number = await ApprovedAsync(FromApproval("1h"));
        var session = (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        var ends = Now.AddHours(1);
        (await ExtendAsync(number, new { })).ExpectInvalid("to");
        (await ExtendAsync(number, new { to = ends })).ExpectInvalid("to");
        (await ExtendAsync(number, new { duration = "40d" })).ExpectInvalid("duration");
        (await ExtendAsync(number, new { duration = "none" })).ExpectInvalid("duration");
        (await Tenant.As(Mara).PostAsync($"/api/v1/requests/{number}/extension", new { duration = "1h" })).Expect(HttpStatusCode.Forbidden);
        var more = (await ExtendAsync(number, new { duration = "1h", reason = "not done" })).Expect(HttpStatusCode.Created).Items.ShouldHaveSingleItem();
        more.GetProperty("ahead").GetProperty("extends").GetInt64().ShouldBe(number);
        (await ExtendAsync(number, new { duration = "2h" })).Expect(HttpStatusCode.Conflict);
        session.Deadline!.Value.At.ShouldBe(ends);
        (await ApproveAsync(more.GetProperty("number").GetInt64())).Expect(HttpStatusCode.OK);
        session.Deadline!.Value.At.ShouldBe(ends.AddHours(1));
        await session.DisposeAsync();
        Clock.Advance(TimeSpan.FromMinutes(90));
        (await GetsInAsync()).ShouldBeTrue();
        Clock.Advance(TimeSpan.FromMinutes(30));
        (await GetsInAsync()).ShouldBeFalse();
        (await ExtendAsync(number, new { duration = "1h" })).Expect(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Revoking_takes_what_it_was_extended_by_too_and_rejects_what_was_still_asked_for()
    {
        var number = await ApprovedAsync(FromApproval("1h"));
        var more = await ExtendedAsync(number);
        (await ApproveAsync(more)).Expect(HttpStatusCode.OK);
        var still = await ExtendedAsync(more);
        var session = (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        (await Tenant.As(Max).PostAsync($"/api/v1/requests/{number}/revoke", new { reason = "enough" })).Expect(HttpStatusCode.OK);
        session.End.ShouldBe((EndReason.PermissionRevoked, "the approval was revoked by max: enough"));
        await session.DisposeAsync();
        (await StateAsync(more)).ShouldBe("revoked");
        (await StateAsync(still)).ShouldBe("rejected");
        (await GetsInAsync()).ShouldBeFalse();
        (await KindsAsync()).Count(kind => kind == "request.revoked").ShouldBe(2);
    }

    [Fact]
    public async Task Revoking_an_extension_leaves_what_it_extends()
    {
        var number = await ApprovedAsync(FromApproval("1h"));
        var more = await ExtendedAsync(number);
        (await ApproveAsync(more)).Expect(HttpStatusCode.OK);
        Clock.Advance(TimeSpan.FromSeconds(1));
        (await Tenant.As(Max).PostAsync($"/api/v1/requests/{more}/revoke")).Expect(HttpStatusCode.OK);
        (await StateAsync(number)).ShouldBe("approved");
        (await GetsInAsync()).ShouldBeTrue();
        Clock.Advance(TimeSpan.FromHours(1));
        (await GetsInAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task A_workflow_s_steps_are_taken_instead_unless_it_leaves_that_out()
    {
        var workflow = (await Tenant.Owner.PostAsync("/api/v1/workflows", new
        {
            group = Tenant.Everyone,
            devices = Servers,
            name = "Careful",
            steps = new object[] { new { approvers = new[] { new { kind = "person", id = Max } } }, new { approvers = new[] { new { kind = "person", id = Tenant.OwnerId.Value } } } },
        })).Expect(HttpStatusCode.Created).Id;
        var number = await AskedAsync(FromApproval("1h"), devices: new[] { Web1, Web2 });
        (await ShownAsync(number)).GetProperty("steps").GetArrayLength().ShouldBe(2);
        (await ApproveAsync(number)).Expect(HttpStatusCode.NotFound);
        (await ApproveAsync(number, Max, new { duration = "30m" })).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("waiting");
        var done = (await ApproveAsync(number, Tenant.OwnerId.Value, new { devices = new[] { Web2 } })).Expect(HttpStatusCode.OK).Body;
        done.GetProperty("state").GetString().ShouldBe("approved");
        done.GetProperty("ahead").GetProperty("edits").GetArrayLength().ShouldBe(2);
        (await GetsInAsync("web2")).ShouldBeTrue();
        (await GetsInAsync()).ShouldBeFalse();

        (await Tenant.Owner.PatchAsync($"/api/v1/workflows/{workflow}", new { takesPreapproved = false })).Expect(HttpStatusCode.OK);
        (await ApproveAsync(await AskedAsync(FromApproval("1h")))).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
        (await GetsInAsync()).ShouldBeTrue();
        (await Tenant.Owner.PatchAsync($"/api/v1/workflows/{workflow}", new { insistsWhenPreapproved = true })).Expect(HttpStatusCode.OK);
        (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.NeedsApproval);
    }

    [Fact]
    public async Task Within_it_a_workflow_that_insists_asks_for_its_own_steps_and_for_no_others()
    {
        var team = (await Tenant.Owner.PostAsync("/api/v1/technician-groups", new { name = "Team", parent = Tenant.Everyone, requiresManagerialApproval = true })).Expect(HttpStatusCode.Created).Id;
        (await Tenant.Owner.PutAsync($"/api/v1/technician-groups/{team}/members/{Ned}")).Expect(HttpStatusCode.OK);
        var other = (await Tenant.Owner.PostAsync("/api/v1/technician-groups", new { name = "Other", parent = Tenant.Everyone })).Expect(HttpStatusCode.Created).Id;
        (await Tenant.Owner.PutAsync($"/api/v1/technician-groups/{other}/members/{Ned}")).Expect(HttpStatusCode.OK);
        (await Tenant.Owner.PostAsync("/api/v1/workflows", new
        {
            group = other,
            devices = Servers,
            name = "Careful",
            steps = new[] { new { approvers = new[] { new { kind = "person", id = Max } } } },
            takesPreapproved = false,
            insistsWhenPreapproved = true,
        })).Expect(HttpStatusCode.Created);
        await GrantAsync(Ned, "device", Web1, SystemRoles.OnlyDeviceConnection);

        // Team's rule and the workflow: both, until there is access that was approved ahead.
        await using (var pending = await Tenant.PendingAsync(Ned, Web1))
            (await ShownAsync(pending.Number)).GetProperty("steps").GetArrayLength().ShouldBe(2);

        await ApprovedAsync(FromApproval("1h"));
        await using (var pending = await Tenant.PendingAsync(Ned, Web1))
        {
            (await ShownAsync(pending.Number)).GetProperty("steps").GetArrayLength().ShouldBe(1);
            (await GetsInAsync()).ShouldBeFalse();
            (await ApproveAsync(pending.Number, Max)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
            (await pending.Outcome).Approved.ShouldBeTrue();
        }

        (await GetsInAsync()).ShouldBeTrue();

        // It stands beside that access and no longer.
        Clock.Advance(TimeSpan.FromHours(1));
        (await GetsInAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task A_contact_may_ask_and_gets_in_with_what_was_approved_and_no_further()
    {
        var carla = (await Tenant.Owner.PostAsync("/api/v1/contacts", new { name = "Carla", mail = "carla@example.org" })).Expect(HttpStatusCode.Created).Id;
        (await AskAsync(FromApproval("1h"), carla)).ExpectInvalid("devices[0]");
        await GrantAsync(carla, "device", Web1, SystemRoles.RequestsAccess);
        (await ApproveAsync(await AskedAsync(FromApproval("1h"), carla))).Expect(HttpStatusCode.OK);
        (await GetsInAsync(person: carla)).ShouldBeTrue();
        (await GetsInAsync("web2", carla)).ShouldBeFalse();
        Clock.Advance(TimeSpan.FromHours(1));
        (await GetsInAsync(person: carla)).ShouldBeFalse();
    }

    [Fact]
    public async Task Managerial_approval_counts_as_given_within_it()
    {
        await GrantAsync(Ned, "device", Web1, SystemRoles.OnlyDeviceConnection);
        (await Tenant.Owner.PutAsync($"/api/v1/settings/devices/{Web1}/managerialApproval", new { value = "required" })).Expect(HttpStatusCode.OK);
        (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Refused>().Decision.ShouldBe(DecisionKind.NeedsApproval);
        await ApprovedAsync(FromApproval("1h"));
        var session = (await ConnectAsync()).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Deadline!.Value.At.ShouldBe(Now.AddHours(1));
        await session.DisposeAsync();
    }

    private async Task<long> ExtendedAsync(long number) =>
        (await ExtendAsync(number, new { duration = "1h", reason = "not done" })).Expect(HttpStatusCode.Created).Items.ShouldHaveSingleItem().GetProperty("number").GetInt64();

    private Task<ApiAnswer> ExtendAsync(long number, object body) => Tenant.As(Ned).PostAsync($"/api/v1/requests/{number}/extension", body);
}
