using System.Net;
using System.Text;
using System.Text.Json;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Api;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Audit;

public sealed class AuditErasureTests : FeatureTests
{
    private static readonly string[] _all = ["actorLogin", "source", "subject"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_erased_is_gone_and_the_log_verifies_against_a_checkpoint_from_before()
    {
        (await Tenant.As(Bob).PostAsync("/api/v1/device-groups", new { name = "mine" })).Expect(HttpStatusCode.Forbidden);
        var kept = (await Owner.GetAsync("/api/v1/audit/checkpoint")).Text;
        await DisableAsync(Bob);
        var count = await EraseAsync(preview: true);
        count.ShouldBeGreaterThan(1);
        (await RecordsAsync()).ShouldContain(record => record.Actor == new PersonId(Bob) && record.ActorLogin.Length > 0);
        (await EraseAsync()).ShouldBe(count);
        (await EraseAsync()).ShouldBe(0);

        foreach (var record in await RecordsAsync())
        {
            if (record.Actor == new PersonId(Bob)) (record.ActorLogin, record.Source).ShouldBe(("", null));
            if (record.SubjectId == Bob && record.Kind != "audit.erased") record.Subject.ShouldBe("");
        }

        var export = (await Owner.GetAsync("/api/v1/audit/export")).Text;
        using var exported = new MemoryStream(Encoding.UTF8.GetBytes(export));
        using var checkpoints = new MemoryStream(Encoding.UTF8.GetBytes(kept));
        var verdict = await AuditVerifier.VerifyAsync(exported, checkpoints, Stop);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Erased.ShouldBe(count);
        verdict.ErasedFields.Order().ShouldBe(_all.Order());

        var told = (await Owner.GetAsync("/api/v1/audit?kind=audit.erased")).Items.ShouldHaveSingleItem();
        told.GetProperty("details").GetProperty("records").GetInt64().ShouldBe(count);
        told.GetProperty("details").GetProperty("reason").GetString().ShouldBe("asked for by bob");
        (await Owner.GetAsync($"/api/v1/audit?person={Bob}&kind=policy.refused")).Items.ShouldHaveSingleItem()
            .GetProperty("erased").EnumerateArray().Select(name => name.GetString()).ShouldBe(["actorLogin", "source"]);
    }

    [Fact]
    public async Task Nothing_of_what_was_erased_is_left_in_the_files()
    {
        var login = $"erasable{Guid.NewGuid():N}";
        var person = await Tenant.AddTechnicianAsync(login);
        (await Tenant.As(person).PostAsync("/api/v1/device-groups", new { name = "mine" })).Expect(HttpStatusCode.Forbidden);
        await DisableAsync(person);
        await SealAsync();
        var before = await RecordsAsync();
        (await Owner.PostAsync("/api/v1/audit/erase", new { person, fields = _all, reason = "asked for" })).Expect(HttpStatusCode.OK);
        (await RecordsAsync()).Where(record => record.Actor == new PersonId(person)).ShouldAllBe(record => record.ActorLogin != login);
        before.Count(record => record.ActorLogin == login).ShouldBeGreaterThan(0);

        // The change log beside the database was written back.
        new FileInfo($"{Running.Database.File}-wal").Length.ShouldBeLessThan(64 * 1024);
    }

    [Fact]
    public async Task Only_who_manages_technicians_erases_and_only_of_who_is_out()
    {
        var request = new { person = Bob, fields = _all, reason = "asked for by bob" };
        await Tenant.GrantTeamAsync(Ann, SystemRoles.Auditor.Id);
        (await Tenant.As(Ann).PostAsync("/api/v1/audit/erase", request)).Expect(HttpStatusCode.Forbidden);
        (await Owner.PostAsync("/api/v1/audit/erase", request)).Expect(HttpStatusCode.Conflict);
        (await Owner.PostAsync("/api/v1/audit/erase", request with { person = Tenant.OwnerId.Value })).Expect(HttpStatusCode.Conflict);
        (await RecordsAsync()).ShouldAllBe(record => record.Kind != "audit.erased");
    }

    [Theory]
    [InlineData("login")]
    [InlineData("kind")]
    [InlineData("details")]
    [InlineData("details.")]
    [InlineData("details.a.b")]
    public async Task What_is_no_personal_field_is_refused(string field)
    {
        (await Owner.PostAsync("/api/v1/audit/erase", new { person = Guid.NewGuid(), fields = new[] { field }, reason = "x" })).ExpectInvalid("fields");
        (await Owner.PostAsync("/api/v1/audit/erase", new { person = Guid.NewGuid(), fields = _all, reason = "" })).ExpectInvalid("reason");
        (await Owner.PostAsync("/api/v1/audit/erase", new { person = Guid.NewGuid(), fields = Array.Empty<string>(), reason = "x" })).ExpectInvalid("fields");
    }

    private async Task DisableAsync(Guid person) => (await Owner.PostAsync($"/api/v1/technicians/{person}/disable")).Expect(HttpStatusCode.OK);

    private async Task SealAsync() => (await Owner.GetAsync("/api/v1/audit/checkpoint")).Expect(HttpStatusCode.OK);

    private async Task<long> EraseAsync(bool preview = false)
    {
        var answer = (await Owner.PostAsync("/api/v1/audit/erase", new { person = Bob, fields = _all, reason = "asked for by bob", preview })).Expect(HttpStatusCode.OK);
        using var json = JsonDocument.Parse(answer.Text);
        return json.RootElement.GetProperty("records").GetInt64();
    }

    private async Task<List<AuditRecord>> RecordsAsync()
    {
        await using var db = Running.Database.Read(Tenant.Id);
        return await db.Set<AuditRecord>().AsNoTracking().ToListAsync(Stop);
    }
}
