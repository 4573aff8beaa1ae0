using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Server;

namespace Countersign.EndToEnd;

/// <summary>The gateway signs in at a real sshd by certificates of the organization's authority, and nothing of it is stored.</summary>
public sealed class CertificateAccountTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private TestGateway _gateway = null!;

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Shells_commands_files_and_tunnels_get_in_and_the_device_can_tell_whose_session_it_is()
    {
        await StartAsync();
        await _gateway.GrantAsync(_gateway.Tina, await _gateway.AddRoleAsync("Tunnels", "Tunnel"));
        using var service = new TcpListener(IPAddress.Loopback, 0);
        service.Start();
        (await SshAsync("echo in; tty")).Text.ShouldStartWith("in\nnot a tty");
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "tty", default, "-tt")).Text.ShouldContain("/dev/pts/");
        (await _gateway.Client.SftpAsync("tina+web01", _gateway.Tina.ByKey, "pwd\n")).ExitCode.ShouldBe(0);
        var tunnelled = _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, default, "-W", $"{service.LocalEndpoint}");
        using (var arrived = await service.AcceptSocketAsync(TestContext.Current.CancellationToken)) await arrived.SendAsync("through"u8.ToArray(), TestContext.Current.CancellationToken);
        (await tunnelled).Text.ShouldBe("through");

        var issued = (await _gateway.Owner.GetAsync("audit?kind=account.certificate-issued"))["items"]!.AsArray();
        issued.Count.ShouldBe(4);
        foreach (var record in issued)
            _gateway.Sshd.Log.ShouldContain($"ID tina {record!["correlation"]} (serial {record["details"]!["serial"]}) CA ED25519 {record["details"]!["authorities"]![0]}");
        issued.Select(record => (string)record!["details"]!["fingerprint"]!).Distinct().Count().ShouldBe(4);
    }

    [Fact]
    public async Task A_device_that_names_other_principals_refuses_the_account_and_lets_in_the_one_it_names()
    {
        var principals = _folder.Write("principals", "somebody-else\n");
        await StartAsync($"AuthorizedPrincipalsFile {principals}");
        await RefusedAsync();
        File.AppendAllText(principals, PrivateSshd.User + "\n");
        (await SshAsync("echo in")).Text.ShouldBe("in\n");
    }

    [Theory]
    [InlineData(-10, "Certificate invalid: expired")]
    [InlineData(10, "Certificate invalid: not yet valid")]
    public async Task A_certificate_is_good_for_minutes_by_the_device_s_own_clock(int minutes, string told)
    {
        // A server whose clock is off by so much issues what the device takes for old or for not begun.
        var time = new MovedTime();
        time.Move(TimeSpan.FromMinutes(minutes));
        await StartAsync(configure: options => options with { Time = time });
        await RefusedAsync();
        _gateway.Sshd.Log.ShouldContain(told);
    }

    [Fact]
    public async Task A_new_key_locks_nobody_out_and_without_the_old_one_a_device_has_to_trust_the_new_one()
    {
        await StartAsync();
        var rotated = await _gateway.Owner.PostAsync("ssh/ca/rotate");
        (await SshAsync("echo by the old one")).Text.ShouldBe("by the old one\n");
        await _gateway.Owner.DeleteAsync($"ssh/ca/{rotated["authorities"]![1]!["id"]}");
        await RefusedAsync();
        await TrustAsync();
        (await SshAsync("echo by the new one")).Text.ShouldBe("by the new one\n");
    }

    private async Task StartAsync(string sshd = "", Func<ServerOptions, ServerOptions>? configure = null)
    {
        _folder.Write("ca.pub", "");
        _gateway = await TestGateway.StartAsync(configure, sshd: $"TrustedUserCAKeys {_folder["ca.pub"]}\n{sshd}");
        await _gateway.Owner.PutAsync($"devices/{_gateway.DeviceId}/accounts/{PrivateSshd.User}", new JsonObject { ["certificate"] = true });
        await TrustAsync();
    }

    private async Task TrustAsync() => _folder.Write("ca.pub", (string)(await _gateway.Owner.GetAsync("ssh/ca"))["trustedUserCAKeys"]!);

    private Task<Outcome> SshAsync(string command) => _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, command);

    private async Task RefusedAsync()
    {
        var refused = await SshAsync("true");
        refused.ExitCode.ShouldBe(69, refused.ToString());
        refused.Error.ShouldContain($"web01 refused the certificate for the account {PrivateSshd.User}: it has to trust the organization's certificate authority");
    }
}
