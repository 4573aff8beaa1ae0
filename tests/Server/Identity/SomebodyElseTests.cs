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
    private const string Password = "wandering-otter-lantern-58";

    private MailServer _post = null!;
    private IdentityLab _lab = null!;
    private string _ann = "";

    public async ValueTask InitializeAsync()
    {
        _post = await MailServer.StartAsync();
        _lab = await IdentityLab.StartAsync(mail: _post.Clear);
        _ann = await _lab.TokenOfAsync("ann");
    }

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        await _post.DisposeAsync();
    }

    [Fact]
    public async Task Whoever_took_an_invitation_that_was_not_theirs_keeps_nothing_once_that_is_undone()
    {
        var id = (await _lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "eve@example.org" }, _ann)).Json["id"]!.GetValue<Guid>();
        (await JoinAsync((await _post.NextAsync()).Token)).Status.ShouldBe(HttpStatusCode.OK);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var thief = await _lab.TokenOfAsync("eve", Password);
        await _lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, thief);
        var made = (await _lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, thief)).Json["token"]!.GetValue<string>();
        using var connection = (await _lab.SshDoor.WithKeyAsync("eve", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;

        var change = (await _lab.SendAsync(HttpMethod.Get, "changes?limit=1", token: _ann)).Json["items"]![0]!["id"]!.GetValue<long>();
        (await _lab.SendAsync(HttpMethod.Post, $"changes/{change}/undo", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await JoinAsync((await _post.NextAsync()).Token)).Status.ShouldBe(HttpStatusCode.OK);

        foreach (var gone in (string[])[thief, made]) (await _lab.SendAsync(HttpMethod.Get, "me", token: gone)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await _lab.SshDoor.WithKeyAsync("eve", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        (await _lab.SignInAsync("eve", Password)).Status.ShouldBe(HttpStatusCode.OK);
        (await _lab.AuditAsync()).Count(record => record.Kind == "sign-in.voided" && record.SubjectId == id).ShouldBe(1);
    }

    [Fact]
    public async Task A_contact_with_another_address_is_somebody_else_as_far_as_signing_in_goes()
    {
        var id = (await _lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "Carl", ["mail"] = "carl@customer.example" }, _ann)).Json["id"]!.GetValue<Guid>();
        var token = (await UseAsync((await LinkAsync("carl@customer.example")).Token)).Json["token"]!.GetValue<string>();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await _lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, token);
        var login = (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Json["person"]!["login"]!.GetValue<string>();
        using var connection = (await _lab.SshDoor.WithKeyAsync(login, key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var waiting = await LinkAsync("carl@customer.example");

        (await _lab.SendAsync(HttpMethod.Patch, $"technicians/{id}", new JsonObject { ["name"] = "Cora" }, _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await _lab.SendAsync(HttpMethod.Patch, $"technicians/{id}", new JsonObject { ["mail"] = "cora@customer.example" }, _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await UseAsync(waiting.Token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await _lab.SshDoor.WithKeyAsync(login, key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await UseAsync((await LinkAsync("cora@customer.example")).Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_link_of_a_contact_who_was_disabled_is_no_good_when_they_are_enabled_again()
    {
        var id = (await _lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "Carl", ["mail"] = "carl@customer.example" }, _ann)).Json["id"]!.GetValue<Guid>();
        var link = await LinkAsync("carl@customer.example");
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/disable", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/enable", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await UseAsync(link.Token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Nobody_joins_from_a_network_that_is_not_allowed_and_the_link_stays_good()
    {
        await _lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "eve@example.org" }, _ann);
        var mail = await _post.NextAsync();
        _lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24", 1));
        (await _lab.SendAsync(HttpMethod.Post, "join/look", new JsonObject { ["token"] = mail.Token })).Status.ShouldBe(HttpStatusCode.NotFound);
        (await JoinAsync(mail.Token)).Status.ShouldBe(HttpStatusCode.NotFound);
        _lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "127.0.0.0/8", 1));
        (await JoinAsync(mail.Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Somebody_for_whom_a_key_is_registered_is_told_by_whom()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{_lab.Tom.Id}/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, _ann)).Status.ShouldBe(HttpStatusCode.Created);
        var mail = await _post.NextAsync();
        mail.To.ShouldBe("tom@example.org");
        mail.Text.ShouldContain("ANN has registered an SSH key for you at Acme");
        mail.Text.ShouldContain(key.PublicKey.Fingerprint);
    }

    private Task<Answer> JoinAsync(string token) =>
        _lab.SendAsync(HttpMethod.Post, "join", new JsonObject { ["token"] = token, ["login"] = "eve", ["password"] = Password });

    private async Task<ReceivedMail> LinkAsync(string mail)
    {
        (await _lab.SendAsync(HttpMethod.Post, "sign-in/link", new JsonObject { ["mail"] = mail })).Status.ShouldBe(HttpStatusCode.Accepted);
        return await _post.NextAsync();
    }

    private Task<Answer> UseAsync(string token) => _lab.SendAsync(HttpMethod.Post, "sign-in/link/use", new JsonObject { ["token"] = token });
}
