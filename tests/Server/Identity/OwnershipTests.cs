using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Tests;

namespace Countersign.Server.Tests.Identity;

/// <summary>The owner's record, and how it becomes somebody else's.</summary>
public sealed class OwnershipTests : IAsyncLifetime
{
    private MailServer _post = null!;
    private IdentityLab _lab = null!;

    public async ValueTask InitializeAsync()
    {
        _post = await MailServer.StartAsync();
        _lab = await IdentityLab.StartAsync(mail: _post.Clear);
    }

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        await _post.DisposeAsync();
    }

    [Fact]
    public async Task The_owner_hands_over_in_one_step_which_is_logged_and_told_to_both()
    {
        var ann = await _lab.TokenOfAsync("ann");
        var given = await HandOverAsync(_lab.Tom.Id, ann, IdentityLab.Password);
        (given.Status, given.Json["kind"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, "owner"), given.Text);
        var policy = Policy;
        (policy.Person(_lab.Tom.Id)!.Kind, policy.Person(_lab.Ann.Id)!.Kind).ShouldBe((PersonKind.Owner, PersonKind.Technician));
        var mails = new[] { await _post.NextAsync(), await _post.NextAsync() };
        mails.Select(mail => mail.To).Order().ShouldBe(["ann@example.org", "tom@example.org"]);
        var record = (await _lab.AuditAsync()).Single(record => record.Kind == "ownership.handed-over");
        (record.ActorLogin, record.SubjectId).ShouldBe(("ann", _lab.Tom.Id.Value));

        // Whoever gave it away has nothing of it left, and can't take it back by undoing.
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{_lab.Kim.Id}/disable", token: ann)).Status.ShouldNotBe(HttpStatusCode.OK);
        (await HandOverAsync(_lab.Ann.Id, ann, IdentityLab.Password)).Status.ShouldNotBe(HttpStatusCode.OK);
        var tom = await _lab.TokenOfAsync("tom");
        (await _lab.SendAsync(HttpMethod.Post, $"changes/{policy.Version}/undo", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await HandOverAsync(_lab.Ann.Id, tom, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task It_takes_the_password_and_where_there_is_one_a_code()
    {
        var app = await _lab.EnrolAsync("ann");
        var ann = (await _lab.SignInAsync("ann", app)).Json["token"]!.GetValue<string>();
        (await HandOverAsync(_lab.Tom.Id, ann, "not-the-password-12")).Errors("password").ShouldHaveSingleItem();
        (await HandOverAsync(_lab.Tom.Id, ann, IdentityLab.Password)).Errors("code").ShouldHaveSingleItem();
        (await HandOverAsync(_lab.Tom.Id, ann, IdentityLab.Password, "000000")).Errors("code").ShouldHaveSingleItem();
        Policy.Person(_lab.Ann.Id)!.Kind.ShouldBe(PersonKind.Owner);

        // Each kind of refusal is in the log once; what repeats is counted.
        (await _lab.AuditAsync()).Where(record => record.Kind == "ownership.refused").Select(record => (record.ActorLogin, record.Subject, JsonNode.Parse(record.Details)!["because"]!.GetValue<string>()))
            .ShouldBe([("ann", "tom", "password"), ("ann", "tom", "code")]);
        (await HandOverAsync(_lab.Tom.Id, ann, IdentityLab.Password, app.Next())).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Nobody_but_the_owner_hands_over_and_only_to_a_technician_who_takes_part()
    {
        var ann = await _lab.TokenOfAsync("ann");
        (await _lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = _lab.Tom.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, ann)).Status.ShouldBe(HttpStatusCode.Created);
        var tom = await _lab.TokenOfAsync("tom");
        foreach (var to in (PersonId[])[_lab.Tom.Id, _lab.Kim.Id])
            (await HandOverAsync(to, tom, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await HandOverAsync(_lab.Dora.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await HandOverAsync(_lab.Ida.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await HandOverAsync(_lab.Ann.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await HandOverAsync(new(Guid.NewGuid()), ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.NotFound);
        Policy.Person(_lab.Ann.Id)!.Kind.ShouldBe(PersonKind.Owner);
    }

    [Fact]
    public async Task Others_neither_edit_disable_delete_nor_reset_the_owner()
    {
        var ann = await _lab.TokenOfAsync("ann");
        (await HandOverAsync(_lab.Tom.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        var tom = await _lab.TokenOfAsync("tom");
        (await _lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = _lab.Ann.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, tom)).Status.ShouldBe(HttpStatusCode.Created);
        foreach (var (method, path, body) in new (HttpMethod, string, JsonNode?)[]
        {
            (HttpMethod.Patch, "", new JsonObject { ["mail"] = "ann@example.org" }), (HttpMethod.Delete, "", null), (HttpMethod.Post, "/disable", null),
            (HttpMethod.Post, "/two-factor/reset", null),
        })
            (await _lab.SendAsync(method, $"technicians/{_lab.Tom.Id}{path}", body, ann)).Status.ShouldBe(HttpStatusCode.Forbidden, path);
    }

    [Fact]
    public async Task Whose_second_factor_was_reset_is_told_by_whom()
    {
        await _lab.EnrolAsync("tom");
        (await _lab.SendAsync(HttpMethod.Post, $"technicians/{_lab.Tom.Id}/two-factor/reset", token: await _lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.OK);
        var mail = await _post.NextAsync();
        (mail.To, mail.Subject).ShouldBe(("tom@example.org", "Your second factor was reset"));
        mail.Text.ShouldContain("ANN has reset your second factor at Acme");
    }

    private PolicySnapshot Policy => _lab.Get<PolicySource>().Current(_lab.Organization)!;

    private Task<Answer> HandOverAsync(PersonId to, string token, string password, string? code = null)
    {
        var body = new JsonObject { ["password"] = password };
        if (code is not null) body["code"] = code;
        return _lab.SendAsync(HttpMethod.Post, $"technicians/{to}/ownership", body, token);
    }
}
