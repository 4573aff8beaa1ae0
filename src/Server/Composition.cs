using Countersign.Server.Platform;

namespace Countersign.Server;

/// <summary>Which features the server is made of: two lines for each, in the same order.</summary>
internal static class Composition
{
    public static void Add(IServiceCollection services, ServerOptions options)
    {
        services.AddPlatform(options);
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapPlatform();
        var api = app.MapGroup("/api/v1");
    }
}
