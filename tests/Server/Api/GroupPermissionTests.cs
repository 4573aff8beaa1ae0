using System.Net;
using System.Text.Json;

namespace Countersign.Server.Tests.Api;

public sealed class GroupPermissionTests : FeatureTests
{
    private Guid _group;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _group = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Night", membersApprove = true })).Expect(HttpStatusCode.Created).Id;
    }

    [Theory]
    [InlineData("Chat", "on", "off")]
    [InlineData("RecordSessions", "allowed", "consent")]
    [InlineData("TransferSessions", "any", "named:")]
    [InlineData("Collaborate", "any", "named:")]
    [InlineData("InviteExternal", "approved", "anyone")]
    public async Task Options_are_set_inherited_and_locked(string permission, string usual, string other)
    {
        (await ShownAsync(_group, permission)).ShouldBe((null, null, "allow", usual, false));
        (await SetAsync(Tenant.Everyone, permission, new { value = "allow", option = other, locked = true })).Expect(HttpStatusCode.OK);
        (await ShownAsync(_group, permission)).ShouldBe((null, null, "allow", other, true));
        (await SetAsync(_group, permission, new { value = "allow", option = usual })).Expect(HttpStatusCode.Conflict);
        (await SetAsync(Tenant.Everyone, permission, new { value = "allow", option = usual })).Expect(HttpStatusCode.OK);
        (await SetAsync(_group, permission, new { value = "allow", option = other })).Expect(HttpStatusCode.OK);
        (await ShownAsync(_group, permission)).ShouldBe(("allow", other, "allow", other, false));
        (await SetAsync(_group, permission, new { value = "deny" })).Expect(HttpStatusCode.OK);
        (await ShownAsync(_group, permission)).ShouldBe(("deny", other, "deny", other, false));
        (await SetAsync(_group, permission, new { value = (string?)null })).Expect(HttpStatusCode.OK);
        (await ShownAsync(_group, permission)).ShouldBe((null, null, "allow", usual, false));
    }

    [Fact]
    public async Task A_permission_without_options_takes_none_and_one_with_them_no_other()
    {
        (await SetAsync(_group, "Terminal", new { value = "allow", option = "on" })).ExpectInvalid("option");
        (await SetAsync(_group, "Chat", new { value = "allow", option = "consent" })).ExpectInvalid("option");
        (await SetAsync(_group, "Collaborate", new { value = "allow", option = "named:nobody" })).ExpectInvalid("option");
        (await SetAsync(_group, "Chat", new { value = (string?)null, locked = true })).ExpectInvalid("locked");
        (await ShownAsync(_group, "Terminal")).ShouldBe((null, null, "allow", null, false));
    }

    [Fact]
    public async Task Members_approve_where_a_master_administrator_says_so()
    {
        (await Owner.GetAsync($"/api/v1/technician-groups/{_group}")).Body.GetProperty("membersApprove").GetBoolean().ShouldBeTrue();
        (await Owner.PatchAsync($"/api/v1/technician-groups/{_group}", new { name = "Day" })).Expect(HttpStatusCode.OK).Body.GetProperty("membersApprove").GetBoolean().ShouldBeTrue();
        (await Owner.PutAsync($"/api/v1/technician-groups/{Tenant.Everyone}/administrators/{Ann}")).Expect(HttpStatusCode.OK);
        (await Tenant.As(Ann).PatchAsync($"/api/v1/technician-groups/{_group}", new { membersApprove = false })).Expect(HttpStatusCode.Forbidden);
        (await Owner.PatchAsync($"/api/v1/technician-groups/{_group}", new { membersApprove = false })).Expect(HttpStatusCode.OK).Body.GetProperty("membersApprove").GetBoolean().ShouldBeFalse();
    }

    private Task<ApiAnswer> SetAsync(Guid group, string permission, object value) => Owner.PutAsync($"/api/v1/technician-groups/{group}/permissions/{permission}", value);

    private async Task<(string? Own, string? OwnOption, string? Effective, string? Option, bool Locked)> ShownAsync(Guid group, string permission)
    {
        JsonElement shown = (await Owner.GetAsync($"/api/v1/technician-groups/{group}/permissions")).Expect(HttpStatusCode.OK).Items
            .Single(item => item.GetProperty("permission").GetString() == permission);
        string? Text(string name) => shown.GetProperty(name).GetString();
        return (Text("own"), Text("ownOption"), Text("effective"), Text("option"), shown.GetProperty("locked").GetBoolean());
    }
}
