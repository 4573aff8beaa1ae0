using Countersign.EndToEnd.Fixtures;
using Countersign.Ssh;

namespace Countersign.EndToEnd;

/// <summary>What people really use, each through the gateway to a real sshd.</summary>
public sealed class ClientsTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private TestGateway _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(sshd: "AcceptEnv LC_* TICKET");

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Several_sessions_on_one_connection_of_a_master_are_sessions_of_their_own()
    {
        var control = _folder["control"];
        await using var master = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-N", "-o", "ControlMaster yes", "-o", $"ControlPath {control}");
        await Eventually.TrueAsync(() => File.Exists(control), "the master to listen", () => master.ErrorSoFar);
        (await _gateway.SessionsAsync("live")).ShouldBeEmpty();

        await using var first = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo one; cat", "-o", $"ControlPath {control}");
        await using var second = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo two; cat", "-o", $"ControlPath {control}");
        await Eventually.TrueAsync(() => first.OutputSoFar == "one\n" && second.OutputSoFar == "two\n", "both to run", () => first.ErrorSoFar + second.ErrorSoFar);

        var live = await _gateway.SessionsAsync("live");
        live.Select(session => (string)session["command"]!).Order(StringComparer.Ordinal).ShouldBe(["echo one; cat", "echo two; cat"]);
        await _gateway.Owner.PostAsync($"sessions/{live.Single(session => (string)session["command"]! == "echo one; cat")["id"]}/end");
        (await first.EndAsync()).ExitCode.ShouldBe(77);
        await second.SendAsync("still here\n"u8.ToArray());
        (await second.EndAsync()).Text.ShouldBe("two\nstill here\n");
    }

    [Fact]
    public async Task Variables_that_the_device_takes_reach_it_and_others_harm_nothing()
    {
        var outcome = await _gateway.Client.SshAsync(
            "tina+web01", _gateway.Tina.ByKey, "echo $LC_ONE $TICKET $OTHER", default, "-o", "SetEnv LC_ONE=one TICKET=OPS-7 OTHER=no");
        outcome.Text.ShouldBe("one OPS-7\n", outcome.ToString());
        var sent = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo $LC_ALL", default, "-o", "SendEnv LC_*");
        sent.Text.ShouldBe("C.UTF-8\n", sent.ToString());
    }

    [Fact]
    public async Task A_terminal_is_given_where_it_is_asked_for_and_only_there()
    {
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "test -t 0 && echo terminal", default, "-tt")).Text.ShouldContain("terminal");
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "test -t 0 || echo none", default, "-T")).Text.ShouldBe("none\n");
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, null, "echo in the shell; exit 4\n"u8.ToArray(), "-T")).ExitCode.ShouldBe(4);
    }

    [Fact]
    public async Task A_repository_is_cloned_and_pushed_to_and_needs_the_terminal()
    {
        var bare = _folder["bare.git"];
        var clone = _folder["clone"];
        await GitAsync("init", "-q", "--bare", "-b", "main", bare);
        (await GitAsync("clone", "-q", $"ssh://device{bare}", clone)).ShouldContain("empty repository");
        await File.WriteAllTextAsync(Path.Combine(clone, "file"), "content\n", Cancellation);
        await GitAsync("-C", clone, "add", "file");
        await GitAsync("-C", clone, "-c", "user.name=Tina", "-c", "user.email=tina@example.org", "commit", "-q", "-m", "one");
        await GitAsync("-C", clone, "push", "-q", "origin", "HEAD:main");
        await GitAsync("clone", "-q", "-b", "main", $"ssh://device{bare}", _folder["again"]);
        (await File.ReadAllTextAsync(Path.Combine(_folder["again"], "file"), Cancellation)).ShouldBe("content\n");
        (await _gateway.SessionsAsync("ended")).Select(session => (string)session["command"]!).ShouldContain(command => command.StartsWith("git-receive-pack", StringComparison.Ordinal));

        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        await _gateway.GrantAsync(_gateway.Tina, await _gateway.AddRoleAsync("Files", "FileManager", "SendFiles", "ReceiveFiles", "ManageFiles"));
        var refused = await RunGitAsync("clone", "-q", $"ssh://device{bare}", _folder["never"]);
        refused.ExitCode.ShouldBe(128);
        refused.Error.ShouldContain("you may not use Terminal");
    }

    [Fact]
    public async Task Dropbear_and_PuTTY_run_commands()
    {
        var port = $"{_gateway.Server.SshAddress.Port}";
        var home = new Dictionary<string, string> { ["HOME"] = _folder.Path, ["DROPBEAR_PASSWORD"] = _gateway.Tina.Password };
        var dropbear = await RunningCommand.RunAsync("dbclient", ["-y", "-y", "-p", port, "tina+web01@127.0.0.1", "cat; exit 3"], "in\n"u8.ToArray(), home);
        dropbear.ExitCode.ShouldBe(3, dropbear.ToString());
        dropbear.Text.ShouldBe("in\n");

        SshPublicKey.TryParse(_gateway.Server.SshHostKeys[0], out var key).ShouldBeTrue();
        var putty = await RunningCommand.RunAsync(
            "plink", ["-batch", "-hostkey", key!.Fingerprint, "-pw", _gateway.Tina.Password, "-P", port, "tina+web01@127.0.0.1", "cat; exit 3"], "in\n"u8.ToArray(), home);
        putty.ExitCode.ShouldBe(3, putty.ToString());
        putty.Text.ShouldBe("in\n");
    }

    [Fact]
    public async Task Paramiko_runs_commands_and_moves_files()
    {
        const string script = """
            import paramiko, sys
            port, user, key, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            client.connect("127.0.0.1", port, user, pkey=paramiko.Ed25519Key.from_private_key_file(key), allow_agent=False, look_for_keys=False)
            _, out, _ = client.exec_command("echo hello; exit 3")
            print(out.read().decode().strip(), out.channel.recv_exit_status())
            files = client.open_sftp()
            with files.open(folder + "/by-paramiko", "w") as there:
                there.write("x" * 100000)
            print(files.stat(folder + "/by-paramiko").st_size)
            client.close()
            """;
        var outcome = await RunningCommand.RunAsync(
            "/usr/bin/python3", ["-c", script, $"{_gateway.Server.SshAddress.Port}", "tina+web01", _gateway.Tina.Key.PrivatePath, _folder.Path]);
        outcome.Text.ShouldBe("hello 3\n100000\n", outcome.ToString());
    }

    private async Task<string> GitAsync(params string[] arguments)
    {
        var outcome = await RunGitAsync(arguments);
        outcome.ExitCode.ShouldBe(0, outcome.ToString());
        return outcome.Text + outcome.Error;
    }

    private Task<Outcome> RunGitAsync(params string[] arguments) => RunningCommand.RunAsync("git", arguments, environment: new Dictionary<string, string>
    {
        ["GIT_SSH_COMMAND"] = _gateway.Client.ShellWords("tina+web01", _gateway.Tina.ByKey),
        ["GIT_SSH_VARIANT"] = "ssh",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_CONFIG_SYSTEM"] = "/dev/null",
        ["HOME"] = _folder.Path,
    });
}
