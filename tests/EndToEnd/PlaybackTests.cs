using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Sessions.Recording;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.EndToEnd;

/// <summary>Mara looks over Tina's shoulder, and looks again later: with the real tool, in real terminals.</summary>
public sealed class PlaybackTests : IAsyncLifetime
{
    private readonly TempFolder _home = new();
    private TestGateway _gateway = null!;
    private Api _mara = null!;
    private string _marasToken = "";
    private string _marasTokenId = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private RecordingStore Store => _gateway.Server.Services.GetRequiredService<RecordingStore>();

    public async ValueTask InitializeAsync()
    {
        _gateway = await TestGateway.StartAsync();
        var mara = await _gateway.AddPersonAsync("mara");
        await _gateway.GrantAsync(mara, await _gateway.AddRoleAsync("Supervision", "WatchSessions", "ConnectionHistory", "PlayRecordings"));
        _mara = await _gateway.SignInAsync(mara);
        var made = await _mara.PostAsync("me/tokens", new() { ["label"] = "tool", ["scopes"] = new JsonArray("read") });
        (_marasToken, _marasTokenId) = ((string)made["token"]!, (string)made["id"]!);
    }

    public async ValueTask DisposeAsync()
    {
        _mara.Dispose();
        await _gateway.DisposeAsync();
        _home.Dispose();
    }

    [Fact]
    public async Task A_running_top_is_watched_from_the_beginning_into_live_and_seen_again_later()
    {
        string id;
        string last;
        byte[] watched;
        await using (var tina = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey, 100, 30))
        {
            await tina.EnterAsync("echo before-$((40+2))");
            await tina.WaitForAsync("before-42");
            id = (string)(await _gateway.SessionsAsync("live")).ShouldHaveSingleItem()["id"]!;

            await using var piped = RunningCommand.Start("dotnet", Tool("watch", id), Environment(_marasToken));
            await tina.WaitForAsync("countersign: mara the technician is watching this session");
            await tina.EnterAsync("top -d 1; echo over-$((40+2))");
            await tina.WaitForAsync("load average");
            await Eventually.TrueAsync(() => piped.OutputSoFar.Contains("load average", StringComparison.Ordinal), "the watcher to see it", () => piped.ErrorSoFar);
            piped.OutputSoFar.ShouldContain("before-42");
            await using var seen = await ShowAsync("watch", id);
            await seen.WaitForAsync("load average");
            await tina.PressAsync("q");

            // When it ends, top throws away what was typed and not read.
            await tina.WaitForAsync("over-42");
            await tina.EnterAsync("echo after-$((40+2))");
            await tina.WaitForAsync("after-42");
            var screens = "";
            last = await Eventually.SomeAsync(
                async () =>
                {
                    var (hers, shown) = (await tina.VisibleAsync(), await seen.VisibleAsync());
                    screens = $"{hers}\n--- the watcher's\n{shown}";
                    return hers == shown ? hers : null;
                },
                "the watcher's screen to be the technician's",
                () => screens);
            last.ShouldContain("after-42");
            (await _gateway.SessionsAsync("live")).Single()["watchers"]!.AsArray().Count.ShouldBe(2);

            await tina.EnterAsync("exit 3");
            await _gateway.EndedSessionAsync();
            (await seen.WaitForEndAsync()).ShouldBe(0);
            var outcome = await piped.EndAsync();
            outcome.ExitCode.ShouldBe(0, outcome.Error);
            watched = outcome.Output;
        }

        var recorded = await RecordedAsync(id);
        Convert.ToHexString(watched).ShouldBe(Convert.ToHexString(recorded), "what was watched is what was recorded, byte for byte");
        await PlaysAsync(id, recorded, last);
        await ExportsAsync(id, recorded);

        var log = (await _gateway.Owner.GetAsync("audit?limit=1000"))["items"]!.AsArray().Where(item => (string)item!["actor"]!["login"]! == "mara").Select(item => (string)item!["kind"]!).ToList();
        log.Count(kind => kind == "session.watched").ShouldBe(2);
        log.Count(kind => kind == "session.unwatched").ShouldBe(2);
        log.Count(kind => kind == "recording.played").ShouldBe(4);
        log.Count(kind => kind == "recording.exported").ShouldBe(1);
    }

    [Fact]
    public async Task Who_runs_a_command_is_told_of_a_watcher_who_watches_no_longer_once_their_token_is_revoked()
    {
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo started; cat");
        await Eventually.TrueAsync(() => ssh.OutputSoFar == "started\n", "the session to start", () => ssh.ErrorSoFar);
        var id = (string)(await _gateway.SessionsAsync("live")).Single()["id"]!;
        await using var watching = RunningCommand.Start("dotnet", Tool("watch", id), Environment(_marasToken));
        await Eventually.TrueAsync(() => watching.OutputSoFar.StartsWith("started\n", StringComparison.Ordinal), "the watcher to see it", () => watching.ErrorSoFar);

        // A program's output is its own: who has no terminal is told on standard error.
        await Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains("mara the technician is watching this session", StringComparison.Ordinal), "tina to be told", () => ssh.ErrorSoFar);

        await _mara.DeleteAsync($"me/tokens/{_marasTokenId}");

        var outcome = await watching.EndAsync();
        outcome.ExitCode.ShouldBe(1, outcome.ToString());
        outcome.Error.ShouldContain("you may not see any more of it");
        (await RunAsync(_marasToken, "watch", id)).ExitCode.ShouldBe(3);
        await ssh.SendAsync("still here\n"u8.ToArray());
        (await ssh.EndAsync()).Text.ShouldBe("started\nstill here\n");
    }

    [Fact]
    public async Task Without_the_right_there_is_nothing_to_watch_to_play_or_to_delete()
    {
        var tina = await _gateway.SignInAsync(_gateway.Tina);
        var token = (string)(await tina.PostAsync("me/tokens", new() { ["label"] = "tool", ["scopes"] = new JsonArray("write") }))["token"]!;
        tina.Dispose();
        await using (var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "echo started; cat"))
        {
            await Eventually.TrueAsync(() => ssh.OutputSoFar == "started\n", "the session to start", () => ssh.ErrorSoFar);
            (await RunAsync(token, "watch", (string)(await _gateway.SessionsAsync("live")).Single()["id"]!)).ExitCode.ShouldBe(4);
            await ssh.SendAsync(default);
            await ssh.EndAsync();
        }

        var id = (string)(await _gateway.EndedSessionAsync())["id"]!;
        (await RunAsync(token, "play", id)).ExitCode.ShouldBe(4);
        (await RunAsync(token, "export", id, "--output", _home["no.cast"])).ExitCode.ShouldBe(4);
        File.Exists(_home["no.cast"]).ShouldBeFalse();
        (await RunAsync(token, "recordings", "delete", id)).ExitCode.ShouldBe(4);
        (await RunAsync(token, "recordings")).Error.ShouldContain("no recording that you may play");
        (await RunAsync(_gateway.OwnerToken, "recordings")).Text.ShouldContain(id);
        (await RunAsync(_gateway.OwnerToken, "recordings", "delete", id)).ExitCode.ShouldBe(0);
        (await RunAsync(_gateway.OwnerToken, "play", id)).ExitCode.ShouldBe(4);
    }

    [Fact]
    public async Task A_disk_that_gets_full_ends_a_session_that_has_to_be_recorded_and_what_was_written_plays()
    {
        await _gateway.Owner.PutAsync($"settings/devices/{_gateway.DeviceId}/recording", new() { ["value"] = "required" });
        Store.Disk = file => new FullDisk(file, room: 200_000);

        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "seq 1 50000; cat");
        var outcome = await ssh.EndAsync();

        outcome.ExitCode.ShouldBe(77, outcome.Error);
        outcome.Error.ShouldContain("web01 has to be recorded and its recording can't be written now");
        var session = await _gateway.EndedSessionAsync();
        ((string)session["reason"]!).ShouldBe("notRecorded");
        ((string)session["recording"]!).ShouldBe("incomplete");
        (await _gateway.Owner.GetAsync("audit?kind=recording.failed"))["items"]!.AsArray().Count.ShouldBe(1);
        var played = await RunAsync(_marasToken, "play", (string)session["id"]!, "--no-wait");
        played.ExitCode.ShouldBe(0, played.Error);
        played.Error.ShouldContain("This is all that there is");
        played.Text.ShouldStartWith("1\n2\n3\n");
        outcome.Text.ShouldStartWith(played.Text);
    }

    private async Task PlaysAsync(string id, byte[] recorded, string last)
    {
        var dumped = await RunAsync(_marasToken, "play", id, "--no-wait");
        dumped.ExitCode.ShouldBe(0, dumped.Error);
        Convert.ToHexString(dumped.Output).ShouldBe(Convert.ToHexString(recorded));

        await using (var fast = await ShowAsync("play", id, "--speed", "1000", "--idle-limit", "0.01"))
        {
            (await fast.WaitForEndAsync()).ShouldBe(0);
            var lines = (await fast.ScreenAsync()).Split('\n').Select(line => line.TrimEnd()).ToList();
            var from = 0;
            foreach (var line in last.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0))
            {
                // The last is the prompt, at which more was typed.
                var at = lines.FindIndex(from, shown => shown.StartsWith(line, StringComparison.Ordinal));
                at.ShouldBeGreaterThanOrEqualTo(0, $"\"{line}\" in\n{string.Join('\n', lines)}");
                from = at + 1;
            }
        }

        await using (var left = await ShowAsync("play", id))
        {
            await left.WaitForAsync("load average");
            await left.PressAsync("q");
            (await left.WaitForEndAsync()).ShouldBe(0);
        }

        await using var interrupted = await ShowAsync("play", id);
        await interrupted.WaitForAsync("load average");
        await interrupted.PressAsync("Space");
        await interrupted.PressAsync("C-c");
        (await interrupted.WaitForEndAsync()).ShouldBe(130);
    }

    private async Task ExportsAsync(string id, byte[] recorded)
    {
        var file = _home["session.cast"];
        var exported = await RunAsync(_marasToken, "export", id, "--output", file);
        exported.ExitCode.ShouldBe(0, exported.Error);
        (File.GetUnixFileMode(file) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)).ShouldBe(UnixFileMode.None);
        var header = JsonNode.Parse((await File.ReadAllLinesAsync(file, Cancellation))[0])!;
        ((int)header["version"]!, (int)header["width"]!, (int)header["height"]!).ShouldBe((2, 100, 30));

        var home = new Dictionary<string, string> { ["HOME"] = _home.Path };
        // Its cat takes no output but with a terminal beside it.
        await using (var cat = await Terminal.StartAsync(["sh", "-c", "asciinema cat \"$1\" > \"$1.out\"", "sh", file], home))
        {
            (await cat.WaitForEndAsync()).ShouldBe(0);
        }

        (await File.ReadAllTextAsync(file + ".out", Cancellation)).ShouldBe(Encoding.UTF8.GetString(recorded));
        await using var player = await Terminal.StartAsync(["asciinema", "play", "--speed", "1000", "--idle-time-limit", "0.01", file], home, 100, 30);
        (await player.WaitForEndAsync()).ShouldBe(0);
        (await player.ScreenAsync()).ShouldContain("after-42");
    }

    private async Task<byte[]> RecordedAsync(string id)
    {
        var organization = Guid.Parse(Path.GetFileName(Directory.GetDirectories(Path.Combine(_gateway.DataDirectory, "recordings")).Single()));
        using var stored = Store.Open(new(organization), new(Guid.Parse(id, CultureInfo.InvariantCulture))).ShouldNotBeNull();
        var bytes = new MemoryStream();
        await foreach (var one in stored.Reader.ReadAllAsync(null, Cancellation))
        {
            if (one.Kind is RecordingEventKind.Output or RecordingEventKind.Error or RecordingEventKind.Notice) bytes.Write(one.Data.Span);
        }

        return bytes.ToArray();
    }

    /// <summary>Mara's tool in a terminal as large as Tina's.</summary>
    private Task<Terminal> ShowAsync(params string[] arguments) => Terminal.StartAsync(["dotnet", .. Tool(arguments)], Environment(_marasToken), 100, 30);

    private Task<Outcome> RunAsync(string token, params string[] arguments) => RunningCommand.RunAsync("dotnet", Tool(arguments), environment: Environment(token));

    private static string[] Tool(params string[] arguments) => [Path.Combine(AppContext.BaseDirectory, "countersign.dll"), .. arguments];

    private Dictionary<string, string> Environment(string token) => new()
    {
        ["XDG_CONFIG_HOME"] = _home.Path,
        ["COUNTERSIGN_SERVER"] = _gateway.Server.HttpAddress.AbsoluteUri,
        ["COUNTERSIGN_TOKEN"] = token,
    };
}
