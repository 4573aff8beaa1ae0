using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;

namespace Countersign.Server;

/// <summary>Which features the server is made of: two lines for each, in the same order.</summary>
internal static class Composition
{
    public static void Add(IServiceCollection services, ServerOptions options)
    {
        services.AddPlatform(options);
        services.AddVault(options);
        services.AddIdentity(options);
        services.AddOrganizations();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapPlatform();
        var api = app.MapGroup("/api/v1");
        api.MapVault();
        api.MapIdentity();
        api.MapOrganizations();
        app.MapSetupPage();
    }
}
