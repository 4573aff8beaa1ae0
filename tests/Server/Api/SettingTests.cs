using System.Net;
using System.Text.Json;

namespace Countersign.Server.Tests.Api;

public sealed class SettingTests : FeatureTests
{
    [Fact]
    public async Task Every_value_is_read_with_where_it_comes_from()
    {
        (await Owner.PutAsync($"/api/v1/settings/device-groups/{Clients}/maxSession", new { value = "120m" })).Expect(HttpStatusCode.OK);
        var inherited = await ReadAsync($"devices/{Web1}", "maxSession");
        inherited.GetProperty("value").GetString().ShouldBe("2h");
        inherited.GetProperty("own").GetBoolean().ShouldBeFalse();
        inherited.GetProperty("source").GetProperty("kind").GetString().ShouldBe("deviceGroup");
        inherited.GetProperty("source").GetProperty("name").GetString().ShouldBe("Clients");
        (await ReadAsync($"devices/{Web1}", "recording")).GetProperty("source").GetProperty("kind").GetString().ShouldBe("organization");
        (await ReadAsync($"device-groups/{Clients}", "maxSession")).GetProperty("own").GetBoolean().ShouldBeTrue();

        (await Owner.DeleteAsync($"/api/v1/settings/device-groups/{Clients}/maxSession")).Expect(HttpStatusCode.OK);
        (await ReadAsync($"devices/{Web1}", "maxSession")).GetProperty("value").GetString().ShouldBe("none");
    }

    [Fact]
    public async Task Forcing_tells_which_values_below_are_gone()
    {
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/recording", new { value = "off" })).Expect(HttpStatusCode.OK);
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web2}/idleTimeout", new { value = "1h" })).Expect(HttpStatusCode.OK);
        var forced = (await Owner.PostAsync($"/api/v1/settings/device-groups/{Clients}/recording/force", new { value = "required" })).Expect(HttpStatusCode.OK);

        var cleared = forced.Body.GetProperty("cleared").EnumerateArray().ShouldHaveSingleItem();
        cleared.GetProperty("id").GetGuid().ShouldBe(Web1);
        cleared.GetProperty("name").GetString().ShouldBe("web1");
        (await ReadAsync($"devices/{Web1}", "recording")).GetProperty("value").GetString().ShouldBe("required");
        (await ReadAsync($"devices/{Web2}", "idleTimeout")).GetProperty("value").GetString().ShouldBe("1h");
    }

    [Fact]
    public async Task Whom_events_go_to_is_kept_in_its_one_spelling()
    {
        var text = $"request.asked:master;session.refused: mail:Ops@Example.org , person:{Ann}, managers";
        (await Owner.PutAsync($"/api/v1/settings/device-groups/{Clients}/notifications", new { value = text })).Expect(HttpStatusCode.OK);
        (await ReadAsync($"devices/{Web1}", "notifications")).GetProperty("value").GetString()
            .ShouldBe($"session.refused: managers, person:{Ann}, mail:Ops@example.org; request.asked: master");
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/notifications", new { value = $"session.refused: person:{Guid.NewGuid()}" })).ExpectInvalid("value");
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/notifications", new { value = "session.refused: mail:ops@example.org\r\nBcc: x@example.org" })).ExpectInvalid("value");
        (await Tenant.As(Ann).PutAsync($"/api/v1/settings/devices/{Web1}/notifications", new { value = "session.refused: managers" })).Expect(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_value_or_setting_that_is_none_is_refused()
    {
        (await Owner.PutAsync("/api/v1/settings/organization/recording", new { value = "sometimes" })).ExpectInvalid("value");
        (await Owner.PutAsync("/api/v1/settings/organization/surprise", new { value = "on" })).Expect(HttpStatusCode.NotFound);
        (await Owner.PutAsync("/api/v1/settings/organization/Recording", new { value = "on" })).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_group_s_permissions_are_read_with_their_source_and_locks_bind_below()
    {
        var group = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Support" })).Id;
        (await Owner.PutAsync($"/api/v1/technician-groups/{Tenant.Everyone}/permissions/Terminal", new { value = "deny", locked = true })).Expect(HttpStatusCode.OK);
        var list = (await Owner.GetAsync($"/api/v1/technician-groups/{group}/permissions")).Expect(HttpStatusCode.OK).Items;
        var terminal = list.Single(item => item.GetProperty("permission").GetString() == "Terminal");
        terminal.GetProperty("own").ValueKind.ShouldBe(JsonValueKind.Null);
        terminal.GetProperty("effective").GetString().ShouldBe("deny");
        terminal.GetProperty("locked").GetBoolean().ShouldBeTrue();
        terminal.GetProperty("source").GetProperty("name").GetString().ShouldBe("Everyone");
        (await Tenant.As(Ann).GetAsync($"/api/v1/devices/{Web1}")).Body.GetProperty("state").GetString().ShouldBe("visible");
        ((int)(await Owner.PutAsync($"/api/v1/technician-groups/{group}/permissions/NoSuch", new { value = "deny" })).Status).ShouldBe(404);
    }

    private async Task<JsonElement> ReadAsync(string node, string setting) =>
        (await Owner.GetAsync($"/api/v1/settings/{node}")).Expect(HttpStatusCode.OK).Items.Single(item => item.GetProperty("setting").GetString() == setting);
}
