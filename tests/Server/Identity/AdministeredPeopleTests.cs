using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Identity;

/// <summary>What becomes of people's keys, tokens and passwords by what administrators do.</summary>
public sealed class AdministeredPeopleTests
{
    [Fact]
    public async Task A_master_administrator_registers_a_key_for_somebody_and_nobody_else_does()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var ann = await lab.TokenOfAsync("ann");
        var tom = await lab.TokenOfAsync("tom");
        var refused = await AddAsync(lab, lab.Kim, key, tom);
        refused.Status.ShouldBeOneOf(HttpStatusCode.NotFound, HttpStatusCode.Forbidden);
        (await AddAsync(lab, lab.Kim, key, ann)).Status.ShouldBe(HttpStatusCode.Created);
        (await lab.SshDoor.WithKeyAsync("kim", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person.Person.ShouldBe(lab.Kim.Id);
        (await AddAsync(lab, lab.Kim, key, ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await AddAsync(lab, lab.Ida, key, ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        var added = (await lab.AuditAsync()).Single(record => record.Kind == "key.added");
        (added.ActorLogin, added.SubjectId).ShouldBe(("ann", lab.Kim.Id.Value));
    }

    [Fact]
    public async Task Somebody_elses_keys_are_seen_and_taken_off_by_whoever_may_edit_them_and_what_they_opened_ends()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var own = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var (ann, tom) = (await lab.TokenOfAsync("ann"), await lab.TokenOfAsync("tom"));
        await AddAsync(lab, lab.Kim, key, ann);
        await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "mine", ["key"] = own.PublicKey.ToString() }, ann);
        using var connection = (await lab.SshDoor.WithKeyAsync("kim", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var shown = (await lab.SendAsync(HttpMethod.Get, $"technicians/{lab.Kim.Id}/keys", token: ann)).Json["items"]!.AsArray();
        shown.ShouldHaveSingleItem()!["fingerprint"]!.GetValue<string>().ShouldBe(key.PublicKey.Fingerprint);
        var id = shown[0]!["id"]!.GetValue<Guid>();
        (await lab.SendAsync(HttpMethod.Get, $"technicians/{lab.Kim.Id}/keys", token: tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Delete, $"technicians/{lab.Kim.Id}/keys/{id}", token: tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Delete, $"technicians/{lab.Tom.Id}/keys/{id}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        await ApplyAsync(lab, new PolicyCommand.AddGrant(
            new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Team, SystemRoles.TeamAdministrator.Id, GrantAccounts.Default, GrantWindow.Always));
        (await lab.SendAsync(HttpMethod.Get, $"technicians/{lab.Ann.Id}/keys", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        connection.Ended.IsCancellationRequested.ShouldBeFalse();
        (await lab.SendAsync(HttpMethod.Delete, $"technicians/{lab.Kim.Id}/keys/{id}", token: tom)).Status.ShouldBe(HttpStatusCode.NoContent);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        (await lab.SshDoor.WithKeyAsync("kim", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
        var record = (await lab.AuditAsync()).Single(record => record.Kind == "key.removed");
        (record.ActorLogin, record.Subject, record.SubjectId).ShouldBe(("tom", "kim", lab.Kim.Id.Value));
    }

    [Fact]
    public async Task Somebody_elses_tokens_are_seen_and_removed_by_whoever_may_edit_them_with_those_that_were_made_with_them()
    {
        await using var lab = await IdentityLab.StartAsync();
        var (ann, tom) = (await lab.TokenOfAsync("ann"), await lab.TokenOfAsync("tom"));
        var made = (await MakeAsync(tom)).Json;
        var with = (await MakeAsync(made["token"]!.GetValue<string>())).Json["token"]!.GetValue<string>();
        var (path, id) = ($"technicians/{lab.Tom.Id}/tokens", made["id"]!.GetValue<Guid>());
        (await lab.SendAsync(HttpMethod.Get, path, token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Get, $"technicians/{lab.Kim.Id}/tokens", token: tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Delete, $"technicians/{lab.Kim.Id}/tokens/{id}", token: tom)).Status.ShouldBe(HttpStatusCode.NotFound);
        await ApplyAsync(lab, new PolicyCommand.AddGrant(
            new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Team, SystemRoles.TeamAdministrator.Id, GrantAccounts.Default, GrantWindow.Always));
        (await lab.SendAsync(HttpMethod.Get, $"technicians/{lab.Ann.Id}/tokens", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);

        var shown = await lab.SendAsync(HttpMethod.Get, path, token: ann);
        shown.Json["items"]!.AsArray().Select(item => item!["id"]!.GetValue<Guid>()).ShouldContain(id);
        shown.Json["items"]!.AsArray().Count.ShouldBe(2);
        shown.Text.ShouldNotContain(with);
        (await lab.SendAsync(HttpMethod.Delete, $"technicians/{lab.Kim.Id}/tokens/{id}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Delete, $"{path}/{id}", token: ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Delete, $"{path}/{id}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        foreach (var gone in (string[])[made["token"]!.GetValue<string>(), with]) (await lab.SendAsync(HttpMethod.Get, "me", token: gone)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: tom)).Status.ShouldBe(HttpStatusCode.OK);
        var record = (await lab.AuditAsync()).Single(record => record.Kind == "token.removed");
        (record.ActorLogin, record.Subject, record.SubjectId).ShouldBe(("ann", "tom", lab.Tom.Id.Value));

        Task<Answer> MakeAsync(string by) => lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "ci", ["scopes"] = new JsonArray("write") }, by);
    }

    [Fact]
    public async Task Somebody_elses_sign_ins_are_seen_and_ended_by_whoever_may_edit_them()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var password = Secret.FromText(IdentityLab.Password);
        var (ann, tom, other) = (await lab.TokenOfAsync("ann"), await lab.TokenOfAsync("tom"), await lab.TokenOfAsync("tom"));
        using var connection = (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person;
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "ci", ["scopes"] = new JsonArray("read") }, tom)).Json["token"]!.GetValue<string>();
        var path = $"technicians/{lab.Tom.Id}/sign-ins";

        // Whoever may not edit people; and whoever may, at the owner.
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete])
        {
            (await lab.SendAsync(method, $"technicians/{lab.Kim.Id}/sign-ins", token: tom)).Status.ShouldBe(HttpStatusCode.NotFound);
            (await lab.SendAsync(method, path, token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        }

        await ApplyAsync(lab, new PolicyCommand.AddGrant(
            new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Team, SystemRoles.TeamAdministrator.Id, GrantAccounts.Default, GrantWindow.Always));
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete])
            (await lab.SendAsync(method, $"technicians/{lab.Ann.Id}/sign-ins", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);

        var shown = (await lab.SendAsync(HttpMethod.Get, path, token: ann)).Json["items"]!.AsArray();
        shown.Select(item => (item!["kind"]!.GetValue<string>(), item["current"]!.GetValue<bool>())).ShouldBe([("token", false), ("token", false), ("ssh", false)], ignoreOrder: true);
        var own = (await lab.SendAsync(HttpMethod.Get, "me/sign-ins", token: tom)).Json["items"]!.AsArray();
        own.Select(item => item!["id"]!.GetValue<Guid>()).ShouldBe(shown.Select(item => item!["id"]!.GetValue<Guid>()), ignoreOrder: true);

        var one = own.Single(item => item!["current"]!.GetValue<bool>())!["id"]!.GetValue<Guid>();
        (await lab.SendAsync(HttpMethod.Delete, $"technicians/{lab.Kim.Id}/sign-ins/{one}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Delete, $"{path}/{one}", token: ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Delete, $"{path}/{one}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await lab.SendAsync(HttpMethod.Get, "me", token: tom)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        connection.Ended.IsCancellationRequested.ShouldBeFalse();

        // Whoever signs themselves out this way stays signed in here.
        (await lab.SendAsync(HttpMethod.Delete, path, token: other)).Status.ShouldBe(HttpStatusCode.NoContent);
        connection.Ended.IsCancellationRequested.ShouldBeTrue();
        connection.Dispose();
        (await lab.SendAsync(HttpMethod.Get, "me", token: other)).Status.ShouldBe(HttpStatusCode.OK);

        (await lab.SendAsync(HttpMethod.Delete, path, token: ann)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SendAsync(HttpMethod.Get, "me", token: other)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: made)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Get, path, token: ann)).Json["items"]!.AsArray().ShouldBeEmpty();
        (await lab.AuditAsync()).Where(record => record.Kind is "sign-in.ended" or "sign-in.others-ended").Select(record => (record.ActorLogin, record.Subject, record.SubjectId))
            .ShouldBe([("ann", "tom", lab.Tom.Id.Value), ("tom", "tom", lab.Tom.Id.Value), ("ann", "tom", lab.Tom.Id.Value)]);
    }

    [Fact]
    public async Task Nobody_registers_a_key_for_the_owner_but_the_owner()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        await ApplyAsync(lab, new PolicyCommand.AddGrant(
            new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Team, SystemRoles.TeamAdministrator.Id, GrantAccounts.Default, GrantWindow.Always));
        var tom = await lab.TokenOfAsync("tom");
        (await AddAsync(lab, lab.Ann, key, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await AddAsync(lab, lab.Kim, key, tom)).Status.ShouldBe(HttpStatusCode.Created);
        (await AddAsync(lab, lab.Kim with { Id = new(Guid.NewGuid()) }, key, tom)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Disabling_stops_tokens_keys_and_passwords_and_enabling_brings_them_back()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var password = Secret.FromText(IdentityLab.Password);
        var tom = await lab.TokenOfAsync("tom");
        await AddAsync(lab, lab.Tom, key, await lab.TokenOfAsync("ann"));
        await OpenAsync(expected: true);
        await ApplyAsync(lab, new PolicyCommand.SetPersonStatus(lab.Tom.Id, PersonStatus.Disabled));
        await OpenAsync(expected: false);
        await ApplyAsync(lab, new PolicyCommand.SetPersonStatus(lab.Tom.Id, PersonStatus.Active));
        await OpenAsync(expected: true);

        async Task OpenAsync(bool expected)
        {
            ((await lab.SendAsync(HttpMethod.Get, "me", token: tom)).Status == HttpStatusCode.OK).ShouldBe(expected);
            ((await lab.SignInAsync("tom", IdentityLab.Password)).Status == HttpStatusCode.OK).ShouldBe(expected);
            (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop) is SignInStep.Done).ShouldBe(expected);
            (await lab.SshDoor.WouldAcceptKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBe(expected);
            (await lab.SshDoor.WithKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop) is SignInStep.Done).ShouldBe(expected);
        }
    }

    [Fact]
    public async Task Whoever_is_deleted_leaves_no_password_token_or_key_behind()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var ann = await lab.TokenOfAsync("ann");
        var tom = await lab.TokenOfAsync("tom");
        await AddAsync(lab, lab.Tom, key, ann);
        await ApplyAsync(lab, new PolicyCommand.DeletePerson(lab.Tom.Id));
        (await lab.SendAsync(HttpMethod.Get, "me", token: tom)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        await using var db = lab.Get<Database>().Read(lab.Organization);
        (await db.Set<Credential>().AnyAsync(row => row.Person == lab.Tom.Id, IdentityLab.Stop)).ShouldBeFalse();
        (await db.Set<ApiToken>().AnyAsync(row => row.Person == lab.Tom.Id, IdentityLab.Stop)).ShouldBeFalse();
        (await db.Set<RegisteredKey>().AnyAsync(row => row.Person == lab.Tom.Id, IdentityLab.Stop)).ShouldBeFalse();
        (await AddAsync(lab, lab.Kim, key, ann)).Status.ShouldBe(HttpStatusCode.Created);
    }

    private static Task<Answer> AddAsync(IdentityLab lab, PersonRow person, SshPrivateKey key, string token) => lab.SendAsync(
        HttpMethod.Post, $"technicians/{person.Id}/keys", new JsonObject { ["label"] = "laptop", ["key"] = key.PublicKey.ToString() }, token);

    private static async Task ApplyAsync(IdentityLab lab, PolicyCommand command) =>
        (await lab.Get<PolicyWriter>().ApplyAsync(lab.AsAnn, command, IdentityLab.Stop)).ShouldBeOfType<PolicyOutcome.Applied>();

    [Fact]
    public async Task A_first_password_that_nobody_changes_is_as_wrong_as_any_other_after_a_week()
    {
        await using var lab = await IdentityLab.StartAsync();
        const string First = "violet-tractor-anthem-08";
        var added = new JsonObject { ["kind"] = "technician", ["login"] = "neo", ["name"] = "Neo", ["password"] = First };
        (await lab.SendAsync(HttpMethod.Post, "technicians", added, await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.Created);
        lab.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromSeconds(1));
        (await lab.SignInAsync("neo", First)).Json["mustChangePassword"]!.GetValue<bool>().ShouldBeTrue();
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        var late = await lab.SignInAsync("neo", First);
        (late.Status, late.Body).ShouldBe((HttpStatusCode.Unauthorized, (await lab.SignInAsync("neo", "wrong")).Body));
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Whoever_resets_a_second_factor_is_told_that_nobody_could_be_mailed()
    {
        await using var lab = await IdentityLab.StartAsync();
        var reset = await lab.SendAsync(HttpMethod.Post, $"technicians/{lab.Tom.Id}/two-factor/reset", token: await lab.TokenOfAsync("ann"));
        (reset.Status, reset.Json["told"]!.GetValue<bool>()).ShouldBe((HttpStatusCode.OK, false));
        await using var with = await MailLab.StartAsync();
        reset = await with.Lab.SendAsync(HttpMethod.Post, $"technicians/{with.Lab.Tom.Id}/two-factor/reset", token: with.Ann);
        (reset.Status, reset.Json["told"]!.GetValue<bool>()).ShouldBe((HttpStatusCode.OK, true));
    }
}
