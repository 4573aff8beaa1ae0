using System.Net;
using System.Net.Http.Json;
using Countersign.Access;
using Countersign.Server.Tests.Api;

namespace Countersign.Server.Tests.Platform;

/// <summary>Two editors of one resource: the second is told who was first, and overwrites nothing.</summary>
public sealed class PreconditionTests : FeatureTests
{
    [Fact]
    public async Task The_second_editor_is_told_who_was_first_and_when()
    {
        var read = await TagAsync($"/api/v1/devices/{Web1}");
        (await SendAsync(HttpMethod.Patch, $"/api/v1/devices/{Web1}", read, new { description = "first" })).Status.ShouldBe(HttpStatusCode.OK);
        var (status, body, _) = await SendAsync(HttpMethod.Patch, $"/api/v1/devices/{Web1}", read, new { description = "second" });
        status.ShouldBe(HttpStatusCode.PreconditionFailed, body);
        body.ShouldContain("Changed by yourself at ");
        Tenant.Policy.Device(new(Web1))!.Description.ShouldBe("first");
        (await SendAsync(HttpMethod.Delete, $"/api/v1/devices/{Web1}", read)).Status.ShouldBe(HttpStatusCode.PreconditionFailed);
        (await SendAsync(HttpMethod.Delete, $"/api/v1/devices/{Web1}", await TagAsync($"/api/v1/devices/{Web1}"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Another_s_name_is_told_to_who_may_see_them_and_to_nobody_else()
    {
        await Tenant.GrantTeamAsync(Bob, SystemRoles.TeamAdministrator.Id);
        var support = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Support" })).Expect(HttpStatusCode.Created).Id;
        var junior = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = support, name = "Juniors" })).Expect(HttpStatusCode.Created).Id;
        (await Owner.PutAsync($"/api/v1/technician-groups/{support}/administrators/{Ann}")).Expect(HttpStatusCode.OK);
        var read = await TagAsync($"/api/v1/technician-groups/{junior}");
        (await Tenant.As(Bob).PatchAsync($"/api/v1/technician-groups/{junior}", new { description = "by bob" })).Expect(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Patch, $"/api/v1/technician-groups/{junior}", read, new { description = "mine" })).Body.ShouldContain("Changed by bob at ");
        (await SendAsync(HttpMethod.Patch, $"/api/v1/technician-groups/{junior}", read, new { description = "mine" }, Ann)).Body.ShouldContain("Changed by an administrator at ");
    }

    [Fact]
    public async Task What_others_do_elsewhere_is_in_nobody_s_way()
    {
        var read = await TagAsync($"/api/v1/devices/{Web1}");
        (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { description = "another" })).Expect(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Patch, $"/api/v1/devices/{Web1}", read, new { description = "mine" })).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_the_header_a_change_is_taken()
    {
        await TagAsync($"/api/v1/devices/{Web1}");
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "first" })).Expect(HttpStatusCode.OK);
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "second" })).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_change_that_is_only_shown_is_held_to_it_too()
    {
        var read = await TagAsync($"/api/v1/devices/{Web1}");
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "first" })).Expect(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Patch, $"/api/v1/devices/{Web1}?preview=true", read, new { description = "second" })).Status.ShouldBe(HttpStatusCode.PreconditionFailed);
    }

    [Fact]
    public async Task Settings_are_held_to_it_one_by_one()
    {
        var read = await TagAsync($"/api/v1/settings/devices/{Web1}");
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/recording", new { value = "required" })).Expect(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Put, $"/api/v1/settings/devices/{Web1}/idleTimeout", read, new { value = "10m" })).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Put, $"/api/v1/settings/devices/{Web1}/recording", read, new { value = "off" })).Status.ShouldBe(HttpStatusCode.PreconditionFailed);
    }

    [Theory]
    [InlineData("17")]
    [InlineData("\"x\"")]
    [InlineData("W/\"17\"")]
    [InlineData("*")]
    [InlineData("\"17\", \"18\"")]
    [InlineData("\"99999999999999999999\"")]
    public async Task A_condition_that_is_not_understood_is_refused_and_not_passed_over(string tag)
    {
        (await SendAsync(HttpMethod.Patch, $"/api/v1/devices/{Web1}", tag, new { description = "x" })).Status.ShouldBe(HttpStatusCode.BadRequest);
        Tenant.Policy.Device(new(Web1))!.Description.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_version_that_is_still_to_come_and_one_that_can_t_be_compared_change_nothing()
    {
        (await SendAsync(HttpMethod.Patch, $"/api/v1/devices/{Web1}", "\"999999\"", new { description = "x" })).Status.ShouldBe(HttpStatusCode.PreconditionFailed);
        (await SendAsync(HttpMethod.Post, "/api/v1/me/tokens", "\"1\"", new { label = "x", scopes = new[] { "read" } })).Status.ShouldBe(HttpStatusCode.BadRequest);
        Tenant.Policy.Device(new(Web1))!.Description.ShouldBeEmpty();
    }

    private async Task<string> TagAsync(string path)
    {
        var (status, body, tag) = await SendAsync(HttpMethod.Get, path, null);
        status.ShouldBe(HttpStatusCode.OK, body);
        return tag.ShouldNotBeNull();
    }

    private async Task<(HttpStatusCode Status, string Body, string? Tag)> SendAsync(HttpMethod method, string path, string? tag, object? body = null, Guid? person = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new("Bearer", TestTokens.Write(Tenant.Id, person is { } id ? new(id) : Tenant.OwnerId, Server.Platform.TokenScopes.Write));
        if (tag is not null) request.Headers.TryAddWithoutValidation("If-Match", tag).ShouldBeTrue();
        if (body is not null) request.Content = JsonContent.Create(body, body.GetType());
        using var response = await Running.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), response.Headers.ETag?.Tag);
    }
}
