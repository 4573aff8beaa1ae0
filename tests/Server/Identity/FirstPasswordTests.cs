using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Identity;

/// <summary>Neo was added by hand and has not come.</summary>
public sealed class FirstPasswordTests
{
    private const string First = "violet-tractor-anthem-08";
    private const string Second = "amber-lantern-orchid-73";

    [Fact]
    public async Task Whose_first_password_is_over_gets_another_one_which_they_have_to_change()
    {
        await using var lab = await IdentityLab.StartAsync();
        var neo = await AddAsync(lab);
        lab.Clock.Advance(TimeSpan.FromDays(8));
        (await lab.SignInAsync("neo", First)).Status.ShouldBe(HttpStatusCode.Unauthorized);

        var set = await SetAsync(lab, neo, Second);
        (set.Status, set.Json["until"]!.GetValue<DateTimeOffset>()).ShouldBe((HttpStatusCode.OK, lab.Clock.GetUtcNow().AddDays(7)));
        var record = (await lab.AuditAsync()).Single(record => record.Kind == "password.first-set");
        (record.Actor, record.Subject, record.SubjectId).ShouldBe((lab.Ann.Id, "neo", neo));
        record.Details.ToString().ShouldNotContain(Second);

        (await lab.SignInAsync("neo", First)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var signedIn = await lab.SignInAsync("neo", Second);
        signedIn.Json["mustChangePassword"]!.GetValue<bool>().ShouldBeTrue();
        lab.Clock.Advance(TimeSpan.FromDays(7));
        (await lab.SignInAsync("neo", Second)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task What_the_one_before_has_begun_ends_with_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var neo = await AddAsync(lab);
        var halfway = await lab.TokenOfAsync("neo", First);
        (await SetAsync(lab, neo, Second)).Status.ShouldBe(HttpStatusCode.OK);
        (await ChooseAsync(lab, halfway, First)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Whoever_has_been_in_gets_none()
    {
        await using var lab = await IdentityLab.StartAsync();
        var neo = await AddAsync(lab);
        (await ChooseAsync(lab, await lab.TokenOfAsync("neo", First), First)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await SetAsync(lab, neo, Second)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await lab.SignInAsync("neo", "correct-zebra-battery-77")).Status.ShouldBe(HttpStatusCode.OK);

        // Nor who never had one, is out, or has not joined.
        foreach (var other in (PersonRow[])[lab.Tom, lab.Kim, lab.Dora, lab.Ida]) (await SetAsync(lab, other.Id.Value, Second)).Status.ShouldBe(HttpStatusCode.Conflict, other.Login);
    }

    [Fact]
    public async Task Whoever_has_a_key_gets_none_since_they_may_have_been_in_by_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var neo = await AddAsync(lab);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var added = new JsonObject { ["label"] = "laptop", ["key"] = key.PublicKey.ToString() };
        (await lab.SendAsync(HttpMethod.Post, $"technicians/{neo}/keys", added, await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.Created);
        (await SetAsync(lab, neo, Second)).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Only_whoever_may_edit_somebody_gives_them_one_and_nobody_themselves_or_the_owner()
    {
        await using var lab = await IdentityLab.StartAsync();
        var neo = await AddAsync(lab);
        var tom = await lab.TokenOfAsync("tom");
        (await SetAsync(lab, neo, Second, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await SetAsync(lab, lab.Tom.Id.Value, Second, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await SetAsync(lab, Guid.NewGuid(), Second, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        var granting = new PolicyCommand.AddGrant(new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Team, SystemRoles.TeamAdministrator.Id, GrantAccounts.Default, GrantWindow.Always);
        (await lab.Get<PolicyWriter>().ApplyAsync(lab.AsAnn, granting, IdentityLab.Stop)).ShouldBeOfType<PolicyOutcome.Applied>();
        (await SetAsync(lab, lab.Ann.Id.Value, Second, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await SetAsync(lab, neo, Second, tom)).Status.ShouldBe(HttpStatusCode.OK);
        (await SetAsync(lab, neo, "short", tom)).Errors("password").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Who_chooses_their_own_before_the_writer_s_turn_keeps_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var neo = await AddAsync(lab);
        var ann = await lab.TokenOfAsync("ann");
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = lab.Get<WriteQueue>().WriteAsync(
            lab.Organization,
            async (db, stop) =>
            {
                entered.SetResult();
                await go.Task;
                await db.Set<Credential>().Where(row => row.Person == new PersonId(neo)).ExecuteUpdateAsync(set => set.SetProperty(row => row.MustChange, false), stop);
            },
            IdentityLab.Stop);
        await entered.Task;
        var setting = SetAsync(lab, neo, Second, ann);

        // Passwords are hashed in turn: once this one is, that one has been or is on the writer's way.
        await lab.Get<Passwords>().HashAsync(First, IdentityLab.Stop);
        go.SetResult();
        await held;
        (await setting).Status.ShouldBe(HttpStatusCode.Conflict);
        (await lab.SignInAsync("neo", First)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task They_are_mailed_that_there_is_another_one()
    {
        await using var with = await MailLab.StartAsync();
        var neo = await AddAsync(with.Lab, "neo@example.org");
        (await SetAsync(with.Lab, neo, Second, with.Ann)).Status.ShouldBe(HttpStatusCode.OK);
        var mail = await with.Post.NextAsync();
        mail.Subject.ShouldBe("A first password was set for you");
        mail.Text.ShouldNotContain(Second);
    }

    private static async Task<Guid> AddAsync(IdentityLab lab, string mail = "")
    {
        var added = new JsonObject { ["kind"] = "technician", ["login"] = "neo", ["name"] = "Neo", ["password"] = First, ["mail"] = mail };
        return (await lab.SendAsync(HttpMethod.Post, "technicians", added, await lab.TokenOfAsync("ann"))).Json["id"]!.GetValue<Guid>();
    }

    private static async Task<Answer> SetAsync(IdentityLab lab, Guid person, string password, string? token = null) =>
        await lab.SendAsync(HttpMethod.Post, $"technicians/{person}/password/first", new JsonObject { ["password"] = password }, token ?? await lab.TokenOfAsync("ann"));

    private static Task<Answer> ChooseAsync(IdentityLab lab, string token, string current) =>
        lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = current, ["new"] = "correct-zebra-battery-77" }, token);
}
