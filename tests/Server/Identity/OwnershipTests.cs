using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Tests;

namespace Countersign.Server.Tests.Identity;

/// <summary>The owner's record, and how it becomes somebody else's.</summary>
public sealed class OwnershipTests : IAsyncLifetime
{
    private MailLab _with = null!;

    private IdentityLab Lab => _with.Lab;

    private MailServer Post => _with.Post;

    public async ValueTask InitializeAsync() => _with = await MailLab.StartAsync();

    public ValueTask DisposeAsync() => _with.DisposeAsync();

    [Fact]
    public async Task The_owner_hands_over_in_one_step_which_is_logged_and_told_to_both()
    {
        var ann = await Lab.TokenOfAsync("ann");
        var given = await HandOverAsync(Lab.Tom.Id, ann, IdentityLab.Password);
        (given.Status, given.Json["kind"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, "owner"), given.Text);
        var policy = Policy;
        (policy.Person(Lab.Tom.Id)!.Kind, policy.Person(Lab.Ann.Id)!.Kind).ShouldBe((PersonKind.Owner, PersonKind.Technician));
        var mails = new[] { await Post.NextAsync(), await Post.NextAsync() };
        mails.Select(mail => mail.To).Order().ShouldBe(["ann@example.org", "tom@example.org"]);
        var record = (await Lab.AuditAsync()).Single(record => record.Kind == "ownership.handed-over");
        (record.ActorLogin, record.SubjectId).ShouldBe(("ann", Lab.Tom.Id.Value));

        // Whoever gave it away has nothing of it left, and can't take it back by undoing.
        (await Lab.SendAsync(HttpMethod.Post, $"technicians/{Lab.Kim.Id}/disable", token: ann)).Status.ShouldNotBe(HttpStatusCode.OK);
        (await HandOverAsync(Lab.Ann.Id, ann, IdentityLab.Password)).Status.ShouldNotBe(HttpStatusCode.OK);
        var tom = await Lab.TokenOfAsync("tom");
        (await Lab.SendAsync(HttpMethod.Post, $"changes/{policy.Version}/undo", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await HandOverAsync(Lab.Ann.Id, tom, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task It_takes_the_password_and_where_there_is_one_a_code()
    {
        var app = await Lab.EnrolAsync("ann");
        var ann = (await Lab.SignInAsync("ann", app)).Json["token"]!.GetValue<string>();
        (await HandOverAsync(Lab.Tom.Id, ann, "not-the-password-12")).Errors("password").ShouldHaveSingleItem();
        (await HandOverAsync(Lab.Tom.Id, ann, IdentityLab.Password)).Errors("code").ShouldHaveSingleItem();
        (await HandOverAsync(Lab.Tom.Id, ann, IdentityLab.Password, "000000")).Errors("code").ShouldHaveSingleItem();
        Policy.Person(Lab.Ann.Id)!.Kind.ShouldBe(PersonKind.Owner);

        // Each kind of refusal is in the log once; what repeats is counted.
        (await Lab.AuditAsync()).Where(record => record.Kind == "ownership.refused").Select(record => (record.ActorLogin, record.Subject, JsonNode.Parse(record.Details)!["because"]!.GetValue<string>()))
            .ShouldBe([("ann", "tom", "password"), ("ann", "tom", "code")]);
        (await HandOverAsync(Lab.Tom.Id, ann, IdentityLab.Password, app.Next())).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_token_that_was_made_for_a_program_hands_nothing_over_whatever_comes_with_it()
    {
        var app = await Lab.EnrolAsync("ann");
        var ann = (await Lab.SignInAsync("ann", app)).Json["token"]!.GetValue<string>();
        var made = await Lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "program", ["scopes"] = new JsonArray("people") }, ann);
        made.Status.ShouldBe(HttpStatusCode.Created, made.Text);
        var refused = await HandOverAsync(Lab.Tom.Id, made.Json["token"]!.GetValue<string>(), IdentityLab.Password, app.Next());
        (refused.Status, refused.Text.Contains("made for a program", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.Forbidden, true), refused.Text);
        Policy.Person(Lab.Ann.Id)!.Kind.ShouldBe(PersonKind.Owner);
        JsonNode.Parse((await Lab.AuditAsync()).Single(record => record.Kind == "ownership.refused").Details)!["because"]!.GetValue<string>().ShouldBe("token");
    }

    [Fact]
    public async Task Nobody_but_the_owner_hands_over_and_only_to_a_technician_who_takes_part()
    {
        var ann = await Lab.TokenOfAsync("ann");
        (await Lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = Lab.Tom.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, ann)).Status.ShouldBe(HttpStatusCode.Created);
        var tom = await Lab.TokenOfAsync("tom");
        foreach (var to in (PersonId[])[Lab.Tom.Id, Lab.Kim.Id])
            (await HandOverAsync(to, tom, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await HandOverAsync(Lab.Dora.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await HandOverAsync(Lab.Ida.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await HandOverAsync(Lab.Ann.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await HandOverAsync(new(Guid.NewGuid()), ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.NotFound);
        Policy.Person(Lab.Ann.Id)!.Kind.ShouldBe(PersonKind.Owner);
    }

    [Fact]
    public async Task Others_neither_edit_disable_delete_nor_reset_the_owner()
    {
        var ann = await Lab.TokenOfAsync("ann");
        (await HandOverAsync(Lab.Tom.Id, ann, IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        var tom = await Lab.TokenOfAsync("tom");
        (await Lab.SendAsync(HttpMethod.Post, "grants", new JsonObject
        {
            ["subject"] = new JsonObject { ["kind"] = "person", ["id"] = Lab.Ann.Id.Value },
            ["scope"] = new JsonObject { ["kind"] = "team" },
            ["role"] = SystemRoles.TeamAdministrator.Id.Value,
        }, tom)).Status.ShouldBe(HttpStatusCode.Created);
        foreach (var (method, path, body) in new (HttpMethod, string, JsonNode?)[]
        {
            (HttpMethod.Patch, "", new JsonObject { ["mail"] = "ann@example.org" }), (HttpMethod.Delete, "", null), (HttpMethod.Post, "/disable", null),
            (HttpMethod.Post, "/two-factor/reset", null),
        })
            (await Lab.SendAsync(method, $"technicians/{Lab.Tom.Id}{path}", body, ann)).Status.ShouldBe(HttpStatusCode.Forbidden, path);
    }

    private PolicySnapshot Policy => Lab.Get<PolicySource>().Current(Lab.Organization)!;

    private Task<Answer> HandOverAsync(PersonId to, string token, string password, string? code = null)
    {
        var body = new JsonObject { ["password"] = password };
        if (code is not null) body["code"] = code;
        return Lab.SendAsync(HttpMethod.Post, $"technicians/{to}/ownership", body, token);
    }
}
