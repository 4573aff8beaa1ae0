using System.Net;
using Countersign.Access;

namespace Countersign.Server.Tests.Api;

public sealed class TechnicianTests : FeatureTests
{
    [Fact]
    public async Task A_technician_without_rights_sees_nobody_but_themselves()
    {
        Logins(await Tenant.As(Bob).GetAsync("/api/v1/technicians")).ShouldBe(["bob"]);
        (await Tenant.As(Bob).GetAsync($"/api/v1/technicians/{Bob}")).Expect(HttpStatusCode.OK);
        (await Tenant.As(Bob).GetAsync($"/api/v1/technicians/{Ann}")).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_team_administrator_sees_everybody_and_finds_them_by_a_part_of_the_name()
    {
        await Tenant.GrantTeamAsync(Bob, SystemRoles.TeamAdministrator.Id);
        Logins(await Tenant.As(Bob).GetAsync("/api/v1/technicians")).ShouldBe(["acme-owner", "ann", "bob"]);
        Logins(await Tenant.As(Bob).GetAsync("/api/v1/technicians?search=AN")).ShouldBe(["ann"]);
    }

    [Fact]
    public async Task A_group_administrator_sees_and_fills_the_branch_only()
    {
        var support = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Support" })).Expect(HttpStatusCode.Created).Id;
        (await Owner.PutAsync($"/api/v1/technician-groups/{support}/administrators/{Bob}")).Expect(HttpStatusCode.OK);
        (await Owner.PutAsync($"/api/v1/technician-groups/{support}/members/{Ann}")).Expect(HttpStatusCode.OK);

        Logins(await Tenant.As(Bob).GetAsync("/api/v1/technicians")).ShouldBe(["ann", "bob"]);
        var junior = (await Tenant.As(Bob).PostAsync("/api/v1/technician-groups", new { parent = support, name = "Juniors" })).Expect(HttpStatusCode.Created).Id;
        (await Tenant.As(Bob).PutAsync($"/api/v1/technician-groups/{junior}/members/{Ann}")).Expect(HttpStatusCode.OK);
        (await Tenant.As(Bob).PatchAsync($"/api/v1/technician-groups/{support}", new { name = "Mine" })).Expect(HttpStatusCode.Forbidden);
        var ann = (await Tenant.As(Bob).GetAsync($"/api/v1/technicians/{Ann}")).Expect(HttpStatusCode.OK);
        ann.Body.GetProperty("groups").EnumerateArray().Select(group => group.GetGuid()).ShouldBe([support, junior], ignoreOrder: true);
    }

    [Fact]
    public async Task What_is_left_out_of_an_edit_stays()
    {
        var edited = (await Owner.PatchAsync($"/api/v1/technicians/{Ann}", new { mail = "ann@example.org" })).Expect(HttpStatusCode.OK);
        edited.Body.GetProperty("mail").GetString().ShouldBe("ann@example.org");
        edited.Body.GetProperty("name").GetString().ShouldBe("ann");
        edited.Body.GetProperty("state").GetString().ShouldBe("activated");
        edited.Version.ShouldBe(Tenant.Policy.Version);
    }

    [Fact]
    public async Task A_name_is_found_however_its_letters_are_composed()
    {
        (await Owner.PatchAsync($"/api/v1/technicians/{Ann}", new { name = "Zoe\u0308" })).Expect(HttpStatusCode.OK).Body.GetProperty("name").GetString().ShouldBe("Zo\u00eb");
        foreach (var sought in (string[])["Zoe\u0308", "Zo\u00eb"]) Logins(await Owner.GetAsync($"/api/v1/technicians?search={Uri.EscapeDataString(sought)}")).ShouldBe(["ann"], sought);
    }

    [Fact]
    public async Task A_login_is_taken_on_the_whole_server()
    {
        var other = await Tenant.FoundAsync(Running, "other");
        (await other.Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "ann", name = "Another Ann" })).ExpectInvalid("login");
        (await Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "ann", name = "Another Ann" })).ExpectInvalid("login");
        other.Policy.All<PersonRow>().Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("Capital", "A", "login")]
    [InlineData("", "A", "login")]
    [InlineData("fine", "", "name")]
    public async Task A_person_who_can_not_be_is_refused_beside_the_field(string login, string name, string field) =>
        (await Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login, name })).ExpectInvalid(field);

    [Fact]
    public async Task A_login_that_is_read_for_another_of_the_organization_is_refused_and_tells_nothing_of_other_organizations()
    {
        var other = await Tenant.FoundAsync(Running, "other");
        await other.AddTechnicianAsync("paul");
        (await Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "pau1", name = "Another" })).Expect(HttpStatusCode.Created);
        (await other.Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "pau1", name = "Another" })).ExpectInvalid("login");
        (await Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "b0b", name = "Another" })).ExpectInvalid("login");
    }

    [Fact]
    public async Task The_list_is_narrowed_by_state_status_kind_and_group()
    {
        await Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "ivy", name = "Ivy" });
        await Owner.PostAsync("/api/v1/contacts", new { name = "Carl", mail = "carl@example.org" });
        (await Owner.PostAsync($"/api/v1/technicians/{Bob}/disable")).Expect(HttpStatusCode.OK);
        var group = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Support" })).Expect(HttpStatusCode.Created).Id;
        (await Owner.PutAsync($"/api/v1/technician-groups/{group}/members/{Ann}")).Expect(HttpStatusCode.OK);
        Logins(await Owner.GetAsync("/api/v1/technicians?state=invited&kind=technician")).ShouldBe(["ivy"]);
        Logins(await Owner.GetAsync("/api/v1/technicians?status=disabled")).ShouldBe(["bob"]);
        Logins(await Owner.GetAsync("/api/v1/technicians?kind=owner")).ShouldBe(["acme-owner"]);
        Logins(await Owner.GetAsync($"/api/v1/technicians?group={group}")).ShouldBe(["ann"]);
        Logins(await Owner.GetAsync($"/api/v1/technicians?group={group}&search=zzz")).ShouldBeEmpty();
        (await Owner.GetAsync("/api/v1/technicians?state=somehow")).ExpectInvalid("state");
    }

    [Fact]
    public async Task A_first_password_that_is_easily_guessed_makes_nobody()
    {
        (await Owner.PostAsync("/api/v1/technicians", new { kind = "technician", login = "carl", name = "Carl", password = "passwordpassword" })).ExpectInvalid("password")
            .Text.ShouldNotContain("passwordpassword");
        Tenant.Policy.PersonByLogin("carl").ShouldBeNull();
    }

    [Fact]
    public async Task Nothing_is_worked_out_from_a_password_for_who_may_not_add_people()
    {
        (await Tenant.As(Bob).PostAsync("/api/v1/technicians", new { kind = "technician", login = "carl", name = "Carl", password = "weak" })).Expect(HttpStatusCode.Forbidden);
        (await Owner.PostAsync("/api/v1/technicians", new { kind = "contact", login = "carl", name = "Carl" })).ExpectInvalid("kind");
    }

    [Fact]
    public async Task A_first_password_signs_in()
    {
        var answer = (await Running.Anybody.PostAsync("/api/v1/sign-in", new { login = "ann", password = Tenant.Password })).Expect(HttpStatusCode.OK);
        answer.Body.GetProperty("person").GetProperty("login").GetString().ShouldBe("ann");
    }

    [Fact]
    public async Task Nobody_disables_or_deletes_the_owner()
    {
        await Tenant.GrantTeamAsync(Bob, SystemRoles.TeamAdministrator.Id);
        foreach (var administrator in (ApiCaller[])[Tenant.As(Bob), Owner])
        {
            ((int)(await administrator.PostAsync($"/api/v1/technicians/{Tenant.OwnerId}/disable")).Status).ShouldBeInRange(400, 409);
            ((int)(await administrator.DeleteAsync($"/api/v1/technicians/{Tenant.OwnerId}")).Status).ShouldBeInRange(400, 409);
        }

        Tenant.Policy.Person(Tenant.OwnerId)!.TakesPart.ShouldBeTrue();
    }

    private static IEnumerable<string?> Logins(ApiAnswer answer) => answer.Expect(HttpStatusCode.OK).Items.Select(item => item.GetProperty("login").GetString());
}
