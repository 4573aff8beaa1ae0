namespace Countersign.Server.Tests.Identity;

/// <summary>A clock that stands still until it is moved, and the steady one beside it, which nobody can set.</summary>
internal sealed class SetClock : TimeProvider
{
    private DateTimeOffset _now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private long _steady;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _steady;

    /// <summary>So much time goes by.</summary>
    public void Advance(TimeSpan by)
    {
        _now += by;
        _steady += by.Ticks;
    }

    /// <summary>Somebody sets the clock on the wall, and no time goes by.</summary>
    public void Set(TimeSpan further) => _now += further;
}
