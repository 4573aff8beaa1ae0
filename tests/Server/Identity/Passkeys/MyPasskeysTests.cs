using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Identity.Passkeys;

/// <summary>A person's own passkeys: added, listed, removed.</summary>
public sealed class MyPasskeysTests
{
    [Fact]
    public async Task What_a_passkey_is_made_from_names_the_server_the_person_and_what_is_liked()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        var asked = (await lab.AskToAddAsync(token)).Json["publicKey"]!.AsObject();
        asked["rp"]!["id"]!.GetValue<string>().ShouldBe("gate.example.org");
        System.Buffers.Text.Base64Url.DecodeFromChars(asked["user"]!["id"]!.GetValue<string>()).ShouldBe(lab.Tom.Id.Value.ToByteArray(bigEndian: true));
        asked["user"]!["name"]!.GetValue<string>().ShouldBe("tom");
        asked["pubKeyCredParams"]!.AsArray().Select(entry => entry!["alg"]!.GetValue<int>()).ShouldBe([TestPasskey.ES256, TestPasskey.EdDSA, TestPasskey.RS256]);
        asked["timeout"]!.GetValue<int>().ShouldBe(300_000);
        asked["attestation"]!.GetValue<string>().ShouldBe("none");
        using var passkey = new TestPasskey();
        await lab.AddPasskeyAsync(token, passkey);
        (await lab.AskToAddAsync(token)).Json["publicKey"]!["excludeCredentials"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_person_has_several_by_name_and_the_first_is_a_second_factor_that_ends_their_other_sign_ins()
    {
        await using var lab = await IdentityLab.StartAsync();
        var other = await lab.TokenOfAsync("tom");
        using var password = Secret.FromText(IdentityLab.Password);
        using var connection = (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var token = await lab.TokenOfAsync("tom");
        using var laptop = new TestPasskey { BackupEligible = true };
        using var stick = new TestPasskey(TestPasskey.EdDSA);
        (await lab.AddPasskeyAsync(token, laptop, "laptop")).Json["recoveryCodes"]!.AsArray().Count.ShouldBe(10);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await lab.SendAsync(HttpMethod.Get, "me", token: other)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");

        var second = await lab.AddPasskeyAsync(token, stick, "stick");
        second.Json["recoveryCodes"]!.AsArray().ShouldBeEmpty();
        await lab.SignInAsync(stick);
        var shown = (await lab.SendAsync(HttpMethod.Get, "me/passkeys", token: token)).Json["items"]!.AsArray().Select(item => item!.AsObject()).ToList();
        shown.Select(item => (item["label"]!.GetValue<string>(), item["lastUsed"] is not null, item["synced"]!.GetValue<bool>())).Order().ShouldBe([("laptop", false, true), ("stick", true, false)]);
        var twoFactor = (await lab.SendAsync(HttpMethod.Get, "me/two-factor", token: token)).Json;
        (twoFactor["enabled"]!.GetValue<bool>(), twoFactor["since"], twoFactor["passkeys"]!.GetValue<int>(), twoFactor["recoveryCodesLeft"]!.GetValue<int>()).ShouldBe((true, null, 2, 10));
        (await lab.AuditAsync()).Count(record => record.Kind == "passkey.added" && record.Actor == lab.Tom.Id).ShouldBe(2);
    }

    [Fact]
    public async Task What_does_not_come_from_what_was_asked_for_is_no_passkey()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        (string What, TestPasskey Key)[] bent =
        [
            ("another origin", new() { Origin = "https://gate.example.com" }),
            ("another relying party", new() { RpId = "example.org" }),
            ("another type", new() { Type = "webauthn.get" }),
            ("in somebody's frame", new() { CrossOrigin = true }),
            ("nobody there", new() { Present = false }),
            ("an algorithm that was not asked for", new(TestPasskey.ES384)),
            ("an attestation that was not asked for", new() { Format = "fido-u2f" }),
            ("no attestation at all", new() { Format = "made-up" }),
            ("self-signed without a signature", new() { Format = "packed" }),
        ];
        foreach (var (what, key) in bent)
        {
            (await lab.AddPasskeyAsync(token, key)).Status.ShouldBe(HttpStatusCode.BadRequest, what);
            key.Dispose();
        }

        using var passkey = new TestPasskey();
        var (one, other) = ((await lab.AskToAddAsync(token)).Json, (await lab.AskToAddAsync(token)).Json);
        var swapped = new JsonObject { ["ceremony"] = one["ceremony"]!.DeepClone(), ["publicKey"] = other["publicKey"]!.DeepClone() };
        (await lab.AddAsync(token, swapped, passkey)).Errors("credential").ShouldHaveSingleItem();
        var signIn = (await lab.AskToSignInAsync()).Json;
        one["ceremony"] = signIn["ceremony"]!.DeepClone();
        (await lab.AddAsync(token, one, passkey)).Errors("credential").ShouldHaveSingleItem();
        var annas = await lab.TokenOfAsync("ann");
        (await lab.AddAsync(annas, other, passkey)).Errors("credential").ShouldHaveSingleItem();
        (await lab.AddAsync(await lab.TokenOfAsync("tom"), other, passkey)).Errors("credential").ShouldHaveSingleItem();
        lab.Clock.Advance(TimeSpan.FromMinutes(5));
        (await lab.AddAsync(token, other, passkey)).Errors("credential").ShouldHaveSingleItem();
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);

        var last = (await lab.AskToAddAsync(token)).Json;
        (await lab.AddAsync(token, last, passkey)).Status.ShouldBe(HttpStatusCode.Created);
        using var second = new TestPasskey();
        (await lab.AddAsync(token, last, second)).Errors("credential").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_passkey_is_one_persons_on_the_whole_server()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        await lab.WithPasskeyAsync("tom", passkey);
        using var same = new TestPasskey { CredentialId = passkey.CredentialId };
        (await lab.AddPasskeyAsync(await lab.TokenOfAsync("ann"), same)).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Adding_takes_the_password_and_the_second_factor_where_there_is_one_and_no_token_for_programs_does()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        (await lab.AskToAddAsync(token, "wrong")).Errors("password").ShouldHaveSingleItem();
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, token)).Json["token"]!.GetValue<string>();
        (await lab.AskToAddAsync(made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var begun = (await lab.AskToAddAsync(token)).Json;
        await lab.EnrolAsync("tom", await lab.TokenOfAsync("tom"));

        // The sign-in was one factor, and the second one was set up meanwhile: it has ended.
        using var passkey = new TestPasskey();
        (await lab.AddAsync(token, begun, passkey)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization, (db, stop) => db.Set<ApiToken>().Where(row => row.Person == lab.Tom.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Origin, TokenOrigin.SignIn), stop), IdentityLab.Stop);
        (await lab.AskToAddAsync(made)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task With_a_passkey_an_app_is_set_up_only_by_whoever_has_shown_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var one = await lab.TokenOfAsync("tom");
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, one)).Json["token"]!.GetValue<string>();
        using var passkey = new TestPasskey();
        await lab.AddPasskeyAsync(one, passkey);
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var app = await lab.EnrolAsync("tom", one);

        // The app goes and the passkey stays what is asked for; its recovery codes stay, too.
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/disable", new JsonObject { ["password"] = IdentityLab.Password, ["code"] = app.Next() }, one)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendCodeAsync(await lab.TicketAsync("tom"), app.Next())).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendCodeAsync(await lab.TicketAsync("tom"), app.RecoveryCodes[0])).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("devices:read")]
    [InlineData("write")]
    public async Task With_a_passkey_a_program_s_token_and_the_password_set_up_no_app_and_choose_no_other_password(string scope)
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        var (token, _) = await lab.WithPasskeyAsync("tom", passkey);
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "ci", ["scopes"] = new JsonArray(scope) }, token)).Json["token"]!.GetValue<string>();

        // It has the strength of the sign-in that it was made by.
        (await lab.SendAsync(HttpMethod.Get, "me", token: made)).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var enrolled = await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, token);
        var app = new TestAuthenticator(enrolled.Json["uri"]!.GetValue<string>(), lab.Clock);
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = app.Next() }, made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var chosen = new JsonObject { ["current"] = IdentityLab.Password, ["new"] = "violet-tractor-anthem-08" };
        (await lab.SendAsync(HttpMethod.Post, "me/password", chosen, made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Get, "me/two-factor", token: token)).Json["since"].ShouldBeNull();
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Whoever_has_a_passkey_renews_codes_and_takes_the_app_off_without_a_code_while_their_sign_in_is_of_just_now()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        var (token, _) = await lab.WithPasskeyAsync("tom", passkey);
        (await ActAsync("codes", token, "wrong")).Errors("password").ShouldHaveSingleItem();
        (await ActAsync("codes", token)).Json["recoveryCodes"]!.AsArray().Count.ShouldBe(10);
        (await ActAsync("disable", token)).Status.ShouldBe(HttpStatusCode.Conflict);
        await lab.EnrolAsync("tom", token);
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, token)).Json["token"]!.GetValue<string>();
        (await ActAsync("codes", made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        lab.Clock.Advance(TimeSpan.FromMinutes(10));
        foreach (var verb in (string[])["codes", "disable"]) (await ActAsync(verb, token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        token = (await lab.SignInAsync(passkey)).Json["token"]!.GetValue<string>();
        (await ActAsync("disable", token)).Status.ShouldBe(HttpStatusCode.NoContent);
        var twoFactor = (await lab.SendAsync(HttpMethod.Get, "me/two-factor", token: token)).Json;
        (twoFactor["since"], twoFactor["passkeys"]!.GetValue<int>()).ShouldBe((null, 1));

        Task<Answer> ActAsync(string verb, string by, string password = IdentityLab.Password) =>
            lab.SendAsync(HttpMethod.Post, $"me/two-factor/{verb}", new JsonObject { ["password"] = password }, by);
    }

    [Fact]
    public async Task An_owner_with_a_passkey_hands_over_without_a_code_while_their_sign_in_is_of_just_now()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        var (token, _) = await lab.WithPasskeyAsync("ann", passkey);
        (await HandOverAsync(token, "000000")).Errors("code").ShouldHaveSingleItem();
        lab.Clock.Advance(TimeSpan.FromMinutes(10));
        (await HandOverAsync(token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.AuditAsync()).Where(record => record.Kind == "ownership.refused").Select(record => JsonNode.Parse(record.Details)!["because"]!.GetValue<string>()).Distinct().ShouldBe(["code"]);
        token = (await lab.SignInAsync(passkey)).Json["token"]!.GetValue<string>();
        (await HandOverAsync(token)).Json["kind"]!.GetValue<string>().ShouldBe("owner");

        Task<Answer> HandOverAsync(string by, string? code = null) =>
            lab.SendAsync(HttpMethod.Post, $"technicians/{lab.Tom.Id}/ownership", new JsonObject { ["password"] = IdentityLab.Password, ["code"] = code }, by);
    }

    [Fact]
    public async Task With_an_app_alone_a_code_is_wanted_however_fresh_the_sign_in_is()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var token = (await lab.SignInAsync("tom", app)).Json["token"]!.GetValue<string>();
        foreach (var verb in (string[])["codes", "disable"])
            (await lab.SendAsync(HttpMethod.Post, $"me/two-factor/{verb}", new JsonObject { ["password"] = IdentityLab.Password }, token)).Errors("code").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Removing_takes_the_password_and_ends_whoever_may_have_signed_in_with_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        var (token, id) = await lab.WithPasskeyAsync("tom", passkey);
        var by = (await lab.SignInAsync(passkey)).Json["token"]!.GetValue<string>();
        (await lab.RemovePasskeyAsync(token, id, "wrong")).Errors("password").ShouldHaveSingleItem();
        (await lab.RemovePasskeyAsync(await lab.TokenOfAsync("ann"), id)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Get, "me", token: by)).Status.ShouldBe(HttpStatusCode.OK);

        (await lab.RemovePasskeyAsync(token, id)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Get, "me", token: by)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SignInAsync(passkey)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        await using var db = lab.Get<Database>().Read(lab.Organization);
        (await db.Set<RecoveryCode>().AnyAsync(IdentityLab.Stop)).ShouldBeFalse();
        (await lab.AuditAsync()).ShouldContain(record => record.Kind == "passkey.removed" && record.Actor == lab.Tom.Id);
    }

    [Fact]
    public async Task A_passkey_is_renamed_by_its_person_who_is_signed_in_and_by_no_program()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        var (token, id) = await lab.WithPasskeyAsync("tom", passkey);
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, token)).Json["token"]!.GetValue<string>();
        (await RenameAsync("blue stick", token)).Json["label"]!.GetValue<string>().ShouldBe("blue stick");
        (await RenameAsync("other", await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await RenameAsync("other", made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await RenameAsync("a\u202Eb", token)).Errors("label").ShouldHaveSingleItem();
        (await lab.SendAsync(HttpMethod.Get, "me/passkeys", token: token)).Json["items"]![0]!["label"]!.GetValue<string>().ShouldBe("blue stick");
        (await lab.AuditAsync()).Single(record => record.Kind == "passkey.renamed").Details.ShouldContain("\"before\":\"laptop\"");

        Task<Answer> RenameAsync(string label, string by) => lab.SendAsync(HttpMethod.Patch, $"me/passkeys/{id}", new JsonObject { ["label"] = label }, by);
    }

    [Fact]
    public async Task A_reset_of_the_second_factor_takes_passkeys_too_and_nobody_does_that_to_the_owner()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var toms = new TestPasskey();
        using var annas = new TestPasskey();
        var (tom, _) = await lab.WithPasskeyAsync("tom", toms);
        var (ann, _) = await lab.WithPasskeyAsync("ann", annas);
        (await lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = lab.Tom.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, ann)).Status.ShouldBe(HttpStatusCode.Created);
        (await lab.SendAsync(HttpMethod.Post, $"technicians/{lab.Ann.Id}/two-factor/reset", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SignInAsync(annas)).Status.ShouldBe(HttpStatusCode.OK);

        (await lab.SendAsync(HttpMethod.Post, $"technicians/{lab.Tom.Id}/two-factor/reset", token: ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SignInAsync(toms)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.AuditAsync()).Single(record => record.Kind == "two-factor.reset").Details.ShouldContain("\"passkeys\":1");
    }
}
