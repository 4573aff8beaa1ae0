using System.Net;
using Countersign.Access;
using Countersign.Reach;
using Countersign.Server.Platform;
using Countersign.Server.Tests.Events;
using Countersign.Sessions;
using Countersign.Ssh;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Devices;

/// <summary>What becomes of host keys that are not the pinned ones, and who hears of it.</summary>
public sealed class HostKeyBookTests : IAsyncLifetime
{
    private readonly SshPublicKey _pinned = NewKey();
    private readonly SshPublicKey _offered = NewKey();
    private RunningServer _running = null!;
    private Tenant _tenant = null!;
    private Guid _device;
    private Guid _ned;
    private Guid _adam;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningServer.StartAsync();
        _tenant = await Tenant.FoundAsync(_running, "acme");
        _device = await _tenant.AddDeviceAsync("web1", await _tenant.AddGroupAsync("Servers"), "root");
        (_ned, _adam) = (await _tenant.AddTechnicianAsync("ned"), await _tenant.AddTechnicianAsync("adam"));
        await _tenant.GrantAsync(_ned, _device, SystemRoles.OnlyDeviceConnection.Id);
        await _tenant.GrantAsync(_adam, _device, SystemRoles.FullDeviceAccess.Id);
        await PatchAsync(Ssh(new { protocol = "ssh", hostKey = $"{_pinned}" }));
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    [Fact]
    public async Task Those_who_may_change_the_device_hear_of_it_once_and_nobody_else()
    {
        using var owner = await OpenAsync(_tenant.OwnerId.Value);
        using var adam = await OpenAsync(_adam);
        using var ned = await OpenAsync(_ned);
        for (var i = 0; i < 3; i++) await ChangedAsync(_offered);
        await PatchAsync(new { description = "touched" });
        foreach (var told in (EventReading[])[owner, adam])
        {
            (await told.NextAsync())!.Name.ShouldBe("ready");
            var happened = await told.NextAsync();
            (happened!.Name, happened.Data.GetProperty("device").GetGuid(), happened.Data.GetProperty("alert").GetProperty("fingerprint").GetString())
                .ShouldBe(("hostKey", _device, _offered.Fingerprint));
            (await told.NextAsync())!.Name.ShouldBe("policy");
        }

        (await ned.NextAsync())!.Name.ShouldBe("ready");
        (await ned.NextAsync())!.Name.ShouldBe("policy");
        (await AlertAsync(_tenant.As(_adam))).ShouldBe((_offered.Fingerprint, 3));
        (await AlertAsync(_tenant.As(_ned))).ShouldBeNull();
        (await RecordsAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task Another_key_is_told_anew()
    {
        var third = NewKey();
        foreach (var offered in (SshPublicKey[])[_offered, third, third]) await ChangedAsync(offered);
        (await AlertAsync(_tenant.Owner)).ShouldBe((third.Fingerprint, 3));
        (await RecordsAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_connection_that_began_before_the_key_was_confirmed_or_the_device_moved_raises_nothing()
    {
        var before = Endpoint;
        await PatchAsync(Ssh(new { protocol = "ssh", hostKey = $"{_offered}" }));
        await ChangedAsync(_offered, before);
        (await AlertAsync(_tenant.Owner)).ShouldBeNull();
        before = Endpoint;
        await PatchAsync(Ssh(new { protocol = "ssh", port = 2022 }));
        await ChangedAsync(_pinned, before);
        (await AlertAsync(_tenant.Owner)).ShouldBeNull();
    }

    [Theory]
    [InlineData("host")]
    [InlineData("undo")]
    [InlineData("removed")]
    [InlineData("refused")]
    public async Task An_alert_stands_until_the_device_is_reached_or_known_otherwise(string way)
    {
        await PatchAsync(Ssh(new { protocol = "ssh", hostKey = $"{NewKey()}" }));
        await ChangedAsync(_offered);
        var before = Endpoint;
        switch (way)
        {
            case "host":
                await PatchAsync(new { host = "192.0.2.9" });
                break;
            case "removed":
                await PatchAsync(new { services = Array.Empty<object>() });
                await ChangedAsync(_offered, before);
                break;
            case "undo":
                (await _tenant.Owner.PostAsync($"/api/v1/changes/{_tenant.Policy.Version}/undo")).Expect(HttpStatusCode.OK);
                break;
            default:
                (await _tenant.As(_ned).PatchAsync($"/api/v1/devices/{_device}", Ssh(new { protocol = "ssh", hostKey = $"{_offered}" }))).Expect(HttpStatusCode.Forbidden);
                (await AlertAsync(_tenant.Owner)).ShouldBe((_offered.Fingerprint, 1));
                return;
        }

        (await AlertAsync(_tenant.Owner)).ShouldBeNull();
    }

    [Theory]
    [InlineData("edit")]
    [InlineData("bulk")]
    [InlineData("import")]
    [InlineData("import of the key alone")]
    public async Task The_pinned_key_pinned_once_more_settles_an_alert_whichever_way_and_nothing_else_changes(string way)
    {
        await ChangedAsync(_offered);
        var service = new { protocol = "ssh", hostKey = $"{_pinned}" };
        var version = _tenant.Policy.Version;
        var answer = way switch
        {
            "edit" => await _tenant.Owner.PatchAsync($"/api/v1/devices/{_device}", new { services = new[] { service } }),
            "bulk" => await _tenant.Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { _device }, action = "putServices", services = new[] { service } }),
            "import" => await _tenant.Owner.PostTextAsync("/api/v1/devices/import?update=true", $"name,services,hostkey\nweb1,ssh,{_pinned}\n"),
            _ => await _tenant.Owner.PostTextAsync("/api/v1/devices/import?update=true", $"name,hostkey\nweb1,{_pinned}\n"),
        };
        answer.Expect(HttpStatusCode.OK);
        (_tenant.Policy.Version, await AlertAsync(_tenant.Owner)).ShouldBe((version, null));
    }

    [Fact]
    public async Task A_table_or_a_bulk_change_that_names_no_host_key_leaves_an_alert_as_it_is()
    {
        await ChangedAsync(_offered);
        (await _tenant.Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { _device }, action = "tag", tags = new[] { "seen" } })).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.PostTextAsync("/api/v1/devices/import?update=true", "name,description\nweb1,seen\n")).Expect(HttpStatusCode.OK);
        (await _tenant.Owner.PostTextAsync("/api/v1/devices/import?update=true&preview=true", $"name,hostkey\nweb1,{_pinned}\n")).Expect(HttpStatusCode.OK);
        (await AlertAsync(_tenant.Owner)).ShouldBe((_offered.Fingerprint, 1));
    }

    [Theory]
    [InlineData("vnc", "services[1].hostKey")]
    [InlineData("http", "services[1].hostKey")]
    [InlineData("rdp", "services[1].hostKey")]
    [InlineData("ssh", "services[0].certificate")]
    public async Task An_alert_is_settled_by_no_empty_pin_of_something_else(string protocol, string field)
    {
        await ChangedAsync(_offered);
        object[] services = protocol == "ssh" ? [new { protocol, certificate = "" }] : [new { protocol = "ssh" }, new { protocol, hostKey = "" }];
        (await _tenant.Owner.PatchAsync($"/api/v1/devices/{_device}", new { services })).ExpectInvalid(field);
        await PatchAsync(new { services = new[] { new { protocol = "ssh" }, new { protocol = "vnc" } } });
        (await AlertAsync(_tenant.Owner)).ShouldBe((_offered.Fingerprint, 1));
    }

    [Fact]
    public async Task What_is_seen_first_is_pinned_only_where_it_is_still_wanted()
    {
        await PatchAsync(Ssh(new { protocol = "ssh", hostKey = "" }));
        (await PinAsync(_offered)).ShouldBeNull("the organization pins beforehand");
        (await _tenant.Owner.PutAsync("/api/v1/settings/organization/hostKeyTrust", new { value = "firstUse" })).Expect(HttpStatusCode.OK);
        var before = Endpoint;
        await PatchAsync(Ssh(new { protocol = "ssh", port = 2022 }));
        (await PinAsync(_offered, before)).ShouldBeNull("it was seen elsewhere");
        (await _tenant.Owner.PutAsync("/api/v1/settings/organization/trustedHostAuthorities", new { value = $"{NewKey()}" })).Expect(HttpStatusCode.OK);
        (await PinAsync(_offered)).ShouldBeNull("it may have been known by its certificates");
        (await _tenant.Owner.PutAsync("/api/v1/settings/organization/trustedHostAuthorities", new { value = "none" })).Expect(HttpStatusCode.OK);
        (await PinAsync(_offered)).ShouldBe($"{_offered}");
        (await PinAsync(_pinned)).ShouldBe($"{_offered}", "somebody else was first");
    }

    private static object Ssh(object service) => new { services = new[] { service } };

    private static SshPublicKey NewKey()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        return key.PublicKey;
    }

    private ValueTask ChangedAsync(SshPublicKey offered, DeviceEndpoint? endpoint = null) =>
        Book.ChangedAsync(Session, endpoint ?? Endpoint, offered, TestContext.Current.CancellationToken);

    private ValueTask<string?> PinAsync(SshPublicKey seen, DeviceEndpoint? endpoint = null) =>
        Book.PinAsync(Session, endpoint ?? Endpoint, seen, TestContext.Current.CancellationToken);

    private DeviceEndpoint Endpoint => _tenant.Policy.Endpoint(new(_device), ServiceProtocol.Ssh)!;

    private IHostKeyBook Book => _running.Server.Services.GetRequiredService<IHostKeyBook>();

    private SessionOpening Session =>
        new(new(Guid.NewGuid()), _tenant.Id, new(_ned), "ned", new(_device), "web1", "root", SessionKind.Shell, "", null, TimeProvider.System.GetUtcNow(), _tenant.Policy.Version);

    private async Task PatchAsync(object change) => (await _tenant.Owner.PatchAsync($"/api/v1/devices/{_device}", change)).Expect(HttpStatusCode.OK);

    private async Task<(string Fingerprint, long Refused)?> AlertAsync(ApiCaller caller)
    {
        var alert = (await caller.GetAsync($"/api/v1/devices/{_device}")).Expect(HttpStatusCode.OK).Body.GetProperty("hostKeyAlert");
        return alert.ValueKind == System.Text.Json.JsonValueKind.Null ? null : (alert.GetProperty("fingerprint").GetString()!, alert.GetProperty("refused").GetInt64());
    }

    private async Task<int> RecordsAsync() => (await _tenant.Owner.GetAsync("/api/v1/audit?kind=device.hostKeyChanged")).Items.Count;

    private Task<EventReading> OpenAsync(Guid person) => EventReading.OpenAsync(_running.Http, TestTokens.Write(_tenant.Id, new(person), TokenScopes.Read));
}
