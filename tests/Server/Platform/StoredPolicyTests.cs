using System.Net;
using Countersign.Server.Platform;
using Countersign.Server.Tests.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests.Platform;

/// <summary>Policy as it is found in the database at a start.</summary>
public sealed class StoredPolicyTests : IAsyncLifetime
{
    private RunningServer _running = null!;
    private Tenant _tenant = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task A_server_does_not_start_on_rows_that_do_not_fit_together_and_says_whose_they_are()
    {
        (await _tenant.Owner.PostAsync("/api/v1/technician-groups", new { name = "Support", parent = _tenant.Everyone })).Expect(HttpStatusCode.Created);
        await ChangeByHandAsync("UPDATE technician_group SET ParentId = Id WHERE ParentId IS NOT NULL");
        var error = await Should.ThrowAsync<PolicyDamagedException>(LoadAsync(new CapturedLog()));
        error.Message.ShouldStartWith($"The policy of acme ({_tenant.Id})");
        var options = _running.Server.Services.GetRequiredService<ServerOptions>();
        await _running.Server.DisposeAsync();
        (await Serving.ServeAsync(options, readyFile: null, Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_does_not_start_on_hours_in_a_time_zone_that_it_does_not_know_and_says_whose_and_which()
    {
        (await _tenant.Owner.PutAsync("/api/v1/settings/organization/sessionHours", new { value = "Europe/Berlin; Mon-Fri 08:00-18:00" })).Expect(HttpStatusCode.OK);
        await ChangeByHandAsync("UPDATE setting SET Value = replace(Value, 'Europe/Berlin', 'Nowhere/Land')");
        var error = await Should.ThrowAsync<PolicyDamagedException>(LoadAsync(new CapturedLog()));
        error.Message.ShouldStartWith($"The policy of acme ({_tenant.Id})");
        error.Message.ShouldContain("Setting ");
        error.Message.ShouldContain("'Nowhere/Land' is no time zone that this machine knows");
        error.Message.ShouldContain("tzdata-legacy");
    }

    private Task LoadAsync(CapturedLog log)
    {
        using var logs = LoggerFactory.Create(building => building.AddProvider(log));
        return new PolicySource(logs.CreateLogger<PolicySource>()).LoadAsync(_running.Database, Stop);
    }

    private async Task ChangeByHandAsync(string sql)
    {
        await using var db = _running.Database.Open();
        (await db.Database.ExecuteSqlRawAsync(sql, Stop)).ShouldBeGreaterThan(0);
    }
}
