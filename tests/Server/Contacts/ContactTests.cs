using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Contacts;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Contacts;

/// <summary>People from outside: how they come in by mail, and how far.</summary>
public sealed class ContactTests : IAsyncLifetime
{
    private MailLab _with = null!;

    private IdentityLab Lab => _with.Lab;

    private MailServer Post => _with.Post;

    public async ValueTask InitializeAsync() => _with = await MailLab.StartAsync();

    public ValueTask DisposeAsync() => _with.DisposeAsync();

    [Fact]
    public async Task A_contact_signs_in_by_a_mailed_link_and_reaches_what_is_for_contacts_only()
    {
        var carl = await _with.AddContactAsync("carl@customer.example");
        var mail = await _with.LinkAsync("CARL@customer.example");
        (mail.To, mail.Subject).ShouldBe(("carl@customer.example", "Sign in to Acme"));
        mail.Text.ShouldContain("https://gate.example.org/contact#");
        var signedIn = await _with.UseAsync(mail.Token);
        signedIn.Status.ShouldBe(HttpStatusCode.OK, signedIn.Text);
        signedIn.Json["person"]!["kind"]!.GetValue<string>().ShouldBe("contact");
        var token = signedIn.Json["token"]!.GetValue<string>();
        foreach (var path in (string[])["me", "devices", "requests", "me/sign-ins", "me/keys", "ssh"])
            (await Lab.SendAsync(HttpMethod.Get, path, token: token)).Status.ShouldBe(HttpStatusCode.OK, path);
        foreach (var path in (string[])["technicians", "technician-groups", "device-groups", "roles", "grants", "sessions", "recordings", "me/tokens", "events", "permissions", "settings/organization"])
            (await Lab.SendAsync(HttpMethod.Get, path, token: token)).Status.ShouldBe(HttpStatusCode.Forbidden, path);
        (await Lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var log = await Lab.AuditAsync();
        log.Single(record => record.Kind == "sign-in.link-sent").SubjectId.ShouldBe(carl);
        log.Last(record => record.Kind == "sign-in.succeeded").Details.ShouldContain("mailed link");
    }

    [Fact]
    public async Task A_contact_sees_what_they_may_ask_for_asks_and_sees_their_own_request()
    {
        var carl = await _with.AddContactAsync("carl@customer.example");
        (await Lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = carl },
            ["scope"] = new JsonObject { ["kind"] = "device", ["id"] = Lab.Web.Id.Value },
            ["role"] = SystemRoles.RequestsAccess.Id.Value,
        }, _with.Ann)).Status.ShouldBe(HttpStatusCode.Created);
        var token = await _with.ContactTokenAsync("carl@customer.example");
        var devices = await Lab.SendAsync(HttpMethod.Get, "devices", token: token);
        devices.Json["items"]!.AsArray().Select(device => device!["name"]!.GetValue<string>()).ShouldBe(["web01"]);
        var asked = await Lab.SendAsync(HttpMethod.Post, "requests", new JsonObject
        {
            ["devices"] = new JsonArray(Lab.Web.Id.Value),
            ["time"] = new JsonObject { ["kind"] = "fromApproval", ["duration"] = "1h" },
        }, token);
        asked.Status.ShouldBe(HttpStatusCode.Created, asked.Text);
        (await Lab.SendAsync(HttpMethod.Get, "requests", token: token)).Json["items"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_link_works_once_for_a_quarter_of_an_hour_and_makes_those_beside_it_void()
    {
        await _with.AddContactAsync("carl@customer.example");
        var first = await _with.LinkAsync("carl@customer.example");
        var second = await _with.LinkAsync("carl@customer.example");
        var refused = new List<Answer> { await _with.UseAsync(new string('A', 43)), await _with.UseAsync("x") };
        var together = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _with.UseAsync(first.Token)));
        together.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        refused.AddRange(together.Where(answer => answer.Status != HttpStatusCode.OK));
        refused.Add(await _with.UseAsync(second.Token));
        var third = await _with.LinkAsync("carl@customer.example");
        Lab.Clock.Advance(ContactLinks.Life);
        refused.Add(await _with.UseAsync(third.Token));
        refused.ShouldAllBe(answer => answer.Status == HttpStatusCode.Unauthorized);
        refused.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Whoever_asks_in_a_contacts_name_takes_no_link_from_them_and_fills_no_mailbox()
    {
        await _with.AddContactAsync("carl@customer.example");
        await _with.AddContactAsync("cora@customer.example");
        var first = await _with.LinkAsync("carl@customer.example");
        for (var more = 1; more < MailedLinks.MostForSignIn; more++) await _with.LinkAsync("carl@customer.example");
        (await _with.AskAsync("carl@customer.example")).Status.ShouldBe(HttpStatusCode.Accepted);

        // What was asked for before is done before: nothing was mailed to Carl.
        (await _with.LinkAsync("cora@customer.example")).To.ShouldBe("cora@customer.example");
        (await _with.UseAsync(first.Token)).Status.ShouldBe(HttpStatusCode.OK);
        for (var more = 0; more < MailedLinks.MostForSignIn; more++) await _with.LinkAsync("carl@customer.example");
        Lab.Clock.Advance(ContactLinks.Life);
        (await _with.UseAsync((await _with.LinkAsync("carl@customer.example")).Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_link_that_can_not_be_made_ends_neither_the_making_of_links_nor_the_server()
    {
        // Where links lead is not known yet, as in the moment between the port's opening and its being told.
        await using var lab = await IdentityLab.StartAsync(mail: Post.Clear, services: services => services.AddSingleton(provider => new MailedLinks(
            provider.GetRequiredService<Outbox>(), provider.GetRequiredService<LinkBound>(), new(new() { DataDirectory = "" }), provider.GetRequiredService<Database>(), provider.GetRequiredService<TimeProvider>())));
        await lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "Carl", ["mail"] = "carl@customer.example" }, await lab.TokenOfAsync("ann"));
        using var looking = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(IdentityLab.Stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        for (var faults = 1; faults <= 2; faults++)
        {
            (await lab.SendAsync(HttpMethod.Post, "sign-in/link", new JsonObject { ["mail"] = "carl@customer.example" })).Status.ShouldBe(HttpStatusCode.Accepted);
            while (lab.Log.Lines.Count(line => line.Contains("could not be mailed a link", StringComparison.Ordinal)) < faults) await looking.WaitForNextTickAsync(deadline.Token);
        }
    }

    [Fact]
    public async Task Whether_there_is_such_a_contact_is_told_by_no_answer()
    {
        await _with.AddContactAsync("carl@customer.example");
        var answers = new List<Answer>();
        foreach (var mail in (string[])["carl@customer.example", "nobody@customer.example", "tom@example.org", "ann@example.org"]) answers.Add(await _with.AskAsync(mail));
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.Accepted && answer.Text == "");
        (await Post.NextAsync()).To.ShouldBe("carl@customer.example");

        // What was asked for before is done before: nobody else was mailed.
        await _with.LinkAsync("carl@customer.example");
        Post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task Asking_for_links_is_slowed_down_alike_for_everybody()
    {
        await _with.AddContactAsync("carl@customer.example");
        foreach (var mail in (string[])["carl@customer.example", "nobody@customer.example"])
        {
            for (var time = 0; time < 6; time++) (await _with.AskAsync(mail)).Status.ShouldBe(HttpStatusCode.Accepted);
            var slowed = await _with.AskAsync(mail);
            (slowed.Status, slowed.RetryAfter).ShouldBe((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1)));
        }
    }

    [Fact]
    public async Task Disabling_a_contact_ends_link_and_session_at_once()
    {
        var carl = await _with.AddContactAsync("carl@customer.example");
        var token = await _with.ContactTokenAsync("carl@customer.example");
        var link = await _with.LinkAsync("carl@customer.example");
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{carl}/disable", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await _with.UseAsync(link.Token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await _with.AskAsync("carl@customer.example")).Status.ShouldBe(HttpStatusCode.Accepted);
        await _with.AddContactAsync("cora@customer.example");
        (await _with.LinkAsync("cora@customer.example")).To.ShouldBe("cora@customer.example");
    }

    [Fact]
    public async Task Where_two_factors_are_required_a_contact_sets_the_second_up_and_is_asked_for_it_from_then_on()
    {
        await _with.AddContactAsync("carl@customer.example");
        Lab.Change(new SettingRow(SettingNode.Organization, SettingKind.TwoFactorRequired, "true", 1));
        var granted = (await _with.UseAsync((await _with.LinkAsync("carl@customer.example")).Token)).Json;
        granted["mustSetUpTwoFactor"]!.GetValue<bool>().ShouldBeTrue();
        var token = granted["token"]!.GetValue<string>();
        (await Lab.SendAsync(HttpMethod.Get, "devices", token: token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var app = await EnrolAsync(token);
        var wanted = await _with.UseAsync((await _with.LinkAsync("carl@customer.example")).Token);
        wanted.Status.ShouldBe(HttpStatusCode.Accepted, wanted.Text);
        var ticket = wanted.Json["ticket"]!.GetValue<string>();
        (await Lab.SendCodeAsync(ticket, "000000")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var signedIn = await Lab.SendCodeAsync(ticket, app.Next());
        signedIn.Status.ShouldBe(HttpStatusCode.OK, signedIn.Text);
        (await Lab.SendAsync(HttpMethod.Get, "me", token: signedIn.Json["token"]!.GetValue<string>())).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");
        (await Lab.AuditAsync()).Last(record => record.Kind == "sign-in.succeeded").Details.ShouldContain("mailed link and code");
    }

    [Fact]
    public async Task A_contact_s_second_factor_is_changed_just_after_signing_in_only()
    {
        await _with.AddContactAsync("carl@customer.example");
        var token = await _with.ContactTokenAsync("carl@customer.example");
        Lab.Clock.Advance(TimeSpan.FromMinutes(10));
        (await Lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "" }, token)).Errors("password").ShouldHaveSingleItem();

        token = await _with.ContactTokenAsync("carl@customer.example");
        var app = await EnrolAsync(token);
        Lab.Clock.Advance(TimeSpan.FromMinutes(10));
        foreach (var verb in (string[])["disable", "codes"])
            (await Lab.SendAsync(HttpMethod.Post, $"me/two-factor/{verb}", new JsonObject { ["password"] = "", ["code"] = app.Next() }, token)).Errors("password").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Only_those_who_manage_technicians_add_contacts_and_an_address_is_one_contact_s()
    {
        await _with.AddContactAsync("carl@customer.example");
        var tom = await Lab.TokenOfAsync("tom");
        (await Lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "X", ["mail"] = "x@example.org" }, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await Lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "X", ["mail"] = "Carl@customer.example" }, _with.Ann)).Errors("mail").ShouldHaveSingleItem();
        (await Lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "X", ["mail"] = "" }, _with.Ann)).Errors("mail").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Undoing_brings_back_nobody_whose_address_is_another_contact_s_by_now()
    {
        var carl = await _with.AddContactAsync("carl@customer.example");
        (await Lab.SendAsync(HttpMethod.Delete, $"technicians/{carl}", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        var deleted = (await Lab.SendAsync(HttpMethod.Get, "changes?limit=1", token: _with.Ann)).Json["items"]![0]!["id"]!.GetValue<long>();
        await _with.AddContactAsync("carl@customer.example");
        (await Lab.SendAsync(HttpMethod.Post, $"changes/{deleted}/undo", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Where_no_mail_is_sent_nobody_is_told_that_a_link_is_on_its_way()
    {
        await using var lab = await IdentityLab.StartAsync();
        (await lab.SendAsync(HttpMethod.Post, "sign-in/link", new JsonObject { ["mail"] = "carl@customer.example" })).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Who_asked_for_a_link_and_from_where_is_in_the_log()
    {
        await _with.AddContactAsync("carl@customer.example");
        await _with.LinkAsync("carl@customer.example");
        var record = (await Lab.AuditAsync()).Single(record => record.Kind == "sign-in.link-sent");
        (record.Source, record.Correlation.Length > 0).ShouldBe((IPAddress.Loopback, true));
    }

    [Fact]
    public async Task Links_that_are_used_are_not_counted_as_guessing()
    {
        await _with.AddContactAsync("carl@customer.example");
        for (var time = 0; time < 8; time++) (await _with.UseAsync((await _with.LinkAsync("carl@customer.example")).Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_browser_of_another_page_is_signed_in_by_nobody()
    {
        await _with.AddContactAsync("carl@customer.example");
        var mail = await _with.LinkAsync("carl@customer.example");
        var refused = await Lab.SendAsync(HttpMethod.Post, "sign-in/link/use", new JsonObject { ["token"] = mail.Token, ["as"] = "cookie" });
        refused.Status.ShouldBe(HttpStatusCode.Forbidden);
        (await _with.UseAsync(mail.Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    private async Task<TestAuthenticator> EnrolAsync(string token)
    {
        var enrolled = await Lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "" }, token);
        enrolled.Status.ShouldBe(HttpStatusCode.OK, enrolled.Text);
        var app = new TestAuthenticator(enrolled.Json["uri"]!.GetValue<string>(), Lab.Clock);
        (await Lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = app.Next() }, token)).Status.ShouldBe(HttpStatusCode.OK);
        (await _with.ToldAsync(1)).ShouldBe(["Your second factor was set up"]);
        return app;
    }

    [Fact]
    public async Task Many_contacts_behind_one_address_who_use_their_links_shut_nobody_out()
    {
        await using var with = await MailLab.StartAsync(limits: new() { PasswordIterations = 1000, FailuresPerAddress = 3 });
        string[] contacts = ["carl@customer.example", "cora@customer.example"];
        foreach (var mail in contacts) await with.AddContactAsync(mail);
        for (var round = 0; round < 8; round++) (await with.UseAsync((await with.LinkAsync(contacts[round % 2])).Token)).Status.ShouldBe(HttpStatusCode.OK, $"{round}");
        (await with.Lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }
}
