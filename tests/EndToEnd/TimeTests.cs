using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Sessions.Recording;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.EndToEnd;

/// <summary>Sessions are warned before their end and cut off at it. The server's clocks are moved by the tests.</summary>
public sealed class TimeTests : IAsyncLifetime
{
    private readonly MovedTime _time = new();
    private TestGateway _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(options => options with { Time = _time });

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task The_longest_time_is_warned_of_in_the_terminal_and_then_over()
    {
        await SetAsync("maxSession", "1h");
        await SetAsync("idleTimeout", "none");
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey, 160);
        await AnswersAsync(terminal);
        var live = (await _gateway.SessionsAsync("live")).Single();
        ((string)live["endsBecause"]!).ShouldBe("maximumTime");
        var ends = (DateTimeOffset)live["endsAt"]!;
        (ends - (DateTimeOffset)live["started"]!).ShouldBe(TimeSpan.FromHours(1), TimeSpan.FromSeconds(1));

        _time.Move(TimeSpan.FromMinutes(56));
        var at = ends.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        (await terminal.WaitForAsync("countersign: this session ends in ")).ShouldContain($"at {at} UTC: 1 h is the longest that a session may last");
        await AnswersAsync(terminal);
        _time.Move(TimeSpan.FromMinutes(4));
        await terminal.WaitForAsync("countersign: session ended: 1 h is the longest that a session may last");
        (await terminal.WaitForEndAsync()).ShouldBe(77);
        var session = await EndedAsync("maximumTime");
        session["endsAt"].ShouldBeNull();
        var events = await RecordedAsync(session);
        Text(events, RecordingEventKind.Output).ShouldNotContain("this session ends");
        Text(events, RecordingEventKind.Notice).ShouldContain("countersign: this session ends in ");
    }

    [Fact]
    public async Task The_end_of_the_window_is_warned_of_on_standard_error_where_there_is_no_terminal()
    {
        await _gateway.GrantAsync(_gateway.Tina, _gateway.Role, to: _time.GetUtcNow().AddMinutes(25));
        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        await using var ssh = await RunningAsync();
        ((string)(await _gateway.SessionsAsync("live")).Single()["endsBecause"]!).ShouldBe("windowOver");
        ssh.ErrorSoFar.ShouldNotContain("countersign:");

        _time.Move(TimeSpan.FromMinutes(21));
        await SaysAsync(ssh, "countersign: this session ends in ");
        ssh.ErrorSoFar.ShouldContain(" UTC: the time of your access is over");
        await EchoesAsync(ssh, "still here");
        _time.Move(TimeSpan.FromMinutes(4));
        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain("countersign: session ended: the time of your access is over");
        outcome.Text.ShouldBe("started\nstill here\n");
        await EndedAsync("windowOver");
    }

    [Fact]
    public async Task A_session_that_begins_near_its_end_is_warned_at_once()
    {
        await _gateway.GrantAsync(_gateway.Tina, _gateway.Role, to: _time.GetUtcNow().AddMinutes(3));
        await _gateway.Owner.DeleteAsync($"grants/{_gateway.TinasGrant}");
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo out");
        outcome.Error.ShouldContain("countersign: this session ends in ");
        outcome.Text.ShouldBe("out\n");
        outcome.ExitCode.ShouldBe(0, outcome.ToString());
    }

    [Fact]
    public async Task Standing_still_ends_the_session_and_typing_keeps_it()
    {
        await SetAsync("idleTimeout", "10m");
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey, 160);
        await AnswersAsync(terminal);
        for (var time = 0; time < 3; time++)
        {
            _time.Move(TimeSpan.FromMinutes(9));
            await AnswersAsync(terminal);
        }

        _time.Move(TimeSpan.FromMinutes(6));
        await terminal.WaitForAsync("unless something is typed: it has been idle for 6 min");
        _time.Move(TimeSpan.FromMinutes(4));
        await terminal.WaitForAsync("countersign: session ended: it was idle for 10 min");
        (await terminal.WaitForEndAsync()).ShouldBe(77);
        await EndedAsync("idle");
    }

    [Fact]
    public async Task A_command_that_writes_is_not_idle_and_a_screen_that_changes_by_itself_is()
    {
        await SetAsync("idleTimeout", "10m");
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "while sleep 0.1; do echo tick; done");
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey, 160, command: "while sleep 0.1; do echo tick; done");
        await terminal.WaitForAsync("tick");
        for (var time = 0; time < 3; time++)
        {
            await MoreAsync(ssh);
            _time.Move(TimeSpan.FromMinutes(7));
        }

        await terminal.WaitForAsync("countersign: session ended: it was idle for 10 min");
        await MoreAsync(ssh);
        ssh.ErrorSoFar.ShouldNotContain("session ended");
    }

    [Fact]
    public async Task A_database_that_is_locked_keeps_no_session_beyond_its_time()
    {
        await SetAsync("maxSession", "1h");
        await SetAsync("idleTimeout", "none");
        await using var ssh = await RunningAsync();
        await using var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey, 160);
        await AnswersAsync(terminal);
        await using var unwanted = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo in; cat");
        await Eventually.TrueAsync(() => unwanted.OutputSoFar == "in\n", "the session to start", () => unwanted.ErrorSoFar);
        var id = (string)(await _gateway.SessionsAsync("live")).Single(session => (string)session["command"]! == "echo in; cat")["id"]!;

        await using var other = new SqliteConnection($"Data Source={Path.Combine(_gateway.DataDirectory, "countersign.db")};Pooling=False");
        await other.OpenAsync(Cancellation);
        await ExecuteAsync(other, "BEGIN EXCLUSIVE");
        var held = System.Diagnostics.Stopwatch.StartNew();
        _time.Move(TimeSpan.FromMinutes(57));
        await SaysAsync(ssh, "countersign: this session ends in ");
        await terminal.WaitForAsync("countersign: this session ends in ");
        var terminating = _gateway.Owner.SendAsync(HttpMethod.Post, $"sessions/{id}/end", []);
        (await unwanted.EndAsync()).Error.ShouldContain("session ended: terminated by Olga");
        _time.Move(TimeSpan.FromMinutes(3));
        (await ssh.EndAsync()).Error.ShouldContain("session ended: 1 h is the longest that a session may last");
        await terminal.WaitForAsync("session ended: 1 h is the longest that a session may last");

        // Nothing can be written down: who comes now waits, or is refused, and does not get in.
        await using var newcomer = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo in");
        await Eventually.TrueAsync(() => held.Elapsed >= LockedFor, "the lock to have been held for so long", patience: LockedFor + Eventually.Patience);
        newcomer.OutputSoFar.ShouldBeEmpty();
        var unlocked = _time.GetUtcNow();
        await ExecuteAsync(other, "ROLLBACK");

        await terminating;
        var late = await newcomer.EndAsync(TimeSpan.FromMinutes(2));
        if (late.ExitCode != 0) late.Error.ShouldMatch("can't be written down now|Permission denied|Connection closed");
        await Eventually.TrueAsync(
            async () => (await _gateway.SessionsAsync("ended")).Count(session => (string)session["reason"]! == "maximumTime") == 2,
            "both ends to be written down",
            patience: TimeSpan.FromMinutes(2));
        foreach (var session in (await _gateway.SessionsAsync("ended")).Where(session => (string)session["reason"]! == "maximumTime"))
            ((DateTimeOffset)session["ended"]!).ShouldBeLessThan(unlocked);
    }

    /// <summary>As long as the test needs; <c>COUNTERSIGN_LOCKED_SECONDS</c> holds the lock for longer.</summary>
    private static TimeSpan LockedFor =>
        TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("COUNTERSIGN_LOCKED_SECONDS") ?? "0", CultureInfo.InvariantCulture));

    private static async Task ExecuteAsync(SqliteConnection connection, string text)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = text;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static string Text(IEnumerable<RecordingEvent> events, RecordingEventKind kind) =>
        Encoding.UTF8.GetString([.. events.Where(one => one.Kind == kind).SelectMany(one => one.Data.ToArray())]);

    private static Task SaysAsync(RunningCommand ssh, string text) =>
        Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains(text, StringComparison.Ordinal), text, () => ssh.ErrorSoFar);

    private static async Task MoreAsync(RunningCommand ssh)
    {
        var before = ssh.OutputSoFar.Length;
        await Eventually.TrueAsync(() => ssh.OutputSoFar.Length > before, "the command to write more", () => ssh.ErrorSoFar);
    }

    private static async Task EchoesAsync(RunningCommand ssh, string text)
    {
        await ssh.Input.WriteAsync(Encoding.UTF8.GetBytes($"echo {text}\n"), Cancellation);
        await ssh.Input.FlushAsync(Cancellation);
        await Eventually.TrueAsync(() => ssh.OutputSoFar.EndsWith($"{text}\n", StringComparison.Ordinal), text, () => ssh.ErrorSoFar);
    }

    /// <summary>The shell in the terminal takes a line and answers with what the line alone does not show.</summary>
    private static async Task AnswersAsync(Terminal terminal)
    {
        var (one, other) = (Random.Shared.Next(10_000, 20_000), Random.Shared.Next(10_000, 20_000));
        await terminal.EnterAsync($"echo the answer is $(({one}+{other}))");
        await terminal.WaitForAsync($"the answer is {one + other}");
    }

    /// <summary>A shell of Tina's, without a terminal, that has said its first word.</summary>
    private async Task<RunningCommand> RunningAsync()
    {
        var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey);
        await EchoesAsync(ssh, "started");
        return ssh;
    }

    private async Task SetAsync(string setting, string value) => await _gateway.Owner.PutAsync($"settings/organization/{setting}", new() { ["value"] = value });

    private async Task<JsonNode> EndedAsync(string reason)
    {
        var session = await _gateway.EndedSessionAsync();
        ((string)session["reason"]!).ShouldBe(reason);
        return session;
    }

    private async Task<List<RecordingEvent>> RecordedAsync(JsonNode session)
    {
        var file = Directory.GetFiles(Path.Combine(_gateway.DataDirectory, "recordings"), "*.csr", SearchOption.AllDirectories).Single();
        var organization = new Access.OrganizationId(Guid.Parse(Path.GetFileName(Path.GetDirectoryName(file)!)));
        var store = _gateway.Server.Services.GetRequiredService<RecordingStore>();
        using var stored = store.Open(organization, new(Guid.Parse((string)session["id"]!))).ShouldNotBeNull();
        var events = new List<RecordingEvent>();
        await foreach (var one in stored.Reader.ReadAllAsync(null, Cancellation)) events.Add(one);
        return events;
    }
}
