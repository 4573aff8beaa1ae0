using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Identity;

/// <summary>Which certificates the SSH front door gives and takes.</summary>
public sealed class DoorCertificateTests : IAsyncLifetime
{
    private readonly SshPrivateKey _key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
    private IdentityLab _lab = null!;
    private string _token = "";

    public async ValueTask InitializeAsync()
    {
        _lab = await IdentityLab.StartAsync();
        _token = await _lab.TokenOfAsync("tom");
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _lab.DisposeAsync();
    }

    [Theory]
    [InlineData("12h", 12 * 60)]
    [InlineData("5m", 5)]
    [InlineData("30d", 12 * 60)]
    public async Task It_lasts_as_long_as_the_sign_in_may_and_not_longer_than_half_a_day(string lifetime, int minutes)
    {
        Set(SettingKind.SignInLifetime, lifetime);
        _token = await _lab.TokenOfAsync("tom");
        _lab.Clock.Advance(TimeSpan.FromMinutes(1));
        var certificate = await IssueAsync();
        certificate.Principals.ShouldBe([$"{_lab.Tom.Id}"]);
        certificate.KeyId.ShouldBe($"tom {await SignInAsync()}");
        certificate.Extensions.ShouldBeEmpty();
        certificate.Key.ShouldBe(_key.PublicKey);
        (certificate.ValidBefore - _lab.Clock.GetUtcNow()).TotalMinutes.ShouldBe(lifetime == "30d" ? minutes : minutes - 1);
    }

    [Fact]
    public async Task Only_a_program_that_somebody_has_signed_in_with_gets_one()
    {
        var made = (await _lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("write") }, _token)).Json["token"]!.GetValue<string>();
        (await AskAsync(made)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await _lab.SendAsync(HttpMethod.Post, "me/certificate", new JsonObject { ["key"] = "ssh-ed25519 AAAA" }, _token)).Errors("key").ShouldHaveSingleItem();
        (await AskAsync(_token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_browser_gets_none()
    {
        using var signIn = new HttpRequestMessage(HttpMethod.Post, "sign-in");
        signIn.Headers.Add("Sec-Fetch-Site", "same-origin");
        signIn.Content = System.Net.Http.Json.JsonContent.Create(new { login = "tom", password = IdentityLab.Password, @as = "cookie" });
        using var signedIn = await _lab.Http.SendAsync(signIn, IdentityLab.Stop);
        using var ask = new HttpRequestMessage(HttpMethod.Post, "me/certificate");
        ask.Headers.Add("Sec-Fetch-Site", "same-origin");
        ask.Headers.Add("Cookie", signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        ask.Content = System.Net.Http.Json.JsonContent.Create(new { key = $"{_key.PublicKey}" });
        using var answer = await _lab.Http.SendAsync(ask, IdentityLab.Stop);
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task It_counts_while_its_sign_in_its_person_and_its_own_time_do()
    {
        var certificate = await IssueAsync();
        (await AcceptsAsync(certificate)).ShouldBeTrue();
        (await AcceptsAsync(certificate, "ann")).ShouldBeFalse();
        (await AcceptsAsync(certificate, "nobody")).ShouldBeFalse();
        _lab.Change(_lab.Tom with { Status = PersonStatus.Disabled });
        (await AcceptsAsync(certificate)).ShouldBeFalse();
        _lab.Change(_lab.Tom);
        Set(SettingKind.AllowedNetworks, "192.0.2.0/24");
        (await AcceptsAsync(certificate)).ShouldBeFalse();
        (await AcceptsAsync(certificate, source: "192.0.2.7")).ShouldBeTrue();
        Set(SettingKind.AllowedNetworks, "none");
        _lab.Clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1));
        (await AcceptsAsync(certificate)).ShouldBeTrue();
        _lab.Clock.Advance(TimeSpan.FromSeconds(1));
        (await AcceptsAsync(certificate)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_shorter_lifetime_binds_those_that_were_given_before()
    {
        var certificate = await IssueAsync();
        _lab.Clock.Advance(TimeSpan.FromMinutes(10));
        (await AcceptsAsync(certificate)).ShouldBeTrue();
        Set(SettingKind.SignInLifetime, "10m");
        (await AcceptsAsync(certificate)).ShouldBeFalse();
    }

    [Fact]
    public async Task What_the_authority_would_never_write_is_refused_though_it_had_signed_it()
    {
        var mine = await SignInAsync();
        var anns = await SignInAsync(await _lab.TokenOfAsync("ann"));
        var tom = $"{_lab.Tom.Id}";
        (await AcceptsAsync(await SignAsync(AuthorityPurpose.FrontDoor, $"tom {mine}", tom))).ShouldBeTrue();
        (await AcceptsAsync(await SignAsync(AuthorityPurpose.Accounts, $"tom {mine}", tom))).ShouldBeFalse("the authority that devices trust");
        (await AcceptsAsync(await SignAsync(AuthorityPurpose.FrontDoor, $"tom {mine}", "tom"))).ShouldBeFalse("another principal");
        (await AcceptsAsync(await SignAsync(AuthorityPurpose.FrontDoor, $"tom {anns}", tom))).ShouldBeFalse("somebody else's sign-in");
        (await AcceptsAsync(await SignAsync(AuthorityPurpose.FrontDoor, $"tom {Guid.NewGuid()}", tom))).ShouldBeFalse("no sign-in");
        (await AcceptsAsync(await SignAsync(AuthorityPurpose.FrontDoor, $"tom", tom))).ShouldBeFalse("none named");
        (await AcceptsAsync(await SignAsync(AuthorityPurpose.FrontDoor, $"tom {mine}", tom, SshCertificateKind.Host))).ShouldBeFalse("a host's");
    }

    [Fact]
    public async Task It_is_as_strong_as_its_sign_in_is_by_now_and_one_factor_is_asked_for_the_second()
    {
        var certificate = await IssueAsync();
        (await EnterAsync(certificate)).ShouldBeOfType<SignInStep.Done>().Person.Strength.ShouldBe(SignInStrength.OneFactor);
        Set(SettingKind.TwoFactorRequired, "true");
        (await EnterAsync(certificate)).ShouldBeOfType<SignInStep.Barred>().Why.ShouldContain("countersign login");

        // What is enrolled with the sign-in makes that sign-in one of both factors, and the certificate stands for it as it is now.
        var app = await _lab.EnrolAsync("tom", _token);
        (await EnterAsync(certificate)).ShouldBeOfType<SignInStep.Done>().Person.Strength.ShouldBe(SignInStrength.TwoFactor);

        await _lab.Get<WriteQueue>().WriteAsync(
            _lab.Organization, (db, stop) => db.Set<ApiToken>().ExecuteUpdateAsync(set => set.SetProperty(row => row.Strength, SignInStrength.OneFactor), stop), IdentityLab.Stop);
        var wanted = (await EnterAsync(certificate)).ShouldBeOfType<SignInStep.CodeWanted>();
        using var code = Secret.FromText(app.Next());
        (await _lab.SshDoor.WithCodeAsync(wanted.Proven, code, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Done>().Person.Strength.ShouldBe(SignInStrength.TwoFactor);
    }

    [Fact]
    public async Task After_a_change_of_the_authority_s_key_both_count_until_the_old_one_is_removed_which_ends_what_hangs_on_it()
    {
        var ann = await _lab.TokenOfAsync("ann");
        var old = await IssueAsync();
        var before = (await EnterAsync(old)).ShouldBeOfType<SignInStep.Done>().Person;
        _lab.Clock.Advance(TimeSpan.FromSeconds(1));
        var both = (await _lab.SendAsync(HttpMethod.Post, "ssh/door-ca/rotate", token: ann)).Json["authorities"]!.AsArray();
        both.Select(one => one!["first"]!.GetValue<bool>()).ShouldBe([true, false]);
        both[1]!["publicKey"]!.GetValue<string>().ShouldBe($"{old.Authority}");
        (await _lab.SendAsync(HttpMethod.Post, "ssh/door-ca/rotate", token: ann)).Status.ShouldBe(HttpStatusCode.Conflict);

        var renewed = await IssueAsync();
        $"{renewed.Authority}".ShouldBe(both[0]!["publicKey"]!.GetValue<string>());
        (await AcceptsAsync(old)).ShouldBeTrue();
        (await AcceptsAsync(renewed)).ShouldBeTrue();
        var after = (await EnterAsync(renewed)).ShouldBeOfType<SignInStep.Done>().Person;
        (await _lab.SendAsync(HttpMethod.Delete, $"ssh/door-ca/{both[0]!["id"]}", token: ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        before.Ended.IsCancellationRequested.ShouldBeFalse();

        (await _lab.SendAsync(HttpMethod.Delete, $"ssh/door-ca/{both[1]!["id"]}", token: ann)).Json["authorities"]!.AsArray().ShouldHaveSingleItem();
        (await AcceptsAsync(old)).ShouldBeFalse();
        (await AcceptsAsync(renewed)).ShouldBeTrue();
        before.EndedBecause.ShouldBe("the key that signed your certificate was removed: sign in again");
        after.Ended.IsCancellationRequested.ShouldBeFalse();
        (await _lab.SendAsync(HttpMethod.Delete, $"ssh/door-ca/{both[1]!["id"]}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.AuditAsync()).Where(record => record.Kind.StartsWith("authority.", StringComparison.Ordinal))
            .Select(record => (record.Kind, record.ActorLogin, JsonNode.Parse(record.Details)!["purpose"]!.GetValue<string>()))
            .ShouldBe([("authority.created", "", "front door"), ("authority.rotated", "ann", "front door"), ("authority.removed", "ann", "front door")]);
    }

    [Fact]
    public async Task One_whose_authority_goes_between_its_two_factors_does_not_get_in()
    {
        var ann = await _lab.TokenOfAsync("ann");
        var certificate = await IssueAsync();
        var app = await _lab.EnrolAsync("tom", _token);
        await _lab.Get<WriteQueue>().WriteAsync(
            _lab.Organization, (db, stop) => db.Set<ApiToken>().ExecuteUpdateAsync(set => set.SetProperty(row => row.Strength, SignInStrength.OneFactor), stop), IdentityLab.Stop);
        var wanted = (await EnterAsync(certificate)).ShouldBeOfType<SignInStep.CodeWanted>();
        _lab.Clock.Advance(TimeSpan.FromSeconds(1));
        var old = (await _lab.SendAsync(HttpMethod.Post, "ssh/door-ca/rotate", token: ann)).Json["authorities"]![1]!["id"];
        (await _lab.SendAsync(HttpMethod.Delete, $"ssh/door-ca/{old}", token: ann)).Status.ShouldBe(HttpStatusCode.OK);
        using var code = Secret.FromText(app.Next());
        (await _lab.SshDoor.WithCodeAsync(wanted.Proven, code, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.Refused>();
    }

    [Fact]
    public async Task The_authority_is_shown_to_and_changed_by_master_administrators_and_the_one_that_devices_trust_stays_apart()
    {
        (await _lab.SendAsync(HttpMethod.Get, "ssh/door-ca", token: _token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await _lab.SendAsync(HttpMethod.Post, "ssh/door-ca/rotate", token: _token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        var ann = await _lab.TokenOfAsync("ann");
        var door = (await _lab.SendAsync(HttpMethod.Get, "ssh/door-ca", token: ann)).Json["authorities"]!.AsArray().ShouldHaveSingleItem()!;
        (await _lab.SendAsync(HttpMethod.Delete, $"ssh/door-ca/{door["id"]}", token: _token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        _lab.Clock.Advance(TimeSpan.FromSeconds(1));
        var accounts = (await _lab.SendAsync(HttpMethod.Post, "ssh/ca/rotate", token: ann)).Json["authorities"]!.AsArray();
        accounts.Count.ShouldBe(2);
        (await _lab.SendAsync(HttpMethod.Delete, $"ssh/door-ca/{accounts[1]!["id"]}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await _lab.SendAsync(HttpMethod.Get, "ssh/door-ca", token: ann)).Json["authorities"]!.AsArray().ShouldHaveSingleItem();
    }

    private async Task<SshCertificate> SignAsync(AuthorityPurpose purpose, string keyId, string principal, SshCertificateKind kind = SshCertificateKind.User)
    {
        var now = _lab.Clock.GetUtcNow();
        var terms = new SshCertificateTerms { Kind = kind, KeyId = keyId, Principals = [principal], ValidAfter = now, ValidBefore = now.AddMinutes(5) };
        return (await _lab.Get<SshAuthorities>().IssueAsync(_lab.Organization, purpose, _key.PublicKey, terms, IdentityLab.Stop)).ShouldHaveSingleItem();
    }

    private Task<Answer> AskAsync(string token) => _lab.SendAsync(HttpMethod.Post, "me/certificate", new JsonObject { ["key"] = $"{_key.PublicKey}" }, token);

    private async Task<SshCertificate> IssueAsync()
    {
        var answer = await AskAsync(_token);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        SshCertificate.TryParse(answer.Json["certificate"]!.GetValue<string>(), out var certificate).ShouldBeTrue();
        return certificate;
    }

    /// <summary>The id of the sign-in that the token is of.</summary>
    private async Task<string> SignInAsync(string? token = null) =>
        (await _lab.SendAsync(HttpMethod.Get, "me/sign-ins", token: token ?? _token)).Json["items"]!.AsArray().Single(item => item!["current"]!.GetValue<bool>())!["id"]!.GetValue<string>();

    private async Task<bool> AcceptsAsync(SshCertificate certificate, string login = "tom", string source = "127.0.0.1")
    {
        var would = await _lab.SshDoor.WouldAcceptCertificateAsync(login, certificate, IPAddress.Parse(source), IdentityLab.Stop);
        (await _lab.SshDoor.WithCertificateAsync(login, certificate, IPAddress.Parse(source), IdentityLab.Stop) is SignInStep.Done).ShouldBe(would);
        return would;
    }

    private ValueTask<SignInStep> EnterAsync(SshCertificate certificate) => _lab.SshDoor.WithCertificateAsync("tom", certificate, IPAddress.Loopback, IdentityLab.Stop);

    private void Set(SettingKind setting, string value) => _lab.Change(new SettingRow(SettingNode.Organization, setting, value, 1));
}
