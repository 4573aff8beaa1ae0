namespace Countersign.Ssh.Tests;

/// <summary>Another implementation, without strict key exchange and without GCM, against our server.</summary>
public sealed class ParamikoTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("password", "")]
    [InlineData("interactive", "")]
    [InlineData("RSAKey", "rsa")]
    [InlineData("ECDSAKey", "ecdsa")]
    [InlineData("Ed25519Key", "ed25519")]
    public async Task It_logs_in_and_converses(string method, string kind)
    {
        using var folder = new TemporaryFolder();
        if (kind.Length > 0) (await Command.RunAsync("ssh-keygen", ["-q", "-t", kind, "-N", "", "-f", folder["key"]], Cancellation)).ExitCode.ShouldBe(0);
        await using var server = TestServer.Start(() => new TestServerHandler { Decide = Decide }, SshKeyKind.Rsa3072);
        var result = await Command.RunAsync("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "paramiko_client.py"), $"{server.Port}", method, folder["key"], "0"], Cancellation);
        result.Output.ShouldBe("ok\n", result.Error);
        (await server.EndedAsync(1, Cancellation)).ShouldHaveSingleItem().Authenticated.ShouldBeTrue();
    }

    [Theory]
    [InlineData("2", 1L << 30)]
    [InlineData("0", 400_000L)]
    public async Task Either_side_renews_the_keys(string renewalsByClient, long rekeyBytes)
    {
        await using var server = new TestServer(
            new SshServerOptions { HostKeys = [SshPrivateKey.Generate(SshKeyKind.Ed25519)], RekeyBytes = rekeyBytes }, () => new TestServerHandler { Decide = Decide });
        var result = await Command.RunAsync("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "paramiko_client.py"), $"{server.Port}", "password", "", renewalsByClient], Cancellation);
        result.Output.ShouldBe("ok\n", result.Error);
    }

    private static async ValueTask<SshAuthResult> Decide(SshAuthAttempt attempt, CancellationToken cancellation)
    {
        switch (attempt)
        {
            case SshAuthAttempt.Key or SshAuthAttempt.KeyQuery:
                return SshAuthResult.Success;
            case SshAuthAttempt.Password password:
                return password.Value.Expose().SequenceEqual("right"u8) ? SshAuthResult.Success : SshAuthResult.Failure;
            case SshAuthAttempt.Interactive interactive:
                var answers = await interactive.PromptAsync("", "", [new SshPrompt("Password: ", false)], cancellation);
                return answers[0].Expose().SequenceEqual("right"u8) ? SshAuthResult.Success : SshAuthResult.Failure;
            default:
                return SshAuthResult.Failure;
        }
    }
}
