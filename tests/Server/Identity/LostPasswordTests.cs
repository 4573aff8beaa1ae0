using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Ssh;
using Countersign.Tests;

namespace Countersign.Server.Tests.Identity;

/// <summary>A password that is lost, or gone with its person: another one by a mailed link.</summary>
public sealed class LostPasswordTests : IAsyncLifetime
{
    private MailLab _with = null!;

    private IdentityLab Lab => _with.Lab;

    private MailServer Post => _with.Post;

    public async ValueTask InitializeAsync() => _with = await MailLab.StartAsync();

    public ValueTask DisposeAsync() => _with.DisposeAsync();

    [Fact]
    public async Task Whoever_lost_their_password_chooses_another_by_a_mailed_link_once_and_all_they_were_signed_in_with_ends()
    {
        var token = await Lab.TokenOfAsync("tom");
        using var password = Secret.FromText(IdentityLab.Password);
        using var connection = (await Lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var sent = await SendAsync(Lab.Tom);
        (sent.Status, sent.Json["mail"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, "tom@example.org"));
        var mail = await Post.NextAsync();
        (mail.To, mail.Subject).ShouldBe(("tom@example.org", "Choose a new password"));
        mail.Text.ShouldContain("ANN has a link sent to you");
        mail.Text.ShouldContain("https://gate.example.org/new-password#");

        // Asking for it ends nothing, and takes the old password from nobody.
        (await Lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChooseAsync(mail, "short")).Errors("password").ShouldHaveSingleItem();
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await Lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await Lab.SignInAsync("tom", MailLab.Chosen)).Json["mustChangePassword"]!.GetValue<bool>().ShouldBeFalse();
        (await Post.NextAsync()).Subject.ShouldBe("Your password was replaced");
        var records = (await Lab.AuditAsync()).Where(record => record.Kind.StartsWith("password.", StringComparison.Ordinal)).ToList();
        records.Select(record => (record.Kind, record.Actor, record.SubjectId)).ShouldBe([("password.link-sent", Lab.Ann.Id, Lab.Tom.Id.Value), ("password.replaced", Lab.Tom.Id, Lab.Tom.Id.Value)]);
        records.ShouldAllBe(record => !record.Details.Contains(mail.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_factor_is_wanted_as_before()
    {
        var app = await Lab.EnrolAsync("tom");
        (await Post.NextAsync()).Subject.ShouldBe("Your second factor was set up");
        await SendAsync(Lab.Tom);
        (await ChooseAsync(await Post.NextAsync())).Status.ShouldBe(HttpStatusCode.NoContent);
        var first = await Lab.SignInAsync("tom", MailLab.Chosen);
        first.Status.ShouldBe(HttpStatusCode.Accepted);
        (await Lab.SendCodeAsync(first.Json["ticket"]!.GetValue<string>(), app.Next())).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Whose_deletion_was_undone_gets_a_password_again()
    {
        (await Lab.SendAsync(HttpMethod.Delete, $"technicians/{Lab.Tom.Id}", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        var change = (await Lab.SendAsync(HttpMethod.Get, "changes?limit=1", token: _with.Ann)).Json["items"]![0]!["id"]!.GetValue<long>();
        (await Lab.SendAsync(HttpMethod.Post, $"changes/{change}/undo", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await Lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        await SendAsync(Lab.Tom);
        (await ChooseAsync(await Post.NextAsync())).Status.ShouldBe(HttpStatusCode.NoContent);
        (await Lab.SignInAsync("tom", MailLab.Chosen)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_link_for_a_password_is_void_once_another_is_sent_the_address_changes_or_the_person_is_disabled()
    {
        await SendAsync(Lab.Tom);
        var first = await Post.NextAsync();
        await SendAsync(Lab.Tom);
        var second = await Post.NextAsync();
        (await ChooseAsync(first)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Lab.SendAsync(HttpMethod.Patch, $"technicians/{Lab.Tom.Id}", new JsonObject { ["mail"] = "thomas@example.org" }, _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChooseAsync(second)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Post.NextAsync()).To.ShouldBe("tom@example.org");
        await SendAsync(Lab.Tom);
        var third = await Post.NextAsync();
        third.To.ShouldBe("thomas@example.org");
        foreach (var verb in (string[])["disable", "enable"]) (await Lab.SendAsync(HttpMethod.Post, $"technicians/{Lab.Tom.Id}/{verb}", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChooseAsync(third)).Status.ShouldBe(HttpStatusCode.NotFound);
        await SendAsync(Lab.Tom);
        var fourth = await Post.NextAsync();
        Lab.Clock.Advance(TimeSpan.FromHours(24));
        (await ChooseAsync(fourth)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_link_is_good_for_what_it_was_sent_for_and_from_where_people_may_sign_in()
    {
        (await ChooseAsync((await _with.InviteAsync("eve@example.org")).Mail)).Status.ShouldBe(HttpStatusCode.NotFound);
        await SendAsync(Lab.Tom);
        var mail = await Post.NextAsync();
        (await _with.JoinAsync(mail.Token, "tim")).Status.ShouldBe(HttpStatusCode.NotFound);
        Lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24", 1));
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NotFound);
        Lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "127.0.0.0/8", 1));
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Nobody_has_a_link_sent_to_the_owner_to_themselves_to_who_is_not_in_or_without_the_right_to()
    {
        var tom = await Lab.TokenOfAsync("tom");
        (await SendAsync(Lab.Kim, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await Lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = Lab.Tom.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, _with.Ann)).Status.ShouldBe(HttpStatusCode.Created);
        (await SendAsync(Lab.Ann, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var (person, token) in ((PersonRow, string)[])[(Lab.Ann, _with.Ann), (Lab.Tom, tom)]) (await SendAsync(person, token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var person in (PersonRow[])[Lab.Dora, Lab.Ida]) (await SendAsync(person)).Status.ShouldBe(HttpStatusCode.Conflict);
        var carl = await _with.AddContactAsync("carl@customer.example");
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{carl}/password/reset", token: _with.Ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await SendAsync(Lab.Kim, tom)).Status.ShouldBe(HttpStatusCode.OK);
        (await Post.NextAsync()).To.ShouldBe("kim@example.org");
        Post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task The_page_that_the_link_opens_runs_nothing_but_its_own_script()
    {
        using var page = await Lab.Http.GetAsync(new Uri("/new-password", UriKind.Relative), IdentityLab.Stop);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("script-src 'sha256-");
        (await page.Content.ReadAsStringAsync(IdentityLab.Stop)).ShouldContain("/api/v1/new-password");
    }

    private Task<Answer> SendAsync(PersonRow person, string? token = null) => Lab.SendAsync(HttpMethod.Post, $"technicians/{person.Id}/password/reset", token: token ?? _with.Ann);

    private Task<Answer> ChooseAsync(ReceivedMail mail, string password = MailLab.Chosen) =>
        Lab.SendAsync(HttpMethod.Post, "new-password", new JsonObject { ["token"] = mail.Token, ["password"] = password });
}
