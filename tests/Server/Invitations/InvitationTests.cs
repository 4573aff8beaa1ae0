using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Invitations;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Tests;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Invitations;

/// <summary>From a mail address to somebody who has joined, by the link in a mail that a real mail server took.</summary>
public sealed class InvitationTests : IAsyncLifetime
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
    public async Task Whoever_is_invited_is_there_at_once_joins_by_the_link_and_signs_in()
    {
        var (id, mail) = await InviteAsync("eve@example.org");
        mail.To.ShouldBe("eve@example.org");
        mail.Text.ShouldContain("https://gate.example.org/join#");
        mail.Html.ShouldContain(">Join the team</a>");
        mail.Subject.ShouldBe("Join Acme on Countersign");
        var invited = _lab.Get<PolicySource>().Current(_lab.Organization)!.Person(new(id))!;
        (invited.State, invited.TakesPart, invited.Mail).ShouldBe((PersonState.Invited, false, "eve@example.org"));

        var looked = await _lab.SendAsync(HttpMethod.Post, "join/look", new JsonObject { ["token"] = mail.Token });
        (looked.Json["organization"]!.GetValue<string>(), looked.Json["mail"]!.GetValue<string>()).ShouldBe(("Acme", "eve@example.org"));
        var joined = await JoinAsync(mail.Token, "eve", name: "Eve");
        joined.Status.ShouldBe(HttpStatusCode.OK, joined.Text);
        var person = _lab.Get<PolicySource>().Current(_lab.Organization)!.Person(new(id))!;
        (person.Login, person.Name, person.State, person.TakesPart).ShouldBe(("eve", "Eve", PersonState.Activated, true));
        (await _lab.SignInAsync("eve", Password)).Json["mustChangePassword"]!.GetValue<bool>().ShouldBeFalse();
        var log = await _lab.AuditAsync();
        log.Single(record => record.Kind == "invitation.sent").ActorLogin.ShouldBe("ann");
        log.Single(record => record.Kind == "invitation.accepted").Actor.ShouldBe(new PersonId(id));
        log.ShouldNotContain(record => record.Details.Contains(mail.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_link_works_once_also_of_many_that_come_at_once()
    {
        var (_, mail) = await InviteAsync("eve@example.org");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(number => JoinAsync(mail.Token, $"eve{number}x")));
        answers.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        answers.Where(answer => answer.Status != HttpStatusCode.OK).ShouldAllBe(answer => answer.Status == HttpStatusCode.NotFound);
        (await JoinAsync(mail.Token, "again")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_link_that_was_sent_anew_withdrawn_or_is_too_old_is_none_and_every_one_of_those_is_the_same_answer()
    {
        var (id, first) = await InviteAsync("eve@example.org");
        var resent = await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject { ["days"] = 2 }, _ann);
        (resent.Status, resent.Json["state"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, "open"), resent.Text);
        var second = await _post.NextAsync();
        var refused = new List<Answer> { await JoinAsync(first.Token, "eve"), await JoinAsync(new string('A', 43), "eve"), await JoinAsync("", "eve") };

        _lab.Clock.Advance(TimeSpan.FromDays(2));
        _ann = await _lab.TokenOfAsync("ann");
        refused.Add(await JoinAsync(second.Token, "eve"));
        (await ShowAsync(id)).Json["state"]!.GetValue<string>().ShouldBe("expired");
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _ann)).Status.ShouldBe(HttpStatusCode.OK);
        var third = await _post.NextAsync();
        (await _lab.SendAsync(HttpMethod.Delete, $"technicians/{id}/invitation", token: _ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await _lab.SendAsync(HttpMethod.Delete, $"technicians/{id}/invitation", token: _ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        refused.Add(await JoinAsync(third.Token, "eve"));
        (await ShowAsync(id)).Json["state"]!.GetValue<string>().ShouldBe("withdrawn");
        refused.ShouldAllBe(answer => answer.Status == HttpStatusCode.NotFound);
        refused.Select(answer => answer.Body).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_link_is_void_once_its_address_is_another_or_its_person_is_out()
    {
        var (id, mail) = await InviteAsync("eve@example.org");
        (await _lab.SendAsync(HttpMethod.Patch, $"technicians/{id}", new JsonObject { ["mail"] = "eva@example.org" }, _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await JoinAsync(mail.Token, "eve")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _ann)).Status.ShouldBe(HttpStatusCode.OK);
        var other = await _post.NextAsync();
        other.To.ShouldBe("eva@example.org");
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/disable", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await JoinAsync(other.Token, "eve")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/invitation", new JsonObject(), _ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{id}/enable", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await JoinAsync(other.Token, "eve")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SendAsync(HttpMethod.Delete, $"technicians/{id}", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        await using var db = _lab.Get<Database>().Read(_lab.Organization);
        (await db.Set<Invitation>().AnyAsync(IdentityLab.Stop)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("tom", Password, "login", "That login is taken.")]
    [InlineData("t0m", Password, "login", "That login looks like another one here: choose one that nobody reads for it.")]
    [InlineData("Eve", Password, "login", null)]
    [InlineData("evе", Password, "login", null)]
    [InlineData("eve", "short", "password", null)]
    public async Task What_can_not_be_chosen_is_told_beside_its_field_and_leaves_the_link_as_it_was(string login, string password, string field, string? message)
    {
        var (_, mail) = await InviteAsync("eve@example.org");
        var refused = await JoinAsync(mail.Token, login, password);
        refused.Status.ShouldBe(HttpStatusCode.BadRequest);
        refused.Errors(field).ShouldHaveSingleItem().ShouldBe(message ?? refused.Errors(field)[0]);
        (await JoinAsync(mail.Token, "eve")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Only_those_who_manage_technicians_invite_resend_and_withdraw()
    {
        var (id, _) = await InviteAsync("eve@example.org");
        var tom = await _lab.TokenOfAsync("tom");
        (await _lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "x@example.org" }, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post, HttpMethod.Delete])
            (await _lab.SendAsync(method, $"technicians/{id}/invitation", method == HttpMethod.Post ? new JsonObject() : null, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task Nobody_is_invited_who_has_joined_nor_the_owner()
    {
        foreach (var person in (PersonId[])[_lab.Tom.Id, _lab.Ann.Id])
            (await _lab.SendAsync(HttpMethod.Post, $"technicians/{person}/invitation", new JsonObject(), _ann)).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Theory]
    [InlineData("nobody", 7, "mail")]
    [InlineData("eve@example.org\r\nBcc: x@example.org", 7, "mail")]
    [InlineData("eve@exаmple.org", 7, "mail")]
    [InlineData("eve@example.org", 0, "days")]
    [InlineData("eve@example.org", 31, "days")]
    public async Task What_is_no_address_or_no_time_is_told_beside_its_field(string mail, int days, string field) =>
        (await _lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = mail, ["days"] = days }, _ann)).Errors(field).ShouldHaveSingleItem();

    [Fact]
    public async Task An_invitation_that_is_shown_beforehand_makes_nobody_and_mails_nothing()
    {
        var shown = await _lab.SendAsync(HttpMethod.Post, "invitations?preview=true", new JsonObject { ["mail"] = "eve@example.org" }, _ann);
        shown.Status.ShouldBe(HttpStatusCode.OK, shown.Text);
        await InviteAsync("next@example.org");
        _post.Waiting.ShouldBe(0);
        _lab.Get<PolicySource>().Current(_lab.Organization)!.All<PersonRow>().ShouldNotContain(person => person.Mail == "eve@example.org");
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
        using var page = await _lab.Http.GetAsync(new Uri("/join", UriKind.Relative), IdentityLab.Stop);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("script-src 'sha256-");
        (await page.Content.ReadAsStringAsync(IdentityLab.Stop)).ShouldContain("/api/v1/join/look");
    }

    private async Task<(Guid Id, ReceivedMail Mail)> InviteAsync(string mail)
    {
        var invited = await _lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = mail }, _ann);
        invited.Status.ShouldBe(HttpStatusCode.Created, invited.Text);
        return (invited.Json["id"]!.GetValue<Guid>(), await _post.NextAsync());
    }

    private Task<Answer> ShowAsync(Guid id) => _lab.SendAsync(HttpMethod.Get, $"technicians/{id}/invitation", token: _ann);

    private Task<Answer> JoinAsync(string token, string login, string password = Password, string? name = null)
    {
        var body = new JsonObject { ["token"] = token, ["login"] = login, ["password"] = password };
        if (name is not null) body["name"] = name;
        return _lab.SendAsync(HttpMethod.Post, "join", body);
    }
}
