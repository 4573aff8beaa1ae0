using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Ssh;

namespace Countersign.Server.Tests.Identity.Passkeys;

/// <summary>Signing in with a passkey, as the second step and as the only one.</summary>
public sealed class PasskeySignInTests
{
    [Theory]
    [InlineData(TestPasskey.ES256)]
    [InlineData(TestPasskey.EdDSA)]
    [InlineData(TestPasskey.RS256)]
    public async Task A_passkey_signs_in_by_itself_as_two_factors_and_as_the_second_one_after_the_password(int algorithm)
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey(algorithm);
        await lab.WithPasskeyAsync("tom", passkey);

        var alone = await lab.SignInAsync(passkey);
        alone.Status.ShouldBe(HttpStatusCode.OK, alone.Text);
        alone.Json["person"]!["login"]!.GetValue<string>().ShouldBe("tom");
        (await lab.SendAsync(HttpMethod.Get, "me", token: alone.Json["token"]!.GetValue<string>())).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");

        var first = await lab.SignInAsync("tom", IdentityLab.Password);
        first.Status.ShouldBe(HttpStatusCode.Accepted);
        first.Json["passkey"]!.GetValue<bool>().ShouldBeTrue();
        var asked = (await lab.AskToSignInAsync(first.Json["ticket"]!.GetValue<string>())).Json;
        asked["publicKey"]!["allowCredentials"]![0]!["id"]!.GetValue<string>().ShouldBe(passkey.Get(asked["publicKey"]!)["id"]!.GetValue<string>());

        // The password was one factor: the key has to be there, and need not know who touches it.
        passkey.Verified = false;
        passkey.UserHandle = null;
        var second = await lab.SignInAsync(asked, passkey);
        second.Status.ShouldBe(HttpStatusCode.OK, second.Text);
        (await lab.SendAsync(HttpMethod.Get, "me", token: second.Json["token"]!.GetValue<string>())).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");
        (await lab.AuditAsync()).Where(record => record.Kind == "sign-in.succeeded").Select(record => JsonNode.Parse(record.Details)!["method"]!.GetValue<string>())
            .ShouldBe(["password", "passkey", "password and passkey"]);
    }

    [Fact]
    public async Task Every_refusal_is_the_same_answer_whatever_is_wrong()
    {
        await using var lab = await IdentityLab.StartAsync(new() { PasswordIterations = 1000, FreeFailures = 1000, FailuresPerAddress = 1000 });
        using var passkey = new TestPasskey();
        var (token, _) = await lab.WithPasskeyAsync("tom", passkey);
        using var annas = new TestPasskey();
        await lab.WithPasskeyAsync("ann", annas);
        var handle = passkey.UserHandle;
        var answers = new List<(string What, Answer Answer)>();
        async Task Bent(string what, Action<TestPasskey> bend, Action<TestPasskey> straighten)
        {
            bend(passkey);
            answers.Add((what, await lab.SignInAsync(passkey)));
            straighten(passkey);
        }

        await Bent("another origin", key => key.Origin = "https://gate.example.com", key => key.Origin = "https://gate.example.org");
        await Bent("an origin without TLS", key => key.Origin = "http://gate.example.org", key => key.Origin = "https://gate.example.org");
        await Bent("another relying party", key => key.RpId = "example.org", key => key.RpId = null);
        await Bent("another type", key => key.Type = "webauthn.create", key => key.Type = null);
        await Bent("a payment", key => key.Type = "payment.get", key => key.Type = null);
        await Bent("in somebody's frame", key => key.CrossOrigin = true, key => key.CrossOrigin = false);
        await Bent("nobody there", key => key.Present = false, key => key.Present = true);
        await Bent("nobody verified", key => key.Verified = false, key => key.Verified = true);
        await Bent("copied where it could not be", key => key.BackupEligible = true, key => key.BackupEligible = false);
        await Bent("a forged signature", key => key.Forges = true, key => key.Forges = false);
        await Bent("somebody else", key => key.UserHandle = annas.UserHandle, key => key.UserHandle = handle);
        await Bent("nobody said", key => key.UserHandle = null, key => key.UserHandle = handle);
        using (var stranger = new TestPasskey { UserHandle = handle }) answers.Add(("a passkey that nobody has", await lab.SignInAsync(stranger)));
        using (var stranger = new TestPasskey { UserHandle = handle, CredentialId = passkey.CredentialId }) answers.Add(("another key under the same id", await lab.SignInAsync(stranger)));

        var (one, other) = ((await lab.AskToSignInAsync()).Json, (await lab.AskToSignInAsync()).Json);
        answers.Add(("another's challenge", await lab.SignInAsync(one, passkey.Get(other["publicKey"]!))));
        (await lab.SignInAsync(one, passkey)).Status.ShouldBe(HttpStatusCode.OK);
        answers.Add(("twice", await lab.SignInAsync(one, passkey)));
        answers.Add(("no ceremony", await lab.SignInAsync(new JsonObject { ["ceremony"] = "x", ["publicKey"] = one["publicKey"]!.DeepClone() }, passkey)));
        var adding = (await lab.AskToAddAsync(token)).Json;
        adding["publicKey"]!["rpId"] = "gate.example.org";
        answers.Add(("a ceremony for adding", await lab.SignInAsync(adding, passkey)));
        var forAnn = (await lab.AskToSignInAsync(await lab.TicketAsync("ann"))).Json;
        answers.Add(("after the password of somebody else", await lab.SignInAsync(forAnn, passkey)));
        answers.Add(("no ticket of ours", await lab.AskToSignInAsync("x")));
        var credential = passkey.Get(other["publicKey"]!);
        credential["response"]!["authenticatorData"] = "AAAA";
        answers.Add(("cut short", await lab.SignInAsync(other, credential)));
        credential["response"]!["clientDataJSON"] = "!";
        answers.Add(("no base64url", await lab.SignInAsync(other, credential)));
        credential["rawId"] = new string('A', 100_000);
        answers.Add(("endless", await lab.SignInAsync(other, credential)));
        var late = (await lab.AskToSignInAsync()).Json;
        lab.Clock.Advance(TimeSpan.FromMinutes(5));
        answers.Add(("five minutes", await lab.SignInAsync(late, passkey)));
        lab.Change(lab.Tom with { Status = PersonStatus.Disabled });
        answers.Add(("disabled", await lab.SignInAsync(passkey)));
        lab.Change(lab.Tom);

        foreach (var (what, answer) in answers) answer.Status.ShouldBe(HttpStatusCode.Unauthorized, what);
        answers.Select(entry => entry.Answer.Body).Distinct().ShouldHaveSingleItem();
        (await lab.SignInAsync(passkey)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Asking_to_sign_in_says_nothing_of_accounts_and_names_nobodys_passkeys()
    {
        await using var lab = await IdentityLab.StartAsync();
        static string Form(JsonObject asked)
        {
            asked.Remove("ceremony");
            asked["publicKey"]!.AsObject().Remove("challenge");
            return asked.ToJsonString();
        }

        var before = Form((await lab.AskToSignInAsync()).Json);
        using var passkey = new TestPasskey();
        await lab.WithPasskeyAsync("tom", passkey);
        Form((await lab.AskToSignInAsync()).Json).ShouldBe(before);
        before.ShouldContain("\"allowCredentials\":[]");
        before.ShouldContain("\"userVerification\":\"required\"");
        before.ShouldContain("\"rpId\":\"gate.example.org\"");

        // Nor does the second step: it comes after the password.
        (await lab.SignInAsync("tom", "wrong")).Body.ShouldBe((await lab.SignInAsync("nobody", "wrong")).Body);
    }

    [Fact]
    public async Task A_counter_that_goes_back_or_stands_still_refuses_and_is_written_down()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey { Count = 7 };
        var (_, id) = await lab.WithPasskeyAsync("tom", passkey);
        (await lab.SignInAsync(passkey)).Status.ShouldBe(HttpStatusCode.OK);
        passkey.Count = 8;
        (await lab.SignInAsync(passkey)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        passkey.Count = null;
        (await lab.SignInAsync(passkey)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        passkey.Count = 9;
        (await lab.SignInAsync(passkey)).Status.ShouldBe(HttpStatusCode.OK);
        var records = (await lab.AuditAsync()).Where(record => record.Kind == "passkey.counter-went-back").ToList();
        records.Select(record => JsonNode.Parse(record.Details)!.AsObject()).Select(details => (details["passkey"]!.GetValue<Guid>(), details["before"]!.GetValue<uint>(), details["shown"]!.GetValue<uint>()))
            .ShouldBe([(id, 8u, 8u), (id, 8u, 0u)]);
        records.ShouldAllBe(record => record.Actor == lab.Tom.Id && record.Outcome == Countersign.Server.Platform.Persistence.AuditOutcome.Refused);
    }

    [Fact]
    public async Task Of_many_answers_to_one_challenge_at_once_one_is_let_in()
    {
        await using var lab = await IdentityLab.StartAsync(new() { PasswordIterations = 1000, FreeFailures = 1000, FailuresPerAddress = 1000 });
        using var passkey = new TestPasskey();
        await lab.WithPasskeyAsync("tom", passkey);
        var asked = (await lab.AskToSignInAsync()).Json;
        var credentials = Enumerable.Range(0, 30).Select(_ => passkey.Get(asked["publicKey"]!)).ToList();
        var answers = await Task.WhenAll(credentials.Select(credential => lab.SignInAsync(asked, credential)));
        answers.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
    }

    [Fact]
    public async Task A_ticket_is_worth_nothing_for_a_passkey_once_the_password_is_another_one()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        var (token, _) = await lab.WithPasskeyAsync("tom", passkey);
        var asked = (await lab.AskToSignInAsync(await lab.TicketAsync("tom"))).Json;
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = "violet-tractor-anthem-08" }, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SignInAsync(asked, passkey)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Forged_signatures_are_slowed_like_wrong_codes_and_lock_nobody_elses_passkey()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        await lab.WithPasskeyAsync("tom", passkey);
        using var forger = new TestPasskey { CredentialId = passkey.CredentialId, UserHandle = passkey.UserHandle };
        for (var attempt = 0; attempt < 6; attempt++) (await lab.SignInAsync(forger)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SignInAsync(forger)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        using var annas = new TestPasskey();
        await lab.WithPasskeyAsync("ann", annas);
        (await lab.SignInAsync(annas)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.AuditAsync()).Count(record => record.Kind == "sign-in.refused" && record.Details.Contains("passkey", StringComparison.Ordinal)).ShouldBeLessThanOrEqualTo(6);
    }

    [Fact]
    public async Task Where_two_factors_are_required_a_passkey_is_enough_and_can_be_set_up_with_one()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        await lab.EnrolAsync("ann", ann);
        (await lab.SendAsync(HttpMethod.Put, "settings/organization/twoFactorRequired", new JsonObject { ["value"] = "true" }, ann)).Status.ShouldBe(HttpStatusCode.OK);
        var token = await lab.TokenOfAsync("tom");
        (await lab.SendAsync(HttpMethod.Get, "devices", token: token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        using var passkey = new TestPasskey();
        var added = await lab.AddPasskeyAsync(token, passkey);
        added.Status.ShouldBe(HttpStatusCode.Created, added.Text);
        (await lab.SendAsync(HttpMethod.Get, "devices", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        var alone = await lab.SignInAsync(passkey);
        alone.Json["mustSetUpTwoFactor"]!.GetValue<bool>().ShouldBeFalse();
        (await lab.SendAsync(HttpMethod.Get, "devices", token: alone.Json["token"]!.GetValue<string>())).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.RemovePasskeyAsync(token, added.Json["id"]!.GetValue<Guid>())).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Whoever_has_a_passkey_is_asked_for_a_second_step_on_every_door_and_a_recovery_code_stands_in_for_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        var token = await lab.TokenOfAsync("tom");
        var codes = (await lab.AddPasskeyAsync(token, passkey)).Json["recoveryCodes"]!.AsArray().Select(code => code!.GetValue<string>()).ToList();
        codes.Count.ShouldBe(10);
        using var password = Secret.FromText(IdentityLab.Password);
        var proven = (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.CodeWanted>().Proven;
        using var wrong = Secret.FromText("123456");
        (await lab.SshDoor.WithCodeAsync(proven, wrong, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        using var first = Secret.FromText(codes[0]);
        (await lab.SshDoor.WithCodeAsync(proven, first, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person.Dispose();
        (await lab.SendCodeAsync(await lab.TicketAsync("tom"), codes[1])).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendCodeAsync(await lab.TicketAsync("tom"), codes[1])).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task From_a_network_that_is_not_allowed_a_passkey_is_as_wrong_as_any()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        await lab.WithPasskeyAsync("tom", passkey);
        lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24", 1));
        (await lab.SignInAsync(passkey)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_browser_gets_its_cookie_and_another_page_signs_nobody_in()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var passkey = new TestPasskey();
        await lab.WithPasskeyAsync("tom", passkey);
        var asked = (await lab.AskToSignInAsync()).Json;
        JsonObject Body() => new() { ["ceremony"] = asked["ceremony"]!.DeepClone(), ["credential"] = passkey.Get(asked["publicKey"]!), ["as"] = "cookie" };
        (await lab.SendAsync(HttpMethod.Post, "sign-in/passkey", Body())).Status.ShouldBe(HttpStatusCode.Forbidden);
        using var request = new HttpRequestMessage(HttpMethod.Post, "sign-in/passkey") { Content = System.Net.Http.Json.JsonContent.Create<JsonNode>(Body()) };
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var response = await lab.Http.SendAsync(request, IdentityLab.Stop);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem().ShouldStartWith("__Host-countersign=cst_");
        JsonNode.Parse(await response.Content.ReadAsStringAsync(IdentityLab.Stop))!["token"].ShouldBeNull();
    }
}
