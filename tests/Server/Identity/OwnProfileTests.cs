using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Identity;

/// <summary>What people change of themselves.</summary>
public sealed class OwnProfileTests
{
    [Fact]
    public async Task A_name_of_one_s_own_is_changed_undone_and_in_the_log()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var (tina, tom) = (await tenant.AddTechnicianAsync("tina"), await tenant.AddTechnicianAsync("tom"));
        var before = tenant.Policy.Version;
        var shown = (await tenant.As(tina).PatchAsync("/api/v1/me?preview=true", new { name = "Christina" })).Expect(HttpStatusCode.OK);
        shown.Body.GetProperty("rows").GetArrayLength().ShouldBe(1);
        tenant.Policy.Version.ShouldBe(before);

        var changed = (await tenant.As(tina).PatchAsync("/api/v1/me", new { name = "Christina" })).Expect(HttpStatusCode.OK);
        changed.Body.GetProperty("person").GetProperty("name").GetString().ShouldBe("Christina");
        (changed.Version, tenant.Policy.Version).ShouldBe((before + 1, before + 1));
        (await tenant.As(tina).GetAsync("/api/v1/me")).Version.ShouldBe(before + 1);
        var record = (await tenant.Owner.GetAsync("/api/v1/audit?kind=policy.changed&limit=1")).Items[0];
        record.GetProperty("details").GetProperty("command").GetString().ShouldBe(nameof(PolicyCommand.EditOwnProfile));

        (await tenant.As(tom).PostAsync($"/api/v1/changes/{before + 1}/undo")).Expect(HttpStatusCode.NotFound);
        (await tenant.As(tina).PostAsync($"/api/v1/changes/{before + 1}/undo")).Expect(HttpStatusCode.OK);
        tenant.Policy.Person(new(tina))!.Name.ShouldBe("tina");
    }

    [Fact]
    public async Task A_name_of_one_s_own_brings_nothing_else_along()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var tina = await tenant.AddTechnicianAsync("tina", "tina@example.org");
        var contact = (await tenant.Owner.PostAsync("/api/v1/contacts", new { name = "Carl", mail = "carl@example.org" })).Expect(HttpStatusCode.Created).Id;
        var before = tenant.Policy.Person(new(tina));
        foreach (var body in (object[])[new { login = "olga" }, new { mail = "other@example.org" }, new { name = "T", kind = "owner" }, new { id = tenant.OwnerId.Value, name = "T" }])
            (await tenant.As(tina).PatchAsync("/api/v1/me", body)).Expect(HttpStatusCode.BadRequest);
        (await tenant.As(tina).PatchAsync("/api/v1/me", new { name = "two\nlines" })).ExpectInvalid("name");
        (await tenant.As(tina).PatchAsync($"/api/v1/technicians/{tina}", new { name = "T" })).Expect(HttpStatusCode.Forbidden);
        (await tenant.As(tina, TokenScopes.People).PatchAsync("/api/v1/me", new { name = "T" })).Expect(HttpStatusCode.Forbidden);
        (await tenant.As(contact).PatchAsync("/api/v1/me", new { name = "The owner of acme" })).Expect(HttpStatusCode.Forbidden);
        tenant.Policy.Person(new(tina)).ShouldBe(before);
        tenant.Policy.Person(new(contact))!.Name.ShouldBe("Carl");
    }
}
