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
            (await _running.Server.Services.GetRequiredService<Admission>().AskAsync(wish, TestContext.Current.CancellationToken)).ShouldBeOfType<AdmissionResult.Refused>();
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
        for (var time = 0; time <= EventNews.MostInAnHour; time++) await ConnectAsync(_tom);
        var mails = await MailsAsync();
        mails.Count.ShouldBe(3 * EventNews.MostInAnHour);
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
        await using var db = _running.Server.Services.GetRequiredService<Database>().Read(other.Id);
        (await db.Set<OutgoingMail>().AsNoTracking().SingleAsync(mail => mail.Kind == "event", TestContext.Current.CancellationToken)).Recipient.ShouldBe("duty@example.org");
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

    private async Task SetAsync(string value) =>
        (await _tenant.Owner.PutAsync($"/api/v1/settings/devices/{_web}/notifications", new { value })).Expect(HttpStatusCode.OK);

    private async Task ConnectAsync(Guid person)
    {
        await using var session = await _tenant.OpenSessionAsync(person, "web1");
        session.Finish(EndReason.Completed, "", 0);
    }

    private async Task<List<OutgoingMail>> MailsAsync()
    {
        await using var db = _running.Server.Services.GetRequiredService<Database>().Read(_tenant.Id);
        return await db.Set<OutgoingMail>().AsNoTracking().Where(mail => mail.Kind == "event").OrderBy(mail => mail.Id).ToListAsync(TestContext.Current.CancellationToken);
    }

    private async Task<IReadOnlyList<System.Text.Json.JsonElement>> UndeliveredAsync() =>
        (await _tenant.Owner.GetAsync($"/api/v1/audit?kind={EventNews.Undelivered}")).Expect(HttpStatusCode.OK).Items;
}
