namespace Countersign.Server.Platform.Events;

/// <summary>Live events: published by features when something is durable, read at <c>/events</c>.</summary>
internal static class EventsComposition
{
    public static IServiceCollection AddEvents(this IServiceCollection services)
    {
        services.AddSingleton<EventLimits>();
        services.AddSingleton<EventHub>();
        services.AddSingleton<StandingTokens>((_, _) => ValueTask.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid>()));
        services.AddHostedService<EventGuard>();
        return services;
    }

    public static void MapEvents(this IEndpointRouteBuilder api) => api.MapGet("/events", EventStream.HandleAsync)
        .Requires(TokenScopes.Read)
        .WithTags("Events")
        .WithSummary("What concerns the caller, as it happens: server-sent events request, session, hostKey and policy")
        .WithDescription(
            "Begins with ready, or with reset where something may have been missed since Last-Event-ID: then read the lists anew. request and session carry what GET of the same thing answers; hostKey, for those who may change the device, that it has shown another key than the pinned one; "
            + "policy carries the new version.")
        .Produces<string>(StatusCodes.Status200OK, "text/event-stream")
        .ProducesProblem(StatusCodes.Status429TooManyRequests);
}
