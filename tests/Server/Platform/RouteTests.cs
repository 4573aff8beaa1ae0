using System.Net;
using Countersign.Server.Platform;
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
