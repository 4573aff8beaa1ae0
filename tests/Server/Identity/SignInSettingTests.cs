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

/// <summary>What an organization demands of those who sign in.</summary>
public sealed class SignInSettingTests
{
    private const string Other = "violet-tractor-anthem-08";

    [Fact]
    public async Task Where_two_factors_are_required_one_is_good_for_setting_the_second_up_and_for_nothing_else()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var password = Secret.FromText(IdentityLab.Password);
        var ann = await AnnAsync(lab);
        var before = await lab.TokenOfAsync("tom");
        await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, before);
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, before)).Json["token"]!.GetValue<string>();
        await SetAsync(lab, ann, "twoFactorRequired", "true");

        var answer = await lab.SignInAsync("tom", IdentityLab.Password);
        answer.Json["mustSetUpTwoFactor"]!.GetValue<bool>().ShouldBeTrue();
        var token = answer.Json["token"]!.GetValue<string>();
        foreach (var weak in (string[])[before, made, token])
        {
            (await lab.SendAsync(HttpMethod.Get, "devices", token: weak)).Status.ShouldBe(HttpStatusCode.Forbidden);
            (await lab.SendAsync(HttpMethod.Get, "me/two-factor", token: weak)).Json["required"]!.GetValue<bool>().ShouldBeTrue();
        }

        (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Barred>().Why.ShouldContain("countersign login");
        (await lab.SshDoor.WithKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Barred>();

        var app = await lab.EnrolAsync("tom", token);
        (await lab.SendAsync(HttpMethod.Get, "devices", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Get, "devices", token: made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SshDoor.WithKeyAsync("tom", key.PublicKey, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.CodeWanted>();
        (await lab.SignInAsync("tom", app)).Json["mustSetUpTwoFactor"]!.GetValue<bool>().ShouldBeFalse();
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/disable", new JsonObject { ["password"] = IdentityLab.Password, ["code"] = app.Next() }, token)).Status.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_second_factor_that_is_missing_is_set_up_from_no_network_that_is_not_allowed()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await AnnAsync(lab);
        var tom = await lab.TokenOfAsync("tom");
        await SetAsync(lab, ann, "twoFactorRequired", "true");
        (await lab.SendAsync(HttpMethod.Get, "me/two-factor", token: tom)).Status.ShouldBe(HttpStatusCode.OK);
        Allow(lab, "192.0.2.0/24");
        (await lab.SendAsync(HttpMethod.Get, "me/two-factor", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = IdentityLab.Password }, tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task From_a_network_that_is_not_allowed_everything_is_as_wrong_as_a_wrong_password()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var password = Secret.FromText(IdentityLab.Password);
        var tom = await lab.TokenOfAsync("tom");
        await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = key.PublicKey.ToString() }, tom);
        var app = await lab.EnrolAsync("tom", tom);
        var ticket = (await lab.SignInAsync("tom", IdentityLab.Password)).Json["ticket"]!.GetValue<string>();
        Allow(lab, "192.0.2.0/24");

        var answer = await lab.SignInAsync("tom", IdentityLab.Password);
        answer.Status.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Body.ShouldBe((await lab.SignInAsync("tom", "wrong")).Body);
        (await lab.SendCodeAsync(ticket, app.Next())).Status.ShouldBe(HttpStatusCode.Unauthorized);
        foreach (var (source, allowed) in ((IPAddress, bool)[])[(IPAddress.Loopback, false), (IPAddress.Parse("192.0.2.9"), true), (IPAddress.Parse("::ffff:192.0.2.9"), true), (IPAddress.IPv6Loopback, false)])
        {
            (await lab.SshDoor.WithPasswordAsync("tom", password, source, IdentityLab.Stop) is SignInStep.CodeWanted).ShouldBe(allowed, $"{source}");
            (await lab.SshDoor.WouldAcceptKeyAsync("tom", key.PublicKey, source, IdentityLab.Stop)).ShouldBe(allowed, $"{source}");
            (await lab.SshDoor.WithKeyAsync("tom", key.PublicKey, source, IdentityLab.Stop) is SignInStep.CodeWanted).ShouldBe(allowed, $"{source}");
        }
    }

    [Fact]
    public async Task A_password_that_is_too_old_is_good_for_choosing_another_one_and_nothing_more()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var password = Secret.FromText(IdentityLab.Password);
        await SetAsync(lab, await AnnAsync(lab), "passwordAge", "90d");
        lab.Clock.Advance(TimeSpan.FromDays(90));
        var answer = await lab.SignInAsync("tom", IdentityLab.Password);
        answer.Json["mustChangePassword"]!.GetValue<bool>().ShouldBeTrue();
        var token = answer.Json["token"]!.GetValue<string>();
        (await lab.SendAsync(HttpMethod.Get, "devices", token: token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Barred>();
        (await lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Other }, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await lab.SignInAsync("tom", Other)).Json["mustChangePassword"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task How_strong_a_password_has_to_be_is_the_organizations_to_say()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await AnnAsync(lab);
        const string Middling = "table-window-47";
        Features.Identity.PasswordRules.Problem(Middling, 3, "tom").ShouldBeNull();
        Features.Identity.PasswordRules.Problem(Middling, 4, "tom").ShouldNotBeNull();
        await SetAsync(lab, ann, "passwordStrength", "4");
        var tom = await lab.TokenOfAsync("tom");
        (await lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Middling }, tom)).Errors("new").ShouldHaveSingleItem();
        var added = new JsonObject { ["kind"] = "technician", ["login"] = "neo", ["name"] = "Neo", ["password"] = Middling };
        (await lab.SendAsync(HttpMethod.Post, "technicians", added, ann)).Errors("password").ShouldHaveSingleItem();
        await SetAsync(lab, ann, "passwordStrength", "3");
        (await lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = Middling }, tom)).Status.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_shorter_lifetime_ends_those_who_are_signed_in_and_not_what_was_made_for_programs()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await AnnAsync(lab);
        var old = await lab.TokenOfAsync("tom");
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, old)).Json["token"]!.GetValue<string>();
        await SetAsync(lab, ann, "signInLifetime", "1h");
        lab.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        (await lab.SendAsync(HttpMethod.Get, "me", token: old)).Status.ShouldBe(HttpStatusCode.OK);
        lab.Clock.Advance(TimeSpan.FromTicks(1));
        (await lab.SendAsync(HttpMethod.Get, "me", token: old)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: made)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Json["expires"]!.GetValue<DateTimeOffset>().ShouldBe(lab.Clock.GetUtcNow().AddHours(1));
    }

    /// <summary>The owner, with both factors: the rules bind her, too.</summary>
    [Fact]
    public async Task What_was_too_old_stays_over_when_signing_in_lasts_longer_from_then_on()
    {
        await using var lab = await IdentityLab.StartAsync();
        var old = await lab.TokenOfAsync("tom");
        await ApplyAsync(lab, SettingKind.SignInLifetime, "1h");
        lab.Clock.Advance(TimeSpan.FromHours(1));
        var later = await lab.TokenOfAsync("tom");
        await ApplyAsync(lab, SettingKind.SignInLifetime, "12h");
        (await lab.SendAsync(HttpMethod.Get, "me", token: old)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await lab.SendAsync(HttpMethod.Get, "me", token: later)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.AuditAsync()).ShouldContain(record => record.Kind == "sign-in.over");
    }

    [Fact]
    public async Task A_browser_that_stood_idle_too_long_stays_signed_out_when_it_might_stand_longer_from_then_on()
    {
        await using var lab = await IdentityLab.StartAsync();
        await ApplyAsync(lab, SettingKind.SignInIdle, "10m");
        foreach (var (origin, label) in ((TokenOrigin, string)[])[(TokenOrigin.Browser, "idle"), (TokenOrigin.SignIn, "program"), (TokenOrigin.Made, "made")]) await AddTokenAsync(lab, origin, label);
        lab.Clock.Advance(TimeSpan.FromMinutes(10));
        await AddTokenAsync(lab, TokenOrigin.Browser, "fresh");
        await ApplyAsync(lab, SettingKind.SignInIdle, "8h");
        await using var db = lab.Get<Database>().Read(lab.Organization);
        (await db.Set<ApiToken>().Where(row => row.Person == lab.Tom.Id).Select(row => row.Label).ToListAsync(IdentityLab.Stop)).ShouldBe(["fresh", "made", "program"], ignoreOrder: true);
    }

    private static Task AddTokenAsync(IdentityLab lab, TokenOrigin origin, string label) => lab.Get<WriteQueue>().AppendAsync(
        lab.Organization,
        db => lab.Get<ApiTokens>().Add(db, new()
        {
            Person = lab.Tom.Id,
            Label = label,
            Scopes = TokenScopes.Write,
            Origin = origin,
            Strength = SignInStrength.OneFactor,
            Expires = lab.Clock.GetUtcNow().AddDays(1),
        }),
        IdentityLab.Stop);

    private static async Task ApplyAsync(IdentityLab lab, SettingKind setting, string value) =>
        (await lab.Get<PolicyWriter>().ApplyAsync(lab.AsAnn, new PolicyCommand.SetSetting(SettingNode.Organization, setting, value), IdentityLab.Stop)).ShouldBeOfType<PolicyOutcome.Applied>();

    private static async Task<string> AnnAsync(IdentityLab lab)
    {
        var token = await lab.TokenOfAsync("ann");
        await lab.EnrolAsync("ann", token);
        return token;
    }

    private static async Task SetAsync(IdentityLab lab, string token, string setting, string value)
    {
        var answer = await lab.SendAsync(HttpMethod.Put, $"settings/organization/{setting}", new JsonObject { ["value"] = value }, token);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
    }

    /// <summary>As it came to be in force: nobody here could set it from where they are.</summary>
    private static void Allow(IdentityLab lab, string networks) => lab.Change(new SettingRow(SettingNode.Organization, SettingKind.AllowedNetworks, networks, 1));
}
