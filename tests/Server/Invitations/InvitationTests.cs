using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Invitations;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Tests;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Invitations;

/// <summary>From a mail address to somebody who has joined, by the link in a mail that a real mail server took.</summary>
public sealed class InvitationTests : IAsyncLifetime
{
    private MailLab _with = null!;

    private IdentityLab Lab => _with.Lab;

    private MailServer Post => _with.Post;

    public async ValueTask InitializeAsync() => _with = await MailLab.StartAsync();

    public ValueTask DisposeAsync() => _with.DisposeAsync();

    [Fact]
    public async Task Whoever_is_invited_is_there_at_once_joins_by_the_link_and_signs_in()
    {
        var (id, mail) = await _with.InviteAsync("eve@example.org");
        mail.To.ShouldBe("eve@example.org");
        mail.Text.ShouldContain("https://gate.example.org/join#");
        mail.Html.ShouldContain(">Join the team</a>");
        mail.Subject.ShouldBe("Join Acme on Countersign");
        var invited = Lab.Get<PolicySource>().Current(Lab.Organization)!.Person(new(id))!;
        (invited.State, invited.TakesPart, invited.Mail).ShouldBe((PersonState.Invited, false, "eve@example.org"));

        var looked = await Lab.SendAsync(HttpMethod.Post, "join/look", new JsonObject { ["token"] = mail.Token });
        (looked.Json["organization"]!.GetValue<string>(), looked.Json["mail"]!.GetValue<string>()).ShouldBe(("Acme", "eve@example.org"));
        var joined = await _with.JoinAsync(mail.Token, "eve", name: "Eve");
        joined.Status.ShouldBe(HttpStatusCode.OK, joined.Text);
        var person = Lab.Get<PolicySource>().Current(Lab.Organization)!.Person(new(id))!;
        (person.Login, person.Name, person.State, person.TakesPart).ShouldBe(("eve", "Eve", PersonState.Activated, true));
        (await Lab.SignInAsync("eve", MailLab.Chosen)).Json["mustChangePassword"]!.GetValue<bool>().ShouldBeFalse();
        var log = await Lab.AuditAsync();
        log.Single(record => record.Kind == "invitation.sent").ActorLogin.ShouldBe("ann");
        log.Single(record => record.Kind == "invitation.accepted").Actor.ShouldBe(new PersonId(id));
        log.ShouldNotContain(record => record.Details.Contains(mail.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_address_gets_a_bounded_number_of_links_in_an_hour_and_what_goes_beyond_changes_nothing_and_is_in_the_log()
    {
        await using var with = await MailLab.StartAsync(limits: new() { PasswordIterations = 1000, LinksToAnAddress = 4 });
        var (id, mail) = await with.InviteAsync("eve@example.org");
        for (var more = 0; more < 3; more++)
        {
            (await ResendAsync()).Status.ShouldBe(HttpStatusCode.OK);
            mail = await with.Post.NextAsync();
        }

        with.Lab.Clock.Advance(TimeSpan.FromMinutes(20));
        for (var more = 0; more < 2; more++)
        {
            var refused = await ResendAsync();
            (refused.Status, refused.RetryAfter).ShouldBe((HttpStatusCode.TooManyRequests, TimeSpan.FromMinutes(40)));
            refused.Json["detail"]!.GetValue<string>().ShouldBe("4 links were mailed to this address within an hour.");
        }

        var record = (await with.Lab.AuditAsync()).Single(record => record.Kind == LinkBound.Kind);
        (record.ActorLogin, record.Subject, record.Outcome).ShouldBe(("ann", "eve@example.org", AuditOutcome.Refused));
        await with.InviteAsync("zoe@example.org");
        (await with.JoinAsync(mail.Token, "eve")).Status.ShouldBe(HttpStatusCode.OK);

        // Who has joined is mailed links to choose a password instead, of which the same holds.
        (await with.Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/password/reset", token: with.Ann)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        with.Lab.Clock.Advance(TimeSpan.FromMinutes(40));
        with.Ann = await with.Lab.TokenOfAsync("ann");
        (await with.Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/password/reset", token: with.Ann)).Status.ShouldBe(HttpStatusCode.OK);

        Task<Answer> ResendAsync() => with.Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), with.Ann);
    }

    [Fact]
    public async Task An_organization_has_a_bounded_number_of_links_mailed_in_an_hour_and_adds_nobody_beyond()
    {
        await using var with = await MailLab.StartAsync(limits: new() { PasswordIterations = 1000, LinksOfAnOrganization = 2 });
        foreach (var name in (string[])["eve", "zoe"]) await with.InviteAsync($"{name}@example.org");
        var version = with.Lab.Get<PolicySource>().Current(with.Lab.Organization)!.Version;
        var refused = await with.Lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "neo@example.org" }, with.Ann);
        (refused.Status, refused.RetryAfter).ShouldBe((HttpStatusCode.TooManyRequests, TimeSpan.FromHours(1)));
        var policy = with.Lab.Get<PolicySource>().Current(with.Lab.Organization)!;
        policy.Version.ShouldBe(version);
        policy.All<PersonRow>().ShouldNotContain(person => person.Mail == "neo@example.org");
        (await with.Lab.AuditAsync()).Count(record => record.Kind == LinkBound.Kind).ShouldBe(1);

        // Contacts, who ask for links themselves, are not kept waiting by it.
        await with.AddContactAsync("carl@customer.example");
        await with.LinkAsync("carl@customer.example");
        with.Lab.Clock.Advance(TimeSpan.FromHours(1));
        with.Ann = await with.Lab.TokenOfAsync("ann");
        await with.InviteAsync("neo@example.org");
    }

    [Fact]
    public async Task A_link_works_once_also_of_many_that_come_at_once()
    {
        var (_, mail) = await _with.InviteAsync("eve@example.org");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(number => _with.JoinAsync(mail.Token, $"eve{number}x")));
        answers.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        answers.Where(answer => answer.Status != HttpStatusCode.OK).ShouldAllBe(answer => answer.Status == HttpStatusCode.NotFound);
        (await _with.JoinAsync(mail.Token, "again")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_link_that_was_sent_anew_withdrawn_or_is_too_old_is_none_and_every_one_of_those_is_the_same_answer()
    {
        var (id, first) = await _with.InviteAsync("eve@example.org");
        var resent = await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject { ["days"] = 2 }, _with.Ann);
        (resent.Status, resent.Json["state"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, "open"), resent.Text);
        var second = await Post.NextAsync();
        var refused = new List<Answer> { await _with.JoinAsync(first.Token, "eve"), await _with.JoinAsync(new string('A', 43), "eve"), await _with.JoinAsync("", "eve") };

        Lab.Clock.Advance(TimeSpan.FromDays(2));
        _with.Ann = await Lab.TokenOfAsync("ann");
        refused.Add(await _with.JoinAsync(second.Token, "eve"));
        (await ShowAsync(id)).Json["state"]!.GetValue<string>().ShouldBe("expired");
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        var third = await Post.NextAsync();
        (await Lab.SendAsync(HttpMethod.Delete, $"technicians/{id}/invitation", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await Lab.SendAsync(HttpMethod.Delete, $"technicians/{id}/invitation", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        refused.Add(await _with.JoinAsync(third.Token, "eve"));
        (await ShowAsync(id)).Json["state"]!.GetValue<string>().ShouldBe("withdrawn");
        refused.ShouldAllBe(answer => answer.Status == HttpStatusCode.NotFound);
        refused.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_link_is_void_once_its_address_is_another_or_its_person_is_out()
    {
        var (id, mail) = await _with.InviteAsync("eve@example.org");
        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{id}", new JsonObject { ["mail"] = "eva@example.org" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _with.JoinAsync(mail.Token, "eve")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        var other = await Post.NextAsync();
        other.To.ShouldBe("eva@example.org");
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/disable", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _with.JoinAsync(other.Token, "eve")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _with.Ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{id}/enable", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _with.JoinAsync(other.Token, "eve")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Lab.SendAsync(HttpMethod.Delete, $"technicians/{id}", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        await using var db = Lab.Get<Database>().Read(Lab.Organization);
        (await db.Set<Invitation>().AnyAsync(IdentityLab.Stop)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("tom", MailLab.Chosen, "login", "That login is taken.")]
    [InlineData("t0m", MailLab.Chosen, "login", "That login looks like another one here: choose one that nobody reads for it.")]
    [InlineData("Eve", MailLab.Chosen, "login", "It has 1 to 64 characters: small letters, digits, dots, underscores and hyphens; the first is a letter or digit.")]
    [InlineData("evе", MailLab.Chosen, "login", "It has 1 to 64 characters: small letters, digits, dots, underscores and hyphens; the first is a letter or digit.")]
    [InlineData("invited-0123", MailLab.Chosen, "login", "Logins that begin so are given by the server: choose another one.")]
    [InlineData("contact-0123", MailLab.Chosen, "login", "Logins that begin so are given by the server: choose another one.")]
    [InlineData("eve", "short", "password", "A password has at least 12 characters.")]
    public async Task What_can_not_be_chosen_is_told_beside_its_field_and_leaves_the_link_as_it_was(string login, string password, string field, string message)
    {
        var (_, mail) = await _with.InviteAsync("eve@example.org");
        var refused = await _with.JoinAsync(mail.Token, login, password);
        refused.Status.ShouldBe(HttpStatusCode.BadRequest);
        refused.Errors(field).ShouldHaveSingleItem().ShouldBe(message);
        (await _with.JoinAsync(mail.Token, "eve")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Only_those_who_manage_technicians_invite_resend_and_withdraw()
    {
        var (id, _) = await _with.InviteAsync("eve@example.org");
        var tom = await Lab.TokenOfAsync("tom");
        (await Lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "x@example.org" }, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post, HttpMethod.Delete])
            (await Lab.SendAsync(method, $"technicians/{id}/invitation", method == HttpMethod.Post ? new JsonObject() : null, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        Post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task Nobody_is_invited_who_has_joined_nor_the_owner()
    {
        foreach (var person in (PersonId[])[Lab.Tom.Id, Lab.Ann.Id])
            (await Lab.SendAsync(HttpMethod.Post, $"technicians/{person}/invitation", new JsonObject(), _with.Ann)).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Theory]
    [InlineData("nobody", 7, "mail")]
    [InlineData("eve@example.org\r\nBcc: x@example.org", 7, "mail")]
    [InlineData("eve@exаmple.org", 7, "mail")]
    [InlineData("eve@example.org", 0, "days")]
    [InlineData("eve@example.org", 31, "days")]
    public async Task What_is_no_address_or_no_time_is_told_beside_its_field(string mail, int days, string field) =>
        (await Lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = mail, ["days"] = days }, _with.Ann)).Errors(field).ShouldHaveSingleItem();

    [Fact]
    public async Task An_invitation_that_is_shown_beforehand_makes_nobody_and_mails_nothing()
    {
        var shown = await Lab.SendAsync(HttpMethod.Post, "invitations?preview=true", new JsonObject { ["mail"] = "eve@example.org" }, _with.Ann);
        shown.Status.ShouldBe(HttpStatusCode.OK, shown.Text);
        await _with.InviteAsync("next@example.org");
        Post.Waiting.ShouldBe(0);
        Lab.Get<PolicySource>().Current(Lab.Organization)!.All<PersonRow>().ShouldNotContain(person => person.Mail == "eve@example.org");
    }

    [Fact]
    public async Task A_server_without_a_mail_server_says_so()
    {
        await using var lab = await IdentityLab.StartAsync();
        var refused = await lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "eve@example.org" }, await lab.TokenOfAsync("ann"));
        refused.Status.ShouldBe(HttpStatusCode.Conflict);
        refused.Json["detail"]!.GetValue<string>().ShouldContain("mail server");
    }

    [Fact]
    public async Task The_page_that_the_link_opens_runs_nothing_but_its_own_script()
    {
        using var page = await Lab.Http.GetAsync(new Uri("/join", UriKind.Relative), IdentityLab.Stop);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("script-src 'sha256-");
        (await page.Content.ReadAsStringAsync(IdentityLab.Stop)).ShouldContain("/api/v1/join/look");
    }

    private Task<Answer> ShowAsync(Guid id) => Lab.SendAsync(HttpMethod.Get, $"technicians/{id}/invitation", token: _with.Ann);

    [Theory]
    [InlineData("join")]
    [InlineData("technicians")]
    [InlineData("technicians?preview=true")]
    public async Task Whoever_tries_which_logins_are_taken_is_slowed_and_logged(string path)
    {
        await using var with = await MailLab.StartAsync();
        var token = path == "join" ? (await with.InviteAsync("eve@example.org")).Mail.Token : "";
        for (var attempt = 0; attempt < 6; attempt++) (await TryAsync("tom")).Errors("login").ShouldHaveSingleItem();
        (await TryAsync("eve")).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        await with.Lab.Get<RepeatedRefusals>().FlushAsync(IdentityLab.Stop);
        var record = (await with.Lab.AuditAsync()).Single(record => record.Kind == "login.taken");
        (record.Outcome, record.Subject).ShouldBe((AuditOutcome.Refused, ""));
        with.Lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await TryAsync("eve")).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Created);

        Task<Answer> TryAsync(string login) => path == "join"
            ? with.JoinAsync(token, login)
            : with.Lab.SendAsync(HttpMethod.Post, path, new JsonObject { ["kind"] = "technician", ["login"] = login, ["name"] = "Eve" }, with.Ann);
    }
}
