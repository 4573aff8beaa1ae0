using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Vault;

public sealed class AccountEndpointTests
{
    [Fact]
    public async Task A_new_account_and_its_secret_come_in_one_change_and_the_secret_is_never_shown()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var answer = await PutAsync(lab, lab.Web, "admin", new() { ["password"] = "open-sesame", ["default"] = true }, ann);
        answer.Status.ShouldBe(HttpStatusCode.OK);
        answer.Text.ShouldNotContain("open-sesame");
        (answer.Json["default"]!.GetValue<bool>(), answer.Json["secret"]!.GetValue<string>()).ShouldBe((true, "password"));

        var policy = lab.Get<PolicySource>().Current(lab.Organization)!;
        answer.Json["version"]!.GetValue<long>().ShouldBe(policy.Version);
        policy.AccountsOf(lab.Web.Id).Single(account => account.IsDefault).Name.ShouldBe("admin");
        (await lab.OpenedAsync(lab.Web, "admin")).ShouldBe((CredentialKind.Password, "open-sesame"));
        (await lab.AuditAsync()).ShouldContain(record => record.Kind == "account.secret-stored" && record.ActorLogin == "ann" && record.SubjectId == lab.Web.Id.Value);
    }

    [Fact]
    public async Task A_new_secret_for_an_account_that_is_there_is_a_change_of_that_account_which_nobody_undoes()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var before = lab.Get<PolicySource>().Current(lab.Organization)!.Version;
        await PutAsync(lab, lab.Web, "root", new() { ["password"] = "first" }, ann);
        (await PutAsync(lab, lab.Web, "root", new() { ["password"] = "second" }, ann)).Json["version"]!.GetValue<long>().ShouldBe(before + 2);
        var change = await lab.SendAsync(HttpMethod.Get, $"changes/{before + 2}", token: ann);
        change.Json["summary"]!.GetValue<string>().ShouldBe("Replaced what opens root on web01 by a password.");
        (change.Json["rows"]![0]!["table"]!.GetValue<string>(), change.Json["rows"]![0]!["part"]!.GetValue<string>()).ShouldBe(("deviceAccount", "root"));
        change.Text.ShouldNotContain("second");
        (await lab.SendAsync(HttpMethod.Post, $"changes/{before + 2}/undo", token: ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "second"));
        (await PutAsync(lab, lab.Web, "root", [], ann)).Json["secret"].ShouldBeNull();
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "second"));
    }

    [Fact]
    public async Task A_secret_is_removed_alone_and_only_by_those_who_may_change_the_device()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        await PutAsync(lab, lab.Web, "root", new() { ["password"] = "first" }, ann);
        (await RemoveAsync(lab.Web.Id, "root", await lab.TokenOfAsync("tom"))).ShouldBe(HttpStatusCode.NotFound);
        (await RemoveAsync(lab.Web.Id, "deploy", ann)).ShouldBe(HttpStatusCode.NotFound);
        (await RemoveAsync(new(Guid.NewGuid()), "root", ann)).ShouldBe(HttpStatusCode.NotFound);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "first"));

        var version = lab.Get<PolicySource>().Current(lab.Organization)!.Version;
        var preview = await lab.SendAsync(HttpMethod.Delete, $"devices/{lab.Web.Id}/accounts/root/secret?preview=true", token: ann);
        preview.Json["summary"]!.GetValue<string>().ShouldBe("Removed what opens root on web01.");
        (await lab.OpenedAsync(lab.Web, "root")).ShouldNotBeNull();
        (await RemoveAsync(lab.Web.Id, "root", ann)).ShouldBe(HttpStatusCode.OK);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBeNull();
        var policy = lab.Get<PolicySource>().Current(lab.Organization)!;
        (policy.Version, policy.AccountsOf(lab.Web.Id).Any(account => account.Name == "root")).ShouldBe((version + 1, true));
        (await lab.AuditAsync()).ShouldContain(record => record.Kind == "account.secret-removed" && record.ActorLogin == "ann" && record.SubjectId == lab.Web.Id.Value);
        (await RemoveAsync(lab.Web.Id, "root", ann)).ShouldBe(HttpStatusCode.NotFound);
        (await PutAsync(lab, lab.Web, "root", new() { ["password"] = "second" }, ann)).Status.ShouldBe(HttpStatusCode.OK);

        async Task<HttpStatusCode> RemoveAsync(DeviceId device, string account, string token) =>
            (await lab.SendAsync(HttpMethod.Delete, $"devices/{device}/accounts/{account}/secret", token: token)).Status;
    }

    [Fact]
    public async Task Of_two_who_store_a_secret_the_second_is_told_and_overwrites_nothing()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var read = lab.Get<PolicySource>().Current(lab.Organization)!.Version;
        (await PutIfAsync(lab, read, "first", ann)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await PutIfAsync(lab, read, "second", ann)).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "first"));
        (await PutIfAsync(lab, read + 1, "second", ann)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "second"));
    }

    [Theory]
    [InlineData("{\"host\":\"192.0.2.66\"}")]
    [InlineData("{\"services\":[{\"protocol\":\"ssh\",\"port\":2222}]}")]
    public async Task A_secret_goes_to_no_other_machine_than_the_one_that_was_read(string change)
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var read = lab.Get<PolicySource>().Current(lab.Organization)!.Version;
        (await lab.SendAsync(HttpMethod.Patch, $"devices/{lab.Mail.Id}", JsonNode.Parse(change), ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await PutIfAsync(lab, read, "first", ann)).StatusCode.ShouldBe(HttpStatusCode.OK);
        read = lab.Get<PolicySource>().Current(lab.Organization)!.Version;
        (await lab.SendAsync(HttpMethod.Patch, $"devices/{lab.Web.Id}", JsonNode.Parse(change), ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await PutIfAsync(lab, read, "second", ann)).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        (await lab.OpenAsync(lab.Web, "root")).ShouldBeNull();
    }

    [Theory]
    [InlineData("root", false, "Replaced what opens root on web01 by a password.")]
    [InlineData("deploy", true, "Made deploy the default account of web01. Stored a password that opens deploy on web01.")]
    [InlineData("new", false, "Added the account new to web01. Stored a password that opens new on web01.")]
    public async Task A_preview_says_that_a_secret_is_stored_or_replaced_and_stores_none(string account, bool makeDefault, string summary)
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        await PutAsync(lab, lab.Web, "root", new() { ["password"] = "first" }, ann);
        var shown = await lab.SendAsync(
            HttpMethod.Put, $"devices/{lab.Web.Id}/accounts/{account}?preview=true", new JsonObject { ["password"] = "second", ["default"] = makeDefault }, ann);
        shown.Json["summary"]!.GetValue<string>().ShouldBe(summary);
        shown.Json["rows"]!.AsArray().ShouldContain(row => row!["table"]!.GetValue<string>() == "deviceAccount" && row["part"]!.GetValue<string>() == account);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "first"));
    }

    [Fact]
    public async Task A_preview_says_what_a_secret_of_a_kind_would_do_without_one()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        await PutAsync(lab, lab.Web, "root", new() { ["password"] = "first" }, ann);
        foreach (var (account, kind, summary) in ((string, string, string)[])
        [
            ("root", "privateKey", "Replaced what opens root on web01 by a private key."),
            ("root", "certificate", "Replaced what opens root on web01 by a certificate."),
            ("deploy", "password", "Stored a password that opens deploy on web01."),
        ])
        {
            var shown = await lab.SendAsync(HttpMethod.Put, $"devices/{lab.Web.Id}/accounts/{account}?preview=true", new JsonObject { ["kind"] = kind }, ann);
            shown.Json["summary"]!.GetValue<string>().ShouldBe(summary);
        }

        // It stands for nothing that is stored, and beside nothing that is.
        (await PutAsync(lab, lab.Web, "root", new() { ["kind"] = "password" }, ann)).Errors("kind").ShouldHaveSingleItem();
        (await lab.SendAsync(HttpMethod.Put, $"devices/{lab.Web.Id}/accounts/root?preview=true", new JsonObject { ["kind"] = "password", ["password"] = "second" }, ann)).Errors("kind").ShouldHaveSingleItem();
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "first"));
    }

    [Fact]
    public async Task Taking_an_account_off_says_that_what_opened_it_goes_with_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var path = $"devices/{lab.Web.Id}/accounts/deploy?preview=true";
        (await lab.SendAsync(HttpMethod.Delete, path, token: ann)).Json["summary"]!.GetValue<string>().ShouldBe("Removed the account deploy from web01.");
        await PutAsync(lab, lab.Web, "deploy", new() { ["password"] = "first" }, ann);
        (await lab.SendAsync(HttpMethod.Delete, path, token: ann)).Json["summary"]!.GetValue<string>()
            .ShouldBe("Removed the account deploy from web01. What opened it goes with it, and is kept by nobody.");
    }

    [Fact]
    public async Task A_private_key_is_stored_if_it_is_one()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var text = key.Export();
        (await PutAsync(lab, lab.Web, "root", new() { ["privateKey"] = text.ExposeText() }, ann)).Json["secret"]!.GetValue<string>().ShouldBe("privateKey");
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.PrivateKey, text.ExposeText()));

        string[] none = ["", "x", key.PublicKey.ToString(), text.ExposeText()[..100], new string('x', 20_000)];
        foreach (var wrong in none) (await PutAsync(lab, lab.Web, "root", new() { ["privateKey"] = wrong }, ann)).Errors("privateKey").ShouldHaveSingleItem();
        (await PutAsync(lab, lab.Web, "root", new() { ["privateKey"] = text.ExposeText(), ["password"] = "x" }, ann)).Errors("privateKey").ShouldHaveSingleItem();
        (await PutAsync(lab, lab.Web, "root", new() { ["password"] = "" }, ann)).Errors("password").ShouldHaveSingleItem();
        (await PutAsync(lab, lab.Web, "a,b", new() { ["password"] = "x" }, ann)).Errors("name").ShouldHaveSingleItem();
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.PrivateKey, text.ExposeText()));
    }

    [Fact]
    public async Task An_account_opened_by_certificate_has_no_secret_and_loses_that_it_is_one_with_its_endpoint()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        await PutAsync(lab, lab.Web, "root", new() { ["password"] = "first" }, ann);
        (await PutAsync(lab, lab.Web, "root", new() { ["certificate"] = true, ["password"] = "x" }, ann)).Errors("certificate").ShouldHaveSingleItem();
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "first"));
        var answer = await PutAsync(lab, lab.Web, "root", new() { ["certificate"] = true }, ann);
        (answer.Status, answer.Json["secret"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, "certificate"));
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Certificate, ""));
        await ApplyAsync(lab, Edit(lab.Web with { Host = "192.0.2.99" }));
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBeNull();
    }

    [Fact]
    public async Task Only_master_administrators_have_accounts_opened_by_certificate()
    {
        await using var lab = await IdentityLab.StartAsync();
        var tom = await lab.TokenOfAsync("tom");
        JsonObject certificate = new() { ["certificate"] = true };
        var none = await lab.SendAsync(HttpMethod.Put, $"devices/{Guid.NewGuid()}/accounts/root", certificate.DeepClone(), tom);
        (await PutAsync(lab, lab.Web, "root", certificate, tom)).Body.ShouldBe(none.Body);
        await GrantAsync(lab, SystemRoles.FullDeviceAccess);
        var refused = await PutAsync(lab, lab.Web, "root", certificate, tom);
        (refused.Status, refused.Json["detail"]!.GetValue<string>()).ShouldBe((HttpStatusCode.Forbidden, "Only master administrators have accounts opened by certificate: such a certificate is good on every machine that trusts the authority."));
        (await PutAsync(lab, lab.Web, "root", new() { ["password"] = "theirs" }, tom)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "theirs"));
    }

    [Fact]
    public async Task Whoever_may_not_see_a_device_can_not_tell_it_from_none_and_whoever_may_not_change_it_stores_nothing()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var tom = await lab.TokenOfAsync("tom");
        JsonObject secret = new() { ["password"] = "planted" };
        var unseen = await PutAsync(lab, lab.Web, "root", secret, tom);
        var none = await lab.SendAsync(HttpMethod.Put, $"devices/{Guid.NewGuid()}/accounts/root", secret.DeepClone(), tom);
        (unseen.Status, unseen.Body).ShouldBe((HttpStatusCode.NotFound, none.Body));

        await GrantAsync(lab, SystemRoles.OnlyDeviceConnection);
        (await PutAsync(lab, lab.Web, "root", secret, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await PutAsync(lab, lab.Web, "other", secret, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Delete, $"devices/{lab.Web.Id}/accounts/root", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBeNull();

        await GrantAsync(lab, SystemRoles.FullDeviceAccess);
        (await PutAsync(lab, lab.Web, "root", secret, tom)).Status.ShouldBe(HttpStatusCode.OK);
        var reader = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "r", ["scopes"] = new JsonArray("read") }, ann)).Json["token"]!.GetValue<string>();
        (await PutAsync(lab, lab.Web, "root", secret, reader)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task The_secret_goes_when_the_account_the_device_or_its_endpoint_does()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        foreach (var account in (string[])["root", "deploy"]) await PutAsync(lab, lab.Web, account, new() { ["password"] = "secret" }, ann);
        (await lab.SendAsync(HttpMethod.Delete, $"devices/{lab.Web.Id}/accounts/deploy", token: ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await AccountsAsync(lab)).ShouldBe(["root"]);

        // Through the writer, as every feature changes devices.
        await ApplyAsync(lab, Edit(lab.Web with { Name = "renamed" }));
        (await AccountsAsync(lab)).ShouldBe(["root"]);
        await ApplyAsync(lab, Edit(lab.Web with { Host = "192.0.2.99" }));
        (await AccountsAsync(lab)).ShouldBeEmpty();
        (await lab.AuditAsync()).ShouldContain(record => record.Kind == "account.secrets-dropped");

        await PutAsync(lab, lab.Mail, "root", new() { ["password"] = "secret" }, ann);
        await ApplyAsync(lab, new PolicyCommand.DeleteDevice(lab.Mail.Id));
        (await AccountsAsync(lab)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_account_that_comes_back_has_no_secret()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        await PutAsync(lab, lab.Web, "deploy", new() { ["password"] = "secret" }, ann);
        await lab.SendAsync(HttpMethod.Delete, $"devices/{lab.Web.Id}/accounts/deploy", token: ann);
        (await PutAsync(lab, lab.Web, "deploy", [], ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.OpenedAsync(lab.Web, "deploy")).ShouldBeNull();
    }

    private static Task<Answer> PutAsync(IdentityLab lab, DeviceRow device, string account, JsonObject body, string token) =>
        lab.SendAsync(HttpMethod.Put, $"devices/{device.Id}/accounts/{account}", body.DeepClone(), token);

    private static PolicyCommand.EditDevice Edit(DeviceRow row) =>
        new(row.Id, row.Group, row.Name, row.Description, row.Enabled, row.Host);

    private static Task GrantAsync(IdentityLab lab, RoleRow role) => ApplyAsync(
        lab, new PolicyCommand.AddGrant(new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Of(lab.Web.Id), role.Id, GrantAccounts.Any, GrantWindow.Always));

    private static async Task ApplyAsync(IdentityLab lab, PolicyCommand command) =>
        (await lab.Get<PolicyWriter>().ApplyAsync(lab.AsAnn, command, IdentityLab.Stop)).ShouldBeOfType<PolicyOutcome.Applied>();

    private static async Task<List<string>> AccountsAsync(IdentityLab lab)
    {
        await using var db = lab.Get<Database>().Read(lab.Organization);
        return await db.Set<AccountSecret>().OrderBy(row => row.Account).Select(row => row.Account).ToListAsync(IdentityLab.Stop);
    }

    private static Task<HttpResponseMessage> PutIfAsync(IdentityLab lab, long read, string password, string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"devices/{lab.Web.Id}/accounts/root") { Content = JsonContent.Create(new { password }) };
        request.Headers.Authorization = new("Bearer", token);
        request.Headers.IfMatch.Add(new($"\"{read}\""));
        return lab.Http.SendAsync(request, IdentityLab.Stop);
    }
}
