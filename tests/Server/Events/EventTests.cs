using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Events;

/// <summary>Who hears of what, from where on, and until when.</summary>
public sealed class EventTests : IAsyncLifetime
{
    private readonly Tokens _tokens = new();
    private RunningServer _running = null!;
    private Tenant _tenant = null!;
    private Guid _device;
    private Guid _ned;
    private Guid _mara;
    private Guid _nobody;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync(services =>
        {
            services.AddSingleton(new EventLimits { Heartbeat = TimeSpan.FromMilliseconds(100), TokenCheck = TimeSpan.FromMilliseconds(20), MostOfPerson = 6, MostQueued = 8, MostKept = 16 });
            services.AddSingleton<StandingTokens>(_tokens.StandingAsync);
        });
        _tenant = await Tenant.FoundAsync(_running, "acme");
        _device = await _tenant.AddDeviceAsync("web1", await _tenant.AddGroupAsync("Servers"), "root");
        _ned = await _tenant.AddTechnicianAsync("ned");
        _mara = await _tenant.AddTechnicianAsync("mara");
        _nobody = await _tenant.AddTechnicianAsync("nobody");
        await _tenant.GrantAsync(_ned, _device, SystemRoles.OnlyDeviceConnection.Id);
        await _tenant.GrantAsync(_mara, _device, SystemRoles.AcceptsAccessRequests.Id);
        (await _tenant.Owner.PutAsync($"/api/v1/settings/devices/{_device}/managerialApproval", new { value = "required" })).Expect(HttpStatusCode.OK);
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task A_request_is_told_to_who_can_approve_it_and_to_who_asked_and_to_nobody_else()
    {
        using var approver = await OpenAsync(_mara);
        using var requester = await OpenAsync(_ned);
        using var other = await OpenAsync(_nobody);
        var number = await _tenant.AskAsync(_ned, _device);
        var asked = await approver.NextAsync("request");
        asked.Data.GetProperty("number").GetInt64().ShouldBe(number);
        asked.Data.GetProperty("mayApprove").GetBoolean().ShouldBeTrue();
        (await requester.NextAsync("request")).Data.GetProperty("mayApprove").GetBoolean().ShouldBeFalse();

        (await _tenant.As(_mara).PostAsync($"/api/v1/requests/{number}/reject", new { reason = "no" })).Expect(HttpStatusCode.OK);
        (await requester.NextAsync("request")).Data.GetProperty("state").GetString().ShouldBe("rejected");
        (await approver.NextAsync("request")).Data.GetProperty("mayApprove").GetBoolean().ShouldBeFalse();

        // A change of policy is everybody's: what came before it would have come by now.
        await TouchAsync();
        (await other.NextAsync())!.Name.ShouldBe("ready");
        (await other.NextAsync())!.Name.ShouldBe("policy");
    }

    [Fact]
    public async Task What_a_reader_may_see_is_asked_for_each_event_and_not_when_the_stream_opened()
    {
        using var events = await OpenAsync(_mara);
        await _tenant.AskAsync(_ned, _device, "192.0.2.1");
        await events.NextAsync("request");
        var grant = _tenant.Policy.All<GrantRow>().Single(row => row.Subject == GrantSubject.To(new PersonId(_mara)));
        (await _tenant.Owner.DeleteAsync($"/api/v1/grants/{grant.Id.Value}")).Expect(HttpStatusCode.OK);
        await events.NextAsync("policy");
        await _tenant.AskAsync(_ned, _device, "192.0.2.2");
        await TouchAsync();
        (await events.NextAsync())!.Name.ShouldBe("policy");

        await _tenant.GrantAsync(_mara, _device, SystemRoles.AcceptsAccessRequests.Id);
        await events.NextAsync("policy");
        var third = await _tenant.AskAsync(_ned, _device, "192.0.2.3");
        (await events.NextAsync())!.Data.GetProperty("number").GetInt64().ShouldBe(third);
    }

    [Fact]
    public async Task A_blocked_step_is_told_to_master_administrators()
    {
        using var owner = await OpenAsync(_tenant.OwnerId.Value);
        var group = (await _tenant.Owner.PostAsync(
            "/api/v1/technician-groups", new { parent = _tenant.Everyone, name = "Night", requiresManagerialApproval = true })).Expect(HttpStatusCode.Created).Id;
        (await _tenant.Owner.DeleteAsync($"/api/v1/settings/devices/{_device}/managerialApproval")).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{group}/members/{_ned}", new { })).Expect(HttpStatusCode.OK);
        var number = await _tenant.AskAsync(_ned, _device);
        var told = (await owner.NextAsync("request")).Data;
        told.GetProperty("number").GetInt64().ShouldBe(number);
        told.GetProperty("mayMend").GetBoolean().ShouldBeTrue();
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{group}/managers/{_mara}", new { })).Expect(HttpStatusCode.OK);
        (await owner.NextAsync("request")).Data.GetProperty("mayMend").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task A_session_s_beginning_and_end_are_told_to_who_may_see_it()
    {
        (await _tenant.Owner.DeleteAsync($"/api/v1/settings/devices/{_device}/managerialApproval")).Expect(HttpStatusCode.OK);
        using var own = await OpenAsync(_ned);
        using var owner = await OpenAsync(_tenant.OwnerId.Value);
        using var other = await OpenAsync(_nobody);
        var session = await _tenant.OpenSessionAsync(_ned, "web1");
        foreach (var reader in (EventReading[])[own, owner])
        {
            var began = (await reader.NextAsync("session")).Data;
            began.GetProperty("id").GetGuid().ShouldBe(session.Opening.Id.Value);
            began.GetProperty("state").GetString().ShouldBe("live");
        }

        await session.DisposeAsync();
        (await own.NextAsync("session")).Data.GetProperty("state").GetString().ShouldBe("ended");
        (await owner.NextAsync("session")).Data.GetProperty("reason").GetString().ShouldBe("connectionLost");
        await TouchAsync();
        (await other.NextAsync())!.Name.ShouldBe("ready");
        (await other.NextAsync())!.Name.ShouldBe("policy");
    }

    [Fact]
    public async Task A_reader_who_comes_back_goes_on_where_it_was()
    {
        string position;
        using (var first = await OpenAsync(_mara))
        {
            await _tenant.AskAsync(_ned, _device, "192.0.2.1");
            position = (await first.NextAsync("request")).Id;
        }

        var missed = await _tenant.AskAsync(_ned, _device, "192.0.2.2");
        using var again = await OpenAsync(_mara, position);
        (await again.NextAsync())!.Name.ShouldBe("ready");
        (await again.NextAsync())!.Data.GetProperty("number").GetInt64().ShouldBe(missed);
        var next = await _tenant.AskAsync(_ned, _device, "192.0.2.3");
        (await again.NextAsync())!.Data.GetProperty("number").GetInt64().ShouldBe(next);
    }

    [Fact]
    public async Task A_reader_who_was_away_too_long_or_names_no_position_of_this_run_reads_anew()
    {
        string position;
        using (var first = await OpenAsync(_mara)) position = (await first.NextAsync())!.Id;
        for (var change = 0; change < 17; change++) await TouchAsync();
        foreach (var after in (string[])[position, "elsewhere-1", "x", "-", $"{position.Split('-')[0]}-999999"])
        {
            using var again = await OpenAsync(_nobody, after);
            var begin = (await again.NextAsync())!;
            begin.Name.ShouldBe("reset", after);
            await TouchAsync();
            (await again.NextAsync())!.Name.ShouldBe("policy");
        }

        using var long1 = await EventReading.SendAsync(_running.Http, Token(_mara), new string('x', 65));
        long1.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_beat_moves_the_position_past_what_is_not_the_reader_s()
    {
        using var events = await OpenAsync(_nobody);
        var start = (await events.NextAsync())!.Id;
        await _tenant.AskAsync(_ned, _device);
        string beat;
        do beat = await events.BeatAsync();
        while (beat == start);
        beat.Split('-')[0].ShouldBe(start.Split('-')[0]);
    }

    [Fact]
    public async Task A_stream_ends_when_its_person_is_disabled()
    {
        using var events = await OpenAsync(_mara);
        (await _tenant.Owner.PostAsync($"/api/v1/technicians/{_mara}/disable")).Expect(HttpStatusCode.OK);
        await events.EndAsync();
    }

    [Fact]
    public async Task A_stream_ends_when_its_token_counts_no_more_or_can_t_be_looked_up()
    {
        using (var events = await OpenAsync(_mara))
        {
            _tokens.Count = false;
            await events.EndAsync();
            _tokens.Count = true;
        }

        using var other = await OpenAsync(_mara);
        _tokens.Fails = true;
        await other.EndAsync();
    }

    [Fact]
    public async Task A_person_has_a_bounded_number_of_streams()
    {
        var open = new List<EventReading>();
        for (var stream = 0; stream < 6; stream++) open.Add(await OpenAsync(_mara));
        using var refused = await EventReading.SendAsync(_running.Http, Token(_mara));
        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        using var other = await OpenAsync(_ned);
        foreach (var stream in open) stream.Dispose();
    }

    [Fact]
    public void A_reader_who_does_not_read_is_cut_off_and_holds_nobody_up()
    {
        var hub = _running.Server.Services.GetRequiredService<EventHub>();
        using var slow = hub.Subscribe(Caller(_mara), null)!;
        using var other = hub.Subscribe(Caller(_ned), null)!;
        for (var change = 0; change < 8; change++) hub.Publish(new PolicyEvent(_tenant.Id, change));
        while (other.Events.TryRead(out _))
        {
        }

        slow.Ended.IsCancellationRequested.ShouldBeFalse();
        hub.Publish(new PolicyEvent(_tenant.Id, 9));
        slow.Ended.IsCancellationRequested.ShouldBeTrue();
        other.Ended.IsCancellationRequested.ShouldBeFalse();
        other.Events.TryRead(out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Nothing_of_another_organization_is_told()
    {
        var other = await Tenant.FoundAsync(_running, "other");
        using var events = await EventReading.OpenAsync(_running.Http, TestTokens.Write(other.Id, other.OwnerId, TokenScopes.Read));
        (await events.NextAsync())!.Name.ShouldBe("ready");
        await _tenant.AskAsync(_ned, _device);
        await TouchAsync();
        var version = (await other.Owner.PostAsync("/api/v1/device-groups", new { name = "Servers" })).Expect(HttpStatusCode.Created);
        var first = (await events.NextAsync())!;
        first.Name.ShouldBe("policy");
        first.Data.GetProperty("version").GetInt64().ShouldBe(other.Policy.Version, version.Text);
    }

    [Fact]
    public async Task A_server_that_stops_ends_the_streams()
    {
        using var events = await OpenAsync(_mara);
        await events.NextAsync("ready");
        var stopping = _running.RestartAsync();
        await events.EndAsync();
        await stopping;
    }

    private Task<EventReading> OpenAsync(Guid person, string? after = null) => EventReading.OpenAsync(_running.Http, Token(person), after);

    private string Token(Guid person) => TestTokens.Write(_tenant.Id, new(person), TokenScopes.Read);

    private Caller Caller(Guid person) => new(_tenant.Id, new(person), "somebody", TokenScopes.Read, Guid.Empty, null, SignInStrength.OneFactor, "");

    /// <summary>A change of policy that is nobody's concern.</summary>
    private async Task TouchAsync() => (await _tenant.Owner.PatchAsync($"/api/v1/devices/{_device}", new { description = Guid.NewGuid().ToString() })).Expect(HttpStatusCode.OK);

    private sealed class Tokens
    {
        public volatile bool Count = true;
        public volatile bool Fails;

        public ValueTask<IReadOnlySet<Guid>> StandingAsync(IReadOnlyCollection<Guid> tokens, CancellationToken cancellation)
        {
            if (Fails) throw new Microsoft.Data.Sqlite.SqliteException("locked", 5);
            return ValueTask.FromResult<IReadOnlySet<Guid>>(Count ? tokens.ToHashSet() : []);
        }
    }
}
