using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Platform;

/// <summary>What every feature stands on: database, policy, audit log, and the form of the API.</summary>
public static class PlatformComposition
{
    public static IServiceCollection AddPlatform(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(options.Time);
        services.AddSingleton<PublicAddress>();
        services.AddSingleton<Readiness>();
        services.AddSingleton(_ => new Database(Path.Combine(options.DataDirectory, "countersign.db")));
        services.AddSingleton<WriteQueue>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<RepeatedRefusals>();
        services.AddSingleton<PolicySource>();
        services.AddSingleton<IPolicySource>(provider => provider.GetRequiredService<PolicySource>());
        services.AddSingleton<RowVersions>();
        services.AddSingleton<PolicyWriter>();
        services.AddApiTypes(PolicyPreviewJson.Default);
        services.AddSingleton<ValidateToken>((_, _, _) => default);
        services.AddSingleton<SignInStands>((_, _, _, _) => ValueTask.FromResult(false));
        services.AddSingleton<ApprovedAhead>((_, _, _) => ValueTask.FromResult<ImmutableArray<PreapprovedRequest>>([]));
        services.AddExceptionHandler<ProblemOfException>();
        // Without the trace's id: not there and not yours answer with one same body. The id is in a header.
        services.AddProblemDetails(problems => problems.CustomizeProblemDetails = problem => problem.ProblemDetails.Extensions.Remove("traceId"));
        services.AddOpenApi("v1", OpenApiForm.Configure);
        services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        return services;
    }

    /// <summary>Brings the database to its newest form and loads every organization's policy. Before the first request.</summary>
    internal static async Task PrepareAsync(IServiceProvider services, CancellationToken cancellation)
    {
        var database = services.GetRequiredService<Database>();
        await database.MigrateAsync(cancellation);
        await services.GetRequiredService<PolicySource>().LoadAsync(database, cancellation);
        await using var db = database.Open();
        var last = 0L;
        foreach (var organization in await db.Set<Organization>().Select(row => row.Id).ToListAsync(cancellation))
            last = Math.Max(last, await db.Of(organization).Set<AuditRecord>().MaxAsync(record => (long?)record.Id, cancellation) ?? 0);
        services.GetRequiredService<AuditLog>().ContinueAfter(last);
    }

    /// <summary>In the order in which a request meets them.</summary>
    /// <param name="routed">What looks at a request once its route is known, and before anybody is let through to it.</param>
    internal static void UsePlatform(this WebApplication app, Action<WebApplication> routed)
    {
        app.UsePublicScheme();
        app.Use(SecurityHeaders);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        UseForwardedAddress(app);
        app.UseRouting();
        routed(app);
        app.UseMiddleware<BearerGate>();
    }

    /// <summary>
    /// Behind a proxy everybody would come from one address: limits would hold all of them for one, and networks that are allowed nobody. Read from the right, up
    /// to the first address that is no proxy of ours: what stands left of it is said by a stranger.
    /// </summary>
    private static void UseForwardedAddress(WebApplication app)
    {
        var proxies = app.Services.GetRequiredService<ServerOptions>().HttpProxyFrom;
        if (proxies.Count == 0) return;
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = null };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in proxies) forwarded.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(forwarded);
    }

    public static void MapPlatform(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => TypedResults.Ok()).Anonymous("probes have no token").ExcludeFromDescription();
        routes.MapGet("/health/ready", Results<Ok, StatusCodeHttpResult> (Readiness readiness) => readiness.IsReady ? TypedResults.Ok() : TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable))
            .Anonymous("probes have no token; the server listens only once it is ready").ExcludeFromDescription();
        routes.MapOpenApi().Anonymous("the form of the API is no secret");
    }

    /// <summary>As the answer goes out, whoever made it: what turns failures into answers clears all that was there before. Where a page says more of its own, that stands.</summary>
    private static Task SecurityHeaders(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            if (headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
            headers["Referrer-Policy"] = "no-referrer";
            headers.CacheControl = "no-store";
            headers["X-Request-Id"] = context.TraceIdentifier;
            if (Scheme.IsHttps(context.Request)) headers.StrictTransportSecurity = "max-age=31536000";
            return Task.CompletedTask;
        });
        return next(context);
    }
}
