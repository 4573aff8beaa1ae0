using System.Net;
using Countersign.Access;

namespace Countersign.Server.Tests.Api;

public sealed class ExplainAndLogTests : FeatureTests
{
    [Fact]
    public async Task A_person_is_told_why_they_may_or_may_not()
    {
        var allowed = (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1")).Expect(HttpStatusCode.OK).Body;
        allowed.GetProperty("decision").GetString().ShouldBe("allowed");
        allowed.GetProperty("reason").GetString().ShouldBe("none");
        allowed.GetProperty("lines").EnumerateArray().ShouldNotBeEmpty();
        allowed.GetProperty("ends").EnumerateArray().Select(end => end.GetProperty("permission").GetString()).ShouldBe(allowed.GetProperty("permissions").EnumerateArray().Select(held => held.GetString()));
        var denied = (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1&permission=Tunnel")).Expect(HttpStatusCode.OK).Body;
        denied.GetProperty("decision").GetString().ShouldBe("denied");
        denied.GetProperty("reason").GetString().ShouldBe("notGranted");
        (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1&permission=Flying")).ExpectInvalid("permission");

        // A number is no permission's name, nor is one beyond the catalogue.
        (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1&permission=6")).ExpectInvalid("permission");
        (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1&permission=200")).ExpectInvalid("permission");
        (await Owner.PutAsync($"/api/v1/technician-groups/{Tenant.Everyone}/permissions/200", new { value = "deny" })).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Master_administrators_are_told_the_smallest_change_that_would_turn_the_answer()
    {
        var denied = (await Owner.GetAsync("/api/v1/explain?device=web2&person=ann")).Expect(HttpStatusCode.OK).Body;
        denied.GetProperty("change").EnumerateArray().ShouldHaveSingleItem().GetString()!.ShouldContain("web2 to ");
        var allowed = (await Owner.GetAsync("/api/v1/explain?device=web1&person=ann")).Expect(HttpStatusCode.OK).Body;
        allowed.GetProperty("change").EnumerateArray().ShouldHaveSingleItem();
        (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1")).Expect(HttpStatusCode.OK).Body.GetProperty("change").EnumerateArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task Asking_about_what_one_may_not_see_is_asking_about_nothing()
    {
        var nothing = (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=nothing")).Expect(HttpStatusCode.NotFound).Text;
        (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web2")).Expect(HttpStatusCode.NotFound).Text.ShouldBe(nothing);
        (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1&person=bob")).Expect(HttpStatusCode.NotFound).Text.ShouldBe(nothing);
        (await Tenant.As(Ann).GetAsync("/api/v1/explain?device=web1&person=nobody")).Expect(HttpStatusCode.NotFound).Text.ShouldBe(nothing);
        (await Owner.GetAsync("/api/v1/explain?device=web1&person=bob")).Expect(HttpStatusCode.OK).Body.GetProperty("decision").GetString().ShouldBe("denied");
    }

    [Fact]
    public async Task Who_gets_in_to_a_device_is_listed_of_those_that_the_caller_may_see()
    {
        var all = (await Owner.GetAsync("/api/v1/who-can?device=web1")).Expect(HttpStatusCode.OK).Items;
        all.Select(item => item.GetProperty("login").GetString()).ShouldBe(["acme-owner", "ann"]);
        all.ShouldAllBe(item => item.GetProperty("state").GetString() == "allowed");
        (await Owner.GetAsync("/api/v1/who-can?device=web1&permission=Tunnel")).Items.ShouldHaveSingleItem().GetProperty("login").GetString().ShouldBe("acme-owner");
        (await Owner.GetAsync("/api/v1/who-can?device=web1&account=nobody")).Items.ShouldBeEmpty();
        (await Tenant.As(Ann).GetAsync("/api/v1/who-can?device=web1")).Items.ShouldHaveSingleItem().GetProperty("login").GetString().ShouldBe("ann");

        var nothing = (await Tenant.As(Ann).GetAsync("/api/v1/who-can?device=nothing")).Expect(HttpStatusCode.NotFound).Text;
        (await Tenant.As(Ann).GetAsync("/api/v1/who-can?device=web2")).Expect(HttpStatusCode.NotFound).Text.ShouldBe(nothing);
        (await Owner.GetAsync("/api/v1/who-can?device=web1&permission=Flying")).ExpectInvalid("permission");
    }

    [Fact]
    public async Task Who_needs_an_approval_for_a_device_is_listed_so()
    {
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/managerialApproval", new { value = "required" })).Expect(HttpStatusCode.OK);
        (await Owner.GetAsync("/api/v1/who-can?device=web1")).Items.ShouldAllBe(item => item.GetProperty("state").GetString() == "needsApproval");
    }

    [Fact]
    public async Task The_audit_log_is_for_the_owner_and_auditors()
    {
        (await Tenant.As(Bob).GetAsync("/api/v1/audit")).Expect(HttpStatusCode.Forbidden);
        await Tenant.GrantTeamAsync(Bob, SystemRoles.Auditor.Id);
        (await Tenant.As(Bob).GetAsync("/api/v1/audit")).Expect(HttpStatusCode.OK);
        (await Tenant.As(Bob).GetAsync("/api/v1/changes")).Expect(HttpStatusCode.OK);
        (await Tenant.As(Bob).GetAsync("/api/v1/technicians")).Items.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_audit_log_is_followed_forwards_and_read_backwards()
    {
        var all = new List<long>();
        var after = 0L;
        while (true)
        {
            var page = (await Owner.GetAsync($"/api/v1/audit?limit=3&after={after}")).Expect(HttpStatusCode.OK).Items;
            if (page.Count == 0) break;
            all.AddRange(page.Select(item => item.GetProperty("id").GetInt64()));
            after = all[^1];
        }

        all.Count.ShouldBeGreaterThan(6);
        all.ShouldBeInOrder(SortDirection.Ascending);
        var backwards = new List<long>();
        for (var cursor = ""; cursor is not null;)
        {
            var page = (await Owner.GetAsync($"/api/v1/audit?limit=3{cursor}")).Expect(HttpStatusCode.OK);
            backwards.AddRange(page.Items.Select(item => item.GetProperty("id").GetInt64()));
            cursor = page.Body.GetProperty("next").GetString() is { } next ? $"&cursor={next}" : null;
        }

        backwards.ShouldBe(all.AsEnumerable().Reverse());
    }

    [Fact]
    public async Task An_audit_record_says_who_did_what_from_where()
    {
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "changed" })).Expect(HttpStatusCode.OK);
        var record = (await Owner.GetAsync("/api/v1/audit?limit=1")).Items.ShouldHaveSingleItem();
        record.GetProperty("kind").GetString().ShouldBe("policy.changed");
        record.GetProperty("actor").GetProperty("login").GetString().ShouldBe("acme-owner");
        record.GetProperty("source").GetString().ShouldBe("127.0.0.1");
        record.GetProperty("channel").GetString().ShouldBe("api");
        record.GetProperty("outcome").GetString().ShouldBe("done");
        record.GetProperty("details").GetProperty("version").GetInt64().ShouldBe(Tenant.Policy.Version);
        var change = (await Owner.GetAsync("/api/v1/changes?limit=1")).Items.ShouldHaveSingleItem();
        change.GetProperty("id").GetInt64().ShouldBe(Tenant.Policy.Version);
        change.GetProperty("summary").GetString().ShouldBe(record.GetProperty("subject").GetString());
    }

    [Fact]
    public async Task Another_organization_s_log_holds_nothing_of_this_one()
    {
        var other = await Tenant.FoundAsync(Running, "other");
        (await other.Owner.GetAsync("/api/v1/audit")).Items.ShouldHaveSingleItem().GetProperty("kind").GetString().ShouldBe("organization.founded");
        (await other.Owner.GetAsync("/api/v1/changes")).Items.ShouldHaveSingleItem();
    }
}
