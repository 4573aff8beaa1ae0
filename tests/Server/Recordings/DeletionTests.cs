using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Recordings;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform.Persistence;
using Countersign.Sessions;
using Countersign.Sessions.Recording;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Recordings;

public sealed class DeletionTests : RecordingLab
{
    private RecordingKeeper Keeper => Running.Server.Services.GetRequiredService<RecordingKeeper>();

    [Fact]
    public async Task A_recording_is_deleted_by_whoever_may_and_what_the_log_says_of_it_stays()
    {
        await LetBobAsync("ConnectionHistory", "PlayRecordings", "DeleteRecordings");
        var session = await Tenant.RecordSessionAsync(Ann, "web1");
        var hash = (await Owner.GetAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.OK).Body.GetProperty("hash").GetString();

        (await Tenant.As(Bob).DeleteAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.NoContent);

        File.Exists(FileOf(session)).ShouldBeFalse();
        var shown = (await Owner.GetAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.OK).Body;
        shown.GetProperty("recording").GetString().ShouldBe("deleted");
        shown.GetProperty("hash").GetString().ShouldBe(hash);
        (await Owner.GetAsync($"/api/v1/sessions/{session}")).Expect(HttpStatusCode.OK).Body.GetProperty("recording").GetString().ShouldBe("deleted");
        (await Owner.GetAsync($"/api/v1/recordings/{session}/events")).Expect(HttpStatusCode.NotFound);
        (await Tenant.As(Bob).DeleteAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.NotFound);
        var record = (await LoggedAsync("recording.deleted")).ShouldHaveSingleItem();
        record.GetProperty("actor").GetProperty("id").GetGuid().ShouldBe(Bob);
        record.GetProperty("details").GetProperty("hash").GetString().ShouldBe(hash);
    }

    [Fact]
    public async Task Nobody_deletes_where_they_took_part_nor_what_runs_nor_without_the_right()
    {
        var own = await Tenant.RecordSessionAsync(Tenant.OwnerId.Value, "web1");
        (await Owner.DeleteAsync($"/api/v1/recordings/{own}")).Expect(HttpStatusCode.Forbidden);
        await using var running = await Tenant.OpenSessionAsync(Ann, "web1");
        (await Owner.DeleteAsync($"/api/v1/recordings/{running.Opening.Id.Value}")).Expect(HttpStatusCode.Conflict);
        await LetBobAsync("ConnectionHistory", "PlayRecordings");
        var session = await Tenant.RecordSessionAsync(Ann, "web1");
        (await Tenant.As(Bob).DeleteAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.NotFound);

        foreach (var id in (Guid[])[own, running.Opening.Id.Value, session]) File.Exists(FileOf(id)).ShouldBeTrue();
        (await LoggedAsync("recording.deleted")).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_older_than_the_organization_keeps_is_deleted_and_only_that()
    {
        var now = DateTimeOffset.UnixEpoch.AddSeconds(Running.Server.Services.GetRequiredService<TimeProvider>().GetUtcNow().ToUnixTimeSeconds());
        var old = new List<Guid>();
        for (var number = 0; number < 120; number++) old.Add(await RecordAsync(now - TimeSpan.FromDays(31)));
        var young = await RecordAsync(now - TimeSpan.FromDays(29));
        await using var running = await Tenant.OpenSessionAsync(Ann, "web1");

        await Keeper.LookAsync(Stop);
        (await LoggedAsync("recording.deleted")).ShouldBeEmpty();
        (await Owner.PutAsync("/api/v1/settings/organization/recordingRetention", new { value = "30d" })).Expect(HttpStatusCode.OK);
        await Keeper.LookAsync(Stop);

        old.ShouldAllBe(session => !File.Exists(FileOf(session)));
        File.Exists(FileOf(young)).ShouldBeTrue();
        File.Exists(FileOf(running.Opening.Id.Value)).ShouldBeTrue();
        var records = (await Owner.GetAsync("/api/v1/audit?kind=recording.deleted&limit=1000")).Items;
        records.Count.ShouldBe(120);
        records[0].GetProperty("channel").GetString().ShouldBe("system");
        records[0].GetProperty("details").GetProperty("keptDays").GetInt32().ShouldBe(30);
    }

    [Fact]
    public async Task Only_master_administrators_say_how_long_recordings_are_kept()
    {
        await Tenant.GrantAsync(Bob, Web1, SystemRoles.FullDeviceAccess.Id);
        (await Tenant.As(Bob).PutAsync("/api/v1/settings/organization/recordingRetention", new { value = "1d" })).Expect(HttpStatusCode.Forbidden);
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/recordingRetention", new { value = "1d" })).ExpectInvalid("setting");
    }

    [Fact]
    public async Task A_server_that_went_down_between_the_row_and_the_file_removes_the_file_at_the_next_start_and_no_other()
    {
        var deleted = await Tenant.RecordSessionAsync(Ann, "web1");
        var kept = await Tenant.RecordSessionAsync(Ann, "web1");
        var unknown = Guid.NewGuid();
        File.Copy(FileOf(kept), FileOf(unknown));
        await Running.Server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            Tenant.Id,
            async (db, stop) => (await db.Set<SessionRecord>().SingleAsync(row => row.Id == deleted, stop)).RecordingGone = DateTimeOffset.UnixEpoch,
            Stop);
        var path = FileOf(deleted);
        File.Exists(path).ShouldBeTrue();

        await Running.RestartAsync();

        while (File.Exists(path)) await Task.Yield();
        File.Exists(FileOf(kept)).ShouldBeTrue();
        File.Exists(FileOf(unknown)).ShouldBeTrue();
        (await Owner.GetAsync("/api/v1/recordings")).Items.Count.ShouldBe(2);
    }

    /// <summary>A session of then.</summary>
    private async Task<Guid> RecordAsync(DateTimeOffset ended)
    {
        var ledger = Running.Server.Services.GetRequiredService<ISessionLedger>();
        var at = ended.AddMinutes(-5);
        var opening = new SessionOpening(
            new(Guid.CreateVersion7(at)), Tenant.Id, new(Ann), "ann", new(Web1), "web1", "root", SessionKind.Shell, "", IPAddress.Loopback, at, 1);
        await ledger.BeginAsync(opening, Stop);
        var writer = Store.Begin(Tenant.Id, opening.Id, new(SessionKind.Shell, at, "ann", "web1", "root", "", null, null));
        var result = await writer.FinishAsync(new(EndReason.Completed, "", 0));
        await ledger.EndAsync(new(opening.Id, Tenant.Id, EndReason.Completed, "", 0, 0, 0, ended) { Recording = RecordingSummary.Of(result) }, Stop);
        return opening.Id.Value;
    }
}
