using System.Net;
using System.Text;
using System.Text.Json;
using Countersign.Audit;
using Countersign.Server.Features.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Api;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Audit;

public sealed class AuditExcerptTests : FeatureTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_excerpt_carries_its_proofs_and_hangs_on_a_checkpoint_from_before()
    {
        await LogAsync(2500, number => number % 7 == 0 ? "test.seventh" : "test.happened");
        var kept = (await Owner.GetAsync("/api/v1/audit/checkpoint")).Text;
        using var checkpoint = JsonDocument.Parse(kept);
        var since = checkpoint.RootElement.GetProperty("size").GetInt64();
        await LogAsync(100, _ => "test.seventh");

        var export = (await Owner.GetAsync($"/api/v1/audit/export?kind=test.seventh&since={since}")).Expect(HttpStatusCode.OK).Text;
        var verdict = await VerifyAsync(export, kept);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Proved.ShouldBe(358 + 100);

        (await VerifyAsync((await Owner.GetAsync("/api/v1/audit/export?kind=test.seventh")).Text, kept)).Fault.ShouldBe(AuditFault.UnconnectedCheckpoint);
        var lines = export.Split('\n');
        lines[40] = lines[40].Replace("\"subject\":\"", "\"subject\":\"x", StringComparison.Ordinal);
        var changed = await VerifyAsync(string.Join('\n', lines), kept);
        changed.Fault.ShouldBe(AuditFault.ChangedRecord);
        (await VerifyAsync((await Owner.GetAsync($"/api/v1/audit/export?person={Bob}&outcome=failed&since={since}")).Text, kept)).IsIntact.ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_asked_of_an_export_and_is_not_there_is_refused()
    {
        (await Owner.GetAsync("/api/v1/audit/export?format=xml")).ExpectInvalid("format");
        (await Owner.GetAsync("/api/v1/audit/export?since=-1")).ExpectInvalid("since");
        (await Owner.GetAsync("/api/v1/audit/export?kind=x&since=100000")).ExpectInvalid("since");
        (await Owner.GetAsync("/api/v1/audit/export?outcome=perhaps")).ExpectInvalid("outcome");
        (await Tenant.As(Bob).GetAsync("/api/v1/audit/export?kind=x")).Expect(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_spreadsheet_gets_rows_that_are_quoted_and_no_formulas()
    {
        await LogAsync(1, _ => "test.happened", "=cmd|' /C calc'!A0");
        await LogAsync(1, _ => "test.happened", "a \"b\", c");
        var csv = (await Owner.GetAsync("/api/v1/audit/export?format=csv&kind=test.happened")).Expect(HttpStatusCode.OK).Text;
        var lines = csv.Split("\r\n");
        lines.Length.ShouldBe(4);
        lines[0].ShouldStartWith("number,id,at,kind,outcome,actor,login");
        lines[1].ShouldContain(",'=cmd|' /C calc'!A0,");
        lines[2].ShouldContain(",\"a \"\"b\"\", c\",");
        lines[3].ShouldBeEmpty();
        (await Owner.GetAsync("/api/v1/audit?kind=audit.exported")).Items[0].GetProperty("details").GetProperty("format").GetString().ShouldBe("csv");
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "\"'\t'=1\"")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("a\nb", "\"a\nb\"")]
    [InlineData("\r=1", "\"'\r'=1\"")]
    public void A_field_is_as_RFC_4180_has_it_and_never_a_formula(string text, string field) => Csv.Field(text).ShouldBe(field);

    [Fact]
    public async Task Every_page_reads_one_index_in_its_order_and_sorts_nothing()
    {
        await LogAsync(200, number => number % 2 == 0 ? "test.even" : "test.odd");
        await using var db = Running.Database.Read(Tenant.Id);
        var now = DateTimeOffset.UnixEpoch.AddYears(100);
        foreach (var filter in (AuditFilter[])
        [
            default, new() { Person = Bob }, new() { Device = Web1 }, new() { Kind = "test" }, new() { Kind = "test.odd", Outcome = "done" }, new() { Outcome = "failed" },
            new() { From = DateTimeOffset.UnixEpoch, To = now }, new() { Person = Bob, Kind = "policy", From = DateTimeOffset.UnixEpoch },
        ])
        {
            foreach (var arm in await AuditSearch.ArmsAsync(db, filter, Stop))
            {
                foreach (var ordered in (IQueryable<AuditRecord>[])[arm.OrderByDescending(record => record.Id).Take(101), arm.OrderBy(record => record.Id).Take(101)])
                {
                    var plan = await PlanAsync(db, ordered);
                    plan.ShouldContain("USING INDEX", Case.Sensitive, plan);
                    plan.ShouldNotContain("SCAN audit_record", Case.Insensitive, plan);
                    if (!plan.Contains("IX_audit_record_OrganizationId_At", StringComparison.Ordinal)) plan.ShouldNotContain("B-TREE", Case.Insensitive, plan);
                }
            }
        }
    }

    [Fact]
    public async Task Records_from_a_clock_that_was_set_back_are_found_by_their_time()
    {
        var service = Running.Server.Services.GetRequiredService<AuditLog>();
        var future = (DateTimeOffset.UnixEpoch.AddYears(400).UtcTicks / 10) + 1;
        service.ContinueAfter(future);
        await LogAsync(3, _ => "test.behind");
        var all = (await Owner.GetAsync("/api/v1/audit?kind=test.behind")).Items;
        all.Count.ShouldBe(3);
        var at = all[0].GetProperty("at").GetDateTimeOffset();
        (await Owner.GetAsync($"/api/v1/audit?kind=test.behind&from={Text(at.AddMinutes(-1))}&to={Text(at.AddMinutes(1))}")).Items.Count.ShouldBe(3);
        (await Owner.GetAsync($"/api/v1/audit?kind=test.behind&to={Text(at.AddMinutes(-1))}")).Items.ShouldBeEmpty();
        (await Owner.GetAsync($"/api/v1/audit?kind=test.behind&from={Text(at.AddMinutes(1))}")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Pages_put_together_are_the_whole_in_order()
    {
        await LogAsync(25, number => $"test.kind{number % 5}");
        var whole = (await Owner.GetAsync("/api/v1/audit?kind=test&limit=1000")).Items.Select(item => item.GetProperty("id").GetInt64()).ToList();
        whole.Count.ShouldBe(25);
        whole.ShouldBe(whole.OrderDescending());
        var (paged, cursor) = (new List<long>(), "");
        do
        {
            var page = (await Owner.GetAsync($"/api/v1/audit?kind=test&limit=4{cursor}")).Expect(HttpStatusCode.OK);
            paged.AddRange(page.Items.Select(item => item.GetProperty("id").GetInt64()));
            using var json = JsonDocument.Parse(page.Text);
            cursor = json.RootElement.GetProperty("next").GetString() is { } next ? $"&cursor={next}" : "";
        }
        while (cursor.Length > 0);
        paged.ShouldBe(whole);
    }

    private static string Text(DateTimeOffset at) => Uri.EscapeDataString(at.ToString("O", System.Globalization.CultureInfo.InvariantCulture));

    private static async Task<string> PlanAsync(CountersignDb db, IQueryable<AuditRecord> query)
    {
        await using var command = query.CreateDbCommand();
#pragma warning disable CA2100 // the text is what EF makes of the query
        command.CommandText = $"EXPLAIN QUERY PLAN {command.CommandText}";
#pragma warning restore CA2100
        await db.Database.OpenConnectionAsync(Stop);
        await using var reader = await command.ExecuteReaderAsync(Stop);
        var plan = new StringBuilder();
        while (await reader.ReadAsync(Stop)) plan.AppendLine(reader.GetString(3));
        return plan.ToString();
    }

    private Task LogAsync(int count, Func<int, string> kind, string subject = "something") => Running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
        Tenant.Id,
        (db, _) =>
        {
            var audit = Running.Server.Services.GetRequiredService<AuditLog>();
            for (var number = 0; number < count; number++) audit.Add(db, new() { Kind = kind(number), Channel = "system", Subject = subject });
            return Task.CompletedTask;
        },
        Stop);

    private static async Task<AuditVerdict> VerifyAsync(string export, string kept)
    {
        using var exported = new MemoryStream(Encoding.UTF8.GetBytes(export));
        using var checkpoints = new MemoryStream(Encoding.UTF8.GetBytes(kept));
        return await AuditVerifier.VerifyAsync(exported, checkpoints, Stop);
    }
}
