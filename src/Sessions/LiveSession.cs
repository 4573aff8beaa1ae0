using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions;

/// <summary>
/// A session from admission to its end. Whoever is given it disposes it: that writes the end down, once, with the first reason that was given, or
/// <see cref="EndReason.ConnectionLost"/> if none was.
/// </summary>
[SuppressMessage("Usage", "CA2213", Justification = "The token source has no timer and holds nothing that needs disposing, and a change of policy may cancel it just when the session ends.")]
public sealed class LiveSession : IAsyncDisposable
{
    private readonly LiveSessions _sessions;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new();
    private EndReason? _reason;
    private string _detail = "";
    private TrafficCount _traffic = new();
    private Action<string>? _show;
    private string? _notice;
    private int? _exitStatus;
    private DateTimeOffset _ended;
    private int _written;
    private Task _recordingWatch = Task.CompletedTask;
    private string? _recordingFailure;
    private Task _journalWatch = Task.CompletedTask;
    private long _policyVersion;
    private SessionQuestion _question;
    private ulong _permissions;

    internal LiveSession(LiveSessions sessions, SessionOpening opening, SessionQuestion question, long policyVersion, SessionClock clock, ITimer timer)
    {
        _sessions = sessions;
        Watchers = new(Note);
        Opening = opening;
        _question = question;
        _policyVersion = policyVersion;
        Clock = clock;
        Timer = timer;
        Ending = _ending.Token;
    }

    public SessionOpening Opening { get; }

    /// <summary>The question that was allowed; asked again whenever its answer may have changed. The same object for as long as the evidence is the same.</summary>
    public SessionQuestion Question => Volatile.Read(ref _question);

    /// <summary>
    /// What of the permissions that such a session lives on it holds now: what is done in it is held to these, each time. One that is lost is gone at once,
    /// and one that is gained is there at once where a connection that begins then would have it.
    /// </summary>
    public PermissionSet Permissions
    {
        get => new(Interlocked.Read(ref _permissions));
        internal set
        {
            var before = Interlocked.Exchange(ref _permissions, value.Bits);
            if (before != value.Bits && before != 0) Note(new RightsChanged(value.ToString()));
        }
    }

    /// <summary>Cancelled when the session has to end: both its ends are to be closed at once.</summary>
    public CancellationToken Ending { get; }

    /// <summary>What the session's relay has counted. What it counts from here on is activity.</summary>
    public TrafficCount Traffic
    {
        get => _traffic;
        set
        {
            value.Clock = Clock;
            _traffic = value;
        }
    }

    /// <summary>When the session ends if nothing changes, whatever is done in it; null: no end is known.</summary>
    public SessionDeadline? Deadline => Clock.Deadline;

    /// <summary>Who reads along.</summary>
    public SessionWatchers Watchers { get; }

    /// <summary>What records the session, from before it starts; null: it is not recorded. A front door gives it all that passes.</summary>
    public RecordingWriter? Recording { get; private set; }

    /// <summary>What happens in the session, as it happens; null: it can't be written. For those who append by the thousand; others <see cref="Note"/>.</summary>
    public JournalWriter? Journal { get; private set; }

    /// <summary>The version of policy under which the question was last allowed.</summary>
    internal long PolicyVersion
    {
        get => Interlocked.Read(ref _policyVersion);
        set => Interlocked.Exchange(ref _policyVersion, value);
    }

    internal SessionClock Clock { get; }

    internal ITimer Timer { get; }

    /// <summary>Why the session ends; null while it does not.</summary>
    public (EndReason Reason, string Detail)? End
    {
        get
        {
            lock (_gate) return _reason is { } reason ? (reason, _detail) : null;
        }
    }

    /// <summary>Ends the session. The first reason given stays.</summary>
    public void Finish(EndReason reason, string detail, int? exitStatus = null)
    {
        lock (_gate)
        {
            if (_reason is not null) return;
            _reason = reason;
            _detail = detail;
            _exitStatus = exitStatus;
            _ended = _sessions.Now;
        }

        try
        {
            _ending.Cancel();
        }
        catch (AggregateException fault)
        {
            // Of those who were told. The session ends all the same; and whoever ends it has others to end, or is a timer's thread, where an exception ends the process.
            _sessions.OnFault(this, fault);
        }
    }

    /// <summary>From here on <paramref name="show"/> is given what the technician has to know while the session runs, one sentence each; first what was said before.</summary>
    public void ShowNotices(Action<string> show)
    {
        string? before;
        lock (_gate)
        {
            _show = show;
            (before, _notice) = (_notice, null);
        }

        if (before is not null) Show(before, show);
    }

    /// <summary>Takes further access that was approved ahead as evidence, if the session lives on such access.</summary>
    internal bool TryRely(PreapprovedRequest request)
    {
        lock (_gate)
        {
            var known = Question.Preapprovals;
            if (known.IsEmpty || request.Time is RequestTime.FromFirstUse { IsPending: true } || !request.IsFor(Opening.Person, Opening.Device, Opening.Account)) return false;
            Volatile.Write(ref _question, Question.With(known.RemoveAll(other => other.Number == request.Number).Add(request)));
            return true;
        }
    }

    internal void Forget(long preapproved)
    {
        lock (_gate) Volatile.Write(ref _question, Question.With(Question.Preapprovals.RemoveAll(other => other.Number == preapproved)));
    }

    internal void Tell(string notice)
    {
        Action<string>? show;
        lock (_gate)
        {
            if (_reason is not null) return;
            show = _show;
            if (show is null) _notice = notice;
        }

        if (show is not null) Show(notice, show);
    }

    private void Show(string notice, Action<string> show)
    {
        Note(new TechnicianWarned(notice));
        show(notice);
    }

    /// <param name="watch">Runs until the session's end; it ends early when the recording fails.</param>
    internal void Record(RecordingWriter recording, Func<RecordingWriter, Task> watch)
    {
        Recording = recording;
        _recordingWatch = watch(recording);
    }

    /// <summary>Puts an event into the session's journal. Never waits.</summary>
    public void Note(JournalEvent one) => Journal?.Append(one);

    /// <param name="watch">Runs until the session's end; it ends early when the journal fails.</param>
    internal void Keep(JournalWriter journal, Func<JournalWriter, Task> watch)
    {
        Journal = journal;
        _journalWatch = watch(journal);
    }

    internal void NotRecorded(string why) => _recordingFailure = why;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _written, 1) != 0) return;
        Finish(EndReason.ConnectionLost, "the connection was lost");
        await Timer.DisposeAsync();
        var recording = await OwedAsync(FinishRecordingAsync()) ?? new(RecordingState.Failed, null, null, "its end could not be written");
        var journal = await OwedAsync(FinishJournalAsync(recording));
        await _sessions.RemoveAsync(
            this,
            new(Opening.Id, Opening.Organization, _reason!.Value, _detail, _exitStatus, Traffic.In, Traffic.Out, _ended) { Recording = recording, Journal = journal });
    }

    /// <summary>Null: it failed, and that is logged. Whatever it was, the session's own end is still to be written down.</summary>
    private async Task<T?> OwedAsync<T>(Task<T?> finishing)
        where T : class
    {
        try
        {
            return await finishing;
        }
        catch (Exception fault)
        {
            _sessions.OnUnfinished(this, fault);
            return null;
        }
    }

    private async Task<RecordingSummary?> FinishRecordingAsync()
    {
        if (Recording is not { } recording) return new(_recordingFailure is null ? RecordingState.None : RecordingState.Failed, null, null, _recordingFailure);
        var result = await recording.FinishAsync(new(_reason!.Value, _detail, _exitStatus));

        // A failure is being written down: the end comes after it, and says it again should that not have worked.
        if (recording.Failed.IsCompleted) await _recordingWatch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return RecordingSummary.Of(result);
    }

    private async Task<JournalSummary?> FinishJournalAsync(RecordingSummary recording)
    {
        if (Journal is not { } journal) return null;
        var summary = await journal.FinishAsync(new(_reason!.Value, _detail, _exitStatus, Traffic.In, Traffic.Out, recording.State));
        if (journal.Failed.IsCompleted) await _journalWatch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return summary;
    }
}

/// <summary>What was allowed when a session began.</summary>
public sealed class SessionQuestion
{
    private readonly AccessQuestion _question;
    private readonly RunningWays _ways;

    /// <param name="question">As it was asked then; it wants all of the ways.</param>
    /// <param name="ways">To live on.</param>
    internal SessionQuestion(AccessQuestion question, RunningWays ways)
    {
        _question = question;
        _ways = ways;
    }

    public AccessQuestion Asked => _question;

    /// <summary>What was approved ahead, as evidence.</summary>
    public ImmutableArray<PreapprovedRequest> Preapprovals => _question.Preapprovals;

    internal SessionQuestion With(ImmutableArray<PreapprovedRequest> preapprovals) => new(_question with { Preapprovals = preapprovals }, _ways);

    /// <summary>Whether the session may go on now, which counts from here on; as <see cref="RunningWays.Ask"/>.</summary>
    internal AccessDecision Ask(PolicySnapshot snapshot, DateTimeOffset now)
    {
        var decision = _ways.Ask(snapshot, _question, now, out var open);
        if (decision.Kind == DecisionKind.Allowed) _ways.Note(open);
        return decision;
    }

    /// <summary>What the answer is at an instant, now or later, without its counting from here on.</summary>
    public AccessDecision Foresee(PolicySnapshot snapshot, DateTimeOffset at) => _ways.Ask(snapshot, _question, at, out _);
}

/// <summary>Bytes relayed so far.</summary>
public sealed class TrafficCount
{
    private long _in;
    private long _out;
    private volatile SessionClock? _clock;

    internal SessionClock? Clock
    {
        set => _clock = value;
    }

    /// <summary>From the technician to the device.</summary>
    public long In => Interlocked.Read(ref _in);

    /// <summary>From the device to the technician.</summary>
    public long Out => Interlocked.Read(ref _out);

    internal void AddIn(int bytes)
    {
        Interlocked.Add(ref _in, bytes);
        _clock?.FromTechnician();
    }

    internal void AddOut(int bytes)
    {
        Interlocked.Add(ref _out, bytes);
        _clock?.FromDevice();
    }
}
