using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Ssh;
using Countersign.Tests;

namespace Countersign.Server.Tests.Identity;

/// <summary>What people sign in with goes where it may be somebody else's.</summary>
public sealed class SomebodyElseTests : IAsyncLifetime
{
    private MailLab _with = null!;

    private IdentityLab Lab => _with.Lab;

    private MailServer Post => _with.Post;

    public async ValueTask InitializeAsync() => _with = await MailLab.StartAsync();

    public ValueTask DisposeAsync() => _with.DisposeAsync();

    [Fact]
    public async Task Whoever_took_an_invitation_that_was_not_theirs_keeps_nothing_once_that_is_undone()
    {
        var (id, first) = await _with.InviteAsync("eve@example.org");
        (await _with.JoinAsync(first.Token, "eve")).Status.ShouldBe(HttpStatusCode.OK);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var thief = await Lab.TokenOfAsync("eve", MailLab.Chosen);
        await Lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, thief);
        var made = (await Lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, thief)).Json["token"]!.GetValue<string>();
        (await _with.ToldAsync(2)).ShouldBe(["An API token was made for your account", "An SSH key was added to your account"]);
        using var connection = (await Lab.SshDoor.WithKeyAsync("eve", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;

        var change = (await Lab.SendAsync(HttpMethod.Get, "changes?limit=1", token: _with.Ann)).Json["items"]![0]!["id"]!.GetValue<long>();
        (await Lab.SendAsync(HttpMethod.Post, $"changes/{change}/undo", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _with.JoinAsync((await Post.NextAsync()).Token, "eve")).Status.ShouldBe(HttpStatusCode.OK);

        foreach (var gone in (string[])[thief, made]) (await Lab.SendAsync(HttpMethod.Get, "me", token: gone)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await Lab.SshDoor.WithKeyAsync("eve", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        (await Lab.SignInAsync("eve", MailLab.Chosen)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.AuditAsync()).Count(record => record.Kind == "sign-in.voided" && record.SubjectId == id).ShouldBe(1);
    }

    [Fact]
    public async Task A_contact_with_another_address_is_somebody_else_as_far_as_signing_in_goes()
    {
        var id = await _with.AddContactAsync("carl@customer.example");
        var token = await _with.ContactTokenAsync("carl@customer.example");
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await Lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, token);
        await _with.ToldAsync(1);
        var login = (await Lab.SendAsync(HttpMethod.Get, "me", token: token)).Json["person"]!["login"]!.GetValue<string>();
        using var connection = (await Lab.SshDoor.WithKeyAsync(login, key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var waiting = await _with.LinkAsync("carl@customer.example");

        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{id}", new JsonObject { ["name"] = "Cora" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{id}", new JsonObject { ["mail"] = "cora@customer.example" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await _with.UseAsync(waiting.Token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await Lab.SshDoor.WithKeyAsync(login, key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await _with.ToldAsync(1)).ShouldBe(["Your mail address was changed"]);
        (await _with.UseAsync((await _with.LinkAsync("cora@customer.example")).Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_link_of_a_contact_who_was_disabled_is_no_good_when_they_are_enabled_again()
    {
        var id = await _with.AddContactAsync("carl@customer.example");
        var link = await _with.LinkAsync("carl@customer.example");
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/disable", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/enable", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _with.UseAsync(link.Token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Nobody_joins_from_a_network_that_is_not_allowed_and_the_link_stays_good()
    {
        var (_, mail) = await _with.InviteAsync("eve@example.org");
        Lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24", 1));
        (await Lab.SendAsync(HttpMethod.Post, "join/look", new JsonObject { ["token"] = mail.Token })).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _with.JoinAsync(mail.Token, "eve")).Status.ShouldBe(HttpStatusCode.NotFound);
        Lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "127.0.0.0/8", 1));
        (await _with.JoinAsync(mail.Token, "eve")).Status.ShouldBe(HttpStatusCode.OK);
    }
}
