using System.Net;
using Countersign.Access;

namespace Countersign.Server.Tests.Recordings;

public sealed class PlaybackTests : RecordingLab
{
    [Fact]
    public async Task A_recording_plays_from_its_start_to_its_end_and_that_is_written_down()
    {
        var session = await Tenant.RecordSessionAsync(Ann, "web1", "secret é\u001b[2J");
        await LetBobAsync("ConnectionHistory", "PlayRecordings");

        var lines = Lines(await Tenant.As(Bob).GetAsync($"/api/v1/recordings/{session}/events"));

        lines[0].GetProperty("start").GetProperty("login").GetString().ShouldBe("ann");
        lines[0].GetProperty("start").GetProperty("columns").GetInt32().ShouldBe(80);
        Shown(lines).ShouldBe("secret é\u001b[2J");
        lines[^2].GetProperty("end").GetProperty("exitStatus").GetInt32().ShouldBe(0);
        Closed(lines).ShouldBe("complete");
        var record = (await LoggedAsync("recording.played")).ShouldHaveSingleItem();
        record.GetProperty("actor").GetProperty("id").GetGuid().ShouldBe(Bob);
        record.GetProperty("subject").GetString().ShouldBe("web1");
        record.GetProperty("correlation").GetString().ShouldBe(session.ToString());
        record.GetProperty("details").GetProperty("technician").GetString().ShouldBe("ann");
    }

    [Fact]
    public async Task It_is_exported_as_asciicast_and_that_is_written_down()
    {
        var session = await Tenant.RecordSessionAsync(Ann, "web1");

        var answer = (await Owner.GetAsync($"/api/v1/recordings/{session}/asciicast")).Expect(HttpStatusCode.OK);

        var lines = answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[0].ShouldStartWith("{\"version\":2,\"width\":80,\"height\":24,");
        lines[1].ShouldEndWith(",\"o\",\"hello\\r\\n\"]");
        lines.Length.ShouldBe(2);
        (await LoggedAsync("recording.exported")).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData]
    [InlineData("ConnectionHistory")]
    [InlineData("PlayRecordings")]
    [InlineData("TerminateSessions", "DeleteRecordings", "ConnectionHistory")]
    public async Task Without_the_right_to_see_it_and_the_right_to_play_it_it_is_not_found(params string[] permissions)
    {
        var session = await Tenant.RecordSessionAsync(Ann, "web1");
        if (permissions.Length > 0) await LetBobAsync(permissions);
        var absent = await Tenant.As(Bob).GetAsync($"/api/v1/recordings/{Guid.NewGuid()}/events");

        foreach (var path in (string[])["", "/events", "/asciicast", "/live"])
        {
            var answer = (await Tenant.As(Bob).GetAsync($"/api/v1/recordings/{session}{path}")).Expect(HttpStatusCode.NotFound);
            answer.Text.ShouldBe(absent.Text);
        }

        (await Tenant.As(Bob).GetAsync("/api/v1/recordings")).Expect(HttpStatusCode.OK).Items.ShouldBeEmpty();
        (await LoggedAsync("recording.played")).ShouldBeEmpty();
    }

    [Fact]
    public async Task One_s_own_session_needs_the_right_as_well()
    {
        var session = await Tenant.RecordSessionAsync(Ann, "web1");
        (await Tenant.As(Ann).GetAsync($"/api/v1/recordings/{session}/events")).Expect(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_list_is_of_those_that_may_be_played_newest_first_a_page_at_a_time()
    {
        await LetBobAsync("ConnectionHistory", "PlayRecordings");
        await Tenant.GrantAsync(Ann, Web2, SystemRoles.OnlyDeviceConnection.Id);
        var first = await Tenant.RecordSessionAsync(Ann, "web1");
        await Tenant.RecordSessionAsync(Ann, "web2");
        var second = await Tenant.RecordSessionAsync(Ann, "web1");

        var page = (await Tenant.As(Bob).GetAsync("/api/v1/recordings?limit=1")).Expect(HttpStatusCode.OK);
        var shown = page.Items.ShouldHaveSingleItem();
        shown.GetProperty("session").GetGuid().ShouldBe(second);
        shown.GetProperty("recording").GetString().ShouldBe("complete");
        shown.GetProperty("missing").GetBoolean().ShouldBeFalse();
        shown.GetProperty("mayDelete").GetBoolean().ShouldBeFalse();
        shown.GetProperty("size").GetInt64().ShouldBe(new FileInfo(FileOf(second)).Length);
        var rest = (await Tenant.As(Bob).GetAsync($"/api/v1/recordings?cursor={page.Body.GetProperty("next").GetString()}")).Expect(HttpStatusCode.OK);
        rest.Items.ShouldHaveSingleItem().GetProperty("session").GetGuid().ShouldBe(first);
        (await Owner.GetAsync("/api/v1/recordings")).Expect(HttpStatusCode.OK).Items.Count.ShouldBe(3);
        (await Owner.GetAsync("/api/v1/recordings?limit=0")).ExpectInvalid("limit");
        (await Owner.GetAsync("/api/v1/recordings?cursor=x")).ExpectInvalid("cursor");
    }

    [Fact]
    public async Task What_was_changed_cut_or_put_in_its_place_is_played_as_far_as_it_is_good_and_called_damaged()
    {
        var session = await Tenant.RecordSessionAsync(Ann, "web1");
        var whole = await File.ReadAllBytesAsync(FileOf(session), Stop);

        var changed = whole.ToArray();
        changed[^1] ^= 1;
        await File.WriteAllBytesAsync(FileOf(session), changed, Stop);
        Closed(Lines(await Owner.GetAsync($"/api/v1/recordings/{session}/events"))).ShouldBe("damaged");

        // By itself a file that was cut is one that a crash has cut: the row knows better.
        await File.WriteAllBytesAsync(FileOf(session), whole[..^1], Stop);
        var cut = Lines(await Owner.GetAsync($"/api/v1/recordings/{session}/events"));
        Closed(cut).ShouldBe("damaged");
        cut.Count.ShouldBe(2);
        var cast = (await Owner.GetAsync($"/api/v1/recordings/{session}/asciicast")).Expect(HttpStatusCode.OK);
        cast.Text.TrimEnd().Split('\n')[^1].ShouldContain(",\"m\",\"damaged: ");

        await File.WriteAllBytesAsync(FileOf(session), whole, Stop);
        Closed(Lines(await Owner.GetAsync($"/api/v1/recordings/{session}/events"))).ShouldBe("complete");
    }

    [Fact]
    public async Task A_file_that_is_missing_is_told_and_written_down_at_the_next_start()
    {
        var session = await Tenant.RecordSessionAsync(Ann, "web1");
        File.Delete(FileOf(session));
        (await Owner.GetAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.OK).Body.GetProperty("missing").GetBoolean().ShouldBeTrue();
        (await Owner.GetAsync($"/api/v1/recordings/{session}/events")).Expect(HttpStatusCode.Conflict);
        (await LoggedAsync("recording.played")).ShouldBeEmpty();

        await Running.RestartAsync();

        IReadOnlyList<System.Text.Json.JsonElement> missing;
        do missing = await LoggedAsync("recording.missing");
        while (missing.Count == 0);
        missing.ShouldHaveSingleItem().GetProperty("details").GetProperty("sessions")[0].GetString().ShouldBe(session.ToString());
    }

    [Fact]
    public async Task A_recording_outlives_its_device_for_master_administrators()
    {
        await LetBobAsync("ConnectionHistory", "PlayRecordings");
        var session = await Tenant.RecordSessionAsync(Ann, "web1");
        (await Tenant.As(Bob).GetAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.OK);

        (await Owner.DeleteAsync($"/api/v1/devices/{Web1}")).Expect(HttpStatusCode.OK);

        (await Tenant.As(Bob).GetAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.NotFound);
        Closed(Lines(await Owner.GetAsync($"/api/v1/recordings/{session}/events"))).ShouldBe("complete");
    }
}
