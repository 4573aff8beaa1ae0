using System.Reflection;
using Countersign.Server.Platform;
using Countersign.Server.Tests.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Platform;

/// <summary>Files that take long to send go to who may have them still, all the way.</summary>
public sealed class LongAnswerTests
{
    [Fact]
    public async Task What_is_sent_is_broken_off_once_the_sign_in_has_ended()
    {
        await using var lab = await IdentityLab.StartAsync();
        (await SendAsync(lab, _ => default, (_, _) => true)).ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_sent_is_broken_off_once_the_right_to_it_has_gone()
    {
        await using var lab = await IdentityLab.StartAsync();
        var asked = 0;
        (await SendAsync(lab, _ => ValueTask.FromResult<Caller?>(lab.AsAnn), (caller, inForce) => ++asked < 3 && inForce.IsMasterAdministrator)).ShouldBeTrue();
        asked.ShouldBe(3);
    }

    [Fact]
    public async Task What_is_sent_to_who_may_have_it_comes_to_its_end()
    {
        await using var lab = await IdentityLab.StartAsync();
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isBrokenOff = await SendAsync(
            lab,
            _ =>
            {
                seen.TrySetResult();
                return ValueTask.FromResult<Caller?>(lab.AsAnn);
            },
            (_, _) => true,
            seen.Task);
        isBrokenOff.ShouldBeFalse();
    }

    [Fact]
    public async Task Nothing_is_streamed_in_another_way()
    {
        await using var running = await RunningServer.StartAsync();
        var streaming = running.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => (endpoint.DisplayName, Method: endpoint.Metadata.GetMetadata<MethodInfo>()))
            .Where(endpoint => endpoint.Method is not null && Answers(endpoint.Method.ReturnType).Any(type => type == typeof(PushStreamHttpResult))).ToList();
        streaming.Count.ShouldBe(3);
        streaming.ShouldAllBe(endpoint => endpoint.Method!.GetParameters().Any(parameter => parameter.ParameterType == typeof(LongAnswer)));
    }

    private static IEnumerable<Type> Answers(Type type) => type.IsGenericType ? type.GetGenericArguments().SelectMany(Answers) : [type];

    /// <param name="until">When all is sent; null: never.</param>
    /// <returns>Whether it was broken off.</returns>
    private static async Task<bool> SendAsync(IdentityLab lab, Func<CancellationToken, ValueTask<Caller?>> ask, Func<Caller, CallersPolicy, bool> may, Task? until = null)
    {
        var lifetime = new Lifetime();
        var context = new DefaultHttpContext { RequestServices = lab.Server.Services };
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Features.Set(new CallersStanding(ask));
        var answer = (await LongAnswer.BindAsync(context)).ShouldNotBeNull();
        await answer.Send((_, stop) => (until ?? new TaskCompletionSource().Task).WaitAsync(stop), may, "text/csv", "x.csv").ExecuteAsync(context);
        return lifetime.IsAborted;
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public bool IsAborted { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => IsAborted = true;
    }
}
