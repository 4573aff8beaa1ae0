using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Reach;
using Countersign.Server.Features.Vault;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.EndToEnd;

/// <summary>How the gateway recognizes real devices: by pinned keys, by the key that is seen first, by certificates of hosts.</summary>
public sealed class HostKeyTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly KeptLog _log = new();
    private TestGateway _gateway = null!;
    private string _id = "";
    private Func<Task> _meanwhile = () => Task.CompletedTask;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(host: builder =>
    {
        builder.Logging.AddProvider(_log);
        builder.Services.AddSingleton<IAccountVault>(services => new VaultThatTakesTime(services.GetRequiredService<AccountVault>(), () => _meanwhile()));
    });

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_device_without_a_pinned_key_is_not_opened_unless_the_organization_says_so()
    {
        await AddAsync(_gateway.Sshd, hostKey: "");
        await RefusedAsync("web02 has no pinned host key: an administrator has to confirm it first");
        (await PinnedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_many_first_connections_at_once_one_pins_the_key_and_all_get_in()
    {
        await _gateway.Owner.PutAsync("settings/organization/hostKeyTrust", new() { ["value"] = "firstUse" });
        await AddAsync(_gateway.Sshd, hostKey: "");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => SshAsync()));
        outcomes.ShouldAllBe(outcome => outcome.Text == "in\n");
        (await PinnedAsync()).ShouldBe(_gateway.Sshd.HostKey.PublicLine);
        var pinned = (await RecordsAsync("device.hostKeyPinned")).ShouldHaveSingleItem();
        ((string)pinned["actor"]!["login"]!, (string)pinned["channel"]!).ShouldBe(("tina", "system"));
        (await RecordsAsync("policy.changed")).Count(record => (string)record["details"]!["command"]! == "PinHostKey").ShouldBe(1);

        // From here on it is pinned like any other.
        await _gateway.Owner.PutAsync("settings/organization/hostKeyTrust", new() { ["value"] = "pinned" });
        (await SshAsync()).Text.ShouldBe("in\n");
    }

    [Fact]
    public async Task A_key_that_has_changed_blocks_and_is_told_once_until_somebody_confirms_the_new_one()
    {
        await _gateway.Owner.PutAsync("settings/organization/hostKeyTrust", new() { ["value"] = "firstUse" });
        var stale = await Keys.GenerateAsync(_folder, "stale");
        await AddAsync(_gateway.Sshd, stale.PublicLine);
        for (var i = 0; i < 3; i++) await RefusedAsync("the host key of web02 is not the pinned one; nothing was sent to it");
        var lines = _log.Lines.Where(line => line.Contains("Host key of web02", StringComparison.Ordinal)).ToList();
        lines.Count.ShouldBe(3);
        lines.ShouldAllBe(line => line.Contains(" is SHA256:") && line.Contains("pinned is SHA256:") && !line.Contains("AAAA"));
        var alert = (await DeviceAsync())["hostKeyAlert"]!;
        ((string)alert["offered"]!, (long)alert["refused"]!).ShouldBe((_gateway.Sshd.HostKey.PublicLine, 3));
        (await RecordsAsync("device.hostKeyChanged")).ShouldHaveSingleItem()["details"]!["offered"]!.GetValue<string>().ShouldBe((string)alert["fingerprint"]!);
        using (var tina = await _gateway.SignInAsync(_gateway.Tina)) (await tina.GetAsync($"devices/{_id}"))["hostKeyAlert"].ShouldBeNull();

        var confirmed = await PatchAsync(_gateway.Sshd.HostKey.PublicLine);
        confirmed["hostKeyAlert"].ShouldBeNull();
        await RefusedAsync("no secret is stored");
        await StoreAsync(_gateway.Sshd);
        (await SshAsync()).Text.ShouldBe("in\n");
    }

    [Fact]
    public async Task Confirming_the_key_that_is_pinned_settles_the_alert_and_keeps_what_is_stored()
    {
        await AddAsync(_gateway.Sshd, (await Keys.GenerateAsync(_folder, "real")).PublicLine);
        await RefusedAsync("is not the pinned one");
        (await PatchAsync(await PinnedAsync()))["hostKeyAlert"].ShouldBeNull();
        await RefusedAsync("is not the pinned one");
        ((long)(await DeviceAsync())["hostKeyAlert"]!["refused"]!).ShouldBe(1);
    }

    [Fact]
    public async Task A_certificate_of_an_authority_that_the_organization_trusts_stands_for_a_pinned_key()
    {
        var authority = await Keys.GenerateAsync(_folder, "authority");
        await using var device = await CertifiedDeviceAsync(authority, "127.0.0.1", "+1h");
        await AddAsync(device, hostKey: "");
        await RefusedAsync("web02 has no pinned host key");
        await TrustAsync((await Keys.GenerateAsync(_folder, "another")).PublicLine);
        await RefusedAsync("web02 has no pinned host key");
        await TrustAsync(authority.PublicLine);
        (await SshAsync()).Text.ShouldBe("in\n");
        (await PinnedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_authority_that_is_taken_away_while_the_secret_is_read_stands_for_no_device_any_more()
    {
        var authority = await Keys.GenerateAsync(_folder, "authority");
        await using var device = await CertifiedDeviceAsync(authority, "127.0.0.1", "+1h");
        await AddAsync(device, hostKey: "");
        await TrustAsync(authority.PublicLine);
        _meanwhile = () => TrustAsync("none");
        await RefusedAsync("web02 has no pinned host key");
        device.Log.ShouldNotContain("Accepted ");
    }

    [Fact]
    public async Task Beside_trusted_authorities_nothing_is_pinned_because_it_was_seen_first()
    {
        await _gateway.Owner.PutAsync("settings/organization/hostKeyTrust", new() { ["value"] = "firstUse" });
        await TrustAsync((await Keys.GenerateAsync(_folder, "authority")).PublicLine);
        await AddAsync(_gateway.Sshd, hostKey: "");
        await RefusedAsync("web02 has no pinned host key and showed no certificate of an authority that the organization trusts");
        (await PinnedAsync()).ShouldBeEmpty();

        await TrustAsync("none");
        (await SshAsync()).Text.ShouldBe("in\n");
    }

    [Theory]
    [InlineData("127.0.0.2", "+1h")]
    [InlineData("127.0.0.1", "20200101:20200102")]
    public async Task A_certificate_for_another_host_or_out_of_time_stands_for_nothing(string host, string time)
    {
        var authority = await Keys.GenerateAsync(_folder, "authority");
        await using var device = await CertifiedDeviceAsync(authority, host, time);
        await AddAsync(device, hostKey: "");
        await TrustAsync(authority.PublicLine);
        await RefusedAsync("web02 has no pinned host key");

        // Its pinned key is as good as anybody's.
        await PatchAsync(device.HostKey.PublicLine);
        await StoreAsync(device);
        (await SshAsync()).Text.ShouldBe("in\n");
    }

    private async Task AddAsync(PrivateSshd device, string hostKey) => _id = await _gateway.AddDeviceAsync("web02", device.Port, hostKey, device.ClientKey.PrivateText);

    private Task<JsonNode> StoreAsync(PrivateSshd device) =>
        _gateway.Owner.PutAsync($"devices/{_id}/accounts/{PrivateSshd.User}", new() { ["privateKey"] = device.ClientKey.PrivateText });

    /// <summary>An sshd that has, besides its usual host key, one with a certificate.</summary>
    private async Task<PrivateSshd> CertifiedDeviceAsync(KeyPair authority, string host, string time)
    {
        var own = await Keys.GenerateAsync(_folder, "certified", "ecdsa");
        await RunningCommand.MustAsync("ssh-keygen", "-q", "-s", authority.PrivatePath, "-h", "-I", "the device", "-n", host, "-V", time, own.PublicPath);
        return await PrivateSshd.StartAsync(extra: $"HostKey {own.PrivatePath}\nHostCertificate {own.PrivatePath}-cert.pub");
    }

    private Task<JsonNode> TrustAsync(string authority) => _gateway.Owner.PutAsync("settings/organization/trustedHostAuthorities", new() { ["value"] = authority });

    private Task<JsonNode> DeviceAsync() => _gateway.Owner.GetAsync($"devices/{_id}");

    private async Task<string> PinnedAsync() => (string)(await DeviceAsync())["services"]![0]!["hostKey"]!;

    private async Task<JsonNode> PatchAsync(string hostKey)
    {
        var (status, text) = await _gateway.Owner.SendAsync(HttpMethod.Patch, $"devices/{_id}", new()
        {
            ["services"] = new JsonArray(new JsonObject { ["protocol"] = "ssh", ["hostKey"] = hostKey }),
        });
        ((int)status).ShouldBe(200, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<IReadOnlyList<JsonNode>> RecordsAsync(string kind) => [.. (await _gateway.Owner.GetAsync($"audit?kind={kind}"))["items"]!.AsArray().Select(item => item!)];

    private Task<Outcome> SshAsync() => _gateway.Client.SshAsync("tina+web02", _gateway.Tina.ByKey, "echo in");

    private async Task RefusedAsync(string why)
    {
        var refused = await SshAsync();
        refused.ExitCode.ShouldBe(69, refused.ToString());
        refused.Error.ShouldContain(why);
    }

    /// <summary>What happens until it has answered.</summary>
    private sealed class VaultThatTakesTime(AccountVault vault, Func<Task> meanwhile) : IAccountVault
    {
        public async ValueTask<AccountCredential?> OpenAsync(SessionOpening session, CancellationToken cancellation)
        {
            var credential = await vault.OpenAsync(session, cancellation);
            await meanwhile();
            return credential;
        }
    }
}
