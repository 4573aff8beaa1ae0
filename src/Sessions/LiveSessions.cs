using System.Collections.Concurrent;
using Countersign.Access;
using Microsoft.Extensions.Logging;

namespace Countersign.Sessions;

/// <summary>
/// Every session that is running in this process, and the enforcement that goes on while they do: a change of policy asks all of an organization's
/// sessions again at once, and each asks again by itself at the instant its answer may change. It warns each of its end, and ends it in time.
/// </summary>
public sealed partial class LiveSessions : IAsyncDisposable
{
    /// <summary>No session goes longer without being asked again.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    /// <summary>How often the clock on the wall is compared with the steady one: windows end by it also when it has been set.</summary>
    private static readonly TimeSpan Comparing = TimeSpan.FromSeconds(1);

    /// <summary>Clocks that have come apart by more than this since the last look: one was set.</summary>
    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a stop waits for the ends to be written down; what is not by then is found at the next start.</summary>
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<SessionId, LiveSession> _sessions = [];
    private readonly IPolicySource _policy;
    private readonly ISessionLedger _ledger;
    private readonly TimeProvider _time;
    private readonly ILogger<LiveSessions> _log;
    private readonly IDisposable _subscription;
    private readonly TaskCompletionSource _allGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _givingUp = new();
    private readonly ITimer _comparing;
    private readonly long _start;
    private TimeSpan _offset;
    private volatile bool _stopping;

    public LiveSessions(IPolicySource policy, ISessionLedger ledger, TimeProvider time, ILogger<LiveSessions> log)
    {
        _policy = policy;
        _ledger = ledger;
        _time = time;
        _log = log;
        _subscription = policy.OnChange(snapshot =>
        {
            foreach (var session in _sessions.Values)
            {
                if (session.Opening.Organization == snapshot.Organization) AskAgain(session);
            }
        });
        _start = time.GetTimestamp();
        _offset = Offset();
        _comparing = time.CreateTimer(_ => Compare(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _comparing.Change(Comparing, Timeout.InfiniteTimeSpan);
    }

    internal DateTimeOffset Now => _time.GetUtcNow();


    public IReadOnlyList<LiveSession> Of(OrganizationId organization) => [.. _sessions.Values.Where(session => session.Opening.Organization == organization)];

    public LiveSession? Find(OrganizationId organization, SessionId id) =>
        _sessions.TryGetValue(id, out var session) && session.Opening.Organization == organization ? session : null;

    /// <summary>More was approved ahead: sessions that live on such access, of that person on these devices, go on with it.</summary>
    /// <param name="notice">What their technician is told.</param>
    public void Extend(OrganizationId organization, PreapprovedRequest request, string notice)
    {
        foreach (var session in Of(organization))
        {
            if (!session.TryRely(request)) continue;
            session.Tell(notice);
            AskAgain(session);
        }
    }

    /// <summary>What was approved ahead was revoked: sessions that live on it now end, and others don't go on with it later.</summary>
    public void Withdraw(OrganizationId organization, long preapproved, string why)
    {
        foreach (var session in Of(organization))
        {
            if (session.Question.Preapprovals.FirstOrDefault(one => one.Number == preapproved) is not { } request) continue;
            if (request.IsOpen(Now))
            {
                session.Finish(EndReason.PermissionRevoked, why);
                continue;
            }

            session.Forget(preapproved);
            AskAgain(session);
        }
    }

    internal LiveSession Begin(SessionOpening opening, SessionQuestion question, PolicySnapshot snapshot, AccessDecision decision, SessionClock clock)
    {
        LiveSession? session = null;
        var timer = _time.CreateTimer(_ => AskAgain(session!), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        session = new(this, opening, question, snapshot.Version, clock, timer) { Permissions = decision.Permissions };
        _sessions[opening.Id] = session;
        GoOn(session, snapshot, decision);

        // A change that came between the decision and the entry in the list has passed the session by; and so has a stop.
        if (_policy.Current(opening.Organization)?.Version != snapshot.Version) AskAgain(session);
        if (_stopping) session.Finish(EndReason.GatewayStopped, "the gateway is stopping");
        return session;
    }

    internal async ValueTask RemoveAsync(LiveSession session, SessionEnd end)
    {
        await WriteEndAsync(end);
        _sessions.TryRemove(session.Opening.Id, out _);
        if (_stopping && _sessions.IsEmpty) _allGone.TrySetResult();
    }

    internal void OnFault(LiveSession session, Exception fault) => LogFault(fault, session.Opening.Id.Value);

    internal void OnUnfinished(LiveSession session, Exception fault) => LogUnfinished(fault, session.Opening.Id.Value);

    /// <summary>What can't be written now, because the disk is full or the database locked, is tried again: else the row would go on saying that the session runs.</summary>
    private async Task WriteEndAsync(SessionEnd end)
    {
        for (var rest = FirstRetry; ; rest = rest < LongestRetry / 2 ? rest * 2 : LongestRetry)
        {
            try
            {
                await _ledger.EndAsync(end, CancellationToken.None);
                return;
            }
            catch (Exception failure)
            {
                // Not swallowed: whatever it was, the end is owed. What is not written when the gateway stops is found at the next start.
                LogNotWritten(failure, end.Id.Value);
            }

            try
            {
                await Task.Delay(rest, _time, _givingUp.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Until the policy that was asked is the one in force, and the evidence is what is in hand: newer ones may be asked on another thread meanwhile, and
    /// the older must not be the last to set the time of the next question. Never throws: others are asked after this one, or it is a timer's thread, where an
    /// exception ends the process.
    /// </summary>
    private void AskAgain(LiveSession session)
    {
        try
        {
            AskUntilCurrent(session);
        }
        catch (Exception fault)
        {
            // Whatever it was: what can't be decided is not allowed.
            LogNotDecided(fault, session.Opening.Id.Value);
            session.Finish(EndReason.PermissionRevoked, "whether you may go on could not be decided");
        }
    }

    private void AskUntilCurrent(LiveSession session)
    {
        PolicySnapshot? snapshot;
        SessionQuestion question;
        do
        {
            question = session.Question;
            snapshot = _policy.Current(session.Opening.Organization);
            Ask(session, question, snapshot);
        }
        while (!ReferenceEquals(_policy.Current(session.Opening.Organization), snapshot) || !ReferenceEquals(session.Question, question));
    }

    private void Ask(LiveSession session, SessionQuestion question, PolicySnapshot? snapshot)
    {
        if (session.Ending.IsCancellationRequested) return;
        if (snapshot is null)
        {
            session.Finish(EndReason.PermissionRevoked, "the organization is gone");
            return;
        }

        var decision = question.Ask(snapshot, Now);
        if (decision.Kind == DecisionKind.Allowed)
        {
            session.PolicyVersion = snapshot.Version;
            session.Permissions = decision.Permissions;
            GoOn(session, snapshot, decision);
            return;
        }

        var (reason, detail) = WhyEnded(decision.Reason, changed: snapshot.Version != session.PolicyVersion);
        LogEnded(session.Opening.Id.Value, decision.Reason);
        session.Finish(reason, detail);
    }

    private static (EndReason Reason, string Detail) WhyEnded(DenialReason reason, bool changed) => reason switch
    {
        DenialReason.UnknownSubject or DenialReason.SubjectTakesNoPart => (EndReason.PersonDisabled, "your account was disabled"),
        DenialReason.TwoFactorMissing => (EndReason.PermissionRevoked, "a second factor is required now"),
        DenialReason.NetworkNotAllowed => (EndReason.PermissionRevoked, "your organization lets nobody in any more from where you are"),
        DenialReason.UnknownDevice or DenialReason.DeviceDisabled => (EndReason.DeviceRemoved, "the device was removed or switched off"),
        DenialReason.UnknownAccount => (EndReason.PermissionRevoked, "the account was removed from the device or from your rights"),
        DenialReason.OutsideSessionHours => (EndReason.WindowOver, "the device's session hours are over"),
        _ when changed => (EndReason.PermissionRevoked, "your access was taken away"),
        _ => (EndReason.WindowOver, EndSentences.WindowOver),
    };

    /// <summary>Policy allows the session: it goes on, unless its own time is over, until there is cause to look again.</summary>
    private void GoOn(LiveSession session, PolicySnapshot snapshot, in AccessDecision decision)
    {
        var turn = session.Clock.Turn(decision.Until);
        if (turn.Over is { } over)
        {
            LogOver(session.Opening.Id.Value, over.Reason);
            session.Finish(over.Reason, EndSentences.Over(over.Reason, over.Limit));
            return;
        }

        if (turn.Warning is { } warning)
        {
            var now = _time.GetLocalNow();
            var window = warning.Reason == EndReason.WindowOver ? WhyEnded(session.Question.Foresee(snapshot, now + warning.Left).Reason, changed: false).Detail + MoreTime(session) : "";
            session.Tell(EndSentences.Warning(warning, window, now));
        }

        var rest = turn.Next < LongestRest ? turn.Next : LongestRest;
        if (decision.ReevaluateAt - Now is { } asking && asking < rest) rest = asking;

        // Timers count milliseconds: rounding up keeps the question from being asked just before the instant, and then again.
        if (rest < TimeSpan.Zero) rest = TimeSpan.Zero;
        session.Timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Where it is access approved ahead that ends, it can be asked to go on.</summary>
    private string MoreTime(LiveSession session)
    {
        var now = Now;
        return session.Question.Preapprovals.Where(request => request.IsOpen(now)).MaxBy(request => request.Time.Closes(request.ApprovedAt)) is { } relied
            ? EndSentences.MoreTime(relied.Number)
            : "";
    }

    /// <summary>By how much the clock on the wall is ahead of the steady one, which stays the same until somebody sets it.</summary>
    private TimeSpan Offset()
    {
        while (true)
        {
            var steady = _time.GetTimestamp();
            var wall = Now;

            // Not if the thread was held up between the two: that would look like a clock that was set.
            if (_time.GetElapsedTime(steady) < Apart / 2) return TimeSpan.FromTicks(wall.UtcTicks) - _time.GetElapsedTime(_start, steady);
        }
    }

    private void Compare()
    {
        var offset = Offset();
        var moved = (offset - _offset).Duration() > Apart;
        _offset = offset;
        if (moved)
        {
            LogClockSet();
            foreach (var session in _sessions.Values) AskAgain(session);
        }

        _comparing.Change(Comparing, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends every session and waits until each has been written down.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping) return;
        _stopping = true;
        _subscription.Dispose();
        await _comparing.DisposeAsync();
        foreach (var session in _sessions.Values) session.Finish(EndReason.GatewayStopped, "the gateway is stopping");
        if (_sessions.IsEmpty) _allGone.TrySetResult();
        try
        {
            await _allGone.Task.WaitAsync(LongestGoodbye, _time);
        }
        catch (TimeoutException)
        {
            LogLeft(_sessions.Count);
        }

        await _givingUp.CancelAsync();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Session {Session} ends: {Reason}")]
    private partial void LogEnded(Guid session, DenialReason reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Session {Session} ends: {Reason}")]
    private partial void LogOver(Guid session, EndReason reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The clock was set: every session is asked again")]
    private partial void LogClockSet();

    [LoggerMessage(Level = LogLevel.Error, Message = "Session {Session} was ended, but not everybody could be told")]
    private partial void LogFault(Exception fault, Guid session);

    [LoggerMessage(Level = LogLevel.Error, Message = "Whether session {Session} may go on could not be decided: it ends")]
    private partial void LogNotDecided(Exception fault, Guid session);

    [LoggerMessage(Level = LogLevel.Error, Message = "The recording or the journal of session {Session} could not be brought to its end")]
    private partial void LogUnfinished(Exception fault, Guid session);

    [LoggerMessage(Level = LogLevel.Error, Message = "The end of session {Session} could not be written down; it is tried again")]
    private partial void LogNotWritten(Exception failure, Guid session);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} sessions were still being written down when the gateway stopped")]
    private partial void LogLeft(int count);
}
