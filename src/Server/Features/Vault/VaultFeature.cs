using Countersign.Reach;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Vault;

/// <summary>The master key, the secrets of accounts, the certificate authorities, and the front door's host keys.</summary>
internal static class VaultFeature
{
    public static IServiceCollection AddVault(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(_ => MasterKey.Open(options.DataDirectory));
        services.AddSingleton(_ => HostKeys.Open(options.DataDirectory));
        services.AddSingleton<SshAuthorities>();
        services.AddSingleton<AccountCertificates>();
        services.AddSingleton<AccountVault>();
        services.AddSingleton<IAccountVault>(provider => provider.GetRequiredService<AccountVault>());
        services.AddSingleton<AlongWithChange>(provider => provider.GetRequiredService<AccountVault>().DropWhereReachedElsewhereAsync);
        services.AddHostedService<VaultCheck>();
        return services.AddApiTypes(VaultJson.Default);
    }

    public static void MapVault(this IEndpointRouteBuilder api)
    {
        api.MapAccounts();
        api.MapAuthorities();
    }

    /// <summary>Before the server listens: a key that can't be used must stop it.</summary>
    private sealed class VaultCheck(AccountVault vault, PolicySource policy) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) =>
            vault.CheckKeyAsync([.. policy.All.Select(snapshot => snapshot.Organization)], cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
