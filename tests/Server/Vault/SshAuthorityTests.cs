using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;
using Countersign.Reach;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Vault;

public sealed class SshAuthorityTests
{
    [Fact]
    public async Task Of_many_that_need_it_at_once_one_makes_it()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => lab.SendAsync(HttpMethod.Get, "ssh/ca", token: ann)));
        var line = answers.Select(answer => answer.Json["trustedUserCAKeys"]!.GetValue<string>()).Distinct().ShouldHaveSingleItem();
        line.ShouldStartWith("ssh-ed25519 ");
        line.ShouldEndWith($" countersign-{lab.Organization}\n");
        (await RowsAsync(lab)).ShouldHaveSingleItem();
        (await lab.AuditAsync()).Count(record => record.Kind == "authority.created").ShouldBe(1);
    }

    [Fact]
    public async Task A_master_administrator_sees_what_devices_are_to_trust_before_there_is_any_group_of_them()
    {
        await using var running = await RunningServer.StartAsync();
        var tenant = await Tenant.FoundAsync(running, "acme");
        var nobody = await tenant.AddTechnicianAsync("nobody");
        (await tenant.Owner.GetAsync("/api/v1/ssh/ca")).Expect(HttpStatusCode.OK).Body.GetProperty("authorities").GetArrayLength().ShouldBe(1);
        (await tenant.As(nobody).GetAsync("/api/v1/ssh/ca")).Expect(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_certificate_is_for_the_account_for_minutes_and_permits_what_the_session_is_for()
    {
        await using var lab = await IdentityLab.StartAsync();
        await MakeCertifiedAsync(lab, "root");
        (SessionKind Kind, string[] Permits)[] kinds = [(SessionKind.Shell, ["permit-pty"]), (SessionKind.Command, ["permit-pty"]), (SessionKind.Files, []), (SessionKind.Tunnel, ["permit-port-forwarding"])];
        var serials = new HashSet<ulong>();
        var holders = new HashSet<string>();
        foreach (var (kind, permits) in kinds)
        {
            using var opened = (AccountCredential.Certificates)(await lab.OpenAsync(lab.Web, "root", kind))!;
            var certificate = opened.Issued.ShouldHaveSingleItem();
            certificate.Extensions.Select(extension => extension.Name).ShouldBe(permits);
            certificate.CriticalOptions.ShouldBeEmpty();
            certificate.Principals.ShouldBe(["root"]);
            (certificate.ValidAfter - lab.Clock.GetUtcNow(), certificate.ValidBefore - lab.Clock.GetUtcNow()).ShouldBe((TimeSpan.FromSeconds(-30), TimeSpan.FromMinutes(2)));
            certificate.Key.ShouldBe(opened.Holder.PublicKey);
            serials.Add(certificate.Serial).ShouldBeTrue();
            holders.Add(certificate.Key.Fingerprint).ShouldBeTrue();
            var record = (await lab.AuditAsync())[^1];
            (record.Kind, record.ActorLogin, record.SubjectId).ShouldBe(("account.certificate-issued", "tom", lab.Web.Id.Value));
            certificate.KeyId.ShouldBe($"tom {record.Correlation}");
            JsonNode.Parse(record.Details)!["serial"]!.GetValue<string>().ShouldBe($"{certificate.Serial}");
        }
    }

    [Fact]
    public async Task After_a_change_of_keys_both_certify_until_the_old_one_is_removed()
    {
        await using var lab = await IdentityLab.StartAsync();
        var ann = await lab.TokenOfAsync("ann");
        await MakeCertifiedAsync(lab, "root");
        var first = Keys(await lab.SendAsync(HttpMethod.Get, "ssh/ca", token: ann)).ShouldHaveSingleItem();
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        var both = Keys(await lab.SendAsync(HttpMethod.Post, "ssh/ca/rotate", token: ann));
        both.Count.ShouldBe(2);
        both[1].ShouldBe(first);
        (await IssuersAsync(lab)).ShouldBe(both.Select(key => key.Key));
        (await lab.SendAsync(HttpMethod.Post, "ssh/ca/rotate", token: ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        (await lab.SendAsync(HttpMethod.Delete, $"ssh/ca/{both[0].Id}", token: ann)).Status.ShouldBe(HttpStatusCode.Conflict);
        Keys(await lab.SendAsync(HttpMethod.Delete, $"ssh/ca/{first.Id}", token: ann)).ShouldBe([both[0]]);
        (await lab.SendAsync(HttpMethod.Delete, $"ssh/ca/{first.Id}", token: ann)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await IssuersAsync(lab)).ShouldBe([both[0].Key]);
        (await lab.AuditAsync()).Where(record => record.Kind.StartsWith("authority.", StringComparison.Ordinal)).Select(record => (record.Kind, record.ActorLogin))
            .ShouldBe([("authority.created", ""), ("authority.rotated", "ann"), ("authority.removed", "ann")]);
    }

    [Fact]
    public async Task What_devices_trust_is_shown_to_who_adds_them_and_changed_by_master_administrators()
    {
        await using var lab = await IdentityLab.StartAsync();
        var tom = await lab.TokenOfAsync("tom");
        (await lab.SendAsync(HttpMethod.Get, "ssh/ca", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await RowsAsync(lab)).ShouldBeEmpty();
        (await lab.Get<PolicyWriter>().ApplyAsync(
            lab.AsAnn,
            new PolicyCommand.AddGrant(new(Guid.NewGuid()), GrantSubject.To(lab.Tom.Id), GrantScope.Of(lab.Web.Group), SystemRoles.FullDeviceAccess.Id, GrantAccounts.Any, GrantWindow.Always),
            IdentityLab.Stop)).ShouldBeOfType<PolicyOutcome.Applied>();
        (await lab.SendAsync(HttpMethod.Get, "ssh/ca", token: tom)).Status.ShouldBe(HttpStatusCode.OK);
        (await lab.SendAsync(HttpMethod.Post, "ssh/ca/rotate", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.SendAsync(HttpMethod.Delete, $"ssh/ca/{(await RowsAsync(lab)).Single().Id}", token: tom)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_key_moved_to_another_purpose_or_changed_certifies_nothing()
    {
        await using var lab = await IdentityLab.StartAsync();
        await MakeCertifiedAsync(lab, "root");
        await lab.Get<SshAuthorities>().ListAsync(lab.Organization, AuthorityPurpose.FrontDoor, IdentityLab.Stop);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Certificate, ""));
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization,
            async (db, stop) =>
            {
                await db.Set<SshAuthority>().Where(row => row.Purpose == AuthorityPurpose.Accounts).ExecuteDeleteAsync(stop);
                await db.Set<SshAuthority>().ExecuteUpdateAsync(set => set.SetProperty(row => row.Purpose, AuthorityPurpose.Accounts), stop);
            },
            IdentityLab.Stop);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBeNull();
        lab.Log.Lines.ShouldContain(line => line.Contains("does not open") && line.StartsWith("Error"));
    }

    [Fact]
    public async Task The_two_purposes_have_keys_of_their_own()
    {
        await using var lab = await IdentityLab.StartAsync();
        var authorities = lab.Get<SshAuthorities>();
        (await authorities.TrustedAsync(lab.Organization, AuthorityPurpose.FrontDoor, IdentityLab.Stop)).ShouldBeEmpty();
        foreach (var purpose in Enum.GetValues<AuthorityPurpose>()) await authorities.ListAsync(lab.Organization, purpose, IdentityLab.Stop);
        var accounts = await authorities.TrustedAsync(lab.Organization, AuthorityPurpose.Accounts, IdentityLab.Stop);
        var door = await authorities.TrustedAsync(lab.Organization, AuthorityPurpose.FrontDoor, IdentityLab.Stop);
        accounts.ShouldHaveSingleItem().ShouldNotBe(door.ShouldHaveSingleItem());
    }

    private static async Task MakeCertifiedAsync(IdentityLab lab, string account) =>
        (await lab.SendAsync(HttpMethod.Put, $"devices/{lab.Web.Id}/accounts/{account}", new JsonObject { ["certificate"] = true }, await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.OK);

    private static async Task<IReadOnlyList<string>> IssuersAsync(IdentityLab lab)
    {
        using var opened = (AccountCredential.Certificates)(await lab.OpenAsync(lab.Web, "root"))!;
        return [.. opened.Issued.Select(certificate => certificate.Authority.ToString())];
    }

    private static IReadOnlyList<(string Id, string Key)> Keys(Answer answer)
    {
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        return [.. answer.Json["authorities"]!.AsArray().Select(one => (one!["id"]!.GetValue<string>(), one["publicKey"]!.GetValue<string>()))];
    }

    private static async Task<List<SshAuthority>> RowsAsync(IdentityLab lab)
    {
        await using var db = lab.Get<Database>().Read(lab.Organization);
        return await db.Set<SshAuthority>().AsNoTracking().ToListAsync(IdentityLab.Stop);
    }
}
