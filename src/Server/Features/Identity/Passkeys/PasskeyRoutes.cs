using System.Text.Json.Serialization;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Identity.Passkeys;

/// <summary>Passkeys: adding, listing and removing one's own, and signing in with them.</summary>
internal static class PasskeyRoutes
{
    public static IServiceCollection AddPasskeys(this IServiceCollection services)
    {
        services.AddSingleton<RelyingParty>();
        services.AddSingleton<PasskeyCeremonies>();
        services.AddSingleton<PasskeySignIn>();
        services.AddSingleton<MyPasskeys>();
        return services.AddApiTypes(PasskeyJson.Default);
    }

    public static void MapPasskeys(this IEndpointRouteBuilder api)
    {
        api.MapPost("/sign-in/passkey/options", (PasskeySignInOptionsRequest request, PasskeySignIn signIn, CancellationToken cancellation) =>
            signIn.AskAsync(request, cancellation)).Anonymous("whoever signs in has no token yet");
        api.MapPost("/sign-in/passkey", (PasskeySignInRequest request, HttpContext context, PasskeySignIn signIn, CancellationToken cancellation) =>
            signIn.UseAsync(request, context, cancellation)).Anonymous("whoever signs in has no token yet");
        api.MapGet("/me/passkeys", ([AsParameters] PageQuery page, Caller caller, MyPasskeys mine, CancellationToken cancellation) =>
            mine.ListAsync(page, caller, cancellation)).Requires(TokenScopes.None).ForContactsToo();
        api.MapPost("/me/passkeys/options", (PasskeyOptionsRequest request, Caller caller, HttpContext context, MyPasskeys mine, CancellationToken cancellation) =>
            mine.AskAsync(request, caller, context, cancellation)).Requires(TokenScopes.None).ForContactsToo();
        api.MapPost("/me/passkeys", (PasskeyRequest request, Caller caller, MyPasskeys mine, CancellationToken cancellation) =>
            mine.AddAsync(request, caller, cancellation)).Requires(TokenScopes.None).ForContactsToo();
        api.MapPatch("/me/passkeys/{id:guid}", (Guid id, PasskeyNaming request, Caller caller, MyPasskeys mine, CancellationToken cancellation) =>
            mine.RenameAsync(id, request, caller, cancellation)).Requires(TokenScopes.Account).ForContactsToo();
        api.MapPost("/me/passkeys/{id:guid}/remove", (Guid id, PasskeyRemoval request, Caller caller, HttpContext context, MyPasskeys mine, CancellationToken cancellation) =>
            mine.RemoveAsync(id, request, caller, context, cancellation)).Requires(TokenScopes.Account).ForContactsToo();
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PasskeySignInOptionsRequest))]
[JsonSerializable(typeof(PasskeySignInOptions))]
[JsonSerializable(typeof(PasskeySignInRequest))]
[JsonSerializable(typeof(Page<PasskeyShown>))]
[JsonSerializable(typeof(PasskeyOptionsRequest))]
[JsonSerializable(typeof(PasskeyOptions))]
[JsonSerializable(typeof(PasskeyRequest))]
[JsonSerializable(typeof(PasskeyMade))]
[JsonSerializable(typeof(PasskeyNaming))]
[JsonSerializable(typeof(PasskeyShown))]
[JsonSerializable(typeof(PasskeyRemoval))]
internal sealed partial class PasskeyJson : JsonSerializerContext;
