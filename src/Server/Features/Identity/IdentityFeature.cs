using System.Text.Json.Serialization;
using Countersign.Gateway;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;

namespace Countersign.Server.Features.Identity;

/// <summary>Signing in: passwords, API tokens, SSH keys, and what keeps guessers out.</summary>
internal static class IdentityFeature
{
    public static IServiceCollection AddIdentity(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options.SignIn);
        services.AddSingleton<PasswordHashing>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<SignInThrottle>();
        services.AddSingleton<PasswordSignIn>();
        services.AddSingleton<ISignIn, SignIn>();
        services.AddSingleton<SignInFailures>();
        services.AddSingleton<ApiTokens>();
        services.AddSingleton<RegisteredKeys>();
        // The last registration of a service counts: it stands for the platform's, which lets nobody in.
        services.AddSingleton<ValidateToken>(provider => provider.GetRequiredService<ApiTokens>().ValidateAsync);
        services.AddSingleton<StandingTokens>(provider => provider.GetRequiredService<ApiTokens>().StandingAsync);
        return services.AddApiTypes(IdentityJson.Default);
    }

    public static void MapIdentity(this IEndpointRouteBuilder api)
    {
        api.MapPost("/sign-in", SigningIn.SignInAsync).Anonymous("whoever signs in has no token yet");
        // Without a scope: also for a token that is good for choosing another password only.
        api.MapPost("/sign-out", SigningIn.SignOutAsync).Requires(TokenScopes.None);
        api.MapGet("/me", Me.GetAsync).Requires(TokenScopes.None);
        api.MapPost("/me/password", Me.ChangePasswordAsync).Requires(TokenScopes.None);

        api.MapGet("/me/tokens", MyTokens.ListAsync).Requires(TokenScopes.Read);
        api.MapPost("/me/tokens", MyTokens.AddAsync).Requires(TokenScopes.Write);
        api.MapDelete("/me/tokens/{id:guid}", MyTokens.RemoveAsync).Requires(TokenScopes.Write);

        api.MapGet("/me/keys", Keys.ListMineAsync).Requires(TokenScopes.Read);
        api.MapPost("/me/keys", Keys.AddMineAsync).Requires(TokenScopes.Write);
        api.MapDelete("/me/keys/{id:guid}", Keys.RemoveMineAsync).Requires(TokenScopes.Write);
        api.MapPost("/technicians/{id:guid}/keys", Keys.AddForAsync).Requires(TokenScopes.Write);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SignInRequest))]
[JsonSerializable(typeof(SignInAnswer))]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(PasswordRequest))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(TokenMade))]
[JsonSerializable(typeof(Page<TokenShown>))]
[JsonSerializable(typeof(KeyRequest))]
[JsonSerializable(typeof(KeyShown))]
[JsonSerializable(typeof(Page<KeyShown>))]
internal sealed partial class IdentityJson : JsonSerializerContext;
