using System.Security.Cryptography;
using Countersign.EndToEnd.Fixtures;
using Countersign.Ssh;

namespace Countersign.EndToEnd;

/// <summary>A stock SSH client reaches a real sshd through the gateway, because policy says so; and does not where it does not.</summary>
public sealed class SshAccessTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task A_technician_with_a_grant_runs_a_command_by_password()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByPassword, "echo hello");
        outcome.ShouldSatisfyAllConditions(() => outcome.ExitCode.ShouldBe(0, outcome.ToString()), () => outcome.Text.ShouldBe("hello\n"));
    }

    [Fact]
    public async Task A_technician_with_a_grant_runs_a_command_by_keyboard_interactive()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", Credential.Interactive(_gateway.Tina.Password), "echo hello");
        outcome.Text.ShouldBe("hello\n", outcome.ToString());
    }

    [Fact]
    public async Task A_technician_with_a_grant_runs_a_command_by_key_and_names_the_account()
    {
        await _gateway.GrantAsync(_gateway.Tina, _gateway.Role, account: "any");
        var outcome = await _gateway.Client.SshAsync($"tina+web01+{PrivateSshd.User}", _gateway.Tina.ByKey, "id -un");
        outcome.Text.ShouldBe(PrivateSshd.User + "\n", outcome.ToString());
    }

    [Fact]
    public async Task Output_errors_input_and_exit_code_pass_unchanged()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "cat; echo out; echo err >&2; exit 7", "in\n"u8.ToArray());
        outcome.ShouldSatisfyAllConditions(
            () => outcome.ExitCode.ShouldBe(7, outcome.ToString()), () => outcome.Text.ShouldBe("in\nout\n"), () => outcome.Error.ShouldBe("err\n"));
    }

    [Fact]
    public async Task A_program_that_a_signal_ends_ends_so_for_the_client()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "kill -TERM $$");
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
    }

    [Theory]
    [InlineData(false, 255)]
    [InlineData(true, 0)]
    public async Task A_client_restricted_to_P_256_comes_in_where_the_operator_lets_it(bool offered, int exitCode)
    {
        await using var gateway = await TestGateway.StartAsync(options => options with { SshNistCurves = offered });
        var outcome = await gateway.Client.SshAsync("tina+web01", gateway.Tina.ByKey, "echo in", default, "-o", "KexAlgorithms ecdh-sha2-nistp256");
        outcome.ExitCode.ShouldBe(exitCode, outcome.ToString());
        outcome.Error.Contains("no matching key exchange method", StringComparison.Ordinal).ShouldBe(!offered, outcome.Error);
    }

    [Fact]
    public async Task A_signal_request_reaches_the_program()
    {
        // OpenSSH's client has no way to ask for one, and its server grants none to root: our own client and agent do.
        using var folder = new TempFolder();
        await using var agent = await StartAgentAsync(folder);
        await _gateway.GrantAsync(_gateway.Tina, _gateway.Role);
        await using var connection = await _gateway.ConnectAsync(_gateway.Tina, "agent01");
        var program = new Program();
        var channel = await connection.OpenChannelAsync("session", default, program, 64 * 1024, TestContext.Current.CancellationToken);
        var command = new SshWriter().String("trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.1; done").Written;
        (await channel.RequestAsync("exec", command, TestContext.Current.CancellationToken)).ShouldBeTrue();
        await Eventually.TrueAsync(() => program.Said.Contains("ready", StringComparison.Ordinal), "the program to run", () => program.Said);
        channel.SendRequest("signal", new SshWriter().String("USR1").Written.Span);
        await program.Closed.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        program.Said.ShouldBe("ready\ncaught\n");
        program.Status.ShouldBe(9u);
    }

    [Fact]
    public async Task Sixteen_mebibytes_go_there_and_back_without_a_changed_byte()
    {
        var bytes = RandomNumberGenerator.GetBytes(16 * 1024 * 1024);
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "cat", bytes);
        outcome.ExitCode.ShouldBe(0, outcome.Error);
        SHA256.HashData(outcome.Output).ShouldBe(SHA256.HashData(bytes));
    }

    [Fact]
    public async Task An_interactive_shell_has_a_terminal_that_follows_the_window()
    {
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey, 100, 30);
        await terminal.EnterAsync("PS1='ready> '; stty size");
        await terminal.WaitForAsync("30 100");
        await terminal.ResizeAsync(120, 40);
        await terminal.EnterAsync("stty size");
        await terminal.WaitForAsync("40 120");
        await terminal.EnterAsync("exit 5");
        (await terminal.WaitForEndAsync()).ShouldBe(5);
    }

    [Fact]
    public async Task An_interrupt_typed_at_the_terminal_reaches_the_program()
    {
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey);
        await terminal.EnterAsync("trap 'echo caught it' INT; echo trap is $((40+2))");
        await terminal.WaitForAsync("trap is 42");
        await terminal.PressAsync("C-c");
        await terminal.WaitForAsync("caught it");
    }

    [Fact]
    public async Task Files_go_both_ways_by_sftp_and_scp()
    {
        using var folder = new TempFolder();
        var sent = folder.Write("sent", "some content\n");
        var batch = $"put {sent} {folder["there"]}\nrename {folder["there"]} {folder["moved"]}\nget {folder["moved"]} {folder["back"]}\nrm {folder["moved"]}\n";
        var sftp = await _gateway.Client.SftpAsync("tina+web01", _gateway.Tina.ByKey, batch);
        sftp.ExitCode.ShouldBe(0, sftp.ToString());
        File.ReadAllText(folder["back"]).ShouldBe("some content\n");

        var scp = await _gateway.Client.ScpAsync("tina+web01", _gateway.Tina.ByKey, sent, $"device:{folder["copied"]}");
        scp.ExitCode.ShouldBe(0, scp.ToString());
        File.ReadAllText(folder["copied"]).ShouldBe("some content\n");
        var old = await _gateway.Client.ScpAsync("tina+web01", _gateway.Tina.ByKey, $"device:{sent}", folder["by rcp"], "-O");
        old.ExitCode.ShouldBe(0, old.ToString());
        File.ReadAllText(folder["by rcp"]).ShouldBe("some content\n");
    }

    [Fact]
    public async Task Somebody_without_rights_is_refused()
    {
        var nora = await _gateway.AddPersonAsync("nora");
        var outcome = await _gateway.Client.SshAsync("nora+web01", nora.ByKey, "echo hello");
        outcome.ShouldSatisfyAllConditions(
            () => outcome.ExitCode.ShouldBe(77, outcome.ToString()),
            () => outcome.Text.ShouldBeEmpty(),
            () => outcome.Error.Trim().ShouldBe("countersign: there is no device web01 that you may reach"));
        _gateway.Sshd.Log.ShouldNotContain("Connection from");
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_answered_like_one_that_may_not_be_seen()
    {
        var nora = await _gateway.AddPersonAsync("nora");
        var hidden = await _gateway.Client.SshAsync("nora+web01", nora.ByKey, "echo hello");
        var absent = await _gateway.Client.SshAsync("nora+web02", nora.ByKey, "echo hello");
        absent.ExitCode.ShouldBe(hidden.ExitCode);
        absent.Text.ShouldBe(hidden.Text);
        absent.Error.Replace("web02", "web01", StringComparison.Ordinal).ShouldBe(hidden.Error);
        var account = await _gateway.Client.SshAsync("nora+web01+root", nora.ByKey, "echo hello");
        account.Error.ShouldBe(hidden.Error);
    }

    [Fact]
    public async Task A_shell_needs_Terminal_and_files_need_one_of_the_file_permissions()
    {
        var fred = await _gateway.AddPersonAsync("fred");
        var files = await _gateway.AddRoleAsync("Files", "FileManager", "SendFiles", "ReceiveFiles", "ManageFiles");
        await _gateway.GrantAsync(fred, files);
        var shell = await _gateway.Client.SshAsync("fred+web01", fred.ByKey, "echo hello");
        shell.ExitCode.ShouldBe(77);
        shell.Error.ShouldContain("Terminal");
        (await _gateway.Client.SftpAsync("fred+web01", fred.ByKey, "ls /\n")).ExitCode.ShouldBe(0);

        var rita = await _gateway.AddPersonAsync("rita");
        await _gateway.GrantAsync(rita, await _gateway.AddRoleAsync("Reading", "Terminal"));
        (await _gateway.Client.SshAsync("rita+web01", rita.ByKey, "true")).ExitCode.ShouldBe(0);
        var sftp = await _gateway.Client.SftpAsync("rita+web01", rita.ByKey, "ls /\n");
        sftp.ExitCode.ShouldNotBe(0);
        sftp.Error.ShouldContain("you may use none of");
    }

    [Fact]
    public async Task Wrong_passwords_strange_keys_and_unknown_people_get_the_same_answer()
    {
        using var folder = new TempFolder();
        var strange = Credential.Key(await Keys.GenerateAsync(folder, "strange"));
        var answers = new List<string>();
        foreach (var (user, credential) in new[]
        {
            ("tina+web01", Credential.OfPassword("wrong")), ("nobody+web01", Credential.OfPassword("wrong")),
            ("tina+web01", strange), ("nobody+web01", strange), ("TINA+web01", _gateway.Tina.ByPassword), ("+web01", _gateway.Tina.ByPassword),
        })
        {
            var outcome = await _gateway.Client.SshAsync(user, credential, "true");
            outcome.ExitCode.ShouldBe(255, outcome.ToString());
            answers.Add(outcome.Error.Replace(user, "USER", StringComparison.Ordinal).Trim());
        }

        answers.Distinct().Count().ShouldBe(1, string.Join("\n", answers));
    }

    [Fact]
    public async Task Forwarding_is_refused()
    {
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-N", "-W", "127.0.0.1:22");
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(255, outcome.ToString());
        outcome.Error.ShouldContain("port forwarding is not allowed");
    }

    [Fact]
    public async Task A_device_with_another_host_key_than_the_pinned_one_gets_nothing_sent()
    {
        await _gateway.AddDeviceAsync("web03", _gateway.Sshd.Port, _gateway.Tina.Key.PublicLine, _gateway.Sshd.ClientKey.PrivateText);
        var outcome = await _gateway.Client.SshAsync("tina+web03", _gateway.Tina.ByKey, "true");
        outcome.ExitCode.ShouldBe(69, outcome.ToString());
        outcome.Error.ShouldContain("is not the pinned one");
        _gateway.Sshd.Log.ShouldNotContain("Accepted");
    }

    [Fact]
    public async Task A_device_that_is_down_is_said_to_be_out_of_reach()
    {
        await using (var other = await PrivateSshd.StartAsync())
        {
            await _gateway.AddDeviceAsync("web04", other.Port, other.HostKey.PublicLine, other.ClientKey.PrivateText);
        }

        var outcome = await _gateway.Client.SshAsync("tina+web04", _gateway.Tina.ByKey, "true");
        outcome.ExitCode.ShouldBe(69, outcome.ToString());
        outcome.Error.ShouldContain("web04 can't be reached: it refused the connection");
        outcome.Error.ShouldNotContain("127.0.0.1:");
    }

    [Fact]
    public async Task Without_a_device_the_client_is_told_how_to_name_one_and_which_there_are()
    {
        var outcome = await _gateway.Client.SshAsync("tina", _gateway.Tina.ByKey, "true");
        outcome.ExitCode.ShouldBe(64, outcome.ToString());
        outcome.Error.ShouldContain("your devices: web01");
    }

    [Fact]
    public async Task Fifty_connections_at_once_are_served()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, $"cat; echo number {i}", new byte[100_000])));
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i].ExitCode.ShouldBe(0, outcomes[i].Error);
            outcomes[i].Output.Length.ShouldBe(100_000 + $"number {i}\n".Length);
        }
    }

    [Fact]
    public async Task Each_session_is_written_down_with_its_end()
    {
        await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "cat; exit 3", new byte[1000]);
        var session = await _gateway.EndedSessionAsync();
        ((string)session["reason"]!).ShouldBe("completed");
        ((int)session["exitStatus"]!).ShouldBe(3);
        ((long)session["bytesIn"]!).ShouldBe(1000);
        ((long)session["bytesOut"]!).ShouldBe(1000);
        ((string)session["login"]!).ShouldBe("tina");
        ((string)session["command"]!).ShouldBe("cat; exit 3");
        var kinds = (await _gateway.Owner.GetAsync("audit?limit=1000"))["items"]!.AsArray().Select(item => (string)item!["kind"]!).ToList();
        kinds.ShouldContain("session.began");
        kinds.ShouldContain("session.ended");
    }

    /// <summary>An agent on this machine as the device <c>agent01</c>.</summary>
    private async Task<RunningCommand> StartAgentAsync(TempFolder folder)
    {
        var key = await Keys.GenerateAsync(folder, "agent_key");
        folder.Write("authorized_keys", key.PublicLine + "\n");
        var agent = RunningCommand.Start(
            Path.Combine(AppContext.BaseDirectory, "countersign-agent"),
            ["serve", "--listen", "127.0.0.1:0", "--host-key", folder["host_key"], "--authorized-keys", folder["authorized_keys"], "--ready-file", folder["ready"]]);
        await Eventually.TrueAsync(() => File.Exists(folder["ready"]), "the agent to be ready", () => agent.ErrorSoFar);
        var ready = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(folder["ready"], TestContext.Current.CancellationToken))!;
        await _gateway.AddDeviceAsync("agent01", System.Net.IPEndPoint.Parse((string)ready["address"]!).Port, (string)ready["hostKey"]!, key.PrivateText);
        return agent;
    }

    private sealed class Program : SshChannelHandler
    {
        private readonly System.Text.StringBuilder _said = new();

        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public uint? Status { get; private set; }

        public string Said
        {
            get
            {
                lock (_said) return _said.ToString();
            }
        }

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            // The shell reports on standard error what the signal did to its child.
            if (type != 0) return;
            lock (_said) _said.Append(System.Text.Encoding.UTF8.GetString(data));
        }

        public override void OnRequest(SshChannel channel, SshChannelRequest request)
        {
            if (request.Name == "exit-status" && new SshReader(request.Payload.Span).TryReadUInt32(out var status)) Status = status;
            request.Reply(SshReply.Success);
        }

        public override void OnClosed(SshChannel channel) => Closed.TrySetResult();
    }
}
