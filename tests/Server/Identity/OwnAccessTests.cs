using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;

namespace Countersign.Server.Tests.Identity;

/// <summary>What people do with their own passwords, tokens and keys.</summary>
public sealed class OwnAccessTests
{
    private const string Other = "violet-tractor-anthem-08";

    [Fact]
    public async Task A_made_token_is_shown_once_and_does_what_its_scopes_say()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        var made = await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "reader", ["scopes"] = new JsonArray("read") }, token);
        made.Status.ShouldBe(HttpStatusCode.Created);
        made.Json["expires"]!.GetValue<DateTimeOffset>().ShouldBe(lab.Clock.GetUtcNow().AddDays(90));
        var reader = made.Json["token"]!.GetValue<string>();

        var list = await lab.SendAsync(HttpMethod.Get, "me/tokens", token: reader);
        list.Status.ShouldBe(HttpStatusCode.OK);
        list.Text.ShouldNotContain(reader);
        list.Json["items"]!.AsArray().ShouldHaveSingleItem()!["label"]!.GetValue<string>().ShouldBe("reader");
        list.Json["items"]![0]!["current"]!.GetValue<bool>().ShouldBeTrue();

        (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "more", ["scopes"] = new JsonArray("write") }, reader)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var id = made.Json["id"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Delete, $"me/tokens/{id}", token: await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Delete, $"me/tokens/{id}", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Get, "me", token: reader)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("""{"label":"","scopes":["read"]}""", "label")]
    [InlineData("""{"label":"a\nb","scopes":["read"]}""", "label")]
    [InlineData("""{"label":"x","scopes":[]}""", "scopes")]
    [InlineData("""{"label":"x","scopes":["admin"]}""", "scopes")]
    [InlineData("""{"label":"x","scopes":["read"],"expires":"2020-01-01T00:00:00Z"}""", "expires")]
    [InlineData("""{"label":"x","scopes":["read"],"expires":"2099-01-01T00:00:00Z"}""", "expires")]
    public async Task A_wrong_wish_for_a_token_is_refused_beside_its_field(string body, string field)
    {
        await using var lab = await IdentityLab.StartAsync();
        var answer = await lab.SendAsync(HttpMethod.Post, "me/tokens", JsonNode.Parse(body), await lab.TokenOfAsync("tom"));
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Errors(field).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_token_made_with_another_does_not_outlive_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var tom = await lab.TokenOfAsync("tom");
        var maker = (await MakeAsync(tom, lab.Clock.GetUtcNow().AddDays(7))).Json;
        var with = maker["token"]!.GetValue<string>();
        (await MakeAsync(with, lab.Clock.GetUtcNow().AddDays(8))).Errors("expires").ShouldHaveSingleItem();
        var made = (await MakeAsync(with, null)).Json;
        made["expires"]!.GetValue<DateTimeOffset>().ShouldBe(lab.Clock.GetUtcNow().AddDays(7));
        var again = (await MakeAsync(made["token"]!.GetValue<string>(), null)).Json["token"]!.GetValue<string>();
        var own = (await MakeAsync(tom, null)).Json["token"]!.GetValue<string>();

        (await lab.SendAsync(HttpMethod.Delete, $"me/tokens/{maker["id"]}", token: tom)).Status.ShouldBe(HttpStatusCode.NoContent);
        foreach (var gone in (string[])[with, made["token"]!.GetValue<string>(), again]) (await lab.SendAsync(HttpMethod.Get, "me", token: gone)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: own)).Status.ShouldBe(HttpStatusCode.OK);

        async Task<Answer> MakeAsync(string token, DateTimeOffset? expires) =>
            await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "made", ["scopes"] = new JsonArray("write"), ["expires"] = expires }, token);
    }

    [Fact]
    public async Task Signing_out_with_a_made_token_ends_those_that_were_made_with_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var made = await MakeAsync(await lab.TokenOfAsync("tom"));
        var with = await MakeAsync(made);
        (await lab.SendAsync(HttpMethod.Post, "sign-out", token: made)).Status.ShouldBe(HttpStatusCode.NoContent);
        foreach (var gone in (string[])[made, with]) (await lab.SendAsync(HttpMethod.Get, "me", token: gone)).Status.ShouldBe(HttpStatusCode.Unauthorized);

        async Task<string> MakeAsync(string token) => (await lab.SendAsync(
            HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "made", ["scopes"] = new JsonArray("write") }, token)).Json["token"]!.GetValue<string>();
    }

    [Fact]
    public async Task Whoever_has_no_account_keeps_nobody_from_changing_their_password()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        for (var attempt = 0; attempt < 6; attempt++) await lab.SignInAsync("tom", "wrong");
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        (await lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Other }, token)).Status.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task The_last_use_of_a_token_is_kept_to_the_minute()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        var first = lab.Clock.GetUtcNow();
        (await LastUsedAsync()).ShouldBe(first);
        lab.Clock.Advance(TimeSpan.FromSeconds(59));
        (await LastUsedAsync()).ShouldBe(first);
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await LastUsedAsync()).ShouldBe(first.AddMinutes(1));

        async Task<DateTimeOffset?> LastUsedAsync() =>
            (await lab.SendAsync(HttpMethod.Get, "me/sign-ins", token: token)).Json["items"]![0]!["lastSeen"]?.GetValue<DateTimeOffset>();
    }

    [Theory]
    [InlineData("me/tokens", """{"label":"kept","scopes":["write"]}""")]
    [InlineData("me/password", """{"current":"x","new":"y"}""")]
    public async Task A_request_whose_token_ends_while_its_body_comes_does_nothing(string path, string body)
    {
        await using var lab = await IdentityLab.StartAsync();
        var mine = await lab.TokenOfAsync("tom");
        var stolen = await lab.TokenOfAsync("tom");
        using var slow = new SlowBody(body);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = slow };
        request.Headers.Authorization = new("Bearer", stolen);
        var sending = lab.Http.SendAsync(request, IdentityLab.Stop);
        await slow.Begun;
        (await lab.SendAsync(HttpMethod.Delete, "me/sign-ins", token: mine)).Status.ShouldBe(HttpStatusCode.NoContent);
        slow.GoOn();
        using var answer = await sending;
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me/tokens", token: mine)).Json["items"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_new_password_ends_the_old_one_and_every_other_token()
    {
        await using var lab = await IdentityLab.StartAsync();
        var mine = await lab.TokenOfAsync("tom");
        var stolen = await lab.TokenOfAsync("tom");
        var anns = await lab.TokenOfAsync("ann");
        (await ChangeAsync(lab, mine, "wrong", Other)).Errors("current").ShouldHaveSingleItem();
        (await ChangeAsync(lab, mine, IdentityLab.Password, "short")).Errors("new").ShouldHaveSingleItem();
        (await ChangeAsync(lab, mine, IdentityLab.Password, IdentityLab.Password)).Errors("new").ShouldHaveSingleItem();
        (await ChangeAsync(lab, mine, IdentityLab.Password, "anthem-tom-tractor-violet")).Errors("new").ShouldHaveSingleItem();
        (await ChangeAsync(lab, mine, IdentityLab.Password, Other)).Status.ShouldBe(HttpStatusCode.NoContent);

        (await lab.SendAsync(HttpMethod.Get, "me", token: mine)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Get, "me", token: stolen)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: anns)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SignInAsync("tom", Other)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_token_is_no_way_to_guess_the_password()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        for (var attempt = 0; attempt < 6; attempt++) (await ChangeAsync(lab, token, "wrong", Other)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await ChangeAsync(lab, token, IdentityLab.Password, Other)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task A_program_s_token_is_no_way_to_try_or_change_the_password_nor_to_set_up_a_second_factor()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, token)).Json["token"]!.GetValue<string>();
        for (var attempt = 0; attempt < 6; attempt++)
        {
            (await ChangeAsync(lab, made, "wrong", Other)).Status.ShouldBe(HttpStatusCode.Forbidden);
            (await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "wrong" }, made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        }

        (await ChangeAsync(lab, made, IdentityLab.Password, Other)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = "000000" }, made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Get, "me", token: made)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChangeAsync(lab, token, IdentityLab.Password, Other)).Status.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_first_password_is_good_for_choosing_another_one_and_nothing_more()
    {
        await using var lab = await IdentityLab.StartAsync();
        var passwords = lab.Get<Passwords>();
        var hash = await passwords.HashAsync(Other, IdentityLab.Stop);
        await lab.Get<WriteQueue>().WriteAsync(lab.Organization, (db, stop) => passwords.SetAsync(db, lab.Kim.Id, hash, PasswordChoice.First, stop), IdentityLab.Stop);

        using (var secret = Secret.FromText(Other)) (await lab.SshDoor.WithPasswordAsync("kim", secret, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Barred>();
        var answer = await lab.SignInAsync("kim", Other);
        answer.Json["mustChangePassword"]!.GetValue<bool>().ShouldBeTrue();
        var token = answer.Json["token"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Json["scopes"]!.AsArray().ShouldBeEmpty();
        (await lab.SendAsync(HttpMethod.Get, "me/tokens", token: token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Get, "me/keys", token: token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await ChangeAsync(lab, token, Other, "marble-lantern-coffee-73")).Status.ShouldBe(HttpStatusCode.NoContent);

        var next = await lab.SignInAsync("kim", "marble-lantern-coffee-73");
        next.Json["mustChangePassword"]!.GetValue<bool>().ShouldBeFalse();
        (await lab.SendAsync(HttpMethod.Get, "me/tokens", token: next.Json["token"]!.GetValue<string>())).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_person_has_a_key_once_and_nobody_is_kept_from_theirs_by_somebody_who_knows_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var tom = await lab.TokenOfAsync("tom");
        var body = new JsonObject { ["label"] = "laptop", ["key"] = $"{key.PublicKey} tom@laptop" };
        var added = await lab.SendAsync(HttpMethod.Post, "me/keys", body.DeepClone(), tom);
        added.Status.ShouldBe(HttpStatusCode.Created);
        added.Json["fingerprint"]!.GetValue<string>().ShouldBe(key.PublicKey.Fingerprint);

        var again = await lab.SendAsync(HttpMethod.Post, "me/keys", body.DeepClone(), tom);
        var byAnn = await lab.SendAsync(HttpMethod.Post, "me/keys", body.DeepClone(), await lab.TokenOfAsync("ann"));
        again.Status.ShouldBe(HttpStatusCode.Conflict);

        // Public keys are public: that somebody else has registered it takes it from nobody, and tells of nobody. Under each login it is that person's.
        byAnn.Status.ShouldBe(HttpStatusCode.Created);
        foreach (var person in (PersonRow[])[lab.Tom, lab.Ann])
        {
            using var signedIn = (await lab.SshDoor.WithKeyAsync(person.Login, key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
            signedIn.Person.ShouldBe(person.Id);
        }

        (await lab.SendAsync(HttpMethod.Get, "me/keys", token: tom)).Json["items"]!.AsArray().ShouldHaveSingleItem();
        var id = added.Json["id"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Delete, $"me/keys/{id}", token: await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Delete, $"me/keys/{id}", token: tom)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Get, "me/keys", token: tom)).Json["items"]!.AsArray().ShouldBeEmpty();
        (await lab.SshDoor.WithKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
    }

    [Theory]
    [InlineData("me/keys")]
    [InlineData("technicians/{ann}/keys")]
    public async Task A_key_of_ones_own_takes_a_sign_in_of_just_now(string path)
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var token = await lab.TokenOfAsync("ann");
        path = path.Replace("{ann}", lab.Ann.Id.Value.ToString(), StringComparison.Ordinal);
        JsonObject Key() => new() { ["label"] = "x", ["key"] = key.PublicKey.ToString() };
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, token)).Json["token"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Post, path, Key(), made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        lab.Clock.Advance(TimeSpan.FromMinutes(10));
        (await lab.SendAsync(HttpMethod.Post, path, Key(), token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Get, "me/keys", token: token)).Json["items"]!.AsArray().ShouldBeEmpty();
        token = await lab.TokenOfAsync("ann");
        lab.Clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        (await lab.SendAsync(HttpMethod.Post, path, Key(), token)).Status.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_token_takes_a_sign_in_of_just_now_or_a_token_that_it_does_not_outlive()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        var made = (await MakeAsync(token)).Json["token"]!.GetValue<string>();
        lab.Clock.Advance(TimeSpan.FromMinutes(10));
        (await MakeAsync(token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var with = await MakeAsync(made);
        (with.Status, with.Json["expires"]!.GetValue<DateTimeOffset>()).ShouldBe((HttpStatusCode.Created, lab.Clock.GetUtcNow().AddDays(90) - TimeSpan.FromMinutes(10)));
        token = await lab.TokenOfAsync("tom");
        lab.Clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        (await MakeAsync(token)).Status.ShouldBe(HttpStatusCode.Created);

        Task<Answer> MakeAsync(string by) => lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "made", ["scopes"] = new JsonArray("write") }, by);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ssh-ed25519")]
    [InlineData("ssh-ed25519 AAAA")]
    [InlineData("ssh-dss AAAAB3NzaC1kc3MAAAAB")]
    public async Task What_is_no_good_key_is_refused_beside_its_field(string key)
    {
        await using var lab = await IdentityLab.StartAsync();
        var answer = await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key }, await lab.TokenOfAsync("tom"));
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Errors("key").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_certificate_is_told_to_be_one()
    {
        await using var lab = await IdentityLab.StartAsync();
        var answer = await lab.SendAsync(
            HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t" }, await lab.TokenOfAsync("tom"));
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Errors("key").ShouldHaveSingleItem()!.ToString().ShouldContain("This is a certificate");
    }

    [Fact]
    public async Task An_RSA_key_of_less_than_2048_bits_is_refused()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        (await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = RsaLine(1024) }, token)).Errors("key").ShouldHaveSingleItem();
        (await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = RsaLine(2048) }, token)).Status.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task The_SSH_door_opens_by_password_and_by_key_for_those_who_take_part()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var unknown = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var password = Secret.FromText(IdentityLab.Password);
        var added = await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, await lab.TokenOfAsync("tom"));
        added.Status.ShouldBe(HttpStatusCode.Created);
        var door = lab.SshDoor;
        var here = IPAddress.Loopback;

        ShouldBeTom(lab, await door.WithPasswordAsync("tom", password, here, IdentityLab.Stop));
        (await door.WouldAcceptKeyAsync("tom", key.PublicKey, here, IdentityLab.Stop)).ShouldBeTrue();
        ShouldBeTom(lab, await door.WithKeyAsync("tom", key.PublicKey, here, IdentityLab.Stop));
        foreach (var login in (string[])["ann", "dora", "nobody"])
        {
            (await door.WouldAcceptKeyAsync(login, key.PublicKey, here, IdentityLab.Stop)).ShouldBeFalse(login);
            (await door.WithKeyAsync(login, key.PublicKey, here, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>(login);
        }

        (await door.WithKeyAsync("tom", unknown.PublicKey, here, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        foreach (var login in (string[])["dora", "ida", "kim", "nobody"]) (await door.WithPasswordAsync(login, password, here, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>(login);

        lab.Change(lab.Tom with { Status = PersonStatus.Disabled });
        (await door.WithPasswordAsync("tom", password, here, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        (await door.WouldAcceptKeyAsync("tom", key.PublicKey, here, IdentityLab.Stop)).ShouldBeFalse();
        (await door.WithKeyAsync("tom", key.PublicKey, here, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        (await lab.AuditAsync()).Count(record => record is { Kind: "sign-in.succeeded", Channel: "ssh" }).ShouldBe(2);
    }

    [Fact]
    public async Task A_login_locked_by_wrong_passwords_is_still_open_to_its_key()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var right = Secret.FromText(IdentityLab.Password);
        using var wrong = Secret.FromText("wrong");
        await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, await lab.TokenOfAsync("tom"));
        for (var attempt = 0; attempt < 6; attempt++) (await lab.SshDoor.WithPasswordAsync("tom", wrong, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        (await lab.SshDoor.WithPasswordAsync("tom", right, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        (await lab.SshDoor.WithKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>();
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await lab.SshDoor.WithPasswordAsync("tom", right, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>();
    }

    private static Task<Answer> ChangeAsync(IdentityLab lab, string token, string current, string next) =>
        lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = current, ["new"] = next }, token);

    private static void ShouldBeTom(IdentityLab lab, SignInStep step)
    {
        using var person = step.ShouldBeOfType<SignInStep.Done>().Person;
        (person.Organization, person.Person, person.Login, person.Strength).ShouldBe((lab.Organization, lab.Tom.Id, "tom", SignInStrength.OneFactor));
    }

    /// <summary>RFC 4253 section 6.6.</summary>
    private static string RsaLine(int bits)
    {
        using var rsa = System.Security.Cryptography.RSA.Create(bits);
        var numbers = rsa.ExportParameters(includePrivateParameters: false);
        var blob = new SshWriter().String("ssh-rsa").String(numbers.Exponent).String([0, .. numbers.Modulus!]).Written;
        return $"ssh-rsa {Convert.ToBase64String(blob.Span)}";
    }
}
