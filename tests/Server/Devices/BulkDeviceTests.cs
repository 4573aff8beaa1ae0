using System.Net;
using Countersign.Access;
using Countersign.Server.Tests.Api;

namespace Countersign.Server.Tests.Devices;

/// <summary>Many devices at once.</summary>
public sealed class BulkDeviceTests : FeatureTests
{
    [Fact]
    public async Task Many_devices_are_moved_tagged_disabled_and_deleted_each_as_one_change()
    {
        var berlin = await Tenant.AddGroupAsync("Berlin", Clients);
        await DoneAsync("Moved 2 devices to the device group Clients / Berlin.", new { devices = new[] { Web1, Web2 }, action = "move", group = berlin });
        await DoneAsync("Tagged 2 devices with env:test, Linux.", new { devices = new[] { Web1, Web2 }, action = "tag", tags = new[] { "env:test", "Linux" } });
        await DoneAsync("Took env:test from the tags of 1 device.", new { devices = new[] { Web1 }, action = "untag", tags = new[] { "env:test" } });
        await DoneAsync("Disabled 2 devices.", new { devices = new[] { Web1, Web2 }, action = "disable" });
        await DoneAsync("Gave 2 devices services by ssh, rdp.", new { devices = new[] { Web1, Web2 }, action = "putServices", services = new object[] { new { protocol = "ssh", port = 2022 }, new { protocol = "rdp" } } });
        await DoneAsync("Took services by ssh, vnc from 1 device.", new { devices = new[] { Web2 }, action = "removeServices", protocols = new[] { "ssh", "vnc" } });
        Tenant.Policy.All<DeviceServiceRow>().Select(row => (Tenant.Policy.Device(row.Device)!.Name, row.Protocol, row.Port)).ShouldBe(
            [("web1", ServiceProtocol.Ssh, 2022), ("web1", ServiceProtocol.Rdp, 3389), ("web2", ServiceProtocol.Rdp, 3389)], ignoreOrder: true);
        await DoneAsync("Enabled 1 device.", new { devices = new[] { Web2 }, action = "enable" });
        Tenant.Policy.Device(new(Web1))!.ShouldSatisfyAllConditions(
            row => row.Group.Value.ShouldBe(berlin), row => row.Tags.ShouldBe("linux"), row => row.Enabled.ShouldBeFalse());
        Tenant.Policy.Device(new(Web2))!.ShouldSatisfyAllConditions(row => row.Tags.ShouldBe("env:test,linux"), row => row.Enabled.ShouldBeTrue());

        var deleted = await DoneAsync("Deleted 2 devices.", new { devices = new[] { Web1, Web2 }, action = "delete" });
        Tenant.Policy.All<DeviceRow>().ShouldBeEmpty();
        (await Owner.PostAsync($"/api/v1/changes/{deleted}/undo")).Expect(HttpStatusCode.OK);
        Tenant.Policy.All<DeviceRow>().Select(row => row.Name).ShouldBe(["web1", "web2"], ignoreOrder: true);
        (await Tenant.As(Ann).GetAsync("/api/v1/devices")).Items.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task What_it_would_do_is_shown_before_it_is_done()
    {
        var preview = (await Owner.PostAsync("/api/v1/devices/bulk?preview=true", new { devices = new[] { Web1, Web2 }, action = "disable" })).Expect(HttpStatusCode.OK).Body;
        preview.GetProperty("summary").GetString().ShouldBe("Disabled 2 devices.");
        preview.GetProperty("rows").EnumerateArray().Count().ShouldBe(2);
        preview.GetProperty("effects").EnumerateArray().ShouldContain(effect => effect.GetProperty("people")[0].GetString() == "ann" && effect.GetProperty("devices")[0].GetString() == "web1");
        Tenant.Policy.Device(new(Web1))!.Enabled.ShouldBeTrue();
    }

    [Fact]
    public async Task All_of_them_or_none_and_each_that_is_in_the_way_is_named()
    {
        var version = Tenant.Policy.Version;
        var answer = (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1, Guid.NewGuid(), Web2, Guid.NewGuid() }, action = "delete" })).ExpectInvalid("devices[1]");
        answer.ExpectInvalid("devices[3]");
        Tenant.Policy.Version.ShouldBe(version);
        (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1, Web2 }, action = "move", group = Guid.NewGuid() })).ExpectInvalid("group");
        await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1 }, action = "tag", tags = Enumerable.Range(0, DeviceTags.Most).Select(number => $"t{number}").ToArray() });
        (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web2, Web1 }, action = "tag", tags = new[] { "one-more" } })).ExpectInvalid("devices[1].tags");
    }

    [Fact]
    public async Task Who_may_not_change_a_device_is_told_no_more_than_at_the_device_itself()
    {
        // Ann sees web1, and nothing of web2: to her it is like one that is not there.
        var asked = await Tenant.As(Ann).PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web2 }, action = "disable" });
        var nowhere = await Tenant.As(Ann).PostAsync("/api/v1/devices/bulk", new { devices = new[] { Guid.NewGuid() }, action = "disable" });
        asked.ExpectInvalid("devices[0]").Text.ShouldBe(nowhere.Text);
        (await Tenant.As(Ann).PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1 }, action = "disable" })).Expect(HttpStatusCode.Forbidden);
        Tenant.Policy.Device(new(Web1))!.Enabled.ShouldBeTrue();
        (await Owner.GetAsync("/api/v1/audit?kind=policy.refused")).Items.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("""{"devices":[],"action":"delete"}""", "devices")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"move"}""", "group")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"delete","group":"00000000-0000-0000-0000-000000000001"}""", "group")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"tag"}""", "tags")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"untag","tags":["two words"]}""", "tags")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000001"],"action":"delete"}""", "devices[1]")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"putServices"}""", "services")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"putServices","services":[]}""", "services")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"delete","services":[{"protocol":"ssh"}]}""", "services")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"putServices","services":[{"protocol":"ssh"},{"protocol":"rdp","port":0}]}""", "services[1].port")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"putServices","services":[{"protocol":"telnet"}]}""", "services[0].protocol")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"removeServices"}""", "protocols")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"removeServices","protocols":[]}""", "protocols")]
    [InlineData("""{"devices":["00000000-0000-0000-0000-000000000001"],"action":"removeServices","protocols":["telnet"]}""", "protocols[0]")]
    public async Task What_is_no_bulk_change_is_refused_beside_the_field(string body, string field) => (await Owner.PostAsync("/api/v1/devices/bulk", body)).ExpectInvalid(field);

    [Fact]
    public async Task A_change_is_of_at_most_a_thousand_devices()
    {
        (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = Enumerable.Range(0, 1001).Select(_ => Guid.NewGuid()).ToArray(), action = "delete" })).ExpectInvalid("devices");
        (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = Enumerable.Range(0, 1000).Select(_ => Guid.NewGuid()).ToArray(), action = "delete" })).ExpectInvalid("devices[999]");
    }

    private async Task<long> DoneAsync(string summary, object body)
    {
        var version = Tenant.Policy.Version;
        var answer = (await Owner.PostAsync("/api/v1/devices/bulk", body)).Expect(HttpStatusCode.OK);
        answer.Version.ShouldBe(version + 1);
        (await Owner.GetAsync("/api/v1/changes?limit=1")).Items[0].GetProperty("summary").GetString().ShouldBe(summary);
        return answer.Version;
    }
}
