using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Countersign.Access;
using Countersign.Ssh;

namespace Countersign.Server.Tests.Api;

public sealed class DeviceTests : FeatureTests
{
    [Fact]
    public async Task A_technician_sees_the_devices_that_were_granted_and_what_can_be_done_there()
    {
        var device = (await Tenant.As(Ann).GetAsync("/api/v1/devices")).Expect(HttpStatusCode.OK).Items.ShouldHaveSingleItem();
        device.GetProperty("name").GetString().ShouldBe("web1");
        device.GetProperty("state").GetString().ShouldBe("allowed");
        Permissions(device).ShouldContain("Terminal");
        Permissions(device).ShouldNotContain("ModifyDevice");
        device.GetProperty("accounts").EnumerateArray().Select(account => account.GetProperty("name").GetString()).ShouldBe(["deploy", "root"], ignoreOrder: true);
        (await Tenant.As(Bob).GetAsync("/api/v1/devices")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_a_device_is_reached_is_shown_to_those_who_may_change_it()
    {
        var seen = (await Tenant.As(Ann).GetAsync($"/api/v1/devices/{Web1}")).Expect(HttpStatusCode.OK).Body;
        seen.GetProperty("host").ValueKind.ShouldBe(JsonValueKind.Null);
        var service = seen.GetProperty("services").EnumerateArray().ShouldHaveSingleItem();
        service.GetProperty("protocol").GetString().ShouldBe("ssh");
        foreach (var hidden in (string[])["port", "hostKey", "certificate"]) service.GetProperty(hidden).ValueKind.ShouldBe(JsonValueKind.Null);
        Permissions(service).ShouldContain("Terminal");
        (await Owner.GetAsync($"/api/v1/devices/{Web1}")).Body.GetProperty("host").GetString().ShouldBe("192.0.2.1");
    }

    [Fact]
    public async Task A_device_has_services_which_are_told_and_given_as_a_whole()
    {
        var certificate = "sha256:" + new string('0', 64);
        var made = (await Owner.PostAsync("/api/v1/devices", new
        {
            group = Clients,
            name = "web9",
            host = "192.0.2.9",
            accounts = Array.Empty<string>(),
            services = new object[] { new { protocol = "https", port = 8443, certificate }, new { protocol = "ssh" }, new { protocol = "vnc" } },
        })).Expect(HttpStatusCode.Created);
        Services(made).ShouldBe([("ssh", 22, "", null), ("vnc", 5900, null, null), ("https", 8443, null, certificate)]);
        var patched = (await Owner.PatchAsync($"/api/v1/devices/{made.Id}", """{"services":[{"protocol":"https"},{"protocol":"rdp","port":3390}]}""")).Expect(HttpStatusCode.OK);
        Services(patched).ShouldBe([("rdp", 3390, null, ""), ("https", 8443, null, certificate)]);
        Services(await Owner.PatchAsync($"/api/v1/devices/{made.Id}", new { description = "no word of services" })).Count().ShouldBe(2);
        Services(await Owner.PatchAsync($"/api/v1/devices/{made.Id}", """{"services":[]}""")).ShouldBeEmpty();
        Services((await Owner.PostAsync("/api/v1/devices", new { group = Clients, name = "web8", host = "192.0.2.8", accounts = Array.Empty<string>() })).Expect(HttpStatusCode.Created)).ShouldBeEmpty();

        static IEnumerable<(string?, int, string?, string?)> Services(ApiAnswer answer) => answer.Body.GetProperty("services").EnumerateArray().Select(service => (
            service.GetProperty("protocol").GetString(), service.GetProperty("port").GetInt32(), service.GetProperty("hostKey").GetString(), service.GetProperty("certificate").GetString()));
    }

    [Theory]
    [InlineData("""[{"protocol":"ssh"},{"protocol":"rdp","port":0}]""", "services[1].port")]
    [InlineData("""[{"protocol":"ssh","port":65536}]""", "services[0].port")]
    [InlineData("""[{"protocol":"ssh","port":"22"}]""", "services[0].port")]
    [InlineData("""[{"protocol":"ssh"},{"protocol":"telnet"}]""", "services[1].protocol")]
    [InlineData("""[{"protocol":"9"}]""", "services[0].protocol")]
    [InlineData("""[{"protocol":9}]""", "services[0].protocol")]
    [InlineData("""[{"port":22}]""", "services[0].protocol")]
    [InlineData("""[null]""", "services[0].protocol")]
    [InlineData("""[{"protocol":"ssh"},{"protocol":"vnc"},{"protocol":"ssh","port":2022}]""", "services[2].protocol")]
    [InlineData("""[{"protocol":"ssh","hostKey":"nonsense"}]""", "services[0].hostKey")]
    [InlineData("""[{"protocol":"rdp","hostKey":"ssh-ed25519 AAAA"}]""", "services[0].hostKey")]
    [InlineData("""[{"protocol":"rdp","certificate":"00"}]""", "services[0].certificate")]
    [InlineData("""[{"protocol":"ssh","device":"00000000-0000-0000-0000-000000000001"}]""", "services[0].device")]
    [InlineData("""[{"protocol":"ssh","pin":"ssh-ed25519 AAAA"}]""", "services[0].pin")]
    [InlineData("""{}""", "services")]
    public async Task Services_that_can_not_be_are_refused_beside_the_field(string services, string field)
    {
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", $$"""{"services":{{services}}}""")).ExpectInvalid(field);
        (await Owner.PostAsync("/api/v1/devices", $$"""{"group":"{{Clients}}","name":"web9","host":"192.0.2.1","accounts":[],"services":{{services}}}""")).ExpectInvalid(field);
    }

    [Theory]
    [InlineData("port", "22")]
    [InlineData("hostKey", "\"\"")]
    [InlineData("protocol", "\"ssh\"")]
    public async Task A_device_itself_has_none_of_what_its_services_have(string field, string value) =>
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", $$"""{"{{field}}":{{value}}}""")).ExpectInvalid(field);

    [Fact]
    public async Task Search_finds_services_and_for_those_who_may_know_it_their_ports()
    {
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", """{"services":[{"protocol":"ssh"},{"protocol":"rdp","port":3390}]}""")).Expect(HttpStatusCode.OK);
        Names(await Owner.GetAsync("/api/v1/devices?search=service:rdp")).ShouldBe(["web1"]);
        Names(await Owner.GetAsync("/api/v1/devices?search=service:ssh")).ShouldBe(["web1", "web2"]);
        Names(await Owner.GetAsync("/api/v1/devices?search=port:3390")).ShouldBe(["web1"]);
        Names(await Tenant.As(Ann).GetAsync("/api/v1/devices?search=service:rdp")).ShouldBe(["web1"]);
        Names(await Tenant.As(Ann).GetAsync("/api/v1/devices?search=port:3390")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_device_is_gone_for_whom_the_grant_is_gone()
    {
        var grant = (await Owner.GetAsync($"/api/v1/grants?subject={Ann}")).Items.ShouldHaveSingleItem().GetProperty("id").GetGuid();
        (await Owner.DeleteAsync($"/api/v1/grants/{grant}")).Expect(HttpStatusCode.OK);
        (await Tenant.As(Ann).GetAsync($"/api/v1/devices/{Web1}")).Expect(HttpStatusCode.NotFound);
        (await Tenant.As(Ann).GetAsync("/api/v1/devices")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task States_are_those_of_the_decision()
    {
        await Tenant.GrantAsync(Bob, Web2, SystemRoles.RequestsAccess.Id);
        (await StateAsync(Bob, Web2)).ShouldBe("onRequest");
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/managerialApproval", new { value = "required" })).Expect(HttpStatusCode.OK);
        (await StateAsync(Ann, Web1)).ShouldBe("needsApproval");
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { enabled = false })).Expect(HttpStatusCode.OK);
        (await StateAsync(Ann, Web1)).ShouldBe("visible");
    }

    [Fact]
    public async Task Search_finds_names_and_descriptions()
    {
        (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { description = "The shop of Contoso" })).Expect(HttpStatusCode.OK);
        Names(await Owner.GetAsync("/api/v1/devices?search=contoso")).ShouldBe(["web2"]);
        Names(await Owner.GetAsync("/api/v1/devices?search=WEB")).ShouldBe(["web1", "web2"]);
        Names(await Owner.GetAsync($"/api/v1/devices?group={Guid.NewGuid()}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Search_finds_tags_groups_and_for_those_who_may_know_it_the_host()
    {
        var berlin = await Tenant.AddGroupAsync("Berlin", Clients);
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { tags = new[] { "Linux", "env:test" } })).Expect(HttpStatusCode.OK).Body.GetProperty("tags").EnumerateArray().Count().ShouldBe(2);
        (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { group = berlin })).Expect(HttpStatusCode.OK);
        Names(await Owner.GetAsync("/api/v1/devices?search=tag:linux")).ShouldBe(["web1"]);
        Names(await Owner.GetAsync("/api/v1/devices?search=tag:lin")).ShouldBeEmpty();
        Names(await Owner.GetAsync("/api/v1/devices?search=tag:ENV:*%20web")).ShouldBe(["web1"]);
        Names(await Owner.GetAsync("/api/v1/devices?search=group:ber")).ShouldBe(["web2"]);
        Names(await Owner.GetAsync($"/api/v1/devices?under={Clients}")).ShouldBe(["web1", "web2"]);
        Names(await Owner.GetAsync($"/api/v1/devices?group={Clients}")).ShouldBe(["web1"]);
        Names(await Owner.GetAsync("/api/v1/devices?search=192.0.2")).ShouldBe(["web1", "web2"]);
        Names(await Tenant.As(Ann).GetAsync("/api/v1/devices?search=192.0.2")).ShouldBeEmpty();
        Names(await Tenant.As(Ann).GetAsync("/api/v1/devices?search=tag:linux")).ShouldBe(["web1"]);
        (await Owner.GetAsync($"/api/v1/devices?search={new string('x', 401)}")).ExpectInvalid("search");
    }

    [Theory]
    [InlineData("No Name", "192.0.2.1", "root", "name")]
    [InlineData("web9", "", "root", "host")]
    [InlineData("web9", "192.0.2.1", "a b", "accounts")]
    public async Task A_device_that_can_not_be_is_refused_beside_the_field(string name, string host, string account, string field) =>
        (await Owner.PostAsync("/api/v1/devices", new { group = Clients, name, host, accounts = new[] { account } })).ExpectInvalid(field);

    [Fact]
    public async Task A_name_is_taken_once() =>
        (await Owner.PostAsync("/api/v1/devices", new { group = Clients, name = "web1", host = "192.0.2.1", accounts = new[] { "root" } })).Expect(HttpStatusCode.Conflict);

    [Fact]
    public async Task Groups_tell_how_many_devices_the_caller_sees_in_them_and_below()
    {
        var inner = await Tenant.AddGroupAsync("Inner", Clients);
        await Tenant.AddGroupAsync("Elsewhere");
        (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { group = inner })).Expect(HttpStatusCode.OK);
        Counts(await Owner.GetAsync("/api/v1/device-groups")).ShouldBe([("Clients", 1, 2), ("Elsewhere", 0, 0), ("Inner", 1, 1)]);
        Counts(await Owner.GetAsync($"/api/v1/device-groups?under={Clients}")).ShouldBe([("Clients", 1, 2), ("Inner", 1, 1)]);
        Counts(await Tenant.As(Ann).GetAsync("/api/v1/device-groups")).ShouldBe([("Clients", 1, 1)]);
        (await Tenant.As(Ann).GetAsync($"/api/v1/device-groups/{Clients}")).Expect(HttpStatusCode.OK).Body.GetProperty("allDevices").GetInt32().ShouldBe(1);
        (await Tenant.As(Ann).GetAsync($"/api/v1/device-groups/{inner}")).Expect(HttpStatusCode.NotFound);
        Counts(await Tenant.As(Ann).GetAsync($"/api/v1/device-groups?under={inner}")).ShouldBeEmpty();
        (await Owner.PatchAsync($"/api/v1/device-groups/{inner}", new { name = "Within" })).Expect(HttpStatusCode.OK).Body.GetProperty("devices").GetInt32().ShouldBe(1);

        static IEnumerable<(string?, int, int)> Counts(ApiAnswer answer) => answer.Expect(HttpStatusCode.OK).Items.Select(
            item => (item.GetProperty("name").GetString(), item.GetProperty("devices").GetInt32(), item.GetProperty("allDevices").GetInt32()));
    }

    [Fact]
    public async Task A_group_with_something_in_it_stays() => (await Owner.DeleteAsync($"/api/v1/device-groups/{Clients}")).Expect(HttpStatusCode.Conflict);

    [Fact]
    public async Task A_group_moves_to_the_top_only_when_that_is_said()
    {
        var inner = await Tenant.AddGroupAsync("Inner", Clients);
        (await Owner.PatchAsync($"/api/v1/device-groups/{inner}", """{"name":"Renamed"}""")).Expect(HttpStatusCode.OK).Body.GetProperty("parent").GetGuid().ShouldBe(Clients);
        (await Owner.PatchAsync($"/api/v1/device-groups/{inner}", """{"parent":null}""")).Expect(HttpStatusCode.OK).Body.GetProperty("parent").ValueKind.ShouldBe(JsonValueKind.Null);
        (await Owner.PatchAsync($"/api/v1/device-groups/{Clients}", new { parent = inner })).Expect(HttpStatusCode.OK);
        ((int)(await Owner.PatchAsync($"/api/v1/device-groups/{inner}", new { parent = Clients })).Status).ShouldBeInRange(400, 409);
    }

    [Fact]
    public async Task The_host_key_that_a_server_shows_can_be_looked_at_before_it_is_pinned()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeOneAsync(listener, key);
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var answer = (await Owner.PostAsync("/api/v1/devices/host-key", new { host = "127.0.0.1", port })).Expect(HttpStatusCode.OK);
        await serving;

        answer.Body.GetProperty("hostKey").GetString().ShouldBe(key.PublicKey.ToString());
        answer.Body.GetProperty("fingerprint").GetString().ShouldBe(key.PublicKey.Fingerprint);
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { host = "127.0.0.1", services = new[] { new { protocol = "ssh", port, hostKey = key.PublicKey.ToString() } } })).Expect(HttpStatusCode.OK);

        // And later at the device's own service.
        serving = ServeOneAsync(listener, key);
        answer = (await Owner.PostAsync("/api/v1/devices/host-key", new { device = Web1 })).Expect(HttpStatusCode.OK);
        await serving;
        answer.Body.GetProperty("fingerprint").GetString().ShouldBe(key.PublicKey.Fingerprint);
        (await Owner.PostAsync("/api/v1/devices/host-key", new { device = Web1, port })).ExpectInvalid("host");
        (await Tenant.As(Ann).PostAsync("/api/v1/devices/host-key", new { device = Web1 })).Expect(HttpStatusCode.Forbidden);
        (await Tenant.As(Bob).PostAsync("/api/v1/devices/host-key", new { device = Web1 })).Expect(HttpStatusCode.NotFound);
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", """{"services":[{"protocol":"rdp"}]}""")).Expect(HttpStatusCode.OK);
        (await Owner.PostAsync("/api/v1/devices/host-key", new { device = Web1 })).ExpectInvalid("device");
    }

    [Fact]
    public async Task What_is_no_SSH_server_or_no_address_is_told_so()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var asking = Owner.PostAsync("/api/v1/devices/host-key", new { host = "127.0.0.1", port });
        using (var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken))
            await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        (await asking).ExpectInvalid("host");
        (await Owner.PostAsync("/api/v1/devices/host-key", new { host = "not a host", port })).ExpectInvalid("host");
        (await Owner.PostAsync("/api/v1/devices/host-key", new { host = "127.0.0.1", port = 0 })).ExpectInvalid("port");
        (await Tenant.As(Ann).PostAsync("/api/v1/devices/host-key", new { host = "127.0.0.1", port })).Expect(HttpStatusCode.Forbidden);
    }

    private async Task<string?> StateAsync(Guid person, Guid device) =>
        (await Tenant.As(person).GetAsync($"/api/v1/devices/{device}")).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString();

    private static IEnumerable<string?> Permissions(JsonElement device) => device.GetProperty("permissions").EnumerateArray().Select(permission => permission.GetString());

    private static IEnumerable<string?> Names(ApiAnswer answer) => answer.Expect(HttpStatusCode.OK).Items.Select(item => item.GetProperty("name").GetString());

    private static async Task ServeOneAsync(TcpListener listener, SshPrivateKey key)
    {
        var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await SshServerConnection.RunAsync(client.GetStream(), new() { HostKeys = [key] }, new NobodyIsLetIn(), TestContext.Current.CancellationToken);
    }

    private sealed class NobodyIsLetIn : SshServerHandler
    {
        public override IReadOnlyList<string> AuthenticationMethods => ["password"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) => throw new InvalidOperationException();

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra) => throw new InvalidOperationException();
    }
}
