using System.Net;
using System.Text;
using System.Text.Json;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Features.Sessions;
using Countersign.Sessions;
using Countersign.Sessions.Journal;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Api;

public sealed class JournalTests : FeatureTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_journal_is_read_in_pages_while_the_session_runs_and_after()
    {
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        for (var number = 0; number < 5; number++) session.Note(new SignalSent($"USR{number}"));
        await session.Journal!.MarkAsync();
        var id = session.Opening.Id;
        (await EventsAsync(id)).ShouldBe(["began", "signal", "signal", "signal", "signal", "signal"]);
        session.Finish(EndReason.Completed, "", 0);
        await session.DisposeAsync();

        var first = await PageAsync(id, "limit=4");
        first.GetProperty("items").GetArrayLength().ShouldBe(4);
        var rest = await PageAsync(id, $"limit=4&cursor={first.GetProperty("next").GetString()}");
        rest.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("number").GetInt64()).ShouldBe([5L, 6, 7]);
        rest.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
        rest.GetProperty("items")[2].GetProperty("event").GetProperty("reason").GetString().ShouldBe("Completed");
        (await Owner.GetAsync($"/api/v1/sessions/{id}/journal?cursor=x")).ExpectInvalid("cursor");
    }

    [Fact]
    public async Task Only_who_may_look_back_at_the_device_reads_it_and_taking_part_is_not_enough()
    {
        var session = await Tenant.OpenSessionAsync(Ann, "web1");
        await session.DisposeAsync();
        var id = session.Opening.Id;
        foreach (var path in (string[])[$"/api/v1/sessions/{id}/journal", $"/api/v1/sessions/{id}/journal/export"])
        {
            (await Tenant.As(Ann).GetAsync(path)).Expect(HttpStatusCode.Forbidden);
            (await Tenant.As(Bob).GetAsync(path)).Expect(HttpStatusCode.NotFound);
            (await Owner.GetAsync(path.Replace(id.ToString(), Guid.NewGuid().ToString(), StringComparison.Ordinal))).Expect(HttpStatusCode.NotFound);
            (await Owner.GetAsync(path)).Expect(HttpStatusCode.OK);
        }

        await Tenant.GrantTeamAsync(Bob, SystemRoles.Auditor.Id);
        (await Tenant.As(Bob).GetAsync($"/api/v1/sessions/{id}/journal")).Expect(HttpStatusCode.OK);
        var told = (await Owner.GetAsync("/api/v1/audit?kind=journal.exported")).Items.ShouldHaveSingleItem();
        told.GetProperty("correlation").GetString().ShouldBe(id.ToString());
    }

    [Fact]
    public async Task An_export_is_proved_against_the_log_and_a_session_that_runs_long_is_anchored_before_its_end()
    {
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        var anchors = Running.Server.Services.GetRequiredService<JournalAnchors>();
        session.Note(new SignalSent("USR1"));
        await anchors.TickAsync(Stop);
        await anchors.TickAsync(Stop);
        (await Owner.GetAsync($"/api/v1/audit?kind={JournalAnchors.Kind}")).Items.ShouldHaveSingleItem();
        session.Note(new SignalSent("USR2"));
        await anchors.TickAsync(Stop);
        (await Owner.GetAsync($"/api/v1/audit?kind={JournalAnchors.Kind}")).Items.Count.ShouldBe(2);
        await session.DisposeAsync();

        var journal = (await Owner.GetAsync($"/api/v1/sessions/{session.Opening.Id}/journal/export")).Expect(HttpStatusCode.OK).Text;
        var verdict = await VerifyAsync(journal);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Proved.ShouldBe(4);
        (await VerifyAsync(journal.Replace("USR2", "USR3", StringComparison.Ordinal))).Message.ShouldContain("events 3 to 3");
    }

    [Fact]
    public async Task What_a_killed_server_left_is_anchored_as_cut_up_to_its_last_whole_event()
    {
        var id = await LeaveAsync(journal => journal.DisposeAsync());
        var file = JournalFile();
        await using (var stream = new FileStream(file, FileMode.Append)) stream.Write(new byte[11]);
        await Running.RestartAsync();

        var details = await EndAsync(id);
        details.GetProperty("reason").GetString().ShouldBe("GatewayStopped");
        details.GetProperty("journal").GetProperty("cut").GetBoolean().ShouldBeTrue();
        details.GetProperty("journal").GetProperty("events").GetInt64().ShouldBe(2);
        var verdict = await VerifyAsync((await Owner.GetAsync($"/api/v1/sessions/{id}/journal/export")).Text);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Message.ShouldContain("was cut when it was written");
    }

    [Fact]
    public async Task An_end_that_was_written_before_the_kill_is_the_end_of_the_session()
    {
        var id = await LeaveAsync(async journal => await journal.FinishAsync(new(EndReason.Completed, "", 7, 10, 20, Sessions.Recording.RecordingState.None)));
        await Running.RestartAsync();
        var details = await EndAsync(id);
        (details.GetProperty("reason").GetString(), details.GetProperty("exitStatus").GetInt32()).ShouldBe(("Completed", 7));
        details.GetProperty("journal").GetProperty("cut").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task What_was_changed_on_the_disk_is_told_and_does_not_prove()
    {
        var session = await Tenant.OpenSessionAsync(Ann, "web1");
        session.Note(new SignalSent("USR1"));
        await session.Journal!.MarkAsync();
        await session.DisposeAsync();
        var file = JournalFile();
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        bytes[^5] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Stop);
        (await PageAsync(session.Opening.Id, "")).GetProperty("damage").GetString().ShouldNotBeNull().ShouldContain("damaged behind event 2");
        (await VerifyAsync((await Owner.GetAsync($"/api/v1/sessions/{session.Opening.Id}/journal/export")).Text)).Fault.ShouldBe(JournalFault.CutTail);
    }

    /// <summary>A session of which its server knows nothing: as a kill leaves it.</summary>
    private async Task<SessionId> LeaveAsync(Func<JournalWriter, ValueTask> leave)
    {
        var services = Running.Server.Services;
        var id = new SessionId(Guid.CreateVersion7());
        var opening = new SessionOpening(
            id, Tenant.Id, new(Ann), "ann", new(Web1), "web1", "root", SessionKind.Shell, "", IPAddress.Loopback, TimeProvider.System.GetUtcNow(), Tenant.Policy.Version);
        (await services.GetRequiredService<ISessionLedger>().BeginAsync(opening, Stop)).ShouldBeTrue();
        var journal = services.GetRequiredService<JournalStore>().Begin(opening);
        journal.Append(new SignalSent("TERM"));
        await leave(journal);
        return id;
    }

    private string JournalFile() =>
        Directory.GetFiles(Path.Combine(Running.Server.Services.GetRequiredService<ServerOptions>().DataDirectory, "journals"), "*.csj", SearchOption.AllDirectories).ShouldHaveSingleItem();

    private async Task<JsonElement> EndAsync(SessionId id) =>
        (await Owner.GetAsync("/api/v1/audit?kind=session.ended")).Items.Single(item => item.GetProperty("correlation").GetString() == id.ToString()).GetProperty("details");

    private async Task<JsonElement> PageAsync(SessionId id, string query)
    {
        using var json = JsonDocument.Parse((await Owner.GetAsync($"/api/v1/sessions/{id}/journal?{query}")).Expect(HttpStatusCode.OK).Text);
        return json.RootElement.Clone();
    }

    private async Task<List<string?>> EventsAsync(SessionId id) =>
        [.. (await PageAsync(id, "")).GetProperty("items").EnumerateArray().Select(item => item.GetProperty("event").GetProperty("event").GetString())];

    private async Task<JournalVerdict> VerifyAsync(string journal)
    {
        var log = (await Owner.GetAsync("/api/v1/audit/export")).Text;
        var kept = (await Owner.GetAsync("/api/v1/audit/checkpoint")).Text;
        using var lines = new MemoryStream(Encoding.UTF8.GetBytes(journal));
        using var export = new MemoryStream(Encoding.UTF8.GetBytes(log));
        using var checkpoints = new MemoryStream(Encoding.UTF8.GetBytes(kept));
        return await JournalVerifier.VerifyAsync(lines, export, checkpoints, Stop);
    }
}
