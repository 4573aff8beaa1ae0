using System.Net;
using System.Text.Json;

namespace Countersign.Server.Tests.Api;

public sealed class ExternalGroupTests : FeatureTests
{
    [Fact]
    public async Task A_group_is_made_filled_approved_and_taken_out_everywhere_and_all_of_it_comes_back_by_undoing()
    {
        var carl = await ContactAsync("carl");
        var partners = (await Owner.PostAsync("/api/v1/external-groups", new { name = "Partners", description = "of the north" })).Expect(HttpStatusCode.Created);
        partners.Location!.OriginalString.ShouldBe($"/api/v1/external-groups/{partners.Id}");
        var path = $"/api/v1/external-groups/{partners.Id}";
        (await Owner.PutAsync($"{path}/members/{carl}", new { })).Expect(HttpStatusCode.OK);
        var read = (await Owner.GetAsync(path)).Expect(HttpStatusCode.OK).Body;
        read.GetProperty("name").GetString().ShouldBe("Partners");
        read.GetProperty("description").GetString().ShouldBe("of the north");
        Ids(read, "members").ShouldBe([carl]);
        (await Owner.GetAsync("/api/v1/external-groups")).Items.ShouldHaveSingleItem();
        (await Owner.PatchAsync(path, new { description = "" })).Expect(HttpStatusCode.OK).Body.GetProperty("name").GetString().ShouldBe("Partners");
        (await Owner.PostAsync("/api/v1/external-groups", new { name = "PARTNERS" })).Expect(HttpStatusCode.Conflict);

        var everyone = $"/api/v1/technician-groups/{Tenant.Everyone}";
        var approving = (await Owner.PutAsync($"{everyone}/approved-external-groups", new { groups = new[] { partners.Id } })).Expect(HttpStatusCode.OK).Body;
        Ids(approving, "approvedExternalGroups").ShouldBe([partners.Id]);
        approving.GetProperty("inheritsApprovedExternalGroups").GetBoolean().ShouldBeFalse();
        var below = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Night" })).Expect(HttpStatusCode.Created);
        below.Body.GetProperty("inheritsApprovedExternalGroups").GetBoolean().ShouldBeTrue();
        Ids(below.Body, "approvedExternalGroups").ShouldBe([partners.Id]);
        (await Owner.PutAsync($"{everyone}/approved-external-groups", new { groups = new[] { Guid.NewGuid() } })).ExpectInvalid("groups");

        // What was stored is what is in force: the delta of each change, and the rows that a start reads.
        var deleted = (await Owner.DeleteAsync(path)).Expect(HttpStatusCode.OK);
        (await Owner.GetAsync(path)).Expect(HttpStatusCode.NotFound);
        Ids((await Owner.GetAsync(everyone)).Body, "approvedExternalGroups").ShouldBeEmpty();
        (await Owner.PostAsync($"/api/v1/changes/{deleted.Version}/undo")).Expect(HttpStatusCode.OK);
        Ids((await Owner.GetAsync(path)).Expect(HttpStatusCode.OK).Body, "members").ShouldBe([carl]);
        Ids((await Owner.GetAsync(everyone)).Body, "approvedExternalGroups").ShouldBe([partners.Id]);
        (await Owner.DeleteAsync($"{path}/members/{carl}")).Expect(HttpStatusCode.OK);
        (await Owner.PutAsync($"{path}/members/{Bob}", new { })).ExpectInvalid("person");
    }

    [Fact]
    public async Task To_who_administers_no_branch_there_are_no_external_groups()
    {
        var partners = (await Owner.PostAsync("/api/v1/external-groups", new { name = "Partners" })).Expect(HttpStatusCode.Created).Id;
        var carl = await ContactAsync("carl");
        (await Owner.PutAsync($"/api/v1/external-groups/{partners}/members/{carl}", new { })).Expect(HttpStatusCode.OK);
        var bob = Tenant.As(Bob);
        (await bob.GetAsync("/api/v1/external-groups")).Items.ShouldBeEmpty();
        var hidden = (await bob.GetAsync($"/api/v1/external-groups/{partners}")).Expect(HttpStatusCode.NotFound);
        hidden.Text.Length.ShouldBe((await bob.GetAsync($"/api/v1/external-groups/{Guid.NewGuid()}")).Expect(HttpStatusCode.NotFound).Text.Length);
        (await bob.PatchAsync($"/api/v1/external-groups/{partners}", new { name = "Mine" })).Expect(HttpStatusCode.NotFound);

        var branch = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Night" })).Expect(HttpStatusCode.Created).Id;
        (await Owner.PutAsync($"/api/v1/technician-groups/{branch}/administrators/{Bob}", new { })).Expect(HttpStatusCode.OK);
        var seen = (await bob.GetAsync($"/api/v1/external-groups/{partners}")).Expect(HttpStatusCode.OK).Body;
        seen.GetProperty("name").GetString().ShouldBe("Partners");
        Ids((await Owner.GetAsync("/api/v1/technicians?kind=contact")).Expect(HttpStatusCode.OK).Items.Single(item => Ids(item, "externalGroups").Any()), "externalGroups").ShouldBe([partners]);
        Ids(seen, "members").ShouldBeEmpty();
        (await bob.PatchAsync($"/api/v1/external-groups/{partners}", new { name = "Mine" })).Expect(HttpStatusCode.Forbidden);
    }

    private async Task<Guid> ContactAsync(string login) =>
        (await Owner.PostAsync("/api/v1/contacts", new { name = "Carl", mail = $"{login}@example.org" })).Expect(HttpStatusCode.Created).Id;

    private static IEnumerable<Guid> Ids(JsonElement body, string name) => body.GetProperty(name).EnumerateArray().Select(id => id.GetGuid());
}
