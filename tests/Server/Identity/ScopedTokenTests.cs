using System.Net;
using System.Text.Json.Nodes;
using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Identity;

/// <summary>Tokens that are good for a part of what their person may do.</summary>
public sealed class ScopedTokenTests : IAsyncLifetime
{
    private IdentityLab _lab = null!;
    private string _ann = "";

    public async ValueTask InitializeAsync()
    {
        _lab = await IdentityLab.StartAsync();
        _ann = await _lab.TokenOfAsync("ann");
    }

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    [Theory]
    [InlineData("policy", "roles", "devices")]
    [InlineData("devices", "device-groups", "roles")]
    [InlineData("people", "technicians", "audit")]
    [InlineData("sessions", "sessions", "recordings")]
    [InlineData("recordings", "recordings", "sessions")]
    [InlineData("requests", "requests", "devices")]
    [InlineData("audit", "audit", "technicians")]
    [InlineData("account", "me/keys", "devices")]
    public async Task A_token_for_an_area_is_good_there_and_nowhere_else(string area, string inside, string outside)
    {
        foreach (var scope in (string[])[area, $"{area}:read"])
        {
            var token = await MakeAsync(_ann, scope);
            (await _lab.SendAsync(HttpMethod.Get, inside, token: token)).Status.ShouldBe(HttpStatusCode.OK, scope);
            (await _lab.SendAsync(HttpMethod.Get, outside, token: token)).Status.ShouldBe(HttpStatusCode.Forbidden, scope);
            (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Json["scopes"]!.AsArray().ShouldHaveSingleItem()!.GetValue<string>().ShouldBe(scope);
        }
    }

    [Fact]
    public async Task A_token_changes_things_only_in_its_area_and_only_where_it_does_not_just_read()
    {
        JsonObject Group() => new() { ["name"] = Guid.NewGuid().ToString("N") };
        JsonObject Role() => new() { ["name"] = Guid.NewGuid().ToString("N"), ["purpose"] = "devicesAndGroups", ["permissions"] = new JsonArray("Terminal") };
        var token = await MakeAsync(_ann, "devices", "policy:read");
        (await _lab.SendAsync(HttpMethod.Post, "device-groups", Group(), token)).Status.ShouldBe(HttpStatusCode.Created);
        (await _lab.SendAsync(HttpMethod.Get, "roles", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        var refused = await _lab.SendAsync(HttpMethod.Post, "roles", Role(), token);
        refused.Status.ShouldBe(HttpStatusCode.Forbidden);
        refused.Json["detail"]!.GetValue<string>().ShouldBe("The token does not have the scope policy.");
        (await _lab.SendAsync(HttpMethod.Post, "device-groups", Group(), await MakeAsync(_ann, "devices:read"))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await _lab.SendAsync(HttpMethod.Get, "events", token: token)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_token_is_good_for_no_more_than_its_person()
    {
        var token = await MakeAsync(await _lab.TokenOfAsync("tom"), "audit", "people");
        (await _lab.SendAsync(HttpMethod.Get, "audit", token: token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{_lab.Kim.Id}/disable", token: token)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("account", "account:read", true)]
    [InlineData("account", "devices", false)]
    [InlineData("account", "read", false)]
    [InlineData("account", "write", false)]
    [InlineData("write", "audit", true)]
    [InlineData("write", "read", true)]
    public async Task A_token_makes_none_that_is_good_for_more_than_itself(string held, string wanted, bool may)
    {
        var token = await MakeAsync(_ann, held);
        var made = await AskAsync(token, wanted);
        if (may) made.Status.ShouldBe(HttpStatusCode.Created);
        else made.Errors("scopes").ShouldHaveSingleItem();
    }

    [Fact]
    public void Every_name_of_the_list_is_read_as_what_is_written_by_it_and_nothing_else_is_one()
    {
        ScopeNames.All.Count.ShouldBe(18);
        foreach (var name in ScopeNames.All)
        {
            ScopeNames.TryRead([name], out var scope).ShouldBeTrue();
            ScopeNames.Of(scope).ShouldBe(name == "write" ? ["read", "write"] : [name]);
            TokenScopes.Write.Cover(scope).ShouldBeTrue();
            TokenScopes.Read.Cover(scope).ShouldBe(name == "read" || name.EndsWith(":read", StringComparison.Ordinal), name);
        }

        foreach (var none in (string[])["", "Read", "devices:write", "none", "1", "read,write"]) ScopeNames.TryRead([none], out _).ShouldBeFalse(none);
        ScopeNames.TryRead([], out _).ShouldBeFalse();
    }

    private async Task<string> MakeAsync(string token, params string[] scopes)
    {
        var made = await AskAsync(token, scopes);
        made.Status.ShouldBe(HttpStatusCode.Created, made.Text);
        return made.Json["token"]!.GetValue<string>();
    }

    private Task<Answer> AskAsync(string token, params string[] scopes) => _lab.SendAsync(
        HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "made", ["scopes"] = new JsonArray([.. scopes.Select(scope => JsonValue.Create(scope))]) }, token);
}
