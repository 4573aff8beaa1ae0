using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Ssh;

namespace Countersign.EndToEnd;

/// <summary>The stock client with a certificate that stands for a sign-in, and what ends with that sign-in.</summary>
public sealed class DoorCertificateTests : IAsyncLifetime
{
    private const string Suffix = "-cert.pub";
    private const string Another = "another lantern for the marble orchard 17";

    private readonly MovedTime _time = new();
    private readonly TempFolder _folder = new();
    private TestGateway _gateway = null!;
    private Api _tina = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync(options => options with { Time = _time });
        _tina = await _gateway.SignInAsync(_gateway.Tina);
        await _gateway.Owner.PutAsync("settings/organization/idleTimeout", new() { ["value"] = "none" });
    }

    public async ValueTask DisposeAsync()
    {
        _tina.Dispose();
        await _gateway.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_lets_its_person_in_and_nobody_else_and_the_log_says_which_it_was()
    {
        var certified = await CertifyAsync(_tina);
        (await SshAsync("tina", certified)).Text.ShouldBe("in\n");
        await _gateway.EndedSessionAsync();
        var issued = await LatestAsync("sign-in.certificate-issued");
        var succeeded = await LatestAsync("sign-in.succeeded");
        ((string)succeeded["details"]!["method"]!).ShouldBe($"certificate {issued["details"]!["serial"]}");
        ((string)succeeded["actor"]!["login"]!).ShouldBe("tina");

        var theo = await _gateway.AddPersonAsync("theo");
        await _gateway.GrantAsync(theo, _gateway.Role);
        (await SshAsync("theo", theo.Key)).Text.ShouldBe("in\n");
        await RefusedAsync(certified, "theo");
        await RefusedAsync(certified, "nobody");
    }

    [Theory]
    [InlineData("sign-out")]
    [InlineData("others")]
    [InlineData("one")]
    [InlineData("password")]
    [InlineData("reset")]
    [InlineData("disabled")]
    [InlineData("authority")]
    public async Task It_ends_with_its_sign_in_and_so_do_the_connections_that_it_opened(string way)
    {
        var certified = await CertifyAsync(_tina);
        using var elsewhere = await _gateway.SignInAsync(_gateway.Tina);
        await using var running = await RunningAsync(certified);
        switch (way)
        {
            case "sign-out":
                await _tina.PostAsync("sign-out");
                break;
            case "others":
                await elsewhere.DeleteAsync("me/sign-ins");
                break;
            case "one":
                var mine = (await _tina.GetAsync("me/sign-ins"))["items"]!.AsArray().Single(item => (bool)item!["current"]!)!;
                await elsewhere.DeleteAsync($"me/sign-ins/{mine["id"]}");
                break;
            case "password":
                await elsewhere.PostAsync("me/password", new() { ["current"] = _gateway.Tina.Password, ["new"] = Another });
                break;
            case "reset":
                await _gateway.Owner.PostAsync($"technicians/{_gateway.Tina.Id}/two-factor/reset");
                break;
            case "authority":
                _time.Move(TimeSpan.FromSeconds(1));
                var old = (await _gateway.Owner.PostAsync("ssh/door-ca/rotate"))["authorities"]![1]!["id"]!;
                (await SshAsync("tina", certified)).Text.ShouldBe("in\n");
                await _gateway.Owner.DeleteAsync($"ssh/door-ca/{old}");
                break;
            default:
                await _gateway.Owner.PostAsync($"technicians/{_gateway.Tina.Id}/disable");
                break;
        }

        await RefusedAsync(certified);
        var ended = await running.EndAsync();
        ended.ExitCode.ShouldBe(255, ended.ToString());
        await RefusedAsync(certified);
    }

    [Fact]
    public async Task It_is_as_strong_as_its_sign_in_and_says_nothing_of_that_itself()
    {
        var weak = await CertifyAsync(_tina);
        using var elsewhere = await _gateway.SignInAsync(_gateway.Tina);
        await Phone.EnrolAsync(elsewhere, _gateway.Tina.Password, _time);
        await RefusedAsync(weak);

        // Enrolled by the same sign-in that this one stands for: from then on that is one with both.
        var strong = await CertifyAsync(elsewhere);
        (await SshAsync("tina", strong)).Text.ShouldBe("in\n");
        _gateway.Client.Prompts.ShouldBeEmpty();
        await using var running = await RunningAsync(strong);
        var shown = (await elsewhere.GetAsync("me/sign-ins"))["items"]!.AsArray().Single(item => (string)item!["kind"]! == "ssh")!;
        ((string)shown["signIn"]!).ShouldBe("twoFactor");
        await elsewhere.PostAsync("sign-out");
        (await running.EndAsync()).Error.ShouldContain("the sign-in that the certificate stands for has ended");
    }

    [Fact]
    public async Task Connections_end_when_their_sign_in_becomes_too_old_however_they_signed_in()
    {
        var certified = await CertifyAsync(_tina);
        _time.Move(TimeSpan.FromHours(2));
        await using var byCertificate = await RunningAsync(certified);
        await using var byKey = await RunningAsync(_gateway.Tina.Key);
        _time.Move(TimeSpan.FromHours(9.9));
        await EchoesAsync(byCertificate);
        _time.Move(TimeSpan.FromHours(0.2));
        (await byCertificate.EndAsync()).Error.ShouldContain("you signed in too long ago: sign in again");
        await RefusedAsync(certified);
        await EchoesAsync(byKey);
        _time.Move(TimeSpan.FromHours(1.9));
        (await byKey.EndAsync()).Error.ShouldContain("you signed in too long ago: sign in again");
    }

    [Fact]
    public async Task A_shorter_lifetime_ends_the_connections_that_are_older_at_once()
    {
        await using var old = await RunningAsync(_gateway.Tina.Key);
        _time.Move(TimeSpan.FromMinutes(20));
        await using var young = await RunningAsync(_gateway.Tina.Key);
        await _gateway.Owner.PutAsync("settings/organization/signInLifetime", new() { ["value"] = "10m" });
        (await old.EndAsync()).Error.ShouldContain("you signed in too long ago: sign in again");
        await EchoesAsync(young);
    }

    [Fact]
    public async Task One_that_somebody_else_has_signed_is_none()
    {
        var certified = await CertifyAsync(_tina);
        var own = await Keys.GenerateAsync(_folder, "forger");
        var text = (await RunningCommand.RunAsync("ssh-keygen", ["-L", "-f", certified.PrivatePath + Suffix])).Text;
        var id = text.Split("Key ID: \"")[1].Split('"')[0];
        var pair = await Keys.GenerateAsync(_folder, "forged");
        await RunningCommand.MustAsync("ssh-keygen", "-q", "-s", own.PrivatePath, "-I", id, "-n", _gateway.Tina.Id, "-V", "-5m:+5m", pair.PublicPath);
        await RefusedAsync(pair);
        (await SshAsync("tina", certified)).Text.ShouldBe("in\n");
    }

    [Fact]
    public async Task No_device_that_trusts_the_organization_s_authority_accepts_it()
    {
        var trusted = _folder.Write("trusted", (string)(await _gateway.Owner.GetAsync("ssh/ca"))["trustedUserCAKeys"]!);
        var principals = _folder.Write("principals", _gateway.Tina.Id + "\n");
        await using var device = await PrivateSshd.StartAsync(extra: $"TrustedUserCAKeys {trusted}\nAuthorizedPrincipalsFile {principals}");
        using var direct = OpenSsh.To(device);
        var certified = await CertifyAsync(_tina);
        (await direct.SshAsync(PrivateSshd.User, Credential.Key(certified), "true")).Error.ShouldContain("Permission denied");

        // Nothing but the authority was in its way.
        SshCertificate.TryParse(File.ReadAllText(certified.PrivatePath + Suffix), out var certificate).ShouldBeTrue();
        File.AppendAllText(trusted, $"{certificate.Authority}\n");
        (await direct.SshAsync(PrivateSshd.User, Credential.Key(certified), "true")).ExitCode.ShouldBe(0);
    }

    /// <summary>A pair of keys with the certificate beside it, where ssh looks for it.</summary>
    private async Task<KeyPair> CertifyAsync(Api caller)
    {
        var pair = await Keys.GenerateAsync(_folder, $"id_{Guid.NewGuid():N}");
        var made = await caller.PostAsync("me/certificate", new() { ["key"] = pair.PublicLine });
        _folder.Write(Path.GetFileName(pair.PrivatePath) + Suffix, (string)made["certificate"]! + "\n");
        return pair;
    }

    private async Task<JsonNode> LatestAsync(string kind) => (await _gateway.Owner.GetAsync($"audit?kind={kind}&limit=1"))["items"]!.AsArray().Single()!;

    private Task<Outcome> SshAsync(string login, KeyPair pair) => _gateway.Client.SshAsync($"{login}+web01", Credential.Key(pair), "echo in");

    private async Task RefusedAsync(KeyPair pair, string login = "tina") => (await SshAsync(login, pair)).Error.ShouldContain("Permission denied");

    private async Task<RunningCommand> RunningAsync(KeyPair pair)
    {
        var ssh = _gateway.Client.StartSsh("tina+web01", Credential.Key(pair), "echo ready; cat");
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains("ready", StringComparison.Ordinal), "the command to run", () => ssh.ErrorSoFar);
        return ssh;
    }

    private static async Task EchoesAsync(RunningCommand ssh)
    {
        await ssh.Input.WriteAsync("still here\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await ssh.Input.FlushAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains("still here", StringComparison.Ordinal), "the session to go on", () => ssh.ErrorSoFar);
    }
}
