using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Platform;

/// <summary>What the engine can be told to change, and what the API can tell it.</summary>
public sealed class CommandTests
{
    /// <summary>A route that may issue more than one command: what else is to be sent, with which path.</summary>
    private static readonly (string Method, string Pattern, Func<RouteStage, (string Path, object Body)> Call)[] Further =
    [
        ("PUT", "/api/v1/devices/{id}/accounts/{name}", stage => ($"/api/v1/devices/{stage.Device}/accounts/backup", new { })),
        ("PUT", "/api/v1/devices/{id}/accounts/{name}", stage => ($"/api/v1/devices/{stage.Device}/accounts/deploy", new { @default = true })),
        ("PATCH", "/api/v1/technician-groups/{id}", stage => ($"/api/v1/technician-groups/{stage.Group}", new { requiresManagerialApproval = true, consent = "ask", singlePrompt = true, membersApprove = true })),
        ("PATCH", "/api/v1/device-groups/{id}", stage => ($"/api/v1/device-groups/{stage.EmptyDeviceGroup}", new { parent = stage.DeviceGroup })),
        ("PATCH", "/api/v1/devices/{id}", stage => ($"/api/v1/devices/{stage.Device}", new { group = stage.EmptyDeviceGroup })),
        ("PATCH", "/api/v1/devices/{id}", stage => ($"/api/v1/devices/{stage.Device}", new { services = new object[] { new { protocol = "ssh", port = 2022 }, new { protocol = "vnc" } } })),
        ("POST", "/api/v1/grants", stage => ("/api/v1/grants", new { subject = new { kind = "technicianGroup", id = stage.Group }, scope = new { kind = "quickSupport" }, role = SystemRoles.EveryInvitation.Id.Value })),
        ("POST", "/api/v1/grants", stage => ("/api/v1/grants", new { subject = new { kind = "person", id = stage.Person }, scope = new { kind = "team" }, role = SystemRoles.Auditor.Id.Value })),
    ];

    /// <summary>What takes more than a token, and can not be shown beforehand; each has tests of its own.</summary>
    private static readonly string[] Proven = [nameof(PolicyCommand.ActivatePerson), nameof(PolicyCommand.HandOver)];

    [Fact]
    public async Task Every_command_that_the_engine_takes_is_issued_by_a_route_and_what_it_changes_can_be_undone()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var branches = await RouteBranches.AddAsync(tenant);
        var routes = Routes(running);
        foreach (var (method, pattern) in routes)
        {
            var stage = await RouteStage.SetAsync(tenant, branches);
            await stage.PrepareAsync(tenant, pattern);
            var path = stage.Path(method, pattern);

            // What is taken away has to be there.
            var isPut = method == "DELETE" && routes.Contains(("PUT", pattern));
            if (isPut) await tenant.Owner.PutAsync(path, stage.Body("PUT", pattern) ?? new { });
            if (pattern.EndsWith("/enable", StringComparison.Ordinal)) (await tenant.Owner.PostAsync($"/api/v1/technicians/{stage.Person}/disable")).Expect(HttpStatusCode.OK);
            if (method == "PUT" && pattern.EndsWith("/accounts/{name}", StringComparison.Ordinal)) path = $"/api/v1/devices/{stage.Device}/accounts/other";
            await SendAsync(tenant, method, path, stage.Body(method, pattern));
            if (isPut) (await tenant.Owner.DeleteAsync(path)).Expect(HttpStatusCode.OK);
            foreach (var further in Further.Where(one => (one.Method, one.Pattern) == (method, pattern)))
            {
                var call = further.Call(stage);
                await SendAsync(tenant, method, call.Path, call.Body);
            }
        }

        var commands = typeof(PolicyCommand).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(PolicyCommand))).Select(type => type.Name).ToList();
        commands.Count.ShouldBeGreaterThan(30);
        commands.Except(Proven).Except(await IssuedAsync(tenant)).ShouldBe([nameof(PolicyCommand.PinHostKey)], "no route tells the engine but of this one, which the way out to a device issues");
    }

    [Fact]
    public async Task What_leaves_everything_as_it_was_says_so_whatever_others_have_changed_meanwhile()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var tina = await tenant.AddTechnicianAsync("tina");
        var path = $"/api/v1/technicians/{tina}";
        (await tenant.Owner.PatchAsync(path, new { name = "Tina" })).Change.ShouldBe($"{tenant.Policy.Version}");
        await tenant.AddTechnicianAsync("tom");
        foreach (var again in (Task<ApiAnswer>[])[tenant.Owner.PatchAsync(path, new { name = "Tina" }), tenant.Owner.PostAsync($"{path}/enable"), tenant.As(tina).PatchAsync("/api/v1/me", new { })])
        {
            var answer = (await again).Expect(HttpStatusCode.OK);
            (answer.Change, answer.Version).ShouldBe(("none", tenant.Policy.Version));
        }

        // What is only shown, refused, read or no policy says nothing of the kind.
        (await tenant.Owner.PatchAsync($"{path}?preview=true", new { name = "Christina" })).Expect(HttpStatusCode.OK).Change.ShouldBeNull();
        (await tenant.Owner.PatchAsync(path, new { name = "" })).Expect(HttpStatusCode.BadRequest).Change.ShouldBeNull();
        (await tenant.Owner.GetAsync(path)).Change.ShouldBeNull();
        (await tenant.Owner.DeleteAsync($"{path}/sign-ins")).Expect(HttpStatusCode.NoContent).Change.ShouldBeNull();
    }

    /// <summary>Where people are administered, which is no policy in all of it. Handing over takes a password, and has tests of its own.</summary>
    private static readonly string[] Administering = ["/api/v1/technicians", "/api/v1/invitations", "/api/v1/contacts"];

    [Fact]
    public async Task Whoever_was_signed_out_between_the_gate_and_the_writer_s_turn_changes_nothing_by_any_route()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var branches = await RouteBranches.AddAsync(tenant);
        var stage = await RouteStage.SetAsync(tenant, branches);
        var routes = Routes(running, endpoint =>
            endpoint.Metadata.GetMetadata<PolicyRoute>() is not null || Administering.Any(path => endpoint.RoutePattern.RawText!.StartsWith(path, StringComparison.Ordinal)));
        foreach (var (method, pattern) in routes.Where(route => route.Method != "GET" && !route.Pattern.EndsWith("/ownership", StringComparison.Ordinal)))
        {
            await tenant.SignInAgainAsync();

            // Nothing is changed, so that one stage does for all; but a person who has got a key for one route has no first password any more.
            if (pattern.EndsWith("/password/first", StringComparison.Ordinal)) stage = await RouteStage.SetAsync(tenant, branches);
            await stage.PrepareAsync(tenant, pattern);
            var (rows, version) = (Rows(tenant), tenant.Policy.Version);

            // The tests' gate lets every token in; on the writer there is none.
            await tenant.SignOutAsync();
            (await tenant.Owner.SendAsync(new(method), stage.Path(method, pattern), stage.Body(method, pattern))).Status.ShouldBe(HttpStatusCode.Unauthorized, $"{method} {pattern}");
            tenant.Policy.Version.ShouldBe(version, $"{method} {pattern}");
            Rows(tenant).ShouldBe(rows, ignoreOrder: true, $"{method} {pattern}");
        }
    }

    private static async Task SendAsync(Tenant tenant, string method, string path, object? body)
    {
        var before = Rows(tenant);
        var version = tenant.Policy.Version;
        var answer = await tenant.Owner.SendAsync(new(method), path, body);
        ((int)answer.Status).ShouldBeInRange(200, 299, $"{method} {path} {answer.Text}");
        tenant.Policy.Version.ShouldBe(version + 1, $"{method} {path} changes something");
        answer.Change.ShouldBe($"{version + 1}", $"{method} {path} says so");

        // What opened an account before is kept by nobody.
        var isForGood = path.EndsWith("/secret", StringComparison.Ordinal);
        (await tenant.Owner.PostAsync($"/api/v1/changes/{version + 1}/undo")).Expect(isForGood ? HttpStatusCode.Conflict : HttpStatusCode.OK);
        Rows(tenant).ShouldBe(before, ignoreOrder: true, $"{method} {path} is undone");
    }

    private static List<PolicyRow> Rows(Tenant tenant) =>
    [
        .. tenant.Policy.All<PersonRow>(), .. tenant.Policy.All<TechnicianGroupRow>(), .. tenant.Policy.All<MembershipRow>(), .. tenant.Policy.All<GroupManagerRow>(),
        .. tenant.Policy.All<GroupAdministratorRow>(), .. tenant.Policy.All<GroupPermissionRow>(), .. tenant.Policy.All<DeviceGroupRow>(), .. tenant.Policy.All<DeviceRow>(),
        .. tenant.Policy.All<DeviceAccountRow>(), .. tenant.Policy.All<DeviceServiceRow>(), .. tenant.Policy.All<RoleRow>(), .. tenant.Policy.All<GrantRow>(), .. tenant.Policy.All<SettingRow>().Select(row => row with { Touched = 0 }),
        .. tenant.Policy.All<WorkflowRow>(), .. tenant.Policy.All<ExternalGroupRow>(), .. tenant.Policy.All<ExternalMemberRow>(),
    ];

    /// <summary>As the audit log tells.</summary>
    private static async Task<HashSet<string>> IssuedAsync(Tenant tenant)
    {
        var issued = new HashSet<string>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await tenant.Owner.GetAsync($"/api/v1/audit?kind=policy.changed&limit=1000{cursor}")).Expect(HttpStatusCode.OK);
            issued.UnionWith(page.Items.Select(item => item.GetProperty("details").GetProperty("command").GetString()!));
            cursor = page.Body.GetProperty("next").GetString() is { } next ? $"&cursor={next}" : null;
        }

        return issued;
    }

    private static List<(string Method, string Pattern)> Routes(RunningServer running) => Routes(running, endpoint => endpoint.Metadata.GetMetadata<PolicyRoute>() is not null);

    private static List<(string Method, string Pattern)> Routes(RunningServer running, Func<RouteEndpoint, bool> wanted) =>
    [
        .. from endpoint in running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let pattern = endpoint.RoutePattern.RawText!.TrimEnd('/').Replace(":guid", "", StringComparison.Ordinal).Replace(":long", "", StringComparison.Ordinal)
        where pattern.StartsWith("/api/v1/", StringComparison.Ordinal) && wanted(endpoint)
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
        orderby pattern, method
        select (method, pattern),
    ];
}
