using System.Net;
using System.Text;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Platform;

public sealed class RouteTests
{
    [Fact]
    public async Task Every_route_declares_who_may_call_it()
    {
        await using var running = await RunningServer.StartAsync();
        var endpoints = running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints;

        endpoints.ShouldNotBeEmpty();
        endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<RouteAccess>() is null).Select(endpoint => endpoint.DisplayName).ShouldBeEmpty();
        endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<RouteAccess>()!).Where(access => access.Scope is null && access.Why.Length < 10).ShouldBeEmpty();
    }

    /// <summary>What spans areas, and so takes a token that reads in all of them.</summary>
    private static readonly string[] _acrossAreas = ["/api/v1/events"];

    [Fact]
    public async Task Every_route_takes_the_scope_of_one_area_to_read_where_it_reads_and_to_change_where_it_changes()
    {
        await using var running = await RunningServer.StartAsync();
        var routes = running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<RouteAccess>()!.Scope is not null && !_acrossAreas.Contains(route.RoutePattern.RawText)).ToList();
        routes.Count.ShouldBeGreaterThan(100);
        foreach (var route in routes)
        {
            var scope = route.Metadata.GetMetadata<RouteAccess>()!.Scope!.Value;
            if (scope == TokenScopes.None)
            {
                // One's own first steps: any token is good for them.
                (route.RoutePattern.RawText!.StartsWith("/api/v1/me", StringComparison.Ordinal) || route.RoutePattern.RawText == "/api/v1/sign-out").ShouldBeTrue(route.DisplayName);
                continue;
            }

            var reads = route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.SequenceEqual(["GET"]);
            ScopeNames.Areas.Select(area => reads ? area.Reading : area.All).ShouldContain(scope, route.DisplayName);
        }
    }

    [Fact]
    public async Task No_route_that_reads_JSON_takes_a_body_of_another_kind()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var stage = await RouteStage.SetAsync(tenant, await RouteBranches.AddAsync(tenant));
        var version = tenant.Policy.Version;
        var routes = running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes.Contains("application/json") == true).ToList();
        routes.Count.ShouldBeGreaterThan(50);
        foreach (var route in routes)
        {
            // Nothing is there unless the operator lets strangers in.
            if (route.RoutePattern.RawText!.StartsWith(Registration.Routes, StringComparison.Ordinal)) continue;
            var pattern = route.RoutePattern.RawText!.TrimEnd('/').Replace(":guid", "", StringComparison.Ordinal).Replace(":long", "", StringComparison.Ordinal);
            foreach (var method in route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods)
            {
                foreach (var (type, body) in ((string, string)[])[("text/plain", "{}"), ("application/x-www-form-urlencoded", "name=x"), ("multipart/form-data; boundary=b", "--b--\r\n")])
                {
                    var answer = await tenant.Owner.SendAsync(new(method), stage.Path(method, pattern), new SentBytes(Encoding.UTF8.GetBytes(body), type));
                    answer.Status.ShouldBe(HttpStatusCode.UnsupportedMediaType, $"{method} {pattern} {type}");
                }
            }
        }

        tenant.Policy.Version.ShouldBe(version);
    }

    [Fact]
    public async Task A_running_server_answers_probes_and_shows_the_form_of_its_API()
    {
        await using var running = await RunningServer.StartAsync();
        foreach (var path in (string[])["/health/live", "/health/ready", "/openapi/v1.json"])
        {
            using var answer = await running.Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        }
    }

    [Fact]
    public async Task What_is_not_there_answers_with_problem_details()
    {
        await using var running = await RunningServer.StartAsync();
        using var answer = await running.Http.GetAsync(new Uri("/nothing", UriKind.Relative), TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact]
    public async Task A_method_that_a_route_does_not_have_is_refused_as_such()
    {
        await using var running = await RunningServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/health/live");
        using var answer = await running.Http.SendAsync(request, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }
}
