using System.Net;
using Countersign.Server.Features.Vault;
using Countersign.Server.Tests.Api;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Devices;

/// <summary>A device that is reached elsewhere, or by another key, has no secrets any more: whichever way it was changed.</summary>
public sealed class DroppedSecretTests : FeatureTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhY5JSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";

    [Theory]
    [InlineData("""{"host":"192.0.2.2"}""")]
    [InlineData("""{"services":[{"protocol":"ssh","port":2022}]}""")]
    [InlineData($$"""{"services":[{"protocol":"ssh","hostKey":"{{Key}}"}]}""")]
    [InlineData("""{"services":[]}""")]
    [InlineData("""{"services":[{"protocol":"ssh"},{"protocol":"rdp"}]}""")]
    [InlineData("""{"services":[{"protocol":"vnc"}]}""")]
    public async Task An_edit_drops_them_and_so_does_its_undoing(string edit)
    {
        await StoreAsync();
        var changed = (await Owner.PatchAsync($"/api/v1/devices/{Web1}", edit)).Expect(HttpStatusCode.OK).Version;
        (await StoredAsync()).ShouldBe(["web2 root"]);

        // What is stored for the new place is not for the old one.
        await StoreAsync();
        (await Owner.PostAsync($"/api/v1/changes/{changed}/undo")).Expect(HttpStatusCode.OK);
        (await StoredAsync()).ShouldBe(["web2 root"]);
    }

    [Theory]
    [InlineData("name,host\nweb1,192.0.2.2\n")]
    [InlineData("name,services\nweb1,ssh:2022\n")]
    [InlineData("name,services\nweb1,ssh https:8443\n")]
    [InlineData("name,services\nweb1,\n")]
    [InlineData($"name,hostkey\nweb1,{Key}\n")]
    public async Task An_import_drops_them_and_so_does_its_undoing(string table)
    {
        await StoreAsync();
        var imported = (await Owner.PostTextAsync("/api/v1/devices/import?update=true", table)).Expect(HttpStatusCode.OK).Version;
        (await StoredAsync()).ShouldBe(["web2 root"]);
        await StoreAsync();
        (await Owner.PostAsync($"/api/v1/changes/{imported}/undo")).Expect(HttpStatusCode.OK);
        (await StoredAsync()).ShouldBe(["web2 root"]);
    }

    [Fact]
    public async Task An_import_of_what_is_there_keeps_them()
    {
        await StoreAsync();
        var table = (await Owner.GetAsync("/api/v1/devices/export")).Expect(HttpStatusCode.OK).Text;
        (await Owner.PostTextAsync("/api/v1/devices/import?update=true", table.Replace("web1,,", "web1,another description,", StringComparison.Ordinal))).Expect(HttpStatusCode.OK);
        Tenant.Policy.Device(new(Web1))!.Description.ShouldBe("another description");
        (await StoredAsync()).ShouldBe(["web1 deploy", "web1 root", "web2 root"]);
    }

    [Fact]
    public async Task Bulk_changes_keep_them_save_that_what_is_deleted_is_gone_for_good()
    {
        await StoreAsync();
        var group = await Tenant.AddGroupAsync("Berlin");
        foreach (var body in (object[])
        [
            new { devices = new[] { Web1, Web2 }, action = "move", group }, new { devices = new[] { Web1, Web2 }, action = "disable" }, new { devices = new[] { Web1 }, action = "tag", tags = new[] { "a" } },
        ])
            (await Owner.PostAsync("/api/v1/devices/bulk", body)).Expect(HttpStatusCode.OK);
        (await StoredAsync()).ShouldBe(["web1 deploy", "web1 root", "web2 root"]);

        var deleted = (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1 }, action = "delete" })).Expect(HttpStatusCode.OK).Version;
        (await Owner.PostAsync($"/api/v1/changes/{deleted}/undo")).Expect(HttpStatusCode.OK);
        Tenant.Policy.AccountsOf(new(Web1)).Count.ShouldBe(2);
        (await StoredAsync()).ShouldBe(["web2 root"]);
    }

    [Theory]
    [InlineData("""{"action":"putServices","services":[{"protocol":"ssh","port":2022}]""")]
    [InlineData($$"""{"action":"putServices","services":[{"protocol":"ssh","hostKey":"{{Key}}"}]""")]
    [InlineData("""{"action":"putServices","services":[{"protocol":"http"}]""")]
    [InlineData("""{"action":"removeServices","protocols":["ssh"]""")]
    public async Task Services_put_or_removed_in_bulk_drop_them_and_so_does_the_undoing(string action)
    {
        await StoreAsync();
        var changed = (await Owner.PostAsync("/api/v1/devices/bulk", $$"""{{action}},"devices":["{{Web1}}"]}""")).Expect(HttpStatusCode.OK).Version;
        (await StoredAsync()).ShouldBe(["web2 root"]);
        await StoreAsync();
        (await Owner.PostAsync($"/api/v1/changes/{changed}/undo")).Expect(HttpStatusCode.OK);
        (await StoredAsync()).ShouldBe(["web2 root"]);
    }

    [Fact]
    public async Task Services_that_are_put_or_edited_as_they_are_keep_them()
    {
        await StoreAsync();
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { services = new[] { new { protocol = "ssh", port = 22, hostKey = "" } } })).Expect(HttpStatusCode.OK);
        (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1, Web2 }, action = "putServices", services = new[] { new { protocol = "ssh" } } })).Expect(HttpStatusCode.OK);
        (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1, Web2 }, action = "removeServices", protocols = new[] { "vnc" } })).Expect(HttpStatusCode.OK);
        (await StoredAsync()).ShouldBe(["web1 deploy", "web1 root", "web2 root"]);
    }

    [Fact]
    public async Task An_account_that_goes_takes_its_own_along()
    {
        await StoreAsync();
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { accounts = new[] { "deploy", "app" } })).Expect(HttpStatusCode.OK);
        (await StoredAsync()).ShouldBe(["web1 deploy", "web2 root"]);
    }

    private async Task StoreAsync()
    {
        foreach (var (device, account) in ((Guid, string)[])[(Web1, "root"), (Web1, "deploy"), (Web2, "root")])
            (await Owner.PutAsync($"/api/v1/devices/{device}/accounts/{account}", new { password = "secret" })).Expect(HttpStatusCode.OK);
    }

    private async Task<IReadOnlyList<string>> StoredAsync()
    {
        await using var db = Running.Database.Read(Tenant.Id);
        var rows = await db.Set<AccountSecret>().AsNoTracking().ToListAsync(TestContext.Current.CancellationToken);
        return [.. rows.Select(row => $"{Tenant.Policy.Device(row.Device)!.Name} {row.Account}").Order(StringComparer.Ordinal)];
    }
}
