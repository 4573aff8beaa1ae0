using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Tests.Journal;
using Countersign.Ssh;

namespace Countersign.Sessions.Tests.Relay;

/// <summary>What passes between the failure of a disk and the end of a session that has to be recorded: nothing.</summary>
public sealed class RequiredRelayTests : IAsyncDisposable
{
    private readonly World _world = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("required", 0)]
    [InlineData("on", 1)]
    public async Task What_was_held_up_by_a_journal_that_then_fails_goes_on_only_where_it_need_not_be_recorded(string rule, int delivered)
    {
        SetRule(rule);
        SlowDisk? disk = null;
        _world.Journals.Disk = file => disk = new(file);
        await using var session = (await _world.AdmittedAsync()).Session;
        FileCommand.TryParse("scp -f x", out var command).ShouldBeTrue();
        await using var lab = await RelayLab.StartAsync(Cancellation, prepare: relay =>
        {
            relay.Keep(session.Journal!);
            relay.Understand().ShouldBeTrue();
            relay.Interpret(session, command);
        });
        var channel = await lab.StartAsync(new SshChannelStreams(), SshChannelStreams.DefaultWindow, bytes: 0, Cancellation);
        disk!.Hold();
        while (!session.Journal!.IsBehind) session.Note(new SignalSent(new string('x', 50_000)));
        await disk.Waiting.WaitAsync(Cancellation);
        await channel.WriteAsync(new byte[1], Cancellation);
        await RoundTripAsync(lab, channel);
        var whileHeld = lab.Delivered;

        _world.Time.Advance(JournalWriter.LongestWrite);
        await session.Journal.Failed.WaitAsync(Cancellation);
        session.Journal.CaughtUp!();
        await RoundTripAsync(lab, channel);
        disk.Release();

        (whileHeld, lab.Delivered).ShouldBe((0, delivered));
    }

    [Theory]
    [InlineData("required", 0)]
    [InlineData("on", 1)]
    public async Task What_is_typed_when_the_recording_has_failed_comes_to_the_device_only_where_it_need_not_be_recorded(string rule, int delivered)
    {
        SetRule(rule);
        SlowDisk? disk = null;
        _world.Recordings.Disk = file => disk = new(file);
        await using var session = (await _world.AdmittedAsync()).Session;
        await using var lab = await RelayLab.StartAsync(Cancellation, prepare: relay => relay.Record(session.Recording!));
        var channel = await lab.StartAsync(new SshChannelStreams(), SshChannelStreams.DefaultWindow, bytes: 0, Cancellation);
        disk!.Room = disk.Length;
        session.Recording!.Output(new byte[Sessions.Recording.RecordingWriter.FrameBytes]);
        await session.Recording.Failed.WaitAsync(Cancellation);

        await RelayLab.GoAsync(channel, Cancellation);
        await RoundTripAsync(lab, channel);

        lab.Delivered.ShouldBe(delivered);
    }

    /// <summary>What was sent before has been handled at the door, and what the door has sent on has come to the device.</summary>
    private static async Task RoundTripAsync(RelayLab lab, SshChannel channel)
    {
        await channel.RequestAsync("nobody-knows-this", ReadOnlyMemory<byte>.Empty, Cancellation);
        await lab.Device.OpenChannelAsync("ping", ReadOnlyMemory<byte>.Empty, new SshChannelStreams(), 0, Cancellation);
    }

    private void SetRule(string rule) => _world.Change(new RowChange(null, new SettingRow(SettingNode.Of(World.Web), SettingKind.Recording, rule, 0)));
}
