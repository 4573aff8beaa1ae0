using System.Net;
using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Api;

public sealed class ChangeTests : FeatureTests
{
    [Fact]
    public async Task A_change_is_told_with_the_rows_that_it_touched_and_can_be_undone()
    {
        var deleted = (await Owner.DeleteAsync($"/api/v1/devices/{Web1}")).Expect(HttpStatusCode.OK).Version;
        var change = (await Owner.GetAsync($"/api/v1/changes/{deleted}")).Expect(HttpStatusCode.OK).Body;
        change.GetProperty("summary").GetString().ShouldBe("Deleted the device web1.");
        change.GetProperty("login").GetString().ShouldBe("acme-owner");
        change.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("table").GetString()).ShouldBe(["grant", "deviceAccount", "deviceAccount", "deviceService", "device"]);
        (await Tenant.As(Ann).GetAsync("/api/v1/devices")).Items.ShouldBeEmpty();

        var undone = (await Owner.PostAsync($"/api/v1/changes/{deleted}/undo")).Expect(HttpStatusCode.OK);

        undone.Version.ShouldBe(deleted + 1);
        undone.Body.GetProperty("left").EnumerateArray().ShouldBeEmpty();
        (await Tenant.As(Ann).GetAsync("/api/v1/devices")).Items.ShouldHaveSingleItem().GetProperty("id").GetGuid().ShouldBe(Web1);
        var log = (await Owner.GetAsync("/api/v1/audit?limit=1")).Items.ShouldHaveSingleItem();
        log.GetProperty("kind").GetString().ShouldBe("policy.changed");
        log.GetProperty("subject").GetString().ShouldBe($"Undid change {deleted}: Deleted the device web1.");
    }

    [Fact]
    public async Task An_undoing_is_shown_before_it_is_made()
    {
        var renamed = (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "first" })).Expect(HttpStatusCode.OK).Version;
        var preview = (await Owner.PostAsync($"/api/v1/changes/{renamed}/undo?preview=true")).Expect(HttpStatusCode.OK).Body;
        preview.GetProperty("rows").EnumerateArray().ShouldHaveSingleItem().GetProperty("fate").GetString().ShouldBe("changed");
        (await Owner.GetAsync($"/api/v1/devices/{Web1}")).Body.GetProperty("description").GetString().ShouldBe("first");
    }

    [Fact]
    public async Task What_was_changed_since_is_not_undone_and_of_a_force_the_rest_comes_back()
    {
        var first = (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "first" })).Expect(HttpStatusCode.OK).Version;
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "second" })).Expect(HttpStatusCode.OK);
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "first" })).Expect(HttpStatusCode.OK);
        (await Owner.PostAsync($"/api/v1/changes/{first}/undo")).Expect(HttpStatusCode.Conflict).Text.ShouldContain("The device web1 was changed since.");

        foreach (var device in (Guid[])[Web1, Web2]) await SetAsync(device, "off");
        var forced = (await Owner.PostAsync("/api/v1/settings/organization/recording/force", new { value = "required" })).Expect(HttpStatusCode.OK).Version;
        await SetAsync(Web2, "on");
        (await Owner.DeleteAsync($"/api/v1/settings/devices/{Web2}/recording")).Expect(HttpStatusCode.OK);

        var left = (await Owner.PostAsync($"/api/v1/changes/{forced}/undo")).Expect(HttpStatusCode.OK).Body.GetProperty("left").EnumerateArray().ShouldHaveSingleItem();

        left.GetProperty("id").GetGuid().ShouldBe(Web2);
        left.GetProperty("fate").GetString().ShouldBe("left");
        (await RecordingOfAsync(Web1)).GetProperty("value").GetString().ShouldBe("off");
        (await RecordingOfAsync(Web2)).GetProperty("own").GetBoolean().ShouldBeFalse();
    }

    /// <summary>What came since can't be read here, which nobody notices who has no right to undo, or whose rows it is all the same to.</summary>
    [Fact]
    public async Task What_came_since_a_change_is_not_read_for_who_may_not_undo_it()
    {
        var first = (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "first" })).Expect(HttpStatusCode.OK).Version;
        var second = (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { description = "second" })).Expect(HttpStatusCode.OK).Version;
        await Running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            Tenant.Id,
            (db, stop) => db.Set<PolicyChange>().Where(row => row.Version == second).ExecuteUpdateAsync(set => set.SetProperty(row => row.Delta, "not to be read"), stop),
            TestContext.Current.CancellationToken);
        (await Tenant.As(Bob).PostAsync($"/api/v1/changes/{first}/undo")).Expect(HttpStatusCode.NotFound);
        (await Tenant.As(Ann).PostAsync($"/api/v1/changes/{first}/undo")).Expect(HttpStatusCode.Forbidden);
        (await Owner.PostAsync($"/api/v1/changes/{first}/undo")).Expect(HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task What_was_changed_since_is_read_on_from_where_it_was_read_before()
    {
        var first = (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "first" })).Expect(HttpStatusCode.OK).Version;
        var (device1, device2) = (new RowKey(PolicyTable.Device, Web1), new RowKey(PolicyTable.Device, Web2));
        var touched = new TouchedRows(first, new HashSet<RowKey> { device1, device2 });
        await using var db = Running.Database.Read(Tenant.Id);
        (await touched.ReadOnAsync(db, first, TestContext.Current.CancellationToken)).ShouldBeEmpty();
        var second = (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { description = "second" })).Expect(HttpStatusCode.OK).Version;
        (await touched.ReadOnAsync(db, second, TestContext.Current.CancellationToken)).ShouldBe([device2]);
        await Running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            Tenant.Id,
            (writing, stop) => writing.Set<PolicyChange>().Where(row => row.Version <= second).ExecuteUpdateAsync(set => set.SetProperty(row => row.Delta, "not to be read"), stop),
            TestContext.Current.CancellationToken);
        var third = (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "third" })).Expect(HttpStatusCode.OK).Version;
        (await touched.ReadOnAsync(db, third, TestContext.Current.CancellationToken)).ShouldBe([device1, device2], ignoreOrder: true);
        (await touched.ReadOnAsync(db, third, TestContext.Current.CancellationToken)).ShouldNotBeNull().Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_change_that_is_not_there_or_not_ones_to_know_of_is_not_found()
    {
        var change = (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { description = "first" })).Expect(HttpStatusCode.OK).Version;
        (await Owner.PostAsync("/api/v1/changes/4711/undo")).Expect(HttpStatusCode.NotFound);
        (await Owner.GetAsync("/api/v1/changes/4711")).Expect(HttpStatusCode.NotFound);
        (await Tenant.As(Ann).GetAsync($"/api/v1/changes/{change}")).Expect(HttpStatusCode.NotFound);
        (await Tenant.As(Ann).PostAsync($"/api/v1/changes/{change}/undo")).Expect(HttpStatusCode.NotFound);
        (await Owner.PostAsync("/api/v1/changes/1/undo")).Expect(HttpStatusCode.Forbidden);
    }

    private async Task SetAsync(Guid device, string value) =>
        (await Owner.PutAsync($"/api/v1/settings/devices/{device}/recording", new { value })).Expect(HttpStatusCode.OK);

    private async Task<JsonElement> RecordingOfAsync(Guid device) =>
        (await Owner.GetAsync($"/api/v1/settings/devices/{device}")).Expect(HttpStatusCode.OK).Items.Single(item => item.GetProperty("setting").GetString() == "recording");
}
