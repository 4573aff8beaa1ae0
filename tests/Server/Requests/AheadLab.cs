using System.Net;
using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Tests.Identity;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Requests;

/// <summary>Ned may ask for web1 and web2, Mara and Max accept for both; the clock stands still until it is moved.</summary>
public abstract class AheadLab : IAsyncLifetime
{
    private protected SetClock Clock { get; } = new();

    private protected RunningServer Running { get; private set; } = null!;

    private protected Tenant Tenant { get; private set; } = null!;

    private protected Guid Servers { get; private set; }

    private protected Guid Web1 { get; private set; }

    private protected Guid Web2 { get; private set; }

    private protected Guid Ned { get; private set; }

    private protected Guid Mara { get; private set; }

    private protected Guid Max { get; private set; }

    private protected DateTimeOffset Now => Clock.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        Running = await RunningServer.StartAsync(services => services.AddSingleton<TimeProvider>(Clock));
        Tenant = await Tenant.FoundAsync(Running, "acme");
        Servers = await Tenant.AddGroupAsync("Servers");
        (Web1, Web2) = (await Tenant.AddDeviceAsync("web1", Servers, "root"), await Tenant.AddDeviceAsync("web2", Servers, "root"));
        (Ned, Mara, Max) = (await Tenant.AddTechnicianAsync("ned"), await Tenant.AddTechnicianAsync("mara"), await Tenant.AddTechnicianAsync("max"));
        await GrantAsync(Ned, "deviceGroup", Servers, SystemRoles.RequestsAccess);
        await GrantAsync(Mara, "deviceGroup", Servers, SystemRoles.AcceptsAccessRequests);
        await GrantAsync(Max, "deviceGroup", Servers, SystemRoles.AcceptsAccessRequests);
    }

    public async ValueTask DisposeAsync()
    {
        await Running.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected Task<ApiAnswer> AskAsync(object time, Guid? person = null, object? devices = null) =>
        Tenant.As(person ?? Ned).PostAsync("/api/v1/requests", new { devices = devices ?? new[] { Web1 }, time, reason = "upgrade" });

    private protected async Task<long> AskedAsync(object time, Guid? person = null, object? devices = null) =>
        (await AskAsync(time, person, devices)).Expect(HttpStatusCode.Created).Items.ShouldHaveSingleItem().GetProperty("number").GetInt64();

    private protected Task<ApiAnswer> ApproveAsync(long number, Guid? person = null, object? only = null) =>
        Tenant.As(person ?? Mara).PostAsync($"/api/v1/requests/{number}/approve", only is null ? new { } : new { only });

    private protected async Task<long> ApprovedAsync(object time, object? devices = null)
    {
        var number = await AskedAsync(time, devices: devices);
        (await ApproveAsync(number)).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldBe("approved");
        return number;
    }

    private protected object Window(TimeSpan from, TimeSpan to) => new { kind = "fixed", from = Now + from, to = Now + to };

    private protected static object FromApproval(string duration) => new { kind = "fromApproval", duration };

    private protected async Task<AdmissionResult> ConnectAsync(string device = "web1", Guid? person = null) => await Service<Admission>().AskAsync(
        new(Tenant.Id, new(person ?? Ned), "ned", SignInStrength.OneFactor, null, device, null, SessionKind.Shell, ""), TestContext.Current.CancellationToken);

    private protected async Task<bool> GetsInAsync(string device = "web1", Guid? person = null)
    {
        if (await ConnectAsync(device, person) is not AdmissionResult.Admitted admitted) return false;
        admitted.Session.Finish(EndReason.Completed, "", 0);
        await admitted.Session.DisposeAsync();
        return true;
    }

    private protected async Task<JsonElement> ShownAsync(long number, Guid? person = null) =>
        (await Tenant.As(person ?? Ned).GetAsync($"/api/v1/requests/{number}")).Expect(HttpStatusCode.OK).Body;

    private protected async Task<string> StateAsync(long number) => (await ShownAsync(number)).GetProperty("state").GetString()!;

    private protected async Task<string?> DeviceStateAsync(Guid device) =>
        (await Tenant.As(Ned).GetAsync($"/api/v1/devices/{device}")).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString();

    private protected async Task GrantAsync(Guid subject, string scope, Guid id, RoleRow role) => (await Tenant.Owner.PostAsync(
        "/api/v1/grants", new { subject = new { kind = "person", id = subject }, scope = new { kind = scope, id }, role = role.Id.Value })).Expect(HttpStatusCode.Created);

    private protected async Task SetAsync(string setting, string value) =>
        (await Tenant.Owner.PutAsync($"/api/v1/settings/organization/{setting}", new { value })).Expect(HttpStatusCode.OK);

    /// <summary>What the system moves by itself: there is nothing to be told by but to look.</summary>
    private protected static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds()) await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    private protected async Task<IReadOnlyList<string?>> KindsAsync() =>
        [.. (await Tenant.Owner.GetAsync("/api/v1/audit?limit=1000")).Items.Select(item => item.GetProperty("kind").GetString())];

    private protected T Service<T>() where T : notnull => Running.Server.Services.GetRequiredService<T>();
}
