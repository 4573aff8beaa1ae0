namespace Countersign.Sessions.Tests;

/// <summary>
/// A clock that stands still until it is moved; timers that come due run inside <see cref="Advance"/>, in the order of their instants. The clock on the
/// wall can be set beside it, which moves neither timers nor timestamps.
/// </summary>
internal sealed class ManualTime(DateTimeOffset now) : TimeProvider
{
    /// <summary>For what would never happen otherwise.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private TaskCompletionSource? _armed;
    private DateTimeOffset _now = now;
    private TimeSpan _set;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate) return _now + _set;
    }

    public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate) return _now.UtcTicks;
    }

    public void SetWall(TimeSpan by)
    {
        lock (_gate) _set += by;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        var target = new DateTimeOffset(GetTimestamp(), TimeSpan.Zero) + by;
        while (true)
        {
            ManualTimer? next;
            lock (_gate)
            {
                next = _timers.Where(timer => timer.Due <= target).MinBy(timer => timer.Due);
                _now = next is null ? target : next.Due > _now ? next.Due!.Value : _now;
                if (next is not null) next.Due = null;
            }

            if (next is null) return;
            next.Run();
        }
    }

    /// <summary>Moves on, again and again, as often as something waits for a timer, until the task is done. Fails when neither comes in half a minute.</summary>
    public async Task AdvanceUntilAsync(Task done, TimeSpan by)
    {
        var began = System.GetTimestamp();
        while (!done.IsCompleted)
        {
            System.GetElapsedTime(began).ShouldBeLessThan(Patience);
            await Task.WhenAny(done, ArmedAsync()).WaitAsync(Patience);
            Advance(by);
        }

        await done;
    }

    /// <summary>Completes when there is a timer that can come due.</summary>
    private Task ArmedAsync()
    {
        lock (_gate)
        {
            if (_timers.Exists(timer => timer.Due is not null)) return Task.CompletedTask;
            _armed ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _armed.Task;
        }
    }

    private sealed class ManualTimer(ManualTime time, Action run) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public void Run() => run();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan) throw new NotSupportedException("periodic timers");
            lock (time._gate)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
                if (!time._timers.Contains(this)) time._timers.Add(this);
                if (Due is null) return true;
                time._armed?.TrySetResult();
                time._armed = null;
            }

            return true;
        }

        public void Dispose()
        {
            lock (time._gate) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
