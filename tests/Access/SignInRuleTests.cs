using System.Net;

namespace Countersign.Access.Tests;

public class SignInRuleTests
{
    private static readonly IPAddress Office = IPAddress.Parse("192.0.2.7");

    private readonly Sample _sample = new();
    private readonly PersonId _anna;

    public SignInRuleTests()
    {
        _anna = _sample.Technician("anna");
        _sample.Grant(_anna, _sample.Web01, Permission.Terminal, Permission.ConnectionHistory);
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", "11.0.0.0")]
    [InlineData("0.0.0.0/0", "203.0.113.9", "::1")]
    [InlineData("::/0", "2001:db8::1", "203.0.113.9")]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.8")]
    [InlineData("192.0.2.128/25", "192.0.2.128", "192.0.2.127")]
    [InlineData("2001:db8::/33", "2001:db8:7fff:ffff::", "2001:db8:8000::")]
    [InlineData("fe80::/10", "fe80::1%3", "fec0::1")]
    public void A_network_has_its_addresses_and_no_others(string network, string inside, string outside)
    {
        NetworkList.TryParse(network, out var list, out var problem).ShouldBeTrue(problem);
        list.Contains(IPAddress.Parse(inside)).ShouldBeTrue();
        list.Contains(IPAddress.Parse(outside)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("2001:DB8:0:0::/32,192.0.2.7 , ::ffff:10.0.0.0/104", "10.0.0.0/8, 192.0.2.7/32, 2001:db8::/32")]
    [InlineData("::1", "::1/128")]
    [InlineData("255.255.255.255, 0.0.0.0", "0.0.0.0/32, 255.255.255.255/32")]
    public void Networks_have_one_spelling(string text, string canonical)
    {
        NetworkList.TryParse(text, out var list, out var problem).ShouldBeTrue(problem);
        list.ToString().ShouldBe(canonical);
        NetworkList.TryParse(canonical, out var again, out problem).ShouldBeTrue(problem);
        again.ToString().ShouldBe(canonical);
    }

    [Theory]
    [InlineData("")]
    [InlineData("anywhere")]
    [InlineData("10.1")]
    [InlineData("010.0.0.0/8")]
    [InlineData("0x0a.0.0.0/8")]
    [InlineData("167772160/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.1/8")]
    [InlineData("::ffff:0:0/90")]
    [InlineData("::1/129")]
    [InlineData("[::1]")]
    [InlineData("fe80::1%3")]
    [InlineData("10.0.0.0/8, 10.0.0.0/8")]
    [InlineData("10.0.0.0/8, 192.0.2.0/24, 10.9.9.9")]
    [InlineData("10.0.0.0/8, ::ffff:10.2.0.0/112")]
    [InlineData("10.0.0.0/8,")]
    public void What_is_no_list_of_networks_is_refused_with_a_sentence(string text)
    {
        NetworkList.TryParse(text, out _, out var problem).ShouldBeFalse();
        problem.ShouldEndWith(".");
    }

    [Fact]
    public void There_are_at_most_64_networks()
    {
        var many = Enumerable.Range(0, 65).Select(number => $"10.0.{number}.0/24").ToList();
        NetworkList.TryParse(string.Join(',', many.Take(64)), out _, out var problem).ShouldBeTrue(problem);
        NetworkList.TryParse(string.Join(',', many), out _, out problem).ShouldBeFalse();
    }

    [Fact]
    public void A_sign_in_rule_that_is_not_met_any_more_ends_what_runs_and_leaks_nothing()
    {
        var question = _sample.Question(_anna, [Permission.Terminal]) with { Source = Office };
        _sample.Snapshot.DecideRunning(question).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Set(SettingNode.Organization, SettingKind.AllowedNetworks, "198.51.100.0/24");
        var decision = _sample.Snapshot.DecideRunning(question);
        decision.ShouldBe(new(DecisionKind.Denied, DenialReason.NetworkNotAllowed, PermissionSet.None, null, null, Visible: false));
        _sample.Set(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24");
        _sample.Snapshot.DecideRunning(question).Kind.ShouldBe(DecisionKind.Allowed);
        _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
        _sample.Snapshot.DecideRunning(question).Reason.ShouldBe(DenialReason.TwoFactorMissing);
        _sample.Snapshot.DecideRunning(question with { SignIn = SignInStrength.TwoFactor }).Kind.ShouldBe(DecisionKind.Allowed);
    }

    [Fact]
    public void Standing_is_what_the_decision_begins_with()
    {
        _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
        _sample.Set(SettingNode.Organization, SettingKind.AllowedNetworks, "192.0.2.0/24");
        var policy = _sample.Snapshot;
        policy.Standing(_anna, Office, SignInStrength.TwoFactor).ShouldBe(DenialReason.None);
        policy.Standing(_anna, Office, SignInStrength.OneFactor).ShouldBe(DenialReason.TwoFactorMissing);
        policy.Standing(_anna, null, SignInStrength.TwoFactor).ShouldBe(DenialReason.NetworkNotAllowed);
        policy.Standing(_anna, Office, SignInStrength.None).ShouldBe(DenialReason.NotSignedIn);
        policy.Standing(new(_sample.Next()), Office, SignInStrength.TwoFactor).ShouldBe(DenialReason.UnknownSubject);
        _sample.Disable(_anna);
        _sample.Snapshot.Standing(_anna, Office, SignInStrength.TwoFactor).ShouldBe(DenialReason.SubjectTakesNoPart);
    }

    [Fact]
    public void No_change_of_rights_is_suggested_where_the_sign_in_is_what_is_missing()
    {
        _sample.Set(SettingNode.Organization, SettingKind.TwoFactorRequired, "true");
        var question = _sample.Question(_anna, [Permission.Terminal, Permission.Reboot]);
        _sample.Snapshot.SmallestChange(question, () => new(_sample.Next()), TestContext.Current.CancellationToken).ShouldBeNull();
        _sample.Snapshot.SmallestChange(question with { SignIn = SignInStrength.TwoFactor }, () => new(_sample.Next()), TestContext.Current.CancellationToken).ShouldNotBeNull();
    }

    [Fact]
    public void The_settings_of_signing_in_are_on_the_snapshot()
    {
        _sample.Snapshot.SignIn.ShouldBe(new(false, null, 3, null, TimeSpan.FromHours(12), TimeSpan.FromMinutes(30)));
        _sample.Set(SettingNode.Organization, SettingKind.PasswordStrength, "4");
        _sample.Set(SettingNode.Organization, SettingKind.PasswordAge, "90d");
        _sample.Set(SettingNode.Organization, SettingKind.SignInLifetime, "8h");
        _sample.Set(SettingNode.Organization, SettingKind.SignInIdle, "none");
        _sample.Snapshot.SignIn.ShouldBe(new(false, null, 4, TimeSpan.FromDays(90), TimeSpan.FromHours(8), null));
    }
}
