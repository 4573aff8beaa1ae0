using System.Security.Cryptography;

namespace Countersign.Ssh.Tests;

/// <summary>The stock client's ways of logging in at our server, and its longer sessions.</summary>
public sealed class OpenSshLoginTests
{
    private static readonly string[] Always =
        ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "NumberOfPasswordPrompts=1"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ed25519", "", "")]
    [InlineData("rsa", "2048", "rsa-sha2-512")]
    [InlineData("rsa", "3072", "rsa-sha2-256")]
    [InlineData("ecdsa", "256", "")]
    [InlineData("ecdsa", "384", "")]
    [InlineData("ecdsa", "521", "")]
    public async Task By_every_kind_of_key(string kind, string bits, string algorithm)
    {
        using var folder = new TemporaryFolder();
        string[] size = bits.Length == 0 ? [] : ["-b", bits];
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", kind, .. size, "-N", "", "-f", folder["key"]], Cancellation)).ExitCode.ShouldBe(0);
        SshPublicKey.TryParse(await File.ReadAllTextAsync(folder["key"] + ".pub", Cancellation), out var key).ShouldBeTrue();
        var handler = new TestServerHandler
        {
            Decide = (attempt, _) => new(attempt switch
            {
                SshAuthAttempt.KeyQuery { Offered: var offered } when offered.Equals(key) => SshAuthResult.Success,
                SshAuthAttempt.Key { Value: var value } when value.Equals(key) => SshAuthResult.Success,
                _ => SshAuthResult.Failure,
            }),
        };
        await using var server = TestServer.Start(() => handler);
        string[] only = algorithm.Length == 0 ? [] : ["-o", $"PubkeyAcceptedAlgorithms={algorithm}"];
        var result = await Command.RunAsync("ssh", [.. Always, .. only, "-p", $"{server.Port}", "-i", folder["key"], "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "alice@127.0.0.1", "both"], Cancellation);
        result.Output.ShouldBe("to output", result.Error);
        handler.Attempts[^1].ShouldBeOfType<SshAuthAttempt.Key>().User.ShouldBe("alice");
    }

    [Fact]
    public async Task An_RSA_key_for_SHA_1_only_is_not_let_in()
    {
        using var folder = new TemporaryFolder();
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", folder["key"]], Cancellation)).ExitCode.ShouldBe(0);
        var handler = new TestServerHandler { Decide = (attempt, _) => new(attempt is SshAuthAttempt.None ? SshAuthResult.Failure : SshAuthResult.Success) };
        await using var server = TestServer.Start(() => handler);
        var result = await Command.RunAsync(
            "ssh", [.. Always, "-o", "PubkeyAcceptedAlgorithms=ssh-rsa", "-p", $"{server.Port}", "-i", folder["key"], "-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey", "-o", "BatchMode=yes", "alice@127.0.0.1", "both"], Cancellation);
        result.ExitCode.ShouldBe(255);
        handler.Attempts.ShouldAllBe(attempt => attempt is SshAuthAttempt.None);
    }

    [Fact]
    public async Task By_keyboard_interactive_with_two_questions()
    {
        var handler = new TestServerHandler
        {
            Methods = ["keyboard-interactive"],
            BannerText = "authorized use only\n",
            Decide = async (attempt, cancellation) =>
            {
                if (attempt is not SshAuthAttempt.Interactive interactive) return SshAuthResult.Failure;
                var first = await interactive.PromptAsync("", "", [new SshPrompt("Password: ", false)], cancellation);
                var right = first[0].ExposeText() == "right";
                var second = await interactive.PromptAsync("", "", [new SshPrompt("One more password: ", false)], cancellation);
                return right && second[0].ExposeText() == "right" ? SshAuthResult.Success : SshAuthResult.Failure;
            },
        };
        await using var server = TestServer.Start(() => handler);
        using var folder = new TemporaryFolder();
        var askpass = folder.Write("askpass", "#!/bin/sh\necho right\n"u8);
        File.SetUnixFileMode(askpass, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var result = await Command.RunAsync(
            "ssh", ["-o", "LogLevel=INFO", .. Always, "-p", $"{server.Port}", "alice@127.0.0.1", "both"], ReadOnlyMemory<byte>.Empty, Cancellation,
            new Dictionary<string, string> { ["SSH_ASKPASS"] = askpass, ["SSH_ASKPASS_REQUIRE"] = "force" });
        result.Output.ShouldBe("to output", result.Error);
        result.Error.ShouldContain("authorized use only");
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        await using var server = TestServer.Start();
        var result = await ByPassword(server, "wrong", [], "both", ReadOnlyMemory<byte>.Empty);
        result.ExitCode.ShouldBe(255, result.Error);
        result.Output.ShouldBeEmpty();
        (await server.EndedAsync(1, Cancellation)).ShouldHaveSingleItem().Authenticated.ShouldBeFalse();
    }

    [Fact]
    public async Task The_keys_are_renewed_by_the_client_under_load()
    {
        await using var server = TestServer.Start();
        var data = RandomNumberGenerator.GetBytes(16 * 1024 * 1024);
        var result = await ByPassword(server, "right", ["-v", "-o", "RekeyLimit=1M"], "cat", data);
        result.ExitCode.ShouldBe(0);
        SHA256.HashData(result.OutputBytes).ShouldBe(SHA256.HashData(data));
        result.Error.Split("SSH2_MSG_NEWKEYS received").Length.ShouldBeGreaterThan(8);
    }

    [Fact]
    public async Task The_keys_are_renewed_by_the_server_under_load()
    {
        await using var server = new TestServer(new SshServerOptions { HostKeys = [SshPrivateKey.Generate(SshKeyKind.Ed25519)], RekeyBytes = 1 << 20 }, () => new TestServerHandler());
        var data = RandomNumberGenerator.GetBytes(16 * 1024 * 1024);
        var result = await ByPassword(server, "right", ["-v"], "cat", data);
        result.ExitCode.ShouldBe(0);
        SHA256.HashData(result.OutputBytes).ShouldBe(SHA256.HashData(data));
        result.Error.Split("SSH2_MSG_NEWKEYS received").Length.ShouldBeGreaterThan(8);
    }

    [Fact]
    public async Task The_keys_are_renewed_by_both_sides_at_once_under_load()
    {
        await using var server = new TestServer(new SshServerOptions { HostKeys = [SshPrivateKey.Generate(SshKeyKind.Ed25519)], RekeyBytes = 900_000 }, () => new TestServerHandler());
        var data = RandomNumberGenerator.GetBytes(16 * 1024 * 1024);
        var result = await ByPassword(server, "right", ["-v", "-o", "RekeyLimit=1M"], "cat", data);
        result.ExitCode.ShouldBe(0);
        SHA256.HashData(result.OutputBytes).ShouldBe(SHA256.HashData(data));
        result.Error.Split("SSH2_MSG_NEWKEYS received").Length.ShouldBeGreaterThan(8);
    }

    [Fact]
    public async Task A_terminal_and_variables_are_asked_for()
    {
        await using var server = TestServer.Start();
        var result = await ByPassword(server, "right", ["-tt", "-o", "SetEnv=LANG=C.UTF-8 TERM=xterm"], "seen", ReadOnlyMemory<byte>.Empty);
        result.Output.ShouldContain("LANG=C.UTF-8");
        result.Output.ShouldContain("xterm 0x0");
    }

    [Fact]
    public async Task One_connection_carries_many_sessions()
    {
        using var folder = new TemporaryFolder();
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder["key"]], Cancellation)).ExitCode.ShouldBe(0);
        await using var server = TestServer.Start(() => new TestServerHandler { Decide = (attempt, _) => new(attempt is SshAuthAttempt.None ? SshAuthResult.Failure : SshAuthResult.Success) });
        string[] shared = [.. Always, "-o", $"ControlPath={folder["control"]}", "-p", $"{server.Port}", "-i", folder["key"], "-o", "BatchMode=yes", "alice@127.0.0.1"];
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(folder.Path, "control");
        watcher.Created += (_, _) => listening.TrySetResult();
        watcher.EnableRaisingEvents = true;
        var master = Command.RunAsync("ssh", ["-M", "-N", .. shared], Cancellation);
        await listening.Task.WaitAsync(Cancellation);

        var all = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Command.RunAsync("ssh", [.. shared, $"exit {i}"], Cancellation)));
        all.Select(result => result.ExitCode).ShouldBe(Enumerable.Range(0, 10));
        server.Outcomes.ShouldBeEmpty();
        (await Command.RunAsync("ssh", ["-O", "exit", .. shared], Cancellation)).ExitCode.ShouldBe(0);
        await master;
    }

    private static Task<Command> ByPassword(TestServer server, string password, string[] options, string command, ReadOnlyMemory<byte> input) =>
        Command.RunAsync("sshpass", ["-p", password, "ssh", .. Always, "-p", $"{server.Port}", "-o", "PreferredAuthentications=password", .. options, "alice@127.0.0.1", command], input, Cancellation);
}
