using System.Net;
using System.Text;
using Countersign.Sessions;
using Countersign.Sessions.Recording;

namespace Countersign.Server.Tests.Recordings;

public sealed class WatchTests : RecordingLab
{
    [Fact]
    public async Task A_watcher_sees_everything_from_the_beginning_into_live_and_the_end()
    {
        await LetBobAsync("WatchSessions");
        var session = await Tenant.OpenSessionAsync(Ann, "web1");
        session.Recording!.Output("before "u8);
        using var watching = await WatchAsync(Bob, session.Opening.Id.Value);
        await watching.UntilAsync("before ");
        session.Recording.Output("after"u8);
        await watching.UntilAsync("before after");
        session.Finish(EndReason.Completed, "", 3);
        await session.DisposeAsync();

        (await watching.ToTheEndAsync()).ShouldBe("complete");

        Shown(watching.Lines).ShouldBe("before after");
        watching.Lines[^2].GetProperty("end").GetProperty("exitStatus").GetInt32().ShouldBe(3);
    }

    [Fact]
    public async Task Everybody_sees_who_watches_and_the_log_tells_when_they_came_and_went()
    {
        await LetBobAsync("WatchSessions");
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        var shown = new List<string>();
        session.Watchers.ShowIn(shown.Add);
        session.Recording!.Output("x"u8);
        using (var watching = await WatchAsync(Bob, session.Opening.Id.Value))
        {
            await watching.UntilAsync("x");
            var seen = (await Tenant.As(Ann).GetAsync($"/api/v1/sessions/{session.Opening.Id.Value}")).Expect(HttpStatusCode.OK);
            seen.Body.GetProperty("watchers")[0].GetProperty("login").GetString().ShouldBe("bob");
            (await LoggedAsync("session.watched")).ShouldHaveSingleItem().GetProperty("actor").GetProperty("id").GetGuid().ShouldBe(Bob);
            (await LoggedAsync("session.unwatched")).ShouldBeEmpty();
        }

        // Nothing is to be sent: that the watcher has gone is noticed all the same.
        while ((await LoggedAsync("session.unwatched")).Count == 0) await Task.Yield();
        shown.ShouldBe(["bob is watching this session", "bob watches no longer"]);
        session.Watchers.Present.ShouldBeEmpty();
    }

    [Fact]
    public async Task Whoever_loses_the_right_is_cut_off()
    {
        var grant = await LetBobAsync("WatchSessions");
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        session.Recording!.Output("x"u8);
        using var watching = await WatchAsync(Bob, session.Opening.Id.Value);
        await watching.UntilAsync("x");

        (await Owner.DeleteAsync($"/api/v1/grants/{grant}")).Expect(HttpStatusCode.OK);

        (await watching.ToTheEndAsync()).ShouldBe("revoked");
        session.Watchers.Present.ShouldBeEmpty();
        session.Ending.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_is_disabled_is_cut_off()
    {
        await LetBobAsync("WatchSessions");
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        session.Recording!.Output("x"u8);
        using var watching = await WatchAsync(Bob, session.Opening.Id.Value);
        await watching.UntilAsync("x");

        (await Owner.PostAsync($"/api/v1/technicians/{Bob}/disable")).Expect(HttpStatusCode.OK);

        (await watching.ToTheEndAsync()).ShouldBe("revoked");
    }

    [Fact]
    public async Task A_watcher_who_does_not_read_holds_up_nobody()
    {
        await LetBobAsync("WatchSessions");
        var session = await Tenant.OpenSessionAsync(Ann, "web1");
        using var watching = await WatchAsync(Bob, session.Opening.Id.Value);
        var piece = Encoding.ASCII.GetBytes(new string('z', 32 * 1024));
        const int Pieces = 1024;
        for (var sent = 0; sent < Pieces; sent++)
        {
            session.Recording!.Output(piece);
            while (session.Recording.IsBehind) await session.Recording.Progress.WaitAsync(Stop);
        }

        // Far more than all the buffers on the way hold: it is in the file, and the session ends without the watcher.
        session.Finish(EndReason.Completed, "", 0);
        await session.DisposeAsync();
        (await watching.ToTheEndAsync()).ShouldBe("complete");
        Shown(watching.Lines).Length.ShouldBe(Pieces * piece.Length);
    }

    [Fact]
    public async Task What_is_not_recorded_can_not_be_watched_nor_what_has_ended()
    {
        (await Owner.PutAsync($"/api/v1/settings/devices/{Web1}/recording", new { value = "off" })).Expect(HttpStatusCode.OK);
        await using (var session = await Tenant.OpenSessionAsync(Ann, "web1"))
        {
            (await Owner.GetAsync($"/api/v1/recordings/{session.Opening.Id.Value}/live")).Expect(HttpStatusCode.Conflict).Text.ShouldContain("not recorded");
        }

        (await Owner.DeleteAsync($"/api/v1/settings/devices/{Web1}/recording")).Expect(HttpStatusCode.OK);
        var ended = await Tenant.RecordSessionAsync(Ann, "web1");
        (await Owner.GetAsync($"/api/v1/recordings/{ended}/live")).Expect(HttpStatusCode.Conflict).Text.ShouldContain("has ended");
        (await LoggedAsync("session.watched")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_recording_that_can_not_be_written_on_ends_what_is_watched()
    {
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        using var watching = await WatchAsync(Tenant.OwnerId.Value, session.Opening.Id.Value);

        // More at once than a disk may owe.
        session.Recording!.Output(new byte[RecordingWriter.MostWaiting + (2 * RecordingWriter.FrameBytes)]);

        (await watching.ToTheEndAsync()).ShouldBe("cut");
    }

    [Fact]
    public async Task One_person_has_a_bounded_number_open()
    {
        await using var session = await Tenant.OpenSessionAsync(Ann, "web1");
        var id = session.Opening.Id.Value;
        var open = new List<Watching>();
        for (var number = 0; number < 16; number++) open.Add(await WatchAsync(Tenant.OwnerId.Value, id));

        (await Owner.GetAsync($"/api/v1/recordings/{id}/live")).Expect(HttpStatusCode.Conflict).Text.ShouldContain("16");

        foreach (var one in open) one.Dispose();
        while (session.Watchers.Present.Count > 0) await Task.Yield();
    }
}
