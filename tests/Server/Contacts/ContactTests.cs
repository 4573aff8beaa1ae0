using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Contacts;
using Countersign.Server.Tests.Identity;
using Countersign.Tests;

namespace Countersign.Server.Tests.Contacts;

/// <summary>People from outside: how they come in by mail, and how far.</summary>
public sealed class ContactTests : IAsyncLifetime
{
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
    public async Task A_contact_signs_in_by_a_mailed_link_and_reaches_what_is_for_contacts_only()
    {
        var carl = await AddAsync("carl@customer.example");
        var mail = await LinkAsync("CARL@customer.example");
        (mail.To, mail.Subject).ShouldBe(("carl@customer.example", "Sign in to Acme"));
        mail.Text.ShouldContain("https://gate.example.org/contact#");
        var signedIn = await UseAsync(mail.Token);
        signedIn.Status.ShouldBe(HttpStatusCode.OK, signedIn.Text);
        signedIn.Json["person"]!["kind"]!.GetValue<string>().ShouldBe("contact");
        var token = signedIn.Json["token"]!.GetValue<string>();
        foreach (var path in (string[])["me", "devices", "requests", "me/sign-ins", "me/keys", "ssh"])
            (await _lab.SendAsync(HttpMethod.Get, path, token: token)).Status.ShouldBe(HttpStatusCode.OK, path);
        foreach (var path in (string[])["technicians", "technician-groups", "device-groups", "roles", "grants", "sessions", "recordings", "me/tokens", "events", "permissions", "settings/organization"])
            (await _lab.SendAsync(HttpMethod.Get, path, token: token)).Status.ShouldBe(HttpStatusCode.Forbidden, path);
        (await _lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var log = await _lab.AuditAsync();
        log.Single(record => record.Kind == "sign-in.link-sent").SubjectId.ShouldBe(carl);
        log.Last(record => record.Kind == "sign-in.succeeded").Details.ShouldContain("mailed link");
    }

    [Fact]
    public async Task A_contact_sees_what_they_may_ask_for_asks_and_sees_their_own_request()
    {
        var carl = await AddAsync("carl@customer.example");
        (await _lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = carl },
            ["scope"] = new JsonObject { ["kind"] = "device", ["id"] = _lab.Web.Id.Value },
            ["role"] = SystemRoles.RequestsAccess.Id.Value,
        }, _ann)).Status.ShouldBe(HttpStatusCode.Created);
        var token = (await UseAsync((await LinkAsync("carl@customer.example")).Token)).Json["token"]!.GetValue<string>();
        var devices = await _lab.SendAsync(HttpMethod.Get, "devices", token: token);
        devices.Json["items"]!.AsArray().Select(device => device!["name"]!.GetValue<string>()).ShouldBe(["web01"]);
        var asked = await _lab.SendAsync(HttpMethod.Post, "requests", new JsonObject
        {
            ["devices"] = new JsonArray(_lab.Web.Id.Value),
            ["time"] = new JsonObject { ["kind"] = "fromApproval", ["duration"] = "1h" },
        }, token);
        asked.Status.ShouldBe(HttpStatusCode.Created, asked.Text);
        (await _lab.SendAsync(HttpMethod.Get, "requests", token: token)).Json["items"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_link_works_once_for_a_quarter_of_an_hour_and_a_new_one_takes_its_place()
    {
        await AddAsync("carl@customer.example");
        var first = await LinkAsync("carl@customer.example");
        var second = await LinkAsync("carl@customer.example");
        var refused = new List<Answer> { await UseAsync(first.Token), await UseAsync(new string('A', 43)), await UseAsync("x") };
        var together = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => UseAsync(second.Token)));
        together.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        refused.AddRange(together.Where(answer => answer.Status != HttpStatusCode.OK));
        var third = await LinkAsync("carl@customer.example");
        _lab.Clock.Advance(ContactLinks.Life);
        refused.Add(await UseAsync(third.Token));
        refused.ShouldAllBe(answer => answer.Status == HttpStatusCode.Unauthorized);
        refused.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Whether_there_is_such_a_contact_is_told_by_no_answer()
    {
        await AddAsync("carl@customer.example");
        var answers = new List<Answer>();
        foreach (var mail in (string[])["carl@customer.example", "nobody@customer.example", "tom@example.org", "ann@example.org"]) answers.Add(await AskAsync(mail));
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.Accepted && answer.Text == "");
        (await _post.NextAsync()).To.ShouldBe("carl@customer.example");

        // What was asked for before is done before: nobody else was mailed.
        await LinkAsync("carl@customer.example");
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task Asking_for_links_is_slowed_down_alike_for_everybody()
    {
        await AddAsync("carl@customer.example");
        foreach (var mail in (string[])["carl@customer.example", "nobody@customer.example"])
        {
            for (var time = 0; time < 6; time++) (await AskAsync(mail)).Status.ShouldBe(HttpStatusCode.Accepted);
            var slowed = await AskAsync(mail);
            (slowed.Status, slowed.RetryAfter).ShouldBe((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1)));
        }
    }

    [Fact]
    public async Task Disabling_a_contact_ends_link_and_session_at_once()
    {
        var carl = await AddAsync("carl@customer.example");
        var token = (await UseAsync((await LinkAsync("carl@customer.example")).Token)).Json["token"]!.GetValue<string>();
        var link = await LinkAsync("carl@customer.example");
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{carl}/disable", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await UseAsync(link.Token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await AskAsync("carl@customer.example")).Status.ShouldBe(HttpStatusCode.Accepted);
        await AddAsync("cora@customer.example");
        (await LinkAsync("cora@customer.example")).To.ShouldBe("cora@customer.example");
    }

    [Fact]
    public async Task Where_two_factors_are_required_a_contact_sets_the_second_up_and_is_asked_for_it_from_then_on()
    {
        await AddAsync("carl@customer.example");
        var token = (await UseAsync((await LinkAsync("carl@customer.example")).Token)).Json["token"]!.GetValue<string>();
        var app = await EnrolAsync(token);
        var wanted = await UseAsync((await LinkAsync("carl@customer.example")).Token);
        wanted.Status.ShouldBe(HttpStatusCode.Accepted, wanted.Text);
        var ticket = wanted.Json["ticket"]!.GetValue<string>();
        (await _lab.SendCodeAsync(ticket, "000000")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var signedIn = await _lab.SendCodeAsync(ticket, app.Next());
        signedIn.Status.ShouldBe(HttpStatusCode.OK, signedIn.Text);
        (await _lab.SendAsync(HttpMethod.Get, "me", token: signedIn.Json["token"]!.GetValue<string>())).Json["signIn"]!.GetValue<string>().ShouldBe("twoFactor");
        (await _lab.AuditAsync()).Last(record => record.Kind == "sign-in.succeeded").Details.ShouldContain("mailed link and code");
    }

    [Fact]
    public async Task A_contact_s_second_factor_is_changed_just_after_signing_in_only()
    {
        await AddAsync("carl@customer.example");
        var token = (await UseAsync((await LinkAsync("carl@customer.example")).Token)).Json["token"]!.GetValue<string>();
        _lab.Clock.Advance(TimeSpan.FromMinutes(10));
        (await _lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "" }, token)).Errors("password").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Only_those_who_manage_technicians_add_contacts_and_an_address_is_one_contact_s()
    {
        await AddAsync("carl@customer.example");
        var tom = await _lab.TokenOfAsync("tom");
        (await _lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "X", ["mail"] = "x@example.org" }, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await _lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "X", ["mail"] = "Carl@customer.example" }, _ann)).Errors("mail").ShouldHaveSingleItem();
        (await _lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "X", ["mail"] = "" }, _ann)).Errors("mail").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Undoing_brings_back_nobody_whose_address_is_another_contact_s_by_now()
    {
        var carl = await AddAsync("carl@customer.example");
        (await _lab.SendAsync(HttpMethod.Delete, $"technicians/{carl}", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        var deleted = (await _lab.SendAsync(HttpMethod.Get, "changes?limit=1", token: _ann)).Json["items"]![0]!["id"]!.GetValue<long>();
        await AddAsync("carl@customer.example");
        (await _lab.SendAsync(HttpMethod.Post, $"changes/{deleted}/undo", token: _ann)).Status.ShouldBe(HttpStatusCode.Conflict);
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
        await AddAsync("carl@customer.example");
        await LinkAsync("carl@customer.example");
        var record = (await _lab.AuditAsync()).Single(record => record.Kind == "sign-in.link-sent");
        (record.Source, record.Correlation.Length > 0).ShouldBe((IPAddress.Loopback, true));
    }

    [Fact]
    public async Task Links_that_are_used_are_not_counted_as_guessing()
    {
        await AddAsync("carl@customer.example");
        for (var time = 0; time < 8; time++) (await UseAsync((await LinkAsync("carl@customer.example")).Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_browser_of_another_page_is_signed_in_by_nobody()
    {
        await AddAsync("carl@customer.example");
        var mail = await LinkAsync("carl@customer.example");
        var refused = await _lab.SendAsync(HttpMethod.Post, "sign-in/link/use", new JsonObject { ["token"] = mail.Token, ["as"] = "cookie" });
        refused.Status.ShouldBe(HttpStatusCode.Forbidden);
        (await UseAsync(mail.Token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    private async Task<Guid> AddAsync(string mail)
    {
        var added = await _lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "Carl", ["mail"] = mail }, _ann);
        added.Status.ShouldBe(HttpStatusCode.Created, added.Text);
        return added.Json["id"]!.GetValue<Guid>();
    }

    private Task<Answer> AskAsync(string mail) => _lab.SendAsync(HttpMethod.Post, "sign-in/link", new JsonObject { ["mail"] = mail });

    private async Task<ReceivedMail> LinkAsync(string mail)
    {
        (await AskAsync(mail)).Status.ShouldBe(HttpStatusCode.Accepted);
        return await _post.NextAsync();
    }

    private Task<Answer> UseAsync(string token) => _lab.SendAsync(HttpMethod.Post, "sign-in/link/use", new JsonObject { ["token"] = token });

    private async Task<TestAuthenticator> EnrolAsync(string token)
    {
        var enrolled = await _lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "" }, token);
        enrolled.Status.ShouldBe(HttpStatusCode.OK, enrolled.Text);
        var app = new TestAuthenticator(enrolled.Json["uri"]!.GetValue<string>(), _lab.Clock);
        (await _lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = app.Next() }, token)).Status.ShouldBe(HttpStatusCode.OK);
        return app;
    }
}
