using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Countersign.Cli.AgainstTheServer;

public sealed class AuditTests : IAsyncLifetime
{
    private readonly FakeTerminal _olga = new();
    private LiveServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Log => _olga.PathOf("log.jsonl");

    private string Kept => _olga.PathOf("kept.jsonl");

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        _olga.Input = LiveServer.Password;
        (await _olga.RunAsync("login", "--server", _server.Address, "--password-stdin", "olga")).ShouldBe(0, _olga.Error);
        await AddGroupAsync("Servers");
    }

    public async ValueTask DisposeAsync()
    {
        _olga.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_export_is_verified_without_the_server_against_a_checkpoint_kept_before()
    {
        await KeepAsync();
        await AddGroupAsync("Printers");
        (await _olga.RunAsync("audit", "export", Log)).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldEndWith($"records are in {Log}.\n");
        (File.GetUnixFileMode(Log) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)).ShouldBe(UnixFileMode.None);
        (await _olga.RunAsync("audit", "export", Log)).ShouldBe(2);

        using var elsewhere = new FakeTerminal();
        (await elsewhere.RunAsync("audit", "verify", Log, "--checkpoint", Kept)).ShouldBe(0, elsewhere.Error);
        elsewhere.Output.ShouldContain("records, complete and unedited.");
        elsewhere.Output.ShouldContain("came later");
        (await elsewhere.RunAsync("audit", "verify", Log, "--checkpoint", Kept, "--json")).ShouldBe(0);
        JsonNode.Parse(elsewhere.Output)!["intact"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task What_was_done_to_an_export_is_named_and_ends_with_one()
    {
        (await _olga.RunAsync("audit", "export", Log)).ShouldBe(0, _olga.Error);
        await KeepAsync();
        var lines = await File.ReadAllLinesAsync(Log, Stop);
        var count = lines.Length - 1;

        await ExpectAsync([lines[0], lines[1].Replace("\"done\"", "\"failed\"", StringComparison.Ordinal), .. lines[2..]], "changedRecord", 1, "Record 1 ");
        await ExpectAsync([.. lines[..2], .. lines[3..]], "missingRecord", 2, "Record 2 was removed");
        await ExpectAsync([lines[0], lines[2], lines[1], .. lines[3..]], "movedRecord", 1, "Record 1 was moved");
        await ExpectAsync(lines[..^1], "cutTail", count, "The tail is cut");
        await ExpectAsync([lines[0].Replace($"\"size\":{count}", $"\"size\":{count - 1}", StringComparison.Ordinal), .. lines[1..^1]], "forgedCheckpoint", null, "checkpoint is forged");

        await File.WriteAllLinesAsync(Log, lines, Stop);
        await File.WriteAllTextAsync(Kept, (await File.ReadAllTextAsync(Kept, Stop)).Replace("\"size\":", "\"size\":1", StringComparison.Ordinal), Stop);
        (await _olga.RunAsync("audit", "verify", Log, "--checkpoint", Kept)).ShouldBe(1);
        _olga.Error.ShouldContain("kept checkpoint in line 1 is forged");
    }

    [Fact]
    public async Task A_filtered_export_is_verified_without_the_server_too()
    {
        await KeepAsync();
        await AddGroupAsync("Printers");
        var (some, changed) = (_olga.PathOf("some.jsonl"), _olga.PathOf("changed.jsonl"));
        (await _olga.RunAsync("audit", "export", some, "--kind", "policy", "--checkpoint", Kept)).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldBe($"2 records are in {some}.\n");
        using var elsewhere = new FakeTerminal();
        (await elsewhere.RunAsync("audit", "verify", some, "--checkpoint", Kept)).ShouldBe(0, elsewhere.Error);
        elsewhere.Output.ShouldContain("2 records, unedited, each proved to be in the log");

        await File.WriteAllTextAsync(changed, (await File.ReadAllTextAsync(some, Stop)).Replace("Printers", "Plotters", StringComparison.Ordinal), Stop);
        (await elsewhere.RunAsync("audit", "verify", changed, "--checkpoint", Kept)).ShouldBe(1);
        elsewhere.Error.ShouldContain("is not what was sealed");

        // Without the checkpoint nothing connects it with what was kept.
        (await _olga.RunAsync("audit", "export", _olga.PathOf("loose.jsonl"), "--kind", "policy")).ShouldBe(0, _olga.Error);
        (await elsewhere.RunAsync("audit", "verify", _olga.PathOf("loose.jsonl"), "--checkpoint", Kept)).ShouldBe(1);
        elsewhere.Error.ShouldContain("--checkpoint");
        (await _olga.RunAsync("audit", "export", _olga.PathOf("none.jsonl"), "--kind", "policy", "--checkpoint", some)).ShouldBe(2);
    }

    [Fact]
    public async Task A_spreadsheet_is_written_too()
    {
        var csv = _olga.PathOf("log.csv");
        (await _olga.RunAsync("audit", "export", csv, "--csv", "--outcome", "done")).ShouldBe(0, _olga.Error);
        (await File.ReadAllTextAsync(csv, Stop)).ShouldStartWith("number,id,at,kind,outcome,");
    }

    [Fact]
    public async Task Erasing_is_shown_first_and_done_when_that_is_confirmed_and_the_log_still_verifies()
    {
        var person = (string)(await _server.PostAsync("technicians", new() { ["kind"] = "technician", ["login"] = "tom", ["name"] = "Tom", ["password"] = "a first password 77" }))["id"]!;
        using var tom = new FakeTerminal { CanAsk = true };
        foreach (var password in (string[])["a first password 77", "amber-lantern-orchid-73", "amber-lantern-orchid-73"]) tom.Secrets.Enqueue(password);
        (await tom.RunAsync("login", "--server", _server.Address, "tom")).ShouldBe(0, tom.Error);
        string[] erase = ["audit", "erase", person, "--field", "actorLogin", "--reason", "asked for"];
        (await _olga.RunAsync(erase)).ShouldBe(1);
        _olga.Error.ShouldContain("disable or remove the person first");
        await _server.PostAsync($"technicians/{person}/disable", []);
        await KeepAsync();
        (await _olga.RunAsync(erase)).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldContain("would lose actorLogin");
        (await _olga.RunAsync([.. erase, "--yes"])).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldContain("have lost actorLogin");
        (await _olga.RunAsync("audit", "export", Log)).ShouldBe(0, _olga.Error);
        (await _olga.RunAsync("audit", "verify", Log, "--checkpoint", Kept)).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldContain("were erased: actorLogin.");
        (await _olga.RunAsync("audit", "verify", Log, "--checkpoint", Kept, "--json")).ShouldBe(0);
        JsonNode.Parse(_olga.Output)!["erasedFields"]!.AsArray().Single()!.GetValue<string>().ShouldBe("actorLogin");
    }

    [Fact]
    public async Task What_can_not_be_read_is_a_wrong_argument()
    {
        (await _olga.RunAsync("audit", "verify", Log, "--checkpoint", Kept)).ShouldBe(2);
        (await _olga.RunAsync("audit", "verify", Log)).ShouldBe(2);
        (await _olga.RunAsync("audit", "export", _olga.PathOf("no/such/folder"))).ShouldBe(2);
        (await _olga.RunAsync("audit", "tail", "--outcome", "perhaps")).ShouldBe(2);
        (await _olga.RunAsync("audit", "tail", "--person", "me")).ShouldBe(2);
    }

    [Fact]
    public async Task The_newest_records_are_shown_last_and_filtered()
    {
        await AddGroupAsync("Printers");
        (await _olga.RunAsync("audit", "tail", "--limit", "2")).ShouldBe(0, _olga.Error);
        var lines = _olga.Output.TrimEnd('\n').Split('\n');
        lines.Length.ShouldBe(2);
        lines[0].ShouldContain("Servers");
        lines[1].ShouldContain("Printers");
        lines[1].ShouldContain("  policy.changed  done  olga  api 127.0.0.1  ");
        (await _olga.RunAsync("audit", "tail", "--kind", "policy", "--json")).ShouldBe(0, _olga.Error);
        foreach (var line in _olga.Output.TrimEnd('\n').Split('\n')) JsonNode.Parse(line)!["kind"]!.GetValue<string>().ShouldStartWith("policy.");
        (await _olga.RunAsync("audit", "tail", "--outcome", "failed", "--from", "2026-01-01T00:00Z")).ShouldBe(0, _olga.Error);
        _olga.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task Following_shows_what_comes_until_it_is_stopped()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var output = new WatchedWriter();
        var following = CommandLine.RunAsync(["audit", "tail", "--follow", "--kind", "policy"], _olga.Surroundings(output, TextWriter.Null), stop.Token);
        await output.Contains("Servers");
        await AddGroupAsync("Printers");
        await output.Contains("Printers");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(following);
        output.ToString().Split("Servers").Length.ShouldBe(2);
    }

    private async Task ExpectAsync(IEnumerable<string> lines, string fault, int? record, string message)
    {
        var edited = _olga.PathOf("edited.jsonl");
        await File.WriteAllLinesAsync(edited, lines, Stop);
        (await _olga.RunAsync("audit", "verify", edited, "--checkpoint", Kept)).ShouldBe(1);
        _olga.Error.ShouldContain(message);
        _olga.Output.ShouldBeEmpty();
        (await _olga.RunAsync("audit", "verify", edited, "--checkpoint", Kept, "--json")).ShouldBe(1);
        using var verdict = JsonDocument.Parse(_olga.Output);
        verdict.RootElement.GetProperty("fault").GetString().ShouldBe(fault);
        if (record is { } number) verdict.RootElement.GetProperty("record").GetInt64().ShouldBe(number);
        else verdict.RootElement.TryGetProperty("record", out _).ShouldBeFalse();
    }

    private async Task KeepAsync()
    {
        (await _olga.RunAsync("audit", "checkpoint")).ShouldBe(0, _olga.Error);
        await File.AppendAllTextAsync(Kept, _olga.Output, Stop);
    }

    private Task<JsonObject> AddGroupAsync(string name) => _server.PostAsync("device-groups", new JsonObject { ["parent"] = null, ["name"] = name });

    /// <summary>Tells when something was written.</summary>
    private sealed class WatchedWriter() : StringWriter(CultureInfo.InvariantCulture)
    {
        private readonly Lock _lock = new();
        private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];

        public Task Contains(string text)
        {
            lock (_lock)
            {
                var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _awaited.Add((text, seen));
                Look();
                return seen.Task.WaitAsync(Stop);
            }
        }

        public override void WriteLine(string? value)
        {
            lock (_lock)
            {
                base.WriteLine(value);
                Look();
            }
        }

        private void Look()
        {
            foreach (var (text, seen) in _awaited)
                if (ToString().Contains(text, StringComparison.Ordinal)) seen.TrySetResult();
        }
    }
}
