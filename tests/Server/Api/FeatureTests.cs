namespace Countersign.Server.Tests.Api;

/// <summary>A server with one organization: ann may connect to web1, and bob to nothing.</summary>
public abstract class FeatureTests : IAsyncLifetime
{
    private protected RunningServer Running { get; private set; } = null!;

    private protected Tenant Tenant { get; private set; } = null!;

    private protected ApiCaller Owner => Tenant.Owner;

    private protected Guid Ann { get; private set; }

    private protected Guid Bob { get; private set; }

    private protected Guid Clients { get; private set; }

    private protected Guid Web1 { get; private set; }

    private protected Guid Web2 { get; private set; }

    public virtual async ValueTask InitializeAsync()
    {
        Running = await RunningServer.StartAsync();
        Tenant = await Tenant.FoundAsync(Running, "acme");
        (Ann, Bob) = (await Tenant.AddTechnicianAsync("ann"), await Tenant.AddTechnicianAsync("bob"));
        Clients = await Tenant.AddGroupAsync("Clients");
        (Web1, Web2) = (await Tenant.AddDeviceAsync("web1", Clients, "root", "deploy"), await Tenant.AddDeviceAsync("web2", Clients));
        await Tenant.GrantAsync(Ann, Web1, Access.SystemRoles.OnlyDeviceConnection.Id);
    }

    public async ValueTask DisposeAsync()
    {
        await Running.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
