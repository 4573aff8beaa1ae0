using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Platform;

public sealed class RepeatedRefusalsTests
{
    [Fact]
    public async Task The_first_refusal_of_a_connection_is_written_at_once_and_repeats_become_one_record_with_a_count()
    {
        await using var lab = await IdentityLab.StartAsync();
        for (var attempt = 0; attempt < 40; attempt++) await RefuseAsync(lab, "web9");
        (await OfAsync(lab, "session.refused")).ShouldHaveSingleItem();
        lab.Clock.Advance(TimeSpan.FromMinutes(1));
        await lab.Get<RepeatedRefusals>().FlushAsync(IdentityLab.Stop);
        var records = await OfAsync(lab, "session.refused");
        records.Select(Count).ShouldBe([1, 39]);
        records.ShouldAllBe(record => record.Subject == "web9" && record.Actor == lab.Tom.Id);

        // A new minute begins anew.
        await RefuseAsync(lab, "web9");
        (await OfAsync(lab, "session.refused")).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Who_tries_one_name_after_the_other_fills_no_log()
    {
        await using var lab = await IdentityLab.StartAsync();
        for (var attempt = 0; attempt < 200; attempt++) await RefuseAsync(lab, $"web{attempt}");
        lab.Clock.Advance(TimeSpan.FromMinutes(1));
        await lab.Get<RepeatedRefusals>().FlushAsync(IdentityLab.Stop);
        var records = await OfAsync(lab, "session.refused");
        records.Count.ShouldBeLessThanOrEqualTo(RepeatedRefusals.MostOfSource + 2);
        records.Sum(Count).ShouldBe(200);
        records[^1].Subject.ShouldBe("");
    }

    [Fact]
    public async Task Refused_changes_of_policy_are_counted_the_same_way()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var bob = await tenant.AddTechnicianAsync("bob");
        for (var attempt = 0; attempt < 10; attempt++) (await tenant.As(bob).PostAsync("/api/v1/device-groups", new { name = "mine" })).Expect(HttpStatusCode.Forbidden);
        (await tenant.Owner.GetAsync("/api/v1/audit?kind=policy.refused")).Items.ShouldHaveSingleItem();
        await running.RestartAsync();
        var items = (await tenant.Owner.GetAsync("/api/v1/audit?kind=policy.refused")).Items;
        items.Select(item => item.GetProperty("details").GetProperty("count").GetInt32()).ShouldBe([9, 1]);
    }

    [Fact]
    public async Task A_refusal_that_could_not_be_written_down_is_once_it_can()
    {
        await using var lab = await IdentityLab.StartAsync();
        await using var db = lab.Get<Database>().Open();
        await db.Database.ExecuteSqlRawAsync("CREATE TRIGGER full BEFORE INSERT ON audit_record WHEN NEW.Kind LIKE '%.refused' BEGIN SELECT RAISE(ABORT, 'no room'); END", IdentityLab.Stop);
        for (var attempt = 0; attempt < 2; attempt++) await Should.ThrowAsync<DbUpdateException>(RefuseAsync(lab, "web9").AsTask());
        var overreach = new PolicyCommand.AddDeviceGroup(new(Guid.NewGuid()), null, "Mine");
        var tom = lab.AsAnn with { Person = lab.Tom.Id, Login = lab.Tom.Login };
        await Should.ThrowAsync<DbUpdateException>(lab.Get<PolicyWriter>().ApplyAsync(tom, overreach, IdentityLab.Stop));
        await lab.Get<RepeatedRefusals>().FlushAsync(IdentityLab.Stop);
        await db.Database.ExecuteSqlRawAsync("DROP TRIGGER full", IdentityLab.Stop);
        await lab.Get<RepeatedRefusals>().FlushAsync(IdentityLab.Stop);
        (await OfAsync(lab, "session.refused")).Sum(Count).ShouldBe(2);
        (await OfAsync(lab, "policy.refused")).Sum(Count).ShouldBe(1);
    }

    private static ValueTask RefuseAsync(IdentityLab lab, string device) => lab.Get<ISessionLedger>().RefuseAsync(
        new(
            lab.Organization, lab.Tom.Id, lab.Tom.Login, device, "root", PermissionSet.Of(Permission.Terminal), DecisionKind.Denied,
            DenialReason.UnknownDevice, IPAddress.Loopback, lab.Clock.GetUtcNow()),
        IdentityLab.Stop);

    private static int Count(AuditRecord record) => JsonNode.Parse(record.Details)!["count"]!.GetValue<int>();

    private static async Task<List<AuditRecord>> OfAsync(IdentityLab lab, string kind) => [.. (await lab.AuditAsync()).Where(record => record.Kind == kind).OrderBy(record => record.Id)];
}
