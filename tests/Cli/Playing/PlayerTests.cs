using System.Threading.Channels;
using Countersign.Cli.Playing;

namespace Countersign.Cli;

public sealed class PlayerTests
{
    private readonly LeapingTime _time = new();
    private readonly Channel<char> _keys = Channel.CreateUnbounded<char>();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_waits_as_long_as_it_was() => (await PlayAsync(new(_time, null, 1, null, TimeSpan.Zero), 0.5, 0.5, 2)).ShouldBe([0.5, 0.5, 2]);

    [Fact]
    public async Task Or_so_many_times_shorter() => (await PlayAsync(new(_time, null, 4, null, TimeSpan.Zero), 1, 3)).ShouldBe([0.25, 0.75]);

    [Fact]
    public async Task No_pause_is_longer_than_the_limit() =>
        (await PlayAsync(new(_time, null, 1, TimeSpan.FromSeconds(1), TimeSpan.Zero), 0.5, 600.5, 601)).ShouldBe([0.5, 1.5, 2]);

    [Fact]
    public async Task What_comes_before_the_beginning_is_shown_at_once() =>
        (await PlayAsync(new(_time, null, 1, null, TimeSpan.FromSeconds(10)), 1, 9, 10, 12, 13)).ShouldBe([0, 0, 0, 2, 3]);

    [Fact]
    public async Task Keys_change_the_speed()
    {
        var player = new Player(_time, _keys.Reader, 1, null, TimeSpan.Zero);
        (await PlayAsync(player, 1)).ShouldBe([1]);
        Type("++");
        (await player.UntilAsync(TimeSpan.FromSeconds(1), Stop)).ShouldBeTrue();
        (await PlayAsync(player, 5)).ShouldBe([2]);
        Type("-");
        (await player.UntilAsync(TimeSpan.FromSeconds(5), Stop)).ShouldBeTrue();
        (await PlayAsync(player, 7)).ShouldBe([3]);
    }

    [Fact]
    public async Task A_pause_takes_nothing_of_what_comes_after()
    {
        var player = new Player(_time, _keys.Reader, 1, null, TimeSpan.Zero);
        Type(" ");
        var waiting = player.UntilAsync(TimeSpan.FromSeconds(2), Stop).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        _time.Leap(TimeSpan.FromSeconds(100));
        Type(" ");
        (await waiting).ShouldBeTrue();
        _time.Elapsed.ShouldBe(TimeSpan.FromSeconds(102));
    }

    [Theory]
    [InlineData("q")]
    [InlineData(" q")]
    public async Task It_is_left_at_once(string typed)
    {
        Type(typed);
        (await new Player(_time, _keys.Reader, 1, null, TimeSpan.Zero).UntilAsync(TimeSpan.FromHours(1), Stop)).ShouldBeFalse();
        _time.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_terminal_that_is_gone_keeps_nothing_from_playing_on()
    {
        _keys.Writer.Complete();
        (await PlayAsync(new(_time, _keys.Reader, 1, null, TimeSpan.Zero), 1, 2)).ShouldBe([1, 2]);
    }

    private void Type(string keys)
    {
        foreach (var key in keys) _keys.Writer.TryWrite(key).ShouldBeTrue();
    }

    /// <returns>When each was shown, in seconds.</returns>
    private async Task<List<double>> PlayAsync(Player player, params double[] at)
    {
        var shown = new List<double>();
        foreach (var one in at)
        {
            (await player.UntilAsync(TimeSpan.FromSeconds(one), Stop)).ShouldBeTrue();
            shown.Add(_time.Elapsed.TotalSeconds);
        }

        return shown;
    }

    /// <summary>A clock that leaps to whatever is waited for.</summary>
    private sealed class LeapingTime : TimeProvider
    {
        private long _now;

        public TimeSpan Elapsed => TimeSpan.FromTicks(Interlocked.Read(ref _now));

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Leap(TimeSpan span) => Interlocked.Add(ref _now, span.Ticks);

        public override long GetTimestamp() => Interlocked.Read(ref _now);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan) return new Fired();
            Leap(dueTime);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
            return new Fired();
        }

        private sealed class Fired : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
