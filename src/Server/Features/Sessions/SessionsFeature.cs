using Countersign.Gateway;
using Countersign.Gateway.SshDoor;
using Countersign.Reach;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Countersign.Ssh;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;

namespace Countersign.Server.Features.Sessions;

/// <summary>Sessions: their ledger, the front doors that begin them, and how the API shows them.</summary>
internal static class SessionsFeature
{
    public static IServiceCollection AddSessions(this IServiceCollection services, ServerOptions options)
    {
        // The machine's clock, as with the network: how long the disk takes is no matter of policy.
        services.AddSingleton(provider => new RecordingStore(
            Path.Combine(options.DataDirectory, "recordings"), provider.GetRequiredService<MasterKey>().Derive("countersign/recordings/1"), TimeProvider.System));
        services.AddSingleton(provider => new JournalStore(
            Path.Combine(options.DataDirectory, "journals"), provider.GetRequiredService<MasterKey>().Derive("countersign/journals/1"), options.Time, TimeProvider.System));
        services.AddSingleton<SessionLedger>();
        services.AddSingleton<ISessionLedger>(provider => provider.GetRequiredService<SessionLedger>());
        services.AddSingleton<LiveSessions>();
        services.AddSingleton<JournalKeeper>();
        services.AddSingleton<Recorder>();
        services.AddSingleton<JournalAnchors>();
        services.AddHostedService(provider => provider.GetRequiredService<JournalAnchors>());
        services.AddSingleton<Admission>();
        services.AddSingleton<DeviceReach>();
        services.AddSingleton(provider => new SshDoorShown(options, provider.GetRequiredService<HostKeys>()));
        return services.AddApiTypes(SessionJson.Default).AddApiTypes(JournalApiJson.Default).AddApiTypes(SshDoorJson.Default);
    }

    /// <summary>Listens for SSH clients. The network's timers are the machine's own: policy may live by another clock.</summary>
    internal static SshFrontDoor OpenSshDoor(IServiceProvider services, ServerOptions options)
    {
        var door = SshFrontDoor.Start(
            new()
            {
                Listen = options.Ssh,
                PolicyTime = options.Time,
                ProxyFrom = options.ProxyFrom,
                HostKeys = services.GetRequiredService<HostKeys>().Keys,
                Compatibility = options.SshNistCurves ? SshCompatibility.NistCurves : SshCompatibility.None,
            },
            new(
                services.GetRequiredService<ISignIn>(),
                services.GetRequiredService<IPolicySource>(),
                services.GetRequiredService<Admission>(),
                services.GetRequiredService<DeviceReach>(),
                services.GetRequiredService<ILogger<SshFrontDoor>>()));
        services.GetRequiredService<SshDoorShown>().Listens(door.Address);
        return door;
    }

    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        SessionEndpoints.Map(routes);
        routes.MapGet("/ssh", SshDoorShown.Get).WithTags("Sessions").Requires(TokenScopes.DevicesRead).ForContactsToo();
    }
}
