namespace Countersign.Ssh.Tests;

/// <summary>Time that moves when the test says so.</summary>
internal sealed class FakeTime : TimeProvider
{
    /// <summary>For what would never happen otherwise.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly List<Timer> _timers = [];
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate) return _now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate) _timers.Add(timer);
        TellThatOneIsSet();
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        DateTimeOffset end;
        lock (_gate) end = _now + by;
        while (NextDue(end) is { } timer) timer.Fire();
        lock (_gate) _now = end;
    }

    /// <summary>
    /// Moves on by so much whenever that fires a timer, and only then, until the task is done: timers that are due later never come due by it.
    /// Fails when neither comes in a minute.
    /// </summary>
    /// <returns>How often it moved on.</returns>
    public async Task<int> PassUntilAsync(Task done, TimeSpan step)
    {
        var began = System.GetTimestamp();
        var moved = 0;
        while (true)
        {
            Task set;
            lock (_gate) set = _set.Task;
            if (done.IsCompleted) return moved;
            System.GetElapsedTime(began).ShouldBeLessThan(Patience);
            if (IsDueWithin(step))
            {
                moved++;
                Advance(step);
            }
            else
            {
                await Task.WhenAny(done, set).WaitAsync(Patience);
            }
        }
    }

    private bool IsDueWithin(TimeSpan span)
    {
        lock (_gate) return _timers.Any(timer => timer.Due <= _now + span);
    }

    private void TellThatOneIsSet()
    {
        TaskCompletionSource set;
        lock (_gate) (set, _set) = (_set, new(TaskCreationOptions.RunContinuationsAsynchronously));
        set.SetResult();
    }

    private Timer? NextDue(DateTimeOffset end)
    {
        lock (_gate)
        {
            var next = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            if (next?.Due is not { } due) return null;
            if (due > _now) _now = due;
            next.Due = next.Period > TimeSpan.Zero ? due + next.Period : null;
            return next;
        }
    }

    private sealed class Timer(FakeTime time, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
                Period = period;
            }

            time.TellThatOneIsSet();
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
