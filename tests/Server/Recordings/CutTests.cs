using System.Buffers.Binary;
using System.Net;
using Countersign.Sessions;
using Countersign.Sessions.Recording;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Recordings;

/// <summary>What the next start makes of sessions that were running when the server was killed.</summary>
public sealed class CutTests : RecordingLab
{
    private const int HeaderLength = 88;
    private const int FrameHeaderLength = 24;

    [Fact]
    public async Task Cut_beside_every_boundary_a_recording_plays_up_to_its_last_whole_frame_and_the_row_says_how_long_that_is()
    {
        var cuts = new List<(Guid Session, long Whole, int Events)>();
        foreach (var frames in Enumerable.Range(1, 4))
        {
            foreach (var beside in (int[])[-1, 0, 1])
            {
                var session = await BeginAsync();
                await using (var file = new FileStream(FileOf(session), FileMode.Open))
                {
                    var boundaries = Boundaries(file);
                    file.SetLength(boundaries[frames] + beside);
                    var whole = beside < 0 ? frames - 1 : frames;
                    cuts.Add((session, boundaries[whole], whole));
                }
            }
        }

        await Running.RestartAsync();

        foreach (var (session, whole, events) in cuts)
        {
            var row = (await Owner.GetAsync($"/api/v1/sessions/{session}")).Expect(HttpStatusCode.OK).Body;
            row.GetProperty("reason").GetString().ShouldBe("gatewayStopped");
            row.GetProperty("recording").GetString().ShouldBe("incomplete");
            var recording = (await Owner.GetAsync($"/api/v1/recordings/{session}")).Expect(HttpStatusCode.OK).Body;
            recording.GetProperty("size").GetInt64().ShouldBe(whole);
            var lines = Lines(await Owner.GetAsync($"/api/v1/recordings/{session}/events"));
            Closed(lines).ShouldBe("cut");
            lines.Count.ShouldBe(events + 1);
            if (events > 1) recording.GetProperty("length").GetDouble().ShouldBe(lines[^2].GetProperty("at").GetDouble());
        }
    }

    [Fact]
    public async Task Zeros_where_the_disk_did_not_keep_its_promise_are_not_played_and_do_not_spoil_the_rest()
    {
        var session = await BeginAsync();
        await using (var file = new FileStream(FileOf(session), FileMode.Open))
        {
            var boundaries = Boundaries(file);
            file.SetLength(boundaries[2]);
            file.SetLength(boundaries[2] + 5000);
        }

        await Running.RestartAsync();

        var lines = Lines(await Owner.GetAsync($"/api/v1/recordings/{session}/events"));
        Closed(lines).ShouldBe("cut");
        lines.Count.ShouldBe(3);
    }

    /// <summary>A session whose row says that it runs, with a recording of its start and three frames that nobody brought to its end.</summary>
    private async Task<Guid> BeginAsync()
    {
        var at = Running.Server.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        var opening = new SessionOpening(
            new(Guid.CreateVersion7(at)), Tenant.Id, new(Ann), "ann", new(Web1), "web1", "root", SessionKind.Shell, "", IPAddress.Loopback, at, 1);
        await Running.Server.Services.GetRequiredService<ISessionLedger>().BeginAsync(opening, Stop);
        await using var writer = Store.Begin(Tenant.Id, opening.Id, new(SessionKind.Shell, at, "ann", "web1", "root", "", null, null));
        for (var frame = 0; frame < 3; frame++)
        {
            var progress = writer.Progress;
            writer.Output(new byte[RecordingWriter.FrameBytes]);
            await progress.WaitAsync(Stop);
        }

        return opening.Id.Value;
    }

    /// <summary>Where frame n ends; at zero, the header.</summary>
    private static List<long> Boundaries(FileStream file)
    {
        var ends = new List<long> { HeaderLength };
        Span<byte> length = stackalloc byte[4];
        while (ends[^1] < file.Length)
        {
            file.Position = ends[^1];
            file.ReadExactly(length);
            ends.Add(ends[^1] + FrameHeaderLength + BinaryPrimitives.ReadInt32BigEndian(length));
        }

        ends.Count.ShouldBe(5);
        return ends;
    }
}
