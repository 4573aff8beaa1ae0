namespace Countersign.EndToEnd.Fixtures;

/// <summary>
/// The machine's clocks, which the test moves forward: they go on from there. Timers that a move makes due come due at once. So a server runs by it as
/// ever, and hours pass in no time.
/// </summary>
public sealed class MovedTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly HashSet<Timer> _timers = [];
    private TimeSpan _moved;

    public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Moved;

    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Moved.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Move(TimeSpan by)
    {
        Timer[] timers;
        lock (_gate)
        {
            _moved += by;
            timers = [.. _timers];
        }

        foreach (var timer in timers) timer.OnMoved();
    }

    private TimeSpan Moved
    {
        get
        {
            lock (_gate) return _moved;
        }
    }

    private sealed class Timer : ITimer
    {
        private readonly Lock _gate = new();
        private readonly MovedTime _time;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private readonly ITimer _inner;
        private long? _due;
        private TimeSpan _period = Timeout.InfiniteTimeSpan;

        public Timer(MovedTime time, TimerCallback callback, object? state)
        {
            (_time, _callback, _state) = (time, callback, state);
            _inner = System.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (time._gate) time._timers.Add(this);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                _period = period;
                _due = dueTime == Timeout.InfiniteTimeSpan ? null : _time.GetTimestamp() + dueTime.Ticks;
                return _inner.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }

        public void OnMoved()
        {
            lock (_gate)
            {
                if (_due is not { } due) return;
                var rest = TimeSpan.FromTicks(Math.Max(0, due - _time.GetTimestamp()));
                _inner.Change(TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
            }
        }

        public void Dispose()
        {
            lock (_time._gate) _time._timers.Remove(this);
            _inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            lock (_time._gate) _time._timers.Remove(this);
            return _inner.DisposeAsync();
        }

        private void Fire()
        {
            lock (_gate)
            {
                _due = _period == Timeout.InfiniteTimeSpan || _period == TimeSpan.Zero ? null : _time.GetTimestamp() + _period.Ticks;
                if (_due is not null) _inner.Change(_period, Timeout.InfiniteTimeSpan);
            }

            _callback(_state);
        }
    }
}
