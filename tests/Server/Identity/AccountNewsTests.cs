using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity.Passkeys;
using Countersign.Ssh;
using Countersign.Tests;
using Microsoft.EntityFrameworkCore;
using MimeKit;

namespace Countersign.Server.Tests.Identity;

/// <summary>Whatever is changed about how somebody signs in is mailed to them, whoever does it.</summary>
public sealed class AccountNewsTests : IAsyncLifetime
{
    private const string Other = "violet-tractor-anthem-08";

    private MailLab _with = null!;

    private IdentityLab Lab => _with.Lab;

    private MailServer Post => _with.Post;

    public async ValueTask InitializeAsync() => _with = await MailLab.StartAsync();

    public ValueTask DisposeAsync() => _with.DisposeAsync();

    [Fact]
    public async Task What_people_add_to_and_take_off_what_they_sign_in_with_is_mailed_to_them_with_when_and_from_where()
    {
        var token = await Lab.TokenOfAsync("tom");
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await AddKeyAsync("me/keys", key, token);
        (await ToldAsync("An SSH key was added to your account")).Text.ShouldContain(key.PublicKey.Fingerprint);
        var id = (await Lab.SendAsync(HttpMethod.Get, "me/keys", token: token)).Json["items"]![0]!["id"]!.GetValue<Guid>();
        (await Lab.SendAsync(HttpMethod.Delete, $"me/keys/{id}", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await ToldAsync("An SSH key was taken off your account")).Text.ShouldContain(key.PublicKey.Fingerprint);
        await MakeTokenAsync(token);
        (await ToldAsync("An API token was made for your account")).Text.ShouldContain("called \"job\"");
        var made = (await Lab.SendAsync(HttpMethod.Get, "me/tokens", token: token)).Json["items"]![0]!["id"]!.GetValue<Guid>();
        (await Lab.SendAsync(HttpMethod.Delete, $"me/tokens/{made}", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await ToldAsync("An API token of your account was removed")).Text.ShouldContain("called \"job\"");
        using var passkey = new TestPasskey();
        var added = await Lab.AddPasskeyAsync(token, passkey, "blue stick");
        added.Status.ShouldBe(HttpStatusCode.Created, added.Text);
        (await ToldAsync("A passkey was added to your account")).Text.ShouldContain("called \"blue stick\"");
        (await Lab.RemovePasskeyAsync(token, added.Json["id"]!.GetValue<Guid>())).Status.ShouldBe(HttpStatusCode.NoContent);
        (await ToldAsync("A passkey was taken off your account")).Text.ShouldContain("called \"blue stick\"");

        var app = await Lab.EnrolAsync("tom", token);
        await ToldAsync("Your second factor was set up");
        (await WithCodeAsync("codes", app, token)).Status.ShouldBe(HttpStatusCode.OK);
        await ToldAsync("Your recovery codes were replaced");
        (await WithCodeAsync("disable", app, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        await ToldAsync("Your second factor was taken off");
        var change = new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Other };
        (await Lab.SendAsync(HttpMethod.Post, "me/password", change, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        await ToldAsync("Your password was changed");
        Post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task What_an_administrator_changes_is_mailed_with_their_name()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await AddKeyAsync($"technicians/{Lab.Tom.Id}/keys", key, _with.Ann);
        var mail = await ToldAsync("An SSH key was added to your account", by: "by ANN");
        mail.Text.ShouldContain(key.PublicKey.Fingerprint);
        mail.Text.ShouldContain("Speak to ANN at once");
        var id = (await Lab.SendAsync(HttpMethod.Get, $"technicians/{Lab.Tom.Id}/keys", token: _with.Ann)).Json["items"]![0]!["id"]!.GetValue<Guid>();
        (await Lab.SendAsync(HttpMethod.Delete, $"technicians/{Lab.Tom.Id}/keys/{id}", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        await ToldAsync("An SSH key was taken off your account", by: "by ANN");
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{Lab.Tom.Id}/two-factor/reset", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        await ToldAsync("Your second factor was reset", by: "by ANN");

        // At the address before: whoever changed it is told of what comes after.
        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{Lab.Tom.Id}", new JsonObject { ["name"] = "Thomas" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{Lab.Tom.Id}", new JsonObject { ["mail"] = "mallory@example.org" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        await ToldAsync("Your mail address was changed", by: "by ANN");
        Post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task What_was_refused_or_only_prepared_is_told_to_nobody()
    {
        var token = await Lab.TokenOfAsync("tom");
        await Lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = "wrong", ["new"] = Other }, token);
        await Lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, token);
        await Lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = "000000" }, token);
        await Lab.SendAsync(HttpMethod.Patch, $"technicians/{Lab.Tom.Id}?preview=true", new JsonObject { ["mail"] = "x@example.org" }, _with.Ann);
        await Lab.AskToAddAsync(token);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await AddKeyAsync("me/keys", key, token);
        await ToldAsync("An SSH key was added to your account");
        (await Lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, token)).Status.ShouldBe(HttpStatusCode.Conflict);

        // Of what was answered, whatever there is to tell has been stored with it.
        await using var db = Lab.Get<Database>().Read(Lab.Organization);
        (await db.Set<OutgoingMail>().CountAsync(IdentityLab.Stop)).ShouldBe(1);
    }

    [Fact]
    public async Task No_secret_is_in_what_is_mailed()
    {
        var token = await Lab.TokenOfAsync("tom");
        var made = await MakeTokenAsync(token);
        var app = await Lab.EnrolAsync("tom", token);
        (await Lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Other }, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        string[] secrets = [token, made, made["cst_".Length..], IdentityLab.Password, Other, app.SecretText, .. app.RecoveryCodes];
        for (var mail = 0; mail < 3; mail++)
        {
            var said = (await Post.NextAsync()).Json.ToJsonString();
            secrets.ShouldAllBe(secret => !said.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task However_many_keys_and_tokens_came_and_went_within_the_hour_whatever_else_is_changed_is_mailed()
    {
        var token = await Lab.TokenOfAsync("tom");
        for (var time = 0; time < AccountNews.MostInAnHour; time++)
        {
            await MakeTokenAsync(token);
            await ToldAsync("An API token was made for your account");
        }

        await MakeTokenAsync(token);
        (await Lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Other }, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        await ToldAsync("Your password was changed");
        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{Lab.Tom.Id}", new JsonObject { ["mail"] = "mallory@example.org" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        await ToldAsync("Your mail address was changed", by: "by ANN");
    }

    [Fact]
    public async Task An_address_that_an_undo_puts_back_is_told_where_mails_went_before()
    {
        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{Lab.Tom.Id}", new JsonObject { ["mail"] = "thomas@example.org" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        await ToldAsync("Your mail address was changed", by: "by ANN");
        var change = (await Lab.SendAsync(HttpMethod.Get, "changes?limit=1", token: _with.Ann)).Json["items"]![0]!["id"]!.GetValue<long>();
        (await Lab.SendAsync(HttpMethod.Post, $"changes/{change}/undo", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        var mail = await Post.NextAsync();
        (mail.To, mail.Subject).ShouldBe(("thomas@example.org", "Your mail address was changed"));
    }

    [Fact]
    public async Task The_owner_and_contacts_are_told_to_do_nothing_that_nobody_can_do_for_them()
    {
        (await Lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Other }, _with.Ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        var changed = await Post.NextAsync();
        var enrolled = (await Lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = Other }, _with.Ann)).Json["uri"]!.GetValue<string>();
        (await Lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = new TestAuthenticator(enrolled, Lab.Clock).Next() }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        var factor = await Post.NextAsync();
        foreach (var mail in (ReceivedMail[])[changed, factor])
        {
            mail.To.ShouldBe("ann@example.org");
            mail.Text.ShouldContain("have those who run the server stop it");
            mail.Text.ShouldNotContain("reset-");
        }

        await _with.AddContactAsync("carl@customer.example");
        var contact = await _with.ContactTokenAsync("carl@customer.example");
        var uri = (await Lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "" }, contact)).Json["uri"]!.GetValue<string>();
        (await Lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = new TestAuthenticator(uri, Lab.Clock).Next() }, contact)).Status.ShouldBe(HttpStatusCode.OK);
        var told = await Post.NextAsync();
        (told.To, told.Subject).ShouldBe(("carl@customer.example", "Your second factor was set up"));
        told.Text.ShouldContain("have those who administer the organization disable you there");
        told.Text.ShouldNotContain("countersign ");
    }

    [Fact]
    public async Task A_passkey_that_is_the_first_second_factor_is_told_as_one()
    {
        var token = await Lab.TokenOfAsync("tom");
        using var first = new TestPasskey();
        using var second = new TestPasskey();
        (await Lab.AddPasskeyAsync(token, first, "blue stick")).Status.ShouldBe(HttpStatusCode.Created);
        var mail = await ToldAsync("A passkey was added to your account");
        mail.Text.ShouldContain("from now on you are asked for it, or for a recovery code, besides your password or key. Your other sign-ins have ended.");
        mail.Text.ShouldContain("reset-two-factor");
        (await Lab.AddPasskeyAsync(token, second, "red stick")).Status.ShouldBe(HttpStatusCode.Created);
        mail = await ToldAsync("A passkey was added to your account");
        mail.Text.ShouldNotContain("have ended");
        mail.Text.ShouldNotContain("reset-two-factor");
    }

    [Fact]
    public async Task Of_a_changed_password_it_is_told_what_has_ended_and_what_has_not()
    {
        var token = await Lab.TokenOfAsync("tom");
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await AddKeyAsync("me/keys", key, token);
        await ToldAsync("An SSH key was added to your account");
        using var password = Secret.FromText(IdentityLab.Password);
        using var byPassword = (await Lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        using var byKey = (await Lab.SshDoor.WithKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        (await Lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Other }, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (byPassword.Ended.IsCancellationRequested, byKey.Ended.IsCancellationRequested).ShouldBe((true, false));
        (await ToldAsync("Your password was changed")).Text.ShouldContain("your other sign-ins and your API tokens have ended, and so have SSH connections that the old password opened; those that a key opened go on.");
    }

    [Theory]
    [InlineData("x\". To secure your account: https://evil.example/")]
    [InlineData("see HTTPS://evil.example")]
    [InlineData("see WWW.evil.example")]
    public async Task What_a_thief_calls_a_key_or_token_stands_in_no_mail_where_it_could_pass_for_more_than_a_name(string label)
    {
        var token = await Lab.TokenOfAsync("tom");
        (await Lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = label, ["scopes"] = new JsonArray("read") }, token)).Status.ShouldBe(HttpStatusCode.Created);
        var mail = await ToldAsync("An API token was made for your account");
        mail.Text.ShouldNotContain("evil.example");
        mail.Html.ShouldNotContain("evil.example");
        mail.Text.ShouldContain("an API token was made: whoever holds it");
        foreach (var change in (AccountChange[])[AccountChange.KeyAdded(label, "F"), AccountChange.KeyRemoved(label, "F"), AccountChange.PasskeyAdded(label), AccountChange.PasskeyRemoved(label)])
            change.What.ShouldNotContain("evil.example");
    }

    [Theory]
    [InlineData("retry")]
    [InlineData("drop")]
    public async Task Whose_mail_it_was_is_in_the_log_when_it_is_tried_again_or_dropped(string verb)
    {
        await Post.AnswerNextAsync("451 later");
        await MakeTokenAsync(await Lab.TokenOfAsync("tom"));
        var id = (await Lab.SendAsync(HttpMethod.Get, "mail?state=waiting", token: _with.Ann)).Json["items"]![0]!["id"]!.GetValue<Guid>();
        (await Lab.SendAsync(verb == "retry" ? HttpMethod.Post : HttpMethod.Delete, verb == "retry" ? $"mail/{id}/retry" : $"mail/{id}", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await Lab.AuditAsync()).Single(record => record.Kind is "mail.retried" or "mail.dropped").SubjectId.ShouldBe(Lab.Tom.Id.Value);
    }

    [Fact]
    public async Task Nobody_is_mailed_of_keys_and_tokens_without_end_and_the_last_mail_within_the_hour_says_so()
    {
        var token = await Lab.TokenOfAsync("tom");
        for (var time = 0; time < AccountNews.MostInAnHour + 2; time++)
        {
            var id = (await Lab.SendAsync(HttpMethod.Post, "me/tokens", Job, token)).Json["id"]!.GetValue<Guid>();
            (await Lab.SendAsync(HttpMethod.Delete, $"me/tokens/{id}", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        }

        var mails = new List<ReceivedMail>();
        while (mails.Count < AccountNews.MostInAnHour) mails.Add(await Post.NextAsync());
        mails.Count(mail => mail.Text.Contains("is not mailed to you", StringComparison.Ordinal)).ShouldBe(1);
        Lab.Clock.Advance(TimeSpan.FromHours(1));
        await MakeTokenAsync(await Lab.TokenOfAsync("tom"));
        (await ToldAsync("An API token was made for your account")).Text.ShouldNotContain("is not mailed to you");
        Post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task An_address_that_is_given_to_and_fro_is_told_a_bounded_number_of_times_and_of_other_things_all_the_same()
    {
        for (var time = 0; time < AccountNews.MostInAnHour + 2; time++)
        {
            await EditAsync("elsewhere@example.org");
            await EditAsync("tom@example.org");
        }

        var mails = new List<ReceivedMail>();
        while (mails.Count < AccountNews.MostInAnHour) mails.Add(await Post.NextAsync());
        mails.ShouldAllBe(mail => mail.Subject == "Your mail address was changed");
        mails.Count(mail => mail.Text.Contains("another mail address in the rest of it is not mailed to you", StringComparison.Ordinal)).ShouldBe(1);
        await MakeTokenAsync(await Lab.TokenOfAsync("tom"));
        (await ToldAsync("An API token was made for your account")).Text.ShouldNotContain("is not mailed to you");

        async Task EditAsync(string mail) =>
            (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{Lab.Tom.Id}", new JsonObject { ["mail"] = mail }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("Your account is locked, see HTTPS://evil.example")]
    [InlineData("WWW.evil.example")]
    public void What_people_and_organizations_are_called_stands_in_no_mail_where_it_could_pass_for_a_link(string name)
    {
        var (at, link) = (DateTimeOffset.UnixEpoch, "https://gate.example.org/join#x");
        Letter[] letters =
        [
            Letters.Invitation(name, name, link, at),
            Letters.Registration(name, link, TimeSpan.FromMinutes(15)),
            Letters.ContactLink(name, link, TimeSpan.FromMinutes(15)),
            Letters.PasswordLink(name, name, link, TimeSpan.FromHours(24)),
            Letters.OwnershipGiven(name, name),
            Letters.OwnershipTaken(name, name),
            .. ((string?[])[null, name]).Select(by => Letters.AccountChanged(name, AccountChange.AppAdded, PersonKind.Technician, by, at, null, isLast: true)),
        ];
        foreach (var letter in letters) $"{letter.Subject}\n{string.Join('\n', letter.Paragraphs)}".ShouldNotContain("evil", Case.Insensitive, letter.Kind);
        Letters.Invitation("Acme", "Ann", link, at).Subject.ShouldBe("Join Acme on Countersign");
    }

    [Fact]
    public async Task A_mail_that_is_given_up_is_found_in_the_log_by_whom_it_was_to()
    {
        await Post.AnswerNextAsync("554 no <tom@example.org> here");
        await MakeTokenAsync(await Lab.TokenOfAsync("tom"));
        await using var db = Lab.Get<Database>().Read(Lab.Organization);
        using var looking = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(IdentityLab.Stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await db.Set<AuditRecord>().AnyAsync(record => record.Kind == "mail.failed" && record.SubjectId == Lab.Tom.Id.Value, deadline.Token))
            await looking.WaitForNextTickAsync(deadline.Token);
    }

    [Theory]
    [InlineData("\r\nBcc: everybody@example.org\r\n\r\n")]
    [InlineData("\u2028X-Evil: yes")]
    [InlineData("<b onclick=x>&")]
    public void Whatever_names_hold_they_end_no_header_and_are_no_markup(string name)
    {
        using var message = Letters.AccountChanged(name, AccountChange.KeyAdded(name, name), PersonKind.Technician, name, DateTimeOffset.UnixEpoch, IPAddress.Loopback, isLast: false)
            .ToMessage(new("gate", "gate@example.org"), "tom@example.org", Guid.NewGuid(), DateTimeOffset.UnixEpoch);
        using var wire = new MemoryStream();
        message.WriteTo(wire, IdentityLab.Stop);
        wire.Position = 0;
        using var read = MimeMessage.Load(wire, IdentityLab.Stop);
        read.Headers.Select(header => header.Field).ShouldNotContain(field => field == "Bcc" || field == "X-Evil");
        read.To.Mailboxes.Select(to => to.Address).ShouldBe(["tom@example.org"]);
        read.HtmlBody!.ShouldNotContain("<b ");
    }

    private static JsonObject Job => new() { ["label"] = "job", ["scopes"] = new JsonArray("read") };

    private async Task<ReceivedMail> ToldAsync(string subject, string by = "in your name")
    {
        var mail = await Post.NextAsync();
        (mail.To, mail.Subject).ShouldBe(("tom@example.org", subject));
        mail.Text.ShouldContain("At Acme ");
        mail.Text.ShouldContain($"It was done on {Letters.Time(Lab.Clock.GetUtcNow())} from 127.0.0.1, {by}.");
        return mail;
    }

    private async Task AddKeyAsync(string path, SshPrivateKey key, string token) =>
        (await Lab.SendAsync(HttpMethod.Post, path, new JsonObject { ["label"] = "laptop", ["key"] = key.PublicKey.ToString() }, token)).Status.ShouldBe(HttpStatusCode.Created);

    private async Task<string> MakeTokenAsync(string token) => (await Lab.SendAsync(HttpMethod.Post, "me/tokens", Job, token)).Json["token"]!.GetValue<string>();

    private Task<Answer> WithCodeAsync(string verb, TestAuthenticator app, string token) =>
        Lab.SendAsync(HttpMethod.Post, $"me/two-factor/{verb}", new JsonObject { ["password"] = IdentityLab.Password, ["code"] = app.Next() }, token);
}
