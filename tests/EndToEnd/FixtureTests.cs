using System.Text;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>The stock clients straight against the stock server: what the other tests then expect through the gateway.</summary>
public sealed class FixtureTests : IAsyncLifetime
{
    private PrivateSshd _sshd = null!;
    private OpenSsh _client = null!;
    private Credential _key = null!;

    public async ValueTask InitializeAsync()
    {
        _sshd = await PrivateSshd.StartAsync();
        _client = OpenSsh.To(_sshd);
        _key = Credential.Key(_sshd.ClientKey);
    }

    [Fact]
    public async Task A_command_gives_its_output_its_errors_and_its_exit_code()
    {
        var outcome = await _client.SshAsync(PrivateSshd.User, _key, "cat; echo out; echo err >&2; exit 7", "in\n"u8.ToArray());
        outcome.ExitCode.ShouldBe(7, outcome.ToString());
        outcome.Text.ShouldBe("in\nout\n");
        outcome.Error.ShouldBe("err\n");
    }

    [Fact]
    public async Task A_key_that_is_not_authorized_is_refused_until_it_is()
    {
        using var folder = new TempFolder();
        var other = await Keys.GenerateAsync(folder, "other", "ecdsa");
        var refused = await _client.SshAsync(PrivateSshd.User, Credential.Key(other), "true");
        refused.ExitCode.ShouldBe(255);
        refused.Error.ShouldContain("Permission denied");
        _sshd.Authorize(other.PublicLine);
        (await _client.SshAsync(PrivateSshd.User, Credential.Key(other), "true")).ExitCode.ShouldBe(0);
        _sshd.Log.ShouldContain("Accepted publickey for " + PrivateSshd.User);
    }

    [Fact]
    public async Task A_server_with_another_host_key_than_the_known_one_is_refused()
    {
        using var client = new OpenSsh(_sshd.Port, _sshd.ClientKey.PublicLine);
        var outcome = await client.SshAsync(PrivateSshd.User, _key, "true");
        outcome.ExitCode.ShouldBe(255);
        outcome.Error.ShouldContain("Host key verification failed");
    }

    [Theory]
    [InlineData("password")]
    [InlineData("keyboard-interactive")]
    public async Task A_password_is_offered_where_the_server_asks_for_none_and_nothing_hangs(string method)
    {
        var credential = method == "password" ? Credential.OfPassword("wrong") : Credential.Interactive("wrong");
        var outcome = await _client.SshAsync(PrivateSshd.User, credential, "true");
        outcome.ExitCode.ShouldBe(255);
        outcome.Error.ShouldContain("Permission denied");
        _client.Prompts.ShouldBeEmpty();
    }

    [Fact]
    public async Task Sftp_puts_and_gets_a_file_unchanged()
    {
        using var folder = new TempFolder();
        var content = Content(300_000);
        await File.WriteAllBytesAsync(folder["here"], content, TestContext.Current.CancellationToken);
        var outcome = await _client.SftpAsync(
            PrivateSshd.User, _key, $"put {folder["here"]} {folder["there"]}\nget {folder["there"]} {folder["back"]}\nls {folder.Path}\n");
        outcome.ExitCode.ShouldBe(0, outcome.ToString());
        (await File.ReadAllBytesAsync(folder["back"], TestContext.Current.CancellationToken)).ShouldBe(content);
        (await _client.SftpAsync(PrivateSshd.User, _key, $"get {folder["missing"]} {folder["back"]}\n")).ExitCode.ShouldNotBe(0);
    }

    [Theory]
    [InlineData("-s")]
    [InlineData("-O")]
    public async Task Scp_copies_both_ways_with_the_new_protocol_and_the_old(string protocol)
    {
        using var folder = new TempFolder();
        var content = Content(300_000);
        await File.WriteAllBytesAsync(folder["here"], content, TestContext.Current.CancellationToken);
        var up = await _client.ScpAsync(PrivateSshd.User, _key, folder["here"], "device:" + folder["there"], protocol);
        up.ExitCode.ShouldBe(0, up.ToString());
        var down = await _client.ScpAsync(PrivateSshd.User, _key, "device:" + folder["there"], folder["back"], protocol);
        down.ExitCode.ShouldBe(0, down.ToString());
        (await File.ReadAllBytesAsync(folder["back"], TestContext.Current.CancellationToken)).ShouldBe(content);
    }

    [Fact]
    public async Task A_terminal_shows_what_the_shell_writes_and_the_shell_learns_of_a_new_size()
    {
        await using var terminal = await _client.OpenTerminalAsync(PrivateSshd.User, _key, columns: 91, rows: 31, command: "exec sh -i");
        await terminal.EnterAsync("echo size $(stty size) end");
        await terminal.WaitForAsync("size 31 91 end");
        await terminal.ResizeAsync(120, 40);
        await terminal.EnterAsync("until [ \"$(stty size)\" = '40 120' ]; do :; done; echo now $(stty size) end");
        await terminal.WaitForAsync("now 40 120 end");
        await terminal.EnterAsync("exit 3");
        (await terminal.WaitForEndAsync()).ShouldBe(3);
        (await terminal.ScreenAsync()).ShouldContain("now 40 120 end");
    }

    [Fact]
    public async Task A_terminal_passes_an_interrupt_on()
    {
        // One process, which has set its trap before it says so: a child that is only just starting would lose the interrupt.
        const string Program = "trap 'echo caught; exit 9' INT; echo ready; while :; do read line; done";
        await using var terminal = await _client.OpenTerminalAsync(PrivateSshd.User, _key, command: Program);
        await terminal.WaitForAsync("ready");
        await terminal.PressAsync("C-c");
        await terminal.WaitForAsync("caught");
        (await terminal.WaitForEndAsync()).ShouldBe(9);
    }

    [Fact]
    public async Task A_running_client_can_be_watched_fed_and_ended()
    {
        await using var ssh = _client.StartSsh(PrivateSshd.User, _key, "echo started; cat");
        await Eventually.TrueAsync(() => ssh.OutputSoFar == "started\n", "the command to start", () => ssh.ErrorSoFar);
        await ssh.Input.WriteAsync("more\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await ssh.Input.FlushAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => ssh.OutputSoFar == "started\nmore\n", "the echo", () => ssh.OutputSoFar);
        ssh.HasExited.ShouldBeFalse();
        await ssh.SendAsync(Array.Empty<byte>());
        (await ssh.EndAsync()).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_command_that_does_not_end_is_killed_and_its_output_told()
    {
        await using var command = RunningCommand.Start("sh", ["-c", "echo before; exec sleep 1000"]);
        await Eventually.TrueAsync(() => command.OutputSoFar == "before\n", "the output");
        var failure = await Should.ThrowAsync<TimeoutException>(() => command.EndAsync(TimeSpan.FromMilliseconds(1)));
        failure.Message.ShouldContain("before");
        await Eventually.TrueAsync(() => command.HasExited, "the process to be gone");
    }

    [Fact]
    public async Task Waiting_for_what_never_comes_fails_and_says_what_was_there_instead()
    {
        var failure = await Should.ThrowAsync<TimeoutException>(() =>
            Eventually.TrueAsync(() => false, "a miracle", () => "the usual", TimeSpan.FromMilliseconds(1)));
        failure.Message.ShouldContain("a miracle");
        failure.Message.ShouldContain("the usual");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _sshd.DisposeAsync();
    }

    private static byte[] Content(int length)
    {
        var content = Encoding.ASCII.GetBytes(new string('x', length));
        new Random(1).NextBytes(content);
        return content;
    }
}
