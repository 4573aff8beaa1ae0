using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;
using Countersign.Sessions.Recording;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.EndToEnd;

/// <summary>What a technician sees at a real sshd is what the recording plays.</summary>
public sealed class RecordingTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task A_terminal_session_is_recorded_with_its_sizes_and_its_end()
    {
        await using (var terminal = await _gateway.Client.OpenTerminalAsync("tina+web01", _gateway.Tina.ByKey, 100, 30))
        {
            await terminal.EnterAsync("echo to-be-$((40+2))");
            await terminal.WaitForAsync("to-be-42");
            await terminal.ResizeAsync(70, 20);
            await terminal.EnterAsync("stty size");
            await terminal.WaitForAsync("20 70");
            await terminal.EnterAsync("exit 5");
            await _gateway.EndedSessionAsync();
        }

        var (session, events) = await RecordedAsync();
        var start = events[0].ReadStart().ShouldNotBeNull();
        start.Terminal.ShouldNotBeNull();
        start.Size.ShouldBe(new TerminalSize(100, 30));
        start.Login.ShouldBe("tina");
        Text(events, RecordingEventKind.Output).ShouldContain("to-be-42");
        events.Where(one => one.Kind == RecordingEventKind.Resize).Select(one => one.ReadSize()).ShouldContain(new TerminalSize(70, 20));
        events.ShouldNotContain(one => one.Kind == RecordingEventKind.Input);
        events[^1].ReadEnd()!.ExitStatus.ShouldBe(5);
        ((string)session["recording"]!).ShouldBe("complete");
    }

    [Fact]
    public async Task A_commands_output_and_errors_are_recorded_byte_for_byte()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "seq 1 900000; echo oops >&2; exit 3");

        var (_, events) = await RecordedAsync();
        var start = events[0].ReadStart().ShouldNotBeNull();
        start.Terminal.ShouldBeNull();
        start.Command.ShouldBe("seq 1 900000; echo oops >&2; exit 3");
        var output = Encoding.UTF8.GetBytes(Text(events, RecordingEventKind.Output));
        output.Length.ShouldBeGreaterThan(5_000_000);
        Convert.ToHexString(SHA256.HashData(output)).ShouldBe(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(outcome.Text))));
        Text(events, RecordingEventKind.Error).ShouldBe("oops\n");
        events[^1].ReadEnd()!.ExitStatus.ShouldBe(3);
    }

    [Fact]
    public async Task The_log_tells_size_and_hash_of_what_lies_on_disk()
    {
        await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo hello");
        var session = await _gateway.EndedSessionAsync();
        var log = await _gateway.Owner.GetAsync("audit");
        var details = log["items"]!.AsArray().Single(item => (string)item!["kind"]! == "session.ended")!["details"]!;

        var organization = new Access.OrganizationId(Guid.Parse(Path.GetFileName(Directory.GetDirectories(Path.Combine(_gateway.DataDirectory, "recordings")).Single())));
        var found = await Store.InspectAsync(organization, new(Guid.Parse((string)session["id"]!)), Cancellation);

        found.ShouldNotBeNull();
        ((string)details["recording"]!).ShouldBe("Complete");
        ((long)details["recordingSize"]!).ShouldBe(found.Size);
        ((string)details["recordingHash"]!).ShouldBe(Convert.ToHexStringLower(found.Hash.Span));
    }

    [Fact]
    public async Task Required_and_not_to_be_written_the_technician_is_told_and_nothing_starts()
    {
        await RequireAsync();
        await File.WriteAllTextAsync(Path.Combine(_gateway.DataDirectory, "recordings"), "", Cancellation);

        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo hello");

        outcome.Text.ShouldBeEmpty();
        outcome.ExitCode.ShouldBe(77, outcome.ToString());
        outcome.Error.ShouldContain("web01 has to be recorded and its recording can't be written now");
        ((string)(await _gateway.EndedSessionAsync())["reason"]!).ShouldBe("notRecorded");
    }

    [Fact]
    public async Task On_and_not_to_be_written_the_session_runs_and_the_log_says_so()
    {
        await File.WriteAllTextAsync(Path.Combine(_gateway.DataDirectory, "recordings"), "", Cancellation);

        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo hello");

        outcome.Text.ShouldBe("hello\n", outcome.ToString());
        ((string)(await _gateway.EndedSessionAsync())["recording"]!).ShouldBe("failed");
        (await _gateway.Owner.GetAsync("audit"))["items"]!.AsArray().ShouldContain(item => (string)item!["kind"]! == "recording.failed");
    }

    [Fact]
    public async Task Files_have_no_recording_and_go_where_recording_is_required_since_they_have_a_journal()
    {
        (await _gateway.Client.SftpAsync("tina+web01", _gateway.Tina.ByKey, "pwd\n")).ExitCode.ShouldBe(0);
        ((string)(await _gateway.EndedSessionAsync())["recording"]!).ShouldBe("none");

        await RequireAsync();
        (await _gateway.Client.SftpAsync("tina+web01", _gateway.Tina.ByKey, "pwd\n")).ExitCode.ShouldBe(0);
    }

    private RecordingStore Store => _gateway.Server.Services.GetRequiredService<RecordingStore>();

    private static string Text(IEnumerable<RecordingEvent> events, RecordingEventKind kind) =>
        Encoding.UTF8.GetString([.. events.Where(one => one.Kind == kind).SelectMany(one => one.Data.ToArray())]);

    private async Task RequireAsync() => await _gateway.Owner.PutAsync($"settings/devices/{_gateway.DeviceId}/recording", new() { ["value"] = "required" });

    private async Task<(JsonNode Session, List<RecordingEvent> Events)> RecordedAsync()
    {
        var session = await _gateway.EndedSessionAsync();
        var file = Directory.GetFiles(Path.Combine(_gateway.DataDirectory, "recordings"), "*.csr", SearchOption.AllDirectories).Single();
        Path.GetFileNameWithoutExtension(file).ShouldBe((string)session["id"]!);
        var organization = new Access.OrganizationId(Guid.Parse(Path.GetFileName(Path.GetDirectoryName(file)!)));
        using var stored = Store.Open(organization, new(Guid.Parse((string)session["id"]!))).ShouldNotBeNull();
        var events = new List<RecordingEvent>();
        await foreach (var one in stored.Reader.ReadAllAsync(null, Cancellation)) events.Add(one);
        return (session, events);
    }
}
