using Countersign.Server.Platform;
using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>Requests for approval: asked by connections, decided by approvers, claimed by sessions.</summary>
internal static class RequestsFeature
{
    public static IServiceCollection AddRequests(this IServiceCollection services)
    {
        services.AddSingleton<RequestTransitions>();
        services.AddSingleton<RequestClaims>();
        services.AddSingleton<WaitingConnections>();
        services.AddSingleton<RequestNews>();
        services.AddSingleton<RequestSettling>();
        services.AddSingleton<RequestClock>();
        services.AddHostedService(provider => provider.GetRequiredService<RequestClock>());
        services.AddSingleton<RequestDecisions>();
        services.AddSingleton<RequestsAhead>();
        services.AddHostedService<RunningExtensions>();
        services.AddSingleton<IApprovalDesk, RequestDesk>();
        services.AddSingleton<ApprovedAhead>(provider =>
        {
            var time = provider.GetRequiredService<TimeProvider>();
            return (db, person, cancellation) => RequestDesk.ApprovedAheadAsync(db, person, time.GetUtcNow(), cancellation);
        });
        return services.AddApiTypes(RequestJson.Default);
    }

    public static void MapRequests(this IEndpointRouteBuilder routes) => RequestEndpoints.Map(routes);
}
