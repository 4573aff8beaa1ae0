using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Sessions.Recording;
using Countersign.Ssh;
using Countersign.Ssh.Sftp;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.EndToEnd;

/// <summary>What was done is in the journal or the recording, whichever way it was done; and the end is the one that there was.</summary>
public sealed class SeenTests : IAsyncLifetime
{
    private readonly TempFolder _there = new();
    private TestGateway _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _there.Dispose();
    }

    [Theory]
    [InlineData(0x08u)]
    [InlineData(0x0Cu)]
    public async Task A_file_of_sshd_s_is_read_by_no_flags_that_the_journal_does_not_see(uint flags)
    {
        _there.Write("file", "secret-content");
        await using var sftp = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "sftp", "-s");
        var writer = new SftpWriter();
        await sftp.Input.WriteAsync(writer.BeginVersion(SftpType.Init, 3).End().ToArray(), Cancellation);
        await sftp.Input.WriteAsync(writer.Begin(SftpType.Open, 1).String(_there["file"]).UInt32(flags).Attributes(default).End().ToArray(), Cancellation);

        // OpenSSH's server counts its handles from zero.
        await sftp.Input.FlushAsync(Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(sftp.OutputSoFar.Contains("A file is opened for", StringComparison.Ordinal)), "the answer to the opening");
        await sftp.Input.WriteAsync(writer.Begin(SftpType.Read, 2).String(new byte[4]).UInt64(0).UInt32(100).End().ToArray(), Cancellation);
        await sftp.Input.WriteAsync(writer.Begin(SftpType.Close, 3).String(new byte[4]).End().ToArray(), Cancellation);
        await sftp.SendAsync(default);
        var outcome = await sftp.EndAsync();
        outcome.Text.ShouldNotContain("secret-content");
        (await JournalAsync()).ShouldNotContain(one => (string)one["event"]! == "file");
    }

    [Fact]
    public async Task A_shell_without_a_terminal_has_its_lines_in_the_recording()
    {
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, null, "-T");
        await ssh.SendAsync(Encoding.UTF8.GetBytes("exec >/dev/null 2>&1\n: secret-marker\nexit 4\n"));
        (await ssh.EndAsync()).ExitCode.ShouldBe(4);
        (await OutputAsync()).ShouldContain(": secret-marker\r\n");
    }

    [Fact]
    public async Task A_command_s_standard_input_is_in_the_journal_by_its_bytes_and_hash_and_nowhere_else()
    {
        var input = RandomNumberGenerator.GetBytes(3_000_000);
        "secret-marker"u8.CopyTo(input);
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "cat >/dev/null; exit 3", input)).ExitCode.ShouldBe(3);
        var journal = await JournalAsync();
        var read = journal.Single(one => (string)one["event"]! == "input");
        ((long)read["bytes"]!).ShouldBe(input.Length);
        ((string)read["sha256"]!).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(input)));
        journal.Select(one => (string)one["event"]!).ShouldBe(["began", "input", "exited", "ended"]);
        (await OutputAsync()).ShouldNotContain("secret-marker");
    }

    [Fact]
    public async Task A_long_command_is_in_the_journal_to_its_last_word()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, $"true {new string('x', 6000)}; echo last-word");
        outcome.Text.ShouldBe("last-word\n");
        ((string)(await _gateway.EndedSessionAsync())["command"]!).ShouldContain("more characters, sha256");
        string.Concat((await JournalAsync()).Where(one => (string)one["event"]! == "command").Select(one => (string)one["text"]!)).ShouldEndWith("; echo last-word");
    }

    [Fact]
    public async Task Of_a_program_whose_technician_s_connection_broke_no_end_is_told()
    {
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo ready; exec sleep 100");
        await Eventually.TrueAsync(() => Task.FromResult(ssh.OutputSoFar.Contains("ready", StringComparison.Ordinal)), "the program to run");
        ssh.Kill();
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("connectionLost");
        (await JournalAsync()).ShouldNotContain(one => (string)one["event"]! == "exited");
    }

    [Fact]
    public async Task Of_a_program_in_a_session_that_is_terminated_no_end_is_told()
    {
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo ready; exec sleep 100");
        await Eventually.TrueAsync(() => Task.FromResult(ssh.OutputSoFar.Contains("ready", StringComparison.Ordinal)), "the program to run");
        await _gateway.Owner.PostAsync($"sessions/{(string)(await _gateway.SessionsAsync("live")).Single()["id"]!}/end", new() { ["reason"] = "enough" });
        await ssh.EndAsync();
        var journal = await JournalAsync();
        journal.ShouldNotContain(one => (string)one["event"]! == "exited");
        ((string)journal[^1]["reason"]!).ShouldBe("Terminated");
    }

    [Fact]
    public async Task A_program_that_a_signal_killed_is_told_with_the_signal()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "kill -KILL $$");
        var journal = await JournalAsync();
        var exited = journal.SingleOrDefault(one => (string)one["event"]! == "exited").ShouldNotBeNull($"{outcome} {string.Join(' ', journal.Select(one => one.ToJsonString()))}");
        exited["status"].ShouldBeNull();
        ((string)exited["signal"]!).ShouldBe("KILL");
    }

    [Fact]
    public async Task A_device_that_closes_without_an_exit_status_has_completed_what_it_said()
    {
        await using var device = await DeviceAsync(channel =>
        {
            channel.SendData("hello\n"u8);
            channel.SendEof();
            channel.Close();
        });
        var outcome = await _gateway.Client.SshAsync("tina+web02", _gateway.Tina.ByKey, "show version");
        outcome.Text.ShouldBe("hello\n", outcome.ToString());
        outcome.Error.ShouldNotContain("countersign");
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("completed");
        (await JournalAsync()).ShouldNotContain(one => (string)one["event"]! == "exited");
    }

    [Fact]
    public async Task A_program_that_closes_its_output_and_waits_for_its_input_to_end_is_seen_to()
    {
        await using var device = await DeviceAsync(channel =>
        {
            channel.SendData("hello\n"u8);
            channel.SendEof();
        }, onEof: channel =>
        {
            channel.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest(3).Encode());
            channel.Close();
        });
        await using var ssh = _gateway.Client.StartSsh("tina+web02", _gateway.Tina.ByKey, "ask");

        // The client's own input ends once it has seen the end of the output.
        await ssh.OutputEnded.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        await ssh.SendAsync(default);
        (await ssh.EndAsync()).ExitCode.ShouldBe(3);
    }

    [Fact]
    public async Task Standard_error_of_a_session_of_files_is_bounded_and_written_down()
    {
        await using var device = await DeviceAsync(channel =>
        {
            channel.SendExtendedData(1, Encoding.ASCII.GetBytes("warning\n" + new string('x', 50_000)));
            channel.SendRequest(SessionRequests.ExitStatus, new ExitStatusRequest(0).Encode());
            channel.SendEof();
            channel.Close();
        });
        var outcome = await _gateway.Client.SshAsync("tina+web02", _gateway.Tina.ByKey, "sftp", default, "-s");
        outcome.Error.Count(character => character == 'x').ShouldBeLessThan(9000);
        var wrote = (await JournalAsync()).Single(one => (string)one["event"]! == "deviceWrote");
        ((long)wrote["bytes"]!).ShouldBe(50_008);
        ((long)wrote["passed"]!).ShouldBe(8192);
        ((string)wrote["text"]!).ShouldStartWith("warning xxx");
    }

    /// <summary>No window bounds them: a client could fill a disk with them, or outrun it.</summary>
    [Fact]
    public async Task Of_signals_by_the_hundred_the_journal_has_the_first_and_how_many_more_the_device_was_handed()
    {
        await using var device = await DeviceAsync(channel => channel.SendData("ready"u8));
        await using (var connection = await _gateway.ConnectAsync(_gateway.Tina, "web02"))
        {
            var ready = new Ready();
            var channel = await connection.OpenChannelAsync("session", default, ready, 64 * 1024, Cancellation);
            (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("ask").Encode(), Cancellation)).ShouldBeTrue();
            await ready.Said.Task.WaitAsync(Eventually.Patience, Cancellation);
            for (var count = 0; count < 300; count++) channel.SendRequest(SessionRequests.Signal, new SignalRequest("USR1").Encode());
            (await channel.RequestAsync(SessionRequests.Signal, new SshWriter().String("USR1").Byte(0).Written, Cancellation)).ShouldBeFalse();
            channel.Close();
            await _gateway.EndedSessionAsync();
        }

        var journal = await JournalAsync();
        journal.Count(one => (string)one["event"]! == "signal").ShouldBe(256);
        ((int)journal.Single(one => (string)one["event"]! == "signalsLeftOut")["times"]!).ShouldBe(44);
        await Eventually.TrueAsync(() => device.Program.Signals == 300, "the device to have them all");
    }

    private async Task<Device> DeviceAsync(Action<SshChannel> onStart, Action<SshChannel>? onEof = null)
    {
        var device = new Device(new(onStart, onEof));
        await _gateway.AddDeviceAsync("web02", device.Port, device.HostKey, _gateway.Sshd.ClientKey.PrivateText);
        return device;
    }

    private async Task<List<JsonNode>> JournalAsync()
    {
        var session = await _gateway.EndedSessionAsync();
        return [.. (await _gateway.Owner.GetAsync($"sessions/{(string)session["id"]!}/journal?limit=1000"))["items"]!.AsArray().Select(item => item!["event"]!)];
    }

    private async Task<string> OutputAsync()
    {
        var session = await _gateway.EndedSessionAsync();
        var organization = new Access.OrganizationId(Guid.Parse(Path.GetFileName(Directory.GetDirectories(Path.Combine(_gateway.DataDirectory, "recordings")).Single())));
        using var stored = _gateway.Server.Services.GetRequiredService<RecordingStore>().Open(organization, new(Guid.Parse((string)session["id"]!))).ShouldNotBeNull();
        var text = new StringBuilder();
        await foreach (var one in stored.Reader.ReadAllAsync(null, Cancellation))
        {
            if (one.Kind == RecordingEventKind.Output) text.Append(Encoding.UTF8.GetString(one.Data.Span));
        }

        return text.ToString();
    }

    /// <summary>A device of ours that takes one connection and does with a session what it was made for.</summary>
    private sealed class Device : IAsyncDisposable
    {
        private readonly SshPrivateKey _key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        public Device(Program program)
        {
            Program = program;
            _listener.Start();
            _serving = ServeAsync(program);
        }

        public Program Program { get; }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public string HostKey => _key.PublicKey.ToString();

        public async ValueTask DisposeAsync()
        {
            // Where nobody has come there is nobody to serve.
            _listener.Dispose();
            await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _key.Dispose();
        }

        private async Task ServeAsync(Program program)
        {
            var socket = await _listener.AcceptSocketAsync(Cancellation);
            await SshServerConnection.RunAsync(new NetworkStream(socket, ownsSocket: true), new() { HostKeys = [_key] }, new Door(program), Cancellation);
        }
    }

    private sealed class Ready : SshChannelHandler
    {
        public TaskCompletionSource Said { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data) => Said.TrySetResult();
    }

    private sealed class Door(Program program) : SshServerHandler
    {
        public override IReadOnlyList<string> AuthenticationMethods { get; } = ["publickey"];

        public override ValueTask<SshAuthResult> AuthenticateAsync(SshAuthAttempt attempt, CancellationToken cancellation) => new(SshAuthResult.Success);

        public override SshChannelAnswer OnChannelOpen(SshServerConnection connection, string type, ReadOnlySpan<byte> extra) => new SshChannelAnswer.Accept(program, 100_000);
    }

    private sealed class Program(Action<SshChannel> onStart, Action<SshChannel>? onEof) : SshChannelHandler
    {
        private int _signals;

        public int Signals => Volatile.Read(ref _signals);

        public override void OnRequest(SshChannel channel, SshChannelRequest request)
        {
            request.Reply(SshReply.Success);
            if (request.Name == SessionRequests.Signal) Interlocked.Increment(ref _signals);
            if (request.Name is SessionRequests.Exec or SessionRequests.Subsystem) onStart(channel);
        }

        public override void OnEof(SshChannel channel) => onEof?.Invoke(channel);
    }
}
