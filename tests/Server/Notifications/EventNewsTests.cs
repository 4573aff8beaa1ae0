using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Notifications;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Notifications;

/// <summary>What becomes of events that the setting Notifications has somebody told of.</summary>
public sealed class EventNewsTests : IAsyncLifetime
{
    private RunningServer _running = null!;
    private Tenant _tenant = null!;
    private Guid _max;
    private Guid _tom;
    private Guid _web;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
        (_max, _tom) = (await _tenant.AddTechnicianAsync("max", "max@example.org"), await _tenant.AddTechnicianAsync("tom"));
        _web = await _tenant.AddDeviceAsync("web1", await _tenant.AddGroupAsync("Servers"));
        foreach (var person in (Guid[])[_max, _tom]) await _tenant.GrantAsync(person, _web, SystemRoles.OnlyDeviceConnection.Id);
        var support = (await _tenant.Owner.PostAsync("/api/v1/technician-groups", new { parent = _tenant.Everyone, name = "Support" })).Expect(HttpStatusCode.Created).Id;
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{support}/members/{_tom}")).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.PutAsync($"/api/v1/technician-groups/{support}/managers/{_max}")).Expect(HttpStatusCode.OK);
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task Whom_the_setting_names_is_mailed_what_happened_and_where_and_not_who_it_was()
    {
        await SetAsync("session.began: managers, mail:ops@example.org");
        await ConnectAsync(_tom);
        var mails = await MailsAsync();
        mails.Select(mail => (mail.Recipient, mail.Person?.Value)).ShouldBe([("max@example.org", _max), ("ops@example.org", null)], ignoreOrder: true);
        foreach (var mail in mails)
        {
            var letter = _running.Server.Services.GetRequiredService<Outbox>().Open(mail);
            letter.Subject.ShouldBe("A session began");
            var text = string.Join('\n', letter.Paragraphs);
            text.ShouldContain("session.began, at the device web1");
            text.ShouldNotContain("tom");
        }

        (await UndeliveredAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Managers_are_those_of_whose_request_it_is_whoever_decides()
    {
        await SetAsync("request.approved: managers");
        (await _tenant.Owner.PutAsync($"/api/v1/settings/devices/{_web}/managerialApproval", new { value = "required" })).Expect(HttpStatusCode.OK);
        var number = await _tenant.AskAsync(_tom, _web);
        (await MailsAsync()).ShouldBeEmpty();
        (await _tenant.Owner.PostAsync($"/api/v1/requests/{number}/approve")).Expect(HttpStatusCode.OK);
        (await MailsAsync()).ShouldHaveSingleItem().Recipient.ShouldBe("max@example.org");
    }

    [Fact]
    public async Task A_refusal_is_told_though_whoever_was_refused_may_not_see_the_device()
    {
        await SetAsync("session.refused: master, person:" + _max);
        var stranger = await _tenant.AddTechnicianAsync("eve");
        foreach (var device in (string[])["web1", "web2"])
        {
            var wish = new ConnectionWish(_tenant.Id, new(stranger), "eve", SignInStrength.OneFactor, null, device, null, SessionKind.Shell, "");
            (await _running.Server.Services.GetRequiredService<Admission>().AskAsync(wish, Stop)).ShouldBeOfType<AdmissionResult.Refused>();
        }

        (await MailsAsync()).ShouldHaveSingleItem().Recipient.ShouldBe("max@example.org");
    }

    [Theory]
    [InlineData("session.began: master", "nobody who is named has a mail address")]
    [InlineData("session.began: person:MAX", "nobody who is named takes part and may see the device")]
    public async Task What_is_told_to_nobody_though_somebody_is_named_is_in_the_log_once(string setting, string because)
    {
        await SetAsync(setting.Replace("MAX", $"{_max}", StringComparison.Ordinal));
        (await _tenant.Owner.PostAsync($"/api/v1/technicians/{_max}/disable")).Expect(HttpStatusCode.OK);
        for (var time = 0; time < 2; time++) await ConnectAsync(_tom);
        var record = (await UndeliveredAsync()).ShouldHaveSingleItem();
        (record.GetProperty("subject").GetString(), record.GetProperty("outcome").GetString()).ShouldBe(("web1", "failed"));
        (record.GetProperty("details").GetProperty("event").GetString(), record.GetProperty("details").GetProperty("because").GetString()).ShouldBe(("session.began", because));
        (await MailsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_nobody_is_named_nobody_is_missed()
    {
        await ConnectAsync(_tom);
        await SetAsync("session.refused: master");
        await ConnectAsync(_tom);
        (await UndeliveredAsync()).ShouldBeEmpty();
        (await MailsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_many_that_are_alike_an_address_gets_so_many_in_an_hour_and_others_all_the_same()
    {
        await SetAsync("session.began: mail:ops@example.org; session.ended: mail:ops@example.org, managers");
        for (var time = 0; time <= EventMailing.MostInAnHour; time++) await ConnectAsync(_tom);
        var mails = await MailsAsync();
        mails.Count.ShouldBe(3 * EventMailing.MostInAnHour);
        var outbox = _running.Server.Services.GetRequiredService<Outbox>();
        mails.Count(mail => outbox.Open(mail).Paragraphs.Count == 3).ShouldBe(3, "the last of each says so");
    }

    [Fact]
    public async Task Where_there_is_no_room_to_count_more_that_is_in_the_log_once_and_no_other_organization_is_muted()
    {
        var other = await Tenant.FoundAsync(_running, "other");
        await other.AddDeviceAsync("web1", await other.AddGroupAsync("Servers"));
        (await other.Owner.PutAsync("/api/v1/settings/organization/notifications", new { value = "session.began: mail:duty@example.org" })).Expect(HttpStatusCode.OK);
        await SetAsync("session.began: mail:ops@example.org, mail:lab@example.org; session.ended: mail:ops@example.org");
        var (counts, now) = (_running.Server.Services.GetRequiredService<EventCounts>(), TimeProvider.System.GetUtcNow());
        for (var address = 0; address < EventCounts.Most; address++) counts.Next(_tenant.Id, $"a{address}@example.org", "session.began", now);

        for (var time = 0; time < 2; time++) await ConnectAsync(_tom);
        (await MailsAsync()).ShouldBeEmpty();
        var records = await UndeliveredAsync();
        records.Select(record => record.GetProperty("details").GetProperty("event").GetString()).ShouldBe(["session.began", "session.ended"], ignoreOrder: true);
        foreach (var record in records) record.GetProperty("details").GetProperty("because").GetString().ShouldBe("too many different addresses and events within an hour");

        await using var session = await other.OpenSessionAsync(other.OwnerId.Value, "web1");
        await ToldAsync(other);
        await using var db = _running.Server.Services.GetRequiredService<Database>().Read(other.Id);
        (await db.Set<OutgoingMail>().AsNoTracking().SingleAsync(mail => mail.Kind == "event", Stop)).Recipient.ShouldBe("duty@example.org");
    }

    [Fact]
    public async Task However_many_are_told_of_one_event_it_fails_for_none_of_their_mails_and_goes_on_where_it_stopped()
    {
        for (var more = 0; more < EventMailing.MostAtOnce; more++) await _tenant.AddTechnicianAsync($"t{more}", $"t{more}@example.org");
        (await _tenant.Owner.PostAsync(
            "/api/v1/grants",
            new { subject = new { kind = "technicianGroup", id = _tenant.Everyone }, scope = new { kind = "device", id = _web }, role = SystemRoles.OnlyDeviceConnection.Id.Value })).Expect(HttpStatusCode.Created);
        await SetAsync("session.began: holders:Terminal, mail:T0@example.org, mail:zoe@example.org");
        await ExecuteAsync(
            $"CREATE TRIGGER full BEFORE INSERT ON outgoing_mail WHEN (SELECT count(*) FROM outgoing_mail) >= {EventMailing.MostAtOnce} BEGIN SELECT RAISE(ABORT, 'full'); END");
        await ConnectAsync(_tom);
        await UntilAsync(async () => (await MailedAsync()).Count == EventMailing.MostAtOnce);
        await ExecuteAsync("DROP TRIGGER full");
        await _running.RestartAsync();
        var recipients = (await MailsAsync()).Select(mail => mail.Recipient).ToList();
        recipients.Order(StringComparer.Ordinal).ShouldBe(
            Enumerable.Range(0, EventMailing.MostAtOnce).Select(more => $"t{more}@example.org").Append("max@example.org").Append("zoe@example.org").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_to_be_told_of_a_device_that_is_gone_by_then_is_in_the_log()
    {
        await SetAsync("session.began: mail:ops@example.org");
        await _running.Server.Services.GetRequiredService<WriteQueue>().AppendAsync(_tenant.Id, db => db.Append(Gone("web0")), Stop);
        await ConnectAsync(_tom);
        (await MailsAsync()).ShouldHaveSingleItem();
        var record = (await UndeliveredAsync()).ShouldHaveSingleItem();
        record.GetProperty("subject").GetString().ShouldBe("web0");
        record.GetProperty("details").GetProperty("because").GetString().ShouldBe("the device is gone by now, or nobody is named for it any more");

        EventToTell Gone(string name) => new()
        {
            OrganizationId = _tenant.Id,
            Id = Guid.CreateVersion7(),
            Kind = "session.began",
            Device = new(Guid.NewGuid()),
            DeviceName = name,
            Concerned = null,
            At = TimeProvider.System.GetUtcNow(),
            Correlation = "",
            Through = "",
        };
    }

    [Fact]
    public void What_was_counted_and_told_to_nobody_counts_for_nothing()
    {
        var (counts, here, now) = (new EventCounts(), new OrganizationId(Guid.NewGuid()), DateTimeOffset.UnixEpoch);
        counts.Next(here, "a", "x", now).ShouldBe(1);
        counts.TakeBack(here, "A", "x");
        (counts.Next(here, "a", "x", now), counts.Next(here, "a", "x", now)).ShouldBe((1, 2));
        counts.NextWithoutRoom(here, "x", now).ShouldBe(1);
        counts.TakeBackWithoutRoom(here, "x");
        counts.NextWithoutRoom(here, "x", now).ShouldBe(1);
    }

    [Fact]
    public void A_count_is_over_after_an_hour_and_then_makes_room()
    {
        var (counts, here, now) = (new EventCounts(), new OrganizationId(Guid.NewGuid()), DateTimeOffset.UnixEpoch);
        for (var address = 0; address < EventCounts.Most; address++) counts.Next(here, $"a{address}", "x", now).ShouldBe(1);
        counts.Next(here, "A0", "x", now).ShouldBe(2);
        counts.Next(here, "more", "x", now).ShouldBeNull();
        (counts.NextWithoutRoom(here, "x", now), counts.NextWithoutRoom(here, "x", now)).ShouldBe((1, 2));
        counts.Next(new(Guid.NewGuid()), "more", "x", now).ShouldBe(1);
        var later = now.AddHours(1);
        (counts.Next(here, "more", "x", later), counts.Next(here, "A0", "x", later), counts.NextWithoutRoom(here, "x", later)).ShouldBe((1, 1, 1));
    }

    [Fact]
    public void Each_count_makes_room_when_its_own_hour_is_over()
    {
        var (counts, here, now) = (new EventCounts(), new OrganizationId(Guid.NewGuid()), DateTimeOffset.UnixEpoch);
        for (var address = 0; address < EventCounts.Most; address++) counts.Next(here, $"a{address}", "x", address == 0 ? now : now.AddMinutes(30)).ShouldBe(1);
        counts.Next(here, "more", "x", now.AddMinutes(59)).ShouldBeNull();
        counts.Next(here, "more", "x", now.AddMinutes(60)).ShouldBe(1);
        counts.Next(here, "another", "x", now.AddMinutes(60)).ShouldBeNull();
        counts.Next(here, "a1", "x", now.AddMinutes(60)).ShouldBe(2);
        counts.Next(here, "another", "x", now.AddMinutes(90)).ShouldBe(1);

        // A clock that was set back: what began later than it shows is over.
        counts.Next(here, "a1", "x", now).ShouldBe(1);
        counts.Next(here, "yet another", "x", now).ShouldBe(1);
    }

    private async Task SetAsync(string value) =>
        (await _tenant.Owner.PutAsync($"/api/v1/settings/devices/{_web}/notifications", new { value })).Expect(HttpStatusCode.OK);

    private async Task ExecuteAsync(string sql)
    {
        await using var db = _running.Database.Open();
        await db.Database.ExecuteSqlRawAsync(sql, Stop);
    }

    private async Task ConnectAsync(Guid person)
    {
        await using var session = await _tenant.OpenSessionAsync(person, "web1");
        session.Finish(EndReason.Completed, "", 0);
    }

    private async Task<List<OutgoingMail>> MailsAsync()
    {
        await ToldAsync(_tenant);
        return await MailedAsync();
    }

    private async Task<List<OutgoingMail>> MailedAsync()
    {
        await using var db = _running.Database.Read(_tenant.Id);
        return await db.Set<OutgoingMail>().AsNoTracking().Where(mail => mail.Kind == "event").OrderBy(mail => mail.Id).ToListAsync(Stop);
    }

    private async Task<IReadOnlyList<System.Text.Json.JsonElement>> UndeliveredAsync()
    {
        await ToldAsync(_tenant);
        return (await _tenant.Owner.GetAsync($"/api/v1/audit?kind={EventMailing.Undelivered}")).Expect(HttpStatusCode.OK).Items;
    }

    /// <summary>Returns once nothing that happened waits to be told any more.</summary>
    private Task ToldAsync(Tenant tenant) => UntilAsync(async () =>
    {
        await using var db = _running.Database.Read(tenant.Id);
        return !await db.Set<EventToTell>().AnyAsync(Stop);
    });

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var looking = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await isSo()) await looking.WaitForNextTickAsync(deadline.Token);
    }
}
