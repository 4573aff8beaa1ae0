using System.Security.Cryptography;
using System.Text;
using Countersign.Agent.Tests.Processes;

namespace Countersign.Agent.Tests.Serving;

public sealed class SessionTests
{
    [Fact]
    public async Task A_command_s_output_error_and_exit_status_come_back()
    {
        await using var agent = await ServedAgent.StartAsync();
        var client = await agent.SshAsync("echo out; echo err >&2; exit 42");
        client.ExitCode.ShouldBe(42, client.Error);
        client.Output.ShouldBe("out\n");
        client.Error.ShouldBe("err\n");
    }

    [Fact]
    public async Task A_signal_that_ended_the_command_is_told()
    {
        await using var agent = await ServedAgent.StartAsync();
        var client = await agent.SshAsync("kill -KILL $$", default, "-v");
        client.ExitCode.ShouldBe(255);
        client.Error.ShouldContain("rtype exit-signal");
    }

    [Fact]
    public async Task Eight_mebibytes_pass_through_a_command_unchanged()
    {
        await using var agent = await ServedAgent.StartAsync();
        var content = RandomNumberGenerator.GetBytes(8 << 20);
        var client = await agent.SshAsync("cat", content);
        client.ExitCode.ShouldBe(0, client.Error);
        client.OutputBytes.AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    [Fact]
    public async Task A_command_that_stops_reading_ends_though_the_client_sends_on()
    {
        await using var agent = await ServedAgent.StartAsync();
        var client = await agent.SshAsync("head -c 10; exit 5", Encoding.ASCII.GetBytes(new string('x', 16 << 20)));
        client.ExitCode.ShouldBe(5, client.Error);
        client.Output.ShouldBe("xxxxxxxxxx");
    }

    [Fact]
    public async Task A_login_has_the_environment_of_the_account_and_only_harmless_wishes_of_the_client()
    {
        await using var agent = await ServedAgent.StartAsync();
        var client = await agent.SshAsync(
            "echo $USER $LOGNAME $HOME; pwd; env | cut -d= -f1 | sort | tr '\\n' ' '; echo $LC_TIME", default, "-o", "SetEnv=LC_TIME=C.UTF-8 LD_PRELOAD=/evil LC_x=1");
        var home = Environment.GetEnvironmentVariable("HOME");
        var lines = client.Output.Split('\n');
        lines[0].ShouldBe($"{Environment.UserName} {Environment.UserName} {home}");
        lines[1].ShouldBe(home);
        lines[2].ShouldBe("HOME LC_TIME LOGNAME PATH PWD SHELL SHLVL USER _ C.UTF-8");
    }

    [Fact]
    public async Task A_shell_in_a_terminal_is_a_login_shell_and_follows_the_window()
    {
        await using var agent = await ServedAgent.StartAsync();
        await using var terminal = Started.OnTerminal(Ssh(agent, "-tt"));
        await terminal.WriteAsync("echo shell=$0 $(stty size)\n");
        await terminal.ReadUntilAsync("shell=-bash 24 80");
        terminal.Child.Resize(new(100, 40, 0, 0));
        await terminal.WriteAsync("until [ \"$(stty size)\" = '40 100' ]; do read -t 0.02; done; echo re''sized\n");
        await terminal.ReadUntilAsync("resized");
        await terminal.WriteAsync("exit 3\n");
        await terminal.ReadToEndAsync();
        (await terminal.ExitAsync()).Code.ShouldBe(3);
    }

    [Fact]
    public async Task An_interrupt_typed_in_the_terminal_ends_what_runs_in_the_foreground()
    {
        await using var agent = await ServedAgent.StartAsync();
        await using var terminal = Started.OnTerminal(Ssh(agent, "-tt", "stty noflsh; trap 'echo caught; exit 9' INT; echo rea''dy; sleep 1000"));
        await terminal.ReadUntilAsync("ready");
        await terminal.WriteAsync("\x03");
        await terminal.ReadUntilAsync("caught");
        (await terminal.ExitAsync()).Code.ShouldBe(9);
    }

    [Fact]
    public async Task What_holds_a_terminal_open_in_the_background_does_not_hold_the_session()
    {
        await using var agent = await ServedAgent.StartAsync();
        var client = await agent.SshAsync("(trap '' HUP; sleep 1000) & echo $!; exit 4", default, "-tt");
        client.ExitCode.ShouldBe(4, client.Error);
        await ServedAgent.MustAsync("kill", "-KILL", client.Output.Trim());
    }

    [Fact]
    public async Task A_client_that_goes_away_takes_its_programs_with_it()
    {
        await using var agent = await ServedAgent.StartAsync();

        // Once for whatever the runtime opens when it is first needed, and keeps.
        await GoAwayAsync();
        await agent.SettledAsync(int.MaxValue);
        var descriptors = agent.Descriptors();
        await GoAwayAsync();
        await agent.SettledAsync(descriptors);

        async Task GoAwayAsync()
        {
            using var client = Client.Start("ssh", [.. agent.Options(), "127.0.0.1", "trap '' HUP; echo started; sleep 1000 & sleep 1000"]);
            (await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("started");
            (await agent.ChildrenAsync()).Count.ShouldBe(1);
            client.Kill();
        }
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_up_the_program_and_not_the_memory()
    {
        await using var agent = await ServedAgent.StartAsync();
        using var client = Client.Start("ssh", [.. agent.Options(), "127.0.0.1", "yes"]);
        try
        {
            using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            IReadOnlyList<int> children;
            while ((children = await agent.ChildrenAsync()).Count == 0) await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            // The program is held up when what it has written does not grow any more.
            for (long before = -1, now = 0; now == 0 || now != before;)
            {
                await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
                (before, now) = (now, Written(children[0]));
            }

            Written(children[0]).ShouldBeLessThan(64 << 20);
        }
        finally
        {
            client.Kill();
        }
    }

    [Fact]
    public async Task Stopping_the_agent_ends_what_it_runs()
    {
        await using var agent = await ServedAgent.StartAsync();
        using var client = Client.Start("ssh", [.. agent.Options(), "127.0.0.1", "trap '' HUP; echo $$; sleep 1000"]);
        var program = int.Parse((await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!, System.Globalization.CultureInfo.InvariantCulture);
        (await agent.StopAsync()).ShouldBe(0);
        Directory.Exists($"/proc/{program}").ShouldBeFalse();
        await client.WaitForExitAsync(TestContext.Current.CancellationToken);
        client.ExitCode.ShouldBe(255);
    }

    [Fact]
    public async Task Files_go_there_and_back_with_sftp_and_scp()
    {
        await using var agent = await ServedAgent.StartAsync();
        var content = RandomNumberGenerator.GetBytes(20_000_000);
        await File.WriteAllBytesAsync(agent.Folder["big"], content, TestContext.Current.CancellationToken);
        var batch = $"put {agent.Folder["big"]} {agent.Folder["one"]}\nget {agent.Folder["one"]} {agent.Folder["two"]}\nls -la {agent.Folder.Path}\n";
        var sftp = await Client.RunAsync("sftp", [.. agent.Options(), "-b", "-", "127.0.0.1"], Encoding.UTF8.GetBytes(batch));
        sftp.ExitCode.ShouldBe(0, sftp.Error);
        sftp.Output.ShouldContain("20000000");
        await ServedAgent.MustAsync("scp", [.. agent.Options(), agent.Folder["two"], $"127.0.0.1:{agent.Folder["three"]}"]);
        await ServedAgent.MustAsync("scp", [.. agent.Options(), "-O", $"127.0.0.1:{agent.Folder["three"]}", agent.Folder["four"]]);
        (await File.ReadAllBytesAsync(agent.Folder["four"], TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    [Fact]
    public async Task Many_sessions_share_one_connection()
    {
        await using var agent = await ServedAgent.StartAsync();
        var share = new[] { "-o", "ControlMaster=auto", "-o", "ControlPersist=yes", "-o", $"ControlPath={agent.Folder["control"]}" };
        (await agent.SshAsync("echo first", default, share)).Output.ShouldBe("first\n");
        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => agent.SshAsync($"head -c 1000000 /dev/zero | wc -c; exit {i}", default, share)));
        clients.Select(client => client.ExitCode).ShouldBe(Enumerable.Range(0, 20), string.Concat(clients.Select(client => client.Error)));
        clients.ShouldAllBe(client => client.Output == "1000000\n");
        await Client.RunAsync("ssh", [.. agent.Options(), .. share, "-O", "exit", "127.0.0.1"]);
    }

    private static string Ssh(ServedAgent agent, params string[] more) =>
        string.Join(' ', ((string[])["exec", "ssh", .. agent.Options(), "127.0.0.1"]).Concat(more).Select(word => word == "exec" ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"));

    private static long Written(int process) =>
        long.Parse(File.ReadLines($"/proc/{process}/io").Single(line => line.StartsWith("wchar:", StringComparison.Ordinal))[6..], System.Globalization.CultureInfo.InvariantCulture);
}
