using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>Real clients with a key or a password, and then a code.</summary>
public sealed class TwoFactorTests : IAsyncLifetime
{
    private readonly MovedTime _time = new();
    private TestGateway _gateway = null!;
    private Phone _phone = null!;

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync(options => options with { Time = _time });
        using var tina = await _gateway.SignInAsync(_gateway.Tina);
        _phone = await Phone.EnrolAsync(tina, _gateway.Tina.Password, _time);
    }

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync();

    [Theory]
    [InlineData("key", "Code: ")]
    [InlineData("password", "tina+web01@127.0.0.1's password: |Code: ")]
    [InlineData("interactive", "Password: |Code: ")]
    public async Task OpenSSH_is_asked_for_the_code_after_the_first_factor(string first, string asked)
    {
        var outcome = await SshAsync(First(first).ThenCode(_phone.Next()));
        outcome.Text.ShouldBe("in\n", outcome.ToString());
        var prompts = _gateway.Client.Prompts.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Replace("(tina+web01@127.0.0.1) ", "", StringComparison.Ordinal));
        string.Join('|', prompts).ShouldBe(asked);
        await _gateway.EndedSessionAsync();
        var records = (await _gateway.Owner.GetAsync("audit?kind=sign-in.succeeded&limit=1"))["items"]!.AsArray();
        ((string)records[0]!["details"]!["method"]!).ShouldEndWith(" and code");
    }

    [Theory]
    [InlineData("key")]
    [InlineData("password")]
    [InlineData("interactive")]
    public async Task OpenSSH_is_not_let_in_without_the_code_nor_with_a_wrong_one(string first)
    {
        (await SshAsync(First(first))).Error.ShouldContain("Permission denied");
        var wrong = await SshAsync(First(first).ThenCode("000000"));
        wrong.ExitCode.ShouldBe(255);
        wrong.Error.ShouldContain("Permission denied");
        (await _gateway.SessionsAsync("ended")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_code_and_a_recovery_code_open_the_door_once()
    {
        var code = _phone.Next();
        (await SshAsync(_gateway.Tina.ByKey.ThenCode(code))).Text.ShouldBe("in\n");
        (await SshAsync(_gateway.Tina.ByKey.ThenCode(code))).Error.ShouldContain("Permission denied");
        (await SshAsync(_gateway.Tina.ByKey.ThenCode(_phone.RecoveryCodes[0]))).Text.ShouldBe("in\n");
        (await SshAsync(_gateway.Tina.ByKey.ThenCode(_phone.RecoveryCodes[0]))).Error.ShouldContain("Permission denied");
    }

    [Theory]
    [InlineData("key", "in|Code: ")]
    [InlineData("password", "in|Code: ")]
    [InlineData("interactive", "in|Password: |Code: ")]
    public async Task Paramiko_goes_the_same_way(string method, string result)
    {
        (await ParamikoAsync(method, _phone.Next())).ShouldBe(result);
        (await ParamikoAsync(method, "000000")).ShouldBe(result.Replace("in|", "out|", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Resetting_the_second_factor_ends_the_connection()
    {
        await using var ssh = await RunningAsync(_gateway.Tina.ByKey.ThenCode(_phone.Next()));
        await _gateway.Owner.PostAsync($"technicians/{_gateway.Tina.Id}/two-factor/reset");
        (await ssh.EndAsync()).Error.ShouldContain("your second factor was reset");
        (await SshAsync(_gateway.Tina.ByKey)).Text.ShouldBe("in\n");
    }

    private Credential First(string first) => first switch
    {
        "key" => _gateway.Tina.ByKey,
        "password" => _gateway.Tina.ByPassword,
        _ => Credential.Interactive(_gateway.Tina.Password),
    };

    private Task<Outcome> SshAsync(Credential credential) => _gateway.Client.SshAsync("tina+web01", credential, "echo in");

    private async Task<RunningCommand> RunningAsync(Credential credential)
    {
        var ssh = _gateway.Client.StartSsh("tina+web01", credential, "echo ready; cat");
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Contains("ready", StringComparison.Ordinal), "the command to run", () => ssh.ErrorSoFar);
        return ssh;
    }

    private async Task<string> ParamikoAsync(string method, string code)
    {
        var secret = method == "key" ? _gateway.Tina.Key.PrivatePath : _gateway.Tina.Password;
        var outcome = await RunningCommand.RunAsync(
            "/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "paramiko_two_factor.py"), $"{_gateway.Server.SshAddress.Port}", method, "tina+web01", secret, code]);
        outcome.ExitCode.ShouldBe(0, outcome.ToString());
        return outcome.Text.TrimEnd('\n');
    }
}
