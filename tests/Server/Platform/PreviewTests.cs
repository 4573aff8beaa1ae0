using System.Net;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Platform;

public sealed class PreviewTests
{
    [Fact]
    public async Task Every_route_that_changes_policy_shows_what_it_would_do_and_then_does_just_that()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var branches = await RouteBranches.AddAsync(tenant);
        var routes = Routes(running, policy: true);
        routes.Count.ShouldBeGreaterThan(30);
        foreach (var (method, pattern) in routes)
        {
            var stage = await RouteStage.SetAsync(tenant, branches);
            await stage.PrepareAsync(tenant, pattern);
            var path = stage.Path(method, pattern);
            var body = stage.Body(method, pattern);
            var before = await StateAsync(tenant);

            var preview = (await tenant.Owner.SendAsync(new(method), path + "?preview=true", body)).Expect(HttpStatusCode.OK);

            (await StateAsync(tenant)).ShouldBe(before, $"{method} {pattern}");
            preview.Body.GetProperty("version").GetInt64().ShouldBe(before.Version, $"{method} {pattern}");
            ((int)(await tenant.Owner.SendAsync(new(method), path + "?preview=false", body)).Status).ShouldBeInRange(200, 299, $"{method} {pattern}");
            var after = await StateAsync(tenant);
            if (preview.Body.GetProperty("rows").GetArrayLength() == 0)
            {
                after.Version.ShouldBe(before.Version, $"{method} {pattern}");
                continue;
            }

            after.Version.ShouldBe(before.Version + 1, $"{method} {pattern}");
            after.Newest.ShouldBe(preview.Body.GetProperty("summary").GetString(), $"{method} {pattern}");
        }
    }

    [Fact]
    public async Task A_preview_says_who_gains_and_who_loses_what_on_which_devices()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var ann = await tenant.AddTechnicianAsync("ann");
        var group = await tenant.AddGroupAsync("Clients");
        await tenant.AddDeviceAsync("web1", group, "root");
        await tenant.AddDeviceAsync("web2", group, "root");
        var grant = new { subject = new { kind = "person", id = ann }, scope = new { kind = "deviceGroup", id = group }, role = Access.SystemRoles.OnlyDeviceConnection.Id.Value };

        var effect = (await tenant.Owner.PostAsync("/api/v1/grants?preview=true", grant)).Expect(HttpStatusCode.OK).Body.GetProperty("effects").EnumerateArray().ShouldHaveSingleItem();

        effect.GetProperty("people").EnumerateArray().Select(one => one.GetString()).ShouldBe(["ann"]);
        effect.GetProperty("devices").EnumerateArray().Select(one => one.GetString()).ShouldBe(["web1", "web2"]);
        effect.GetProperty("lost").EnumerateArray().ShouldBeEmpty();
        var gained = effect.GetProperty("gained").EnumerateArray().ShouldHaveSingleItem();
        gained.GetProperty("accounts").GetString().ShouldBe("default");
        gained.GetProperty("permissions").EnumerateArray().Select(one => one.GetString()).ShouldContain("Terminal");

        var force = (await tenant.Owner.PostAsync("/api/v1/settings/organization/managerialApproval/force?preview=true", new { value = "required" }))
            .Expect(HttpStatusCode.OK).Body.GetProperty("effects");
        force.EnumerateArray().SelectMany(one => one.GetProperty("restrictions").EnumerateArray()).Select(one => one.GetProperty("kind").GetString()).ShouldContain("approval");
    }

    [Fact]
    public async Task What_is_no_change_of_policy_is_not_done_when_it_was_only_to_be_shown()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var stage = await RouteStage.SetAsync(tenant, await RouteBranches.AddAsync(tenant));
        stage.Session = await tenant.BeginSessionAsync(stage.Unique);
        foreach (var (method, pattern) in Routes(running, policy: false))
        {
            var path = stage.Path(method, pattern);
            var answer = await tenant.Owner.SendAsync(new(method), path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "preview=true", stage.Body(method, pattern));
            answer.Status.ShouldBe(HttpStatusCode.BadRequest, $"{method} {pattern}");
            answer.Body.GetProperty("errors").GetProperty("preview").GetArrayLength().ShouldBe(1);
        }
    }

    [Theory]
    [InlineData("?preview=yes")]
    [InlineData("?preview=")]
    [InlineData("?preview")]
    [InlineData("?preview=1")]
    [InlineData("?preview=true&preview=false")]
    [InlineData("?PREVIEW=on")]
    public async Task A_wish_to_be_shown_a_change_that_is_not_understood_changes_nothing(string query)
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var before = await StateAsync(tenant);
        (await tenant.Owner.PostAsync("/api/v1/device-groups" + query, new { name = "new" })).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await StateAsync(tenant)).ShouldBe(before);
    }

    [Fact]
    public async Task Who_may_not_make_a_change_is_not_shown_it_and_that_is_noted()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var nobody = tenant.As(await tenant.AddTechnicianAsync("nobody"));
        var role = (await tenant.Owner.PostAsync("/api/v1/roles", new { name = "Hands", purpose = "devicesAndGroups", permissions = new[] { "Terminal" } }))
            .Expect(HttpStatusCode.Created).Id;
        (await nobody.SendAsync(HttpMethod.Delete, $"/api/v1/roles/{role}?preview=true")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await tenant.Owner.GetAsync("/api/v1/audit?kind=policy.refused")).Expect(HttpStatusCode.OK).Body.GetProperty("items").GetArrayLength().ShouldBe(1);
    }

    private static async Task<(long Version, string? Newest)> StateAsync(Tenant tenant)
    {
        var newest = (await tenant.Owner.GetAsync("/api/v1/changes?limit=1")).Expect(HttpStatusCode.OK).Body.GetProperty("items")[0];
        return (newest.GetProperty("id").GetInt64(), newest.GetProperty("summary").GetString());
    }

    private static List<(string Method, string Pattern)> Routes(RunningServer running, bool policy) =>
    [
        .. from endpoint in running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let pattern = endpoint.RoutePattern.RawText!.TrimEnd('/').Replace(":guid", "", StringComparison.Ordinal).Replace(":long", "", StringComparison.Ordinal)
        where pattern.StartsWith("/api/v1/", StringComparison.Ordinal) && endpoint.Metadata.GetMetadata<RouteAccess>() is { Scope: not null }
        where endpoint.Metadata.GetMetadata<PolicyRoute>() is not null == policy
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
        orderby pattern, method
        select (method, pattern),
    ];
}
