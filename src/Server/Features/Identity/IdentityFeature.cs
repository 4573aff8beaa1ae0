using System.Text.Json.Serialization;
using Countersign.Gateway;
using Countersign.Server.Features.Identity.Passkeys;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;

namespace Countersign.Server.Features.Identity;

/// <summary>Signing in: passwords, second factors, sessions, API tokens, SSH keys, and what keeps guessers out.</summary>
internal static class IdentityFeature
{
    private static readonly EmbeddedPage _newPasswordPage = new("NewPasswordPage.html");

    public static IServiceCollection AddIdentity(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options.SignIn);
        services.AddSingleton<PasswordHashing>();
        services.AddSingleton<PasswordRenewal>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<SignInThrottle>();
        services.AddSingleton<LoginGuesses>();
        services.AddSingleton<PasswordSignIn>();
        services.AddSingleton<SecondFactor>();
        services.AddSingleton<SignInTickets>();
        services.AddSingleton<SignInGrant>();
        services.AddSingleton<SigningIn>();
        services.AddSingleton<DoorCertificates>();
        services.AddSingleton<AccountNews>();
        services.AddSingleton<LiveSignIns>();
        services.AddHostedService<SignInGuard>();
        services.AddSingleton<SignIns>();
        services.AddSingleton<MyTwoFactor>();
        services.AddSingleton<OwnProof>();
        services.AddSingleton<SignInVoiding>();
        services.AddSingleton<AlongWithChange>(provider => provider.GetRequiredService<SignInVoiding>().VoidWhereNotMeantAsync);
        services.AddSingleton<AlongWithChange>(provider => provider.GetRequiredService<SignInVoiding>().EndWhatWasOverAsync);
        services.AddPasskeys();
        services.AddSingleton<ISignIn, SignIn>();
        services.AddSingleton<SignInFailures>();
        services.AddSingleton<ApiTokens>();
        services.AddSingleton<RegisteredKeys>();
        services.AddSingleton<LostPassword>();
        services.AddSingleton<FirstPassword>();
        // The last registration of a service counts: it stands for the platform's, which lets nobody in.
        services.AddSingleton<ValidateToken>(provider => provider.GetRequiredService<ApiTokens>().ValidateAsync);
        services.AddSingleton<SignInStands>(provider => provider.GetRequiredService<ApiTokens>().StandsAsync);
        services.AddSingleton<StandingTokens>(provider => provider.GetRequiredService<ApiTokens>().StandingAsync);
        return services.AddApiTypes(IdentityJson.Default);
    }

    public static void MapIdentity(this IEndpointRouteBuilder api)
    {
        api.MapPost("/sign-in", (SignInRequest request, HttpContext context, SigningIn signingIn, CancellationToken cancellation) =>
            signingIn.ByPasswordAsync(request, context, cancellation)).Anonymous("whoever signs in has no token yet");
        api.MapPost("/sign-in/code", (SignInCodeRequest request, HttpContext context, SigningIn signingIn, CancellationToken cancellation) =>
            signingIn.ByCodeAsync(request, context, cancellation)).Anonymous("whoever signs in has no token yet");
        // Without a scope: also for a token that is good for choosing another password, or for setting up a second factor, only.
        api.MapPost("/sign-out", (Caller caller, HttpContext context, SigningIn signingIn, AuditLog audit, CancellationToken cancellation) =>
            signingIn.SignOutAsync(caller, context, audit, cancellation)).Requires(TokenScopes.None).ForContactsToo();
        api.MapGet("/me", Me.GetAsync).Requires(TokenScopes.None).ForContactsToo();
        api.MapPatch("/me", Me.EditAsync).ChangesPolicy(TokenScopes.Account);
        api.MapPost("/me/password", Me.ChangePasswordAsync).Requires(TokenScopes.None).ForContactsToo();

        MapLostPassword(api);
        MapTwoFactor(api);
        api.MapPasskeys();
        MapSignIns(api);

        api.MapGet("/me/tokens", MyTokens.ListAsync).Requires(TokenScopes.AccountRead);
        api.MapPost("/me/tokens", MyTokens.AddAsync).Requires(TokenScopes.Account);
        api.MapDelete("/me/tokens/{id:guid}", MyTokens.RemoveAsync).Requires(TokenScopes.Account);

        api.MapPost("/me/certificate", MyCertificate.IssueAsync).Requires(TokenScopes.Account);
        api.MapDoorAuthority();

        api.MapGet("/me/keys", Keys.ListMineAsync).Requires(TokenScopes.AccountRead).ForContactsToo();
        api.MapPost("/me/keys", Keys.AddMineAsync).Requires(TokenScopes.Account).ForContactsToo();
        api.MapDelete("/me/keys/{id:guid}", Keys.RemoveMineAsync).Requires(TokenScopes.Account).ForContactsToo();
        api.MapPost("/technicians/{id:guid}/keys", Keys.AddForAsync).Requires(TokenScopes.People);
        api.MapGet("/technicians/{id:guid}/keys", Keys.ListForAsync).Requires(TokenScopes.PeopleRead);
        api.MapDelete("/technicians/{id:guid}/keys/{key:guid}", Keys.RemoveForAsync).Requires(TokenScopes.People);
        api.MapGet("/technicians/{id:guid}/tokens", TheirTokens.ListAsync).Requires(TokenScopes.PeopleRead);
        api.MapDelete("/technicians/{id:guid}/tokens/{token:guid}", TheirTokens.RemoveAsync).Requires(TokenScopes.People);
        api.MapPost("/technicians/{id:guid}/two-factor/reset", ResetTwoFactor.HandleAsync).Requires(TokenScopes.People);
    }

    private static void MapLostPassword(IEndpointRouteBuilder api)
    {
        api.MapPost("/technicians/{id:guid}/password/reset", (Guid id, Caller caller, HttpContext context, LostPassword lost, CancellationToken cancellation) =>
            lost.SendAsync(id, caller, context, cancellation)).Requires(TokenScopes.People);
        api.MapPost("/technicians/{id:guid}/password/first", (Guid id, FirstPasswordRequest request, Caller caller, HttpContext context, FirstPassword first, CancellationToken cancellation) =>
            first.SetAsync(id, request, caller, context, cancellation)).Requires(TokenScopes.People);
        api.MapPost("/new-password", (NewPasswordRequest request, HttpContext context, LostPassword lost, CancellationToken cancellation) =>
            lost.ChooseAsync(request, context, cancellation)).Anonymous("whoever lost their password has no token: the link's takes the place of one");
    }

    /// <summary>Outside the API: the page that the mailed link opens.</summary>
    public static void MapNewPasswordPage(this IEndpointRouteBuilder app) =>
        app.MapGet("/new-password", (HttpContext context) => _newPasswordPage.Show(context)).Anonymous("the page holds nothing; what it sends is checked").ExcludeFromDescription();

    private static void MapTwoFactor(IEndpointRouteBuilder api)
    {
        api.MapGet("/me/two-factor", (Caller caller, MyTwoFactor mine, CancellationToken cancellation) => mine.GetAsync(caller, cancellation)).Requires(TokenScopes.None).ForContactsToo();
        api.MapPost("/me/two-factor/enrol", (EnrolRequest request, Caller caller, HttpContext context, MyTwoFactor mine, CancellationToken cancellation) =>
            mine.EnrolAsync(request, caller, context, cancellation)).Requires(TokenScopes.None).ForContactsToo();
        api.MapPost("/me/two-factor/confirm", (ConfirmRequest request, Caller caller, HttpContext context, MyTwoFactor mine, LiveSignIns live, CancellationToken cancellation) =>
            mine.ConfirmAsync(request, caller, context, live, cancellation)).Requires(TokenScopes.None).ForContactsToo();
        api.MapPost("/me/two-factor/codes", (SecondFactorRequest request, Caller caller, HttpContext context, MyTwoFactor mine, CancellationToken cancellation) =>
            mine.RenewCodesAsync(request, caller, context, cancellation)).Requires(TokenScopes.Account).ForContactsToo();
        api.MapPost("/me/two-factor/disable", (SecondFactorRequest request, Caller caller, HttpContext context, MyTwoFactor mine, CancellationToken cancellation) =>
            mine.DisableAsync(request, caller, context, cancellation)).Requires(TokenScopes.Account).ForContactsToo();
    }

    private static void MapSignIns(IEndpointRouteBuilder api)
    {
        api.MapGet("/me/sign-ins", ([AsParameters] PageQuery page, Caller caller, CallersPolicy policy, SignIns signIns, CancellationToken cancellation) =>
            signIns.ListMineAsync(page, caller, policy, cancellation)).Requires(TokenScopes.AccountRead).ForContactsToo();
        api.MapDelete("/me/sign-ins", (Caller caller, SignIns signIns, CancellationToken cancellation) =>
            signIns.EndOthersAsync(caller, cancellation)).Requires(TokenScopes.Account).ForContactsToo();
        api.MapDelete("/me/sign-ins/{id:guid}", (Guid id, Caller caller, SignIns signIns, CancellationToken cancellation) =>
            signIns.EndMineAsync(id, caller, cancellation)).Requires(TokenScopes.Account).ForContactsToo();
        api.MapGet("/technicians/{id:guid}/sign-ins", (Guid id, [AsParameters] PageQuery page, Caller caller, CallersPolicy policy, SignIns signIns, CancellationToken cancellation) =>
            signIns.ListForAsync(id, page, caller, policy, cancellation)).Requires(TokenScopes.PeopleRead);
        api.MapDelete("/technicians/{id:guid}/sign-ins", (Guid id, Caller caller, SignIns signIns, CancellationToken cancellation) =>
            signIns.EndAllForAsync(id, caller, cancellation)).Requires(TokenScopes.People);
        api.MapDelete("/technicians/{id:guid}/sign-ins/{signIn:guid}", (Guid id, Guid signIn, Caller caller, SignIns signIns, CancellationToken cancellation) =>
            signIns.EndForAsync(id, signIn, caller, cancellation)).Requires(TokenScopes.People);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TwoFactorResetAnswer))]
[JsonSerializable(typeof(SignInRequest))]
[JsonSerializable(typeof(SignInAnswer))]
[JsonSerializable(typeof(SignInCodeRequest))]
[JsonSerializable(typeof(CodeWanted))]
[JsonSerializable(typeof(TwoFactorShown))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolAnswer))]
[JsonSerializable(typeof(ConfirmRequest))]
[JsonSerializable(typeof(SecondFactorRequest))]
[JsonSerializable(typeof(RecoveryCodesMade))]
[JsonSerializable(typeof(SignInShown))]
[JsonSerializable(typeof(Page<SignInShown>))]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(ProfileRequest))]
[JsonSerializable(typeof(PasswordRequest))]
[JsonSerializable(typeof(PasswordLinkSent))]
[JsonSerializable(typeof(FirstPasswordRequest))]
[JsonSerializable(typeof(FirstPasswordSet))]
[JsonSerializable(typeof(NewPasswordRequest))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(TokenMade))]
[JsonSerializable(typeof(Page<TokenShown>))]
[JsonSerializable(typeof(CertificateRequest))]
[JsonSerializable(typeof(CertificateMade))]
[JsonSerializable(typeof(DoorAuthoritiesAnswer))]
[JsonSerializable(typeof(KeyRequest))]
[JsonSerializable(typeof(KeyShown))]
[JsonSerializable(typeof(Page<KeyShown>))]
internal sealed partial class IdentityJson : JsonSerializerContext;
