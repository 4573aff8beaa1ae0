using Countersign.Agent.Processes;

namespace Countersign.Agent.Tests.Processes;

public sealed class ChildProcessTests
{
    [Fact]
    public async Task Output_error_and_exit_code_come_back_apart()
    {
        await using var started = Started.WithPipes("echo $GREETING; echo oh >&2; exit 7");
        (await started.ReadToEndAsync()).ShouldBe("hello\n");
        (await started.ReadToEndAsync(started.Child.Error)).ShouldBe("hello\noh\n");
        (await started.ExitAsync()).ShouldBe(new ExitStatus(7, 0, false));
    }

    [Fact]
    public async Task The_end_of_the_input_reaches_the_process()
    {
        await using var started = Started.WithPipes("cat; echo end");
        await started.WriteAsync("some ");
        started.Child.Input.Dispose();
        (await started.ReadToEndAsync()).ShouldBe("some end\n");
    }

    [Fact]
    public async Task A_signal_is_told_as_what_ended_the_process()
    {
        await using var started = Started.WithPipes("kill -TERM $$");
        (await started.ExitAsync()).ShouldBe(new ExitStatus(0, 15, false));
    }

    [Fact]
    public async Task A_process_has_its_own_session_and_default_signals_and_no_descriptors_of_the_agent()
    {
        using var leak = File.OpenRead("/dev/null");
        const int SetDescriptorFlags = 2;
        Libc.fcntl((int)leak.SafeFileHandle.DangerousGetHandle(), SetDescriptorFlags, 0).ShouldBe(0, "no close-on-exec any more");
        await using var started = Started.WithPipes("ps -o pid=,pgid=,sid= -p $$; echo $(ls /proc/$$/fd); exec sed -n 's/^Sig\\(Ign\\|Blk\\):.//p' /proc/self/status");
        var lines = (await started.ReadToEndAsync()).Split('\n');
        var id = started.Child.Id;
        lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldAllBe(number => number == $"{id}");
        // Bash reads the answer of "ls" through one more.
        lines[1].ShouldBeOneOf("0 1 2", "0 1 2 3");
        lines[2].ShouldBe("0000000000000000");
        // glibc keeps its own two signals, 32 and 33, to itself.
        (ulong.Parse(lines[3], System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture) & 0x7FFFFFFF).ShouldBe(0u);
    }

    [Fact]
    public async Task A_terminal_has_the_size_asked_for_and_takes_a_new_one()
    {
        await using var started = Started.OnTerminal("trap 'stty size; exit' WINCH; stty size; while :; do read -t 0.1 || :; done");
        await started.ReadUntilAsync("24 80\r\n");
        started.Child.Resize(new(132, 50, 0, 0));
        await started.ReadUntilAsync("50 132\r\n");
        (await started.ExitAsync()).Code.ShouldBe(0);
    }

    [Fact]
    public async Task A_terminal_controls_its_process()
    {
        // Without noflsh the kernel throws away what is written between the signal and its flush of the terminal.
        await using var started = Started.OnTerminal("stty noflsh; tty; ps -o tty= -p $$; trap 'echo interrupted; exit 3' INT; echo ready; while :; do read; done");
        await started.ReadUntilAsync("ready");
        started.Output.ShouldMatch("^/dev/(pts/\\d+)\r\n\\1 *\r\n");
        await started.WriteAsync("\x03");
        await started.ReadUntilAsync("interrupted");
        (await started.ExitAsync()).Code.ShouldBe(3);
        await started.ReadToEndAsync();
    }

    [Fact]
    public async Task The_modes_of_the_client_s_terminal_are_taken_over()
    {
        // VERASE ^H, QUIT disabled, ECHO off, ONLCR off, IUTF8 on; and some that nobody knows or that mean nothing here.
        await using var started = Started.OnTerminal("stty -a", new(3, 8), new(2, 255), new(53, 0), new(72, 0), new(42, 1), new(29, 1), new(0, 1), new(128, 9600), new(159, 1));
        var output = await started.ReadToEndAsync();
        output.ShouldContain("erase = ^H;");
        output.ShouldContain("quit = <undef>;");
        output.ShouldContain(" -echo ");
        output.ShouldContain("-onlcr");
        output.ShouldContain(" iutf8");
        output.ShouldMatch("(?<!-)icanon");
    }

    [Fact]
    public async Task Killing_ends_the_whole_group_also_what_ignores_the_hang_up()
    {
        await using var started = Started.WithPipes("trap '' HUP; (trap '' HUP; sleep 1000) & echo $!; sleep 1000");
        await started.ReadUntilAsync("\n");
        var background = int.Parse(started.Output, System.Globalization.CultureInfo.InvariantCulture);
        await started.KillAsync();
        (await started.ExitAsync()).Signal.ShouldBe(Signals.Kill);
        // Whoever adopted it may not have waited for it yet: a zombie runs nothing.
        (await EndedAsync(background)).ShouldBeTrue();
        Directory.Exists($"/proc/{started.Child.Id}").ShouldBeFalse();
    }

    [Fact]
    public async Task A_process_may_put_its_things_in_order_when_it_is_hung_up()
    {
        using var folder = new TemporaryFolder();
        await using var started = Started.OnTerminal($"trap 'echo tidy > {folder["done"]}; exit 0' HUP; echo ready; while :; do read; done");
        await started.ReadUntilAsync("ready");
        await started.KillAsync();
        File.ReadAllText(folder["done"]).ShouldBe("tidy\n");
    }

    [Fact]
    public async Task Reaping_leaves_no_zombie_and_lets_the_background_go_on()
    {
        await using var started = Started.WithPipes("sleep 1000 >/dev/null 2>&1 & echo $!");
        var background = int.Parse(await started.ReadToEndAsync(), System.Globalization.CultureInfo.InvariantCulture);
        await started.ReapAsync();
        Directory.Exists($"/proc/{started.Child.Id}").ShouldBeFalse();
        using var left = System.Diagnostics.Process.GetProcessById(background);
        left.HasExited.ShouldBeFalse();
        left.Kill();
    }

    [Fact]
    public async Task Nothing_is_left_open_after_a_hundred_processes()
    {
        await using var first = Started.OnTerminal("exit");
        await first.ExitAsync();
        for (var i = 0; i < 50; i++)
        {
            await using (var piped = Started.WithPipes("exit")) await piped.ReadToEndAsync();
            await using (var terminal = Started.OnTerminal("exit")) await terminal.ReadToEndAsync();
        }

        // Other tests run beside this one and have theirs open for a while; hundreds of a hundred leaked processes would stay.
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (Directory.GetFiles("/proc/self/fd").Length >= 250) await poll.WaitForNextTickAsync(patience.Token);
        await first.ReapAsync();
    }

    [Fact]
    public void A_program_that_is_not_there_is_an_error_and_leaves_nothing()
    {
        using var loop = new ReadinessLoop();
        var launch = new Launch { Path = "/no/such/shell", Arguments = ["sh"u8.ToArray()], Environment = new Dictionary<string, string>(), Directory = "/" };
        Should.Throw<IOException>(() => ChildProcess.StartWithPipes(launch, loop)).Message.ShouldContain("No such file");
        Should.Throw<IOException>(() => ChildProcess.StartOnTerminal(launch, new(80, 24, 0, 0), [], loop)).Message.ShouldContain("No such file");
    }

    [Fact]
    public async Task Megabytes_pass_through_both_ways_at_once()
    {
        await using var started = Started.WithPipes("cat");
        var chunk = new string('x', 64 * 1024);
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < 128; i++) await started.WriteAsync(chunk);
                started.Child.Input.Dispose();
            },
            TestContext.Current.CancellationToken);
        (await started.ReadToEndAsync()).Length.ShouldBe(128 * chunk.Length);
        await writing;
    }

    private static async Task<bool> EndedAsync(int process)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (File.Exists($"/proc/{process}/stat") && !(await File.ReadAllTextAsync($"/proc/{process}/stat", TestContext.Current.CancellationToken)).Contains(") Z", StringComparison.Ordinal))
        {
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        return true;
    }
}
