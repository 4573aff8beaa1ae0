using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Api;

public sealed class SessionTests : FeatureTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    private ISessionLedger Ledger => Running.Server.Services.GetRequiredService<ISessionLedger>();

    [Fact]
    public async Task A_right_to_look_back_counts_for_the_accounts_that_it_was_given_for()
    {
        await GrantHistoryAsync(Bob, "deploy");
        var older = await BeginAsync("deploy", Noon);
        await BeginAsync("root", Noon.AddMinutes(1));
        var newest = await BeginAsync("deploy", Noon.AddMinutes(2));
        var seen = (await Tenant.As(Bob).GetAsync("/api/v1/sessions")).Expect(HttpStatusCode.OK).Items;
        seen.Select(item => item.GetProperty("id").GetGuid()).ShouldBe([newest, older]);
        seen.ShouldAllBe(item => item.GetProperty("mayEnd").GetBoolean());
    }

    [Fact]
    public async Task A_page_is_full_or_it_is_the_last_however_much_there_is_that_is_not_the_caller_s()
    {
        await GrantHistoryAsync(Bob, "deploy");
        Guid[] mine = [await BeginAsync("deploy", Noon), await BeginAsync("deploy", Noon.AddMinutes(1))];
        await EndAsync(mine[0]);
        await AddHiddenAsync(1200);
        mine = [await BeginAsync("deploy", Noon.AddMinutes(3)), mine[1], mine[0]];
        await EndAsync(mine[0]);
        foreach (var (state, expected) in new[] { ("", mine), ("&state=ended", [mine[0], mine[2]]), ("&state=live", [mine[1]]) })
        {
            var found = new List<Guid>();
            for (string? cursor = ""; cursor is not null;)
            {
                var page = (await Tenant.As(Bob).GetAsync($"/api/v1/sessions?limit=1{state}{cursor}")).Expect(HttpStatusCode.OK);
                found.Add(page.Items.ShouldHaveSingleItem().GetProperty("id").GetGuid());
                cursor = page.Body.GetProperty("next").GetString() is { } next ? $"&cursor={next}" : null;
            }

            found.ShouldBe(expected, ignoreOrder: false, state);
        }

        (await Owner.GetAsync("/api/v1/sessions?limit=1000&state=ended")).Items.Count.ShouldBe(1000);
    }

    [Fact]
    public async Task Who_may_look_back_on_different_accounts_of_different_devices_sees_exactly_those()
    {
        var accounts = new[] { "root", "deploy" };
        await GrantHistoryAsync(Bob, "deploy");
        var other = await Tenant.AddDeviceAsync("other", await Tenant.AddGroupAsync("Others"), "root", "deploy");
        (await Owner.PostAsync("/api/v1/grants", new
        {
            subject = new { kind = "person", id = Bob },
            scope = new { kind = "device", id = other },
            role = SystemRoles.FullDeviceAccess.Id.Value,
            accounts = new { rule = "named", names = new[] { "root" } },
        })).Expect(HttpStatusCode.Created);
        var minute = 0;
        var expected = new List<Guid>();
        foreach (var device in new[] { Web1, other })
        {
            foreach (var account in accounts)
            {
                var opening = Opening(account, Noon.AddMinutes(minute++)) with { Device = new(device) };
                await Ledger.BeginAsync(opening, TestContext.Current.CancellationToken);
                await EndAsync(opening.Id.Value);
                if ((device == Web1) == (account == "deploy")) expected.Insert(0, opening.Id.Value);
            }
        }

        (await Tenant.As(Bob).GetAsync("/api/v1/sessions")).Items.Select(item => item.GetProperty("id").GetGuid()).ShouldBe(expected);
    }

    [Fact]
    public async Task Whoever_ends_a_session_is_in_the_audit_log()
    {
        var admitted = (await Running.Server.Services.GetRequiredService<Admission>().AskAsync(
            new(Tenant.Id, new(Ann), "ann", SignInStrength.OneFactor, null, "web1", null, SessionKind.Shell, ""),
            TestContext.Current.CancellationToken)).ShouldBeOfType<AdmissionResult.Admitted>();
        await using var session = admitted.Session;
        var id = session.Opening.Id.Value;
        foreach (var hidden in (string[])["\u202eecnanetniam", "main\u200btenance", "\u001b[2J"])
            (await Owner.PostAsync($"/api/v1/sessions/{id}/end", new { reason = hidden })).Expect(HttpStatusCode.BadRequest);
        session.End.ShouldBeNull();
        (await Owner.PostAsync($"/api/v1/sessions/{id}/end", new { reason = "maintenance" })).Expect(HttpStatusCode.NoContent);
        session.End!.Value.Reason.ShouldBe(EndReason.Terminated);
        var record = (await Owner.GetAsync("/api/v1/audit")).Items.Single(item => item.GetProperty("kind").GetString() == "session.terminated");
        record.GetProperty("actor").GetProperty("id").GetGuid().ShouldBe(Tenant.OwnerId.Value);
        record.GetProperty("subject").GetString().ShouldBe("web1");
        record.GetProperty("correlation").GetString().ShouldBe(id.ToString());
        record.GetProperty("details").GetProperty("reason").GetString().ShouldBe("maintenance");
    }

    [Fact]
    public async Task An_end_that_is_told_twice_is_written_down_once()
    {
        var id = await BeginAsync("root", Noon);
        var end = new SessionEnd(new(id), Tenant.Id, EndReason.Completed, "", 0, 1, 2, Noon.AddMinutes(1));
        await Ledger.EndAsync(end, TestContext.Current.CancellationToken);
        await Ledger.EndAsync(end, TestContext.Current.CancellationToken);
        (await Owner.GetAsync("/api/v1/audit")).Items.Count(item => item.GetProperty("kind").GetString() == "session.ended").ShouldBe(1);
    }

    private async Task<Guid> BeginAsync(string account, DateTimeOffset at)
    {
        var opening = Opening(account, at);
        await Ledger.BeginAsync(opening, TestContext.Current.CancellationToken);
        return opening.Id.Value;
    }

    private async Task EndAsync(Guid id) =>
        await Ledger.EndAsync(new(new(id), Tenant.Id, EndReason.Completed, "", 0, 1, 2, Noon.AddHours(1)), TestContext.Current.CancellationToken);

    private Task AddHiddenAsync(int count) => Running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
        Tenant.Id,
        (db, _) =>
        {
            for (var number = 0; number < count; number++)
            {
                var opening = Opening("root", Noon.AddMinutes(2));
                db.Add(new SessionRecord
                {
                    OrganizationId = opening.Organization,
                    Id = opening.Id.Value,
                    Person = opening.Person,
                    Login = opening.Login,
                    Device = opening.Device,
                    DeviceName = opening.DeviceName,
                    Account = opening.Account,
                    Kind = opening.Kind,
                    Command = opening.Command,
                    Source = opening.Source,
                    Started = opening.At,
                    PolicyVersion = opening.PolicyVersion,
                    Ended = Noon.AddHours(1),
                    Reason = EndReason.Completed,
                });
            }

            return Task.CompletedTask;
        },
        TestContext.Current.CancellationToken);

    private SessionOpening Opening(string account, DateTimeOffset at) => new(
        new(Guid.CreateVersion7(at)), Tenant.Id, Tenant.OwnerId, "acme-owner", new(Web1), "web1", account, SessionKind.Shell, "", IPAddress.Loopback, at, 1);

    private async Task GrantHistoryAsync(Guid person, string account) => (await Owner.PostAsync("/api/v1/grants", new
    {
        subject = new { kind = "person", id = person },
        scope = new { kind = "device", id = Web1 },
        role = SystemRoles.FullDeviceAccess.Id.Value,
        accounts = new { rule = "named", names = new[] { account } },
    })).Expect(HttpStatusCode.Created);
}
