using System.Net;
using System.Text;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Features.Audit;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Api;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Audit;

public sealed class AuditApiTests : FeatureTests
{
    [Fact]
    public async Task The_log_is_searched_by_person_device_kind_outcome_and_time()
    {
        (await Tenant.As(Bob).PostAsync("/api/v1/device-groups", new { name = "mine" })).Expect(HttpStatusCode.Forbidden);
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "changed" })).Expect(HttpStatusCode.OK);

        (await KindsAsync($"person={Bob}&outcome=refused")).ShouldBe(["policy.refused"]);
        (await KindsAsync("kind=policy.refused")).ShouldBe(["policy.refused"]);
        (await KindsAsync("kind=policy&outcome=refused")).ShouldBe(["policy.refused"]);
        (await KindsAsync("kind=poli")).ShouldBeEmpty();
        (await KindsAsync("kind=policy%25")).ShouldBeEmpty();
        (await KindsAsync($"device={Web1}")).ShouldAllBe(kind => kind == "policy.changed");
        (await KindsAsync($"device={Web1}")).Count.ShouldBeGreaterThanOrEqualTo(2);
        (await KindsAsync($"device={Guid.NewGuid()}")).ShouldBeEmpty();

        var all = (await Owner.GetAsync("/api/v1/audit?limit=1000")).Items;
        var middle = all[all.Count / 2].GetProperty("at").GetDateTimeOffset();
        var (since, before) = (await KindsAsync($"from={Escaped(middle)}"), await KindsAsync($"to={Escaped(middle)}"));
        (since.Count + before.Count).ShouldBe(all.Count);
        since.ShouldNotBeEmpty();
        before.ShouldNotBeEmpty();

        (await Owner.GetAsync("/api/v1/audit?outcome=perhaps")).ExpectInvalid("outcome");
        (await Owner.GetAsync($"/api/v1/audit?kind={new string('k', 65)}")).ExpectInvalid("kind");
    }

    [Fact]
    public async Task A_record_shows_its_number_once_it_is_sealed()
    {
        await CheckpointAsync();
        var newest = (await Owner.GetAsync("/api/v1/audit?limit=1")).Items.ShouldHaveSingleItem();
        newest.GetProperty("number").GetInt64().ShouldBe((await Owner.GetAsync("/api/v1/audit?limit=1000")).Items.Count);
    }

    [Fact]
    public async Task Only_who_may_read_the_log_gets_an_export_or_a_checkpoint()
    {
        foreach (var path in (string[])["/api/v1/audit/export", "/api/v1/audit/checkpoint"])
        {
            (await Tenant.As(Bob).GetAsync(path)).Expect(HttpStatusCode.Forbidden);
            (await Running.Anybody.GetAsync(path)).Expect(HttpStatusCode.Unauthorized);
        }

        await Tenant.GrantTeamAsync(Bob, SystemRoles.Auditor.Id);
        (await Tenant.As(Bob).GetAsync("/api/v1/audit/export")).Expect(HttpStatusCode.OK);
        (await Tenant.As(Bob).GetAsync("/api/v1/audit/checkpoint")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_export_verifies_against_an_earlier_checkpoint_and_ends_with_the_record_of_itself()
    {
        var kept = await CheckpointAsync();
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "changed" })).Expect(HttpStatusCode.OK);
        var export = await ExportAsync();
        var verdict = await VerifyAsync(export, kept);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Proved.ShouldBe((await Owner.GetAsync("/api/v1/audit?limit=1000")).Items.Count);
        var last = export.TrimEnd('\n').Split('\n')[^1];
        last.ShouldContain("\"audit.exported\"");
        last.ShouldContain("acme-owner");
        (await VerifyAsync(await ExportAsync(), await CheckpointAsync())).IsIntact.ShouldBeTrue();
    }

    [Fact]
    public async Task A_log_longer_than_a_piece_verifies_too()
    {
        await Running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            Tenant.Id,
            (db, _) =>
            {
                var audit = Running.Server.Services.GetRequiredService<Server.Platform.AuditLog>();
                for (var number = 0; number < 2500; number++) audit.Add(db, new() { Kind = "test.happened", Channel = "system", Subject = $"{number}" });
                return Task.CompletedTask;
            },
            TestContext.Current.CancellationToken);
        var kept = await CheckpointAsync();
        kept.ShouldContain("\"size\":25");
        var verdict = await VerifyAsync(await ExportAsync(), kept);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Proved.ShouldBeGreaterThan(2500);
    }

    [Theory]
    [InlineData("update audit_record set ActorLogin = 'nobody' where Id = {0}", AuditFault.ChangedRecord)]
    [InlineData("update audit_record set At = At + 1 where Id = {0}", AuditFault.ChangedRecord)]
    [InlineData("update audit_record set Details = '{{}}' where Id = {0}", AuditFault.ChangedRecord)]
    [InlineData("update audit_record set Outcome = 3 where Id = {0}", AuditFault.ChangedRecord)]
    [InlineData("update audit_seal set Salt = randomblob(32) where Record = {0}", AuditFault.ChangedRecord)]
    [InlineData("delete from audit_record where Id = {0}", AuditFault.MissingRecord)]
    public async Task Who_edits_the_database_is_found_and_the_record_named(string sql, AuditFault fault)
    {
        var kept = await CheckpointAsync();
        long number, id;
        await using (var db = Running.Database.Read(Tenant.Id))
        {
            var seal = await db.Set<AuditSeal>().AsNoTracking().SingleAsync(row => row.Number == 4, TestContext.Current.CancellationToken);
            (number, id) = (seal.Number, seal.Record);
        }

        await EditAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, id));
        var verdict = await VerifyAsync(await ExportAsync(), kept);
        (verdict.Fault, verdict.Record).ShouldBe((fault, number), verdict.Message);
    }

    [Fact]
    public async Task A_row_that_is_removed_with_its_seal_is_named_though_nothing_proves_the_rows_before_it_any_more()
    {
        var kept = await CheckpointAsync();
        await EditAsync("delete from audit_record where Id = (select Record from audit_seal where Number = 4); delete from audit_seal where Number = 4");
        var verdict = await VerifyAsync(await ExportAsync(), kept);
        (verdict.Fault, verdict.Record).ShouldBe((AuditFault.ChangedRecord, 1));
        verdict.Message.ShouldContain("Nor does record 4 stand in its place");
    }

    /// <summary>As somebody who has the file.</summary>
    private async Task EditAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Running.Database.File};Foreign Keys=False;Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the text is one of this test's own
        command.CommandText = sql;
#pragma warning restore CA2100
        (await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken)).ShouldBeGreaterThan(0);
    }

    private static string Escaped(DateTimeOffset at) => Uri.EscapeDataString(at.ToString("O", System.Globalization.CultureInfo.InvariantCulture));

    private async Task<List<string>> KindsAsync(string query) =>
        [.. (await Owner.GetAsync($"/api/v1/audit?limit=1000&{query}")).Expect(HttpStatusCode.OK).Items.Select(item => item.GetProperty("kind").GetString()!)];

    private async Task<string> CheckpointAsync() => (await Owner.GetAsync("/api/v1/audit/checkpoint")).Expect(HttpStatusCode.OK).Text;

    private async Task<string> ExportAsync() => (await Owner.GetAsync("/api/v1/audit/export")).Expect(HttpStatusCode.OK).Text;

    private static async Task<AuditVerdict> VerifyAsync(string export, string kept)
    {
        using var exported = new MemoryStream(Encoding.UTF8.GetBytes(export));
        using var checkpoints = new MemoryStream(Encoding.UTF8.GetBytes(kept));
        return await AuditVerifier.VerifyAsync(exported, checkpoints, TestContext.Current.CancellationToken);
    }
}
