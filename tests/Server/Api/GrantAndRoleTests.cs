using System.Net;
using System.Text.Json;
using Countersign.Access;

namespace Countersign.Server.Tests.Api;

public sealed class GrantAndRoleTests : FeatureTests
{
    [Fact]
    public async Task A_grant_comes_back_as_it_was_given()
    {
        var given = new
        {
            subject = new { kind = "person", id = Bob },
            scope = new { kind = "device", id = Web1 },
            role = SystemRoles.OnlyDeviceConnection.Id.Value,
            accounts = new { rule = "named", names = new[] { "root", "deploy", "root" } },
            window = new { from = "2026-01-01T02:00:00+02:00", to = "2027-01-01T00:00:00Z", hours = "" },
        };
        var id = (await Owner.PostAsync("/api/v1/grants", given)).Expect(HttpStatusCode.Created).Id;
        var read = (await Owner.GetAsync($"/api/v1/grants/{id}")).Expect(HttpStatusCode.OK).Body;
        read.GetProperty("subject").GetProperty("id").GetGuid().ShouldBe(Bob);
        read.GetProperty("accounts").GetProperty("names").EnumerateArray().Select(name => name.GetString()).ShouldBe(["deploy", "root"]);
        read.GetProperty("window").GetProperty("from").GetDateTimeOffset().ShouldBe(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

        var edited = (await Owner.PatchAsync($"/api/v1/grants/{id}", new { window = new { } })).Expect(HttpStatusCode.OK).Body;
        edited.GetProperty("window").GetProperty("from").ValueKind.ShouldBe(JsonValueKind.Null);
        edited.GetProperty("accounts").GetProperty("rule").GetString().ShouldBe("named");
    }

    [Fact]
    public async Task Everybody_sees_their_own_grants_and_no_others()
    {
        (await Tenant.As(Ann).GetAsync("/api/v1/grants")).Expect(HttpStatusCode.OK).Items.ShouldHaveSingleItem().GetProperty("subject").GetProperty("id").GetGuid().ShouldBe(Ann);
        (await Tenant.As(Bob).GetAsync("/api/v1/grants")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_reaches_a_person_is_listed_with_the_groups_that_it_comes_through_as_far_as_the_asker_sees_it()
    {
        var support = await AddGroupAsync(Tenant.Everyone, "Support");
        var (day, night, sales) = (await AddGroupAsync(support, "Day"), await AddGroupAsync(support, "Night"), await AddGroupAsync(Tenant.Everyone, "Sales"));
        foreach (var group in (Guid[])[day, night]) (await Owner.PutAsync($"/api/v1/technician-groups/{group}/members/{Ann}")).Expect(HttpStatusCode.OK);
        (await Owner.PatchAsync($"/api/v1/technician-groups/{night}", new { enabled = false })).Expect(HttpStatusCode.OK);
        var (toAll, toSupport, toNight) = (await GrantToGroupAsync(Tenant.Everyone), await GrantToGroupAsync(support), await GrantToGroupAsync(night));
        await GrantToGroupAsync(sales);
        await Tenant.GrantAsync(Bob, Web2, SystemRoles.OnlyDeviceConnection.Id);

        var all = await ForAsync(Owner, Ann);
        var own = all.Single(grant => grant.Through == "").Id;
        all.ShouldBe(
            [(own, ""), (toAll, $"{Tenant.Everyone} True"), (toSupport, string.Join(", ", ((string[])[$"{day} True", $"{night} False"]).Order())), (toNight, $"{night} False")], ignoreOrder: true);
        (await Owner.GetAsync($"/api/v1/grants/{own}")).Expect(HttpStatusCode.OK).Body.GetProperty("subject").GetProperty("id").GetGuid().ShouldBe(Ann);

        // Ann sees of herself what she may see at all; Bob sees nothing of her.
        (await ForAsync(Tenant.As(Ann), Ann)).ShouldContain((own, ""));
        (await ForAsync(Tenant.As(Ann), Ann)).ShouldBeSubsetOf(all);
        (await Tenant.As(Bob).GetAsync($"/api/v1/grants?for={Ann}")).Expect(HttpStatusCode.NotFound);
        (await Owner.GetAsync($"/api/v1/grants?for={Guid.NewGuid()}")).Expect(HttpStatusCode.NotFound);
        (await Owner.GetAsync($"/api/v1/grants?subject={Ann}")).Items.ShouldHaveSingleItem().GetProperty("through").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task An_account_name_with_a_comma_is_not_two() =>
        (await Owner.PostAsync("/api/v1/grants", new
        {
            subject = new { kind = "person", id = Bob },
            scope = new { kind = "device", id = Web1 },
            role = SystemRoles.OnlyDeviceConnection.Id.Value,
            accounts = new { rule = "named", names = new[] { "root,deploy" } },
        })).ExpectInvalid("accounts");

    [Theory]
    [InlineData("team", "role")]
    [InlineData("quickSupport", "role")]
    public async Task A_role_that_does_not_fit_the_scope_is_refused(string scope, string field) =>
        (await Owner.PostAsync("/api/v1/grants", new { subject = new { kind = "person", id = Bob }, scope = new { kind = scope }, role = SystemRoles.OnlyDeviceConnection.Id.Value }))
            .ExpectInvalid(field);

    [Fact]
    public async Task Deleting_a_role_takes_its_grants_along()
    {
        var role = (await Owner.PostAsync("/api/v1/roles", new { name = "Shell", purpose = "devicesAndGroups", permissions = new[] { "Terminal", "FileManager" } })).Expect(HttpStatusCode.Created);
        role.Body.GetProperty("permissions").EnumerateArray().Select(permission => permission.GetString()).ShouldBe(["FileManager", "Terminal"], ignoreOrder: true);
        var grant = await Tenant.GrantAsync(Bob, Web2, new(role.Id));
        (await Tenant.As(Bob).GetAsync("/api/v1/devices")).Items.Count.ShouldBe(1);
        (await Owner.DeleteAsync($"/api/v1/roles/{role.Id}")).Expect(HttpStatusCode.OK);
        (await Owner.GetAsync($"/api/v1/grants/{grant}")).Expect(HttpStatusCode.NotFound);
        (await Tenant.As(Bob).GetAsync("/api/v1/devices")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task System_roles_are_listed_and_never_changed()
    {
        var roles = (await Owner.GetAsync("/api/v1/roles")).Expect(HttpStatusCode.OK).Items;
        roles.Count(role => role.GetProperty("system").GetBoolean()).ShouldBe(SystemRoles.All.Count);
        var system = SystemRoles.FullDeviceAccess.Id.Value;
        ((int)(await Owner.PatchAsync($"/api/v1/roles/{system}", new { name = "Mine" })).Status).ShouldBeInRange(400, 409);
        ((int)(await Owner.DeleteAsync($"/api/v1/roles/{system}")).Status).ShouldBeInRange(400, 409);
    }

    [Fact]
    public async Task Roles_are_listed_by_what_they_are_for()
    {
        var all = (await Owner.GetAsync("/api/v1/roles")).Expect(HttpStatusCode.OK).Items;
        foreach (var purpose in (string[])["devicesAndGroups", "invitations", "administration"])
        {
            var some = (await Owner.GetAsync($"/api/v1/roles?purpose={purpose}")).Expect(HttpStatusCode.OK).Items;
            some.Select(Name).ShouldBe(all.Where(role => role.GetProperty("purpose").GetString() == purpose).Select(Name));
            some.ShouldNotBeEmpty();
        }

        (await Owner.GetAsync("/api/v1/roles?purpose=fun")).ExpectInvalid("purpose");

        static string Name(System.Text.Json.JsonElement role) => role.GetProperty("name").GetString()!;
    }

    [Fact]
    public async Task The_catalogue_has_every_permission()
    {
        var items = (await Tenant.As(Bob).GetAsync("/api/v1/permissions")).Expect(HttpStatusCode.OK).Items;
        items.Select(item => item.GetProperty("permission").GetString()).ShouldBe(Enum.GetNames<Permission>(), ignoreOrder: true);
    }

    private async Task<Guid> AddGroupAsync(Guid parent, string name) => (await Owner.PostAsync("/api/v1/technician-groups", new { parent, name })).Expect(HttpStatusCode.Created).Id;

    private async Task<Guid> GrantToGroupAsync(Guid group) => (await Owner.PostAsync(
        "/api/v1/grants",
        new { subject = new { kind = "technicianGroup", id = group }, scope = new { kind = "device", id = Web1 }, role = SystemRoles.OnlyDeviceConnection.Id.Value })).Expect(HttpStatusCode.Created).Id;

    /// <summary>What reaches the person, each with the groups that it comes through.</summary>
    private static async Task<List<(Guid Id, string Through)>> ForAsync(ApiCaller asker, Guid person) =>
    [
        .. (await asker.GetAsync($"/api/v1/grants?for={person}")).Expect(HttpStatusCode.OK).Items.Select(grant =>
            (grant.GetProperty("id").GetGuid(),
            string.Join(", ", grant.GetProperty("through").EnumerateArray().Select(way => $"{way.GetProperty("group").GetGuid()} {way.GetProperty("inForce").GetBoolean()}").Order()))),
    ];
}
