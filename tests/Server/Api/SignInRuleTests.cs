using System.Net;
using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Server.Tests.Api;

/// <summary>The rules of signing in, at the front doors that ask for them.</summary>
public sealed class SignInRuleTests : FeatureTests
{
    private const string Networks = "/api/v1/settings/organization/allowedNetworks";
    private const string TwoFactor = "/api/v1/settings/organization/twoFactorRequired";

    private ApiCaller Surely => Tenant.As(Tenant.OwnerId.Value, strength: SignInStrength.TwoFactor);

    [Fact]
    public async Task Nobody_makes_a_rule_that_shuts_them_out_themselves()
    {
        (await Owner.PutAsync(TwoFactor, new { value = "true" })).Expect(HttpStatusCode.Conflict);
        (await Owner.PutAsync($"{TwoFactor}?preview=true", new { value = "true" })).Expect(HttpStatusCode.Conflict);
        (await Owner.PutAsync(Networks, new { value = "192.0.2.0/24" })).Expect(HttpStatusCode.Conflict);
        (await Owner.PutAsync(Networks, new { value = "127.0.0.0/8, ::1" })).Expect(HttpStatusCode.OK);
        (await Owner.PutAsync("/api/v1/settings/organization/recording", new { value = "off" })).Expect(HttpStatusCode.OK);
        (await Surely.PutAsync(TwoFactor, new { value = "true" })).Expect(HttpStatusCode.OK);
        (await Surely.PutAsync(Networks, new { value = "192.0.2.0/24" })).Expect(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Where_two_factors_are_required_one_reads_and_changes_nothing()
    {
        (await Tenant.As(Ann).GetAsync($"/api/v1/devices/{Web1}")).Expect(HttpStatusCode.OK);
        (await Surely.PutAsync(TwoFactor, new { value = "true" })).Expect(HttpStatusCode.OK);
        foreach (var person in new[] { Ann, Tenant.OwnerId.Value })
        {
            foreach (var path in new[] { $"/api/v1/devices/{Web1}", "/api/v1/devices", "/api/v1/explain?device=web1", "/api/v1/who-can?device=web1", "/api/v1/settings/organization" })
                (await Tenant.As(person).GetAsync(path)).Expect(HttpStatusCode.Forbidden);
        }

        (await Owner.PutAsync(TwoFactor, new { value = "false" })).Expect(HttpStatusCode.Forbidden);
        var twice = Tenant.As(Ann, strength: SignInStrength.TwoFactor);
        (await twice.GetAsync($"/api/v1/devices/{Web1}")).Expect(HttpStatusCode.OK).Body.GetProperty("state").GetString().ShouldNotBe("visible");
    }

    [Fact]
    public async Task Who_can_and_explain_speak_of_others_as_if_they_met_the_rules()
    {
        (await Surely.PutAsync(TwoFactor, new { value = "true" })).Expect(HttpStatusCode.OK);
        (await Surely.PutAsync(Networks, new { value = "127.0.0.0/8, ::1" })).Expect(HttpStatusCode.OK);
        var who = (await Surely.GetAsync("/api/v1/who-can?device=web1")).Expect(HttpStatusCode.OK).Items;
        who.Select(one => one.GetProperty("login").GetString()).ShouldContain("ann");
        (await Surely.GetAsync("/api/v1/explain?device=web1&person=ann")).Expect(HttpStatusCode.OK).Body.GetProperty("decision").GetString().ShouldBe("allowed");
    }

    [Fact]
    public async Task A_session_whose_sign_in_is_not_enough_any_more_is_cut_off()
    {
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        (await Surely.PutAsync(TwoFactor, new { value = "true" })).Expect(HttpStatusCode.OK);
        session.Ending.WaitHandle.WaitOne(TimeSpan.FromSeconds(30)).ShouldBeTrue();
        session.End!.Value.Reason.ShouldBe(EndReason.PermissionRevoked);
    }
}
