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
    public async Task Whoever_lost_their_password_chooses_another_by_a_mailed_link_once_and_all_they_were_signed_in_with_ends()
    {
        var token = await _lab.TokenOfAsync("tom");
        using var password = Secret.FromText(IdentityLab.Password);
        using var connection = (await _lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var sent = await SendAsync(_lab.Tom);
        (sent.Status, sent.Json["mail"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, "tom@example.org"));
        var mail = await _post.NextAsync();
        (mail.To, mail.Subject).ShouldBe(("tom@example.org", "Choose a new password"));
        mail.Text.ShouldContain("ANN has a link sent to you");
        mail.Text.ShouldContain("https://gate.example.org/new-password#");

        // Asking for it ends nothing, and takes the old password from nobody.
        (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChooseAsync(mail, "short")).Errors("password").ShouldHaveSingleItem();
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await _lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await _lab.SignInAsync("tom", Password)).Json["mustChangePassword"]!.GetValue<bool>().ShouldBeFalse();
        (await _post.NextAsync()).Subject.ShouldBe("Your password was replaced");
        var records = (await _lab.AuditAsync()).Where(record => record.Kind.StartsWith("password.", StringComparison.Ordinal)).ToList();
        records.Select(record => (record.Kind, record.Actor, record.SubjectId)).ShouldBe([("password.link-sent", _lab.Ann.Id, _lab.Tom.Id.Value), ("password.replaced", _lab.Tom.Id, _lab.Tom.Id.Value)]);
        records.ShouldAllBe(record => !record.Details.Contains(mail.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_factor_is_wanted_as_before()
    {
        var app = await _lab.EnrolAsync("tom");
        await SendAsync(_lab.Tom);
        (await ChooseAsync(await _post.NextAsync())).Status.ShouldBe(HttpStatusCode.NoContent);
        var first = await _lab.SignInAsync("tom", Password);
        first.Status.ShouldBe(HttpStatusCode.Accepted);
        (await _lab.SendCodeAsync(first.Json["ticket"]!.GetValue<string>(), app.Next())).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Whose_deletion_was_undone_gets_a_password_again()
    {
        (await _lab.SendAsync(HttpMethod.Delete, $"technicians/{_lab.Tom.Id}", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        var change = (await _lab.SendAsync(HttpMethod.Get, "changes?limit=1", token: _ann)).Json["items"]![0]!["id"]!.GetValue<long>();
        (await _lab.SendAsync(HttpMethod.Post, $"changes/{change}/undo", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await _lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        await SendAsync(_lab.Tom);
        (await ChooseAsync(await _post.NextAsync())).Status.ShouldBe(HttpStatusCode.NoContent);
        (await _lab.SignInAsync("tom", Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_link_for_a_password_is_void_once_another_is_sent_the_address_changes_or_the_person_is_disabled()
    {
        await SendAsync(_lab.Tom);
        var first = await _post.NextAsync();
        await SendAsync(_lab.Tom);
        var second = await _post.NextAsync();
        (await ChooseAsync(first)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SendAsync(HttpMethod.Patch, $"technicians/{_lab.Tom.Id}", new JsonObject { ["mail"] = "thomas@example.org" }, _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChooseAsync(second)).Status.ShouldBe(HttpStatusCode.NotFound);
        await SendAsync(_lab.Tom);
        var third = await _post.NextAsync();
        third.To.ShouldBe("thomas@example.org");
        foreach (var verb in (string[])["disable", "enable"]) (await _lab.SendAsync(HttpMethod.Post, $"technicians/{_lab.Tom.Id}/{verb}", token: _ann)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChooseAsync(third)).Status.ShouldBe(HttpStatusCode.NotFound);
        await SendAsync(_lab.Tom);
        var fourth = await _post.NextAsync();
        _lab.Clock.Advance(TimeSpan.FromHours(24));
        (await ChooseAsync(fourth)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_link_is_good_for_what_it_was_sent_for_and_from_where_people_may_sign_in()
    {
        var invited = await _lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "eve@example.org" }, _ann);
        invited.Status.ShouldBe(HttpStatusCode.Created);
        (await ChooseAsync(await _post.NextAsync())).Status.ShouldBe(HttpStatusCode.NotFound);
        await SendAsync(_lab.Tom);
        var mail = await _post.NextAsync();
        (await _lab.SendAsync(HttpMethod.Post, "join", new JsonObject { ["token"] = mail.Token, ["login"] = "tim", ["password"] = Password })).Status.ShouldBe(HttpStatusCode.NotFound);
        _lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24", 1));
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NotFound);
        _lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, "127.0.0.0/8", 1));
        (await ChooseAsync(mail)).Status.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Nobody_has_a_link_sent_to_the_owner_to_themselves_to_who_is_not_in_or_without_the_right_to()
    {
        var tom = await _lab.TokenOfAsync("tom");
        (await SendAsync(_lab.Kim, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = _lab.Tom.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, _ann)).Status.ShouldBe(HttpStatusCode.Created);
        (await SendAsync(_lab.Ann, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var (person, token) in ((PersonRow, string)[])[(_lab.Ann, _ann), (_lab.Tom, tom)]) (await SendAsync(person, token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        foreach (var person in (PersonRow[])[_lab.Dora, _lab.Ida]) (await SendAsync(person)).Status.ShouldBe(HttpStatusCode.Conflict);
        var carl = await _lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "Carl", ["mail"] = "carl@customer.example" }, _ann);
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{carl.Json["id"]!.GetValue<Guid>()}/password/reset", token: _ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await SendAsync(_lab.Kim, tom)).Status.ShouldBe(HttpStatusCode.OK);
        (await _post.NextAsync()).To.ShouldBe("kim@example.org");
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task The_page_that_the_link_opens_runs_nothing_but_its_own_script()
    {
        using var page = await _lab.Http.GetAsync(new Uri("/new-password", UriKind.Relative), IdentityLab.Stop);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldContain("script-src 'sha256-");
        (await page.Content.ReadAsStringAsync(IdentityLab.Stop)).ShouldContain("/api/v1/new-password");
    }

    private Task<Answer> SendAsync(PersonRow person, string? token = null) => _lab.SendAsync(HttpMethod.Post, $"technicians/{person.Id}/password/reset", token: token ?? _ann);

    private Task<Answer> ChooseAsync(ReceivedMail mail, string password = Password) =>
        _lab.SendAsync(HttpMethod.Post, "new-password", new JsonObject { ["token"] = mail.Token, ["password"] = password });
}
