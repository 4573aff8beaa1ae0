using System.Net;
using System.Text;
using System.Text.Json;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Features.Audit;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Api;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Audit;

public sealed class AuditErasureTests : FeatureTests
{
    private static readonly string[] _all = ["actorLogin", "source", "subject"];

    private static readonly string[] _everything =
    [
        "actor", "actorLogin", "source", "subject", "subjectId", "details.account", "details.kind", "details.command", "details.version", "details.journal", "details.detail", "details.reason",
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_erased_is_gone_and_the_log_verifies_against_a_checkpoint_from_before()
    {
        (await Tenant.As(Bob).PostAsync("/api/v1/device-groups", new { name = "mine" })).Expect(HttpStatusCode.Forbidden);
        (await Running.Anybody.PostAsync("/api/v1/sign-in", new { login = "bob", password = "wrong-horse-69" })).Expect(HttpStatusCode.Unauthorized);
        await Running.Server.Services.GetRequiredService<RepeatedRefusals>().FlushAsync(Stop);
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
            if (record.SubjectId == Bob && record.Actor == new PersonId(Bob)) record.Subject.ShouldBe("");
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

    /// <summary>Sessions and secrets are told of under the device's id, changes under that of the row.</summary>
    [Theory]
    [InlineData("device")]
    [InlineData("grant")]
    [InlineData("session")]
    [InlineData("role")]
    [InlineData("group")]
    [InlineData("organization")]
    [InlineData("nothing")]
    public async Task Under_an_id_that_is_no_person_s_nobody_erases_their_traces(string what)
    {
        Guid session;
        await using (var live = await Tenant.OpenSessionAsync(Ann, "web1")) session = live.Opening.Id.Value;
        var role = (await Owner.PostAsync("/api/v1/roles", new { name = "mine", purpose = "devicesAndGroups", permissions = new[] { "Terminal" } })).Expect(HttpStatusCode.Created).Id;
        var id = what switch
        {
            "device" => Web1,
            "grant" => await Tenant.GrantAsync(Bob, Web1, new RoleId(role)),
            "session" => session,
            "role" => role,
            "group" => Tenant.Everyone,
            "organization" => Tenant.Id.Value,
            _ => Guid.NewGuid(),
        };
        await SealAsync();
        var before = await RecordsAsync();
        foreach (var preview in (bool[])[true, false])
            (await Owner.PostAsync("/api/v1/audit/erase", new { person = id, fields = _everything, reason = "x", preview })).ExpectInvalid("person");
        (await RecordsAsync()).Select(Personal).ShouldBe(before.Select(Personal), ignoreOrder: true);
    }

    [Fact]
    public async Task What_somebody_who_still_takes_part_has_done_to_the_erased_stays_as_it_was()
    {
        await Tenant.GrantTeamAsync(Ann, SystemRoles.TeamAdministrator.Id);
        (await Tenant.As(Ann).PatchAsync($"/api/v1/technicians/{Bob}", new { name = "Robert" })).Expect(HttpStatusCode.OK);
        (await Tenant.As(Ann).PostAsync($"/api/v1/technicians/{Bob}/disable")).Expect(HttpStatusCode.OK);
        await SealAsync();
        var hers = (await RecordsAsync()).Where(record => record.Actor == new PersonId(Ann)).ToList();
        hers.ShouldContain(record => record.SubjectId == Bob);
        (await Tenant.As(Ann).PostAsync("/api/v1/audit/erase", new { person = Bob, fields = _everything, reason = "x" })).Expect(HttpStatusCode.OK);
        (await RecordsAsync()).Where(record => record.Kind != "audit.erased" && record.Actor == new PersonId(Ann)).Select(Personal).ShouldBe(hers.Select(Personal), ignoreOrder: true);

        // Once she is out, too, it is nobody's to answer for.
        await DisableAsync(Ann);
        (await Owner.PostAsync("/api/v1/audit/erase", new { person = Bob, fields = _everything, reason = "x" })).Expect(HttpStatusCode.OK);
        (await RecordsAsync()).Where(record => record.Actor == new PersonId(Ann) && record.Kind == "policy.changed").ShouldAllBe(record => record.Subject == "");
    }

    [Fact]
    public async Task Of_somebody_who_was_removed_all_can_be_erased()
    {
        (await Tenant.As(Bob).PostAsync("/api/v1/device-groups", new { name = "mine" })).Expect(HttpStatusCode.Forbidden);
        (await Owner.DeleteAsync($"/api/v1/technicians/{Bob}")).Expect(HttpStatusCode.OK);
        (await EraseAsync()).ShouldBeGreaterThan(0);
        (await RecordsAsync()).Where(record => record.Actor == new PersonId(Bob)).ShouldAllBe(record => record.ActorLogin == "");
    }

    /// <summary>An erasure is many writes, and others come between.</summary>
    [Theory]
    [InlineData("right", HttpStatusCode.Forbidden)]
    [InlineData("sign-in", HttpStatusCode.Unauthorized)]
    [InlineData("enabled", HttpStatusCode.Conflict)]
    public async Task An_erasure_stops_at_the_writer_s_turn_once_it_may_not_be_done_any_more(string what, HttpStatusCode status)
    {
        (await Tenant.As(Bob).PostAsync("/api/v1/device-groups", new { name = "mine" })).Expect(HttpStatusCode.Forbidden);
        await DisableAsync(Bob);
        await SealAsync();
        var grant = await Tenant.GrantTeamAsync(Ann, SystemRoles.TeamAdministrator.Id);
        var services = Running.Server.Services;
        var (queue, writer) = (services.GetRequiredService<WriteQueue>(), services.GetRequiredService<PolicyWriter>());
        var owner = new Caller(Tenant.Id, Tenant.OwnerId, "acme-owner", TokenScopes.Write, default, null, SignInStrength.OneFactor, "");
        var ann = owner with { Person = new(Ann), Login = "ann", TokenId = TestTokens.Id };
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = queue.WriteAsync(
            Tenant.Id,
            (_, _) =>
            {
                entered.SetResult();
                return go.Task;
            },
            Stop);
        await entered.Task;
        Task first = what switch
        {
            "right" => writer.ApplyAsync(owner, new PolicyCommand.RemoveGrant(new(grant)), Stop),
            "enabled" => writer.ApplyAsync(owner, new PolicyCommand.SetPersonStatus(new(Bob), PersonStatus.Active), Stop),
            _ => Tenant.SignOutAsync(),
        };
        var erasing = services.GetRequiredService<AuditEraser>().EraseAsync(ann, new(Bob, _all, "x"), Stop);
        go.SetResult();
        await held;
        await first;
        var (records, ended) = await erasing;
        records.ShouldBe(0);
        ended.ShouldNotBeNull().StatusCode.ShouldBe((int)status);
        (await RecordsAsync()).ShouldAllBe(record => record.Kind != "audit.erased");
        (await RecordsAsync()).ShouldContain(record => record.ActorLogin == "bob");
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

    private static object Personal(AuditRecord record) => (record.Id, record.Actor, record.ActorLogin, record.Source, record.Subject, record.SubjectId, record.Details);

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
