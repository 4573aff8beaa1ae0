using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>What happened in a session of the stock client, read and proved with the command line tool, the proof without a server.</summary>
public sealed class JournalToolTests : IDisposable
{
    private readonly TempFolder _home = new();

    [Fact]
    public async Task A_session_s_journal_is_shown_exported_and_proved_without_the_server()
    {
        string[] verify;
        var edited = _home["edited.jsonl"];
        await using (var gateway = await TestGateway.StartAsync())
        {
            var outcome = await gateway.Client.SshAsync($"{gateway.Tina.Login}+{TestGateway.Device}", gateway.Tina.ByKey, "echo hello; exit 7");
            outcome.ExitCode.ShouldBe(7, outcome.ToString());
            var id = (string)(await gateway.EndedSessionAsync())["id"]!;
            var (journal, log, kept) = (_home["journal.jsonl"], _home["log.jsonl"], _home["kept.jsonl"]);
            verify = [journal, "--log", log, "--checkpoint", kept];

            var shown = await RunAsync(gateway, "journal", "show", id);
            shown.ExitCode.ShouldBe(0, shown.ToString());
            shown.Text.ShouldContain("command=echo hello; exit 7");
            shown.Text.ShouldContain("  exited  status=7  bytesIn=0  bytesOut=6");
            shown.Text.ShouldContain("  ended  reason=Completed");
            (await RunAsync(gateway, "journal", "export", id, journal)).Text.ShouldContain("3 events are in");
            var checkpoint = await RunAsync(gateway, "audit", "checkpoint");
            await File.WriteAllTextAsync(kept, checkpoint.Text, TestContext.Current.CancellationToken);
            var export = await RunAsync(gateway, "audit", "export", log, "--kind", "session", "--checkpoint", kept);
            export.ExitCode.ShouldBe(0, export.ToString());
        }

        var proved = await ToolAsync([], ["journal", "verify", .. verify]);
        proved.ExitCode.ShouldBe(0, proved.ToString());
        proved.Text.ShouldContain("3 events, complete and unedited.");
        var lines = await File.ReadAllLinesAsync(verify[0], TestContext.Current.CancellationToken);
        foreach (var (changed, told) in ((string[] Lines, string Told)[])
        [
            ([lines[0], lines[1], lines[2].Replace("7", "0", StringComparison.Ordinal), lines[3]], "events 1 to 3"),
            ([lines[0], lines[2], lines[1], lines[3]], "events 1 to 3"),
            (lines[..3], "The tail is cut"),
            ([.. lines, lines[3]], "others were added"),
        ])
        {
            await File.WriteAllLinesAsync(edited, changed, TestContext.Current.CancellationToken);
            var found = await ToolAsync([], ["journal", "verify", edited, .. verify[1..]]);
            found.ExitCode.ShouldBe(1, found.ToString());
            found.Error.ShouldContain(told);
        }
    }

    public void Dispose() => _home.Dispose();

    private Task<Outcome> RunAsync(TestGateway gateway, params string[] arguments) => ToolAsync(
        new() { ["COUNTERSIGN_SERVER"] = gateway.Server.HttpAddress.AbsoluteUri, ["COUNTERSIGN_TOKEN"] = gateway.OwnerToken }, arguments);

    private Task<Outcome> ToolAsync(Dictionary<string, string> environment, params string[] arguments) => RunningCommand.RunAsync(
        "dotnet",
        [Path.Combine(AppContext.BaseDirectory, "countersign.dll"), .. arguments],
        environment: new Dictionary<string, string>(environment) { ["XDG_CONFIG_HOME"] = _home.Path });
}
