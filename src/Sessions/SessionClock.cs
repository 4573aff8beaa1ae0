using Countersign.Access;

namespace Countersign.Sessions;

/// <summary>How long a session may last and stand still: settings as they were when it began.</summary>
/// <param name="DeviceKeepsAwake">
/// What the device writes is activity, too. Without a terminal a program runs that nobody types into; with one, a screen that changes by itself says
/// nothing of whether somebody is there.
/// </param>
internal sealed record SessionLimits(TimeSpan? MaxSession, TimeSpan? IdleTimeout, TimeSpan? EndWarning, bool DeviceKeepsAwake)
{
    public static SessionLimits Of(in AccessDecision decision, AskedTerminal? terminal) =>
        new(decision.MaxSession, decision.IdleTimeout, decision.EndWarning, DeviceKeepsAwake: terminal is null);
}

/// <param name="Reason"><see cref="EndReason.WindowOver"/> or <see cref="EndReason.MaximumTime"/>.</param>
public readonly record struct SessionDeadline(DateTimeOffset At, EndReason Reason);

/// <summary>What is to be done now, and when to look again.</summary>
/// <param name="Over">The reason to end at once; null: the session goes on.</param>
/// <param name="Warning">An end that has come near and was not told of yet.</param>
internal readonly record struct ClockTurn((EndReason Reason, TimeSpan Limit)? Over, EndWarning? Warning, TimeSpan Next);

/// <param name="Limit">The longest time, or the idle time, that will be over then; zero for a window.</param>
internal sealed record EndWarning(EndReason Reason, TimeSpan Left, TimeSpan Limit);

/// <summary>
/// Works out when one session is warned and when it ends. Its length and its idleness go by the machine's steady clock, which nobody sets; windows are
/// instants, and go by the clock on the wall.
/// </summary>
/// <param name="began">The <see cref="TimeProvider.GetTimestamp"/> of when the session's question was asked.</param>
internal sealed class SessionClock(TimeProvider time, SessionLimits limits, long began)
{
    private readonly Lock _gate = new();
    private long _active = time.GetTimestamp();
    private DateTimeOffset? _until;
    private SessionDeadline? _warned;
    private long? _warnedIdle;

    private enum Track
    {
        None,
        Window,
        Longest,
    }

    public void FromTechnician() => Volatile.Write(ref _active, time.GetTimestamp());

    public void FromDevice()
    {
        if (limits.DeviceKeepsAwake) Volatile.Write(ref _active, time.GetTimestamp());
    }

    /// <summary>When the session ends, whatever is done in it; null: no end is known.</summary>
    public SessionDeadline? Deadline
    {
        get
        {
            lock (_gate)
            {
                var now = time.GetUtcNow();
                return Hard(now) switch
                {
                    (Track.Window, _) => new(_until!.Value, EndReason.WindowOver),
                    (Track.Longest, var left) => new(ToTheSecond(now + left), EndReason.MaximumTime),
                    _ => null,
                };
            }
        }
    }

    /// <param name="until">How long what allows the session holds, by the newest answer.</param>
    public ClockTurn Turn(DateTimeOffset? until)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();

            // Whatever the answer is now. A window that stood for an approval is over for the session that it let in, though somebody who runs is not
            // asked for approvals any more; and one that was extended in time has another end by then.
            if (_until <= now) return new((EndReason.WindowOver, TimeSpan.Zero), null, TimeSpan.Zero);
            _until = until;
            var active = Volatile.Read(ref _active);
            var idle = limits.IdleTimeout - time.GetElapsedTime(active);
            if (LongestLeft() <= TimeSpan.Zero) return new((EndReason.MaximumTime, limits.MaxSession!.Value), null, TimeSpan.Zero);
            if (idle <= TimeSpan.Zero) return new((EndReason.Idle, limits.IdleTimeout!.Value), null, TimeSpan.Zero);

            var (track, hard) = Hard(now);
            var next = TimeSpan.MaxValue;
            if (track != Track.None) next = hard;
            if (idle < next) next = idle.Value;
            if (limits.EndWarning is not { } ahead) return new(null, null, next);
            var warning = track == Track.None ? null : WarnOfEnd(track, hard, ahead, ref next);
            if (idle is { } still && !(track != Track.None && hard <= still)) warning ??= WarnOfIdleness(active, still, ahead, ref next);
            return new(null, warning, next);
        }
    }

    /// <summary>Once for each deadline; a deadline that has moved away, or that came nearer, is told of anew.</summary>
    private EndWarning? WarnOfEnd(Track track, TimeSpan left, TimeSpan ahead, ref TimeSpan next)
    {
        if (left > ahead)
        {
            _warned = null;
            if (left - ahead < next) next = left - ahead;
            return null;
        }

        // The instant of the longest time moves when the clock on the wall is set, and is the same deadline.
        var deadline = track == Track.Window ? new SessionDeadline(_until!.Value, EndReason.WindowOver) : new(default, EndReason.MaximumTime);
        if (_warned == deadline) return null;
        _warned = deadline;
        return new(deadline.Reason, left, track == Track.Window ? TimeSpan.Zero : limits.MaxSession!.Value);
    }

    /// <summary>Once for each time of standing still, and not before half of it: whoever types now and then is not told with every key.</summary>
    private EndWarning? WarnOfIdleness(long active, TimeSpan left, TimeSpan ahead, ref TimeSpan next)
    {
        var half = limits.IdleTimeout!.Value / 2;
        if (half < ahead) ahead = half;
        if (left > ahead)
        {
            if (left - ahead < next) next = left - ahead;
            return null;
        }

        if (_warnedIdle == active) return null;
        _warnedIdle = active;
        return new(EndReason.Idle, left, limits.IdleTimeout!.Value);
    }

    private TimeSpan? LongestLeft() => limits.MaxSession - time.GetElapsedTime(began);

    /// <summary>The earlier of the two ends that activity does not put off.</summary>
    private (Track Track, TimeSpan Left) Hard(DateTimeOffset now)
    {
        var window = _until - now;
        var longest = LongestLeft();
        if (longest is { } left && !(window <= left)) return (Track.Longest, left);
        return window is { } open ? (Track.Window, open) : (Track.None, default);
    }

    private static DateTimeOffset ToTheSecond(DateTimeOffset at)
    {
        var ticks = at.UtcTicks + TimeSpan.TicksPerSecond / 2;
        return new(ticks - ticks % TimeSpan.TicksPerSecond, TimeSpan.Zero);
    }
}
