using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Identity;

public sealed class TwoFactorTests
{
    [Fact]
    public async Task Signing_in_takes_a_code_once_one_was_given_and_the_token_says_so()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        var enrolled = await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, token);
        var app = new TestAuthenticator(enrolled.Json["uri"]!.GetValue<string>(), lab.Clock);
        app.Uri.ShouldBe($"otpauth://totp/Countersign%20Acme:tom?secret={app.SecretText}&issuer=Countersign%20Acme");
        enrolled.Json["secret"]!.GetValue<string>().ShouldBe(app.SecretText);
        app.Secret.Length.ShouldBe(20);

        // Shown is not set up: whoever did not get it into their app must not be shut out.
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        (await ShownAsync(lab, token))["enabled"]!.GetValue<bool>().ShouldBeFalse();
        (await ConfirmAsync(lab, token, "000000")).Errors("code").ShouldHaveSingleItem();
        var confirmed = await ConfirmAsync(lab, token, app.Code());
        confirmed.Json["recoveryCodes"]!.AsArray().Count.ShouldBe(10);
        var shown = await ShownAsync(lab, token);
        (shown["enabled"]!.GetValue<bool>(), shown["since"]!.GetValue<DateTimeOffset>(), shown["recoveryCodesLeft"]!.GetValue<int>()).ShouldBe((true, lab.Clock.GetUtcNow(), 10));
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");

        var first = await lab.SignInAsync("tom", IdentityLab.Password);
        first.Status.ShouldBe(HttpStatusCode.Accepted);
        first.Json.Select(member => member.Key).Order().ShouldBe(["expires", "passkey", "ticket"]);
        var ticket = first.Json["ticket"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Get, "me", token: ticket)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var second = await lab.SendCodeAsync(ticket, app.Next());
        second.Status.ShouldBe(HttpStatusCode.OK);
        second.Json["person"]!["login"]!.GetValue<string>().ShouldBe("tom");
        (await lab.SendAsync(HttpMethod.Get, "me", token: second.Json["token"]!.GetValue<string>())).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");
        (await lab.AuditAsync()).Where(record => record.Kind is "two-factor.enabled" or "sign-in.succeeded").Select(record => JsonNode.Parse(record.Details)!.ToJsonString())
            .ShouldBe(["""{"method":"password"}""", """{"method":"password"}""", """{"signInsEnded":1}""", """{"method":"password and code"}"""]);
    }

    [Fact]
    public async Task Setting_up_a_second_factor_ends_what_was_signed_in_with_one()
    {
        await using var lab = await IdentityLab.StartAsync();
        var other = await lab.TokenOfAsync("tom");
        using var password = Secret.FromText(IdentityLab.Password);
        using var connection = (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var mine = await lab.TokenOfAsync("tom");
        await lab.EnrolAsync("tom", mine);
        (await lab.SendAsync(HttpMethod.Get, "me", token: mine)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Get, "me", token: other)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task No_code_counts_twice_not_even_the_one_that_set_it_up()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var ticket = await TicketAsync(lab, "tom");
        (await lab.SendCodeAsync(ticket, app.Code())).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var code = app.Next();
        (await lab.SendCodeAsync(ticket, code)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendCodeAsync(ticket, code)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendCodeAsync(ticket, app.Code(-1))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendCodeAsync(ticket, app.Code(+1))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_many_that_come_at_once_with_one_code_one_is_let_in(bool recovery)
    {
        await using var lab = await IdentityLab.StartAsync(new() { PasswordIterations = 1000, FreeFailures = 1000, FailuresPerAddress = 1000 });
        var app = await lab.EnrolAsync("tom");
        var ticket = await TicketAsync(lab, "tom");
        var code = recovery ? app.RecoveryCodes[3] : app.Next();
        using var typed = Secret.FromText(code);
        var proven = await ProvenAsync(lab, "tom");
        var overHttp = Enumerable.Range(0, 20).Select(async _ => (await lab.SendCodeAsync(ticket, code)).Status == HttpStatusCode.OK);
        var overSsh = Enumerable.Range(0, 20).Select(async _ => await lab.SshDoor.WithCodeAsync(proven, typed, IPAddress.Loopback, IdentityLab.Stop) is SignInStep.Done);
        var answers = await Task.WhenAll(overHttp.Concat(overSsh));
        answers.Count(let => let).ShouldBe(1);
    }

    [Fact]
    public async Task A_recovery_code_stands_in_for_the_app_once_and_new_ones_replace_all()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var ticket = await TicketAsync(lab, "tom");
        var signedIn = await lab.SendCodeAsync(ticket, app.RecoveryCodes[0].ToUpperInvariant().Replace('-', ' '));
        signedIn.Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendCodeAsync(ticket, app.RecoveryCodes[0])).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var token = signedIn.Json["token"]!.GetValue<string>();
        (await ShownAsync(lab, token))["recoveryCodesLeft"]!.GetValue<int>().ShouldBe(9);

        var renewed = await BothAsync(lab, "codes", token, IdentityLab.Password, app.RecoveryCodes[1]);
        var codes = renewed.Json["recoveryCodes"]!.AsArray().Select(code => code!.GetValue<string>()).ToList();
        codes.Count.ShouldBe(10);
        (await lab.SendCodeAsync(ticket, app.RecoveryCodes[2])).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendCodeAsync(ticket, codes[0])).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.AuditAsync()).Select(record => JsonNode.Parse(record.Details)!["method"]?.GetValue<string>()).ShouldContain("password and recovery code");
    }

    [Fact]
    public async Task Wrong_codes_make_the_next_one_wait_also_when_the_right_password_comes_between()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        for (var attempt = 0; attempt < 6; attempt++) (await lab.SendCodeAsync(await TicketAsync(lab, "tom"), "nonsense")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var late = await lab.SendCodeAsync(await TicketAsync(lab, "tom"), app.Code(+1));
        late.Status.ShouldBe(HttpStatusCode.TooManyRequests);
        late.RetryAfter.ShouldBe(TimeSpan.FromSeconds(1));
        using (var code = Secret.FromText(app.Code(+1)))
            (await lab.SshDoor.WithCodeAsync(await ProvenAsync(lab, "tom"), code, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await lab.SendCodeAsync(await TicketAsync(lab, "tom"), app.Code(+1))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Wrong_codes_that_come_all_at_once_get_no_further_than_one_after_the_other()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.EnrolAsync("tom");
        var ticket = await TicketAsync(lab, "tom");
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => lab.SendCodeAsync(ticket, "nonsense")));
        answers.Count(answer => answer.Status == HttpStatusCode.Unauthorized).ShouldBe(6);
        answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests).ShouldBe(34);
    }

    [Fact]
    public async Task Whoever_lacks_the_password_can_lock_nobodys_codes_and_learns_nothing_of_the_second_factor()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        Answer[] answers =
        [
            await lab.SignInAsync("tom", "wrong"), await lab.SignInAsync("ann", "wrong"), await lab.SignInAsync("nobody", "wrong"), await lab.SignInAsync("dora", IdentityLab.Password),
        ];
        answers.Select(answer => (answer.Status, answer.Body)).Distinct().ShouldHaveSingleItem();
        (await lab.SignInAsync("tom", app)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("code of tom")]
    [InlineData("set-up of tom")]
    public async Task A_login_that_is_typed_like_the_name_of_somebodys_attempts_locks_nothing(string typed)
    {
        await using var lab = await IdentityLab.StartAsync();
        for (var attempt = 0; attempt < 10; attempt++) await lab.SignInAsync(typed, "wrong");
        var app = await lab.EnrolAsync("tom");
        (await lab.SignInAsync("tom", app)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Every_refusal_of_the_second_step_is_the_same_answer()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var ticket = await TicketAsync(lab, "tom");
        var changed = await TicketAsync(lab, "tom");
        var other = ticket[^9] == 'A' ? 'B' : 'A';
        var answers = new List<Answer>
        {
            await lab.SendCodeAsync(ticket, "000000"),
            await lab.SendCodeAsync(ticket, ""),
            await lab.SendCodeAsync(ticket, new string('9', 100_000)),
            await lab.SendCodeAsync("", app.Code(+1)),
            await lab.SendCodeAsync(ticket[..^9] + other + ticket[^8..], app.Code(+1)),
            await lab.SendCodeAsync(new string('A', ticket.Length), app.Code(+1)),
            await lab.SendCodeAsync(await lab.TokenOfAsync("ann"), app.Code(+1)),
        };
        lab.Change(lab.Tom with { Status = PersonStatus.Disabled });
        answers.Add(await lab.SendCodeAsync(ticket, app.Code(+1)));
        lab.Change(lab.Tom);
        await SetPasswordAsync(lab);
        answers.Add(await lab.SendCodeAsync(changed, app.Next()));
        lab.Clock.Advance(TimeSpan.FromMinutes(5));
        answers.Add(await lab.SendCodeAsync(ticket, app.Next()));
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.Unauthorized);
        answers.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
        (await lab.SignInAsync("tom", app)).Status.ShouldBe(HttpStatusCode.OK);

        // As somebody does who had it: the same password, set anew.
        static async Task SetPasswordAsync(IdentityLab lab)
        {
            var passwords = lab.Get<Passwords>();
            var hash = await passwords.HashAsync(IdentityLab.Password, IdentityLab.Stop);
            await lab.Get<WriteQueue>().WriteAsync(lab.Organization, (db, stop) => passwords.SetAsync(db, lab.Tom.Id, hash, PasswordChoice.Own, stop), IdentityLab.Stop);
        }
    }

    [Fact]
    public async Task Disabling_takes_the_password_and_a_code_and_so_do_new_recovery_codes()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var token = (await lab.SignInAsync("tom", app)).Json["token"]!.GetValue<string>();
        foreach (var what in (string[])["disable", "codes"])
        {
            (await BothAsync(lab, what, token, "wrong", app.Next())).Errors("password").ShouldHaveSingleItem();
            (await BothAsync(lab, what, token, IdentityLab.Password, "000000")).Errors("code").ShouldHaveSingleItem();
        }

        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, token)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await BothAsync(lab, "disable", token, IdentityLab.Password, app.Next())).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        await using var db = lab.Get<Database>().Read(lab.Organization);
        (await db.Set<RecoveryCode>().AnyAsync(IdentityLab.Stop)).ShouldBeFalse();
        (await lab.AuditAsync()).ShouldContain(record => record.Kind == "two-factor.disabled" && record.Actor == lab.Tom.Id);
    }

    [Fact]
    public async Task A_second_factor_that_was_taken_off_counts_for_nothing_that_is_signed_in()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var token = (await lab.SignInAsync("tom", app)).Json["token"]!.GetValue<string>();
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, token)).Json["token"]!.GetValue<string>();
        (await BothAsync(lab, "disable", token, IdentityLab.Password, app.Next())).Status.ShouldBe(HttpStatusCode.NoContent);
        foreach (var kept in (string[])[token, made]) (await lab.SendAsync(HttpMethod.Get, "me", token: kept)).Json["signIn"]!.GetValue<string>().ShouldBe("oneFactor");
    }

    [Fact]
    public async Task Setting_up_takes_the_password_and_is_throttled_like_signing_in()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        for (var attempt = 0; attempt < 6; attempt++)
            (await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "wrong" }, token)).Errors("password").ShouldHaveSingleItem();
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, token)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        (await ConfirmAsync(lab, token, "000000")).Errors("code").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_administrator_takes_a_lost_second_factor_away_and_everything_ends_that_hung_on_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var token = (await lab.SignInAsync("tom", app)).Json["token"]!.GetValue<string>();
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, token)).Json["token"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Get, "me", token: made)).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");
        using var code = Secret.FromText(app.Next());
        using var connection = (await lab.SshDoor.WithCodeAsync(await ProvenAsync(lab, "tom"), code, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        connection.Strength.ShouldBe(SignInStrength.TwoFactor);

        var ann = await lab.TokenOfAsync("ann");
        (await ResetAsync(lab, lab.Tom, ann)).Status.ShouldBe(HttpStatusCode.OK);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        connection.EndedBecause.ShouldBe("your second factor was reset");
        foreach (var ended in (string[])[token, made]) (await lab.SendAsync(HttpMethod.Get, "me", token: ended)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        var record = (await lab.AuditAsync()).Single(record => record.Kind == "two-factor.reset");
        (record.Actor, record.Subject, record.SubjectId, record.Details).ShouldBe((lab.Ann.Id, "tom", lab.Tom.Id.Value, """{"wasEnabled":true,"passkeys":0,"tokensEnded":3,"told":false}"""));
    }

    [Fact]
    public async Task Nobody_resets_the_owners_second_factor_or_their_own_or_without_the_right_to()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var tom = await lab.TokenOfAsync("tom");
        (await ResetAsync(lab, lab.Ann, ann)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await ResetAsync(lab, lab.Kim, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = lab.Tom.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, ann)).Status.ShouldBe(HttpStatusCode.Created);
        (await ResetAsync(lab, lab.Kim, tom)).Status.ShouldBe(HttpStatusCode.OK);
        (await ResetAsync(lab, lab.Ann, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await ResetAsync(lab, lab.Tom, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_authenticator_moved_to_another_person_in_the_database_opens_for_nobody()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var anns = await lab.EnrolAsync("ann");
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization,
            async (db, stop) =>
            {
                var stolen = await db.Set<Authenticator>().Where(row => row.Person == lab.Tom.Id).Select(row => row.Ciphertext).SingleAsync(stop);
                await db.Set<Authenticator>().Where(row => row.Person == lab.Ann.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Ciphertext, stolen), stop);
            },
            IdentityLab.Stop);
        (await lab.SendCodeAsync(await TicketAsync(lab, "ann"), app.Next())).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendCodeAsync(await TicketAsync(lab, "ann"), anns.Next())).Status.ShouldBe(HttpStatusCode.Unauthorized);
        lab.Log.Lines.ShouldContain(line => line.Contains($"authenticator of person {lab.Ann.Id}"));
    }

    [Fact]
    public async Task A_key_removed_between_key_and_code_lets_nobody_in()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var token = await lab.TokenOfAsync("tom");
        var added = await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, token);
        var app = await lab.EnrolAsync("tom", token);
        var proven = (await lab.SshDoor.WithKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.CodeWanted>().Proven;
        using (var first = Secret.FromText(app.Next()))
        {
            var person = (await lab.SshDoor.WithCodeAsync(proven, first, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
            person.Dispose();
        }

        (await lab.SendAsync(HttpMethod.Delete, $"me/keys/{added.Json["id"]!.GetValue<string>()}", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        using var second = Secret.FromText(app.Next());
        (await lab.SshDoor.WithCodeAsync(proven, second, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
    }

    private static async Task<string> TicketAsync(IdentityLab lab, string login) => (await lab.SignInAsync(login, IdentityLab.Password)).Json["ticket"]!.GetValue<string>();

    private static async Task<FirstFactor> ProvenAsync(IdentityLab lab, string login)
    {
        using var password = Secret.FromText(IdentityLab.Password);
        return (await lab.SshDoor.WithPasswordAsync(login, password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.CodeWanted>().Proven;
    }

    private static async Task<JsonObject> ShownAsync(IdentityLab lab, string token) => (await lab.SendAsync(HttpMethod.Get, "me/two-factor", token: token)).Json;

    private static Task<Answer> ConfirmAsync(IdentityLab lab, string token, string code) =>
        lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = code }, token);

    private static Task<Answer> BothAsync(IdentityLab lab, string what, string token, string password, string code) =>
        lab.SendAsync(HttpMethod.Post, $"me/two-factor/{what}", new JsonObject { ["password"] = password, ["code"] = code }, token);

    private static Task<Answer> ResetAsync(IdentityLab lab, PersonRow person, string token) =>
        lab.SendAsync(HttpMethod.Post, $"technicians/{person.Id}/two-factor/reset", token: token);
}
